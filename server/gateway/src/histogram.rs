//! Durations counted in fixed buckets: whole microseconds, no floats, no locks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::view::system::{Bucket, Durations};

/// Upper ends of the buckets, microseconds: from half a millisecond to ten seconds.
const UP_TO_MICROS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// Counts since the process began.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; UP_TO_MICROS.len()],
    /// Longer than the last bucket.
    beyond: AtomicU64,
    sum_micros: AtomicU64,
}

impl Histogram {
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = UP_TO_MICROS.partition_point(|end| *end < micros);
        self.counts
            .get(at)
            .unwrap_or(&self.beyond)
            .fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub fn durations(&self) -> Durations {
        let ends = UP_TO_MICROS.into_iter().map(Some).chain([None]);
        let counts = self.counts.iter().chain([&self.beyond]);
        Durations {
            buckets: ends
                .zip(counts)
                .map(|(up_to_micros, count)| Bucket {
                    up_to_micros,
                    count: count.load(Ordering::Relaxed),
                })
                .collect(),
            sum_micros: self.sum_micros.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_first_bucket_it_fits_into() {
        let histogram = Histogram::default();
        for micros in [0, 500, 501, 10_000_000, 10_000_001] {
            histogram.observe(Duration::from_micros(micros));
        }
        let durations = histogram.durations();
        let counts: Vec<u64> = durations.buckets.iter().map(|each| each.count).collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(durations.sum_micros, 20_001_002);
        assert_eq!(
            durations.buckets.last().map(|last| last.up_to_micros),
            Some(None)
        );
    }
}
