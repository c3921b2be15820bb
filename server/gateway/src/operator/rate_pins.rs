//! Pins: a rate that the operator sets by hand for a while. Reviewed, saved with a reason and an
//! audit row (ux §1.14).
//!
//! Invariant: a pin ends by itself, and while it lasts it is the only thing that counts for its pair,
//! in both directions.

use domain::money::Currency;
use domain::view::operate::{ChangeRow, PinForm, ReviewView};
use rust_decimal::Decimal;
use serde_json::json;
use sqlx::PgConnection;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::audit_log;
use super::change::{CHANGED_MEANWHILE, reason};
use super::rate_pins_store::{self as store, SourceRecord};
use super::rate_sources::{deviation, in_force, pin_of, rate_text};
use crate::{Error, Gateway, Result};

const PATH: &str = "/app/operate/rates";

/// A pair, and the pin it had when it was looked at.
#[derive(Debug, Clone, Default)]
pub struct SeenPin {
    pub from: String,
    pub to: String,
    pub seen: String,
}

impl Gateway {
    /// What a pin would change; changes nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming every wrong field: `from`, `to`, `rate`, `minutes`.
    pub async fn review_pin(&self, form: &PinForm, reason: &str) -> Result<ReviewView> {
        let pin = self.read_pin(form)?;
        let now = self.clock().now();
        let mut conn = self.pool().acquire().await?;
        let there = store::of_pair(&mut conn, pin.from.id, pin.to.id, now).await?;
        let reverse = store::of_pair(&mut conn, pin.to.id, pin.from.id, now).await?;
        let row =
            |from: Currency, to: Currency, records: &[SourceRecord], rate: Decimal| ChangeRow {
                label: format!("{}/{}", from.code, to.code),
                before: self.rate_in_force(records, now),
                after: rate_text(rate),
            };
        let mut notes = Vec::new();
        let mid = in_force(&there, now, self.settings().rate_stale_after);
        notes.extend(mid.and_then(|mid| difference(pin.rate, mid.rate)));
        notes.push(
            "While the pin lasts no source counts for this pair; when it ends they count again."
                .to_owned(),
        );
        Ok(ReviewView {
            title: "Review the pin".to_owned(),
            rows: vec![
                row(pin.from, pin.to, &there, pin.rate),
                row(pin.to, pin.from, &reverse, pin.back),
                ChangeRow {
                    label: "Pinned".to_owned(),
                    before: pinned_words(&there),
                    after: format!("for {} minutes from when you save it", pin.minutes),
                },
            ],
            notes,
            hidden: vec![
                ("from".to_owned(), form.from.clone()),
                ("to".to_owned(), form.to.clone()),
                ("rate".to_owned(), form.rate.clone()),
                ("minutes".to_owned(), form.minutes.clone()),
                ("seen".to_owned(), seen(&there)),
            ],
            action: format!("{PATH}/pin"),
            back: PATH.to_owned(),
            reason: reason.to_owned(),
            notice: None,
        })
    }

