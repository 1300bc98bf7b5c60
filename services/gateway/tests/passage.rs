//! Calls through the gateway to a service in this process: REST to gRPC, and gRPC passed through.
#![expect(clippy::unwrap_used, reason = "what fails in a test's setting fails the test")]

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use conum_gateway::{
    problem::Problem,
    proxy,
    routes::Routes,
    transcode::{self, MAX_BODY},
};
use conum_proto::operations::v1::{
    GetPolicyRequest, ListPoliciesRequest, ListPoliciesResponse, Policy, SetPolicyRequest,
    policies_service_client::PoliciesServiceClient,
    policies_service_server::{PoliciesService, PoliciesServiceServer},
};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method};
use prost_reflect::DescriptorPool;
use tokio::net::TcpListener;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{
    Code, Request, Response, Status,
    metadata::{KeyAndValueRef, MetadataMap},
    transport::{Channel, Server},
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::{ErrorDetails, StatusExt as _};

/// A service that tells what it was sent.
struct Mirror;

#[tonic::async_trait]
impl PoliciesService for Mirror {
    /// A policy for every header of the call.
    async fn list_policies(
        &self,
        request: Request<ListPoliciesRequest>,
    ) -> Result<Response<ListPoliciesResponse>, Status> {
        let header = |entry: KeyAndValueRef<'_>| match entry {
            KeyAndValueRef::Ascii(name, value) => {
                Policy { name: name.to_string(), value: value.to_str().unwrap().to_owned(), ..Policy::default() }
            }
            KeyAndValueRef::Binary(name, _) => Policy { name: name.to_string(), ..Policy::default() },
        };
        let mut response =
            Response::new(ListPoliciesResponse { policies: request.metadata().iter().map(header).collect() });
        response.metadata_mut().insert("x-answer", "kept".parse().unwrap());
        response.metadata_mut().insert("conum-inner", "hidden".parse().unwrap());
        Ok(response)
    }

    /// A refusal, or no answer at all.
    async fn get_policy(&self, request: Request<GetPolicyRequest>) -> Result<Response<Policy>, Status> {
        if request.get_ref().name.ends_with("/slow") {
            return std::future::pending().await;
        }
        let mut details = ErrorDetails::with_error_info("STALE_ETAG", "conum.example", [("rule".into(), "A04".into())]);
        details.set_localized_message("fr", "à relire");
        Err(Status::with_error_details(Code::Aborted, "read it again", details))
    }

    async fn set_policy(&self, request: Request<SetPolicyRequest>) -> Result<Response<Policy>, Status> {
        let request = request.into_inner();
        Ok(Response::new(Policy { name: request.name, value: request.value, ..Policy::default() }))
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

/// Starts the service, which also offers reflection: a stream in both directions.
async fn service() -> Channel {
    let (listener, address) = listen().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(conum_proto::DESCRIPTORS)
        .build_v1()
        .unwrap();
    let limit = 8 << 20;
    let policies = PoliciesServiceServer::new(Mirror).max_decoding_message_size(limit);
    let server = Server::builder().add_service(policies).add_service(reflection);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    channel(address).await
}

/// Starts a gateway before the service, which passes gRPC through.
async fn gateway() -> Channel {
    let (listener, address) = listen().await;
    let inner = service().await;
    let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
        proxy::forward(inner.clone(), request, |headers| {
            headers.insert("conum-caller", HeaderValue::from_static("signed"));
        })
    });
    tokio::spawn(axum::serve(listener, router).into_future());
    channel(address).await
}

