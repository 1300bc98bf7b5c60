//! What structures are written, in French: rendered when a mail leaves, for the contact of that moment. A letter names
//! no candidate: somebody who is introduced is known by a distance, and the card is behind the link.

mod decisions;
mod meetings;
mod money;
mod phrases;
mod training;

use conum_kernel::ApplicationId;
use conum_service::{
    Call, Failure, Host,
    mail::{Letter, Letters, Queued},
};
use futures::future::BoxFuture;

use crate::{
    NAME,
    commands::settings,
    domain::{Application, Mail, Settings, Wave, form::Contact},
    storage::{applications, read, waves},
};

/// Letters to the contacts of applications.
#[derive(Clone, Copy, Debug)]
pub struct ToContacts;

impl Letters for ToContacts {
    fn write<'t>(&'t self, host: &'t Host, mail: &'t Queued) -> BoxFuture<'t, Result<Option<Letter>, Failure>> {
        Box::pin(write(host, mail))
    }
}

/// What a letter is written from.
struct Desk<'t> {
    host: &'t Host,
    application: &'t Application,
    contact: &'t Contact,
    settings: &'t Settings,
    /// The wave that the mail speaks of.
    wave: Option<Wave>,
}

async fn write(host: &Host, mail: &Queued) -> Result<Option<Letter>, Failure> {
    let connection = host.store().read();
    let id = ApplicationId::parse_name("recipient", &mail.recipient)?;
    let Some(stored) = applications::find(connection, id).await? else { return Ok(None) };
    let application = &stored.application;
    // A record of the past has nobody to write to before it is completed.
    let Some(contact) = &application.form.contact else { return Ok(None) };
    let queued: Mail = read(serde_json::from_value(mail.facts.clone()))?;
    let call = Call::internal(NAME, format!("letter/{}", mail.id), host.clock().moment(), host.ids());
    let settings = settings(connection, &call).await?;
    let wave = match &queued {
        Mail::PostsGranted { wave, .. } => waves::find(connection, *wave).await?.map(|stored| stored.wave),
        _ => None,
    };
    Ok(letter(&Desk { host, application, contact, settings: &settings, wave }, &queued))
}

/// The letter of a mail; nothing where what it speaks of is over.
fn letter(desk: &Desk, mail: &Mail) -> Option<Letter> {
    Some(match mail {
        Mail::ConfirmAddress { token, .. } => decisions::confirm_address(desk, token),
        Mail::MoreInformation { .. } => return decisions::more_information(desk),
        Mail::PostsGranted { posts, .. } => decisions::posts_granted(desk, *posts),
        Mail::WelcomeKit { .. } => return decisions::welcome_kit(desk),
        Mail::Refused { .. } => decisions::refused(desk),
        Mail::DerogationDecided { post, accepted, .. } => decisions::derogation_decided(desk, *post, *accepted),
        Mail::CorrectionDecided { correction, accepted, .. } => {
            decisions::correction_decided(desk, *correction, *accepted)
        }
        Mail::DocumentRejected { document, .. } => return decisions::document_rejected(desk, *document),
        Mail::DossierCompleted { .. } => decisions::dossier_completed(desk),
        Mail::DossierReopened { .. } => return decisions::dossier_reopened(desk),
        Mail::Withdrawn { .. } => decisions::withdrawn(desk),
        Mail::PostKept { .. } => decisions::post_kept(desk),
        Mail::CandidateIntroduced { introduction, replacement, distance_m, expires_at, .. } => {
            meetings::introduced(desk, *introduction, *replacement, *distance_m, *expires_at)
        }
        Mail::IntroductionReminded { introduction, expires_at, .. } => {
            meetings::reminded(desk, *introduction, *expires_at)
        }
        Mail::CandidateGone { reason, .. } => meetings::gone(desk, *reason),
        Mail::CandidatesShort { live, .. } => meetings::short(desk, *live),
        Mail::SignatureLate { launched_on, .. } => meetings::late(desk, *launched_on),
        Mail::TrainingPlanned { hours, days, .. } => training::planned(desk, *hours, *days),
        Mail::TrainingUnplanned { .. } => training::unplanned(desk),
        Mail::TrainingCompleted { on, .. } => training::completed(desk, *on),
        Mail::ConventionSigned { amendment, posts, granted, signed_on, .. } => {
            money::convention_signed(desk, *amendment, *posts, *granted, *signed_on)
        }
        Mail::InstalmentHeld { reason, .. } => money::instalment_held(desk, *reason),
        Mail::InstalmentPaid { number, amount, paid_on, .. } => {
            money::instalment_paid(desk, *number, *amount, *paid_on)
        }
        Mail::GrantSuspended { .. } => money::suspended(desk),
        Mail::ClaimRaised { amount, .. } => money::claim_raised(desk, *amount),
        Mail::GrantEnding { last_day, months_left, .. } => money::grant_ending(desk, *last_day, *months_left),
        Mail::FollowUpRequested { due_on, .. } => money::follow_up_requested(desk, *due_on),
    })
}

impl Desk<'_> {
    /// A letter to the contact that begins with a greeting.
    fn letter(&self, subject: impl Into<String>) -> Letter {
        let Contact { given_name, family_name, email, .. } = self.contact;
        Letter::new(email, subject).paragraph(format!("Bonjour {given_name} {family_name},"))
    }

    fn structure(&self) -> &str {
        &self.application.form.profile.legal_name
    }

    /// A post of the application: its only one, or one of them.
    fn one_post(&self) -> String {
        let which = if self.application.posts.len() == 1 { "le poste" } else { "l'un des postes" };
        format!("{which} de {}", self.structure())
    }

    /// Where the structure finds its application.
    fn own_page(&self) -> String {
        format!("{}/{}", self.host.public_url(), self.application.id.name())
    }
}

/// The line that tells whom to write to.
#[must_use]
pub fn whom_to_ask(host: &Host) -> String {
    format!("Posez-la depuis votre espace, {} : l'équipe du programme vous répond.", host.public_url())
}