    /// Pins a rate and its inverse, and records who did it and why, in one transaction.
    ///
    /// # Errors
    /// As [`Self::review_pin`]; [`Error::Invalid`] on `reason`; [`Error::Conflict`] when somebody
    /// else changed the pin since it was looked at.
    pub async fn pin_rate(
        &self,
        form: &PinForm,
        seen_before: &str,
        why: &str,
        by: &str,
    ) -> Result<()> {
        let pin = self.read_pin(form)?;
        let why = reason(why)?;
        let (seen_before, by) = (seen_before.to_owned(), by.to_owned());
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    let until = now + Duration::minutes(pin.minutes);
                    let (from, to) = (pin.from.id, pin.to.id);
                    let before = locked(unit.conn(), pin.from, pin.to, &seen_before, now).await?;
                    store::pin(unit.conn(), from, to, pin.rate, now, until).await?;
                    store::pin(unit.conn(), to, from, pin.back, now, until).await?;
                    let data = json!({
                        "before": pinned_words(&before),
                        "after": rate_text(pin.rate),
                        "until": instant(until),
                        "reason": why,
                    });
                    let subject = subject(pin.from, pin.to);
                    audit_log::record(unit.conn(), now, &by, "rate.pinned", &subject, &data).await
                })
            })
            .await
    }

    /// What ending a pin would change; changes nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] for currencies that are not listed; [`Error::Conflict`] when the pair is not
    /// pinned.
    pub async fn review_unpin(&self, pair: &SeenPin, reason: &str) -> Result<ReviewView> {
        let (from, to) = self.read_pair(&pair.from, &pair.to)?;
        let now = self.clock().now();
        let mut conn = self.pool().acquire().await?;
        let records = store::of_pair(&mut conn, from.id, to.id, now).await?;
        if pin_of(&records).is_none() {
            return Err(NOT_PINNED);
        }
        let mut rest = records.clone();
        rest.retain(|record| record.expires_at.is_none());
        Ok(ReviewView {
            title: "Review the end of the pin".to_owned(),
            rows: vec![
                ChangeRow {
                    label: format!("{}/{}", from.code, to.code),
                    before: self.rate_in_force(&records, now),
                    after: self.rate_in_force(&rest, now),
                },
                ChangeRow {
                    label: "Pinned".to_owned(),
                    before: pinned_words(&records),
                    after: pinned_words(&rest),
                },
            ],
            notes: vec!["The inverse pair is treated alike.".to_owned()],
            hidden: vec![
                ("from".to_owned(), pair.from.clone()),
                ("to".to_owned(), pair.to.clone()),
                ("seen".to_owned(), seen(&records)),
            ],
            action: format!("{PATH}/unpin"),
            back: PATH.to_owned(),
            reason: reason.to_owned(),
            notice: None,
        })
    }

    /// Ends a pin before its time and records who did it and why, in one transaction.
    ///
    /// # Errors
    /// As [`Self::review_unpin`]; [`Error::Invalid`] on `reason`; [`Error::Conflict`] also when
    /// somebody else changed the pin since it was looked at.
    pub async fn unpin_rate(&self, pair: &SeenPin, why: &str, by: &str) -> Result<()> {
        let (from, to) = self.read_pair(&pair.from, &pair.to)?;
        let why = reason(why)?;
        let (seen_before, by) = (pair.seen.clone(), by.to_owned());
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    let before = locked(unit.conn(), from, to, &seen_before, now).await?;
                    if !store::unpin(unit.conn(), from.id, to.id).await? {
                        return Err(NOT_PINNED);
                    }
                    store::unpin(unit.conn(), to.id, from.id).await?;
                    let data = json!({
                        "before": pinned_words(&before),
                        "after": NO_PIN,
                        "reason": why,
                    });
                    let subject = subject(from, to);
                    audit_log::record(unit.conn(), now, &by, "rate.unpinned", &subject, &data).await
                })
            })
            .await
    }

    /// What is quoted with, in words.
    fn rate_in_force(&self, records: &[SourceRecord], now: OffsetDateTime) -> String {
        in_force(records, now, self.settings().rate_stale_after).map_or_else(
            || "no rate: nothing is quoted".to_owned(),
            |mid| rate_text(mid.rate),
        )
    }
}

const NO_PIN: &str = "not pinned";
const NOT_PINNED: Error = Error::Conflict("this pair is not pinned");

/// What was said of the pair, held for this transaction.
///
/// # Errors
/// [`Error::Conflict`] when its pin is not the one that was seen.
async fn locked(
    conn: &mut PgConnection,
    from: Currency,
    to: Currency,
    seen_before: &str,
    now: OffsetDateTime,
) -> Result<Vec<SourceRecord>> {
    store::lock(conn, from.id, to.id).await?;
    let records = store::of_pair(conn, from.id, to.id, now).await?;
    if seen(&records) == seen_before {
        Ok(records)
    } else {
        Err(CHANGED_MEANWHILE)
    }
}

/// Names the pin a pair has, exactly.
fn seen(records: &[SourceRecord]) -> String {
    pin_of(records).map_or_else(String::new, |pin| {
        let at = pin.observed_at.unix_timestamp_nanos();
        format!("{}@{at}", rate_text(pin.rate))
    })
}

/// `60000 until 2026-11-21T13:00:00Z`
fn pinned_words(records: &[SourceRecord]) -> String {
    pin_of(records).map_or_else(
        || NO_PIN.to_owned(),
        |pin| {
            let until = pin.expires_at.map(instant).unwrap_or_default();
            format!("{} until {until}", rate_text(pin.rate))
        },
    )
}

fn instant(at: OffsetDateTime) -> String {
    at.replace_nanosecond(0)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

fn subject(from: Currency, to: Currency) -> String {
    format!("rate:{}/{}", from.code, to.code)
}

/// How far a rate is from the one of now; nothing when it is the same.
fn difference(rate: Decimal, mid: Decimal) -> Option<String> {
    let percent = deviation(rate, mid)?;
    let side = match percent {
        percent if percent > Decimal::ZERO => "above",
        percent if percent < Decimal::ZERO => "below",
        _ => return None,
    };
    Some(format!(
        "This is {:.2} % {side} the rate of now.",
        percent.abs()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_shows_as_a_difference() {
        let text = |rate: i64| difference(Decimal::from(rate), Decimal::from(60_000));
        assert_eq!(
            text(6_000).as_deref(),
            Some("This is 90.00 % below the rate of now.")
        );
        assert_eq!(text(60_000), None);
    }
}
