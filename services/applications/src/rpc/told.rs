//! What training and finance tell of an application: a fact for its history, and a mail to its contact. Neither changes
//! the application.

use conum_kernel::{
    ApplicationId, Cents, ClaimId, ConventionId, Error, Fact, FollowUpId, InstalmentId, Machine as _, PostId, Result,
    Rule, TrainingId, parse_post_name,
};
use conum_proto::events::v1::event::Payload;
use conum_service::{Call, Failure, Tx, history, wire};

use crate::{
    commands::queue,
    domain::{Mail, mails::Held},
    storage::applications,
};

/// What is told of an application.
#[derive(Debug)]
pub struct Told {
    action: &'static str,
    /// An id or a listed word.
    why: String,
    mail: Mail,
}

/// Writes what is told to the history of its application, and queues the mail. A record of the past has nobody to write
/// to before it is completed.
///
/// # Errors
/// Not found; the database's.
pub async fn note(tx: &Tx, call: &Call, told: Told) -> std::result::Result<(), Failure> {
    let id = told.mail.application();
    let found = applications::find(tx, id).await?.ok_or_else(|| Error::not_found(&id.name()))?;
    let fact = Fact::noted(told.action, found.application.state.name(), told.why).under(rule(told.action));
    history::append(tx, call, &id.name(), &[fact]).await?;
    match found.application.form.contact {
        Some(_) => queue(tx, call, &told.mail).await,
        None => Ok(()),
    }
}

/// What an event of training or finance tells, where it is one.
///
/// # Errors
/// `INVALID_NAME`, `INVALID_DATE`, `REQUIRED` or `UNKNOWN_VALUE` at its field.
pub fn told(payload: &Payload) -> Result<Option<Told>> {
    let told = match training(payload)? {
        Some(told) => Some(told),
        None => finance(payload)?,
    };
    Ok(told.map(|(action, why, mail)| Told { action, why, mail }))
}

/// The rule that something told comes of.
fn rule(action: &str) -> Rule {
    Rule(match action {
        "PLAN_TRAINING" => "T01",
        "UNPLAN_TRAINING" => "T05",
        "COMPLETE_TRAINING" => "T03",
        "SIGN_CONVENTION" | "SIGN_AMENDMENT" => "F02",
        "SUSPEND_GRANT" | "RAISE_CLAIM" => "F04",
        "ANNOUNCE_GRANT_END" => "F07",
        "REQUEST_FOLLOW_UP" => "F09",
        _ => "F03",
    })
}

type Parts = (&'static str, String, Mail);

fn training(payload: &Payload) -> Result<Option<Parts>> {
    let training = |name: &str| Ok::<_, Error>(TrainingId::parse_name("training", name)?.to_string());
    Ok(Some(match payload {
        Payload::TrainingPlanned(event) => {
            let first = wire::date("starts_on", event.starts_on.as_ref())?;
            let last = wire::date("ends_on", event.ends_on.as_ref())?;
            let (application, hours) = (application(&event.application)?, count("hours", event.hours)?);
            let mail = Mail::TrainingPlanned { application, hours, days: first.zip(last) };
            ("PLAN_TRAINING", training(&event.training)?, mail)
        }
        Payload::TrainingUnplanned(event) => {
            let mail = Mail::TrainingUnplanned { application: application(&event.application)? };
            ("UNPLAN_TRAINING", training(&event.training)?, mail)
        }
        Payload::TrainingCompleted(event) => {
            let on = wire::required_date("completed_on", event.completed_on.as_ref())?;
            let mail = Mail::TrainingCompleted { application: application(&event.application)?, on };
            ("COMPLETE_TRAINING", training(&event.training)?, mail)
        }
        _ => return Ok(None),
    }))
}

fn finance(payload: &Payload) -> Result<Option<Parts>> {
    let convention = |name: &str| Ok::<_, Error>(ConventionId::parse_name("convention", name)?.to_string());
    Ok(Some(match payload {
        Payload::ConventionSigned(event) => {
            let amendment = count("amendment", event.amendment)?;
            let mail = Mail::ConventionSigned {
                application: application(&event.application)?,
                amendment,
                posts: u32::try_from(event.posts.len()).unwrap_or(u32::MAX),
                granted: Cents(event.granted_cents),
                signed_on: wire::required_date("signed_on", event.signed_on.as_ref())?,
            };
            let action = if amendment == 0 { "SIGN_CONVENTION" } else { "SIGN_AMENDMENT" };
            (action, convention(&event.convention)?, mail)
        }
        Payload::InstalmentHeld(event) => {
            let (application, post) = post(&event.application, &event.post)?;
            let reason = Held::of(&event.reason).ok_or_else(|| wire::unknown_value("reason"))?;
            ("HOLD_INSTALMENT", event.reason.clone(), Mail::InstalmentHeld { application, post, reason })
        }
        Payload::InstalmentPaid(event) => {
            let (application, post) = post(&event.application, &event.post)?;
            let mail = Mail::InstalmentPaid {
                application,
                post,
                number: count("number", event.number)?,
                amount: Cents(event.amount_cents),
                paid_on: wire::required_date("paid_on", event.paid_on.as_ref())?,
            };
            let instalment = InstalmentId::parse_name("instalment", &event.instalment)?;
            ("PAY_INSTALMENT", instalment.to_string(), mail)
        }
        Payload::GrantSuspended(event) => {
            let mail = Mail::GrantSuspended { application: application(&event.application)? };
            ("SUSPEND_GRANT", convention(&event.convention)?, mail)
        }
        Payload::ClaimRaised(event) => {
            let (application, post) = post(&event.application, &event.post)?;
            let mail = Mail::ClaimRaised { application, post, amount: Cents(event.amount_cents) };
            ("RAISE_CLAIM", ClaimId::parse_name("claim", &event.claim)?.to_string(), mail)
        }
        Payload::GrantEnding(event) => {
            let (application, post) = post(&event.application, &event.post)?;
            let last_day = wire::required_date("last_day", event.last_day.as_ref())?;
            let months_left = count("months_left", event.months_left)?;
            ("ANNOUNCE_GRANT_END", post.to_string(), Mail::GrantEnding { application, post, last_day, months_left })
        }
        Payload::FollowUpRequested(event) => {
            let due_on = wire::required_date("due_on", event.due_on.as_ref())?;
            let mail = Mail::FollowUpRequested { application: application(&event.application)?, due_on };
            ("REQUEST_FOLLOW_UP", FollowUpId::parse_name("follow_up", &event.follow_up)?.to_string(), mail)
        }
        _ => return Ok(None),
    }))
}

fn application(name: &str) -> Result<ApplicationId> {
    ApplicationId::parse_name("application", name)
}

/// A post with its application.
fn post(of: &str, name: &str) -> Result<(ApplicationId, PostId)> {
    let (_, post) = parse_post_name("post", name)?;
    Ok((application(of)?, post))
}

fn count(field: &str, number: i32) -> Result<u32> {
    u32::try_from(number).map_err(|_| wire::unknown_value(field))
}
