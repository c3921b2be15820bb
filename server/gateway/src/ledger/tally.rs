//! What became of the units of work of this process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::view::system::CommitFigures;

use crate::Error;
use crate::histogram::Histogram;

/// Counters since the process began.
#[derive(Debug, Default)]
pub(super) struct CommitTally {
    refused: AtomicU64,
    overloaded: AtomicU64,
    failed: AtomicU64,
    /// Of those that were committed, which it counts, too.
    durations: Histogram,
}

impl CommitTally {
    /// From the begin of a unit to its commit; what was waited for before is no part of it.
    pub(super) fn note_committed(&self, took: Duration) {
        self.durations.observe(took);
    }

    /// Why a unit came to nothing.
    pub(super) fn note_error(&self, error: &Error) {
        let counter = match error {
            Error::Overloaded { .. } => &self.overloaded,
            Error::Database(_) | Error::Internal(_) | Error::OutcomeUnknown => &self.failed,
            _ => &self.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn figures(&self) -> CommitFigures {
        let durations = self.durations.durations();
        CommitFigures {
            committed: durations.count(),
            refused: self.refused.load(Ordering::Relaxed),
            overloaded: self.overloaded.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            durations,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_no_failure_and_takes_no_part_in_the_durations() {
        let tally = CommitTally::default();
        tally.note_committed(Duration::from_millis(3));
        tally.note_error(&Error::AlreadyBooked);
        tally.note_error(&Error::overloaded());
        tally.note_error(&Error::Internal("broken".to_owned()));
        let figures = tally.figures();
        assert_eq!(
            (
                figures.committed,
                figures.refused,
                figures.overloaded,
                figures.failed
            ),
            (1, 1, 1, 1)
        );
        assert_eq!(figures.durations.sum_micros, 3_000);
    }
}
