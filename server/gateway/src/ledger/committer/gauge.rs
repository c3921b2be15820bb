use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);

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
    /// Items that were taken and answered with an error.
    pub refused: u64,
    /// Tasks that ended although nobody asked them to.
    pub ended: usize,
}

/// Counts; each figure is right by itself, together they may be a moment apart.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    batches: AtomicU64,
    items: AtomicU64,
    last_batch: AtomicUsize,
    commit_micros_sum: AtomicU64,
    refused: AtomicU64,
    ended: AtomicUsize,
    newest: Mutex<Newest>,
}

impl Gauge {
    pub(super) fn note_batch(&self, items: usize, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.items
            .fetch_add(u64::try_from(items).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.last_batch.store(items, Ordering::Relaxed);
        self.commit_micros_sum.fetch_add(micros, Ordering::Relaxed);
        self.newest().note(items, took);
    }

    pub(super) fn note_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_ended(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self, depth: usize) -> CommitterStats {
        CommitterStats {
            depth,
            batches: self.batches.load(Ordering::Relaxed),
            items: self.items.load(Ordering::Relaxed),
            last_batch: self.last_batch.load(Ordering::Relaxed),
            commit_micros_sum: self.commit_micros_sum.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            ended: self.ended.load(Ordering::Relaxed),
        }
    }

    /// How long this many items take with so many tasks, as far as the newest batches tell: their mean
    /// time for each batch's worth of items. From a second to half a minute.
    pub(super) fn time_for(&self, depth: usize, tasks: usize) -> Duration {
        self.newest().time_for(depth, tasks)
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Time and items of the newest batches, each weighing an eighth less than the one after it: what was
/// long ago, when one item came at a time, says nothing about full batches.
#[derive(Debug, Default)]
struct Newest {
    micros: u128,
    items: u128,
}

impl Newest {
    /// So that an eighth of a single item is something.
    const SCALE: u128 = 1_000_000;

    fn note(&mut self, items: usize, took: Duration) {
        let items = u128::try_from(items).unwrap_or(u128::MAX);
        for (sum, newest) in [
            (&mut self.micros, took.as_micros()),
            (&mut self.items, items),
        ] {
            *sum = (*sum - *sum / 8).saturating_add(newest.saturating_mul(Self::SCALE));
        }
    }

    fn time_for(&self, depth: usize, tasks: usize) -> Duration {
        let depth = u128::try_from(depth).unwrap_or(u128::MAX);
        let tasks = u128::try_from(tasks.max(1)).unwrap_or(1);
        let micros = self
            .micros
            .saturating_mul(depth)
            .checked_div(self.items.saturating_mul(tasks))
            .unwrap_or_default();
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        Duration::from_micros(micros).clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_turned_away_waits_for_what_is_before_him() {
        let gauge = Gauge::default();
        assert_eq!(gauge.time_for(1_000, 1), RETRY_AFTER_MIN, "unknown yet");
        gauge.note_batch(100, Duration::from_millis(200));
        assert_eq!(gauge.time_for(10, 1), RETRY_AFTER_MIN);
        assert_eq!(gauge.time_for(5_000, 1), Duration::from_secs(10));
        assert_eq!(gauge.time_for(5_000, 2), Duration::from_secs(5));
        assert_eq!(gauge.time_for(usize::MAX, 1), RETRY_AFTER_MAX);
    }

    /// A quiet night says nothing about full batches, nor the other way round.
    #[test]
    fn the_newest_batches_tell_how_long_it_takes() {
        let gauge = Gauge::default();
        for _ in 0..10_000 {
            gauge.note_batch(1, Duration::from_millis(5));
        }
        assert_eq!(gauge.time_for(5_000, 1), Duration::from_secs(25));
        for _ in 0..50 {
            gauge.note_batch(50, Duration::from_millis(100));
        }
        let full = gauge.time_for(5_000, 1);
        let (least, most) = (Duration::from_millis(9_900), Duration::from_millis(10_100));
        assert!(full > least && full < most, "{full:?}");
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
            ended: 0,
        };
        assert_eq!(gauge.stats(7), expected);
    }
}
