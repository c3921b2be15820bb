//! What became of payments: the node is asked for the receipt of each transaction, and believed where its
//! block is one of ours and deep enough. One unit per payment, apart from the blocks' own: what is derived
//! here can be derived again.

use domain::ledger::template::{treasury_fee, treasury_fee_reversed};
use domain::money::Currency;
use domain::withdrawal::WithdrawalState;
use time::Duration;

use super::follow_store::{self, Open};
use super::row::{self, TxRow};
use super::store::Place;
use super::wallet::Treasury;
use super::{attention, store, tx_store};
use crate::chain::evm::{self, Mined};
use crate::charges::receiving::lock_charge_of_claim;
use crate::ledger::{Unit, with_ids};
use crate::mail::tell_operators;
use crate::operations::store as operations;
use crate::withdrawals::{settle, store as withdrawals, tell_of_overpaying};
use crate::{Error, Gateway, Result};

/// How long after it was sent a transaction is not sent again, however little the node shows of its pool.
const PATIENCE: Duration = Duration::minutes(1);

const FAILED: &str = "its transaction failed on the chain: the receiver has nothing";
const TAKEN: &str = "another transaction of the account that pays has taken its number";

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
    if let Some((tx, mined)) = in_a_block(gateway, treasury, coin, &all).await? {
        let mut conn = gateway.side_pool().acquire().await?;
        if payment.confirmed_tx_id != Some(tx.id) {
            follow_store::mined(&mut conn, tx.id, &mined).await?;
        }
        drop(conn);
        if tip_height - mined.height + 1 >= depth && payment.confirmed_tx_id != Some(tx.id) {
            let (inner, tx) = (gateway.clone(), tx.clone());
            return gateway
                .book()
                .commit(move |unit| {
                    Box::pin(async move { decide(&inner, unit, &tx, &mined).await })
                })
                .await;
        }
        return Ok(());
    }
    if payment.confirmed_tx_id.is_some() {
        // People are told, and the bytes sent once more, by whoever looks after settled withdrawals.
        return Ok(());
    }
    forget(gateway, payment).await?;
    if payment.outcome.is_none() && is_taken(gateway, treasury, coin, payment, tip_height).await? {
        return take(gateway, payment).await;
    }
    Ok(())
}

