//! What became of the attempts of this process.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::view::system::AttemptFigures;

use super::attempt_store::After;

/// Counters since the process began.
#[derive(Debug, Default)]
pub(crate) struct AttemptTally {
    delivered: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
}

impl AttemptTally {
    pub(super) fn note(&self, after: After) {
        let counter = match after {
            After::Delivered => &self.delivered,
            After::RetryAt(_) => &self.failed,
            After::GivenUp => &self.given_up,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn figures(&self) -> AttemptFigures {
        AttemptFigures {
            delivered: self.delivered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            given_up: self.given_up.load(Ordering::Relaxed),
        }
    }
}
