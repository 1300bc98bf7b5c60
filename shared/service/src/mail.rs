//! Mail to people: queued in the transaction of the fact, rendered at sending by the service that owns the person,
//! written to a folder as `.eml` files or handed to an SMTP server.
//!
//! Never lost, because it is marked as sent only after the server has accepted it, or its file is durable; twice only if
//! the process dies between the two, and then with the same `Message-ID`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use conum_kernel::Error;
use futures::{
    future::{BoxFuture, FutureExt as _},
    stream::{self, StreamExt as _},
};
use jiff::{SignedDuration, Timestamp};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
};
use serde::Serialize;
use serde_json::Value as Json;

use crate::{
    Call, Failure, Host, Tx,
    sql::{self, Script},
    threads,
};

/// How many mails one step sends.
const BATCH: i64 = 100;
/// How many of them are written, or on their way to a server, at once.
const AT_ONCE: usize = 64;

/// A mail that waits.
#[derive(Clone, Debug)]
pub struct Queued {
    pub id: String,
    pub kind: String,
    /// The resource name of whom it goes to.
    pub recipient: String,
    /// Ids and facts.
    pub facts: Json,
}

/// A mail ready to leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    paragraphs: Vec<String>,
    buttons: Vec<(String, String)>,
}

impl Letter {
    /// A letter to an address.
    pub fn new(to: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { to: to.into(), subject: subject.into(), ..Self::default() }
    }

    #[must_use]
    pub fn paragraph(mut self, text: impl Into<String>) -> Self {
        self.paragraphs.push(text.into());
        self
    }

    /// A button that opens a page.
    #[must_use]
    pub fn button(mut self, label: impl Into<String>, url: impl Into<String>) -> Self {
        self.buttons.push((label.into(), url.into()));
        self
    }

    fn text(&self) -> String {
        let mut text = self.paragraphs.join("\n\n");
        for (label, url) in &self.buttons {
            let _ = write!(text, "\n\n{label} :\n{url}");
        }
        text.push_str("\n\n--\nConseiller numérique\n");
        text
    }

    fn html(&self) -> String {
        let mut body = String::new();
        for paragraph in &self.paragraphs {
            let _ = writeln!(body, "<p>{}</p>", escape(paragraph).replace('\n', "<br>\n"));
        }
        for (label, url) in &self.buttons {
            let _ = writeln!(
                body,
                "<p><a href=\"{}\" style=\"display:inline-block;padding:10px 18px;background:#000091;color:#fff;\
                 text-decoration:none\">{}</a></p>",
                escape(url),
                escape(label)
            );
        }
        format!(
            "<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\"><title>{}</title></head>\
             <body style=\"font-family:sans-serif;max-width:40em\">\n{body}<p>Conseiller numérique</p></body></html>\n",
            escape(&self.subject)
        )
    }

    /// The message of RFC 5322, with a text and an HTML part. Its `Message-ID` follows from the mail's id.
    ///
    /// # Errors
    /// Internal where an address cannot be written in a header.
    pub fn message(&self, id: &str, from: &Mailbox, at: Timestamp) -> Result<Message, Error> {
        let domain = from.email.domain();
        let to: Mailbox = self.to.parse().map_err(|_| Error::internal("an address cannot be written in a header"))?;
        Message::builder()
            .from(from.clone())
            .to(to)
            .subject(self.subject.clone())
            .message_id(Some(format!("<{id}@{domain}>")))
            .date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)))
            .multipart(MultiPart::alternative_plain_html(self.text(), self.html()))
            .map_err(Error::internal)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Writes a service's letters when they are sent.
pub trait Letters: Send + Sync + 'static {
    /// The letter of a queued mail; nothing where the person is gone.
    fn write<'t>(&'t self, host: &'t Host, mail: &'t Queued) -> BoxFuture<'t, Result<Option<Letter>, Failure>>;
}

/// Queues a mail. `id` names it for good: the same id again is the same mail.
///
/// # Errors
/// The database's.
pub async fn queue(
    tx: &Tx,
    call: &Call,
    id: &str,
    kind: &str,
    recipient: &str,
    facts: &(impl Serialize + Sync),
) -> Result<(), Failure> {
    let mut script = Script::default();
    add(&mut script, call, id, kind, recipient, facts)?;
    Ok(script.run(tx).await?)
}

