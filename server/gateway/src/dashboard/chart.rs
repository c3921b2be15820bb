use domain::money::{Currency, Money, Rounding, mul_div};
use domain::view::dashboard::{DayTotal, ReceivedChart};
use rust_decimal::Decimal;
use time::{Date, Duration, Time};

use super::store::{self, PaidDay};
use crate::ledger::units;
use crate::{Gateway, Result};

/// Heights of bars are given in thousandths of the highest.
const HIGHEST: i128 = 1_000;

/// A bar's height above zero is at least this, or money would look like none.
const LOWEST: u32 = 1;

impl Gateway {
    /// Amounts of the charges paid in the last `days` days, today included, by UTC day.
    pub(super) async fn received_chart(
        &self,
        merchant_id: i64,
        currency: Currency,
        codes: &[String],
        days: u32,
    ) -> Result<ReceivedChart> {
        let days = if matches!(days, 7 | 30 | 90) {
            days
        } else {
            30
        };
        let today = self.clock().now().date();
        let first = today - Duration::days(i64::from(days) - 1);
        let from = first.with_time(Time::MIDNIGHT).assume_utc();
        let paid = store::paid_by_day(self.pool(), merchant_id, currency.id, from).await?;
        let (bars, total) = bars(first, days, &paid, currency);
        let code = currency.code.to_string();
        let mut codes = codes.to_vec();
        if !codes.contains(&code) {
            codes.push(code.clone());
        }
        Ok(ReceivedChart {
            code,
            codes,
            days,
            bars,
            total,
        })
    }
}

/// One bar for each of `days` days from `first` on, and their sum.
fn bars(first: Date, days: u32, paid: &[PaidDay], currency: Currency) -> (Vec<DayTotal>, String) {
    let text = |units: i128| Money::from_units(units, currency).shown();
    let highest = paid.iter().map(|day| units(day.amount)).max().unwrap_or(0);
    let bars = (0..i64::from(days))
        .map(|offset| {
            let day = first + Duration::days(offset);
            let found = paid.iter().find(|paid| paid.day == day);
            let amount = units(found.map_or(Decimal::ZERO, |paid| paid.amount));
            DayTotal {
                day: day.to_string(),
                paid_count: found.map_or(0, |paid| u64::try_from(paid.paid_count).unwrap_or(0)),
                amount: text(amount),
                per_mille: per_mille(amount, highest),
            }
        })
        .collect();
    let total = paid.iter().map(|day| units(day.amount)).sum();
    (bars, text(total))
}

fn per_mille(amount: i128, highest: i128) -> u32 {
    if amount <= 0 {
        return 0;
    }
    let share = mul_div(amount, HIGHEST, highest, Rounding::Down).unwrap_or(HIGHEST);
    u32::try_from(share).unwrap_or_default().max(LOWEST)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::CurrencyKind;
    use time::macros::date;

    use super::*;

    fn euro() -> Currency {
        let code = "EUR".parse().unwrap();
        Currency {
            id: 145,
            code,
            kind: CurrencyKind::Fiat,
            precision: 2,
            scale: 8,
        }
    }

    fn paid(day: Date, paid_count: i64, amount: i64) -> PaidDay {
        PaidDay {
            day,
            paid_count,
            amount: Decimal::from(amount),
        }
    }

    #[test]
    fn every_day_has_a_bar_and_the_highest_is_full() {
        let paid = [
            paid(date!(2026 - 11 - 20), 2, 20_000_000_000),
            paid(date!(2026 - 11 - 21), 1, 5_000_000_001),
        ];
        let (bars, total) = bars(date!(2026 - 11 - 19), 3, &paid, euro());
        let days: Vec<&str> = bars.iter().map(|bar| bar.day.as_str()).collect();
        assert_eq!(days, ["2026-11-19", "2026-11-20", "2026-11-21"]);
        let heights: Vec<u32> = bars.iter().map(|bar| bar.per_mille).collect();
        assert_eq!(heights, [0, 1000, 250]);
        let amounts: Vec<&str> = bars.iter().map(|bar| bar.amount.as_str()).collect();
        assert_eq!(amounts, ["0.00", "200.00", "50.00000001"]);
        assert_eq!(total, "250.00000001");
        assert_eq!(bars.iter().map(|bar| bar.paid_count).sum::<u64>(), 3);
    }

    #[test]
    fn a_little_money_is_never_drawn_as_none() {
        assert_eq!(per_mille(1, 1_000_000), 1);
        assert_eq!(per_mille(0, 1_000_000), 0);
        assert_eq!(per_mille(0, 0), 0);
    }
}
