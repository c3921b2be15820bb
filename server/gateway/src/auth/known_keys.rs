//! Keys that were looked up a moment ago, so that not each request of a merchant asks the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};

use super::known::Known;
use super::{KeyPairPrincipal, digest};
use crate::Gateway;

/// On which Postgres announces that keys, or what they stand for, were changed; see the migration of
/// the triggers that do.
pub(crate) const KEY_CHANNEL: &str = "exchequer_keys";

/// How exactly the last use of a key is known.
pub(super) const LAST_USE_EVERY: Duration = Duration::minutes(1);

/// A merchant's key that is not revoked.
#[derive(Clone)]
pub(super) struct KnownKey {
    pub(super) id: i64,
    pub(super) merchant_id: i64,
    pub(super) last_use: LastUse,
}

/// A key pair that is not revoked.
#[derive(Clone)]
pub(super) struct KnownPair {
    pub(super) pair: Arc<KeyPairPrincipal>,
    pub(super) last_use: LastUse,
}

/// What this process knows of keys. Secrets are found by their digests.
#[derive(Default)]
pub(crate) struct KnownKeys {
    pub(super) keys: Known<[u8; 32], KnownKey>,
    pub(super) pairs: Known<[u8; 32], KnownPair>,
    /// Merchants that exist, for callers who name one.
    pub(super) merchants: Known<i64, ()>,
}

impl KnownKeys {
    /// Something about keys or merchants has changed.
    pub(crate) fn forget(&self) {
        self.keys.forget();
        self.pairs.forget();
        self.merchants.forget();
    }

    fn listening(&self) {
        self.keys.listening();
        self.pairs.listening();
        self.merchants.listening();
    }

    fn deaf(&self) {
        self.keys.deaf();
        self.pairs.deaf();
        self.merchants.deaf();
    }
}

/// As long as it lives, changes of keys are heard.
pub(crate) struct Hearing(Gateway);

impl Drop for Hearing {
    fn drop(&mut self) {
        self.0.known_keys().deaf();
    }
}

impl Gateway {
    /// Said by whoever listens on [`KEY_CHANNEL`] from before now.
    pub(crate) fn hear_of_keys(&self) -> Hearing {
        self.known_keys().listening();
        Hearing(self.clone())
    }

    /// Whose static key it is: none when such calls are off.
    pub(super) fn static_key_digest(&self) -> Option<&[u8; 32]> {
        self.0
            .static_key
            .get_or_init(|| self.effective_static_key().as_deref().map(digest))
            .as_ref()
    }
}

/// When a key was last noted as used, microseconds since 1970; shared by all who know the key.
#[derive(Clone)]
pub(super) struct LastUse(Arc<AtomicI64>);

impl LastUse {
    pub(super) fn of(at: Option<OffsetDateTime>) -> Self {
        Self(Arc::new(AtomicI64::new(at.map_or(i64::MIN, micros))))
    }

    /// Whether the caller is the one to note this use: one in [`LAST_USE_EVERY`] is.
    pub(super) fn is_to_be_noted(&self, now: OffsetDateTime) -> bool {
        let before = self.0.load(Ordering::Relaxed);
        let every = i64::try_from(LAST_USE_EVERY.whole_microseconds()).unwrap_or(i64::MAX);
        let now = micros(now);
        now.saturating_sub(before) >= every
            && self
                .0
                .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let start = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let second = Duration::seconds;
        let never = LastUse::of(None);
        assert!(never.is_to_be_noted(start));
        assert!(!never.clone().is_to_be_noted(start + second(59)));
        assert!(never.is_to_be_noted(start + second(60)));
        let lately = LastUse::of(Some(start));
        assert!(!lately.is_to_be_noted(start + second(59)));
        assert!(lately.clone().is_to_be_noted(start + second(61)));
        assert!(!lately.is_to_be_noted(start + second(61)));
    }
}
