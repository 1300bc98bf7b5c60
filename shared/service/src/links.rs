//! The links in mails: signed with a key of their own, bound to one thing, one purpose and an expiry.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use conum_kernel::{Error, Result};
use ed25519_dalek::{
    Signature, Signer as _, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, DecodePublicKey as _},
};
use jiff::Timestamp;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To see an introduction and answer it (M03).
    Answer,
}

impl Purpose {
    fn text(self) -> &'static str {
        match self {
            Self::Answer => "answer",
        }
    }
}

/// Makes links.
#[derive(Clone, Debug)]
pub struct LinkSigner(SigningKey);

/// Checks links.
#[derive(Clone, Debug)]
pub struct LinkVerifier(VerifyingKey);

impl LinkSigner {
    /// # Errors
    /// Internal where the text is no Ed25519 key in PEM.
    pub fn from_pem(private_pem: &str) -> Result<Self> {
        SigningKey::from_pkcs8_pem(private_pem).map(Self).map_err(Error::internal)
    }

    /// The token of a link to `name`, good until `expires`.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, name: &str, expires: Timestamp) -> String {
        let expires = expires.as_second();
        let signature = self.0.sign(signed(purpose, name, expires).as_bytes());
        let mut bytes = expires.to_be_bytes().to_vec();
        bytes.extend_from_slice(&signature.to_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl LinkVerifier {
    /// # Errors
    /// Internal where the text is no Ed25519 public key in PEM.
    pub fn from_pem(public_pem: &str) -> Result<Self> {
        VerifyingKey::from_public_key_pem(public_pem).map(Self).map_err(Error::internal)
    }

    /// Checks a token for `name`.
    ///
    /// # Errors
    /// Permission denied: `INVALID_LINK` or `EXPIRED_LINK`.
    pub fn verify(&self, purpose: Purpose, name: &str, token: &str, now: Timestamp) -> Result<()> {
        let parse = || -> Option<(i64, Signature)> {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
            let (expires, signature) = bytes.split_first_chunk::<8>()?;
            Some((i64::from_be_bytes(*expires), Signature::from_slice(signature).ok()?))
        };
        let (expires, signature) = parse().ok_or_else(|| Error::denied("INVALID_LINK"))?;
        self.0
            .verify_strict(signed(purpose, name, expires).as_bytes(), &signature)
            .map_err(|_| Error::denied("INVALID_LINK"))?;
        if now.as_second() >= expires { Err(Error::denied("EXPIRED_LINK")) } else { Ok(()) }
    }
}

fn signed(purpose: Purpose, name: &str, expires: i64) -> String {
    format!("conum-link\n{}\n{name}\n{expires}", purpose.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::KeyPair;

    #[test]
    fn a_link_opens_one_thing_until_it_expires() {
        let pair = KeyPair::generate().unwrap();
        let signer = LinkSigner::from_pem(pair.private_pem()).unwrap();
        let verifier = LinkVerifier::from_pem(pair.public_pem()).unwrap();
        let now: Timestamp = "2021-01-01T00:00:00Z".parse().unwrap();
        let later: Timestamp = "2021-02-01T00:00:00Z".parse().unwrap();
        let token = signer.sign(Purpose::Answer, "introductions/a", later);
        let check = |name, token: &str, now| verifier.verify(Purpose::Answer, name, token, now).map_err(|e| e.reason());
        assert_eq!(check("introductions/a", &token, now), Ok(()));
        assert_eq!(check("introductions/b", &token, now), Err("INVALID_LINK"));
        assert_eq!(check("introductions/a", &token, later), Err("EXPIRED_LINK"));
        assert_eq!(check("introductions/a", "AAAA", now), Err("INVALID_LINK"));
    }
}
