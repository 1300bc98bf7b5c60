//! Letters about the money: what is signed, paid, held, suspended or claimed back, what ends, and what is asked for (F02
//! to F04, F07, F09).

use conum_kernel::Cents;
use conum_service::{
    french::{day, euros},
    mail::Letter,
};
use jiff::civil::Date;

use super::{Desk, phrases::posts};
use crate::domain::mails::Held;

pub(super) fn convention_signed(desk: &Desk, amendment: u32, count: u32, granted: Cents, signed_on: Date) -> Letter {
    let (subject, what) = match amendment {
        0 => ("Votre convention est signée".to_owned(), "La convention entre l'État et".to_owned()),
        number => {
            let subject = format!("L'avenant n° {number} à votre convention est signé");
            (subject, format!("L'avenant n° {number} à la convention entre l'État et"))
        }
    };
    let signed = if amendment == 0 { "est signée" } else { "est signé" };
    desk.letter(subject)
        .paragraph(format!(
            "{what} {} {signed} des deux côtés depuis le {}. Montant de la subvention : {} pour {}.",
            desk.structure(),
            day(signed_on),
            euros(granted),
            posts(count)
        ))
        .paragraph(
            "Elle est versée en trois fois pour chaque poste ; le premier versement suit la signature, dès que toutes vos \
             pièces sont validées.",
        )
        .button("Voir les versements", desk.own_page())
}

pub(super) fn instalment_paid(desk: &Desk, number: u32, amount: Cents, paid_on: Date) -> Letter {
    desk.letter("Un versement est parti")
        .paragraph(format!(
            "Le versement n° {number} pour {} est payé : {}, le {}.",
            desk.one_post(),
            euros(amount),
            day(paid_on)
        ))
        .paragraph("Cette somme paie le salaire du conseiller numérique, et rien d'autre. Gardez les justificatifs.")
        .button("Voir les versements", desk.own_page())
}

pub(super) fn instalment_held(desk: &Desk, reason: Held) -> Letter {
    let (why, what) = because(reason);
    desk.letter("Un versement est retenu")
        .paragraph(format!("Un versement pour {} est arrivé à échéance, et il est retenu. {why}", desk.one_post()))
        .paragraph(what)
        .button("Ouvrir mon espace", desk.own_page())
}

/// Why an instalment is held, and what its structure can do.
fn because(reason: Held) -> (&'static str, &'static str) {
    match reason {
        Held::DocumentsMissing => (
            "Il manque des pièces validées à votre dossier.",
            "Déposez dans votre espace celles qui manquent ou qui sont à remplacer ; le versement part dès que tout est \
             validé.",
        ),
        Held::Suspended => (
            "L'agence a suspendu les versements de votre convention.",
            "Son motif est dans votre espace : répondez-y ; le versement part dès que la suspension est levée.",
        ),
        Held::NoContract => (
            "Aucun contrat n'est signé sur ce poste.",
            "Enregistrez le contrat signé dans votre espace ; le versement part ensuite. Le poste reste vacant ? Vous \
             pouvez aussi le rendre.",
        ),
        Held::ReportLate => (
            "Les chiffres ou le bilan que l'agence vous a demandés sont en retard.",
            "Transmettez-les depuis votre espace ; le versement part ensuite.",
        ),
        Held::EndingUnsettled => (
            "Le contrat a pris fin avant son terme, et son motif et ses justificatifs ne sont pas encore acceptés.",
            "Déposez les justificatifs s'il en manque ; ce qui est dû pour le temps passé en poste est calculé ensuite.",
        ),
        Held::NoBankAccount => (
            "Nous ne savons pas sur quel compte le faire.",
            "Enregistrez vos coordonnées bancaires dans votre espace ; le versement part ensuite.",
        ),
        Held::FileIncomplete => (
            "Il manque des informations à votre dossier.",
            "Complétez votre dossier dans votre espace ; le versement part ensuite.",
        ),
        Held::AgencyDecision => (
            "L'agence l'a mis en attente, le temps d'un examen.",
            "Vous n'avez rien à envoyer pour l'instant ; le versement part dès que l'examen est terminé.",
        ),
    }
}

pub(super) fn suspended(desk: &Desk) -> Letter {
    desk.letter("Vos versements sont suspendus")
        .paragraph(format!("L'agence a suspendu les versements de la convention de {}.", desk.structure()))
        .paragraph("Son motif est dans votre espace, où vous pouvez lui répondre. Rien n'est versé d'ici là.")
        .button("Ouvrir mon espace", desk.own_page())
}

pub(super) fn claim_raised(desk: &Desk, amount: Cents) -> Letter {
    desk.letter("Une somme est à rembourser")
        .paragraph(format!("L'État demande le remboursement de {} versés pour {}.", euros(amount), desk.one_post()))
        .paragraph("Le détail du calcul et la façon de rembourser sont dans votre espace.")
        .button("Ouvrir mon espace", desk.own_page())
}

pub(super) fn grant_ending(desk: &Desk, last_day: Date, months_left: u32) -> Letter {
    let time = if months_left == 1 { "un mois".to_owned() } else { format!("{months_left} mois") };
    desk.letter(format!("La subvention d'un poste prend fin dans {time}"))
        .paragraph(format!(
            "La subvention pour {} prend fin dans {time} : son dernier jour est le {}.",
            desk.one_post(),
            day(last_day)
        ))
        .paragraph("Ensuite, le salaire est entièrement à votre charge, et un autre recrutement n'est plus financé.")
}

pub(super) fn follow_up_requested(desk: &Desk, due_on: Date) -> Letter {
    desk.letter("Un suivi vous est demandé")
        .paragraph(format!(
            "L'agence demande à {} des chiffres de suivi ou un bilan, au plus tard le {}.",
            desk.structure(),
            day(due_on)
        ))
        .paragraph("Ils se donnent dans votre espace. Un retard peut retenir le versement suivant.")
        .button("Répondre", desk.own_page())
}
