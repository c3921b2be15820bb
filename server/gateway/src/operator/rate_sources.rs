//! Every pair with what its sources say: how old, how far from the median, and whether it counts
//! (`00-domain.md`, Rates; ux §1.14).

use std::collections::BTreeSet;

use domain::money::Currency;
use domain::rate::{MidRate, Observation, mid_rate};
use domain::view::dashboard::StatusPill;
use domain::view::operate::{OperatorRatesView, PairRow, PinForm, SourceRow};
use rust_decimal::{Decimal, RoundingStrategy};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::change::paged;
use super::rate_pins_store::{self as store, PIN_SOURCE, SourceRecord};
use crate::dashboard::ExportPage;
use crate::{Gateway, Result};

/// Pairs of a page.
const PAGE: usize = 25;

/// Column names of an export of sources: a row for each source of each pair.
pub const SOURCE_COLUMNS: [&str; 9] = [
    "from",
    "to",
    "median",
    "source",
    "rate",
    "age",
    "deviation_percent",
    "status",
    "pinned_until",
];

impl Gateway {
    /// A page of the pairs that `currency` is part of, of all when it is empty. Pages count from 1.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] on `currency` for a code that is not listed.
    pub async fn operator_rates(&self, currency: &str, page: usize) -> Result<OperatorRatesView> {
        self.check_listed(currency)?;
        let now = self.clock().now();
        let pairs = self.pair_rows(now).await?;
        let never_used = pairs.is_empty();
        let stale = pairs.iter().filter(|pair| pair.median.is_none()).count();
        let currencies: BTreeSet<String> = pairs
            .iter()
            .flat_map(|pair| [pair.from.clone(), pair.to.clone()])
            .collect();
        let chosen = concerning(pairs, currency);
        let (from, paging) = paged(&[("currency", currency)], page, chosen.len(), PAGE);
        let mut codes: Vec<String> = self
            .currencies()
            .all()
            .filter(|info| info.is_enabled())
            .map(|info| info.currency.code.to_string())
            .collect();
        codes.sort_unstable();
        Ok(OperatorRatesView {
            now,
            currency: currency.to_owned(),
            currencies: currencies.into_iter().collect(),
            rows: chosen.into_iter().skip(from).take(PAGE).collect(),
            stale,
            stale_after: age_text(self.settings().rate_stale_after),
            paging,
            never_used,
            form: PinForm {
                minutes: "60".to_owned(),
                ..PinForm::default()
            },
            codes,
            notice: None,
        })
    }

    /// All of them as rows of a CSV file.
    ///
    /// # Errors
    /// As [`Self::operator_rates`].
    pub async fn export_sources(&self, currency: &str) -> Result<ExportPage<i64>> {
        self.check_listed(currency)?;
        let pairs = concerning(self.pair_rows(self.clock().now()).await?, currency);
        Ok(ExportPage {
            rows: pairs.into_iter().flat_map(cells).collect(),
            next: None,
        })
    }

    async fn pair_rows(&self, now: OffsetDateTime) -> Result<Vec<PairRow>> {
        let records = store::all(self.pool(), now).await?;
        let stale_after = self.settings().rate_stale_after;
        records
            .chunk_by(|a, b| (a.from_id, a.to_id) == (b.from_id, b.to_id))
            .map(|records| -> Result<Option<PairRow>> {
                let Some(first) = records.first() else {
                    return Ok(None);
                };
                let known = |id: i16| self.currencies().known(id);
                let (from, to) = (known(first.from_id)?, known(first.to_id)?);
                Ok(Some(pair(from, to, records, now, stale_after)))
            })
            .filter_map(Result::transpose)
            .collect()
    }
}

fn concerning(mut pairs: Vec<PairRow>, code: &str) -> Vec<PairRow> {
    pairs.retain(|pair| code.is_empty() || pair.from == code || pair.to == code);
    pairs
}

/// The rate that a pair is quoted with: a pin alone while it lasts, else the median of the sources.
pub(super) fn in_force(
    records: &[SourceRecord],
    now: OffsetDateTime,
    stale_after: Duration,
) -> Option<MidRate> {
    let pinned = pin_of(records).is_some();
    let seen: Vec<Observation> = records
        .iter()
        .filter(|record| !pinned || record.expires_at.is_some())
        .map(|record| Observation {
            source: record.source.clone(),
            rate: record.rate,
            observed_at: record.observed_at,
            ages: record.ages,
        })
        .collect();
    mid_rate(&seen, now, stale_after)
}

/// The pin among what was said of one pair.
pub(super) fn pin_of(records: &[SourceRecord]) -> Option<&SourceRecord> {
    records.iter().find(|record| record.source == PIN_SOURCE)
}

/// `60000.5`, without zeros that say nothing.
pub(super) fn rate_text(rate: Decimal) -> String {
    rate.normalize().to_string()
}

