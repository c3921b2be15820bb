//! Brings payouts in line with the chain tables. One unit per withdrawal and one per payout, apart from
//! the blocks' own: what is derived here can be derived again.

use domain::ledger::template::{network_fee, network_fee_reversed};
use domain::money::Currency;
use domain::withdrawal::WithdrawalState;

use super::row::{Rider, TxRow, money};
use super::{dropping, follow_store, lock_store, other_ids, rider_store, store};
use crate::charges::receiving::lock_charge_of_claim;
use crate::ledger::{Unit, with_ids};
use crate::operations::store as operations;
use crate::withdrawals::{call_for_help, settle, store as withdrawals, tell_of_overpaying};
use crate::{Error, Gateway, Result};

/// Settles what is deep enough, sends again what the network forgot, calls a person where somebody
/// else's transaction took the coins, and gives up what can come to nothing any more.
pub(crate) async fn follow(gateway: &Gateway, coin: Currency, tip_height: i64) -> Result<()> {
    other_ids::follow_ids(gateway, coin).await?;
    let mut conn = gateway.side_pool().acquire().await?;
    let deep = follow_store::deep(&mut conn, coin, tip_height).await?;
    drop(conn);
    for id in deep {
        settle_payout(gateway, id).await?;
    }
    let mut conn = gateway.side_pool().acquire().await?;
    let forgotten = follow_store::forgotten(&mut conn, coin).await?;
    let taken = follow_store::taken(&mut conn, coin).await?;
    drop(conn);
    for payout in forgotten {
        gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    store::queue_again(unit.conn(), payout, now).await?;
                    withdrawals::notify_worker(unit.conn()).await
                })
            })
            .await?;
    }
    for operation in taken {
        let inner = gateway.clone();
        gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move { call_for_help(&inner, unit, operation).await })
            })
            .await?;
    }
    dropping::give_up(gateway, coin, tip_height).await
}

/// One of a payout's transactions is deep in the chain: it paid everybody who rides in it.
async fn settle_payout(gateway: &Gateway, id: i64) -> Result<()> {
    let mut conn = gateway.side_pool().acquire().await?;
    let tx = store::find(&mut conn, gateway.currencies(), id).await?;
    let riders = rider_store::riders(&mut conn, tx.payout_id).await?;
    drop(conn);
    for rider in riders {
        let (inner, txid) = (gateway.clone(), tx.txid.clone());
        gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move { settle_rider(&inner, unit, rider, &txid).await })
            })
            .await?;
    }
    let inner = gateway.clone();
    gateway
        .book()
        .commit(move |unit| Box::pin(async move { finish(&inner, unit, &tx).await }))
        .await
}

async fn settle_rider(gateway: &Gateway, unit: &mut Unit, rider: Rider, txid: &str) -> Result<()> {
    let id = rider.operation_id;
    lock_charge_of_claim(gateway, unit, rider.claim_id).await?;
    operations::lock(unit.conn(), gateway.currencies(), &[id]).await?;
    let row = withdrawals::find(unit.conn(), gateway.currencies(), id).await?;
    let state = match row.state {
        // Queued still, when a person signed and sent it past us.
        WithdrawalState::Queued | WithdrawalState::Built | WithdrawalState::Broadcast => {
            rider_store::set_rider(unit.conn(), id, WithdrawalState::Built, txid).await?;
            return settle(gateway, unit, id).await;
        }
        // Its money was given back, perhaps when it had another transaction than this one.
        WithdrawalState::Void => {
            rider_store::set_rider(unit.conn(), id, row.state, txid).await?;
            return tell_of_overpaying(gateway, unit, id).await;
        }
        WithdrawalState::Settled => row.state,
        WithdrawalState::Pending => {
            return Err(Error::Internal(format!(
                "withdrawal {id} rides and is pending"
            )));
        }
    };
    rider_store::set_rider(unit.conn(), id, state, txid).await
}

/// Books the fee, and gives back the coins that only other transactions of the payout would have
/// spent.
async fn finish(gateway: &Gateway, unit: &mut Unit, tx: &TxRow) -> Result<()> {
    let payout = tx.payout_id;
    let (booked, bookings) = store::lock_payout(unit.conn(), payout).await?;
    if booked == Some(tx.id) {
        return Ok(());
    }
    if let Some(earlier) = booked {
        let earlier = store::find(unit.conn(), gateway.currencies(), earlier).await?;
        let fee = money(gateway, tx.coin, earlier.plan.fee)?;
        let entry = with_ids(|ids| network_fee_reversed(ids, payout, bookings, fee));
        if let Some(entry) = entry {
            unit.post(entry);
        }
    }
    let booking = bookings + 1;
    let fee = money(gateway, tx.coin, tx.plan.fee)?;
    if let Some(entry) = with_ids(|ids| network_fee(ids, payout, booking, fee)) {
        unit.post(entry);
    }
    store::replaced(unit.conn(), payout, tx.id).await?;
    store::confirmed(unit.conn(), payout, tx.id, booking).await?;
    // A coin that was given back when another transaction was deep may be spent by this one.
    if !lock_store::lock_coins(unit.conn(), tx.coin.code.as_str(), payout, &tx.plan).await? {
        tracing::error!(
            payout,
            txid = tx.txid,
            "a coin of this payout was planned with elsewhere"
        );
    }
    lock_store::release_others(unit.conn(), payout, &tx.plan).await
}

/// Broadcasts the bytes of a payout that was deep and left the chain; what the network says is for the
/// log, because the operators know already.
pub(crate) async fn send_once_more(
    gateway: &Gateway,
    coin: Currency,
    payout_id: i64,
) -> Result<()> {
    let mut conn = gateway.side_pool().acquire().await?;
    let raw = follow_store::settled_bytes(&mut conn, payout_id).await?;
    drop(conn);
    let Some(raw) = raw else { return Ok(()) };
    if let Err(error) = gateway.chains().of(coin)?.backend.broadcast(&raw).await {
        tracing::warn!(payout = payout_id, %error, "a lost payout could not be sent once more");
    }
    Ok(())
}
