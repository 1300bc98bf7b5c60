//! The page behind the link that confirms an address (A07). Opening it changes nothing; its button does.

use axum::{
    Form,
    extract::{Path, Query, State},
    response::Response,
};
use conum_proto::applications::v1::{ConfirmAddressRequest, applications_service_client::ApplicationsServiceClient};
use conum_service::Caller;
use http::StatusCode;
use serde::Deserialize;

use super::html::{self, page, text};
use crate::edge::Edge;

/// What the link and the form hold.
#[derive(Debug, Deserialize)]
pub struct Token {
    #[serde(default)]
    t: String,
}

/// Asks for the click that confirms.
pub async fn show(Path(id): Path<String>, Query(token): Query<Token>) -> Response {
    let body = format!(
        "<p>Confirmez que cette adresse est bien celle de la personne en charge du recrutement. La candidature pourra \
         alors être examinée.</p><form method=\"post\" action=\"/confirm/{}\">\
         <input type=\"hidden\" name=\"t\" value=\"{}\"><button class=\"yes\">Confirmer l'adresse</button></form>",
        text(&id),
        text(&token.t)
    );
    page(StatusCode::OK, "Confirmation de votre adresse", &body)
}

/// Confirms.
pub async fn confirm(State(edge): State<Edge>, Path(id): Path<String>, Form(token): Form<Token>) -> Response {
    const APPLICATIONS: &str = "applications";
    let message =
        ConfirmAddressRequest { name: format!("applications/{id}"), token: token.t, request_id: String::new() };
    let prepared = async {
        let channel = edge.channel(APPLICATIONS)?;
        Ok((channel, edge.signed(&Caller::anonymous(), APPLICATIONS, message).await?))
    };
    let (channel, request) = match prepared.await {
        Ok(prepared) => prepared,
        Err(error) => return html::error(&error),
    };
    match ApplicationsServiceClient::new(channel).confirm_address(request).await {
        Ok(_) => page(
            StatusCode::OK,
            "Adresse confirmée",
            "<p>Merci. Votre candidature va être examinée ; vous serez informé par courriel.</p>",
        ),
        Err(status) => html::refused(&status),
    }
}
