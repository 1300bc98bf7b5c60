//! One call, seen by the code that answers it: who, on whose behalf, when, and what to number new things with.

use conum_kernel::{Clock, Error, Id, Ids, Moment, Result, id::Entity};
use tonic::Request;
use uuid::Uuid;

use crate::identity::{self, Caller, Scope};

/// Who calls, when, and why. A delivered event and a due timer are calls as well.
#[derive(Clone, Debug)]
pub struct Call {
    pub caller: Caller,
    /// On what the method lets this caller act.
    pub scope: Scope,
    pub moment: Moment,
    /// The request id, the event's id or the timer's key: what caused whatever this call writes.
    pub cause: String,
    /// The request id, where the caller gave one.
    pub request_id: Option<Uuid>,
    origin: Origin,
    ids: Ids,
}

/// What brought a call about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Request,
    Event,
    Timer,
}

impl Call {
    /// The call of a request that came through the access layer. `request_id` is the message's field, or "".
    ///
    /// # Errors
    /// Unauthenticated without the layer; `INVALID_REQUEST_ID` where the id is no UUID.
    pub fn of<T>(request: &Request<T>, request_id: &str, clock: &Clock, ids: &Ids) -> Result<Self> {
        let extensions = request.extensions();
        let (Some(caller), Some(scope)) = (extensions.get::<Caller>(), extensions.get::<Scope>()) else {
            return Err(Error::unauthenticated("NO_IDENTITY"));
        };
        let request_id = match request_id {
            "" => None,
            text => Some(Uuid::try_parse(text).map_err(|_| {
                Error::invalid("request_id", "INVALID_REQUEST_ID", "a UUID is expected", "un UUID est attendu")
            })?),
        };
        let moment = clock.moment();
        let cause = request_id.unwrap_or_else(|| Ids::random().uuid(moment.now, "", "cause"));
        Ok(Self {
            caller: caller.clone(),
            scope: *scope,
            moment,
            cause: cause.to_string(),
            request_id,
            origin: Origin::Request,
            ids: ids.clone(),
        })
    }

    /// The call of one request among several that came together.
    ///
    /// # Errors
    /// `INVALID_REQUEST_ID` at `field` where the id is no UUID.
    pub fn part(&self, field: &str, request_id: &str) -> Result<Self> {
        let id = Uuid::try_parse(request_id)
            .map_err(|_| Error::invalid(field, "INVALID_REQUEST_ID", "a UUID is expected", "un UUID est attendu"))?;
        Ok(Self { cause: id.to_string(), request_id: Some(id), ..self.clone() })
    }

    /// A call that the service makes to itself: a due timer.
    #[must_use]
    pub fn internal(actor: &str, cause: String, moment: Moment, ids: &Ids) -> Self {
        let caller = Caller::service(actor);
        Self { caller, scope: Scope::Any, moment, cause, request_id: None, origin: Origin::Timer, ids: ids.clone() }
    }

    /// The call of an event that `source` told.
    #[must_use]
    pub fn delivered(source: &str, event: String, moment: Moment, ids: &Ids) -> Self {
        Self { origin: Origin::Event, ..Self::internal(source, event, moment, ids) }
    }

    /// In which roles the caller acts, by their names in a token: `agency`; `timer` or `event` for what the service does by
    /// itself.
    #[must_use]
    pub fn roles(&self) -> Vec<String> {
        match self.origin {
            Origin::Request => self.caller.roles.iter().map(|role| identity::short(*role)).collect(),
            Origin::Event => vec!["event".into()],
            Origin::Timer => vec!["timer".into()],
        }
    }

    /// The subject of the caller's identity.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.caller.subject
    }

    /// A new id. `what` tells apart the things of one kind that one call makes.
    #[must_use]
    pub fn mint<T: Entity>(&self, what: &str) -> Id<T> {
        self.ids.mint(self.moment.now, &format!("{}/{what}", self.cause))
    }

    /// A new UUID, as [`mint`](Self::mint).
    #[must_use]
    pub fn uuid(&self, what: &str) -> Uuid {
        self.ids.uuid(self.moment.now, &format!("{}/{what}", self.cause), "uuid")
    }

    /// Refuses a caller that may act only on what is its own, unless one of `owners` is: resource names, or
    /// `departments/{code}`.
    ///
    /// # Errors
    /// Permission denied, `NOT_YOURS`.
    pub fn require_owner(&self, owners: &[&str]) -> Result<()> {
        match self.scope {
            Scope::Any => Ok(()),
            Scope::Own if owners.iter().any(|owner| self.caller.owns(owner)) => Ok(()),
            Scope::Own => Err(Error::denied("NOT_YOURS")),
        }
    }
}
