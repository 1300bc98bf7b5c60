//! Requests that change one application: which one, whose it must be, and what makes them safe to send again.

use conum_kernel::{ApplicationId, Error, PostId, Result, id::invalid_name, parse_post_name};
use conum_proto::applications::v1::{
    AddPartnerRequest, AddPostsRequest, ConfirmAddressRequest, DecideCorrectionRequest, DecideDerogationRequest,
    ProvideInformationRequest, RecordOpinionRequest, RefuseApplicationRequest, RequestCorrectionRequest,
    RequestInformationRequest, ResendConfirmationRequest, ReturnPostsRequest, ReviewDocumentRequest,
    SettleStartDateRequest, UpdateApplicationRequest, WithdrawApplicationRequest,
};
use conum_service::{Call, Failure, Tx, wire};
use futures::future::BoxFuture;

use super::Own;
use crate::{
    domain::documents::DocumentKind,
    storage::applications::{self, Stored},
};

/// A request that changes one application.
pub trait Asked: prost::Message + Clone + 'static {
    /// Whose it must be.
    const OWN: Own;
    /// The collection that its name ends in, where it names something within an application.
    const WITHIN: Option<&'static str> = None;

    /// The name that it carries: the application's, or one within it.
    fn name(&self) -> &str;

    /// The version of the record that the caller has seen, where the request says it.
    fn etag(&self) -> Option<&str> {
        None
    }

    fn request_id(&self) -> &str;
}

/// Declares requests: whose the application must be, what they name within it, and whether they carry an etag.
macro_rules! asked {
    ($($request:ty, $own:ident $(/ $within:literal)? $(, $etag:ident)?;)*) => {
        $(
            impl Asked for $request {
                const OWN: Own = Own::$own;
                $(const WITHIN: Option<&'static str> = Some($within);)?

                fn name(&self) -> &str {
                    &self.name
                }

                $(fn $etag(&self) -> Option<&str> {
                    Some(&self.$etag)
                })?

                fn request_id(&self) -> &str {
                    &self.request_id
                }
            }
        )*
    };
}

asked! {
    ConfirmAddressRequest, Structure;
    ResendConfirmationRequest, Structure;
    WithdrawApplicationRequest, Structure, etag;
    RecordOpinionRequest, Department;
    RequestInformationRequest, Structure;
    ProvideInformationRequest, Structure;
    RefuseApplicationRequest, Structure, etag;
    DecideDerogationRequest, Structure / "posts";
    SettleStartDateRequest, Structure / "posts";
    AddPostsRequest, Structure;
    ReturnPostsRequest, Structure;
    AddPartnerRequest, Structure;
    RequestCorrectionRequest, Structure;
    DecideCorrectionRequest, Structure / "corrections";
    ReviewDocumentRequest, Structure / "documents";
}

impl Asked for UpdateApplicationRequest {
    const OWN: Own = Own::Structure;

    fn name(&self) -> &str {
        self.application.as_ref().map_or("", |application| &application.name)
    }

    fn etag(&self) -> Option<&str> {
        self.application.as_ref().map(|application| application.etag.as_str())
    }

    fn request_id(&self) -> &str {
        &self.request_id
    }
}

/// The application that a request names, under its lock, as the caller has seen it and may act on it.
///
/// # Errors
/// Not found, permission denied, or aborted.
pub async fn locked<M: Asked>(tx: &Tx, call: &Call, asked: &M) -> Result<Stored, Failure> {
    let stored = applications::lock(tx, application(asked)?).await?;
    M::OWN.require(call, &stored.application)?;
    wire::fresh(asked.name(), asked.etag().unwrap_or_default(), stored.version)?;
    Ok(stored)
}

/// What a request does to an application that is locked.
pub type Op<M> = for<'t> fn(&'t Tx, &'t Call, Stored, M) -> BoxFuture<'t, Result<Stored, Failure>>;

/// Does to the application that a request names what it asks for.
pub fn changed<M: Asked>(tx: &Tx, call: Call, asked: M, op: Op<M>) -> BoxFuture<'_, Result<Stored, Failure>> {
    Box::pin(async move {
        let before = locked(tx, &call, &asked).await?;
        op(tx, &call, before, asked).await
    })
}

/// The application that a request names, or names something within.
fn application<M: Asked>(asked: &M) -> Result<ApplicationId> {
    let name = asked.name();
    let Some(within) = M::WITHIN else { return ApplicationId::parse_name("name", name) };
    let application = name.split_once(&format!("/{within}/")).map(|(application, _)| application);
    application
        .and_then(|application| ApplicationId::parse_name("name", application).ok())
        .ok_or_else(|| invalid_name("name", &format!("applications/{{application}}/{within}/{{id}}")))
}

/// The post that a request names.
///
/// # Errors
/// `INVALID_NAME` at `name`.
pub fn post(name: &str) -> Result<PostId, Error> {
    Ok(parse_post_name("name", name)?.1)
}

/// The application and the kind of the document that a name names.
///
/// # Errors
/// `INVALID_NAME` at `name`; not found for a kind that there is none of.
pub fn document(name: &str) -> Result<(ApplicationId, DocumentKind), Error> {
    let pattern = || invalid_name("name", "applications/{application}/documents/{document}");
    let (application, key) = name.split_once("/documents/").ok_or_else(pattern)?;
    let id = ApplicationId::parse_name("name", application)?;
    Ok((id, DocumentKind::parse(key).ok_or_else(|| Error::not_found(name))?))
}

/// The number of the correction that a request names.
///
/// # Errors
/// `INVALID_NAME` at `name`.
pub fn correction(name: &str) -> Result<u32, Error> {
    let number = name.split_once("/corrections/").and_then(|(_, number)| number.parse().ok());
    number.ok_or_else(|| invalid_name("name", "applications/{application}/corrections/{correction}"))
}
