//! gRPC calls: passed to the service that answers the contract, under an identity that it believes.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use conum_kernel::Error;
use conum_service::status;
use http::HeaderMap;
use tonic::transport::Channel;
use tower::ServiceExt as _;

use crate::{NAME, case_file, edge::Edge, proxy};

/// The header that says which service a call of `conum.operations.v1` is for.
const SERVICE: &str = "conum-service";

/// Passes one gRPC call on.
pub async fn handle(State(edge): State<Edge>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if service_of(head.uri.path(), &head.headers).as_deref() == Some(NAME) {
        let Ok(answer) = case_file::server(edge).oneshot(Request::from_parts(head, body)).await;
        return answer.map(Body::new);
    }
    match prepare(&edge, head.uri.path(), &head.headers).await {
        Ok((channel, identity)) => {
            let believed = |headers: &mut HeaderMap| headers.extend(identity);
            proxy::forward(channel, Request::from_parts(head, body), believed).await.map(Body::new)
        }
        Err(error) => status::of(&error).into_http(),
    }
}

async fn prepare(edge: &Edge, path: &str, headers: &HeaderMap) -> Result<(Channel, HeaderMap), Error> {
    let service = service_of(path, headers).ok_or_else(|| Error::not_found("this method"))?;
    let caller = edge.caller(headers)?;
    Ok((edge.channel(&service)?, edge.identify(&caller, &service).await?))
}

/// The service that a call is for.
fn service_of(path: &str, headers: &HeaderMap) -> Option<String> {
    let contract = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let named = headers.get(SERVICE).and_then(|value| value.to_str().ok());
    Edge::service_of(contract, named)
}
