//! How long something took, over all that was measured of it.

use std::fmt;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// How many were measured.
    pub count: usize,
    /// Half of them took at most as long.
    pub median: Duration,
    /// All but the slowest hundredth took at most as long.
    pub p99: Duration,
}

impl Spread {
    /// # Panics
    /// When nothing was measured: a figure of nothing looks like a good one.
    pub fn of(mut took: Vec<Duration>) -> Self {
        assert!(!took.is_empty(), "nothing was measured");
        took.sort_unstable();
        let within = |hundredths: usize| took[(took.len() * hundredths).div_ceil(100) - 1];
        Self {
            count: took.len(),
            median: within(50),
            p99: within(99),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p99, median) = (self.p99.as_millis(), self.median.as_millis());
        write!(
            f,
            "p99 {p99} ms, median {median} ms, {} measured",
            self.count
        )
    }
}

#[test]
fn the_slowest_hundredth_is_left_out_and_not_more() {
    let of = |count: u64| Spread::of((1..=count).rev().map(Duration::from_millis).collect());
    let figures = |spread: Spread| (spread.count, spread.median, spread.p99);
    let millis = Duration::from_millis;
    assert_eq!(figures(of(1)), (1, millis(1), millis(1)));
    assert_eq!(figures(of(99)), (99, millis(50), millis(99)));
    assert_eq!(figures(of(100)), (100, millis(50), millis(99)));
    assert_eq!(figures(of(200)), (200, millis(100), millis(198)));
    assert_eq!(
        of(200).to_string(),
        "p99 198 ms, median 100 ms, 200 measured"
    );
}
