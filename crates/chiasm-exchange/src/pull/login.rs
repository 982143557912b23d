//! Who we are to a server: a token, a password, or a signed statement (SMART Backend Services).

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA384, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use crate::Error;

/// Where a secret is: never on the command line, where other users of the machine can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The first line of a file.
    File(PathBuf),
    /// The environment variable of this name.
    Variable(String),
}

/// A secret; printing it shows nothing.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SecretSource {
    pub(crate) fn read(&self) -> Result<Secret, Error> {
        let (found, place) = match self {
            SecretSource::File(path) => {
                (std::fs::read_to_string(path).map_err(|e| e.kind().to_string()), path.display().to_string())
            }
            SecretSource::Variable(name) => (
                std::env::var(name).map_err(|_| "not set, or not text".to_owned()),
                format!("the variable {name}"),
            ),
        };
        let bad = |reason: &str| Error::Credentials { reason: format!("{place}: {reason}") };
        let text = found.map_err(|reason| bad(&reason))?;
        let line = text.lines().next().unwrap_or_default().trim();
        if line.is_empty() || line.chars().any(char::is_control) {
            return Err(bad("empty, or with control characters"));
        }
        Ok(Secret(line.to_owned()))
    }
}

/// How to log in.
#[derive(Debug, Clone)]
pub enum Login {
    /// Not at all.
    Anonymous,
    /// With a bearer token.
    Bearer(SecretSource),
    /// With a name and a password.
    Basic {
        /// The name.
        user: String,
        /// Where the password is.
        password: SecretSource,
    },
    /// With a signed statement that is exchanged for a token, and again when the token ends.
    Backend(BackendService),
}

/// A client registered by its public key.
///
/// # Source
/// SMART App Launch 2.2, "Backend Services" and "Asymmetric (public key) client authentication".
#[derive(Debug, Clone)]
pub struct BackendService {
    /// The client's id at the server.
    pub client_id: String,
    /// PEM of the private key: RSA (signs RS384) or EC P-384 in PKCS#8 (signs ES384).
    pub key: PathBuf,
    /// The key's id in the set that the server knows.
    pub key_id: Option<String>,
    /// Where tokens are given; `None` asks the server's `.well-known/smart-configuration`.
    pub token_url: Option<String>,
    /// What is asked for, as in `system/*.rs`.
    pub scope: String,
}

enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl BackendService {
    /// The form by which a token is asked for.
    ///
    /// # Errors
    /// [`Error::Credentials`] when the key cannot be used.
    pub(crate) fn form(&self, token_url: &str) -> Result<String, Error> {
        let assertion = self.assertion(token_url)?;
        Ok(format!(
            "grant_type=client_credentials&scope={}&client_assertion_type={}&client_assertion={assertion}",
            escape(&self.scope),
            escape("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ))
    }

    fn assertion(&self, token_url: &str) -> Result<String, Error> {
        let failed = |reason: &str| Error::Credentials { reason: reason.into() };
        let random = SystemRandom::new();
        let key = read_key(&self.key, &random)?;
        let mut once = [0u8; 16];
        random.fill(&mut once).map_err(|_| failed("no randomness"))?;
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| failed("the clock is before 1970"))?;
        let mut header =
            json!({"typ": "JWT", "alg": match key { Key::Rsa(_) => "RS384", Key::Ec(_) => "ES384" }});
        if let (Some(id), Some(header)) = (&self.key_id, header.as_object_mut()) {
            header.insert("kid".into(), json!(id));
        }
        // At most five minutes; four leave room for clocks that differ.
        let claims = json!({
            "iss": self.client_id, "sub": self.client_id, "aud": token_url,
            "iat": now.as_secs(), "exp": now.as_secs() + 240, "jti": URL_SAFE_NO_PAD.encode(once),
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(&claims));
        let signature = match key {
            Key::Ec(pair) => pair.sign(&random, text.as_bytes()).map(|s| s.as_ref().to_vec()),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA384, &random, text.as_bytes(), &mut signature).map(|()| signature)
            }
        };
        let signature = signature.map_err(|_| failed("the key does not sign"))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn read_key(file: &Path, random: &SystemRandom) -> Result<Key, Error> {
    let bad = |reason: &str| Error::Credentials { reason: format!("{}: {reason}", file.display()) };
    match PrivateKeyDer::from_pem_file(file).map_err(|_| bad("no private key in PEM"))? {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der())
            .map(Key::Rsa)
            .map_err(|_| bad("an RSA key that cannot be used; expected 2048 bits or more")),
        PrivateKeyDer::Pkcs8(der) => {
            let der = der.secret_pkcs8_der();
            RsaKeyPair::from_pkcs8(der)
                .map(Key::Rsa)
                .or_else(|_| {
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der, random).map(Key::Ec)
                })
                .map_err(|_| bad("neither RSA of 2048 bits or more nor EC P-384"))
        }
        _ => Err(bad("an EC key outside PKCS#8; convert it to PKCS#8")),
    }
}

/// Percent-encodes a value for a query or a form.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
