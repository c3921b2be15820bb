use std::sync::{Arc, Mutex};

use domain::charge::Event;
use time::OffsetDateTime;

use super::claim_mail::tell_customer;
use super::{store, transition};
use crate::{Error, Gateway, Result, roster};

/// Charges taken per unit of work.
const BATCH: i64 = 100;

/// Most charges that fail by themselves before the pass gives up.
const FAILURES_MAX: usize = 20;

/// Tells every charge whose clock has ended that time passed; returns how many there were.
///
/// Several processes share the work: a charge somebody else has locked is skipped. One that cannot
/// be told is logged and left, so that it does not stop the others.
pub async fn expire_due(gateway: &Gateway) -> Result<usize> {
    let mut total = 0;
    let mut failed: Vec<i64> = Vec::new();
    let mut limit = BATCH;
    loop {
        let at_work = Arc::new(Mutex::new(None));
        let batch = expire_batch(gateway, limit, failed.clone(), at_work.clone()).await;
        roster::note_step();
        match batch {
            Ok(0) => return Ok(total),
            Ok(done) => {
                total += done;
                limit = BATCH;
            }
            Err(error) => {
                let charge = at_work.lock().ok().and_then(|charge| *charge);
                let Some(charge) = charge.filter(|_| failed.len() < FAILURES_MAX) else {
                    return Err(error);
                };
                tracing::error!(charge, %error, "a charge could not be told that time passed");
                failed.push(charge);
                limit = 1;
            }
        }
    }
}

/// Whether some charge's clock has ended by `now` without it having been told.
pub(crate) async fn any_due(gateway: &Gateway, now: OffsetDateTime) -> Result<bool> {
    store::any_due(gateway.pool(), now).await
}

async fn expire_batch(
    gateway: &Gateway,
    limit: i64,
    skipped: Vec<i64>,
    at_work: Arc<Mutex<Option<i64>>>,
) -> Result<usize> {
    let inner = gateway.clone();
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                let due = store::lock_due(unit.conn(), now, limit, &skipped).await?;
                let rows = store::lock_by_ids(unit.conn(), inner.currencies(), &due).await?;
                for mut row in rows {
                    *at_work.lock().map_err(|_| Error::internal("poisoned"))? = Some(row.id);
                    let receipts =
                        store::receipts_of(unit.conn(), inner.currencies(), row.id).await?;
                    let before = (row.status, row.flags);
                    let event = Event::ClockAdvanced;
                    transition::transition(unit, &mut row, &receipts, &event, None, "clock")
                        .await?;
                    tell_customer(&inner, unit, before, &row, &receipts).await?;
                }
                Ok(due.len())
            })
        })
        .await
}
