//! Letters about introductions: somebody to meet, an answer that is awaited, somebody who is gone, nobody left (M02–M04,
//! M07). The buttons open a page; nothing is answered before somebody presses there.

use conum_kernel::{IntroductionId, clock::paris_date};
use conum_service::{french::day, links::Purpose, mail::Letter};
use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Desk, phrases::distance};
use crate::domain::mails::Gone;

/// The last day on which an answer comes in time: a delay ends where the next day begins.
fn last_day(expires_at: Timestamp) -> String {
    let before = expires_at.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(expires_at);
    day(paris_date(before))
}

/// How long after its expiry the link to an introduction still opens, to say that it is over.
const LINK_DAYS_AFTER: i64 = 60;

pub(super) fn introduced(
    desk: &Desk,
    introduction: IntroductionId,
    replacement: bool,
    distance_m: Option<u32>,
    expires_at: Timestamp,
) -> Letter {
    let person = distance(distance_m);
    let (subject, opening) = if replacement {
        (
            "Une autre personne à rencontrer",
            format!("Une place s'est libérée parmi vos candidatures. Voici quelqu'un d'autre : une personne {person}."),
        )
    } else {
        (
            "Une personne à rencontrer",
            format!(
                "Une personne {person} souhaite devenir conseiller numérique. Ses critères et les vôtres s'accordent."
            ),
        )
    };
    let letter = desk.letter(subject).paragraph(opening).paragraph(format!(
        "Sa fiche et ses coordonnées sont derrière les deux boutons. Répondez d'ici au {} ; sans nouvelles de vous, \
             elle sera présentée ailleurs.",
        last_day(expires_at)
    ));
    with_buttons(desk, letter, introduction, expires_at)
        .paragraph("Rien n'est enregistré en ouvrant la page : vous y confirmez votre réponse.")
}

pub(super) fn reminded(desk: &Desk, introduction: IntroductionId, expires_at: Timestamp) -> Letter {
    let letter = desk.letter("Une personne attend votre réponse").paragraph(format!(
        "Nous vous avons présenté quelqu'un pour {}, et votre réponse manque encore. Elle est attendue d'ici au {}.",
        desk.structure(),
        last_day(expires_at)
    ));
    with_buttons(desk, letter, introduction, expires_at)
}

fn with_buttons(desk: &Desk, letter: Letter, introduction: IntroductionId, expires_at: Timestamp) -> Letter {
    let after = SignedDuration::from_hours(24 * LINK_DAYS_AFTER);
    let until = expires_at.saturating_add(after).unwrap_or(Timestamp::MAX);
    let name = introduction.name();
    let token = desk.host.links().sign(Purpose::Answer, &name, until);
    let page = format!("{}/{name}?t={token}", desk.host.public_url());
    letter.button("Intéressé", format!("{page}&a=oui")).button("Pas intéressé", format!("{page}&a=non"))
}

pub(super) fn gone(desk: &Desk, reason: Gone) -> Letter {
    let why = match reason {
        Gone::Recruited => "a été recrutée par une autre structure",
        Gone::Left => "a quitté le programme",
        Gone::Ineligible => "n'est plus disponible",
    };
    desk.letter("Une candidature prend fin")
        .paragraph(format!("Une personne que nous avions présentée à {} {why}.", desk.structure()))
        .paragraph("Vous n'avez rien à faire : si quelqu'un d'autre convient, sa fiche vous arrive sans attendre.")
}

pub(super) fn short(desk: &Desk, live: u32) -> Letter {
    let present = match live {
        0 => "Personne ne peut vous être présenté pour l'instant".to_owned(),
        1 => "En dehors de la personne déjà présentée, nous n'avons personne d'autre pour l'instant".to_owned(),
        live => format!("En dehors des {live} personnes déjà présentées, nous n'avons personne d'autre pour l'instant"),
    };
    desk.letter("Faites connaître votre poste autour de vous")
        .paragraph(format!("{present} : aucun autre inscrit ne correspond à {}.", desk.structure()))
        .paragraph(
            "Parlez-en près de chez vous : bulletin municipal, mission locale, associations, bouche-à-oreille. Toute \
             personne intéressée s'inscrit en quelques minutes, et vous est proposée le jour même.",
        )
        .button("L'adresse à partager", desk.host.public_url())
}

pub(super) fn late(desk: &Desk, launched_on: Option<Date>) -> Letter {
    let since = launched_on.map(|date| format!(", lancé le {}", day(date))).unwrap_or_default();
    desk.letter("Où en est votre recrutement ?")
        .paragraph(format!("Le recrutement de {}{since}, n'a pas encore abouti à un contrat.", desk.structure()))
        .paragraph(
            "Le délai habituel est passé. Rien n'est perdu : répondez aux candidatures qui vous attendent, ou dites-nous \
             ce qui bloque depuis votre espace.",
        )
        .button("Ouvrir mon espace", desk.host.public_url())
}
