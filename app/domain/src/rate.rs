//! Mid rates from sources, prices from mid rates, quotes from prices (`00-domain.md`, Rates).

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::money::{Currency, Money, Rounding, convert_inverse, round_units};

/// Basis points in a whole.
pub const BASIS_POINTS: i64 = 10_000;

/// Observations further than this from the median, in basis points, are outliers.
const OUTLIER_BASIS_POINTS: i64 = 500;

/// What one source said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub source: String,
    #[serde(with = "rust_decimal::serde::str")]
    pub rate: Decimal,
    pub observed_at: OffsetDateTime,
    /// Fixed and pinned rates do not age (test mode's starting rates, an operator's pin).
    pub ages: bool,
}

/// A mid rate with the sources it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MidRate {
    #[serde(with = "rust_decimal::serde::str")]
    pub rate: Decimal,
    pub sources: Vec<String>,
}

/// Median of the fresh observations after dropping outliers; `None` when nothing fresh is left.
pub fn mid_rate(
    observations: &[Observation],
    now: OffsetDateTime,
    stale_after: Duration,
) -> Option<MidRate> {
    let fresh: Vec<&Observation> = observations
        .iter()
        .filter(|seen| !seen.ages || now - seen.observed_at <= stale_after)
        .filter(|seen| seen.rate > Decimal::ZERO)
        .collect();
    let rough = median(fresh.iter().map(|seen| seen.rate).collect())?;
    let tolerance =
        rough.checked_mul(Decimal::from(OUTLIER_BASIS_POINTS))? / Decimal::from(BASIS_POINTS);
    let kept: Vec<&Observation> = fresh
        .into_iter()
        .filter(|seen| (seen.rate - rough).abs() <= tolerance)
        .collect();
    // Two sources that disagree leave nothing within reach of their median.
    let rate = median(kept.iter().map(|seen| seen.rate).collect())?;
    Some(MidRate {
        rate,
        sources: kept.iter().map(|seen| seen.source.clone()).collect(),
    })
}

fn median(mut rates: Vec<Decimal>) -> Option<Decimal> {
    rates.sort_unstable();
    let middle = rates.len() / 2;
    let upper = *rates.get(middle)?;
    if rates.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *rates.get(middle.checked_sub(1)?)?;
    Some((lower + upper) / Decimal::TWO)
}

/// The price a payer's coin is taken at: mid less spread, cut (toward the house) to the digits
/// shown: 8 decimals or 8 significant digits, whichever is more (`80`, Processing).
pub fn price(mid: Decimal, spread_basis_points: u32) -> Option<Decimal> {
    let kept = Decimal::from(BASIS_POINTS).checked_sub(Decimal::from(spread_basis_points))?;
    let price = mid
        .checked_mul(kept)?
        .checked_div(Decimal::from(BASIS_POINTS))?;
    let price = shown_digits(price);
    (price > Decimal::ZERO).then_some(price)
}

/// The inverse of a rate at the digits of a price.
pub fn inverse(rate: Decimal) -> Option<Decimal> {
    let inverse = shown_digits(Decimal::ONE.checked_div(rate)?);
    (inverse > Decimal::ZERO).then_some(inverse)
}

fn shown_digits(value: Decimal) -> Decimal {
    let eight_significant = value
        .round_sf_with_strategy(8, RoundingStrategy::ToZero)
        .unwrap_or(value)
        .normalize();
    let decimals = eight_significant.scale().max(8);
    value
        .round_dp_with_strategy(decimals, RoundingStrategy::ToZero)
        .normalize()
}

/// Basis points as a percentage in its shortest form: `0.99`, `1`, `0`.
pub fn percent(basis_points: u32) -> String {
    Decimal::new(i64::from(basis_points), 2)
        .normalize()
        .to_string()
}

/// What a payer owes in `coin` for `amount`: rounded up to the coin's precision, so that it always
/// covers the amount at the same price.
pub fn amount_due(amount: Money, price: Decimal, coin: Currency) -> Option<Money> {
    let exact = if amount.currency().id == coin.id {
        amount
    } else {
        convert_inverse(amount, price, coin, Rounding::Up)?
    };
    let units = round_units(exact.units(), coin, Rounding::Up)?;
    Some(Money::from_units(units, coin))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

    fn seen(rate: &str, age_minutes: i64) -> Observation {
        Observation {
            source: format!("source-{rate}"),
            rate: rate.parse().unwrap(),
            observed_at: NOW - Duration::minutes(age_minutes),
            ages: true,
        }
    }

    #[track_caller]
    fn check(observations: &[Observation], expected: Option<&str>) {
        let mid = mid_rate(observations, NOW, Duration::minutes(10));
        assert_eq!(
            mid.map(|mid| mid.rate.normalize().to_string()).as_deref(),
            expected
        );
    }

    #[test]
    fn the_mid_is_the_median_of_fresh_sources_without_outliers() {
        check(&[seen("100", 0)], Some("100"));
        check(
            &[seen("100", 0), seen("101", 0), seen("102", 0)],
            Some("101"),
        );
        check(&[seen("100", 0), seen("101", 0)], Some("100.5"));
        check(
            &[seen("100", 0), seen("101", 0), seen("999", 0)],
            Some("100.5"),
        );
        check(&[seen("100", 11), seen("101", 10)], Some("101"));
        check(&[seen("100", 11)], None);
        check(&[seen("0", 0)], None);
        check(&[seen("100", 0), seen("200", 0)], None);
        check(&[], None);
    }

    #[test]
    fn percentages_are_short() {
        assert_eq!(
            [99, 100, 0, 150, 10_000].map(percent),
            ["0.99", "1", "0", "1.5", "100"]
        );
    }

    #[test]
    fn fixed_rates_never_go_stale() {
        let fixed = Observation {
            ages: false,
            ..seen("100", 100_000)
        };
        check(&[fixed], Some("100"));
    }

    #[test]
    fn prices_keep_eight_decimals_or_eight_significant_digits() {
        let price_text =
            |mid: &str, spread| price(mid.parse().unwrap(), spread).unwrap().to_string();
        assert_eq!(price_text("52002.33", 0), "52002.33");
        assert_eq!(price_text("52002.33", 100), "51482.3067");
        assert_eq!(price_text("0.0000123456789", 0), "0.000012345678");
        assert_eq!(price_text("1.123456789", 0), "1.12345678");
        assert_eq!(price("0".parse().unwrap(), 0), None);
    }
}
