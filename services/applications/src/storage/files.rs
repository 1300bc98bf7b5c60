//! The store of supporting documents (A12): one object for each, under its application, its kind and its SHA-256.
//!
//! Nothing is ever half-written: bytes are received under a name of their own, checked while they come, and moved to
//! their place once they are right. The row that makes a document known comes last.

use std::sync::Arc;

use bytes::Bytes;
use conum_kernel::{ApplicationId, Error, Ids, Result, Rule};
use conum_service::config::Config;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use jiff::{SignedDuration, Timestamp};
use object_store::{
    ObjectStore, ObjectStoreExt as _, WriteMultipart, aws::AmazonS3Builder, local::LocalFileSystem, path::Path,
    prefix::PrefixStore,
};
use sha2::{Digest as _, Sha256};

use crate::domain::documents::{DocumentKind, MAX_BYTES, Upload};

/// Where bytes are received.
const RECEIVED: &str = "uploads";
/// How long something may be received before it is taken for broken off.
const BROKEN_OFF: SignedDuration = SignedDuration::from_hours(24);

/// The store. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Files(Arc<dyn ObjectStore>);

/// The bucket of a URL `s3://bucket/folder`, reached as the `AWS_` variables say.
fn bucket(url: &str) -> Option<Arc<dyn ObjectStore>> {
    let (bucket, folder) = url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
    // The one provider of cryptography of the whole process; another part may have chosen the same before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let store = builder.build().ok().filter(|_| !bucket.is_empty())?;
    Some(Arc::new(PrefixStore::new(store, Path::from(folder))))
}

fn unavailable(error: object_store::Error) -> Error {
    Error::unavailable(error)
}

/// The place of a document.
fn place(application: ApplicationId, kind: DocumentKind, sha256: &str) -> Path {
    Path::from_iter([application.to_string().as_str(), kind.key(), sha256])
}

impl Files {
    /// Opens the store: the folder `documents` of the data folder, or what the settings name.
    ///
    /// # Errors
    /// Internal where the folder cannot be made; `CONFIGURATION` where the URL is none of a store.
    pub fn open(config: &Config) -> Result<Self> {
        match &config.documents_url {
            None => Self::local(config),
            Some(url) => bucket(url).map(Self).ok_or_else(|| {
                let message = "configuration: documents_url is no URL of a bucket, or its variables are wrong";
                Error::precondition("CONFIGURATION", message, message)
            }),
        }
    }

    fn local(config: &Config) -> Result<Self> {
        let folder = config.data.join("documents");
        std::fs::create_dir_all(&folder).map_err(Error::internal)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(Error::internal)?;
        Ok(Self(Arc::new(store.with_automatic_cleanup(true).with_fsync(true))))
    }

