//! How a command speaks to a platform: through its gateway, as a gRPC caller with a token of its own.

use conum_kernel::{Clock, Error};
use conum_proto::{
    applications::v1::{
        applications_service_client::ApplicationsServiceClient, documents_service_client::DocumentsServiceClient,
        waves_service_client::WavesServiceClient,
    },
    candidates::v1::candidates_service_client::CandidatesServiceClient,
    finance::v1::{
        claims_service_client::ClaimsServiceClient, conventions_service_client::ConventionsServiceClient,
        payments_service_client::PaymentsServiceClient,
    },
    matching::v1::{
        introductions_service_client::IntroductionsServiceClient,
        recruitments_service_client::RecruitmentsServiceClient,
    },
    operations::v1::dead_letters_service_client::DeadLettersServiceClient,
    training::v1::{
        organisations_service_client::OrganisationsServiceClient, trainings_service_client::TrainingsServiceClient,
    },
};
use conum_service::{
    Caller,
    identity::{KeyPair, Signer},
    lifecycle::{self, IDENTITY_KEY},
    status,
};
use tonic::{Request, Response, Status, metadata::MetadataValue, transport::Channel};

/// Speaks to a gateway.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    channel: Channel,
    signer: Signer,
}

impl Voice {
    /// A voice that the gateway at a URL hears, with the keys in a folder.
    ///
    /// # Errors
    /// Where there are no keys.
    pub(crate) fn new(url: &str, keys: &std::path::Path, clock: &Clock) -> Result<Self, Error> {
        let keys = KeyPair::open(keys, IDENTITY_KEY).map_err(Error::internal)?;
        Ok(Self { channel: lifecycle::channel(url)?, signer: keys.signer(clock).map_err(Error::internal)? })
    }

    /// A message in somebody's name.
    ///
    /// # Errors
    /// Internal where signing fails.
    pub(crate) async fn by<T>(&self, caller: &Caller, message: T) -> Result<Request<T>, Error> {
        let mut request = Request::new(message);
        if *caller != Caller::anonymous() {
            let token = self.signer.assertion(caller, conum_gateway::NAME).await?;
            let value = MetadataValue::try_from(format!("Bearer {token}")).map_err(Error::internal)?;
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }

    /// A token to call the gateway with, by hand.
    ///
    /// # Errors
    /// Internal where signing fails.
    pub(crate) async fn token(&self, caller: &Caller) -> Result<String, Error> {
        self.signer.assertion(caller, conum_gateway::NAME).await
    }

    /// Asks something in somebody's name.
    ///
    /// # Errors
    /// Internal where signing fails; what the platform refuses comes as the answer.
    pub(crate) async fn ask<T, R>(
        &self,
        caller: &Caller,
        message: T,
        call: impl AsyncFnOnce(Request<T>) -> Result<Response<R>, Status>,
    ) -> Result<Result<R, Status>, Error> {
        Ok(call(self.by(caller, message).await?).await.map(Response::into_inner))
    }

    pub(crate) fn applications(&self) -> ApplicationsServiceClient<Channel> {
        ApplicationsServiceClient::new(self.channel.clone()).max_decoding_message_size(64 << 20)
    }

    pub(crate) fn waves(&self) -> WavesServiceClient<Channel> {
        WavesServiceClient::new(self.channel.clone())
    }

    pub(crate) fn candidates(&self) -> CandidatesServiceClient<Channel> {
        CandidatesServiceClient::new(self.channel.clone()).max_decoding_message_size(64 << 20)
    }

    pub(crate) fn introductions(&self) -> IntroductionsServiceClient<Channel> {
        IntroductionsServiceClient::new(self.channel.clone())
    }

    pub(crate) fn recruitments(&self) -> RecruitmentsServiceClient<Channel> {
        RecruitmentsServiceClient::new(self.channel.clone())
    }

    pub(crate) fn documents(&self) -> DocumentsServiceClient<Channel> {
        DocumentsServiceClient::new(self.channel.clone())
    }

    pub(crate) fn organisations(&self) -> OrganisationsServiceClient<Channel> {
        OrganisationsServiceClient::new(self.channel.clone())
    }

    pub(crate) fn trainings(&self) -> TrainingsServiceClient<Channel> {
        TrainingsServiceClient::new(self.channel.clone()).max_decoding_message_size(64 << 20)
    }

    pub(crate) fn conventions(&self) -> ConventionsServiceClient<Channel> {
        ConventionsServiceClient::new(self.channel.clone())
    }

    pub(crate) fn payments(&self) -> PaymentsServiceClient<Channel> {
        PaymentsServiceClient::new(self.channel.clone()).max_decoding_message_size(64 << 20)
    }

    pub(crate) fn claims(&self) -> ClaimsServiceClient<Channel> {
        ClaimsServiceClient::new(self.channel.clone())
    }

    pub(crate) fn dead_letters(&self) -> DeadLettersServiceClient<Channel> {
        DeadLettersServiceClient::new(self.channel.clone())
    }
}

/// A refusal that was not expected, as an error that names the call.
pub(crate) fn unexpected(call: &'static str) -> impl Fn(Status) -> Error {
    move |answer| {
        let reason = status::reason(&answer).unwrap_or_default();
        let details = String::from_utf8_lossy(answer.details()).into_owned();
        Error::internal(format!("{call}: {:?} {reason} {} {details:?}", answer.code(), answer.message()))
    }
}

/// Whether a refusal has one of some reasons.
pub(crate) fn is(answer: &Status, reasons: &[&str]) -> bool {
    status::reason(answer).is_some_and(|reason| reasons.contains(&reason.as_str()))
}
