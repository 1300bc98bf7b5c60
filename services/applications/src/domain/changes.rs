//! Taking a change of an application over: what a correction (A04) and the completion of a record of the past have in
//! common. Whether it may be made is decided in `corrections` and `completion`.

use conum_kernel::{ApplicationId, Fact, Moment, Result, Rule, StructureId, Violations};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    Desk, Event, Mail, Outcome, Settings, Wave,
    application::{Action, Application},
    completion,
    confirmation::{Confirmation, Token},
    documents,
    form::{Field, Form},
    form_checks::{self, Standard},
    post::{Derogation, DerogationState, MAX_POSTS, Post, PostAction, PostForm, PostState},
    post_checks,
    submission::second_application,
};

/// What an application should say: of the form and the posts, the fields that are named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub form: Form,
    /// The whole list: a post that is asked for and left out is taken off.
    pub posts: Vec<PostForm>,
    pub fields: Vec<Field>,
}

/// What a change needs beside what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// The subject of the caller's identity.
    pub actor: String,
    /// The structure of the registration number that is proposed.
    pub structure: StructureId,
    /// The active application of that number, where it is another one (A05).
    pub active: Option<ApplicationId>,
    /// The secret of the link that is mailed if the contact's address changes (A07).
    pub token: Token,
    pub desk: Desk,
    /// The waves of the posts of a record of the past, which its completion may find activated (P03).
    pub waves: Vec<Wave>,
}

/// A version of an application: what it said before it was corrected (A04).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    pub number: u32,
    pub application: Application,
    /// When it was replaced, and by whom.
    pub at: Timestamp,
    pub actor: String,
}

/// A corrected application, with the version that it replaces; none where nothing has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Corrected {
    pub outcome: Outcome,
    pub replaced: Option<Version>,
}

impl Corrected {
    /// An application that stays as it is.
    #[must_use]
    pub fn unchanged(application: Application) -> Self {
        Self { outcome: Outcome::of(application), replaced: None }
    }
}

/// Takes a change over. What matching holds of a granted application is told again.
///
/// # Errors
/// Every wrong field at once; `APPLICATION_EXISTS` (A05) where the number is another application's; `DESK_CLOSED` (P02)
/// for new posts.
pub(super) fn apply(
    before: Application,
    change: &Change,
    standard: Standard,
    inputs: &Inputs,
    settings: &Settings,
    at: Moment,
) -> Result<Corrected> {
    let mut violations = Violations::default();
    let proposed = before.form.with(&change.fields, &change.form);
    let wording = &settings.commitments_version;
    let mut form = form_checks::check(&proposed, &change.fields, standard, wording, "application.", &mut violations);
    if standard == Standard::Past {
        keep_what_is_known(&mut form, &before.form);
    }
    let mut after = Application { form, ..before.clone() };
    let structure = structure_of_number(&before, &after, inputs, &mut violations)?;
    after.structure = structure;
    let mut facts = Vec::new();
    if change.fields.contains(&Field::Posts) {
        facts = correct_posts(&mut after, &change.posts, inputs.desk, at.today, &mut violations)?;
    } else if change.fields.contains(&Field::Profile) {
        examine_again(&mut after, &mut violations);
    }
    violations.check()?;
    if after == before {
        return Ok(Corrected::unchanged(before));
    }

    if change.fields.contains(&Field::Commitments) {
        after.commitments_at = Some(at.now);
    }
    let kind_changed = after.form.profile.kind != before.form.profile.kind;
    let dossier = if kind_changed { documents::list_again(&mut after, settings) } else { None };
    let mut mails = Vec::new();
    if !after.is_imported() && email(&after) != email(&before) {
        after.address_confirmed_at = None;
        after.confirmation = Some(Confirmation::mailed(&inputs.token, settings, at.today));
        facts.push(after.step(Action::ChangeAddress, "")?);
        mails.push(Mail::ConfirmAddress { application: after.id, token: inputs.token.clone() });
    }
    let told = |form: &Form| (form.profile.clone(), form.needs.clone(), form.candidate_found);
    let mut events = if told(&after.form) == told(&before.form) { Vec::new() } else { Event::granted_again(&after) };
    events.extend(completion::served_late(&before, &after, &inputs.waves));
    events.extend(fallen_derogations(&before, &after));
    if let Some((event, mail)) = dossier {
        events.push(event);
        mails.push(mail);
    }
    after.version += 1;
    let fields: Vec<_> = change.fields.iter().map(|field| field.path()).collect();
    facts.push(after.noted(Rule("A04"), "CORRECT", fields.join(",")));
    let replaced = Version { number: before.version, application: before, at: at.now, actor: inputs.actor.clone() };
    Ok(Corrected { outcome: Outcome { state: after, facts, events, mails }, replaced: Some(replaced) })
}

