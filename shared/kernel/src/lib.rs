//! What every service's domain is written with: typed ids, a clock, dates, money, text, errors, and the shapes of a
//! decision (state machine, facts, policies).
//!
//! No I/O, no async, no database, no transport: a domain that uses this crate alone is pure.

pub mod clock;
pub mod dates;
pub mod decision;
pub mod entities;
pub mod error;
pub mod history;
pub mod id;
pub mod money;
pub mod policy;
pub mod sector;
pub mod text;

pub use clock::{Clock, Moment};
pub use decision::Decision;
pub use entities::{
    ApplicationId, CandidateId, ClaimId, ConventionId, FollowUpId, InstalmentId, IntroductionId, OrganisationId,
    PaymentFileId, PaymentOrderId, PostId, RecruitmentId, SessionId, StructureId, TrainingId, WaveId, parse_post_name,
    post_name,
};
pub use error::{Error, Kind, Result, Rule, Violation, Violations};
pub use history::{Fact, Machine};
pub use id::{Id, Ids};
pub use money::Cents;
pub use sector::Sector;
