//! Measured numbers, their order statistics and how they are written.
//!
//! Invariant: a figure is a whole number of thousandths, so no float is needed to count, compare or
//! show one. What is finer than a thousandth is cut off.

use std::time::Duration;

/// Thousandths of one.
const ONE: u128 = 1_000;

const NANOSECONDS_PER_SECOND: u128 = 1_000_000_000;

/// Digits after the point that a figure has.
const DIGITS: u32 = 3;

/// A measured number, in thousandths of its unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Figure(u128);

impl Figure {
    pub(super) fn whole(number: u64) -> Self {
        Self(u128::from(number) * ONE)
    }

    /// So many thousandths.
    pub(super) fn thousandths(number: u64) -> Self {
        Self(u128::from(number))
    }

    /// The whole part.
    pub(super) fn floor(self) -> u64 {
        u64::try_from(self.0 / ONE).unwrap_or(u64::MAX)
    }

    /// How many a second.
    pub(super) fn per_second(count: u64, elapsed: Duration) -> Self {
        let nanoseconds = elapsed.as_nanos().max(1);
        Self(u128::from(count) * ONE * NANOSECONDS_PER_SECOND / nanoseconds)
    }

    pub(super) fn milliseconds(time: Duration) -> Self {
        Self(time.as_micros())
    }

    pub(super) fn seconds(time: Duration) -> Self {
        Self(time.as_millis())
    }

    /// Microseconds of each of `count`; `None` when there are none.
    pub(super) fn microseconds_each(time: Duration, count: u64) -> Option<Self> {
        time.as_nanos().checked_div(u128::from(count)).map(Self)
    }

    /// A plain decimal such as `1203.456789`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return None;
        }
        let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
        let whole: u128 = whole.parse().ok()?;
        Some(Self(
            whole
                .checked_mul(ONE)?
                .checked_add(thousandths.parse().ok()?)?,
        ))
    }

    /// This figure times `by / over`; `None` when `over` is zero.
    pub(super) fn scaled(self, by: u64, over: u64) -> Option<Self> {
        let scaled = self.0.checked_mul(u128::from(by))?;
        scaled.checked_div(u128::from(over)).map(Self)
    }

    /// How many times `other` goes into this one; `None` when `other` is zero.
    pub(super) fn over(self, other: Self) -> Option<Self> {
        self.0.checked_mul(ONE)?.checked_div(other.0).map(Self)
    }

    /// With `digits` after the point, 0 to 3, rounded half up.
    pub(super) fn text(self, digits: u32) -> String {
        let digits = digits.min(DIGITS);
        let step = 10_u128.pow(DIGITS - digits);
        let parts = 10_u128.pow(digits);
        let rounded = (self.0 + step / 2) / step;
        let (whole, fraction) = (rounded / parts, rounded % parts);
        match digits {
            0 => whole.to_string(),
            _ => format!(
                "{whole}.{fraction:0width$}",
                width = usize::try_from(digits).unwrap_or(1)
            ),
        }
    }
}

/// The middle figure, or the mean of the two in the middle; `None` of none.
pub(super) fn median(figures: &[Figure]) -> Option<Figure> {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(*upper);
    }
    let lower = sorted.get(middle.checked_sub(1)?)?;
    Some(Figure(lower.0.midpoint(upper.0)))
}

/// The middle of what several rounds measured, and the ends: `least <= middle <= most`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) least: Figure,
    pub(super) middle: Figure,
    pub(super) most: Figure,
}

impl Range {
    /// `None` of none.
    pub(super) fn over(rounds: &[Figure]) -> Option<Self> {
        Some(Self {
            least: *rounds.iter().min()?,
            middle: median(rounds)?,
            most: *rounds.iter().max()?,
        })
    }

    /// The middle, and the ends where they differ, e.g. `900 [850 - 1000]`.
    pub(super) fn text(self, digits: u32) -> String {
        let [least, middle, most] =
            [self.least, self.middle, self.most].map(|figure| figure.text(digits));
        if least == most {
            middle
        } else {
            format!("{middle} [{least} - {most}]")
        }
    }
}

/// The smallest time that `percent` of all times do not exceed (nearest rank); `None` of none, and
/// above 100.
pub(super) fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    quantile(sorted, percent.checked_mul(10)?)
}

