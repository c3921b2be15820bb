//! Managed endpoints that do not take what is sent to them (`50-webhooks.md`).
//!
//! Invariant: none is switched off without its merchant being told, in the same transaction.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::attempt_store::{After, Made};
use super::endpoint_store::{self, SwitchedOff};
use crate::Result;
use crate::mail::tell_merchant;

/// How long an endpoint may do nothing but fail.
const FAILING_MAX: Duration = Duration::days(5);

const FAILED: &str = "Nothing sent there arrived for five days.";
const GONE: &str = "It answered 410: it does not want them any more.";

/// What attempts, made one after the other, say of the endpoint they went to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// At least one of them arrived.
    pub(super) delivered: bool,
    /// When the first one failed that no arrival came after; none: the last one arrived.
    pub(super) failing_from: Option<OffsetDateTime>,
    is_gone: bool,
}

impl Said {
    fn add(&mut self, made: &Made) {
        self.is_gone |= made.is_gone;
        if made.after == After::Delivered {
            self.delivered = true;
            self.failing_from = None;
        } else {
            self.failing_from = self.failing_from.or(Some(made.attempt.at));
        }
    }
}

/// Notes how attempts ended, in their transaction.
pub(super) async fn note_attempts(conn: &mut PgConnection, made: &[Made]) -> Result<()> {
    let said = sort(made);
    let Some(at) = made.iter().map(|each| each.attempt.at).max() else {
        return Ok(());
    };
    if said.is_empty() {
        return Ok(());
    }
    endpoint_store::set_failing(conn, &said).await?;
    let those = |pick: fn(&Said) -> bool| -> Vec<i64> {
        said.iter()
            .filter(|(_, said)| pick(said))
            .map(|(id, _)| *id)
            .collect()
    };
    let gone = those(|said| said.is_gone);
    if !gone.is_empty() {
        let off = endpoint_store::switch_off(conn, &gone).await?;
        tell(conn, &off, at, GONE).await?;
    }
    let failing = those(|said| said.failing_from.is_some());
    if !failing.is_empty() {
        let off = endpoint_store::switch_off_failing(conn, &failing, at - FAILING_MAX).await?;
        tell(conn, &off, at, FAILED).await?;
    }
    Ok(())
}

/// By endpoint, in the order the attempts were made.
fn sort(made: &[Made]) -> BTreeMap<i64, Said> {
    let mut managed: Vec<(i64, &Made)> = made
        .iter()
        .filter_map(|each| Some((each.endpoint_id?, each)))
        .collect();
    managed.sort_by_key(|(_, each)| each.attempt.at);
    let mut said: BTreeMap<i64, Said> = BTreeMap::new();
    for (endpoint_id, each) in managed {
        said.entry(endpoint_id).or_default().add(each);
    }
    said
}

async fn tell(
    conn: &mut PgConnection,
    switched_off: &[SwitchedOff],
    at: OffsetDateTime,
    why: &str,
) -> Result<()> {
    for off in switched_off {
        let text = format!(
            "No more webhooks are sent to\n{}\n\n{why}\n\n\
             What it missed is in the delivery log of your dashboard and can be sent again from there.",
            off.url
        );
        let subject = "A webhook endpoint was switched off";
        tell_merchant(conn, at, off.merchant_id, subject, &text).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::attempt_store::Attempt;
    use super::*;

    fn at(second: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::seconds(second)
    }

    fn made(endpoint_id: Option<i64>, second: i64, after: After) -> Made {
        Made {
            delivery_id: second,
            claim_id: 1,
            endpoint_id,
            is_gone: false,
            attempt: Attempt {
                at: at(second),
                status: None,
                duration_ms: 0,
                error: None,
                response_head: String::new(),
            },
            after,
        }
    }

    #[test]
    fn what_failed_counts_from_the_last_arrival() {
        let later = After::RetryAt(at(99));
        let all = [
            made(Some(1), 4, later),
            made(Some(1), 1, later),
            made(Some(1), 3, After::GivenUp),
            made(Some(1), 2, After::Delivered),
            made(Some(2), 5, later),
            made(Some(2), 6, later),
            made(Some(3), 7, later),
            made(Some(3), 8, After::Delivered),
            made(None, 9, later),
        ];
        let said = |delivered, failing_from: Option<i64>| Said {
            delivered,
            failing_from: failing_from.map(at),
            is_gone: false,
        };
        let expected = [
            (1, said(true, Some(3))),
            (2, said(false, Some(5))),
            (3, said(true, None)),
        ];
        assert_eq!(sort(&all), BTreeMap::from(expected));
    }

    #[test]
    fn one_that_is_gone_is_gone_whatever_else_arrived() {
        let mut gone = made(Some(1), 1, After::GivenUp);
        gone.is_gone = true;
        let said = sort(&[gone, made(Some(1), 2, After::Delivered)]);
        assert!(said[&1].is_gone && said[&1].delivered);
    }
}
