//! Signatures for a stored transaction, and the unit that stores them.

use domain::withdrawal::{WithdrawalEvent, WithdrawalState};
use signing::psbt::{Complete, Returned, complete, known_txid};

use super::row::{TxRow, TxState};
use super::wallet::NotSigned;
use super::work::Failure;
use super::{refused, rider_store, store};
use crate::ledger::Unit;
use crate::operations::store as operations;
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result};

pub(super) const NOT_WAITING: Error = Error::Conflict("it does not wait for a signature any more");

/// Asks the signer of the chain and stores what it answers; false when it refuses, and the draft was given
/// up for that.
pub(super) async fn sign_one(gateway: &Gateway, tx: &TxRow) -> Result<bool, Failure> {
    let Some(wallet) = gateway.chains().of(tx.coin)?.payer.wallet() else {
        return Err(Failure::Passing("the chain makes no payouts".to_owned()));
    };
    let expected = tx.psbt()?;
    let now = gateway.clock().now();
    let signed = match wallet.sign(&expected, &tx.references(), now).await {
        Ok(signed) => signed,
        Err(NotSigned::Later(why)) => return Err(Failure::Passing(why)),
        Err(refusal) => {
            return if refused::give_way(gateway, tx, &refusal).await? {
                Ok(false)
            } else {
                Err(Failure::Lasting(refusal.to_string()))
            };
        }
    };
    let complete = complete(&expected, Returned::Psbt(Box::new(signed)))
        .map_err(|error| Failure::Lasting(format!("what the signer gave back: {error}")))?;
    store_signed(gateway, tx.id, complete, "signer").await?;
    Ok(true)
}

/// Stores the bytes that pay. From here on only these are sent for this transaction, and all that was
/// sent for its payout before gives way to it.
///
/// # Errors
/// [`Error::Conflict`] when it does not wait for a signature any more.
pub(super) async fn store_signed(
    gateway: &Gateway,
    id: i64,
    complete: Complete,
    by: &str,
) -> Result<()> {
    let (inner, by) = (gateway.clone(), by.to_owned());
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move { store_in(&inner, unit, id, &complete, &by).await })
        })
        .await
}

pub(super) async fn store_in(
    gateway: &Gateway,
    unit: &mut Unit,
    id: i64,
    complete: &Complete,
    by: &str,
) -> Result<()> {
    let currencies = gateway.currencies();
    let payout = store::find(unit.conn(), currencies, id).await?.payout_id;
    let riders = rider_store::riders(unit.conn(), payout).await?;
    let ids: Vec<i64> = riders.iter().map(|rider| rider.operation_id).collect();
    let locked = operations::lock(unit.conn(), currencies, &ids).await?;
    store::lock_payout(unit.conn(), payout).await?;
    // Again, under the locks.
    let tx = store::find(unit.conn(), currencies, id).await?;
    if tx.state != TxState::Drafted {
        return Err(NOT_WAITING);
    }
    if rider_store::is_given_up(unit.conn(), payout).await? {
        return Err(Error::Conflict("money of its withdrawals was given back"));
    }
    let txid = complete.txid.to_string();
    // Where signatures are part of the id, it is known from here on; what is spent and paid is the same.
    let is_known = known_txid(&tx.psbt()?).is_some();
    if (is_known && txid != tx.txid) || complete.fee != tx.plan.fee {
        return Err(Error::Internal(format!(
            "another transaction than {}",
            tx.txid
        )));
    }
    let now = unit.now();
    store::replace_sent(unit.conn(), payout, id).await?;
    let (raw, vsize) = (&complete.raw, complete.vsize);
    store::signed(unit.conn(), id, &txid, raw, vsize, by, now).await?;
    for operation_id in ids {
        let row = withdrawals::find(unit.conn(), currencies, operation_id).await?;
        let state = match row.state {
            WithdrawalState::Queued => row
                .state
                .apply(WithdrawalEvent::Built)
                .map_err(Error::internal)?,
            // On its way already with the transaction before.
            WithdrawalState::Built | WithdrawalState::Broadcast => row.state,
            WithdrawalState::Pending | WithdrawalState::Settled | WithdrawalState::Void => continue,
        };
        rider_store::set_rider(unit.conn(), operation_id, state, &txid).await?;
        // The signer's rules were changed since.
        let told = locked.iter().find(|operation| operation.id == operation_id);
        if let Some(operation) = told.filter(|told| row.is_refused && told.needs_attention) {
            let mut operation = operation.clone();
            operation.needs_attention = false;
            operation.error = None;
            operation.updated_at = now;
            operations::update(unit.conn(), &operation).await?;
        }
    }
    withdrawals::notify_worker(unit.conn()).await
}
