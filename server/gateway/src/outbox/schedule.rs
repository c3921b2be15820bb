//! When a failed delivery is tried again.
//!
//! The schedules are data and the decision is a pure function: the instance clock, the random
//! jitter and the outcome of the attempt all arrive as arguments. Jitter only ever shortens a
//! delay. A delivery is therefore always due once the named delay has passed, which keeps
//! `/sandbox/advance` predictable, while a burst of failures is still spread out.

use std::time::Duration;

/// Jitter takes away at most one part in this many: a delay is within `[0.8 · base, base]`.
const JITTER_DIVISOR: u64 = 5;

/// Delays in seconds between the ten tries of the Standard Webhooks example schedule.
const STANDARD_DELAYS_SECS: [u64; 9] = [
    5,
    5 * 60,
    30 * 60,
    2 * 3_600,
    5 * 3_600,
    10 * 3_600,
    14 * 3_600,
    20 * 3_600,
    24 * 3_600,
];

/// Delays in seconds before the thirteen retries of a processing callback (contract 30).
const PROCESSING_DELAYS_SECS: [u64; 13] = [
    60,
    5 * 60,
    10 * 60,
    15 * 60,
    20 * 60,
    30 * 60,
    60 * 60,
    90 * 60,
    120 * 60,
    150 * 60,
    180 * 60,
    210 * 60,
    240 * 60,
];

/// Which retry schedule a delivery follows; the body format decides it (contract 50 and 80).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Ten tries over 75 h 35 min 5 s: orders, gateway events and standard envelopes.
    Standard,
    /// The same ten steps, for IPNs.
    Ipn,
    /// Fourteen tries over 18 h 51 min, for processing callbacks. Not jittered: the dialect
    /// names the exact minutes.
    Processing,
}

/// Why an attempt failed, as precisely as the schedule and the delivery log need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The host name does not resolve.
    Dns,
    /// The address guard refused the host.
    Blocked,
    /// No connection, or it broke before a complete answer head arrived.
    Connect,
    /// The TLS handshake failed: certificate, name or protocol.
    Tls,
    /// No complete answer within the time allowed.
    Timeout,
    /// An answer outside 2xx that has no variant of its own.
    Status(u16),
    /// A 3xx answer; redirects are never followed.
    Redirect,
    /// 410: the receiver says that this endpoint no longer exists.
    Gone,
    /// The request cannot be put on the wire: a malformed URL or header.
    Invalid,
}

impl Schedule {
    /// The stored word; part of the schema.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Ipn => "ipn",
            Self::Processing => "processing",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Standard, Self::Ipn, Self::Processing]
            .into_iter()
            .find(|each| each.word() == word)
    }

    /// How many attempts are made before the delivery is given up, the first one included.
    #[must_use]
    pub const fn tries(self) -> usize {
        self.delays_secs().len() + 1
    }

    const fn delays_secs(self) -> &'static [u64] {
        match self {
            Self::Standard | Self::Ipn => &STANDARD_DELAYS_SECS,
            Self::Processing => &PROCESSING_DELAYS_SECS,
        }
    }

    /// The delay before the attempt that follows `attempts_made` (≥ 1) attempts.
    fn base_delay(self, attempts_made: u32) -> Option<Duration> {
        let index = usize::try_from(attempts_made).ok()?.checked_sub(1)?;
        self.delays_secs()
            .get(index)
            .copied()
            .map(Duration::from_secs)
    }

    fn jittered(self, base: Duration, jitter: u16) -> Duration {
        match self {
            Self::Standard | Self::Ipn => {
                let base_ms = base.as_secs() * 1_000;
                let cut_ms = base_ms / JITTER_DIVISOR * u64::from(jitter) / u64::from(u16::MAX);
                Duration::from_millis(base_ms - cut_ms)
            }
            Self::Processing => base,
        }
    }
}

impl FailureKind {
    /// The class shown in the delivery log and stored with the attempt.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Blocked => "blocked",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Status(_) => "status",
            Self::Redirect => "redirect",
            Self::Gone => "gone",
            Self::Invalid => "invalid",
        }
    }

    /// What a merchant is told. It names neither addresses nor anything else of the inside.
    #[must_use]
    pub fn sentence(self) -> String {
        match self {
            Self::Dns => "the host name could not be resolved".to_owned(),
            Self::Blocked => "the address is not allowed as a webhook receiver".to_owned(),
            Self::Connect => "the connection could not be made or broke off".to_owned(),
            Self::Tls => "the TLS handshake failed".to_owned(),
            Self::Timeout => "no complete answer arrived in time".to_owned(),
            Self::Status(code) => format!("the receiver answered {code}"),
            Self::Redirect => {
                "the receiver answered with a redirect, which is not followed".to_owned()
            }
            Self::Gone => "the receiver answered 410: this endpoint is gone".to_owned(),
            Self::Invalid => {
                "the request could not be sent: its URL or a header is malformed".to_owned()
            }
        }
    }

    /// Whether no later attempt is made at all. A 410 ends only what follows Standard Webhooks,
    /// where it has that meaning; the older dialects promise their number of tries regardless.
    const fn is_final(self, schedule: Schedule) -> bool {
        match self {
            Self::Invalid => true,
            Self::Gone => matches!(schedule, Schedule::Standard),
            _ => false,
        }
    }
}

/// How long after the failed attempt the next one is due; `None` gives the delivery up.
///
/// `attempts_made` counts the attempts so far and 0 answers "at once". `jitter` is uniform over
/// all of `u16`. The receiver's own `Retry-After` replaces the jittered delay, held within one and two
/// times the delay that would apply; not for processing callbacks, whose minutes are named.
#[must_use]
pub fn next_attempt(
    schedule: Schedule,
    attempts_made: u32,
    jitter: u16,
    retry_after: Option<Duration>,
    cause: FailureKind,
) -> Option<Duration> {
    if attempts_made == 0 {
        return Some(Duration::ZERO);
    }
    if cause.is_final(schedule) {
        return None;
    }
    let base = schedule.base_delay(attempts_made)?;
    Some(match retry_after {
        Some(asked) if !matches!(schedule, Schedule::Processing) => asked.clamp(base, base * 2),
        Some(_) | None => schedule.jittered(base, jitter),
    })
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
