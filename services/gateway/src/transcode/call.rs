//! A unary gRPC call with a message that is encoded already.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tonic::{
    Extensions, Request, Response, Status,
    body::Body,
    client::{Grpc, GrpcService},
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
};

use crate::outage;

/// The largest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 16 << 20;

/// Passes encoded messages through as they are.
#[derive(Clone, Copy, Debug, Default)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// Calls a unary method. `path` is `/package.Service/Method`; `deadline` goes along as `grpc-timeout` and is kept here
/// too. What the service answers, its status and details included, comes back as it is; a service that cannot be
/// reached is UNAVAILABLE.
pub async fn call<S>(
    channel: S,
    path: PathAndQuery,
    message: Bytes,
    metadata: MetadataMap,
    deadline: Duration,
) -> Result<Response<Bytes>, Status>
where
    S: GrpcService<Body>,
    S::Error: std::error::Error + 'static,
    S::ResponseBody: http_body::Body + Send + 'static,
    <S::ResponseBody as http_body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut request = Request::from_parts(metadata, Extensions::default(), message);
    request.set_timeout(deadline);
    let unary = async {
        let mut grpc = Grpc::new(channel).max_decoding_message_size(MAX_ANSWER);
        grpc.ready().await.map_err(|error| outage::status(&error))?;
        grpc.unary(request, path, Encoded).await.map_err(outage::tell)
    };
    tokio::time::timeout(deadline, unary).await.unwrap_or_else(|_| Err(outage::deadline()))
}
