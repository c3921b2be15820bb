//! What became of payments: the node is asked for the receipt of each transaction, and believed where its
//! block is one of ours and deep enough. One unit per payment, apart from the blocks' own: what is derived
//! here can be derived again.

use domain::money::Currency;
use domain::withdrawal::WithdrawalState;
use time::Duration;

use super::follow_store::{self, Open};
use super::outcome::{decide, reverse, take};
use super::row::TxRow;
use super::wallet::Treasury;
use super::{store, tx_store};
use crate::chain::evm::{self, Mined};
use crate::operations::store as operations;
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result};

/// How long after it was sent a transaction is not sent again, however little the node shows of its pool.
const PATIENCE: Duration = Duration::minutes(1);

/// Settles what is deep enough, sends again what the network forgot, and calls a person for what failed or
/// lost its number to somebody else's transaction.
pub(crate) async fn follow(gateway: &Gateway, coin: Currency, tip_height: i64) -> Result<()> {
    let Some(treasury) = gateway.chains().of(coin)?.payer.treasury() else {
        return Ok(());
    };
    let mut conn = gateway.side_pool().acquire().await?;
    let open = follow_store::open(&mut conn, coin).await?;
    drop(conn);
    for payment in open {
        if let Err(error) = look(gateway, treasury, coin, &payment, tip_height).await {
            let payment = payment.id;
            tracing::error!(payment, %error, "a payment could not be followed, will try again");
        }
    }
    Ok(())
}

async fn look(
    gateway: &Gateway,
    treasury: &Treasury,
    coin: Currency,
    payment: &Open,
    tip_height: i64,
) -> Result<()> {
    let mut conn = gateway.side_pool().acquire().await?;
    let is_undone = follow_store::is_undone(&mut conn, payment.id).await?;
    drop(conn);
    if is_undone && undo(gateway, payment).await? {
        return Ok(());
    }
    let mut conn = gateway.side_pool().acquire().await?;
    let all = tx_store::all(&mut conn, gateway.currencies(), payment.id).await?;
    drop(conn);
    let depth = i64::from(payment.confirmations_required);
    let (tx, mined) = match in_a_block(gateway, treasury, coin, &all).await? {
        Found::Here(tx, mined) => (tx, mined),
        // The node and the tables are about to agree on one chain: nothing is known until they do.
        Found::Elsewhere => return Ok(()),
        Found::Nowhere if payment.outcome.as_deref() == Some("paid") => {
            let mut conn = gateway.side_pool().acquire().await?;
            let is_there = follow_store::is_in_our_chain(&mut conn, payment.id).await?;
            drop(conn);
            // In a block of the tables that the node does not have: as above.
            if is_there {
                return Ok(());
            }
            return lose(gateway, payment).await;
        }
        Found::Nowhere if payment.confirmed_tx_id.is_some() => return Ok(()),
        Found::Nowhere => {
            forget(gateway, payment).await?;
            if payment.outcome.is_none()
                && is_taken(gateway, treasury, coin, payment, tip_height).await?
            {
                return take(gateway, payment).await;
            }
            return Ok(());
        }
    };
    let mut conn = gateway.side_pool().acquire().await?;
    let is_booked = payment.confirmed_tx_id == Some(tx.id);
    if is_booked && payment.confirmed_block.as_deref() == Some(mined.block_hash.as_str()) {
        if payment.lost {
            follow_store::found_again(&mut conn, payment.id).await?;
        }
        return Ok(());
    }
    if !is_booked {
        follow_store::mined(&mut conn, tx.id, &mined).await?;
    }
    drop(conn);
    if tip_height - mined.height + 1 < depth {
        return Ok(());
    }
    let (inner, tx) = (gateway.clone(), tx.clone());
    gateway
        .book()
        .commit(move |unit| Box::pin(async move { decide(&inner, unit, &tx, &mined).await }))
        .await
}

/// What the node knows of the transactions of a payment.
enum Found<'a> {
    /// This one is in a block of ours.
    Here(&'a TxRow, Mined),
    /// One is in a block that the tables do not have, or have no more.
    Elsewhere,
    Nowhere,
}

/// The transaction of a payment that is in a block of ours, and what it did.
async fn in_a_block<'a>(
    gateway: &Gateway,
    treasury: &Treasury,
    coin: Currency,
    all: &'a [TxRow],
) -> Result<Found<'a>> {
    let mut found = Found::Nowhere;
    for tx in all {
        let Some(txid) = &tx.txid else { continue };
        let (to, units) = tx.paid()?;
        let from = evm::Account(tx.from.0);
        let node = &treasury.node;
        let Some(mined) = node.mined(txid, from, evm::Account(to.0), units).await? else {
            continue;
        };
        let mut conn = gateway.side_pool().acquire().await?;
        let (code, hash) = (coin.code, &mined.block_hash);
        if follow_store::is_active(&mut conn, code.as_str(), hash, mined.height).await? {
            return Ok(Found::Here(tx, mined));
        }
        found = Found::Elsewhere;
    }
    Ok(found)
}

