//! From chain outputs to receipts, and from receipts to what the charge is now.
//!
//! The chain tables are the truth; everything here is derived from them inside the transaction that
//! changed them, so a crash leaves nothing half known. Running it again changes nothing.

use std::collections::BTreeSet;

use domain::ledger::AccountKey;
use domain::ledger::template::receipt_final;
use domain::money::{Currency, CurrencyId, Money};
use sqlx::PgConnection;

use super::depths::Depths;
use super::receipt_steps::Lost;
use super::receipt_store::{KnownReceipt, NewReceipt, Payment};
use super::row::ReceiptRow;
use super::settling::{PART, settle_charges};
use super::{needs, receipt_store, store};
use crate::ledger::{Row, Unit, with_ids};
use crate::{Error, Gateway, Result};

/// A transaction output to one of our addresses.
#[derive(Debug, Clone)]
pub struct SeenOutput {
    /// The coin of the chain it is on, whatever the address was taken for.
    pub coin: Currency,
    pub txid: String,
    pub vout: i32,
    pub address_id: i64,
    /// Ledger units of the coin, above zero.
    pub units: i128,
}

/// Records outputs (mempool or block) as receipts of the charges their addresses belong to; a
/// dropped receipt that is back is seen again. Returns the charges concerned.
///
/// `in_block` says that this unit has stored the transactions of all of them as being in one.
pub async fn record_outputs(
    gateway: &Gateway,
    unit: &mut Unit,
    outputs: &[SeenOutput],
    in_block: bool,
) -> Result<BTreeSet<i64>> {
    let mut touched = BTreeSet::new();
    let mut depths = Depths::default();
    for part in outputs.chunks(PART) {
        let payments = receipt_store::payments(unit.conn(), part, in_block).await?;
        let coins: BTreeSet<CurrencyId> = payments
            .iter()
            .filter(|payment| match &payment.known {
                Some(known) => is_told_otherwise(payment, known),
                None => true,
            })
            .map(|payment| payment.output.coin.id)
            .collect();
        depths.learn(gateway, unit, &coins).await?;
        let mut new = Vec::new();
        for payment in &payments {
            touched.insert(payment.charge_id);
            let before = payment.known.as_ref();
            touched.extend(
                before
                    .filter(|known| is_told_otherwise(payment, known))
                    .map(|known| known.charge_id),
            );
            new.extend(receipt_of(payment, &mut depths)?);
        }
        if !new.is_empty() {
            let now = unit.now();
            receipt_store::upsert_each(unit.conn(), &new, now).await?;
        }
    }
    Ok(touched)
}

/// Where contracts pay, another block may tell the same output otherwise. What was never booked follows.
fn is_told_otherwise(payment: &Payment<'_>, known: &KnownReceipt) -> bool {
    let output = payment.output;
    known.bookings == 0 && (known.address_id, known.amount) != (output.address_id, output.units)
}

/// What is to be written of a payment; nothing when it is known as it is told. What counts at first sight
/// is lent from here on.
fn receipt_of<'a>(payment: &Payment<'a>, depths: &mut Depths) -> Result<Option<NewReceipt<'a>>> {
    let output = payment.output;
    let (confirmations_required, more) = match &payment.known {
        // Never less deep than was decided when it was first seen; deeper when it has grown.
        Some(known) if is_told_otherwise(payment, known) => {
            let counted = if known.state.is_live() {
                known.amount
            } else {
                output.units
            };
            let deep = known.confirmations_required.max(required(output, depths)?);
            (deep, output.units - counted)
        }
        // How deep it has to be was decided when it was first seen.
        Some(_) => return Ok(None),
        None => (required(output, depths)?, output.units),
    };
    if confirmations_required == 0 && payment.waits {
        depths.lend(output.coin, more);
    }
    Ok(Some(NewReceipt {
        output,
        charge_id: payment.charge_id,
        confirmations_required,
    }))
}

/// How deep an output has to be, by its amount.
fn required(output: &SeenOutput, depths: &Depths) -> Result<u32> {
    let depth = depths
        .of(output.coin)
        .ok_or_else(|| Error::Internal(format!("no depth of {}", output.coin.code)))?;
    Ok(depth.required(Money::from_units(output.units, output.coin)))
}

/// The charge a watched address belongs to, if it is one's.
pub(crate) async fn charge_id_at(
    conn: &mut PgConnection,
    chain_address_id: i64,
) -> Result<Option<i64>> {
    receipt_store::charge_of(conn, chain_address_id).await
}

