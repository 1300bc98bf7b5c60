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

use crate::{edge::Edge, proxy};

/// The header that says which service a call of `conum.operations.v1` is for.
const SERVICE: &str = "conum-service";

/// Passes one gRPC call on.
pub async fn handle(State(edge): State<Edge>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    match prepare(&edge, head.uri.path(), &head.headers).await {
        Ok((channel, identity)) => {
            let believed = |headers: &mut HeaderMap| headers.extend(identity);
            proxy::forward(channel, Request::from_parts(head, body), believed).await.map(Body::new)
        }
        Err(error) => status::of(&error).into_http(),
    }
}

async fn prepare(edge: &Edge, path: &str, headers: &HeaderMap) -> Result<(Channel, HeaderMap), Error> {
    let contract = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let named = headers.get(SERVICE).and_then(|value| value.to_str().ok());
    let service = Edge::service_of(contract, named).ok_or_else(|| Error::not_found("this method"))?;
    let caller = edge.caller(headers)?;
    Ok((edge.channel(&service)?, edge.identify(&caller, &service).await?))
}
