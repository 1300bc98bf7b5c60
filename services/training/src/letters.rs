//! The mails to training organisations. They are written when they are sent, to the contact that the organisation has by
//! then. They name a training and no person: who it is about is read on the platform.

use conum_service::{
    Failure, Host,
    mail::{Letter, Letters, Queued},
    sql,
};
use futures::future::BoxFuture;

use crate::{
    domain::{Mail, organisation::Organisation},
    storage::organisations,
};

/// The mails to organisations.
#[derive(Debug)]
pub struct ToOrganisations;

impl Letters for ToOrganisations {
    fn write<'t>(&'t self, host: &'t Host, mail: &'t Queued) -> BoxFuture<'t, Result<Option<Letter>, Failure>> {
        Box::pin(async move {
            let about: Mail = sql::read(serde_json::from_value(mail.facts.clone()))?;
            let found = organisations::find(host.store().read(), about.to()).await?;
            Ok(found.map(|stored| letter(&about, &stored.organisation, host.public_url())))
        })
    }
}

fn letter(about: &Mail, organisation: &Organisation, platform: &str) -> Letter {
    let (subject, paragraphs) = words(about);
    let contact = &organisation.contact;
    let greeted = Letter::new(&contact.email, subject).paragraph(format!("Bonjour {},", contact.full_name));
    let letter = paragraphs.into_iter().fold(greeted, Letter::paragraph);
    letter.button("Ouvrir la plateforme", platform)
}

/// The subject and the paragraphs of a mail.
fn words(about: &Mail) -> (&'static str, Vec<String>) {
    match about {
        Mail::Opened { training, .. } => (
            "Une formation est à organiser dans votre territoire",
            vec![
                format!(
                    "Une structure d'accueil de votre territoire vient de retenir un futur conseiller numérique. Sa \
                     formation est ouverte sous le numéro {training}."
                ),
                "Proposez-lui un entretien et une session : la durée, de 105 à 420 heures, se fixe après l'entretien, \
                 une fois l'employeur consulté."
                    .into(),
            ],
        ),
        Mail::SeatTaken { training, session, .. } => (
            "Une place est prise dans votre session",
            vec![format!("La formation {training} a pris une place dans la session {session}.")],
        ),
        Mail::SeatFreed { training, session, .. } => (
            "Une place est libérée dans votre session",
            vec![
                format!("La formation {training} a rendu sa place dans la session {session}."),
                "Cette place est de nouveau proposée.".into(),
            ],
        ),
    }
}