/// The same for a part in thousandths, 0 to 1 000.
pub(super) fn quantile(sorted: &[Duration], thousandths: usize) -> Option<Duration> {
    let rank = sorted
        .len()
        .checked_mul(thousandths)?
        .div_ceil(1_000)
        .max(1);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn figures(texts: &[&str]) -> Vec<Figure> {
        texts
            .iter()
            .map(|text| Figure::parse(text).unwrap())
            .collect()
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two() {
        let check = |texts: &[&str], expected: &str| {
            assert_eq!(median(&figures(texts)).unwrap().text(3), expected);
        };
        check(&["7"], "7.000");
        check(&["9", "1", "5"], "5.000");
        check(&["1", "2", "10", "4"], "3.000");
        check(&["0.001", "0.002"], "0.001");
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_range_tells_its_ends_when_they_differ() {
        let range = |texts: &[&str]| Range::over(&figures(texts)).map(|range| range.text(0));
        assert_eq!(
            range(&["850", "1000", "900"]).as_deref(),
            Some("900 [850 - 1000]")
        );
        assert_eq!(range(&["900"]).as_deref(), Some("900"));
        assert_eq!(range(&[]), None);
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let hundred: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        let of = |percent| percentile(&hundred, percent).map(|time| time.as_millis());
        assert_eq!(of(50), Some(50));
        assert_eq!(of(95), Some(95));
        assert_eq!(of(99), Some(99));
        assert_eq!(of(100), Some(100));
        assert_eq!(of(0), Some(1));
        assert_eq!(of(101), None);
        let few: Vec<Duration> = [10, 20, 30].map(Duration::from_millis).to_vec();
        assert_eq!(percentile(&few, 50), Some(Duration::from_millis(20)));
        assert_eq!(percentile(&few, 95), Some(Duration::from_millis(30)));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn quantiles_see_one_in_a_thousand() {
        let many: Vec<Duration> = (1..=2_000).map(Duration::from_micros).collect();
        let of = |thousandths| quantile(&many, thousandths).map(|time| time.as_micros());
        assert_eq!(of(500), Some(1_000));
        assert_eq!(of(999), Some(1_998));
        assert_eq!(of(1_000), Some(2_000));
        assert_eq!(of(0), Some(1));
        assert_eq!(of(1_001), None);
        let few: Vec<Duration> = (1..=3).map(Duration::from_micros).collect();
        assert_eq!(quantile(&few, 999), few.last().copied());
    }

    #[test]
    fn decimals_are_read_to_the_thousandth() {
        let check =
            |text: &str, expected: Option<Figure>| assert_eq!(Figure::parse(text), expected);
        check("1203.456789", Some(Figure(1_203_456)));
        check("0.5", Some(Figure(500)));
        check("12", Some(Figure(12_000)));
        for wrong in ["", ".5", "5.", "-1", "1e3", "nan", "1.2.3", " 1"] {
            check(wrong, None);
        }
    }

    #[test]
    fn figures_are_written_rounded_half_up() {
        let figure = Figure(12_345);
        assert_eq!(figure.text(3), "12.345");
        assert_eq!(figure.text(2), "12.35");
        assert_eq!(figure.text(1), "12.3");
        assert_eq!(figure.text(0), "12");
        assert_eq!(Figure(9_999).text(1), "10.0");
        assert_eq!(Figure(7).text(3), "0.007");
        assert_eq!(Figure::whole(3).text(0), "3");
        assert_eq!(Figure::thousandths(450).text(2), "0.45");
        assert_eq!((Figure(9_999).floor(), Figure(12).floor()), (9, 0));
    }

    #[test]
    fn rates_and_times_have_their_units() {
        let two = Duration::from_secs(2);
        assert_eq!(Figure::per_second(5, two).text(3), "2.500");
        assert_eq!(
            Figure::milliseconds(Duration::from_micros(1_234)).text(3),
            "1.234"
        );
        assert_eq!(
            Figure::seconds(Duration::from_millis(1_500)).text(3),
            "1.500"
        );
        assert!(Figure::per_second(5, Duration::ZERO) > Figure::whole(5));
        let each = |count| Figure::microseconds_each(Duration::from_millis(500), count);
        assert_eq!(each(4_000), Some(Figure::whole(125)));
        assert_eq!(each(3_000_000), Some(Figure(166)));
        assert_eq!(each(0), None);
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        let two = Figure::whole(2);
        assert_eq!(two.over(Figure::whole(8)), Some(Figure(250)));
        assert_eq!(two.over(Figure::default()), None);
        assert_eq!(two.scaled(100_000, 50_000), Some(Figure::whole(4)));
        assert_eq!(two.scaled(1, 0), None);
    }
}