/// Adds the queueing of a mail to a script, as [`queue`] does it.
///
/// # Errors
/// Internal where the facts cannot be written.
pub fn add(
    script: &mut Script,
    call: &Call,
    id: &str,
    kind: &str,
    recipient: &str,
    facts: &impl Serialize,
) -> Result<(), Failure> {
    let facts = serde_json::to_string(facts).map_err(Error::internal)?;
    let now = sql::instant(call.moment.now);
    script.add(
        "INSERT INTO mails (id, kind, recipient, facts, queued_at, attempts, retry_at)
         VALUES ($1, $2, $3, $4, $5, 0, $5) ON CONFLICT (id) DO NOTHING",
        [id.into(), kind.into(), recipient.into(), facts.into(), now.into()],
    );
    Ok(())
}

/// Erases the mails of somebody who is erased, sent or not (C07): nothing more is sent, and the mailer takes the files
/// away, then the rows.
///
/// # Errors
/// The database's.
pub async fn erase(tx: &Tx, call: &Call, recipient: &str) -> Result<(), Failure> {
    sql::execute(
        tx,
        "UPDATE mails SET facts = '{}', outcome = 'erased', sent_at = COALESCE(sent_at, $2) WHERE recipient = $1",
        [recipient.into(), sql::instant(call.moment.now).into()],
    )
    .await?;
    Ok(())
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum Post {
    /// One `.eml` file a mail.
    Folder(PathBuf),
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
}

impl Post {
    /// An SMTP server by its URL: `smtp://host:25`, `smtps://user:password@host:465`,
    /// `smtp://host:587?tls=required`.
    ///
    /// # Errors
    /// Internal where the URL says nothing that lettre understands.
    pub fn smtp(url: &str) -> Result<Self, Error> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(Error::internal)?.build();
        Ok(Self::Smtp(Box::new(transport)))
    }

    /// Hands over mails, each with its id; answers what became of each.
    async fn send(&self, mails: Vec<(String, Message)>) -> Vec<Result<(), Error>> {
        match self {
            Self::Folder(folder) => {
                let (folder, count) = (folder.clone(), mails.len());
                let written = tokio::task::spawn_blocking(move || write_files(&folder, &mails)).await;
                let written = written.map_err(Error::internal).and_then(|written| written.map_err(Error::unavailable));
                vec![written; count]
            }
            Self::Smtp(transport) => {
                let send = async |message| transport.send(message).await.map(drop).map_err(Error::unavailable);
                stream::iter(mails).map(|(_, message)| send(message)).buffered(AT_ONCE).collect().await
            }
        }
    }

    /// Takes back what is kept of a mail: its file. What a server has accepted is out of reach.
    async fn remove(&self, id: &str) -> Result<(), Error> {
        let Self::Folder(folder) = self else { return Ok(()) };
        for extension in ["eml", "partial"] {
            match tokio::fs::remove_file(folder.join(format!("{id}.{extension}"))).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::unavailable(error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Writes a file for each mail. All of them are durable when it returns.
fn write_files(folder: &Path, mails: &[(String, Message)]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let together = cfg!(target_os = "linux") && mails.len() > FEW;
    for (id, message) in mails {
        threads::breathe();
        let (partial, whole) = (folder.join(format!("{id}.partial")), folder.join(format!("{id}.eml")));
        let mut file = std::fs::File::create(&partial)?;
        file.write_all(&message.formatted())?;
        if !together {
            file.sync_data()?;
        }
        std::fs::rename(partial, whole)?;
    }
    if together { sync(folder) } else { Ok(()) }
}

/// How many files are synced each by itself; more of them together, with their file system.
const FEW: usize = 16;

#[cfg(target_os = "linux")]
fn sync(folder: &Path) -> std::io::Result<()> {
    Ok(rustix::fs::syncfs(std::fs::File::open(folder)?)?)
}

#[cfg(not(target_os = "linux"))]
fn sync(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Sends a service's mails.
#[derive(Clone)]
pub struct Mailer {
    letters: Arc<dyn Letters>,
    post: Post,
    from: Mailbox,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("post", &self.post).finish_non_exhaustive()
    }
}

impl Mailer {
    /// # Errors
    /// Internal where `from` is no mailbox.
    pub fn new(letters: Arc<dyn Letters>, post: Post, from: &str) -> Result<Self, Error> {
        Ok(Self { letters, post, from: from.parse().map_err(Error::internal)? })
    }

    /// Sends what is due, the longest due first. Answers how many mails were settled.
    ///
    /// # Errors
    /// The own database's; a server's are noted and tried again later.
    pub async fn step(&self, host: &Host) -> Result<usize, Failure> {
        let swept = self.sweep(host).await?;
        let now = host.clock().now();
        let rows = sql::all(
            host.store().read(),
            "SELECT id, kind, recipient, facts, attempts, queued_at FROM mails WHERE sent_at IS NULL AND retry_at <= $1
             ORDER BY retry_at, id LIMIT $2",
            [sql::instant(now).into(), BATCH.into()],
        )
        .await?;
        if rows.is_empty() {
            return Ok(swept);
        }
        let waiting = rows.iter().map(waiting).collect::<Result<Vec<_>, _>>()?;
        let settled = self.send(host, &waiting).await;
        let sent = settled.iter().filter(|(_, _, outcome)| outcome.is_ok()).count();
        for erased in note(host, settled, now).await? {
            self.post.remove(&erased).await?;
        }
        Ok(swept + sent)
    }

    /// Takes the mails of erased people away; answers how many there were.
    async fn sweep(&self, host: &Host) -> Result<usize, Failure> {
        let erased = "SELECT id FROM mails WHERE outcome = 'erased' ORDER BY id LIMIT $1";
        let rows = sql::all(host.store().read(), erased, [BATCH.into()]).await?;
        let ids = rows.iter().map(|row| row.try_get("", "id")).collect::<Result<Vec<String>, _>>()?;
        if ids.is_empty() {
            return Ok(0);
        }
        for id in &ids {
            self.post.remove(id).await?;
        }
        let count = ids.len();
        host.store()
            .write(move |tx| {
                let delete = format!("DELETE FROM mails WHERE id IN ({})", sql::parameters(1, ids.len()));
                let ids: Vec<sea_orm::Value> = ids.iter().map(|id| id.clone().into()).collect();
                Box::pin(async move { Ok(sql::execute(tx, &delete, ids).await?) })
            })
            .await?;
        Ok(count)
    }

    /// Sends mails; answers what became of each.
    async fn send(&self, host: &Host, waiting: &[Waiting]) -> Vec<Settled> {
        let futures: Vec<_> = waiting.iter().map(|mail| self.write(host, mail).boxed()).collect();
        let written: Vec<_> = stream::iter(futures).buffered(AT_ONCE).collect().await;
        let (mut settled, mut ready, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        for (mail, message) in waiting.iter().zip(written) {
            match message {
                Ok(Some(message)) => {
                    messages.push((mail.queued.id.clone(), message));
                    ready.push(mail);
                }
                Ok(None) => settled.push(mail.settled(Ok(Some("recipient_gone")))),
                Err(error) => settled.push(mail.settled(Err(error))),
            }
        }
        let sent = self.post.send(messages).await;
        settled.extend(ready.iter().zip(sent).map(|(mail, sent)| mail.settled(sent.map(|()| None))));
        settled
    }

    /// Writes one mail; nothing where there is nobody to send it to.
    async fn write(&self, host: &Host, mail: &Waiting) -> Result<Option<Message>, Error> {
        threads::breathe();
        let Some(letter) = self.letters.write(host, &mail.queued).await? else { return Ok(None) };
        letter.message(&mail.queued.id, &self.from, mail.queued_at).map(Some)
    }
}

/// A mail that waits, when it was queued, and how often it was tried.
struct Waiting {
    queued: Queued,
    queued_at: Timestamp,
    attempts: i32,
}

impl Waiting {
    fn settled(&self, outcome: Result<Option<&'static str>, Error>) -> Settled {
        (self.queued.id.clone(), self.attempts, outcome)
    }
}

fn waiting(row: &sea_orm::QueryResult) -> Result<Waiting, Failure> {
    let facts: String = row.try_get("", "facts")?;
    let queued = Queued {
        id: row.try_get("", "id")?,
        kind: row.try_get("", "kind")?,
        recipient: row.try_get("", "recipient")?,
        facts: serde_json::from_str(&facts).map_err(Error::internal)?,
    };
    let queued_at = sql::timestamp(row.try_get::<DateTime<Utc>>("", "queued_at")?);
    Ok(Waiting { queued, queued_at, attempts: row.try_get("", "attempts")? })
}

/// The id of a mail, how often it was tried, and what became of it: why it was not sent, where there was nobody to send it
/// to.
type Settled = (String, i32, Result<Option<&'static str>, Error>);

/// What is noted of a mail: when it was settled, why it was not sent where there was nobody to send it to, and when it is
/// tried again.
type Noted = (Option<Timestamp>, Option<&'static str>, Timestamp);

/// Notes what became of mails; answers those whose recipient was erased meanwhile.
async fn note(host: &Host, settled: Vec<Settled>, now: Timestamp) -> Result<Vec<String>, Failure> {
    let mut alike: BTreeMap<Noted, BTreeSet<String>> = BTreeMap::new();
    for (id, attempts, outcome) in settled {
        let noted = match outcome {
            Ok(outcome) => (Some(now), outcome, now),
            Err(error) => {
                tracing::warn!(mail = id, %error, "mail not sent; it will be tried again");
                let pause = SignedDuration::from_secs(1_i64 << attempts.clamp(0, 10));
                (None, None, now.saturating_add(pause).unwrap_or(now))
            }
        };
        alike.entry(noted).or_default().insert(id);
    }
    let alike = Arc::new(alike);
    host.store()
        .write(move |tx| {
            let alike = alike.clone();
            Box::pin(async move {
                let mut erased = Vec::new();
                for (noted, ids) in alike.iter() {
                    erased.extend(note_alike(tx, *noted, ids).await?);
                }
                Ok(erased)
            })
        })
        .await
}

/// Notes the same of several mails; answers those that it was too late for.
async fn note_alike(tx: &Tx, noted: Noted, ids: &BTreeSet<String>) -> Result<Vec<String>, Failure> {
    let (sent_at, outcome, retry_at) = noted;
    // What has left needs its facts no more: some are secrets.
    let facts = if sent_at.is_some() { "'{}'" } else { "facts" };
    let update = format!(
        "UPDATE mails SET sent_at = $1, outcome = $2, attempts = attempts + 1, retry_at = $3, facts = {facts}
         WHERE id IN ({}) AND (outcome IS NULL OR outcome <> 'erased') RETURNING id",
        sql::parameters(4, ids.len())
    );
    let mut values: Vec<sea_orm::Value> =
        vec![sent_at.map(sql::instant).into(), outcome.into(), sql::instant(retry_at).into()];
    values.extend(ids.iter().map(|id| id.clone().into()));
    let mut late = ids.clone();
    for row in sql::all(tx, &update, values).await? {
        late.remove(&row.try_get::<String>("", "id")?);
    }
    Ok(late.into_iter().collect())
}

/// The mails that were sent to somebody: kind and time, oldest first.
///
/// # Errors
/// The database's.
pub async fn sent_to(host: &Host, recipient: &str) -> Result<Vec<(String, Timestamp)>, Failure> {
    let rows = sql::all(
        host.store().read(),
        "SELECT kind, sent_at FROM mails WHERE recipient = $1 AND sent_at IS NOT NULL AND outcome IS NULL
         ORDER BY queued_at, id",
        [recipient.into()],
    )
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "kind")?, sql::timestamp(row.try_get::<DateTime<Utc>>("", "sent_at")?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_has_a_text_and_an_html_part_and_a_message_id_of_its_own() {
        let letter =
            Letter::new("a@exemple.fr", "Objet").paragraph("Un & deux <trois>").button("Répondre", "http://x/?a=1&b=2");
        let from = "Conum <no-reply@conum.example>".parse().unwrap();
        let message = letter.message("m1", &from, "2021-01-01T00:00:00Z".parse().unwrap()).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(text.contains("Message-ID: <m1@conum.example>"), "{text}");
        assert!(text.contains("text/plain") && text.contains("text/html"));
        assert!(letter.html().contains("Un &amp; deux &lt;trois&gt;"));
    }

    #[test]
    fn an_address_cannot_smuggle_a_header() {
        let letter = Letter::new("a@exemple.fr\r\nBcc: b@exemple.fr", "Objet");
        let from = "no-reply@conum.example".parse().unwrap();
        assert!(letter.message("m1", &from, Timestamp::UNIX_EPOCH).is_err());
    }
}