/// Calls a service as REST does. The JSON of the answer, or the problem.
async fn rest(service: Channel, method: Method, path: &str, body: &str, deadline: Duration) -> Result<Bytes, Problem> {
    let pool = DescriptorPool::decode(conum_proto::DESCRIPTORS).unwrap();
    let routes = Routes::build(&pool).unwrap();
    let found = routes.find(&method, path).map_err(|miss| Problem::from(&miss))?;
    let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let message = transcode::encode_request(&found, None, &headers, body.as_bytes());
    let message = message.map_err(|refusal| Problem::from(&refusal))?;
    let mut metadata = MetadataMap::new();
    metadata.insert("conum-caller", "signed".parse().unwrap());
    let call = transcode::call(service, found.binding.grpc_path.clone(), message, metadata, deadline);
    let answer = call.await.map_err(|status| Problem::from(&status))?;
    transcode::decode_response(found.binding, answer.into_inner()).map_err(|status| Problem::from(&status))
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn rest_becomes_a_call_and_its_answer_json() {
    let json = rest(
        service().await,
        Method::POST,
        "/v1/services/matching/policies/radius:set",
        r#"{"value": "40", "why": "season"}"#,
        MINUTE,
    );
    assert_eq!(json.await.unwrap(), r#"{"name":"services/matching/policies/radius","value":"40"}"#);
}

#[tokio::test]
async fn the_caller_and_the_deadline_go_along() {
    let json = rest(service().await, Method::GET, "/v1/services/matching/policies", "", MINUTE).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let header = |name: &str| {
        let policies = json["policies"].as_array().unwrap();
        policies.iter().find(|policy| policy["name"] == name).map(|policy| policy["value"].as_str().unwrap().to_owned())
    };
    assert_eq!(header("conum-caller").as_deref(), Some("signed"));
    assert!(header("grpc-timeout").is_some());
}

#[tokio::test]
async fn a_refusal_keeps_its_details() {
    let problem = rest(service().await, Method::GET, "/v1/services/matching/policies/x", "", MINUTE).await.unwrap_err();
    assert_eq!(problem.status, 409);
    assert_eq!((problem.reason.as_deref(), problem.rule.as_deref()), (Some("STALE_ETAG"), Some("A04")));
    assert_eq!(problem.message_fr.as_deref(), Some("à relire"));
}

#[tokio::test]
async fn a_call_ends_with_its_deadline() {
    let deadline = Duration::from_millis(20);
    let call = rest(service().await, Method::GET, "/v1/services/matching/policies/slow", "", deadline);
    assert_eq!(call.await.unwrap_err().status, 504);
}

#[tokio::test]
async fn a_method_that_the_service_does_not_offer() {
    let problem = rest(service().await, Method::GET, "/v1/waves", "", MINUTE).await.unwrap_err();
    assert_eq!((problem.status.as_u16(), problem.code), (501, "UNIMPLEMENTED"));
}

#[tokio::test]
async fn a_service_that_hangs_up_is_unavailable() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let problem = rest(channel, Method::GET, "/v1/waves", "", MINUTE).await.unwrap_err();
    assert_eq!((problem.status.as_u16(), problem.detail.as_str()), (503, "out of service for now"));
}

#[tokio::test]
async fn headers_pass_and_the_platform_sets_its_own() {
    let mut client = PoliciesServiceClient::new(gateway().await);
    let mut request = Request::new(ListPoliciesRequest::default());
    for (name, value) in [("authorization", "Bearer x"), ("conum-caller", "forged"), ("x-kept", "1")] {
        request.metadata_mut().insert(name, value.parse().unwrap());
    }
    let response = client.list_policies(request).await.unwrap();
    assert_eq!(response.metadata().get("x-answer").unwrap(), "kept");
    assert!(response.metadata().get("conum-inner").is_none());
    let policies = response.into_inner().policies;
    let header = |name: &str| policies.iter().find(|policy| policy.name == name).map(|policy| policy.value.as_str());
    assert_eq!(header("conum-caller"), Some("signed"));
    assert_eq!(header("x-kept"), Some("1"));
    assert_eq!(header("authorization"), None);
}

#[tokio::test]
async fn a_status_passes_with_its_details() {
    let mut client = PoliciesServiceClient::new(gateway().await);
    let status = client.get_policy(GetPolicyRequest::default()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Aborted, "read it again"));
    assert_eq!(status.get_details_error_info().unwrap().reason, "STALE_ETAG");
}

#[tokio::test]
async fn a_message_larger_than_every_window_passes() {
    let limit = 8 << 20;
    let mut client = PoliciesServiceClient::new(gateway().await).max_decoding_message_size(limit);
    let value = "x".repeat(4 * MAX_BODY);
    let request = SetPolicyRequest { value: value.clone(), ..SetPolicyRequest::default() };
    let answer = client.set_policy(request).await.unwrap().into_inner();
    assert!(answer.value == value);
}

/// Asks for the services, one answer for one question: neither side waits for the end of the other.
#[tokio::test]
async fn streams_pass_in_both_directions_at_once() {
    let mut client = ServerReflectionClient::new(gateway().await);
    let (questions, stream) = tokio::sync::mpsc::channel(1);
    let question = || ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    questions.send(question()).await.unwrap();
    let mut answers = client.server_reflection_info(ReceiverStream::new(stream)).await.unwrap().into_inner();
    for _ in 0..3 {
        let answer = answers.next().await.unwrap().unwrap();
        let Some(MessageResponse::ListServicesResponse(services)) = answer.message_response else {
            panic!("{answer:?}")
        };
        assert!(services.service.iter().any(|service| service.name == "conum.operations.v1.PoliciesService"));
        questions.send(question()).await.unwrap();
    }
    assert!(answers.next().await.unwrap().is_ok());
    drop(questions);
    assert!(answers.next().await.is_none());
}
