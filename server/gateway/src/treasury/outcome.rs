//! What a payment came to, in the books: what its transaction did and cost, and whom it calls.

use domain::ledger::template::{treasury_fee, treasury_fee_reversed};
use domain::withdrawal::WithdrawalState;

use super::follow_store::{self, Open};
use super::row::{self, TxRow};
use super::store::Place;
use super::{attention, store, tx_store};
use crate::chain::evm::{Did, Mined};
use crate::charges::receiving::lock_charge_of_claim;
use crate::ledger::{Unit, with_ids};
use crate::mail::tell_operators;
use crate::operations::store as operations;
use crate::withdrawals::{settle, store as withdrawals, tell_of_overpaying};
use crate::{Gateway, Result};

const FAILED: &str = "its transaction failed on the chain: the receiver has nothing";
const UNCLEAR: &str = "its transaction moved something else on the chain than was planned: the receiver may have a part";
const FAILED_LATE: &str =
    "its transaction had paid, left the chain, and came back without paying what was planned";
const TAKEN: &str = "another transaction of the account that pays has taken its number";

/// Takes back what the books say a transaction cost.
pub(super) async fn reverse(
    gateway: &Gateway,
    unit: &mut Unit,
    payment: i64,
    tx: i64,
    bookings: i32,
) -> Result<()> {
    let wei = follow_store::cost(unit.conn(), tx).await?.unwrap_or(0);
    let fee = row::cost(gateway, wei)?;
    if let Some(entry) = with_ids(|ids| treasury_fee_reversed(ids, payment, bookings, fee)) {
        unit.post(entry);
    }
    Ok(())
}

/// Books what a transaction that is deep in the chain did and cost.
pub(super) async fn decide(
    gateway: &Gateway,
    unit: &mut Unit,
    tx: &TxRow,
    mined: &Mined,
) -> Result<()> {
    lock_charge_of_claim(gateway, unit, tx.claim_id).await?;
    if let Some(id) = tx.operation_id {
        operations::lock(unit.conn(), gateway.currencies(), &[id]).await?;
    }
    let (booked, bookings, _) = store::lock_payment(unit.conn(), tx.payment_id).await?;
    if booked == Some(tx.id) {
        let block = follow_store::block_of(unit.conn(), tx.id).await?;
        if block.as_deref() == Some(mined.block_hash.as_str()) {
            return Ok(());
        }
    }
    if let Some(earlier) = booked {
        reverse(gateway, unit, tx.payment_id, earlier, bookings).await?;
    }
    // In another block the same transaction may cost something else, and do something else.
    follow_store::mined(unit.conn(), tx.id, mined).await?;
    let booking = bookings + 1;
    let fee = row::cost(gateway, mined.cost)?;
    if let Some(entry) = with_ids(|ids| treasury_fee(ids, tx.payment_id, booking, fee)) {
        unit.post(entry);
    }
    tx_store::confirmed(unit.conn(), tx.payment_id, tx.id).await?;
    let outcome = match mined.did {
        Did::Paid => "paid",
        Did::Nothing => "failed",
        Did::Otherwise { .. } => "unclear",
    };
    store::decided(unit.conn(), tx.payment_id, outcome, Some(tx.id), booking).await?;
    match (tx.operation_id, mined.did) {
        (Some(id), Did::Paid) => paid(gateway, unit, tx, id).await,
        (Some(id), did) => not_paid(gateway, unit, id, did).await,
        // Coins of ours, where they are or where they were.
        (None, Did::Paid) => Ok(()),
        (None, did) => tell_of_move(unit, tx, did).await,
    }
}

async fn not_paid(gateway: &Gateway, unit: &mut Unit, id: i64, did: Did) -> Result<()> {
    if store::is_given_up(unit.conn(), Some(id)).await? {
        return Ok(());
    }
    let row = withdrawals::find(unit.conn(), gateway.currencies(), id).await?;
    let what = match did {
        _ if row.state == WithdrawalState::Settled => FAILED_LATE,
        Did::Otherwise { .. } => UNCLEAR,
        Did::Paid | Did::Nothing => FAILED,
    };
    call(gateway, unit, id, what).await
}

async fn tell_of_move(unit: &mut Unit, tx: &TxRow, did: Did) -> Result<()> {
    let (title, code) = (tx.title(), tx.coin.code);
    let (subject, text) = match did {
        Did::Otherwise { moved, arrived } => (
            format!("{title} moved something else"),
            format!(
                "{title} ({code}) is in the chain: {moved} base units left their address and {arrived} arrived, \
                 which is not what was planned. The token keeps a part. The rest of that deposit is not moved \
                 by itself."
            ),
        ),
        Did::Paid | Did::Nothing => (
            format!("{title} failed"),
            format!(
                "{title} ({code}) failed on the chain: nothing was moved, and its gas is paid. It is tried again \
                 by itself."
            ),
        ),
    };
    tell_operators(unit, &subject, &text).await
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

/// Somebody else's transaction has its number: its account is paused, its money stays held.
pub(super) async fn take(gateway: &Gateway, payment: &Open) -> Result<()> {
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
        "Withdrawal {id} was not paid as planned: {what}. Nothing else is sent for it, and what of its money is \
         held stays so.\n\nLook at the chain, then decide on the page of suspense."
    );
    tell_operators(unit, &subject, &text).await
}
