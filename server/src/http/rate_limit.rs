//! Limits per key and per address, on real time: moving the instance clock must not lift them
//! (`80`, Gateway and Test mode).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};

use super::client;
use crate::state::AppState;

/// Sign-ins and token requests a minute and address.
const LOGINS_PER_MINUTE: u32 = 10;

/// Calculated exchanges a minute and address (`30-processing-api.md`).
const CALCULATIONS_PER_MINUTE: u32 = 30;

/// How long an address waits that calculated more.
const CALCULATION_BREAK: Duration = Duration::from_secs(60);

/// Checks between two clearings of buckets that are full again.
const CHECKS_PER_CLEARING: u32 = 4_096;

/// The caller has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// Value of `Retry-After`, at least 1.
    pub retry_after_seconds: u64,
}

/// What requests are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Bucket {
    /// Hash of a credential that was accepted.
    Credential([u8; 32]),
    Address(IpAddr),
}

/// The limiters of this process. Only accepted credentials get a bucket of their own: whoever makes
/// up keys is counted by address.
pub struct RateLimits {
    requests: DefaultKeyedRateLimiter<Bucket>,
    logins: DefaultKeyedRateLimiter<IpAddr>,
    calculations: Mutex<HashMap<IpAddr, Calculations>>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl RateLimits {
    /// `per_minute` requests a key or address at once, and as many spread over each minute after;
    /// zero counts as one.
    pub fn new(per_minute: u32) -> Self {
        Self {
            requests: RateLimiter::keyed(quota(per_minute)),
            logins: RateLimiter::keyed(quota(LOGINS_PER_MINUTE)),
            calculations: Mutex::default(),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
        }
    }

    /// Counts one request made with an accepted credential.
    pub fn check_credential(&self, credential: &str) -> Result<(), TooMany> {
        let hash = Sha256::digest(credential.as_bytes()).into();
        self.check_bucket(&Bucket::Credential(hash))
    }

    /// Counts one request without an accepted credential.
    pub fn check_address(&self, address: IpAddr) -> Result<(), TooMany> {
        self.check_bucket(&Bucket::Address(network(address)))
    }

    /// Counts one attempt to sign in.
    pub fn check_login(&self, address: IpAddr) -> Result<(), TooMany> {
        self.clear_now_and_then();
        let until = self.logins.check_key(&network(address));
        until.map_err(|until| too_many(until.wait_time_from(self.clock.now())))
    }

    /// Counts one calculated exchange: 30 in a minute, then a break of a minute.
    pub fn check_calculation(&self, address: IpAddr) -> Result<(), TooMany> {
        let now = Instant::now();
        let mut all = self
            .calculations
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if all.len() >= CALCULATING_ADDRESSES_MAX {
            all.retain(|_, each| each.is_running(now));
        }
        all.entry(network(address))
            .or_insert_with(|| Calculations::starting(now))
            .count(now)
            .map_err(too_many)
    }

    fn check_bucket(&self, bucket: &Bucket) -> Result<(), TooMany> {
        self.clear_now_and_then();
        let until = self.requests.check_key(bucket);
        until.map_err(|until| too_many(until.wait_time_from(self.clock.now())))
    }

    fn clear_now_and_then(&self) {
        if self
            .checks
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(CHECKS_PER_CLEARING)
        {
            self.requests.retain_recent();
            self.logins.retain_recent();
        }
    }
}

/// Addresses remembered before those whose minute is over are forgotten.
const CALCULATING_ADDRESSES_MAX: usize = 10_000;

/// The calculations of one address.
struct Calculations {
    started: Instant,
    count: u32,
    /// Until when none is answered.
    blocked_until: Option<Instant>,
}

impl Calculations {
    fn starting(now: Instant) -> Self {
        Self {
            started: now,
            count: 0,
            blocked_until: None,
        }
    }

    fn is_running(&self, now: Instant) -> bool {
        self.blocked_until.is_some_and(|until| now < until)
            || now.duration_since(self.started) < CALCULATION_BREAK
    }

