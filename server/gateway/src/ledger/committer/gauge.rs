use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Longest wait asked of somebody who is turned away.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// Figures of a committer since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommitterStats {
    /// Items that wait for their turn.
    pub depth: usize,
    /// Transactions committed.
    pub batches: u64,
    /// Items in them.
    pub items: u64,
    /// Items of the last transaction.
    pub last_batch: usize,
    /// Time from the begin to the end of the commit, summed, microseconds.
    pub commit_micros_sum: u64,
    /// Items answered with an error.
    pub refused: u64,
}

/// Counts; each figure is right by itself, together they may be a moment apart.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    batches: AtomicU64,
    items: AtomicU64,
    last_batch: AtomicUsize,
    commit_micros_sum: AtomicU64,
    refused: AtomicU64,
}

impl Gauge {
    pub(super) fn note_batch(&self, items: usize, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.items
            .fetch_add(u64::try_from(items).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.last_batch.store(items, Ordering::Relaxed);
        self.commit_micros_sum.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn note_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self, depth: usize) -> CommitterStats {
        CommitterStats {
            depth,
            batches: self.batches.load(Ordering::Relaxed),
            items: self.items.load(Ordering::Relaxed),
            last_batch: self.last_batch.load(Ordering::Relaxed),
            commit_micros_sum: self.commit_micros_sum.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// How long this many items take, as far as one can say: from a second to half a minute.
    pub(super) fn time_for(&self, depth: usize) -> Duration {
        let stats = self.stats(depth);
        let waiting = u64::try_from(depth).unwrap_or(u64::MAX);
        let micros = stats
            .commit_micros_sum
            .saturating_mul(waiting)
            .checked_div(stats.items)
            .unwrap_or_default();
        Duration::from_micros(micros).clamp(Duration::from_secs(1), RETRY_AFTER_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_turned_away_waits_for_what_is_before_him() {
        let gauge = Gauge::default();
        assert_eq!(gauge.time_for(1_000), Duration::from_secs(1), "unknown yet");
        gauge.note_batch(100, Duration::from_millis(200));
        assert_eq!(gauge.time_for(10), Duration::from_secs(1));
        assert_eq!(gauge.time_for(5_000), Duration::from_secs(10));
        assert_eq!(gauge.time_for(usize::MAX), RETRY_AFTER_MAX);
    }

    #[test]
    fn batches_and_their_items_are_counted() {
        let gauge = Gauge::default();
        gauge.note_batch(3, Duration::from_micros(40));
        gauge.note_batch(5, Duration::from_micros(2));
        gauge.note_refused();
        let expected = CommitterStats {
            depth: 7,
            batches: 2,
            items: 8,
            last_batch: 5,
            commit_micros_sum: 42,
            refused: 1,
        };
        assert_eq!(gauge.stats(7), expected);
    }
}
