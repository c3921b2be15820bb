//! A signature for a stored transaction, and the unit that stores it.

use domain::withdrawal::{WithdrawalEvent, WithdrawalState};

use super::row::TxRow;
use super::wallet::Treasury;
use super::work::Failure;
use super::{refused, store, tx_store};
use crate::ledger::Unit;
use crate::operations::store as operations;
use crate::payouts::TxState;
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result};

pub(super) const NOT_WAITING: Error = Error::Conflict("it does not wait for a signature any more");

/// Asks the signer and stores what it answers, if it is what was planned. False when it refused, and the
/// transaction has given way to others.
pub(super) async fn sign_one(
    gateway: &Gateway,
    treasury: &Treasury,
    tx: &TxRow,
) -> Result<bool, Failure> {
    let (references, role) = ([tx.name()], tx.role()?);
    let raw = match treasury.sign(&tx.plan, &references, role).await {
        Ok(raw) => raw,
        Err(refusal) => {
            if refused::give_way(gateway, tx, &refusal).await? {
                return Ok(false);
            }
            return Err(refusal.into());
        }
    };
    let txid = match tx.plan.check_signed(&raw, tx.from) {
        Ok(txid) => txid,
        Err(error) => {
            // Something is signed, whatever it is.
            tx_store::unheard(gateway.pool(), tx.id).await?;
            let why = format!("what the signer gave back: {error}");
            return Err(Failure::Lasting(why));
        }
    };
    let (inner, id) = (gateway.clone(), tx.id);
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move { store_in(&inner, unit, id, &raw, &txid, "signer").await })
        })
        .await?;
    Ok(true)
}

/// Stores the bytes that pay. From here on only these are sent for this transaction, and what was sent
/// for its payment before gives way to it.
///
/// # Errors
/// [`Error::Conflict`] when it does not wait for a signature any more.
pub(super) async fn store_in(
    gateway: &Gateway,
    unit: &mut Unit,
    id: i64,
    raw: &[u8],
    txid: &str,
    by: &str,
) -> Result<()> {
    let currencies = gateway.currencies();
    let operation_id = tx_store::find(unit.conn(), currencies, id)
        .await?
        .operation_id;
    let operation = match operation_id {
        Some(id) => Some(operations::lock_one(unit.conn(), currencies, id).await?),
        None => None,
    };
    // Again, under the locks.
    let tx = tx_store::find(unit.conn(), currencies, id).await?;
    store::lock_payment(unit.conn(), tx.payment_id).await?;
    if tx.state != TxState::Drafted {
        return Err(NOT_WAITING);
    }
    if store::is_given_up(unit.conn(), operation_id).await? {
        return Err(Error::Conflict("the withdrawal has ended"));
    }
    let now = unit.now();
    tx_store::signed(unit.conn(), &tx, raw, txid, by, now).await?;
    let Some(mut operation) = operation else {
        return withdrawals::notify_worker(unit.conn()).await;
    };
    let row = withdrawals::find(unit.conn(), currencies, operation.id).await?;
    let state = match row.state {
        WithdrawalState::Queued => row
            .state
            .apply(WithdrawalEvent::Built)
            .map_err(Error::internal)?,
        // On its way already with the transaction before.
        WithdrawalState::Built | WithdrawalState::Broadcast => row.state,
        WithdrawalState::Pending | WithdrawalState::Settled | WithdrawalState::Void => {
            return Err(NOT_WAITING);
        }
    };
    store::set_withdrawal(unit.conn(), operation.id, state.word(), txid, raw).await?;
    if row.state == WithdrawalState::Queued && operation.needs_attention {
        // The signer's rules let it out now.
        operation.needs_attention = false;
        operation.error = None;
        operation.updated_at = now;
        operations::update(unit.conn(), &operation).await?;
    }
    withdrawals::notify_worker(unit.conn()).await
}
