//! One HTTP client for both protocols: hosts, redirects, retries, tokens.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::Body;
use ureq::http::{Request, Response, Uri};

use super::login::{Login, Secret};
use crate::Error;
use crate::inbox::{Draft, Inbox};

/// The largest answer that is held in memory: a page of a search, a manifest.
const MAX_PAGE: u64 = 256 << 20;
/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// A token is renewed this long before it ends.
const EARLY: Duration = Duration::from_secs(30);

/// The manners of a client.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Hosts besides the one asked to which links may lead, as `host` or `host:port`.
    pub allowed_hosts: Vec<String>,
    /// How often a request that failed for a passing reason is sent again.
    pub retries: u32,
    /// The wait before the first repetition; it doubles each time, up to 60 s.
    pub back_off: Duration,
    /// How long an answer may take to begin, and each read of it.
    pub timeout: Duration,
    /// PEM of authorities to trust besides the public ones.
    pub authorities: Option<std::path::PathBuf>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            retries: 5,
            back_off: Duration::from_millis(500),
            timeout: Duration::from_secs(120),
            authorities: None,
        }
    }
}

/// One server, and how we speak to it.
pub struct Client {
    agent: ureq::Agent,
    base: String,
    origin: Origin,
    login: Login,
    options: ClientOptions,
    token: Mutex<Option<(Secret, Instant)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// Whether a request carries our credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identified {
    /// To the host asked, and to no other.
    AtHome,
    /// To allowed hosts too: the server said that they want the token.
    Everywhere,
    /// Never.
    No,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub accept: &'a str,
    pub respond_async: bool,
    pub identified: Identified,
}

impl<'a> Ask<'a> {
    pub(super) fn get(url: &'a str, accept: &'a str) -> Self {
        Self { method: "GET", url, accept, respond_async: false, identified: Identified::AtHome }
    }
}

impl Client {
    /// Prepares a client for the server at `base`, an address without query; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Answer`] when `base` is no http or https address, [`Error::Tls`] for unusable authorities.
    pub fn new(base: &str, login: Login, options: ClientOptions) -> Result<Self, Error> {
        let base = base.trim_end_matches('/').to_owned();
        let origin = Origin::of(&base)?;
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(options.timeout))
            .timeout_per_read(Some(options.timeout))
            .user_agent("chiasm");
        if let Some(file) = &options.authorities {
            let bad = |reason: String| Error::Tls { file: file.clone(), reason };
            let pem = std::fs::read(file).map_err(|e| bad(e.kind().to_string()))?;
            let mut roots = Vec::new();
            for item in ureq::tls::parse_pem(&pem) {
                if let ureq::tls::PemItem::Certificate(root) = item.map_err(|e| bad(e.to_string()))? {
                    roots.push(root);
                }
            }
            let roots = ureq::tls::RootCerts::new_with_certs(&roots);
            config = config.tls_config(ureq::tls::TlsConfig::builder().root_certs(roots).build());
        }
        Ok(Self { agent: config.build().into(), base, origin, login, options, token: Mutex::new(None) })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// An address that a server gave, made whole and checked to be one that we may ask.
    pub(super) fn resolve(&self, link: &str) -> Result<String, Error> {
        let url = if link.starts_with("http://") || link.starts_with("https://") {
            link.to_owned()
        } else if link.starts_with('/') {
            format!("{}://{}:{}{link}", self.origin.scheme, self.origin.host, self.origin.port)
        } else {
            format!("{}/{link}", self.base)
        };
        let origin = Origin::of(&url)?;
        let allowed = self
            .options
            .allowed_hosts
            .iter()
            .any(|host| *host == origin.host || *host == format!("{}:{}", origin.host, origin.port));
        if origin == self.origin || (allowed && (origin.scheme == "https" || self.origin.scheme == "http")) {
            return Ok(url);
        }
        Err(Error::OtherHost { asked: self.origin.show(), found: origin.show() })
    }