/// Derogations that were accepted for what a post no longer says (A09, A10): whoever relied on one is told.
fn fallen_derogations(before: &Application, after: &Application) -> Vec<Event> {
    let is_accepted = |post: &Post| post.derogation_state() == Some(DerogationState::Accepted);
    let stands = |post: &Post| after.posts.iter().any(|now| now.id == post.id && is_accepted(now));
    let fallen = before.posts.iter().filter(|post| is_accepted(post) && !stands(post));
    fallen
        .map(|post| Event::DerogationDecided {
            application: after.id,
            structure: after.structure,
            post: post.id,
            accepted: false,
            consolidates: post.derogation.as_ref().is_some_and(Derogation::consolidates),
        })
        .collect()
}

fn email(application: &Application) -> Option<&str> {
    application.form.contact.as_ref().map(|contact| contact.email.as_str())
}

/// A record of the past is filled in; what it knows is not emptied again.
fn keep_what_is_known(form: &mut Form, known: &Form) {
    let (profile, known_profile) = (&mut form.profile, &known.profile);
    if profile.legal_name.is_empty() {
        profile.legal_name.clone_from(&known_profile.legal_name);
    }
    profile.registration_number = profile.registration_number.take().or(known_profile.registration_number.clone());
    profile.kind = profile.kind.or(known_profile.kind);
    profile.place = profile.place.take().or(known_profile.place.clone());
    form.contact = form.contact.take().or(known.contact.clone());
    form.line_manager = form.line_manager.take().or(known.line_manager.clone());
}

/// The structure that the registration number names (A05). Once a post was granted the number can be filled in where it
/// was missing, and no longer changed: the other services know the structure by then.
fn structure_of_number(
    before: &Application,
    after: &Application,
    inputs: &Inputs,
    violations: &mut Violations,
) -> Result<StructureId> {
    let (old, new) = (&before.form.profile.registration_number, &after.form.profile.registration_number);
    if old == new || new.is_none() {
        return Ok(before.structure);
    }
    if before.was_ever_granted() && old.is_some() {
        violations.breaks(
            Rule("A05"),
            "application.profile.registration_number",
            "REGISTRATION_NUMBER_SETTLED",
            "posts were granted to this registration number: it no longer changes",
            "des postes ont été accordés à ce numéro : il ne change plus",
        );
    } else if let Some(first) = inputs.active {
        return Err(second_application(first));
    }
    Ok(if before.was_ever_granted() { before.structure } else { inputs.structure })
}

fn correct_posts(
    application: &mut Application,
    proposed: &[PostForm],
    desk: Desk,
    today: Date,
    violations: &mut Violations,
) -> Result<Vec<Fact>> {
    let kind = application.form.profile.kind;
    for (place, form) in proposed.iter().enumerate().take(MAX_POSTS) {
        let at = format!("application.posts[{place}]");
        if proposed[..place].iter().any(|earlier| earlier.id == form.id) {
            violations.add(at, "DUPLICATE", "this post is listed twice", "ce poste est indiqué deux fois");
            continue;
        }
        match application.posts.iter_mut().find(|post| post.id == form.id) {
            Some(post) if post.state == PostState::Asked => {
                let grounds = post_checks::check(form, kind, post.asked_on, &at, violations);
                post.correct(form, grounds);
            }
            Some(post) if post.says(form) => {}
            Some(_) => violations.breaks(
                Rule("A04"),
                at,
                "POST_DECIDED",
                "this post was decided: only its start date can still be settled",
                "ce poste a été décidé : seule sa date de début peut encore être fixée",
            ),
            None if form.named => post_checks::unknown(format!("{at}.name"), violations),
            None => {
                desk.check()?;
                let grounds = post_checks::check(form, kind, today, &at, violations);
                application.posts.push(Post::asked(form, grounds, today));
            }
        }
    }
    let mut facts = Vec::new();
    for post in &mut application.posts {
        if post.state == PostState::Asked && !proposed.iter().any(|form| form.id == post.id) {
            facts.push(post.step(PostAction::Remove)?);
        }
    }
    let live = application.posts.iter().filter(|post| post.state.is_live()).count();
    post_checks::count(live, "application.posts", violations);
    Ok(facts)
}

/// The posts that are asked for, looked at once more when the kind of structure has changed (A09, A10).
fn examine_again(application: &mut Application, violations: &mut Violations) {
    let kind = application.form.profile.kind;
    for (place, post) in application.posts.iter_mut().enumerate() {
        if post.state == PostState::Asked {
            let form = post.as_form();
            let at = format!("application.posts[{place}]");
            let grounds = post_checks::check(&form, kind, post.asked_on, &at, violations);
            post.correct(&form, grounds);
        }
    }
}
