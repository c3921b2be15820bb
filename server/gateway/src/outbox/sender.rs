//! One HTTP attempt of one delivery.
//!
//! The sender takes a finished request, makes one POST and says what came of it; it knows
//! nothing of outbox rows, schedules or dialects. It never follows a redirect, uses no proxy,
//! and reads no more of an answer than the delivery log keeps.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use time::UtcDateTime;
use time::macros::format_description;
use url::Url;

use super::connections::Connections;
use super::guard::{AddressGuard, LookupRefusal, UrlRefusal};
use super::schedule::FailureKind;

/// How much of an answer's body is read and kept (contract 50).
pub const RESPONSE_HEAD_BYTES_MAX: usize = 4_096;

pub(super) const USER_AGENT: &str = concat!("Exchequer-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Headers that frame the message. They follow from the URL and the body alone.
const FRAMING_HEADERS: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

/// How long an attempt may take, and what is done in the database for it, on real time.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Name resolution, connection and TLS handshake together.
    pub connect: Duration,
    /// All of the attempt, the head of the answer's body included.
    pub total: Duration,
    /// One claim, and one try to record what was attempted. A connection that takes longer counts as dead:
    /// its other end may be gone without a word.
    pub database: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(10),
            database: Duration::from_secs(20),
        }
    }
}

/// A rendered and signed delivery.
#[derive(Clone, Debug)]
pub struct OutgoingRequest {
    /// The receiver; checked against the address guard again at each attempt.
    pub url: String,
    /// Names and values beside `Content-Type` and those that frame the message.
    pub headers: Vec<(String, String)>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Sent byte for byte.
    pub body: Vec<u8>,
}

/// What came of one attempt, as the delivery log keeps it.
#[derive(Clone, Debug)]
pub struct AttemptOutcome {
    /// The answer's status, also of answers that count as failures.
    pub status: Option<u16>,
    /// The first [`RESPONSE_HEAD_BYTES_MAX`] bytes of the answer's body as text; what is not
    /// UTF-8 is replaced and NUL, which Postgres text cannot hold, is left out.
    pub response_head: String,
    /// Real time from start to outcome, in milliseconds.
    pub duration_ms: u64,
    /// `None` when the delivery succeeded.
    pub failure: Option<FailureKind>,
    /// The failure in a sentence fit for the merchant.
    pub error: Option<String>,
    /// The delay the receiver asked for.
    pub retry_after: Option<Duration>,
}

impl AttemptOutcome {
    /// Whether the receiver took the delivery: any 2xx in time.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.failure.is_none()
    }

    fn new(failure: Option<FailureKind>) -> Self {
        Self {
            status: None,
            response_head: String::new(),
            duration_ms: 0,
            failure,
            error: failure.map(FailureKind::sentence),
            retry_after: None,
        }
    }
}

/// The HTTP client of the delivery workers. Cheap to clone; one serves the whole process.
#[derive(Clone, Debug)]
pub struct Sender {
    connections: Connections,
    guard: Arc<AddressGuard>,
}

/// Makes `ring` the cryptography of every TLS client in the process, unless one was chosen
/// before. The HTTP client panics without it, so this comes before building any.
pub fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing a race here means that another thread has just installed one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

