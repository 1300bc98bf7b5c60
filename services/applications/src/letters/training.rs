//! Letters about the training of somebody whom the structure has selected (T01 to T04). They do not name the person.

use conum_service::{french, mail::Letter};
use jiff::civil::Date;

use super::Desk;

pub(super) fn planned(desk: &Desk, hours: u32, days: Option<(Date, Date)>) -> Letter {
    let when = match days {
        Some((first, last)) if first == last => format!("La formation initiale a lieu {}", french::days(first, last)),
        Some((first, last)) => format!("La formation initiale va {}", french::days(first, last)),
        None => "Toute la formation est continue, après la prise de poste".to_owned(),
    };
    desk.letter("Les jours de formation sont fixés")
        .paragraph(format!(
            "La personne que {} recrute suivra {hours} heures de formation. {when}. Si d'autres jours vous avaient été \
             annoncés, ceux-ci les remplacent.",
            desk.structure()
        ))
        .paragraph(
            "L'employeur libère ces jours. L'État prend en charge la formation et ses deux certifications ; les repas, les \
             trajets et l'hébergement restent à la charge de l'employeur.",
        )
        .button("Voir le calendrier", desk.own_page())
}

pub(super) fn unplanned(desk: &Desk) -> Letter {
    desk.letter("Les jours de formation ne tiennent plus")
        .paragraph(format!(
            "Les jours de formation annoncés pour la personne que {} recrute ne tiennent plus : sa place en session n'existe \
             plus, ou a été rendue.",
            desk.structure()
        ))
        .paragraph("D'autres jours vous seront annoncés ; vous n'avez rien à faire.")
}

pub(super) fn completed(desk: &Desk, on: Date) -> Letter {
    desk.letter("La formation est terminée")
        .paragraph(format!(
            "La personne que {} recrute est au bout de sa formation depuis le {} : les heures sont faites, le CCP1 et la \
             certification Pix sont obtenus.",
            desk.structure(),
            french::day(on)
        ))
        .paragraph("Vous n'avez rien à faire.")
}
