//! The pages that people see, in French. No script, nothing from elsewhere: they work in any browser, and a mail scanner
//! that opens them changes nothing.

pub mod confirmation;
pub mod front;
pub mod html;
pub mod introduction;
