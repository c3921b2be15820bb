//! What people are told about payouts, and when they are not told again.

use domain::money::Currency;
use time::Duration;

use super::row::TxRow;
use super::store;
use crate::mail::tell_operators;
use crate::operations::store as operations;
use crate::{Gateway, Result};

/// What the merchant reads about a withdrawal that waits.
const WAITS: &str = "it waits until there are coins on the chain to pay it with";

/// How long nobody is told while there is change on its way back to us.
const PATIENCE: Duration = Duration::hours(1);

/// A withdrawal cannot be paid now. It stays queued, and the operators hear of it once: at once, or
/// after a while where coins are on their way back.
pub(super) async fn tell_of_waiting(
    gateway: &Gateway,
    coin: Currency,
    id: i64,
    why: &str,
) -> Result<()> {
    let (gateway, why) = (gateway.clone(), why.to_owned());
    let book = gateway.book().clone();
    book.commit(move |unit| {
        Box::pin(async move {
            let mut operation = operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
            let is_fresh = operation.created_at + PATIENCE > unit.now();
            if operation.needs_attention
                || (is_fresh && store::any_running(unit.conn(), coin).await?)
            {
                return Ok(());
            }
            operation.needs_attention = true;
            operation.error = Some(WAITS.to_owned());
            operation.updated_at = unit.now();
            operations::update(unit.conn(), &operation).await?;
            let subject = format!("Withdrawal {id} waits");
            let text = format!(
                "Withdrawal {id} cannot be paid now: {why}.\n\nIt stays queued and is tried again \
                 by itself."
            );
            tell_operators(unit, &subject, &text).await
        })
    })
    .await
}

/// A transaction could not be signed or sent, and a person has to look. Said once.
pub(super) async fn tell_of_failure(gateway: &Gateway, tx: &TxRow, why: &str) -> Result<()> {
    let (id, payout, coin, why) = (tx.id, tx.payout_id, tx.coin, why.to_owned());
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                store::told(unit.conn(), id).await?;
                let subject = format!("Payout {payout} needs a person");
                let text = format!(
                    "Transaction {id} of payout {payout} ({}) is not on its way: {why}.\n\nNothing \
                     else is sent for its withdrawals; it is tried again by itself. Look at the \
                     page of payouts.",
                    coin.code
                );
                tell_operators(unit, &subject, &text).await
            })
        })
        .await
}
