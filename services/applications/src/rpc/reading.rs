//! Requests as the commands take them.

use conum_kernel::{ApplicationId, Error, Result, StructureId, WaveId};
use conum_proto::applications::v1::{
    Application, CreateApplicationRequest, GrantPostsRequest, ListApplicationsRequest, RecordPastGrantRequest,
    RecordPastGrantResponse, UpdateApplicationRequest,
};
use conum_service::{Call, Failure, Tx, wire};
use futures::future::BoxFuture;

use super::{
    asked::changed,
    convert::{form, lists::Twin as _},
};
use crate::{
    commands::{applying, correcting, granting::Grant, past},
    domain::{State, changes::Change, form::Field, grants::Selection, post::MAX_POSTS},
    storage::applications::{Filter, Stored},
};

/// Makes the application of a request.
#[must_use]
pub fn created(
    tx: &Tx,
    call: Call,
    asked: CreateApplicationRequest,
) -> BoxFuture<'_, std::result::Result<Stored, Failure>> {
    Box::pin(async move {
        let message = asked.application.ok_or_else(|| wire::required("application"))?;
        let form = form::form(&message, &Field::ALL)?;
        let posts = form::posts("application.posts", &message.posts, &call, None)?;
        applying::submit(tx, &call, form, posts).await
    })
}

/// Corrects the application of a request.
#[must_use]
pub fn corrected(
    tx: &Tx,
    call: Call,
    asked: UpdateApplicationRequest,
) -> BoxFuture<'_, std::result::Result<Stored, Failure>> {
    changed(tx, call, asked, |tx, call, before, asked| {
        Box::pin(async move {
            let change = change(call, &before, asked.application.as_ref(), asked.update_mask.as_ref())?;
            correcting::correct(tx, call, before, &change).await
        })
    })
}

/// What a correction says.
///
/// # Errors
/// What cannot be read of it.
pub fn change(
    call: &Call,
    before: &Stored,
    proposed: Option<&Application>,
    mask: Option<&prost_types::FieldMask>,
) -> Result<Change> {
    let proposed = proposed.ok_or_else(|| wire::required("application"))?;
    let fields = form::masked(mask, proposed)?;
    let form = form::form(proposed, &fields)?;
    let posts = if fields.contains(&Field::Posts) { proposed.posts.as_slice() } else { &[] };
    let posts = form::posts("application.posts", posts, call, Some(before.application.id))?;
    Ok(Change { form, posts, fields })
}

/// Which applications a list shows.
///
/// # Errors
/// A state or a name that is none.
pub fn filter(asked: &ListApplicationsRequest) -> Result<Filter> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let digits = asked.registration_number.replace([' ', '.', '-'], "");
    let structure = given(&asked.structure).map(|name| StructureId::parse_name("structure", &name));
    Ok(Filter {
        department: given(&asked.department),
        state: State::optional("state", asked.state)?,
        registration_number: given(&digits),
        structure: structure.transpose()?,
    })
}

/// Which posts are granted, and in which wave.
///
/// # Errors
/// A name or a count that is none.
pub fn grant(asked: GrantPostsRequest) -> Result<Grant> {
    let application = ApplicationId::parse_name("name", &asked.name)?;
    let post = |(place, name): (usize, &String)| form::post_of(&format!("posts[{place}]"), name, application);
    let posts = asked.posts.iter().enumerate().map(post).collect::<Result<Vec<_>>>()?;
    Ok(Grant {
        application,
        wave: WaveId::parse_name("wave", &asked.wave)?,
        selection: Selection::requested(asked.count, posts)?,
        etag: asked.etag,
    })
}

/// A line of a file of the past.
///
/// # Errors
/// What cannot be read of it.
pub fn line(asked: &RecordPastGrantRequest) -> Result<past::Line> {
    let profile = asked.profile.as_ref().ok_or_else(|| wire::required("profile"))?;
    let (profile, warnings) = form::past_profile(profile)?;
    let posts = usize::try_from(asked.posts).map_err(|_| {
        Error::invalid("posts", "INVALID_COUNT", "a number of posts is expected", "un nombre de postes est attendu")
    })?;
    Ok(past::Line {
        profile,
        // One more than the limit is enough for the domain to refuse them.
        posts: posts.min(MAX_POSTS + 1),
        committee_date: wire::required_date("committee_date", asked.committee_date.as_ref())?,
        source_id: asked.source_id.trim().to_owned(),
        warnings,
    })
}

impl From<past::Recorded> for RecordPastGrantResponse {
    fn from(recorded: past::Recorded) -> Self {
        Self {
            application: Some(recorded.stored.into()),
            outcome: recorded.found.to_wire(),
            warnings: recorded.warnings,
        }
    }
}
