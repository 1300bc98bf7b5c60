//! The audit of the whole ledger (F10): balances, chains and seals are recomputed from the entries alone, and compared with
//! what is kept and with the instalments and claims themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use conum_kernel::{Cents, ConventionId, PostId};
use conum_service::{Failure, Reader};
use sea_orm::ConnectionTrait;

use crate::{
    domain::{
        chain::{self, Finding, Sealed, finding},
        convention::{Convention, total},
        instalment::State,
        ledger::{Account, Balances},
    },
    storage::{claims, conventions, instalments, ledger, orders, seals},
};

/// What an audit came to.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    pub conventions: i64,
    pub entries: i64,
    pub seals: i64,
    pub findings: Vec<Finding>,
}

/// Audits the ledger as it stands at one moment, whatever is written meanwhile.
///
/// # Errors
/// The database's.
pub async fn at_once(connection: &Reader) -> Result<Audit, Failure> {
    audit(&*connection.snapshot().await?).await
}

/// Audits the ledger. `connection` sees one state of it.
///
/// # Errors
/// The database's.
pub async fn audit<C: ConnectionTrait>(connection: &C) -> Result<Audit, Failure> {
    let mut audit = Audit::default();
    let sealed = all_seals(connection).await?;
    audit.seals = i64::try_from(sealed.len()).unwrap_or(i64::MAX);
    // The hash that the entry of each sealed head has now.
    let mut hashes: HashMap<(ConventionId, i64), Option<String>> = HashMap::new();
    for head in sealed.iter().flat_map(|(_, heads)| heads) {
        hashes.insert((head.convention, head.number), None);
    }
    let mut after = String::new();
    loop {
        let page = conventions::after(connection, &after, 500).await?;
        let Some(last) = page.last() else { break };
        after = last.to_string();
        for id in page {
            let entries = ledger::entries(connection, id, 0, u64::from(u32::MAX)).await?;
            audit.conventions += 1;
            audit.entries += i64::try_from(entries.len()).unwrap_or(i64::MAX);
            for entry in &entries {
                if let Some(hash) = hashes.get_mut(&(id, entry.number)) {
                    *hash = Some(entry.hash.clone());
                }
            }
            let (head, balances) = chain::check(&entries, &mut audit.findings);
            if ledger::head(connection, id).await? != head {
                audit.findings.push(finding("HEAD_DIFFERS", id.to_string()));
            }
            compare(connection, id, &balances, &mut audit.findings).await?;
        }
    }
    let hash_of = |head: &Sealed| hashes.get(&(head.convention, head.number)).cloned().flatten();
    chain::check_seals(&sealed, hash_of, &mut audit.findings);
    let (_, doubled) = orders::counted(connection).await?;
    if doubled > 0 {
        audit.findings.push(finding("PAID_TWICE", doubled.to_string()));
    }
    Ok(audit)
}

async fn all_seals<C: ConnectionTrait>(connection: &C) -> Result<Vec<(chain::Seal, Vec<Sealed>)>, Failure> {
    let mut sealed = Vec::new();
    for seal in seals::list(connection, 0, u64::from(u32::MAX)).await? {
        let heads = seals::heads(connection, seal.number).await?;
        sealed.push((seal, heads));
    }
    Ok(sealed)
}

/// Compares what the entries come to with the balances that are kept, and with the instalments and claims.
async fn compare<C: ConnectionTrait>(
    connection: &C,
    id: ConventionId,
    recomputed: &BTreeMap<PostId, Balances>,
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    let at = |post: PostId| format!("{id} {post}");
    let kept = ledger::kept(connection, id).await?;
    let posts: BTreeSet<&PostId> = recomputed.keys().chain(kept.keys()).collect();
    for post in posts {
        if recomputed.get(post) != kept.get(post) {
            findings.push(finding("BALANCE_DIFFERS", at(*post)));
        }
    }
    let Some(convention) = conventions::find(connection, id).await? else { return Ok(()) };
    let convention = Convention {
        instalments: instalments::of(connection, id).await?,
        claims: claims::of(connection, id).await?,
        ..convention
    };
    for post in &convention.posts {
        let balances = recomputed.get(&post.id).copied().unwrap_or_default();
        if rows(&convention, post.id)?.into_iter().any(|(account, cents)| balances.of(account) != cents) {
            findings.push(finding("ROWS_DIFFER", at(post.id)));
        }
    }
    Ok(())
}

/// What the rows of a post come to, by account.
fn rows(convention: &Convention, post: PostId) -> Result<Vec<(Account, Cents)>, Failure> {
    let own = || convention.instalments.iter().filter(|instalment| instalment.post == post);
    let owed = || convention.claims.iter().filter(|claim| claim.post == post);
    let mut rows = Vec::new();
    for state in [State::ToCome, State::Due, State::Held, State::Sent, State::Paid] {
        let amounts = own().filter(|instalment| instalment.state == state).map(|instalment| instalment.amount);
        rows.push((state.account(), total(amounts)?));
    }
    let reinstated = convention.post(post).map(|post| post.reinstated).unwrap_or_default();
    rows.push((Account::Cancelled, total(own().map(|instalment| instalment.cancelled))?.minus(reinstated)?));
    rows.push((Account::Claimed, total(owed().map(|claim| claim.amount))?));
    rows.push((Account::Repaid, total(owed().flat_map(|claim| [claim.repaid, claim.set_off]))?));
    rows.push((Account::Waived, total(owed().map(|claim| claim.waived))?));
    Ok(rows)
}
