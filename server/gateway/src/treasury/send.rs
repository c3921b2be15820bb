//! Stored bytes to the network, and who hears of it.

use domain::withdrawal::{WithdrawalEvent, WithdrawalState};

use super::row::TxRow;
use super::work::Failure;
use super::{store, tx_store};
use crate::chain::follower;
use crate::charges::receiving::lock_charge_of_claim;
use crate::charges::refunds::{RefundProgress, withdrawal_changed};
use crate::operations::store as operations;
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result};

/// Broadcasts the bytes of a transaction; the same bytes again change nothing.
pub(super) async fn send_one(gateway: &Gateway, tx: &TxRow) -> Result<(), Failure> {
    let (Some(raw), Some(txid)) = (&tx.raw, &tx.txid) else {
        return Err(Failure::Passing("it has no bytes yet".to_owned()));
    };
    let mut conn = gateway.pool().acquire().await.map_err(Error::from)?;
    let given_up = store::is_given_up(&mut conn, tx.operation_id).await?;
    drop(conn);
    if given_up {
        let why = "its withdrawal has ended, so it is not sent any more";
        return Err(Failure::Lasting(why.to_owned()));
    }
    match gateway.chains().of(tx.coin)?.backend.broadcast(raw).await {
        Ok(()) => {}
        Err(Error::Conflict(why)) => {
            // Another one with its number is there. What it is, the follower finds out.
            follower::sync(gateway, tx.coin).await?;
            return Err(Failure::Passing(why.to_owned()));
        }
        Err(error) => return Err(error.into()),
    }
    accepted(gateway, tx, txid).await?;
    // So that the chain tables know it from the start.
    follower::sync(gateway, tx.coin).await?;
    Ok(())
}

async fn accepted(gateway: &Gateway, tx: &TxRow, txid: &str) -> Result<()> {
    let (inner, tx, txid) = (gateway.clone(), tx.clone(), txid.to_owned());
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                lock_charge_of_claim(&inner, unit, tx.claim_id).await?;
                if let Some(id) = tx.operation_id {
                    operations::lock(unit.conn(), inner.currencies(), &[id]).await?;
                }
                let now = unit.now();
                tx_store::broadcast(unit.conn(), tx.id, tx.coin.code.as_str(), now).await?;
                let Some(id) = tx.operation_id else {
                    return Ok(());
                };
                let mut row = withdrawals::find(unit.conn(), inner.currencies(), id).await?;
                // A block may have settled it meanwhile.
                let Ok(state) = row.state.apply(WithdrawalEvent::Accepted) else {
                    return Ok(());
                };
                let first = row.state == WithdrawalState::Built;
                row.state = state;
                withdrawals::broadcast(unit.conn(), &row).await?;
                if let (true, Some(claim)) = (first, tx.claim_id) {
                    withdrawal_changed(&inner, unit, claim, RefundProgress::Sent { txid }).await?;
                }
                Ok(())
            })
        })
        .await
}