/// Sends again what is nowhere.
async fn forget(gateway: &Gateway, payment: &Open) -> Result<()> {
    let id = payment.id;
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                follow_store::unmined(unit.conn(), id, now).await?;
                if follow_store::is_forgotten(unit.conn(), id, now - PATIENCE).await? {
                    tx_store::queue_again(unit.conn(), id, now).await?;
                    withdrawals::notify_worker(unit.conn()).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Whether the number of a payment is used up as deep in the chain as the payment would have to be, by
/// something that is none of its transactions.
async fn is_taken(
    gateway: &Gateway,
    treasury: &Treasury,
    coin: Currency,
    payment: &Open,
    tip_height: i64,
) -> Result<bool> {
    let height = tip_height - i64::from(payment.confirmations_required) + 1;
    let mut conn = gateway.side_pool().acquire().await?;
    let hash = follow_store::block_at(&mut conn, coin.code.as_str(), height).await?;
    drop(conn);
    let Some(hash) = hash else { return Ok(false) };
    let used = treasury
        .node
        .mined_nonce(payment.address.parse().map_err(Error::internal)?, &hash)
        .await?;
    if i64::try_from(used)? <= payment.nonce {
        return Ok(false);
    }
    // That block may be of a branch which the node has left and the tables have not: what used the number there
    // may be the payment itself.
    let mut conn = gateway.side_pool().acquire().await?;
    Ok(!follow_store::is_in_our_chain(&mut conn, payment.id).await?)
}

/// What was paid is in no block any more. A withdrawal stays settled: people are told, and the bytes sent once
/// more, by whoever looks after settled withdrawals; what its transaction costs in another block is booked when
/// it has one. What moves between accounts of ours is open again.
async fn lose(gateway: &Gateway, payment: &Open) -> Result<()> {
    if payment.lost {
        return Ok(());
    }
    let (inner, payment) = (gateway.clone(), payment.clone());
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                let (booked, bookings, outcome) =
                    store::lock_payment(unit.conn(), payment.id).await?;
                let Some(booked) = booked.filter(|_| outcome.as_deref() == Some("paid")) else {
                    return Ok(());
                };
                if payment.operation_id.is_some() {
                    return follow_store::lost(unit.conn(), payment.id).await;
                }
                reverse(&inner, unit, payment.id, booked, bookings).await?;
                store::undecided(unit.conn(), payment.id).await?;
                tx_store::undone(unit.conn(), booked, now).await?;
                withdrawals::notify_worker(unit.conn()).await
            })
        })
        .await
}

/// Whether the number of a withdrawal's payment is used up `depth` blocks deep, whatever was found out
/// before. What does not pay here any more is not known, and left to whoever looks.
pub(crate) async fn is_used_up(
    gateway: &Gateway,
    coin: Currency,
    operation_id: i64,
    depth: i64,
) -> Result<bool> {
    let Some(treasury) = gateway.chains().of(coin)?.payer.treasury() else {
        return Ok(true);
    };
    let mut conn = gateway.side_pool().acquire().await?;
    let number = follow_store::number_of(&mut conn, operation_id).await?;
    let hash = follow_store::deep_block(&mut conn, coin.code.as_str(), depth).await?;
    drop(conn);
    let (Some((address, nonce)), Some(hash)) = (number, hash) else {
        return Ok(false);
    };
    // Another account may pay by now.
    let used = treasury
        .node
        .mined_nonce(address.parse().map_err(Error::internal)?, &hash)
        .await?;
    Ok(i64::try_from(used)? > nonce)
}

/// The block in which a payment failed is not in the chain any more. In another one the same transaction
/// may pay, so nothing is decided, and nothing was paid for gas. False when its withdrawal has ended.
async fn undo(gateway: &Gateway, payment: &Open) -> Result<bool> {
    let (inner, payment) = (gateway.clone(), payment.clone());
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                // A sweep is nobody's withdrawal.
                let mut operation = match payment.operation_id {
                    Some(id) => {
                        Some(operations::lock_one(unit.conn(), inner.currencies(), id).await?)
                    }
                    None => None,
                };
                let (booked, bookings, _) = store::lock_payment(unit.conn(), payment.id).await?;
                let is_open = match payment.operation_id {
                    Some(id) => {
                        let row = withdrawals::find(unit.conn(), inner.currencies(), id).await?;
                        // Of one that a person ended, people are told if it is paid all the same.
                        matches!(
                            row.state,
                            WithdrawalState::Queued
                                | WithdrawalState::Built
                                | WithdrawalState::Broadcast
                        )
                    }
                    None => true,
                };
                let is_undone = follow_store::is_undone(unit.conn(), payment.id).await?;
                let Some(booked) = booked.filter(|_| is_open && is_undone) else {
                    return Ok(false);
                };
                reverse(&inner, unit, payment.id, booked, bookings).await?;
                store::undecided(unit.conn(), payment.id).await?;
                tx_store::undone(unit.conn(), booked, now).await?;
                if let Some(operation) = &mut operation {
                    operation.needs_attention = false;
                    operation.error = None;
                    operation.updated_at = now;
                    operations::update(unit.conn(), operation).await?;
                }
                withdrawals::notify_worker(unit.conn()).await?;
                Ok(true)
            })
        })
        .await
}
