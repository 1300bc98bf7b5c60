//! Claims.

use std::fmt::Write as _;

use chrono::NaiveDate;
use conum_kernel::{ApplicationId, Cents, ClaimId, ConventionId, Error, StructureId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::{claims::Claim, convention::Convention};

/// A claim, with whose it is.
#[derive(Clone, Debug)]
pub struct Listed {
    pub convention: ConventionId,
    pub structure: StructureId,
    pub application: ApplicationId,
    pub claim: Claim,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: String,
    convention: String,
    structure: String,
    application: String,
    post: String,
    recruitment: Option<String>,
    reason: String,
    amount: i64,
    repaid: i64,
    set_off: i64,
    waived: i64,
    waiver: Option<String>,
    decision: Option<String>,
    raised_on: NaiveDate,
}

const COLUMNS: &str =
    "id, convention, structure, application, post, recruitment, reason, amount, repaid, set_off, waived,
    waiver, decision, raised_on";

impl TryFrom<Row> for Listed {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let claim = Claim {
            id: read(row.id.parse())?,
            post: read(row.post.parse())?,
            recruitment: row.recruitment.map(|id| read(id.parse())).transpose()?,
            reason: read(serde_json::from_str(&row.reason))?,
            amount: Cents(row.amount),
            repaid: Cents(row.repaid),
            set_off: Cents(row.set_off),
            waived: Cents(row.waived),
            waiver: row.waiver.map(|text| read(serde_json::from_str(&text))).transpose()?,
            decision: row.decision,
            raised_on: sql::date(row.raised_on)?,
        };
        Ok(Self {
            convention: read(row.convention.parse())?,
            structure: read(row.structure.parse())?,
            application: read(row.application.parse())?,
            claim,
        })
    }
}

impl Record for Listed {
    fn name(&self) -> String {
        self.claim.id.name()
    }

    fn etag(&self) -> String {
        String::new()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let id = ClaimId::parse_name("name", name)?;
            find(tx, id).await?.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

async fn many<C: ConnectionTrait>(connection: &C, rest: &str, values: Vec<Value>) -> Result<Vec<Listed>, Failure> {
    let query = format!("SELECT {COLUMNS} FROM claims WHERE {rest}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Ok(Listed::try_from(row)?)).collect()
}

/// Reads a claim.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: ClaimId) -> Result<Option<Listed>, Failure> {
    Ok(many(connection, "id = $1", vec![id.to_string().into()]).await?.pop())
}

/// The claims of a convention, in the order in which they were raised.
///
/// # Errors
/// The database's.
pub async fn of<C: ConnectionTrait>(connection: &C, convention: ConventionId) -> Result<Vec<Claim>, Failure> {
    let rest = "convention = $1 ORDER BY position";
    let listed = many(connection, rest, vec![convention.to_string().into()]).await?;
    Ok(listed.into_iter().map(|listed| listed.claim).collect())
}

/// Claims after an id, in its order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    structure: Option<StructureId>,
    after: &str,
    limit: u64,
) -> Result<Vec<Listed>, Failure> {
    let (mut rest, mut values): (_, Vec<Value>) = ("id > $1".to_owned(), vec![after.into()]);
    if let Some(structure) = structure {
        values.push(structure.to_string().into());
        rest.push_str(" AND structure = $2");
    }
    let _ = write!(rest, " ORDER BY id LIMIT {limit}");
    many(connection, &rest, values).await
}

/// Writes a claim, new or changed.
///
/// # Errors
/// The database's.
pub(super) async fn save(tx: &Tx, convention: &Convention, position: usize, claim: &Claim) -> Result<(), Failure> {
    let waiver = claim.waiver.map(|reason| read(serde_json::to_string(&reason))).transpose()?;
    sql::execute(
        tx,
        "INSERT INTO claims (id, convention, structure, application, post, recruitment, reason, amount, decision,
           raised_on, position, repaid, set_off, waived, waiver)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (id) DO UPDATE SET repaid = excluded.repaid, set_off = excluded.set_off,
           waived = excluded.waived, waiver = excluded.waiver",
        [
            claim.id.to_string().into(),
            convention.id.to_string().into(),
            convention.structure.to_string().into(),
            convention.application.to_string().into(),
            claim.post.to_string().into(),
            claim.recruitment.map(|id| id.to_string()).into(),
            read(serde_json::to_string(&claim.reason))?.into(),
            claim.amount.0.into(),
            claim.decision.clone().into(),
            sql::day(claim.raised_on).into(),
            i32::try_from(position).unwrap_or(i32::MAX).into(),
            claim.repaid.0.into(),
            claim.set_off.0.into(),
            claim.waived.0.into(),
            waiver.into(),
        ],
    )
    .await?;
    Ok(())
}
