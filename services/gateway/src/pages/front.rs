//! The page at `/`: where everything is.

use axum::{extract::State, response::Response};
use http::StatusCode;

use super::html::{page, text};
use crate::edge::Edge;

/// Shows where everything is.
pub async fn show(State(edge): State<Edge>) -> Response {
    let services: String = edge.services().map(|(name, _)| format!("<li>{}</li>", text(name))).collect();
    let body = format!(
        "<p>La plateforme du programme des conseillers numériques : candidatures des structures, inscriptions des \
         candidats, mises en relation et recrutements.</p>\
         <table>\
         <tr><th>API REST</th><td><code>/v1/…</code>, décrite par <a href=\"/openapi.json\">/openapi.json</a></td></tr>\
         <tr><th>gRPC</th><td>sur ce même port, avec réflexion</td></tr>\
         <tr><th>Le programme aujourd'hui</th><td><a href=\"/v1/programme\">/v1/programme</a></td></tr>\
         <tr><th>État</th><td><a href=\"/healthz\">/healthz</a>, <a href=\"/readyz\">/readyz</a></td></tr>\
         </table><h2>Services</h2><ul>{services}</ul>\
         <p>Pour appeler l'API, obtenez un jeton : <code>conum token --role agency</code>, puis envoyez-le dans \
         l'en-tête <code>Authorization: Bearer …</code>.</p>"
    );
    page(StatusCode::OK, "La plateforme", &body)
}
