//! Structures, applications, committee waves and the cap of posts.

pub mod domain;