    /// Sends a request, again where the reason is a passing one, and returns an answer of 2xx.
    pub(super) fn send(&self, ask: Ask<'_>) -> Result<Response<Body>, Error> {
        let mut renewed = false;
        let mut attempt = 0;
        loop {
            let answer = self.once(ask);
            let (reason, wait) = match answer {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    match status {
                        200..=299 => return Ok(answer),
                        401 if !renewed && matches!(self.login, Login::Backend(_)) => {
                            renewed = true;
                            self.token.lock().unwrap_or_else(PoisonError::into_inner).take();
                            continue;
                        }
                        429 | 500 | 502 | 503 | 504 => (format!("answers {status}"), retry_after(&answer)),
                        _ => return Err(self.remote(format!("answers {status}"))),
                    }
                }
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(reason)) => (reason, None),
            };
            if attempt >= self.options.retries {
                return Err(self.remote(reason));
            }
            let doubled = self.options.back_off.saturating_mul(1 << attempt.min(16));
            std::thread::sleep(wait.unwrap_or(doubled).min(Duration::from_secs(60)));
            attempt += 1;
        }
    }

    /// Fetches JSON of a bounded size, also as the bytes that came; `None` for 204.
    pub(super) fn json(&self, ask: Ask<'_>) -> Result<Option<(Value, Vec<u8>)>, Error> {
        let mut attempt = 0;
        let bytes = loop {
            let mut answer = self.send(ask)?;
            if answer.status().as_u16() == 204 {
                return Ok(None);
            }
            match answer.body_mut().with_config().limit(MAX_PAGE).read_to_vec() {
                Ok(bytes) => break bytes,
                Err(ureq::Error::Io(_)) if attempt < self.options.retries => attempt += 1,
                Err(e) => return Err(self.remote(failure(&e))),
            }
        };
        let value = serde_json::from_slice(&bytes).map_err(|e| Error::Answer {
            place: "an answer",
            found: format!("a fault at line {}, column {}", e.line(), e.column()),
            expected: "JSON",
        })?;
        Ok(Some((value, bytes)))
    }

    /// Streams an answer into the inbox, from the start again when it breaks off.
    pub(super) fn draft(&self, ask: Ask<'_>, inbox: &Inbox) -> Result<Draft, Error> {
        let mut attempt = 0;
        loop {
            let mut draft = inbox.draft()?;
            let mut from = self.send(ask)?.into_body().into_reader();
            let mut piece = vec![0; 64 << 10];
            loop {
                match std::io::Read::read(&mut from, &mut piece) {
                    Ok(0) => return Ok(draft),
                    Ok(n) => draft.append(piece.get(..n).unwrap_or_default())?,
                    Err(e) if attempt >= self.options.retries => {
                        return Err(self.remote(format!("breaks off: {}", e.kind())));
                    }
                    Err(_) => break,
                }
            }
            attempt += 1;
        }
    }

    /// An error that names the host alone: addresses carry patients' identifiers.
    pub(super) fn remote(&self, reason: String) -> Error {
        Error::Remote { host: self.origin.show(), reason }
    }

    fn once(&self, ask: Ask<'_>) -> Result<Response<Body>, Failure> {
        let mut url = self.resolve(ask.url)?;
        for _ in 0..=REDIRECTS {
            let mut request = Request::builder().method(ask.method).uri(&url).header("Accept", ask.accept);
            if ask.respond_async {
                request = request.header("Prefer", "respond-async");
            }
            if self.is_identified(ask.identified, &url)?
                && let Some(header) = self.authorization()?
            {
                request = request.header("Authorization", header.0);
            }
            let request = request.body(()).map_err(|_| {
                let found = "an address or a token with characters that HTTP does not carry".into();
                Error::Answer { place: "a request", found, expected: "an address" }
            })?;
            let answer = self.agent.run(request).map_err(|e| Failure::Passing(failure(&e)))?;
            if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let link = answer.headers().get("Location").and_then(|l| l.to_str().ok());
            let link = link.ok_or_else(|| self.remote("redirects to nowhere".into()))?;
            url = self.resolve(link)?;
        }
        Err(self.remote("redirects without end".into()).into())
    }

    fn is_identified(&self, identified: Identified, url: &str) -> Result<bool, Error> {
        Ok(match identified {
            Identified::No => false,
            Identified::Everywhere => true,
            Identified::AtHome => Origin::of(url)? == self.origin,
        })
    }

    fn authorization(&self) -> Result<Option<Secret>, Error> {
        Ok(match &self.login {
            Login::Anonymous => None,
            Login::Bearer(source) => Some(Secret(format!("Bearer {}", source.read()?.0))),
            Login::Basic { user, password } => {
                let pair = STANDARD.encode(format!("{user}:{}", password.read()?.0));
                Some(Secret(format!("Basic {pair}")))
            }
            Login::Backend(service) => {
                let mut held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
                let token = match &*held {
                    Some((token, ends)) if Instant::now() < *ends => token.clone(),
                    _ => {
                        let (token, lasts) = self.ask_token(service)?;
                        let lasts = lasts.saturating_sub(EARLY.min(lasts / 2));
                        *held = Some((token.clone(), Instant::now() + lasts));
                        token
                    }
                };
                Some(Secret(format!("Bearer {}", token.0)))
            }
        })
    }

    fn ask_token(&self, service: &super::BackendService) -> Result<(Secret, Duration), Error> {
        let refused = |reason: String| Error::Credentials { reason: format!("the token endpoint {reason}") };
        let url = match &service.token_url {
            // Named by the person who runs this, so it may be anywhere.
            Some(url) => url.clone(),
            None => {
                let place = format!("{}/.well-known/smart-configuration", self.base);
                let ask = Ask { identified: Identified::No, ..Ask::get(&place, "application/json") };
                let known = self.json(ask)?.map(|(known, _)| known).unwrap_or_default();
                let url = known.get("token_endpoint").and_then(Value::as_str);
                self.resolve(url.ok_or_else(|| refused("is not in .well-known/smart-configuration".into()))?)?
            }
        };
        let answer = self
            .agent
            .post(&url)
            .header("Accept", "application/json")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .send(service.form(&url)?);
        let mut answer = answer.map_err(|e| refused(failure(&e)))?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(refused(format!("answers {status}")));
        }
        let bytes = answer.body_mut().with_config().limit(1 << 20).read_to_vec();
        let bytes = bytes.map_err(|e| refused(failure(&e)))?;
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let token = value.get("access_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| refused("gives no access_token".into()))?;
        let lasts = value.get("expires_in").and_then(Value::as_u64).unwrap_or(300);
        Ok((Secret(token.to_owned()), Duration::from_secs(lasts.min(86_400))))
    }
}

