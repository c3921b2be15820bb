use domain::charge::Event;

use super::claim_mail::tell_customer;
use super::{store, transition};
use crate::{Gateway, Result};

/// Charges taken per unit of work.
const BATCH: i64 = 100;

/// Tells every charge whose clock has ended that time passed; returns how many there were.
/// Several processes share the work: a charge somebody else has locked is skipped.
pub async fn expire_due(gateway: &Gateway) -> Result<usize> {
    let mut total = 0;
    loop {
        let inner = gateway.clone();
        let done = gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    let due = store::lock_due(unit.conn(), now, BATCH).await?;
                    let rows = store::lock_by_ids(unit.conn(), inner.currencies(), &due).await?;
                    for mut row in rows {
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
            .await?;
        total += done;
        if done == 0 {
            return Ok(total);
        }
    }
}