    /// How long to wait, when it is one too many.
    fn count(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(until) = self.blocked_until {
            if now < until {
                return Err(until - now);
            }
            *self = Self::starting(now);
        }
        if now.duration_since(self.started) >= CALCULATION_BREAK {
            *self = Self::starting(now);
        }
        self.count += 1;
        if self.count > CALCULATIONS_PER_MINUTE {
            self.blocked_until = Some(now + CALCULATION_BREAK);
            return Err(CALCULATION_BREAK);
        }
        Ok(())
    }
}

impl IntoResponse for TooMany {
    /// For pages; a dialect answers in its own shape.
    fn into_response(self) -> Response {
        let headers = [(header::RETRY_AFTER, self.retry_after_seconds.to_string())];
        (
            StatusCode::TOO_MANY_REQUESTS,
            headers,
            "Too many requests. Please try again later.\n",
        )
            .into_response()
    }
}

/// Middleware for public pages: counts by address.
pub async fn by_address(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let proxies = &state.edge.trusted_proxies;
    let address = client::address(request.extensions(), request.headers(), proxies);
    match state.limits.check_address(address) {
        Ok(()) => next.run(request).await,
        Err(too_many) => too_many.into_response(),
    }
}

fn quota(per_minute: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN))
}

fn too_many(wait: std::time::Duration) -> TooMany {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    TooMany {
        retry_after_seconds: whole.max(1),
    }
}

/// One household or server has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_credential_has_its_own_quota() {
        let limits = RateLimits::new(3);
        for _ in 0..3 {
            assert_eq!(limits.check_credential("one"), Ok(()));
        }
        let refused = limits.check_credential("one").unwrap_err();
        assert!(
            (1..=20).contains(&refused.retry_after_seconds),
            "{refused:?}"
        );
        assert_eq!(limits.check_credential("two"), Ok(()));
    }

    #[test]
    fn a_v6_network_is_one_address() {
        let limits = RateLimits::new(1);
        let check = |text: &str| limits.check_address(text.parse().unwrap()).is_ok();
        assert!(check("2001:db8::1"));
        assert!(!check("2001:db8::2"));
        assert!(check("2001:db8:0:1::1"));
        assert!(check("192.0.2.1"));
        assert!(check("192.0.2.2"));
        assert!(!check("::ffff:192.0.2.1"));
    }

    #[test]
    fn thirty_calculations_then_a_break_of_a_minute() {
        let start = Instant::now();
        let mut calculations = Calculations::starting(start);
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert!((0..30).all(|_| calculations.count(at(1)).is_ok()));
        assert_eq!(calculations.count(at(2)), Err(Duration::from_secs(60)));
        assert_eq!(calculations.count(at(61)), Err(Duration::from_secs(1)));
        assert!((0..30).all(|_| calculations.count(at(62)).is_ok()));
        assert!(calculations.count(at(63)).is_err());
    }

    #[test]
    fn ten_logins_a_minute() {
        let limits = RateLimits::new(6_000);
        let address = "192.0.2.1".parse().unwrap();
        let allowed = (0..20)
            .filter(|_| limits.check_login(address).is_ok())
            .count();
        assert_eq!(allowed, 10);
        assert_eq!(limits.check_address(address), Ok(()));
    }

    #[test]
    fn a_limit_of_zero_is_not_a_crash() {
        let limits = RateLimits::new(0);
        assert_eq!(limits.check_credential("one"), Ok(()));
        assert!(limits.check_credential("one").is_err());
    }

    #[test]
    fn the_wait_is_rounded_up() {
        let seconds = |millis| too_many(std::time::Duration::from_millis(millis));
        assert_eq!(seconds(0).retry_after_seconds, 1);
        assert_eq!(seconds(1_000).retry_after_seconds, 1);
        assert_eq!(seconds(1_001).retry_after_seconds, 2);
    }
}
