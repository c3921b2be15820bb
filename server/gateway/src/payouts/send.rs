//! Stored bytes to the network, and who hears of it.

use domain::withdrawal::{WithdrawalEvent, WithdrawalState};

use super::follow_store::Standing;
use super::row::{Rider, TxRow};
use super::work::Failure;
use super::{follow_store, rider_store, store};
use crate::chain::follower;
use crate::charges::receiving::lock_charge_of_claim;
use crate::charges::refunds::{RefundProgress, withdrawal_changed};
use crate::operations::store as operations;
use crate::withdrawals::sending_store::{self, Sending};
use crate::withdrawals::{call_for_help, store as withdrawals};
use crate::{Error, Gateway, Result};

/// Broadcasts the bytes of a transaction; the same bytes again change nothing.
pub(super) async fn send_one(gateway: &Gateway, tx: &TxRow) -> Result<(), Failure> {
    let Some(raw) = &tx.raw else {
        return Err(Failure::Passing("it has no bytes yet".to_owned()));
    };
    // From this look until the network has answered, nobody ends a withdrawal of it.
    let what = Sending::Payout(tx.payout_id);
    let mut sending = sending_store::hold(gateway.pool(), what).await?;
    if rider_store::is_given_up(&mut sending, tx.payout_id).await? {
        let why = "money of its withdrawals was given back, so it is not sent any more";
        return Err(Failure::Lasting(why.to_owned()));
    }
    let answer = gateway.chains().of(tx.coin)?.backend.broadcast(raw).await;
    sending.rollback().await.map_err(Error::from)?;
    match answer {
        Ok(()) => {}
        Err(Error::Conflict(why)) => return Err(conflict(gateway, tx, why).await?),
        Err(error) => return Err(error.into()),
    }
    accepted(gateway, tx).await?;
    // So that the chain tables know it from the start.
    follower::sync(gateway, tx.coin).await?;
    Ok(())
}

/// The network says that the coins are spent. By another transaction of the same payout that is no
/// harm: one of them is mined.
async fn conflict(gateway: &Gateway, tx: &TxRow, why: &str) -> Result<Failure> {
    follower::sync(gateway, tx.coin).await?;
    let mut conn = gateway.pool().acquire().await?;
    let standing = follow_store::standing(&mut conn, tx.payout_id).await?;
    let riders = rider_store::riders(&mut conn, tx.payout_id).await?;
    drop(conn);
    match standing {
        Standing::InBlock => {
            return Ok(Failure::Passing(
                "another transaction of the payout is in a block".to_owned(),
            ));
        }
        Standing::Waiting => {
            return Ok(Failure::Lasting(format!(
                "{why}; an earlier transaction of the same payout still waits for its block"
            )));
        }
        Standing::Nowhere => {}
    }
    for rider in riders {
        let inner = gateway.clone();
        gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move { call_for_help(&inner, unit, rider.operation_id).await })
            })
            .await?;
    }
    Ok(Failure::Lasting(why.to_owned()))
}

/// One unit per withdrawal, then the transaction: a crash between them sends the same bytes again.
async fn accepted(gateway: &Gateway, tx: &TxRow) -> Result<()> {
    let mut conn = gateway.pool().acquire().await?;
    let riders = rider_store::riders(&mut conn, tx.payout_id).await?;
    drop(conn);
    for rider in riders {
        tell_rider(gateway, rider, &tx.txid).await?;
    }
    let (id, code) = (tx.id, tx.coin.code);
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                store::broadcast(unit.conn(), id, code.as_str(), now).await
            })
        })
        .await
}

async fn tell_rider(gateway: &Gateway, rider: Rider, txid: &str) -> Result<()> {
    let (inner, txid) = (gateway.clone(), txid.to_owned());
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                lock_charge_of_claim(&inner, unit, rider.claim_id).await?;
                let id = rider.operation_id;
                operations::lock(unit.conn(), inner.currencies(), &[id]).await?;
                let row = withdrawals::find(unit.conn(), inner.currencies(), id).await?;
                // A block may have settled it meanwhile.
                let Ok(state) = row.state.apply(WithdrawalEvent::Accepted) else {
                    return Ok(());
                };
                let first = row.state == WithdrawalState::Built;
                // Another transaction of the payout may pay it by now.
                let paid_by = row.txid.unwrap_or_else(|| txid.clone());
                rider_store::set_rider(unit.conn(), id, state, &paid_by).await?;
                if let (true, Some(claim)) = (first, rider.claim_id) {
                    withdrawal_changed(&inner, unit, claim, RefundProgress::Sent { txid }).await?;
                }
                Ok(())
            })
        })
        .await
}
