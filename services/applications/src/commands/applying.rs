//! Applying, and what needs nothing but the application and the settings (A01, A02, A05, A07).

use conum_kernel::ApplicationId;
use conum_service::{Call, Failure, Tx};

use super::{desk, record, settings, store};
use crate::{
    domain::{
        Application, Outcome, Settings, amendments,
        confirmation::Token,
        form::Form,
        partners::{self, Partner},
        post::PostForm,
        registration_number,
        submission::{self, Submit},
    },
    storage::{
        applications::{self, Stored},
        structures,
    },
};

/// A new secret for a mailed link.
#[must_use]
pub fn token(call: &Call) -> Token {
    let half = |number: u8| call.uuid(&format!("token/{number}")).simple().to_string();
    Token::new(half(1) + &half(2))
}

/// The number of a form in the spelling that it is found by; nothing where it is none.
#[must_use]
pub fn number(form: &Form) -> Option<String> {
    let profile = &form.profile;
    let text = profile.registration_number.as_deref()?;
    registration_number::check("registration_number", text, profile.department()).ok()
}

/// Applies (A01). A second application of one structure is refused with the name of the first (A05).
///
/// # Errors
/// Those of the domain's `submit`.
pub async fn submit(tx: &Tx, call: &Call, form: Form, posts: Vec<PostForm>) -> Result<Stored, Failure> {
    let settings = settings(tx, call).await?;
    let desk = desk(tx, call, &settings).await?;
    let application: ApplicationId = call.mint("application");
    let (mut structure, mut active, mut partner_of) = (call.mint("structure"), None, None);
    if let Some(number) = number(&form) {
        structure = structures::of_number(tx, call, &number).await?;
        active = applications::active_of(tx, &number).await?;
        partner_of = applications::with_partner(tx, &number).await?;
    }
    let command = Submit { application, structure, form, posts, token: token(call), active, partner_of };
    let outcome = submission::submit(command, desk, &settings, call.moment)?;
    let stored = applications::insert(tx, outcome.state).await?;
    record(tx, call, &stored.application.id.name(), &outcome.facts, outcome.events, outcome.mails).await?;
    Ok(stored)
}

/// Decides something on an application that was locked.
///
/// # Errors
/// What `decide` refuses.
pub async fn decide(
    tx: &Tx,
    call: &Call,
    before: Stored,
    decide: impl FnOnce(Application, &Settings) -> conum_kernel::Result<Outcome> + Send,
) -> Result<Stored, Failure> {
    let settings = settings(tx, call).await?;
    let outcome = decide(before.application.clone(), &settings)?;
    store(tx, call, before, outcome).await
}

/// Adds posts by amendment, while the desk is open (A19, P02).
///
/// # Errors
/// Those of the domain's `add_posts`.
pub async fn add_posts(tx: &Tx, call: &Call, before: Stored, posts: &[PostForm]) -> Result<Stored, Failure> {
    let settings = settings(tx, call).await?;
    let desk = desk(tx, call, &settings).await?;
    let outcome = amendments::add_posts(before.application.clone(), posts, desk, call.moment)?;
    store(tx, call, before, outcome).await
}

/// Adds a partner of shared posts (A06).
///
/// # Errors
/// Those of the domain's `add`.
pub async fn add_partner(tx: &Tx, call: &Call, before: Stored, partner: &Partner) -> Result<Stored, Failure> {
    let application = &before.application;
    let text = &partner.registration_number;
    let number = registration_number::check("registration_number", text, application.form.profile.department()).ok();
    let active = match number {
        Some(number) => applications::active_of(tx, &number).await?,
        None => None,
    };
    let outcome = partners::add(application.clone(), partner, active.filter(|other| *other != application.id))?;
    store(tx, call, before, outcome).await
}