    /// Begins to receive a document of which this was said.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn receive(&self, said: Upload) -> Result<Incoming> {
        // Of nobody's concern once it has moved: not an id of the programme.
        let name = Ids::random().uuid(said.at, "", "upload").simple().to_string();
        let path = Path::from_iter([RECEIVED, &name]);
        let upload = self.0.put_multipart(&path).await.map_err(unavailable)?;
        let writer = WriteMultipart::new(upload);
        Ok(Incoming { files: self.clone(), path, writer, said, hash: Sha256::new(), size: 0, head: Vec::new() })
    }

    /// The bytes of a document.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn read(
        &self,
        application: ApplicationId,
        kind: DocumentKind,
        sha256: &str,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let found = self.0.get(&place(application, kind, sha256)).await.map_err(unavailable)?;
        Ok(found.into_stream().map_err(unavailable).boxed())
    }

    /// Whether a document is in its place.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn hold(&self, application: ApplicationId, kind: DocumentKind, sha256: &str) -> Result<bool> {
        match self.0.head(&place(application, kind, sha256)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Takes a document away, where there is one.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn remove(&self, application: ApplicationId, kind: DocumentKind, sha256: &str) -> Result<()> {
        match self.0.delete(&place(application, kind, sha256)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Takes away what was received and never moved to its place, because a process died in between. Answers how much.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize> {
        let before = now.saturating_sub(BROKEN_OFF).unwrap_or(Timestamp::MIN).as_second();
        let received: Vec<_> = self.0.list(Some(&Path::from(RECEIVED))).try_collect().await.map_err(unavailable)?;
        let mut swept = 0;
        for object in received.iter().filter(|object| object.last_modified.timestamp() < before) {
            self.0.delete(&object.location).await.map_err(unavailable)?;
            swept += 1;
        }
        Ok(swept)
    }
}

/// A document that is being received.
#[derive(Debug)]
pub struct Incoming {
    files: Files,
    path: Path,
    writer: WriteMultipart,
    said: Upload,
    hash: Sha256,
    size: u64,
    /// The first bytes: they tell what it is.
    head: Vec<u8>,
}

impl Incoming {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// `SIZE_MISMATCH` (A12) where more come than was said; unavailable.
    pub async fn write(&mut self, bytes: &Bytes) -> Result<()> {
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.size > self.said.size.min(MAX_BYTES) {
            return Err(mismatch("SIZE_MISMATCH", "size", "more or fewer bytes came than was said", "la taille"));
        }
        self.hash.update(bytes);
        if self.head.len() < MAGIC {
            self.head.extend(bytes.iter().take(MAGIC - self.head.len()));
        }
        self.writer.wait_for_capacity(1).await.map_err(unavailable)?;
        self.writer.put(bytes.clone());
        Ok(())
    }

    /// Gives up: nothing is left.
    pub async fn abort(self) {
        if let Err(error) = self.writer.abort().await {
            tracing::warn!(%error, "what was received could not be taken away; it will be swept");
        }
    }

    /// Checks what came against what was said, and moves it to its place.
    ///
    /// # Errors
    /// `SIZE_MISMATCH`, `HASH_MISMATCH` or `TYPE_MISMATCH` (A12), and nothing is left; unavailable.
    pub async fn place(self, application: ApplicationId, kind: DocumentKind) -> Result<()> {
        if let Err(error) = self.check() {
            self.abort().await;
            return Err(error);
        }
        let Self { files, path, writer, hash, .. } = self;
        let sha256 = hex::encode(hash.finalize());
        writer.finish().await.map_err(unavailable)?;
        files.0.rename(&path, &place(application, kind, &sha256)).await.map_err(unavailable)
    }

    fn check(&self) -> Result<()> {
        if self.size != self.said.size {
            return Err(mismatch("SIZE_MISMATCH", "size", "more or fewer bytes came than was said", "la taille"));
        }
        if hex::encode(self.hash.clone().finalize()) != self.said.sha256 {
            return Err(mismatch("HASH_MISMATCH", "sha256", "the bytes have another SHA-256", "l'empreinte"));
        }
        if media_type(&self.head) != Some(self.said.media_type.as_str()) {
            return Err(mismatch("TYPE_MISMATCH", "media_type", "the bytes are of another type", "le type"));
        }
        Ok(())
    }
}

fn mismatch(reason: &'static str, field: &str, english: &'static str, what: &str) -> Error {
    let french = format!("{what} du fichier reçu n'est pas ce qui était annoncé");
    Error::invalid(field, reason, english, french).with_rule(Rule("A12"))
}

/// How many bytes tell the type.
const MAGIC: usize = 8;

/// What the first bytes of a document say that it is.
fn media_type(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("image/png"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_by_its_url() {
        assert!(bucket("s3://documents").is_some() && bucket("s3://documents/conum").is_some());
        assert!(bucket("s3://").is_none() && bucket("http://documents").is_none());
    }

    #[test]
    fn the_first_bytes_tell_the_type_whatever_was_said() {
        assert_eq!(media_type(b"%PDF-1.7"), Some("application/pdf"));
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(media_type(b"\xff\xd8\xff\xe0....").map(str::len), Some("image/jpeg".len()));
        assert_eq!(media_type(b"MZ......"), None);
        assert_eq!(media_type(b""), None);
    }
}