/// Whether it is of use to ask again.
enum Failure {
    Passing(String),
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}

/// The kind of a transport's failure, without addresses.
fn failure(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(e) => format!("cannot be reached: {}", e.kind()),
        ureq::Error::Timeout(_) => "takes too long".into(),
        ureq::Error::HostNotFound => "is not a known host".into(),
        ureq::Error::Tls(reason) => format!("TLS: {reason}"),
        ureq::Error::Rustls(e) => format!("TLS: {e}"),
        ureq::Error::BodyExceedsLimit(limit) => format!("answers more than {limit} bytes"),
        _ => "does not speak HTTP as expected".into(),
    }
}

/// `Retry-After` in seconds; a date is left to the caller's own pace.
pub(super) fn retry_after(answer: &Response<Body>) -> Option<Duration> {
    let value = answer.headers().get("Retry-After")?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

impl Origin {
    fn of(url: &str) -> Result<Self, Error> {
        let found = |what: &str| Error::Answer {
            place: "an address",
            found: what.into(),
            expected: "http or https, and a host without a user's name",
        };
        let uri: Uri = url.parse().map_err(|_| found("what is no address"))?;
        let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
        let standard = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(found("another scheme")),
        };
        let authority = uri.authority().ok_or_else(|| found("no host"))?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(found("a user's name, or no host"));
        }
        let host = authority.host().to_ascii_lowercase();
        Ok(Self { scheme, host, port: authority.port_u16().unwrap_or(standard) })
    }

    fn show(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}
