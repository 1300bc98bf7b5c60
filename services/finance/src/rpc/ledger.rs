//! `LedgerService`: entries, balances, audit and seals.

use conum_kernel::{Cents, ConventionId, Error};
use conum_proto::finance::v1::{
    AuditLedgerRequest, GetLedgerBalancesRequest, LedgerAudit, LedgerBalances, LedgerEntry, LedgerFinding, LedgerLine,
    LedgerSeal, ListLedgerEntriesRequest, ListLedgerEntriesResponse, ListLedgerSealsRequest, ListLedgerSealsResponse,
    ledger_service_server::LedgerService,
};
use conum_service::{Failure, Host, paging::Page, wire};
use tonic::{Request, Response, Status};

use super::{reading, require_party};
use crate::{
    commands::auditing,
    domain::{
        chain::{Entry, Seal},
        ledger::{Account, Line, Side},
    },
    storage::{
        conventions,
        ledger::{self, Scope},
        seals,
    },
};

/// How many findings an audit tells.
const MOST: usize = 1_000;

/// The rpc of the ledger.
#[derive(Clone, Debug)]
pub struct Ledger(pub Host);

impl From<Line> for LedgerLine {
    fn from(line: Line) -> Self {
        let on = |side| if line.side == side { line.cents.0 } else { Cents::ZERO.0 };
        Self {
            post: line.post.name(),
            account: line.account.text().into(),
            debit_cents: on(Side::Debit),
            credit_cents: on(Side::Credit),
        }
    }
}

impl From<Entry> for LedgerEntry {
    fn from(entry: Entry) -> Self {
        Self {
            name: format!("{}/ledgerEntries/{}", entry.convention.name(), entry.number),
            number: entry.number,
            at: Some(wire::from_timestamp(entry.at)),
            kind: entry.kind,
            rule: entry.rule,
            cause: entry.cause,
            lines: entry.lines.into_iter().map(Into::into).collect(),
            previous: entry.previous,
            hash: entry.hash,
        }
    }
}

impl From<Seal> for LedgerSeal {
    fn from(seal: Seal) -> Self {
        Self {
            name: format!("ledgerSeals/{}", seal.number),
            sealed_on: Some(wire::from_date(seal.sealed_on)),
            heads: seal.heads,
            digest: seal.digest,
            previous: seal.previous,
            hash: seal.hash,
        }
    }
}

/// Whose balances a scope asks for.
fn scope(name: &str) -> Result<Scope, Error> {
    match name {
        "" => Ok(Scope::Whole),
        name if name.starts_with("conventions/") => ConventionId::parse_name("scope", name).map(Scope::Convention),
        name => reading::post("scope", name).map(Scope::Post),
    }
}

#[tonic::async_trait]
impl LedgerService for Ledger {
    async fn list_ledger_entries(
        &self,
        request: Request<ListLedgerEntriesRequest>,
    ) -> Result<Response<ListLedgerEntriesResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let id = ConventionId::parse_name("parent", &asked.parent).map_err(Failure::from)?;
        let found = conventions::find(self.0.store().read(), id).await?;
        let found = found.ok_or_else(|| Failure::from(Error::not_found(&asked.parent)))?;
        require_party(&call, &found).map_err(Failure::from)?;
        let list = format!("ledgerEntries?{id}");
        let page = Page::read(&list, asked.page_size, 100, &asked.page_token).map_err(Failure::from)?;
        let after = page.after.parse().unwrap_or(0);
        let entries = ledger::entries(self.0.store().read(), id, after, page.limit()).await?;
        let (entries, next_page_token) = page.cut(entries, |entry| entry.number.to_string());
        let entries = entries.into_iter().map(Into::into).collect();
        Ok(Response::new(ListLedgerEntriesResponse { entries, next_page_token }))
    }

    async fn get_ledger_balances(
        &self,
        request: Request<GetLedgerBalancesRequest>,
    ) -> Result<Response<LedgerBalances>, Status> {
        let asked = request.into_inner();
        let scope = scope(&asked.scope).map_err(Failure::from)?;
        let balances = ledger::sum(self.0.store().read(), scope).await?;
        let of = |account| balances.of(account).0;
        Ok(Response::new(LedgerBalances {
            scope: asked.scope,
            granted_cents: of(Account::Granted),
            to_come_cents: of(Account::ToCome),
            due_cents: of(Account::Due),
            held_cents: of(Account::Held),
            sent_cents: of(Account::Sent),
            paid_cents: of(Account::Paid),
            cancelled_cents: of(Account::Cancelled),
            claimed_cents: of(Account::Claimed),
            outstanding_cents: of(Account::Outstanding),
            repaid_cents: of(Account::Repaid),
            waived_cents: of(Account::Waived),
        }))
    }

    async fn audit_ledger(&self, _: Request<AuditLedgerRequest>) -> Result<Response<LedgerAudit>, Status> {
        let audit = auditing::at_once(self.0.store().read()).await?;
        let told = audit.findings.iter().take(MOST);
        Ok(Response::new(LedgerAudit {
            name: "ledgerAudit".into(),
            balanced: audit.findings.is_empty(),
            conventions: audit.conventions,
            entries: audit.entries,
            seals: audit.seals,
            findings: told
                .map(|finding| LedgerFinding { reason: finding.reason.into(), at: finding.at.clone() })
                .collect(),
        }))
    }

    async fn list_ledger_seals(
        &self,
        request: Request<ListLedgerSealsRequest>,
    ) -> Result<Response<ListLedgerSealsResponse>, Status> {
        let asked = request.into_inner();
        let page = Page::read("ledgerSeals", asked.page_size, 100, &asked.page_token).map_err(Failure::from)?;
        let after = page.after.parse().unwrap_or(0);
        let found = seals::list(self.0.store().read(), after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |seal| seal.number.to_string());
        let seals = found.into_iter().map(Into::into).collect();
        Ok(Response::new(ListLedgerSealsResponse { seals, next_page_token }))
    }
}