impl Sender {
    /// A sender with the contract's timeouts.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(guard: Arc<AddressGuard>) -> Result<Self, reqwest::Error> {
        Self::with_timeouts(guard, Timeouts::default())
    }

    /// A sender with timeouts of the caller's choosing.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn with_timeouts(
        guard: Arc<AddressGuard>,
        timeouts: Timeouts,
    ) -> Result<Self, reqwest::Error> {
        install_crypto_provider();
        Ok(Self {
            connections: Connections::new(&guard, timeouts)?,
            guard,
        })
    }

    /// Makes the attempt. Never fails: whatever goes wrong is an outcome.
    pub async fn send(&self, request: &OutgoingRequest) -> AttemptOutcome {
        let started = Instant::now();
        let mut outcome = match self.prepare(request) {
            Ok((url, headers)) => self.post(url, headers, request.body.clone()).await,
            Err(failure) => AttemptOutcome::new(Some(failure)),
        };
        outcome.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        outcome
    }

    fn prepare(&self, request: &OutgoingRequest) -> Result<(Url, HeaderMap), FailureKind> {
        let url = self
            .guard
            .check_url(&request.url)
            .map_err(|refusal| match refusal {
                UrlRefusal::Address => FailureKind::Blocked,
                _ => FailureKind::Invalid,
            })?;
        let headers = header_map(request).ok_or(FailureKind::Invalid)?;
        Ok((url, headers))
    }

    /// Expects a URL that [`AddressGuard::check_url`] returned.
    async fn post(&self, url: Url, headers: HeaderMap, body: Vec<u8>) -> AttemptOutcome {
        match self.connections.post(url, headers, body).await {
            Ok(response) => read_outcome(response).await,
            Err(error) => AttemptOutcome::new(Some(classify(&error))),
        }
    }
}

/// `None` when a name or a value cannot be a header, line breaks in it above all.
fn header_map(request: &OutgoingRequest) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if FRAMING_HEADERS.contains(&name.as_str()) {
            return None;
        }
        headers.append(name, HeaderValue::from_str(value).ok()?);
    }
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_str(request.content_type).ok()?,
    );
    Some(headers)
}

async fn read_outcome(mut response: Response) -> AttemptOutcome {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let (head, broken_by) = read_head(&mut response).await;
    let failure = match status {
        // A body that breaks off does not take back the acknowledgement; one that takes too
        // long means that the answer was not complete in time.
        200..=299 => broken_by
            .filter(reqwest::Error::is_timeout)
            .map(|_| FailureKind::Timeout),
        300..=399 => Some(FailureKind::Redirect),
        410 => Some(FailureKind::Gone),
        code => Some(FailureKind::Status(code)),
    };
    AttemptOutcome {
        status: Some(status),
        response_head: as_text(&head),
        retry_after,
        ..AttemptOutcome::new(failure)
    }
}

/// Reads up to [`RESPONSE_HEAD_BYTES_MAX`] bytes, and the error that ended the body early.
async fn read_head(response: &mut Response) -> (Vec<u8>, Option<reqwest::Error>) {
    let mut head = Vec::new();
    while head.len() < RESPONSE_HEAD_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = RESPONSE_HEAD_BYTES_MAX - head.len();
                head.extend(chunk.iter().take(room));
            }
            Ok(None) => break,
            Err(error) => return (head, Some(error)),
        }
    }
    (head, None)
}

fn as_text(head: &[u8]) -> String {
    let whole = match std::str::from_utf8(head) {
        // The cut went through a character; what is left of it would only show as damage.
        Err(error) if error.error_len().is_none() => &head[..error.valid_up_to()],
        _ => head,
    };
    String::from_utf8_lossy(whole).replace('\0', "")
}

/// Reads `Retry-After` as seconds, or as a date against the receiver's own `Date` header, so
/// that no two clocks are compared. Anything else is ignored.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let now = http_date(headers.get(DATE)?.to_str().ok()?)?;
    Duration::try_from(http_date(text)? - now).ok()
}

/// Reads the one date form that RFC 9110 lets senders use.
fn http_date(text: &str) -> Option<UtcDateTime> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    UtcDateTime::parse(text, format).ok()
}

/// Names what broke an attempt before there was an answer.
pub(super) fn classify(error: &reqwest::Error) -> FailureKind {
    match find_cause::<LookupRefusal>(error) {
        Some(LookupRefusal::Refused) => return FailureKind::Blocked,
        Some(LookupRefusal::Unresolved(_)) => return FailureKind::Dns,
        None => {}
    }
    if error.is_timeout() {
        FailureKind::Timeout
    } else if find_cause::<rustls::Error>(error).is_some() {
        FailureKind::Tls
    } else if error.is_builder() {
        FailureKind::Invalid
    } else {
        FailureKind::Connect
    }
}

/// Looks for an error of one type among the causes. `io::Error` hides what it wraps from
/// `source`, and the TLS stack reports through it, hence the second way down.
fn find_cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
