//! The page behind the two buttons of an introduction's mail (M03). Opening it shows the candidate's card with the
//! reasons and changes nothing; a POST answers; again, or late, it says kindly what has already happened.

use std::fmt::Write as _;

use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use conum_kernel::Error;
use conum_proto::{
    access::v1::Role,
    candidates::v1::{CandidateCard, GetCandidateCardRequest, candidates_service_client::CandidatesServiceClient},
    matching::v1::{
        AcceptIntroductionRequest, DeclineIntroductionRequest, DeclineReason, GetIntroductionRequest, Introduction,
        introduction::{CloseReason, State as IntroductionState},
        introductions_service_client::IntroductionsServiceClient,
    },
};
use conum_service::{Caller, links::Purpose};
use http::StatusCode;
use serde::Deserialize;

use super::html::{self, page, text};
use crate::edge::Edge;

const MATCHING: &str = "matching";
const CANDIDATES: &str = "candidates";

/// What a link holds: its token, and the button that was chosen in the mail.
#[derive(Debug, Deserialize)]
pub struct Link {
    #[serde(default)]
    t: String,
    #[serde(default)]
    a: String,
}

/// What the form holds.
#[derive(Debug, Deserialize)]
pub struct Answer {
    #[serde(default)]
    t: String,
    #[serde(default, rename = "answer")]
    choice: String,
    #[serde(default)]
    reason: String,
}

/// Why somebody is declined, with the words of the list.
const REASONS: [(DeclineReason, &str); 7] = [
    (DeclineReason::Profile, "Le profil ne correspond pas"),
    (DeclineReason::Distance, "Trop loin"),
    (DeclineReason::Availability, "Pas disponible à temps"),
    (DeclineReason::NoAnswerFromCandidate, "Le candidat ne répond pas"),
    (DeclineReason::CandidateNotInterested, "Le candidat n'est pas intéressé"),
    (DeclineReason::AlreadyFound, "Nous avons déjà trouvé quelqu'un"),
    (DeclineReason::Other, "Autre raison"),
];

/// What went wrong on the way to a page.
enum Trouble {
    Edge(Error),
    Service(tonic::Status),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Edge(error)
    }
}

impl From<tonic::Status> for Trouble {
    fn from(status: tonic::Status) -> Self {
        Self::Service(status)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        match self {
            Self::Edge(error) => html::error(&error),
            Self::Service(status) => html::refused(&status),
        }
    }
}

/// The introduction that a link opens, seen by its holder.
struct Opened {
    name: String,
    holder: Caller,
}

fn open(edge: &Edge, id: &str, token: &str) -> Result<Opened, Trouble> {
    let name = format!("introductions/{id}");
    edge.links().verify(Purpose::Answer, &name, token, edge.clock().now())?;
    let holder = Caller { subject: format!("link/{id}"), roles: vec![Role::Link], owned: vec![name.clone()] };
    Ok(Opened { name, holder })
}

async fn read(edge: &Edge, opened: &Opened) -> Result<Introduction, Trouble> {
    let message = GetIntroductionRequest { name: opened.name.clone() };
    let request = edge.signed(&opened.holder, MATCHING, message).await?;
    let mut client = IntroductionsServiceClient::new(edge.channel(MATCHING)?);
    Ok(client.get_introduction(request).await?.into_inner())
}

async fn card(edge: &Edge, opened: &Opened, candidate: &str) -> Result<CandidateCard, Trouble> {
    let message = GetCandidateCardRequest { name: format!("{candidate}/card") };
    let request = edge.signed(&opened.holder, CANDIDATES, message).await?;
    let mut client = CandidatesServiceClient::new(edge.channel(CANDIDATES)?);
    Ok(client.get_candidate_card(request).await?.into_inner())
}

/// Shows an introduction.
pub async fn show(State(edge): State<Edge>, Path(id): Path<String>, Query(link): Query<Link>) -> Response {
    let shown = async {
        let opened = open(&edge, &id, &link.t)?;
        let introduction = read(&edge, &opened).await?;
        if !is_live(&introduction) {
            return Ok::<_, Trouble>(ended(&introduction));
        }
        let card = card(&edge, &opened, &introduction.candidate).await?;
        Ok(live(&id, &link, &introduction, &card))
    };
    shown.await.unwrap_or_else(Trouble::into_response)
}

/// Takes an answer, then shows the introduction as it stands.
pub async fn answer(State(edge): State<Edge>, Path(id): Path<String>, Form(form): Form<Answer>) -> Response {
    let answered = async {
        let opened = open(&edge, &id, &form.t)?;
        // Somebody else may have answered, or time: then the page tells what has happened.
        if is_live(&read(&edge, &opened).await?) {
            send(&edge, &opened, &form).await?;
        }
        let back = format!("/introductions/{id}?t={}", form.t);
        Ok::<_, Trouble>(Redirect::to(&back).into_response())
    };
    answered.await.unwrap_or_else(Trouble::into_response)
}

