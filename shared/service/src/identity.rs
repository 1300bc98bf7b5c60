//! Signed identities: a JSON Web Token (RFC 7519) signed with Ed25519 (RFC 8037), made at the edge or by a service for
//! its own calls, valid for at most 60 seconds, checked with public keys only.

use std::{collections::HashMap, fs, io, path::Path, sync::Arc};

use conum_kernel::{Clock, Error, Result};
use conum_proto::access::v1::Role;
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, spki::der::pem::LineEnding},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// The longest life of an identity between services, in seconds.
pub const LIFETIME: i64 = 60;
/// How many checked tokens are remembered.
const REMEMBERED: usize = 4096;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// An id of the person or service; `anonymous` where nobody signed in.
    pub subject: String,
    pub roles: Vec<Role>,
    /// Resource names that are the caller's own, `departments/{code}` among them.
    pub owned: Vec<String>,
}

/// On what a method lets its caller act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every resource.
    Any,
    /// What the caller owns.
    Own,
}

impl Caller {
    /// Somebody who did not sign in.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { subject: "anonymous".into(), roles: vec![Role::Public], owned: Vec::new() }
    }

    /// A service of the platform.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self { subject: format!("services/{name}"), roles: vec![Role::Service], owned: Vec::new() }
    }

    #[must_use]
    pub fn owns(&self, name: &str) -> bool {
        self.owned.iter().any(|owned| owned == name)
    }

    /// The only structure, or department, or candidate that the caller owns: `collection` is `structures/` and so on.
    #[must_use]
    pub fn owned_in(&self, collection: &str) -> Option<&str> {
        self.owned.iter().map(String::as_str).find(|name| name.starts_with(collection))
    }
}

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    owned: Vec<String>,
    aud: String,
    iat: i64,
    exp: i64,
}

/// Tokens by caller and audience, with their expiry.
type Made = HashMap<(String, String), (String, i64)>;

/// Makes identities.
#[derive(Clone)]
pub struct Signer {
    key: Arc<EncodingKey>,
    clock: Clock,
    made: Arc<Mutex<Made>>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// A token for `audience` (a service's name, or `gateway`), valid for `seconds`.
    ///
    /// # Errors
    /// Internal where signing fails.
    pub fn sign(&self, caller: &Caller, audience: &str, seconds: i64) -> Result<String> {
        let now = self.clock.now().as_second();
        let claims = Claims {
            sub: caller.subject.clone(),
            roles: caller.roles.iter().map(|role| short(*role)).collect(),
            owned: caller.owned.clone(),
            aud: audience.into(),
            iat: now,
            exp: now + seconds,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.key).map_err(Error::internal)
    }

    /// A token for a service, made once for half of its life.
    ///
    /// # Errors
    /// Internal where signing fails.
    pub async fn assertion(&self, caller: &Caller, audience: &str) -> Result<String> {
        let now = self.clock.now().as_second();
        let key = (format!("{caller:?}"), audience.to_owned());
        let mut made = self.made.lock().await;
        if let Some((token, expires)) = made.get(&key)
            && (now + LIFETIME / 2..=now + LIFETIME).contains(expires)
        {
            return Ok(token.clone());
        }
        if made.len() >= REMEMBERED {
            made.clear();
        }
        let token = self.sign(caller, audience, LIFETIME)?;
        made.insert(key, (token.clone(), now + LIFETIME));
        Ok(token)
    }
}

/// Callers by token, with the times of its making and expiry.
type Known = HashMap<String, (Caller, i64, i64)>;

/// Checks identities.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<Vec<DecodingKey>>,
    audience: Arc<str>,
    clock: Clock,
    /// The longest life that is accepted, in seconds.
    longest: i64,
    known: Arc<std::sync::Mutex<Known>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Who a token speaks for.
    ///
    /// # Errors
    /// Unauthenticated: `INVALID_TOKEN`, `EXPIRED_TOKEN`, `WRONG_AUDIENCE` or `TOKEN_LIVES_TOO_LONG`.
    pub fn verify(&self, token: &str) -> Result<Caller> {
        let now = self.clock.now().as_second();
        if let Ok(known) = self.known.lock()
            && let Some((caller, made, expires)) = known.get(token)
        {
            return in_time(now, *made, *expires).map(|()| caller.clone());
        }
        let claims = self.decode(token)?;
        if claims.aud != *self.audience {
            return Err(Error::unauthenticated("WRONG_AUDIENCE"));
        }
        if claims.exp - claims.iat > self.longest {
            return Err(Error::unauthenticated("TOKEN_LIVES_TOO_LONG"));
        }
        in_time(now, claims.iat, claims.exp)?;
        let roles: Option<Vec<Role>> = claims.roles.iter().map(|role| role_of(role)).collect();
        let roles = roles.ok_or_else(|| Error::unauthenticated("INVALID_TOKEN"))?;
        let caller = Caller { subject: claims.sub, roles, owned: claims.owned };
        if let Ok(mut known) = self.known.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(token.into(), (caller.clone(), claims.iat, claims.exp));
        }
        Ok(caller)
    }

    fn decode(&self, token: &str) -> Result<Claims> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Time and audience are checked by the caller of this, on our own clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        self.keys
            .iter()
            .find_map(|key| jsonwebtoken::decode::<Claims>(token, key, &validation).ok())
            .map(|data| data.claims)
            .ok_or_else(|| Error::unauthenticated("INVALID_TOKEN"))
    }
}

