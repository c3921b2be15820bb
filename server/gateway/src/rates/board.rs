//! Every pair as people look at it: its rate, how old it is, how it has changed, and whether it may
//! still be used (`00-domain.md`, Rates).

use std::collections::HashMap;

use domain::money::Currency;
use domain::rate::{Observation, mid_rate, price};
use rust_decimal::{Decimal, RoundingStrategy};
use time::{Duration, OffsetDateTime};

use super::history_store::{self, PastRate};
use super::store;
use crate::{Gateway, Result};

/// A change is told against the rate of so long ago.
const CHANGE_OVER: Duration = Duration::days(1);

/// A rate that was not written for so long by then tells nothing of that day.
const HISTORY_MAX: Duration = Duration::days(60);

/// The rate of one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoardRate {
    pub(crate) from: Currency,
    pub(crate) to: Currency,
    /// Units of `to` for one of `from`; the last known one when it is stale.
    pub(crate) mid: Decimal,
    /// After our margin.
    pub(crate) price: Decimal,
    pub(crate) sources: Vec<String>,
    /// Of its newest observation.
    pub(crate) observed_at: OffsetDateTime,
    /// Fixed and pinned rates do not.
    pub(crate) ages: bool,
    /// Nothing is quoted with it.
    pub(crate) is_stale: bool,
    /// Against a day before, in percent; `None` when nothing is known of then.
    pub(crate) change_percent: Option<Decimal>,
}

impl Gateway {
    /// Every pair of two enabled currencies that ever had a rate, by code.
    pub(crate) async fn rate_board(&self, now: OffsetDateTime) -> Result<Vec<BoardRate>> {
        let observed = store::all(self.pool(), now).await?;
        let then = now - CHANGE_OVER;
        let past = history_store::rates_at(self.pool(), then, then - HISTORY_MAX).await?;
        let past = mids_of(past, then);
        let settings = self.settings();
        Ok(observed
            .into_iter()
            .filter_map(|(from, to, seen)| {
                let before = past.get(&(from.clone(), to.clone())).copied();
                let known = |code: &str| self.currencies().enabled_by_code(code);
                let pair = (known(&from)?, known(&to)?);
                let judged = judge(&seen, now, settings.rate_stale_after)?;
                Some(BoardRate {
                    from: pair.0,
                    to: pair.1,
                    mid: judged.mid,
                    price: price(judged.mid, settings.spread_basis_points)?,
                    sources: judged.sources,
                    observed_at: judged.observed_at,
                    ages: judged.ages,
                    is_stale: judged.is_stale,
                    change_percent: before.and_then(|before| change(before, judged.mid)),
                })
            })
            .collect())
    }
}

struct Judged {
    mid: Decimal,
    sources: Vec<String>,
    observed_at: OffsetDateTime,
    ages: bool,
    is_stale: bool,
}

/// The fresh mid rate, and where there is none the newest observation as it is.
fn judge(seen: &[Observation], now: OffsetDateTime, stale_after: Duration) -> Option<Judged> {
    let newest = seen.iter().max_by_key(|seen| seen.observed_at)?;
    let (mid, sources, is_stale) = match mid_rate(seen, now, stale_after) {
        Some(mid) => (mid.rate, mid.sources, false),
        None => (newest.rate, vec![newest.source.clone()], true),
    };
    Some(Judged {
        mid,
        sources,
        observed_at: newest.observed_at,
        ages: seen.iter().all(|seen| seen.ages),
        is_stale,
    })
}

/// The mid rate of each pair from what its sources said at one time.
fn mids_of(past: Vec<PastRate>, at: OffsetDateTime) -> HashMap<(String, String), Decimal> {
    let mut seen: HashMap<(String, String), Vec<Observation>> = HashMap::new();
    for (from, to, source, rate) in past {
        seen.entry((from, to)).or_default().push(Observation {
            source,
            rate,
            observed_at: at,
            ages: false,
        });
    }
    seen.into_iter()
        .filter_map(|(pair, seen)| Some((pair, mid_rate(&seen, at, Duration::ZERO)?.rate)))
        .collect()
}

/// In percent, to two digits.
fn change(before: Decimal, now: Decimal) -> Option<Decimal> {
    let difference = now.checked_sub(before)?;
    let percent = difference
        .checked_mul(Decimal::ONE_HUNDRED)?
        .checked_div(before)?;
    Some(percent.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

    fn seen(source: &str, rate: i64, age_minutes: i64) -> Observation {
        Observation {
            source: source.to_owned(),
            rate: Decimal::from(rate),
            observed_at: NOW - Duration::minutes(age_minutes),
            ages: true,
        }
    }

    #[test]
    fn a_rate_that_is_too_old_is_shown_as_stale() {
        let limit = Duration::minutes(10);
        let fresh = judge(&[seen("a", 100, 1), seen("b", 102, 2)], NOW, limit);
        assert_eq!(
            fresh.map(|judged| (judged.mid, judged.is_stale)),
            Some((Decimal::from(101), false))
        );
        let old = judge(&[seen("a", 100, 11), seen("b", 102, 20)], NOW, limit);
        let old = old.map(|judged| (judged.mid, judged.sources, judged.is_stale));
        assert_eq!(old, Some((Decimal::from(100), vec!["a".to_owned()], true)));
        assert!(judge(&[], NOW, limit).is_none());
    }

    #[test]
    fn a_change_is_in_percent_of_what_was() {
        let of = |before: i64, now: i64| change(Decimal::from(before), Decimal::from(now));
        assert_eq!(of(60_000, 60_750), Some(Decimal::new(125, 2)));
        assert_eq!(of(200, 100), Some(Decimal::from(-50)));
        assert_eq!(of(0, 1), None);
    }

    #[test]
    fn the_past_of_a_pair_is_the_middle_of_its_sources() {
        let said = |source: &str, rate: i64| {
            let code = |code: &str| code.to_owned();
            (code("BTC"), code("EUR"), code(source), Decimal::from(rate))
        };
        let mids = mids_of(vec![said("a", 100), said("b", 102)], NOW);
        let pair = ("BTC".to_owned(), "EUR".to_owned());
        assert_eq!(mids.get(&pair), Some(&Decimal::from(101)));
    }
}
