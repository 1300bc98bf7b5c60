//! The frame of a page, and text made safe for it.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use conum_kernel::Error;
use conum_service::{status, telemetry};
use http::{StatusCode, header};

use crate::problem::http_status;

/// Text that is not markup.
#[must_use]
pub fn text(text: &str) -> String {
    html_escape::encode_quoted_attribute(text).into_owned()
}

const STYLE: &str = "body{font-family:system-ui,sans-serif;margin:0;color:#161616;background:#f6f6f6;line-height:1.5}\
header{background:#fff;border-bottom:3px solid #000091;padding:1rem 1.5rem;font-weight:700;color:#000091}\
main{max-width:44rem;margin:1.5rem auto;background:#fff;padding:1.5rem 2rem;border-radius:4px}\
h1{font-size:1.4rem}dt{font-weight:600;margin-top:.6rem}dd{margin:0}\
button{font:inherit;padding:.6rem 1.2rem;border:1px solid #000091;border-radius:4px;cursor:pointer;margin-right:.8rem}\
.yes{background:#000091;color:#fff}.no{background:#fff;color:#000091}.note{background:#f0f0ff;padding:.8rem 1rem}\
select{font:inherit;padding:.4rem}table{border-collapse:collapse}td,th{padding:.3rem .8rem .3rem 0;text-align:left}\
code{background:#eee;padding:.1rem .3rem}footer{max-width:44rem;margin:0 auto 2rem;color:#666;font-size:.85rem}";

/// A page. Nothing of it is kept by browsers or told to other sites: its address may hold a link's token.
#[must_use]
pub fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = text(title);
    let document = format!(
        "<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head>\n<body><header>Conseiller numérique</header>\n<main><h1>{title}</h1>\n{body}\n\
         </main><footer>Une question ? Écrivez à l'équipe du programme : contact@conum.example</footer></body></html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, Body::from(document)).into_response()
}

/// The page of an error, in the words that the error has for people.
#[must_use]
pub fn error(error: &Error) -> Response {
    let status = http_status(status::of(error).code());
    let trace = telemetry::trace_id();
    let trace = if trace.is_empty() { trace } else { format!("<p>Référence : <code>{}</code></p>", text(&trace)) };
    let french = match error.reason() {
        "INVALID_LINK" => "Ce lien n'est pas valable. Vérifiez qu'il a été copié en entier.",
        "EXPIRED_LINK" => "Ce lien a expiré.",
        _ => error.french(),
    };
    page(status, "Cette page ne peut pas être affichée", &format!("<p>{}</p>{trace}", text(french)))
}

/// The error of a service's answer, for people.
#[must_use]
pub fn refused(status: &tonic::Status) -> Response {
    let problem = crate::problem::Problem::from_status(status);
    let french = problem.message_fr.unwrap_or_else(|| "Le service est momentanément indisponible.".into());
    page(problem.status, "Cette page ne peut pas être affichée", &format!("<p>{}</p>", text(&french)))
}
