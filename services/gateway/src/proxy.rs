//! gRPC that passes through: headers, frames and trailers go on as they come, in both directions and under each side's
//! flow control. Nothing is decoded.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{
        ALLOW, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE,
    },
};
use tonic::{body::Body, transport::Channel};
use tower::ServiceExt as _;

use crate::outage;

/// What every header starts with that only the platform may set.
const OWN_HEADERS: &str = "conum-";

/// Headers that speak of one connection only, beside those that `connection` names.
const HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Whether a request or a response carries gRPC, by its `content-type`. gRPC-Web does not count.
#[must_use]
pub fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.as_bytes().strip_prefix(b"application/grpc"))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+") || rest.starts_with(b";"))
}

/// Passes a gRPC call on to the service behind `channel`. The path of the request is `/package.Service/Method`.
///
/// Hop-by-hop headers, `authorization` and `conum-*` are taken off; `identify` then sets what the service may believe.
/// A service that cannot be reached is answered with a gRPC status, and a request that is not gRPC with 405 or 415.
pub async fn forward<B>(channel: Channel, request: Request<B>, identify: impl FnOnce(&mut HeaderMap)) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if request.method() != Method::POST {
        let mut refusal = refusal(StatusCode::METHOD_NOT_ALLOWED);
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return refusal;
    }
    if !is_grpc(request.headers()) {
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let Some(request) = onward(request, identify) else { return refusal(StatusCode::BAD_REQUEST) };
    match channel.oneshot(request).await {
        Ok(mut response) => {
            strip(response.headers_mut());
            response
        }
        Err(error) => outage::status(&error).into_http(),
    }
}

/// The request as the service sees it.
fn onward<B>(request: Request<B>, identify: impl FnOnce(&mut HeaderMap)) -> Option<Request<Body>>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().filter(|path| path.as_str().starts_with('/'))?;
    let mut onward = Request::new(Body::new(body));
    *onward.uri_mut() = Uri::from(path.clone());
    *onward.method_mut() = Method::POST;
    *onward.version_mut() = Version::HTTP_2;
    let mut headers = head.headers;
    strip(&mut headers);
    headers.remove(AUTHORIZATION);
    headers.remove(HOST);
    identify(&mut headers);
    // gRPC asks for trailers on every connection that it crosses.
    headers.insert(TE, HeaderValue::from_static("trailers"));
    *onward.headers_mut() = headers;
    Some(onward)
}

/// Takes off the headers of one connection, and those that only the platform may set.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let own: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with(OWN_HEADERS)).cloned().collect();
    for name in HOP_BY_HOP.iter().chain(&named).chain(&own) {
        headers.remove(name);
    }
}

fn refusal(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_grpc_is_grpc() {
        for (media_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;x=y", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            assert_eq!(is_grpc(&headers(&[("content-type", media_type)])), expected, "{media_type}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn a_caller_cannot_set_what_the_platform_sets() {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = "http://gateway.example/a.B/C".parse().unwrap();
        *request.headers_mut() = headers(&[
            ("authorization", "Bearer x"),
            ("conum-caller", "forged"),
            ("connection", "x-hop, keep-alive"),
            ("x-hop", "1"),
            ("host", "gateway.example"),
            ("transfer-encoding", "chunked"),
            ("te", "gzip"),
            ("grpc-timeout", "1S"),
            ("x-kept", "2"),
        ]);
        let onward = onward(request, |headers| {
            headers.insert("conum-caller", HeaderValue::from_static("signed"));
        })
        .unwrap();
        let expected =
            headers(&[("conum-caller", "signed"), ("grpc-timeout", "1S"), ("x-kept", "2"), ("te", "trailers")]);
        assert_eq!(onward.headers(), &expected);
        assert_eq!(onward.uri(), "/a.B/C");
    }

    #[tokio::test]
    async fn what_is_not_grpc_is_refused_without_a_call() {
        let channel = Channel::from_static("http://127.0.0.1:1").connect_lazy();
        let get = Request::builder().uri("/a.B/C").body(Body::empty()).unwrap();
        assert_eq!(forward(channel.clone(), get, |_| ()).await.status(), StatusCode::METHOD_NOT_ALLOWED);
        let post = Request::post("/a.B/C").body(Body::empty()).unwrap();
        assert_eq!(forward(channel, post, |_| ()).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[tokio::test]
    async fn a_service_that_is_down_is_a_grpc_status() {
        let down = tower::service_fn(|uri: Uri| async move {
            Err::<TokioIo<tokio::net::TcpStream>, _>(std::io::Error::other(format!("no way to {uri}")))
        });
        let channel = Channel::from_static("http://inner.example").connect_with_connector_lazy(down);
        let call = Request::post("/a.B/C").header(CONTENT_TYPE, "application/grpc").body(Body::empty()).unwrap();
        let response = forward(channel, call, |_| ()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["grpc-status"], "14");
        assert!(!response.headers()["grpc-message"].to_str().unwrap().contains("inner"));
    }
}