fn pair(
    from: Currency,
    to: Currency,
    records: &[SourceRecord],
    now: OffsetDateTime,
    stale_after: Duration,
) -> PairRow {
    let mid = in_force(records, now, stale_after);
    let pin = pin_of(records);
    let sources = records
        .iter()
        .map(|record| SourceRow {
            source: record.source.clone(),
            rate: rate_text(record.rate),
            age: if record.ages {
                age_text(now - record.observed_at)
            } else {
                "does not age".to_owned()
            },
            deviation: mid
                .as_ref()
                .and_then(|mid| deviation(record.rate, mid.rate))
                .map(signed),
            status: StatusPill {
                word: status(record, pin.is_some(), mid.as_ref(), now - stale_after).to_owned(),
                flags: Vec::new(),
            },
        })
        .collect();
    PairRow {
        from: from.code.to_string(),
        to: to.code.to_string(),
        median: mid.map(|mid| rate_text(mid.rate)),
        sources,
        pinned_until: pin.and_then(|pin| pin.expires_at),
    }
}

/// What a source's word counts; it is stale when it is older than `fresh_from`.
fn status(
    record: &SourceRecord,
    pinned: bool,
    mid: Option<&MidRate>,
    fresh_from: OffsetDateTime,
) -> &'static str {
    if pinned && record.source != PIN_SOURCE {
        "overruled"
    } else if record.ages && record.observed_at < fresh_from {
        "stale"
    } else if mid.is_some_and(|mid| mid.sources.contains(&record.source)) {
        "current"
    } else {
        "outlier"
    }
}

/// In percent of `from`, to two digits.
pub(super) fn deviation(rate: Decimal, from: Decimal) -> Option<Decimal> {
    let percent = rate
        .checked_sub(from)?
        .checked_mul(Decimal::ONE_HUNDRED)?
        .checked_div(from)?;
    Some(percent.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}

/// `+1.25 %`
fn signed(percent: Decimal) -> String {
    let sign = match percent {
        percent if percent > Decimal::ZERO => "+",
        percent if percent < Decimal::ZERO => "\u{2212}",
        _ => "",
    };
    format!("{sign}{:.2} %", percent.abs())
}

fn age_text(age: Duration) -> String {
    let seconds = age.whole_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn cells(pair: PairRow) -> Vec<Vec<String>> {
    let PairRow {
        from,
        to,
        median,
        sources,
        pinned_until,
    } = pair;
    let until = pinned_until
        .and_then(|until| until.format(&Rfc3339).ok())
        .unwrap_or_default();
    let median = median.unwrap_or_default();
    sources
        .into_iter()
        .map(|source| {
            let deviation = source.deviation.unwrap_or_default();
            vec![
                from.clone(),
                to.clone(),
                median.clone(),
                source.source,
                source.rate,
                source.age,
                deviation.trim_end_matches(" %").replace('\u{2212}', "-"),
                source.status.word,
                until.clone(),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);
    const STALE_AFTER: Duration = Duration::minutes(10);

    fn said(source: &str, rate: i64, age_minutes: i64) -> SourceRecord {
        SourceRecord {
            from_id: 1,
            to_id: 145,
            source: source.to_owned(),
            rate: Decimal::from(rate),
            observed_at: NOW - Duration::minutes(age_minutes),
            ages: true,
            expires_at: None,
        }
    }

    fn words(records: &[SourceRecord]) -> Vec<&'static str> {
        let mid = in_force(records, NOW, STALE_AFTER);
        let pinned = pin_of(records).is_some();
        records
            .iter()
            .map(|record| status(record, pinned, mid.as_ref(), NOW - STALE_AFTER))
            .collect()
    }

    #[test]
    fn each_source_counts_or_says_why_not() {
        let records = [
            said("a", 100, 1),
            said("b", 101, 2),
            said("c", 102, 10),
            said("d", 150, 1),
            said("e", 100, 11),
        ];
        assert_eq!(
            words(&records),
            ["current", "current", "current", "outlier", "stale"]
        );
    }

    #[test]
    fn a_pin_overrules_every_source() {
        let mut pin = said(PIN_SOURCE, 50, 30);
        (pin.ages, pin.expires_at) = (false, Some(NOW + Duration::hours(1)));
        let records = [said("a", 100, 1), pin];
        assert_eq!(words(&records), ["overruled", "current"]);
        let mid = in_force(&records, NOW, STALE_AFTER);
        assert_eq!(mid.map(|mid| mid.rate), Some(Decimal::from(50)));
    }

    #[test]
    fn a_deviation_has_its_sign() {
        let text = |rate: i64| deviation(Decimal::from(rate), Decimal::from(200)).map(signed);
        assert_eq!(text(205).as_deref(), Some("+2.50 %"));
        assert_eq!(text(199).as_deref(), Some("\u{2212}0.50 %"));
        assert_eq!(text(200).as_deref(), Some("0.00 %"));
    }
}