/// The transaction of a payment that is in a block of ours, and what it did.
async fn in_a_block<'a>(
    gateway: &Gateway,
    treasury: &Treasury,
    coin: Currency,
    all: &'a [TxRow],
) -> Result<Option<(&'a TxRow, Mined)>> {
    for tx in all {
        let Some(txid) = &tx.txid else { continue };
        let (to, units) = tx.paid()?;
        let from = evm::Account(tx.from.0);
        let found = treasury
            .node
            .mined(txid, from, evm::Account(to.0), units)
            .await?;
        let Some(mined) = found else { continue };
        let mut conn = gateway.side_pool().acquire().await?;
        let code = coin.code;
        let hash = &mined.block_hash;
        if follow_store::is_active(&mut conn, code.as_str(), hash, mined.height).await? {
            return Ok(Some((tx, mined)));
        }
    }
    Ok(None)
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
    Ok(i64::try_from(used)? > payment.nonce)
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
                let wei = follow_store::cost(unit.conn(), booked).await?.unwrap_or(0);
                let fee = row::cost(&inner, wei)?;
                let entry = with_ids(|ids| treasury_fee_reversed(ids, payment.id, bookings, fee));
                if let Some(entry) = entry {
                    unit.post(entry);
                }
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

/// Books what a transaction that is deep in the chain did and cost.
async fn decide(gateway: &Gateway, unit: &mut Unit, tx: &TxRow, mined: &Mined) -> Result<()> {
    lock_charge_of_claim(gateway, unit, tx.claim_id).await?;
    if let Some(id) = tx.operation_id {
        operations::lock(unit.conn(), gateway.currencies(), &[id]).await?;
    }
    let (booked, bookings, _) = store::lock_payment(unit.conn(), tx.payment_id).await?;
    if booked == Some(tx.id) {
        return Ok(());
    }
    if let Some(earlier) = booked {
        let wei = follow_store::cost(unit.conn(), earlier).await?.unwrap_or(0);
        let fee = row::cost(gateway, wei)?;
        let entry = with_ids(|ids| treasury_fee_reversed(ids, tx.payment_id, bookings, fee));
        if let Some(entry) = entry {
            unit.post(entry);
        }
    }
    let booking = bookings + 1;
    let fee = row::cost(gateway, mined.cost)?;
    if let Some(entry) = with_ids(|ids| treasury_fee(ids, tx.payment_id, booking, fee)) {
        unit.post(entry);
    }
    tx_store::confirmed(unit.conn(), tx.payment_id, tx.id).await?;
    let outcome = if mined.succeeded { "paid" } else { "failed" };
    store::decided(unit.conn(), tx.payment_id, outcome, Some(tx.id), booking).await?;
    match tx.operation_id {
        Some(id) if mined.succeeded => paid(gateway, unit, tx, id).await,
        Some(id) => call(gateway, unit, id, FAILED).await,
        // Coins of ours, where they are or where they were.
        None if mined.succeeded => Ok(()),
        None => {
            let title = tx.title();
            let subject = format!("{title} failed");
            let text = format!(
                "{title} ({}) failed on the chain: nothing was moved, and its gas is paid. It is tried again \
                 by itself.",
                tx.coin.code
            );
            tell_operators(unit, &subject, &text).await
        }
    }
}

async fn paid(gateway: &Gateway, unit: &mut Unit, tx: &TxRow, id: i64) -> Result<()> {
    let (Some(txid), Some(raw)) = (&tx.txid, &tx.raw) else {
        return Ok(());
    };
    let row = withdrawals::find(unit.conn(), gateway.currencies(), id).await?;
    match row.state {
        WithdrawalState::Queued | WithdrawalState::Built | WithdrawalState::Broadcast => {
            let state = WithdrawalState::Built.word();
            store::set_withdrawal(unit.conn(), id, state, txid, raw).await?;
            settle(gateway, unit, id).await
        }
        WithdrawalState::Settled => {
            let state = WithdrawalState::Settled.word();
            store::set_withdrawal(unit.conn(), id, state, txid, raw).await
        }
        // Its money was given back.
        WithdrawalState::Void => tell_of_overpaying(gateway, unit, id).await,
        WithdrawalState::Pending => Ok(()),
    }
}

async fn take(gateway: &Gateway, payment: &Open) -> Result<()> {
    let (inner, payment) = (gateway.clone(), payment.clone());
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                if let Some(id) = payment.operation_id {
                    operations::lock(unit.conn(), inner.currencies(), &[id]).await?;
                }
                let (booked, bookings, outcome) =
                    store::lock_payment(unit.conn(), payment.id).await?;
                if booked.is_some() || outcome.is_some() {
                    return Ok(());
                }
                store::decided(unit.conn(), payment.id, "taken", None, bookings).await?;
                let place = Place {
                    chain_id: payment.chain_id,
                    address: payment.address,
                };
                let what = format!("number {} was used for something else", payment.nonce);
                attention::pause(unit, &place, &what).await?;
                match payment.operation_id {
                    Some(id) => call(&inner, unit, id, TAKEN).await,
                    None => Ok(()),
                }
            })
        })
        .await
}

/// The hold stays: what becomes of the money, a person decides.
async fn call(gateway: &Gateway, unit: &mut Unit, id: i64, what: &str) -> Result<()> {
    let mut operation = operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
    operation.needs_attention = true;
    operation.error = Some(what.to_owned());
    operation.updated_at = unit.now();
    operations::update(unit.conn(), &operation).await?;
    let subject = format!("Withdrawal {id} needs a person");
    let text = format!(
        "Withdrawal {id} was not paid: {what}. Its money stays held, nothing else is sent for it.\n\n\
         Look at the chain, then decide on the page of suspense."
    );
    tell_operators(unit, &subject, &text).await
}