/// The same, and the accounts that coins which come to it are booked on.
pub(crate) async fn charge_at(
    gateway: &Gateway,
    conn: &mut PgConnection,
    chain_address_id: i64,
    coin: Currency,
) -> Result<Option<(i64, Vec<AccountKey>)>> {
    let Some(id) = charge_id_at(conn, chain_address_id).await? else {
        return Ok(None);
    };
    let found = store::find_by_ids(conn, gateway.currencies(), &[id]).await?;
    Ok(found.first().map(|row| (id, needs::credited(row, coin))))
}

/// Locks the charge a watched address belongs to, if it is one's.
pub(crate) async fn lock_charge_of(
    gateway: &Gateway,
    unit: &mut Unit,
    chain_address_id: i64,
) -> Result<()> {
    if let Some(id) = receipt_store::charge_of(unit.conn(), chain_address_id).await? {
        store::lock_by_ids(unit.conn(), gateway.currencies(), &BTreeSet::from([id])).await?;
    }
    Ok(())
}

/// The charge a refund claim is about.
pub(crate) async fn charge_of_claim(conn: &mut PgConnection, claim_id: i64) -> Result<Option<i64>> {
    receipt_store::charge_of_claim(conn, claim_id).await
}

/// Locks the charge a refund claim is about.
///
/// # Errors
/// [`crate::Error::StepsOut`] when this unit may not.
pub(crate) async fn lock_charge_of_claim(
    gateway: &Gateway,
    unit: &mut Unit,
    claim_id: Option<i64>,
) -> Result<()> {
    let Some(claim_id) = claim_id else {
        return Ok(());
    };
    if let Some(id) = receipt_store::charge_of_claim(unit.conn(), claim_id).await? {
        unit.require(Row::Charge(id))?;
        store::lock_by_ids(unit.conn(), gateway.currencies(), &BTreeSet::from([id])).await?;
    }
    Ok(())
}

/// Coins from another account of this instance, to the address of a charge: final at once.
pub(crate) async fn receive_internal(
    gateway: &Gateway,
    unit: &mut Unit,
    chain_address_id: i64,
    amount: Money,
    from_operation: i64,
) -> Result<()> {
    let charge_id = receipt_store::charge_of(unit.conn(), chain_address_id)
        .await?
        .ok_or(Error::NotFound)?;
    let locked = store::lock_by_ids(
        unit.conn(),
        gateway.currencies(),
        &BTreeSet::from([charge_id]),
    )
    .await?;
    let Some(charge) = locked.first() else {
        return Err(Error::NotFound);
    };
    let now = unit.now();
    let output = SeenOutput {
        coin: amount.currency(),
        txid: ReceiptRow::internal_txid(from_operation),
        vout: 0,
        address_id: chain_address_id,
        units: amount.units(),
    };
    let receipt = receipt_store::insert_internal(unit.conn(), charge_id, &output, now).await?;
    let (merchant, fact) = (charge.merchant_id, format!("receipt:{receipt}/1"));
    unit.post(with_ids(|ids| {
        receipt_final(ids, merchant, charge_id, fact, amount)
    }));
    settle_charges(
        gateway,
        unit,
        &BTreeSet::from([charge_id]),
        Lost::MayComeBack,
    )
    .await
}

/// Brings the coin's unsettled receipts in line with the chain tables and lets the lifecycle decide
/// on every charge concerned. `tip_height` is the height of our active tip.
pub async fn settle(
    gateway: &Gateway,
    unit: &mut Unit,
    coin: Currency,
    tip_height: i64,
    mut touched: BTreeSet<i64>,
) -> Result<()> {
    let others = receipt_store::with_changes(unit.conn(), coin, tip_height, &touched).await?;
    touched.extend(others);
    settle_charges(gateway, unit, &touched, Lost::MayComeBack).await?;
    // Waiting pages show one more confirmation.
    for public_id in receipt_store::waiting(unit.conn(), coin).await? {
        unit.notify(&public_id);
    }
    Ok(())
}

/// Reverses final receipts whose transaction is not in the chain any more. Called when the follower
/// has reached the node's tip, so that a reorganisation that only moves a transaction is no loss.
pub async fn reverse_lost(gateway: &Gateway, unit: &mut Unit, coin: Currency) -> Result<()> {
    let lost = receipt_store::lost_finals(unit.conn(), coin).await?;
    if lost.is_empty() {
        return Ok(());
    }
    settle_charges(gateway, unit, &lost, Lost::IsGone).await
}
