//! The connections deliveries go through.
//!
//! Connections are kept for a moment. One is used again for the same scheme, host and port only, so it
//! leads to an address that the guard permitted for this host when it was made; a literal address is
//! judged at each attempt all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{CONNECTION, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, Request, Response, redirect};
use url::Url;

use super::answered::Answered;
use super::guard::{AddressGuard, GuardedResolver};
use super::schedule::FailureKind;
use super::sender::{Timeouts, USER_AGENT, classify};

/// How long a connection is kept for the next delivery. Receivers keep theirs for longer, five seconds
/// and more, so it is rarely they who end it.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// A connection is there for the next request once the answer's body was read, which may take as long
/// as an attempt.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);

/// Connections kept for one receiver.
const IDLE_PER_HOST_MAX: usize = 64;

/// One of this many requests closes its connection, so that none lives for long however busy it is, and
/// a host that has moved is looked up anew. A prime number, or connections that take turns could escape.
const REQUESTS_PER_CONNECTION: u32 = 97;

/// Cheap to clone; what is kept is shared.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    /// Keeps connections for a moment.
    keeping: Client,
    /// Makes one for each request.
    fresh: Client,
    answered: Answered,
    requests: Arc<AtomicU32>,
    total: Duration,
}

impl Connections {
    /// # Errors
    /// When the HTTP clients cannot be built.
    pub(super) fn new(
        guard: &Arc<AddressGuard>,
        timeouts: Timeouts,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            keeping: client(guard, timeouts, IDLE_PER_HOST_MAX)?,
            fresh: client(guard, timeouts, 0)?,
            answered: Answered::default(),
            requests: Arc::default(),
            total: timeouts.total,
        })
    }

    /// Posts to a URL that [`AddressGuard::check_url`] returned.
    pub(super) async fn post(
        &self,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Response, reqwest::Error> {
        let origin = url.origin().ascii_serialization();
        let request = self.keeping.post(url).headers(headers).body(body).build()?;
        let response = self.execute(&origin, request).await?;
        if !closes(response.headers()) {
            self.answered.note(origin, Instant::now(), ANSWERED_WITHIN);
        }
        Ok(response)
    }

    /// A kept connection may be ended by the receiver just when it is used again. That says nothing of
    /// the delivery, so the same request is made once more on a connection of its own. A receiver that
    /// has not answered just before, or keeps none, is not asked twice.
    async fn execute(
        &self,
        origin: &str,
        mut request: Request,
    ) -> Result<Response, reqwest::Error> {
        let started = Instant::now();
        let again = request.try_clone();
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        if number % REQUESTS_PER_CONNECTION == REQUESTS_PER_CONNECTION - 1 {
            let close = HeaderValue::from_static("close");
            request.headers_mut().insert(CONNECTION, close);
        }
        let error = match self.keeping.execute(request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let left = self.total.saturating_sub(started.elapsed());
        match again {
            Some(mut again)
                if broke_off(&error)
                    && !left.is_zero()
                    && self.answered.is_recent(origin, started, ANSWERED_WITHIN) =>
            {
                *again.timeout_mut() = Some(left);
                self.fresh.execute(again).await
            }
            _ => Err(error),
        }
    }
}

/// A client that keeps up to `idle_max` connections for each receiver.
fn client(
    guard: &Arc<AddressGuard>,
    timeouts: Timeouts,
    idle_max: usize,
) -> Result<Client, reqwest::Error> {
    match client_builder(guard, timeouts, idle_max).build() {
        Ok(client) => Ok(client),
        Err(error) => {
            // A system without CA certificates still delivers over plain HTTP, as on a
            // compose network; deliveries over HTTPS fail as TLS failures.
            tracing::warn!(%error, "no usable system certificates: https deliveries will fail");
            client_builder(guard, timeouts, idle_max)
                .tls_certs_only([])
                .build()
        }
    }
}

fn client_builder(guard: &Arc<AddressGuard>, timeouts: Timeouts, idle_max: usize) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .dns_resolver(GuardedResolver::new(Arc::clone(guard)))
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        .pool_idle_timeout(IDLE_MAX)
        .pool_max_idle_per_host(idle_max)
}

/// Whether the receiver says that it keeps no connection.
fn closes(headers: &HeaderMap) -> bool {
    let said = headers.get_all(CONNECTION).iter();
    said.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case("close"))
}

/// The connection was there and ended without an answer.
fn broke_off(error: &reqwest::Error) -> bool {
    !error.is_connect() && classify(error) == FailureKind::Connect
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;
