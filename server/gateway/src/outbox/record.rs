//! Finished attempts are recorded together: one transaction for as many as there are.
//!
//! Invariants: an attempt that cannot be recorded takes no other one with it, and one whose commit nobody
//! answered is recorded once however often it is tried again.

use std::collections::HashSet;
use std::time::Duration;

use super::attempt_store::{self, Made};
use super::endpoint;
use crate::ledger::within;
use crate::{Error, Gateway, Result};

/// How often it is tried again while the database is away. Deliveries that stay unrecorded are taken by
/// another worker when their lease is over.
const RETRIES_MAX: u32 = 3;

/// Before the first of them; longer each time.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Records these attempts. Never fails: what cannot be recorded is in the log.
pub(super) async fn record_all(gateway: &Gateway, mut made: Vec<Made>) {
    // Everywhere the same order, so that no two recorders wait for each other in a circle.
    made.sort_by_key(|each| each.delivery_id);
    while !made.is_empty() {
        let (now, later) = once_each(made);
        record_batch(gateway, &now).await;
        made = later;
    }
}

/// One attempt of each delivery, and what is left. Two of one delivery are there only when its lease ran
/// out meanwhile.
fn once_each(made: Vec<Made>) -> (Vec<Made>, Vec<Made>) {
    let mut seen = HashSet::new();
    made.into_iter()
        .partition(|each| seen.insert(each.delivery_id))
}

async fn record_batch(gateway: &Gateway, made: &[Made]) {
    let Err(error) = commit_patiently(gateway, made).await else {
        return;
    };
    if is_away(&error) {
        tracing::error!(attempts = made.len(), %error, "webhook attempts could not be recorded");
        return;
    }
    // One of them is refused, or in somebody's way; the others are not to suffer for it. Each gets one try, as
    // there may be hundreds, and the next recording waits for them.
    let limit = gateway.settings().webhook_timeouts.database;
    for (at, each) in made.iter().enumerate() {
        let left = commit_what_is_left(gateway, std::slice::from_ref(each));
        match within(limit, left).await {
            Ok(()) => {}
            Err(error) if attempt_store::has_a_record(&error) => {}
            Err(error) if is_away(&error) => {
                let attempts = made.len().saturating_sub(at);
                tracing::error!(attempts, %error, "webhook attempts could not be recorded");
                return;
            }
            Err(error) => {
                let delivery = each.delivery_id;
                tracing::error!(delivery, %error, "webhook attempt could not be recorded");
            }
        }
    }
}

/// The database takes nothing at all, whatever it is.
fn is_away(error: &Error) -> bool {
    error.is_transient() && !error.is_given_up()
}

/// Records these attempts or none, each of a delivery of its own.
///
/// # Errors
/// The database's, once it was away for too long or refused one of them.
pub(super) async fn commit_patiently(gateway: &Gateway, made: &[Made]) -> Result<()> {
    let limit = gateway.settings().webhook_timeouts.database;
    let mut retries = 0;
    loop {
        let done = match retries {
            0 => within(limit, commit(gateway, made)).await,
            _ => within(limit, commit_what_is_left(gateway, made)).await,
        };
        match done {
            Err(error) if is_worth_another_try(&error) && retries < RETRIES_MAX => {
                retries += 1;
                tracing::warn!(%error, "webhook attempts are recorded in another try");
                tokio::time::sleep(RETRY_AFTER.saturating_mul(retries)).await;
            }
            done => return done,
        }
    }
}

/// Also when a try that nobody answered turns out to have been done after all.
fn is_worth_another_try(error: &Error) -> bool {
    error.is_transient() || attempt_store::has_a_record(error)
}

/// Records those of them that have no record of an earlier try. A commit that was not answered may still
/// happen after this has looked; then the database refuses the second record.
async fn commit_what_is_left(gateway: &Gateway, made: &[Made]) -> Result<()> {
    let left = attempt_store::without_a_record(gateway.pool(), made).await?;
    if left.is_empty() {
        return Ok(());
    }
    commit(gateway, &left).await
}

async fn commit(gateway: &Gateway, made: &[Made]) -> Result<()> {
    if made.iter().all(|each| each.endpoint_id.is_none()) {
        // Nothing to note beside them, and one statement is a transaction.
        let mut conn = gateway.pool().acquire().await?;
        return attempt_store::insert(&mut conn, made).await;
    }
    let mut tx = gateway.pool().begin().await?;
    attempt_store::find_by_index(&mut tx).await?;
    attempt_store::insert(&mut tx, made).await?;
    endpoint::note_attempts(&mut tx, made).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::super::attempt_store::{After, Attempt};
    use super::*;

    fn made(delivery_id: i64, duration_ms: i64) -> Made {
        Made {
            delivery_id,
            claim_id: 1,
            endpoint_id: None,
            is_gone: false,
            attempt: Attempt {
                at: OffsetDateTime::UNIX_EPOCH,
                status: None,
                duration_ms,
                error: None,
                response_head: String::new(),
            },
            after: After::Delivered,
        }
    }

    #[test]
    fn no_delivery_is_twice_in_one_statement_and_none_is_lost() {
        let all = vec![made(1, 10), made(1, 11), made(2, 20), made(1, 12)];
        let (now, later) = once_each(all);
        let of = |made: &[Made]| -> Vec<(i64, i64)> {
            made.iter()
                .map(|each| (each.delivery_id, each.attempt.duration_ms))
                .collect()
        };
        assert_eq!(of(&now), [(1, 10), (2, 20)]);
        assert_eq!(of(&later), [(1, 11), (1, 12)]);
    }
}
