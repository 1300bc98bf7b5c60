//! Letters about an application: its address, its examination, what is granted of it and what comes back.

use conum_kernel::PostId;
use conum_service::{french::day, mail::Letter};

use super::{
    Desk,
    phrases::{plain, posts},
    whom_to_ask,
};
use crate::domain::{
    confirmation::Token,
    documents::{DocumentKind, DocumentState},
    kit,
};

pub(super) fn confirm_address(desk: &Desk, token: &Token) -> Letter {
    let url = format!("{}/confirm/{}?t={}", desk.host.public_url(), desk.application.id, token.secret());
    let valid = desk.application.confirmation.as_ref().map(|link| day(link.valid_until));
    let until = valid.map(|date| format!(", jusqu'au {date}")).unwrap_or_default();
    desk.letter("Confirmez votre adresse")
        .paragraph(format!(
            "La candidature de {} au programme des conseillers numériques est bien arrivée. Un clic suffit pour nous \
             dire que cette adresse est la vôtre{until}. L'examen commence ensuite.",
            desk.structure()
        ))
        .button("Confirmer mon adresse", url)
        .paragraph("Vous n'avez rien demandé ? Laissez ce message sans suite : rien ne se passera.")
}

/// Nothing once the structure has answered.
pub(super) fn more_information(desk: &Desk) -> Option<Letter> {
    let inquiry = desk.application.inquiries.last().filter(|inquiry| inquiry.answer.is_none())?;
    let letter = desk
        .letter("Une précision sur votre candidature")
        .paragraph(format!("Avant de se prononcer sur la candidature de {}, l'agence vous demande :", desk.structure()))
        .paragraph(&inquiry.question)
        .paragraph("Votre réponse se donne dans votre espace ; l'examen reprend dès qu'elle arrive.");
    Some(letter.button("Répondre", desk.own_page()))
}

pub(super) fn posts_granted(desk: &Desk, count: u32) -> Letter {
    let session = desk.wave.as_ref().map(|wave| format!(" par le comité du {}", day(wave.committee_date)));
    let accepted = if count == 1 { "est accordé" } else { "sont accordés" };
    desk.letter("Votre candidature est retenue")
        .paragraph(format!(
            "Bonne nouvelle : {} de conseiller numérique {accepted} à {}{}.",
            posts(count),
            desk.structure(),
            session.unwrap_or_default()
        ))
        .paragraph(
            "Le kit d'accueil vous parvient dans un message à part. Les premières candidatures vous seront présentées à \
             l'activation de votre vague ; vous n'avez rien à faire d'ici là, sinon fixer la date d'arrivée et déposer \
             vos pièces.",
        )
        .button("Ouvrir mon espace", desk.own_page())
}

/// Nothing where every granted post came back before the letter left.
pub(super) fn welcome_kit(desk: &Desk) -> Option<Letter> {
    let kit = kit::welcome_kit(desk.application, desk.settings, &whom_to_ask(desk.host)).ok()?;
    let letter = desk.letter("Votre kit d'accueil");
    Some(plain(&kit.text).into_iter().fold(letter, Letter::paragraph).button("Ouvrir mon espace", desk.own_page()))
}

pub(super) fn refused(desk: &Desk) -> Letter {
    desk.letter("Votre candidature n'est pas retenue")
        .paragraph(format!("L'agence a examiné la candidature de {} et ne l'a pas retenue.", desk.structure()))
        .paragraph(format!("Le motif : {}", desk.application.refusal_reason))
        .paragraph("Vous pouvez en déposer une autre tant que le guichet est ouvert.")
}

pub(super) fn derogation_decided(desk: &Desk, post: PostId, accepted: bool) -> Letter {
    let answer = if accepted { "acceptée" } else { "refusée" };
    let derogation = desk.application.post(post).and_then(|post| post.derogation.as_ref());
    let letter = desk.letter(format!("Votre demande de dérogation est {answer}")).paragraph(format!(
        "L'un des postes demandés par {} faisait l'objet d'un examen particulier. La dérogation est {answer}.",
        desk.structure()
    ));
    let letter = match derogation.map(|derogation| derogation.reason.as_str()).filter(|reason| !reason.is_empty()) {
        Some(reason) => letter.paragraph(format!("Le motif : {reason}")),
        None => letter,
    };
    let next = if accepted {
        "Le poste suit maintenant l'examen ordinaire de votre candidature."
    } else {
        "Le poste reste demandé : vous pouvez le corriger pour en faire un poste ordinaire."
    };
    letter.paragraph(next).button("Ouvrir mon espace", desk.own_page())
}

pub(super) fn correction_decided(desk: &Desk, number: u32, accepted: bool) -> Letter {
    let answer = if accepted { "acceptée" } else { "refusée" };
    let correction = desk.application.corrections.iter().find(|correction| correction.number == number);
    let letter = desk
        .letter(format!("Votre correction est {answer}"))
        .paragraph(format!("La correction que {} avait demandée est {answer}.", desk.structure()));
    match correction.map(|correction| correction.reason.as_str()).filter(|reason| !reason.is_empty()) {
        Some(reason) => letter.paragraph(format!("Le motif : {reason}")),
        None => letter,
    }
}

/// Nothing once another document was handed in.
pub(super) fn document_rejected(desk: &Desk, kind: DocumentKind) -> Option<Letter> {
    let mut documents = desk.application.documents.iter();
    let document = documents.find(|document| document.kind == kind && document.state == DocumentState::Rejected)?;
    let letter = desk
        .letter("Une pièce est à remplacer")
        .paragraph(format!("Cette pièce du dossier de {} ne convient pas : {}.", desk.structure(), kind.french()))
        .paragraph(format!("Le motif : {}", document.reason))
        .paragraph("Déposez-en une autre dans votre espace ; les versements attendent que tout soit validé.");
    Some(letter.button("Déposer la pièce", desk.own_page()))
}

pub(super) fn dossier_completed(desk: &Desk) -> Letter {
    desk.letter("Votre dossier est complet").paragraph(format!(
        "Toutes les pièces du dossier de {} sont validées. Il ne vous reste rien à déposer.",
        desk.structure()
    ))
}

/// Nothing once every document is validated again.
pub(super) fn dossier_reopened(desk: &Desk) -> Option<Letter> {
    let documents = desk.application.documents.iter();
    let awaited: Vec<_> = documents
        .filter(|document| matches!(document.state, DocumentState::Expected | DocumentState::Rejected))
        .map(|document| document.kind.french())
        .collect();
    if awaited.is_empty() {
        return None;
    }
    let letter = desk
        .letter("Votre dossier est à compléter")
        .paragraph(format!(
            "Les pièces demandées à {} ont changé. Il manque désormais : {}.",
            desk.structure(),
            awaited.join(" ; ")
        ))
        .paragraph("Déposez-les dans votre espace ; les versements attendent que tout soit validé.");
    Some(letter.button("Déposer les pièces", desk.own_page()))
}

pub(super) fn withdrawn(desk: &Desk) -> Letter {
    desk.letter("Votre candidature est retirée")
        .paragraph(format!("La candidature de {} est retirée, comme demandé.", desk.structure()))
        .paragraph("Vous pourrez en déposer une autre tant que le guichet est ouvert.")
}

pub(super) fn post_kept(desk: &Desk) -> Letter {
    desk.letter("Un poste n'a pas pu être rendu")
        .paragraph(format!(
            "Un contrat est signé sur l'un des postes que {} voulait rendre : ce poste lui reste.",
            desk.structure()
        ))
        .paragraph("Si vous aviez demandé le retrait de la candidature, il n'a plus d'effet.")
}
