//! `doctor`: looks at everything that a platform needs, and says what is not well and how to mend it.

use std::{process::ExitCode, time::Duration};

use comfy_table::{Table, presets::UTF8_BORDERS_ONLY};
use conum_finance::commands::auditing;
use conum_kernel::{Clock, Error};
use conum_proto::operations::v1::{GetEventLagRequest, dead_letters_service_client::DeadLettersServiceClient};
use conum_service::{
    Caller, Failure, Store,
    config::Config,
    host,
    identity::{KeyPair, Signer},
    lifecycle::{self, IDENTITY_KEY, LINKS_KEY},
    sql,
};

use crate::platform::SERVICES;

/// How long a peer may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was found of one thing.
struct Finding {
    what: String,
    well: bool,
    said: String,
}

fn finding(what: impl Into<String>, outcome: Result<String, String>) -> Finding {
    let well = outcome.is_ok();
    Finding { what: what.into(), well, said: outcome.unwrap_or_else(|said| said) }
}

/// Examines a platform. The exit code is 0 where all is well.
///
/// # Errors
/// None that it could not name in its table.
pub(crate) async fn run(config: &Config) -> Result<ExitCode, Error> {
    let mut findings = vec![finding("configuration", Ok(format!("data in {}", config.data.display())))];
    findings.push(clock());
    let keys = keys(config);
    findings.extend(keys.0);
    for service in SERVICES {
        findings.push(database(config, service.name).await);
        findings.push(peer(config, service.name, keys.1.as_ref()).await);
    }
    findings.push(ledger(config).await);
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(["", "what", "finding"]);
    for finding in &findings {
        table.add_row([if finding.well { "ok" } else { "!!" }, &finding.what, &finding.said]);
    }
    println!("{table}");
    Ok(if findings.iter().all(|finding| finding.well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn clock() -> Finding {
    let now = Clock::system().now();
    // The programme began in 2020: a clock before that was never set.
    let outcome = if now.as_second() > 1_600_000_000 {
        Ok(now.to_string())
    } else {
        Err(format!("{now}: the machine's clock is not set"))
    };
    finding("clock", outcome)
}

fn keys(config: &Config) -> (Vec<Finding>, Option<Signer>) {
    let folder = config.keys();
    let mut findings = Vec::new();
    let mut signer = None;
    for name in [IDENTITY_KEY, LINKS_KEY] {
        // A doctor looks; it makes nothing.
        let outcome = if folder.join(format!("{name}.key.pem")).exists() {
            KeyPair::open(&folder, name).map_err(|error| error.to_string()).map(|pair| {
                if name == IDENTITY_KEY {
                    signer = pair.signer(&Clock::system()).ok();
                }
                "readable".to_owned()
            })
        } else {
            Err(format!("none in {}: made at the first start of a service", folder.display()))
        };
        findings.push(finding(format!("key {name}"), outcome));
    }
    (findings, signer)
}

async fn database(config: &Config, service: &str) -> Finding {
    let url = config.database_url(service);
    let what = format!("database {service}");
    if absent(&url) {
        return finding(what, Err("none yet: made by `conum migrate`, or at the first start".into()));
    }
    let look = async {
        let store = Store::open(&url).await?;
        let query = "SELECT count(*) AS n FROM seaql_migrations";
        let row = sql::one(store.read(), query, []).await.map_err(|_| Error::not_found("migrations"))?;
        row.map_or(Ok(0), |row| row.try_get::<i64>("", "n")).map_err(Error::internal)
    };
    finding(what, look.await.map(|applied| format!("{applied} migrations applied")).map_err(|error| error.to_string()))
}

/// Recomputes the whole ledger from its entries (F10).
async fn ledger(config: &Config) -> Finding {
    let what = "ledger of finance";
    let url = config.database_url(conum_finance::NAME);
    if absent(&url) {
        return finding(what, Ok("nothing in it yet".into()));
    }
    let audit = async {
        let store = Store::open(&url).await?;
        auditing::at_once(store.read()).await.map_err(Failure::into_error)
    };
    finding(
        what,
        match audit.await {
            Ok(audit) => match audit.findings.first() {
                None => Ok(format!("balanced: {} conventions, {} entries", audit.conventions, audit.entries)),
                Some(first) => {
                    Err(format!("{} findings, the first: {} at {}", audit.findings.len(), first.reason, first.at))
                }
            },
            Err(error) => Err(error.to_string()),
        },
    )
}

/// Whether a URL names a SQLite file that is not there.
fn absent(url: &str) -> bool {
    let file = url.strip_prefix("sqlite://").map(|rest| rest.split('?').next().unwrap_or(rest));
    file.is_some_and(|file| !std::path::Path::new(file).exists())
}

async fn peer(config: &Config, service: &str, signer: Option<&Signer>) -> Finding {
    let what = format!("service {service}");
    let (Some(url), Some(signer)) = (config.peers.get(service), signer) else {
        return finding(what, Err("no peer of this name, or no key to call it with".into()));
    };
    let ask = async {
        let mut request = tonic::Request::new(GetEventLagRequest { name: format!("services/{service}/eventLag") });
        request.set_timeout(PATIENCE);
        host::sign(signer, &mut request, &Caller::service("doctor"), service).await?;
        let mut client = DeadLettersServiceClient::new(lifecycle::channel(url)?);
        let answer = tokio::time::timeout(PATIENCE, client.get_event_lag(request)).await;
        answer.map_err(|_| Error::deadline())?.map_err(|status| Error::unavailable(status.code()))
    };
    let outcome = match ask.await {
        Ok(answer) => {
            let lag = answer.into_inner();
            let said = format!(
                "serving at {url}; {} events pending, {} parked, {} dead letters, {} mails waiting",
                lag.pending, lag.parked, lag.dead_letters, lag.mails_pending
            );
            if lag.dead_letters == 0 { Ok(said) } else { Err(format!("{said}: redrive or mend them")) }
        }
        Err(_) => Err(format!("not reached at {url}")),
    };
    finding(what, outcome)
}