fn in_time(now: i64, made: i64, expires: i64) -> Result<()> {
    // Clocks of two machines may differ by a few seconds.
    if now >= expires || made > now + 5 {
        return Err(Error::unauthenticated("EXPIRED_TOKEN"));
    }
    Ok(())
}

/// The role's name in a token: `agency`.
#[must_use]
pub fn short(role: Role) -> String {
    role.as_str_name().trim_start_matches("ROLE_").to_lowercase()
}

/// The role of a name in a token.
#[must_use]
pub fn role_of(name: &str) -> Option<Role> {
    Role::from_str_name(&format!("ROLE_{}", name.to_uppercase())).filter(|role| *role != Role::Unspecified)
}

/// A pair of keys in a folder: `{name}.key.pem`, kept from other users, and `{name}.pub.pem`.
#[derive(Clone, Debug)]
pub struct KeyPair {
    private_pem: String,
    public_pem: String,
}

impl KeyPair {
    /// Reads the pair, or makes it at the first start. Several processes may start at once: one of them makes it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(folder: &Path, name: &str) -> io::Result<Self> {
        let (private, public) = (folder.join(format!("{name}.key.pem")), folder.join(format!("{name}.pub.pem")));
        if !private.exists() {
            fs::create_dir_all(folder)?;
            let mark = conum_kernel::id::jitter(u64::MAX);
            let fresh = folder.join(format!("{name}.{mark:x}.new"));
            write_private(&fresh, &Self::generate()?.private_pem)?;
            // A link appears whole or not at all, and only where there is none.
            let linked = fs::hard_link(&fresh, &private);
            fs::remove_file(&fresh)?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let pair = Self::from_private(fs::read_to_string(private)?)?;
        if !public.exists() {
            fs::write(&public, &pair.public_pem)?;
        }
        Ok(pair)
    }

    fn from_private(private_pem: String) -> io::Result<Self> {
        let key = SigningKey::from_pkcs8_pem(&private_pem).map_err(io::Error::other)?;
        let public_pem = key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(io::Error::other)?;
        Ok(Self { private_pem, public_pem })
    }

    /// A new pair.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn generate() -> io::Result<Self> {
        let mut secret = [0_u8; 32];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let key = SigningKey::from_bytes(&secret);
        Self::from_private(key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?.to_string())
    }

    /// Signs with the private key.
    ///
    /// # Errors
    /// Where the key is no Ed25519 key in PEM.
    pub fn signer(&self, clock: &Clock) -> io::Result<Signer> {
        let key = EncodingKey::from_ed_pem(self.private_pem.as_bytes()).map_err(io::Error::other)?;
        Ok(Signer { key: Arc::new(key), clock: clock.clone(), made: Arc::default() })
    }

    /// The private key, in PKCS#8 PEM.
    #[must_use]
    pub fn private_pem(&self) -> &str {
        &self.private_pem
    }

    /// The public key, in PEM.
    #[must_use]
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }
}

/// Checks tokens for `audience` with public keys in PEM; none may live longer than `longest` seconds.
///
/// # Errors
/// Where a key is no Ed25519 key in PEM.
pub fn verifier(public_pems: &[&str], audience: &str, longest: i64, clock: &Clock) -> io::Result<Verifier> {
    let keys: Result<Vec<_>, _> = public_pems.iter().map(|pem| DecodingKey::from_ed_pem(pem.as_bytes())).collect();
    Ok(Verifier {
        keys: Arc::new(keys.map_err(io::Error::other)?),
        audience: audience.into(),
        clock: clock.clone(),
        longest,
        known: Arc::default(),
    })
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Clock {
        Clock::manual("2021-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_token_is_good_for_its_audience_and_its_minute_and_no_other_key() {
        let (clock, pair) = (clock(), KeyPair::generate().unwrap());
        let signer = pair.signer(&clock).unwrap();
        let caller = Caller { subject: "s".into(), roles: vec![Role::Structure], owned: vec!["structures/1".into()] };
        let token = signer.sign(&caller, "matching", LIFETIME).unwrap();
        let matching = verifier(&[pair.public_pem()], "matching", LIFETIME, &clock).unwrap();
        assert_eq!(matching.verify(&token).unwrap(), caller);
        assert_eq!(matching.verify(&token).unwrap(), caller, "the second time from memory");

        let finance = verifier(&[pair.public_pem()], "finance", LIFETIME, &clock).unwrap();
        assert_eq!(finance.verify(&token).unwrap_err().reason(), "WRONG_AUDIENCE");
        let stranger = verifier(&[KeyPair::generate().unwrap().public_pem()], "matching", LIFETIME, &clock).unwrap();
        assert_eq!(stranger.verify(&token).unwrap_err().reason(), "INVALID_TOKEN");

        let long = signer.sign(&caller, "matching", 3600).unwrap();
        assert_eq!(matching.verify(&long).unwrap_err().reason(), "TOKEN_LIVES_TOO_LONG");
        clock.advance(jiff::SignedDuration::from_secs(60));
        assert_eq!(matching.verify(&token).unwrap_err().reason(), "EXPIRED_TOKEN");
    }
}
