//! The mails to candidates. They are written when they are sent, to the address that the person has by then; whoever is
//! gone gets none.
//!
//! They name no structure: who it is, and what it asks, is read on the platform. No Pix value is ever mailed (C05).

mod training;

use conum_kernel::CandidateId;
use conum_service::{
    Failure, Host, french,
    mail::{Letter, Letters, Queued},
    sql,
};
use futures::future::BoxFuture;
use jiff::civil::Date;

use crate::{
    domain::{Mail, Person},
    storage::candidates,
};

/// The mails to candidates.
#[derive(Debug)]
pub struct ToCandidates;

impl Letters for ToCandidates {
    fn write<'t>(&'t self, host: &'t Host, mail: &'t Queued) -> BoxFuture<'t, Result<Option<Letter>, Failure>> {
        Box::pin(async move {
            if mail.facts.as_object().is_some_and(serde_json::Map::is_empty) {
                // Erased between being read and being written.
                return Ok(None);
            }
            let about: Mail = sql::read(serde_json::from_value(mail.facts.clone()))?;
            let stored = candidates::find_survivor(host.store().read(), about.to()).await?;
            let Some(stored) = stored else { return Ok(None) };
            let id = stored.candidate.id;
            Ok(stored.candidate.person.map(|person| letter(&about, id, &person, host.public_url())))
        })
    }
}

fn letter(about: &Mail, id: CandidateId, person: &Person, platform: &str) -> Letter {
    let (subject, paragraphs) = words(about, id);
    let greeted = Letter::new(&person.email, subject).paragraph(format!("Bonjour {},", person.given_name));
    let letter = paragraphs.into_iter().fold(greeted, Letter::paragraph);
    match about {
        Mail::Left { .. } => letter,
        Mail::InactivityNotice { .. } => letter.button("Garder mon inscription", platform),
        _ => letter.button("Ouvrir mon espace", platform),
    }
}

/// The subject and the paragraphs of a mail. They agree with nobody's gender, which is not asked.
fn words(about: &Mail, id: CandidateId) -> (&'static str, Vec<String>) {
    let (subject, paragraphs): (_, &[&str]) = match about {
        Mail::Registered { .. } => return ("Votre inscription est enregistrée", registered(id)),
        Mail::Merged { .. } => return ("Vos deux inscriptions sont réunies", vec![merged(id)]),
        Mail::InactivityNotice { last_day, .. } => {
            return ("Votre inscription sera bientôt effacée", notice(*last_day));
        }
        Mail::TrainingOpened { training, .. } => return training::opened(*training),
        Mail::TrainingPlanned { plan, .. } => return training::planned(plan),
        Mail::TrainingUnplanned { .. } => return training::unplanned(),
        Mail::Examined { exam, attempts_left, on, .. } => return training::examined(*exam, *attempts_left, *on),
        Mail::Trained { hours, on, .. } => return training::trained(*hours, *on),
        Mail::TrainingStopped { reason, .. } => return training::stopped(*reason),
        Mail::Introduced { .. } => (
            "Une structure d'accueil découvre votre candidature",
            &[
                "Nous venons de vous mettre en relation avec une structure d'accueil qui recrute. Elle dispose de vos \
                 coordonnées et peut vous proposer un entretien.",
                "Cela n'engage ni vous ni elle, et d'autres mises en relation peuvent suivre en même temps.",
            ],
        ),
        Mail::ClosedNotChosen { .. } => (
            "Une mise en relation a pris fin",
            &[
                "Une structure d'accueil avec laquelle vous étiez en relation n'a pas donné suite. Elle ne voit plus vos \
                 coordonnées.",
                "Votre inscription continue : nous parlerons de vous à une autre dès qu'une place se libère.",
            ],
        ),
        Mail::Selected { .. } => (
            "Une structure d'accueil souhaite vous recruter",
            &[
                "Bonne nouvelle : une structure d'accueil a retenu votre candidature. Il vous reste à convenir ensemble \
                 du contrat ; l'organisme de formation prendra contact avec vous.",
                "Tant que le contrat n'est pas signé, l'une et l'autre partie peuvent encore se raviser.",
            ],
        ),
        Mail::SelectionCancelled { .. } => (
            "Votre recrutement est annulé",
            &[
                "Le recrutement en préparation a été annulé avant la signature du contrat.",
                "Votre candidature est de nouveau ouverte à toutes les structures d'accueil, sans démarche de votre part.",
            ],
        ),
        Mail::Left { .. } => (
            "Votre départ du programme est enregistré",
            &[
                "Aucune structure d'accueil ne voit plus vos coordonnées, et nous ne parlerons plus de vous à aucune.",
                "Si vous changez d'avis, une nouvelle inscription suffit. Vous pouvez aussi demander une copie ou \
                 l'effacement de ce que nous gardons.",
            ],
        ),
        Mail::LeaveRefused { .. } => (
            "Votre départ n'a pas pu être enregistré",
            &[
                "Un contrat est signé à votre nom : tant qu'il n'y est pas mis fin, votre inscription demeure.",
                "La fin d'un contrat se déclare avec l'employeur, avec son motif et ses justificatifs.",
            ],
        ),
    };
    (subject, paragraphs.iter().map(|paragraph| (*paragraph).to_owned()).collect())
}

fn registered(id: CandidateId) -> Vec<String> {
    vec![
        format!("Votre candidature au métier de conseiller numérique est enregistrée sous le numéro {id}."),
        "Quand une structure d'accueil cherche quelqu'un près de chez vous ou là où vous le souhaitez, nous lui parlons \
         de vous et nous vous prévenons par un message comme celui-ci."
            .into(),
        "Vos informations restent les vôtres : vous pouvez les corriger, en demander une copie ou les faire effacer à \
         tout moment."
            .into(),
    ]
}

fn merged(id: CandidateId) -> String {
    format!(
        "Vous aviez deux inscriptions. Elles n'en font plus qu'une, sous le numéro {id} : souhaits, mises en relation et \
         résultats y sont tous."
    )
}

fn notice(last_day: Date) -> Vec<String> {
    vec![
        format!(
            "Il ne s'est rien passé sur votre inscription depuis longtemps. Sans signe de votre part jusqu'au {} compris, \
             tout ce qui vous concerne sera effacé.",
            french::day(last_day)
        ),
        "Pour la garder, il suffit de relire vos informations et de les enregistrer.".into(),
    ]
}