async fn send(edge: &Edge, opened: &Opened, form: &Answer) -> Result<(), Trouble> {
    let name = opened.name.clone();
    let mut client = IntroductionsServiceClient::new(edge.channel(MATCHING)?);
    match form.choice.as_str() {
        "oui" => {
            let message = AcceptIntroductionRequest { name, ..Default::default() };
            client.accept_introduction(edge.signed(&opened.holder, MATCHING, message).await?).await?;
        }
        "non" => {
            let reason = DeclineReason::from_str_name(&form.reason).unwrap_or_default().into();
            let message = DeclineIntroductionRequest { name, reason, ..Default::default() };
            client.decline_introduction(edge.signed(&opened.holder, MATCHING, message).await?).await?;
        }
        _ => {
            let english = "the answer is oui or non";
            return Err(Error::invalid("answer", "UNKNOWN_VALUE", english, "la réponse est oui ou non").into());
        }
    }
    Ok(())
}

fn is_live(introduction: &Introduction) -> bool {
    matches!(introduction.state(), IntroductionState::Proposed | IntroductionState::Interested)
}

/// The page of an introduction that can be answered.
fn live(id: &str, link: &Link, introduction: &Introduction, card: &CandidateCard) -> Response {
    let interested = introduction.state() == IntroductionState::Interested;
    let sentence = introduction.reasons.as_ref().map(|reasons| reasons.sentence.clone()).unwrap_or_default();
    let mut body = String::new();
    if interested {
        body.push_str(
            "<p class=\"note\">Vous avez répondu que cette candidature vous intéresse. Vous pouvez encore la décliner.</p>",
        );
    }
    let why = text(&sentence);
    let _ = write!(body, "<dl>{}</dl><p><strong>Pourquoi cette proposition :</strong> {why}.</p>", facts(card));
    let selected = |answer: &str| if link.a == answer { " autofocus" } else { "" };
    let yes = if interested {
        String::new()
    } else {
        format!("<button class=\"yes\" name=\"answer\" value=\"oui\"{}>Intéressé</button>", selected("oui"))
    };
    let options: String = REASONS
        .iter()
        .map(|(reason, words)| format!("<option value=\"{}\">{}</option>", reason.as_str_name(), text(words)))
        .collect();
    let _ = write!(
        body,
        "<form method=\"post\" action=\"/introductions/{}\"><input type=\"hidden\" name=\"t\" value=\"{}\">\
         <p><label>Si vous déclinez, pour quelle raison ? (facultatif)<br><select name=\"reason\">\
         <option value=\"\"></option>{options}</select></label></p>\
         <p>{yes}<button class=\"no\" name=\"answer\" value=\"non\"{}>Pas intéressé</button></p></form>",
        text(id),
        text(&link.t),
        selected("non")
    );
    page(StatusCode::OK, "Une personne vous est proposée", &body)
}

fn facts(card: &CandidateCard) -> String {
    let mut rows = vec![("Nom", format!("{} {}", card.given_name, card.family_name))];
    rows.push(("Commune", card.commune_name.clone()));
    rows.push(("Courriel", card.email.clone()));
    rows.push(("Téléphone", card.phone.clone()));
    if let Some(day) = &card.available_from {
        rows.push(("Disponible à partir du", format!("{:02}/{:02}/{}", day.day, day.month, day.year)));
    }
    if let Some(background) = &card.background {
        let parts = [
            (background.experience, "expérience de la médiation numérique"),
            (background.qualification, "qualification"),
            (background.driving_licence, "permis de conduire"),
        ];
        let has: Vec<_> = parts.iter().filter(|(has, _)| *has).map(|(_, words)| *words).collect();
        rows.push(("Atouts", has.join(", ")));
    }
    if let Some(pix) = &card.pix {
        rows.push(("Pix", format!("{} pix", pix.score)));
    }
    let shown = rows.iter().filter(|(_, value)| !value.trim().is_empty());
    shown.map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", text(name), text(value))).collect()
}

/// The page of an introduction that has ended: what happened, and that nothing is left to do.
fn ended(introduction: &Introduction) -> Response {
    let what = match (introduction.state(), introduction.close_reason()) {
        (IntroductionState::Declined, _) => {
            "Cette candidature a déjà été déclinée. Si une autre personne peut convenir, elle vous a été présentée."
        }
        (IntroductionState::Expired, _) => {
            "Le délai de réponse est passé : cette mise en relation a expiré, et votre réponse n'est plus nécessaire."
        }
        (_, CloseReason::Recruited) => "Vous avez recruté cette personne. Félicitations !",
        (_, CloseReason::CandidateRecruited) => "Cette personne a signé un contrat avec une autre structure.",
        (_, CloseReason::PostsFilled) => "Tous vos postes sont pourvus : cette mise en relation est close.",
        (_, CloseReason::Withdrawn) => {
            "Votre candidature ou vos postes ont été retirés : cette mise en relation est close."
        }
        (_, CloseReason::CandidateLeft) => "Cette personne ne participe plus au programme.",
        _ => "Cette mise en relation est close : elle n'est plus possible.",
    };
    page(StatusCode::OK, "Rien à faire", &format!("<p>{}</p>", text(what)))
}
