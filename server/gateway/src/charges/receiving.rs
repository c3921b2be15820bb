//! From chain outputs to receipts, and from receipts to what the charge is now.
//!
//! The chain tables are the truth; everything here is derived from them inside the transaction that
//! changed them, so a crash leaves nothing half known. Running it again changes nothing.

use std::collections::BTreeSet;

use domain::charge::{Asked, Came, Event, Position, ReceiptState, Status, confirmations_for};
use domain::ledger::template::{receipt_final, receipt_reversed};
use domain::money::{Currency, Money, Rounding, convert};
use serde_json::json;

use super::claim_mail::{tell_customer, tell_operator};
use super::late_money::accept_late_money;
use super::row::{ChargeRow, ReceiptRow};
use super::{Collection, claim_store, method_store, receipt_store, store, transition};
use crate::ledger::{Unit, with_ids};
use crate::{Error, Gateway, Result};

/// What it means that a final receipt's transaction is not in the chain right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// In the middle of a reorganisation: a block to come may hold it.
    MayComeBack,
    /// The follower is at the node's tip.
    IsGone,
}

/// Who acts when the chain does.
const CHAIN: &str = "chain";

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
pub async fn record_outputs(
    gateway: &Gateway,
    unit: &mut Unit,
    outputs: &[SeenOutput],
) -> Result<BTreeSet<i64>> {
    let mut touched = BTreeSet::new();
    let now = unit.now();
    for output in outputs {
        let Some(charge_id) = receipt_store::charge_of(unit.conn(), output.address_id).await?
        else {
            continue;
        };
        let amount = Money::from_units(output.units, output.coin);
        let required = required_confirmations(gateway, unit, amount).await?;
        // Where contracts pay, another block may tell the same output otherwise.
        touched.extend(receipt_store::told_otherwise(unit.conn(), output).await?);
        receipt_store::upsert(unit.conn(), charge_id, output, required, now).await?;
        touched.insert(charge_id);
    }
    Ok(touched)
}

/// Confirmations a payment needs, by the operator's terms for its coin and what it is worth.
pub(crate) async fn required_confirmations(
    gateway: &Gateway,
    unit: &mut Unit,
    amount: Money,
) -> Result<u32> {
    let (euro, now) = (gateway.euro()?, unit.now());
    let terms = gateway.terms_of(unit.conn(), amount.currency()).await?;
    let scale = 10i128.pow(u32::from(euro.scale));
    let large_from = i128::from(terms.large_from_euros).saturating_mul(scale);
    let mid = gateway
        .mid(unit.conn(), amount.currency(), euro, now)
        .await?;
    // What counts at first sight is lent until its block: it is judged together with all that is lent
    // already, or a large payment would come in small pieces.
    let judged = if terms.confirmations == 0 {
        let lent = receipt_store::announced(unit.conn(), amount.currency()).await?;
        amount.checked_add(lent)
    } else {
        Some(amount)
    };
    let worth = mid
        .zip(judged)
        .and_then(|(mid, judged)| convert(judged, mid.rate, euro, Rounding::Up));
    Ok(confirmations_for(
        worth.map(|money| money.units()),
        large_from,
        terms.confirmations,
        terms.confirmations_large,
    ))
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

/// Locks the charge a refund claim is about.
pub(crate) async fn lock_charge_of_claim(
    gateway: &Gateway,
    unit: &mut Unit,
    claim_id: Option<i64>,
) -> Result<()> {
    let Some(claim_id) = claim_id else {
        return Ok(());
    };
    if let Some(id) = receipt_store::charge_of_claim(unit.conn(), claim_id).await? {
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
    touched.extend(receipt_store::with_changes(unit.conn(), coin, tip_height).await?);
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

/// The charges are locked in id order before anything about them is read.
async fn settle_charges(
    gateway: &Gateway,
    unit: &mut Unit,
    ids: &BTreeSet<i64>,
    lost: Lost,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let rows = store::lock_by_ids(unit.conn(), gateway.currencies(), ids).await?;
    for mut row in rows {
        let mut receipts = store::receipts_of(unit.conn(), gateway.currencies(), row.id).await?;
        let before = (row.status, row.flags);
        restore_picked_coin(gateway, unit, &mut row, &receipts).await?;
        let arrived = receipts.iter().any(|receipt| receipt.value.is_none());
        let mut became_final = false;
        let mut came = Came::default();
        for receipt in &mut receipts {
            value_receipt(gateway, unit, &row, came, receipt).await?;
            became_final |= follow_chain(unit, &row, receipt, lost).await?;
            let asked = row.terms.as_ref().map(|terms| terms.coin.id);
            if receipt.state.is_live() && Some(receipt.coin.id) == asked {
                came = came.and(receipt.amount, receipt.value.unwrap_or(0));
            }
        }
        transition::transition(
            unit,
            &mut row,
            &receipts,
            &Event::ReceiptsChanged,
            None,
            CHAIN,
        )
        .await?;
        // A change of status has told of it already; after the clock nothing is collected any more.
        let is_untold = row.status == before.0
            && matches!(row.status, Status::Pending | Status::Processing)
            && row.collection == Collection::GoodUntilExpired;
        if arrived && is_untold && row.invoice.is_some() {
            unit.emit(transition::event_named(&row, &receipts, "charge.receipt"));
        }
        // Late money is judged once, at the rate of the moment the last of it became final.
        if became_final {
            accept_late_money(gateway, unit, &mut row, &receipts).await?;
        }
        tell_customer(gateway, unit, before, &row, &receipts).await?;
        tell_operator(unit, before.1, &row).await?;
    }
    Ok(())
}

/// A payer who picked one coin, then another, and pays the first while its rate still holds, pays.
async fn restore_picked_coin(
    gateway: &Gateway,
    unit: &mut Unit,
    row: &mut ChargeRow,
    receipts: &[ReceiptRow],
) -> Result<()> {
    let Some(terms) = &row.terms else {
        return Ok(());
    };
    let live = |receipt: &&ReceiptRow| receipt.state.is_live();
    let current = receipts
        .iter()
        .filter(live)
        .any(|receipt| receipt.coin.id == terms.coin.id);
    let other = receipts
        .iter()
        .filter(live)
        .find(|receipt| receipt.coin.id != terms.coin.id);
    let (Status::Pending, false, Some(other)) = (row.status, current, other) else {
        return Ok(());
    };
    let Some(method) = method_store::find_method(unit.conn(), row.id, other.coin).await? else {
        return Ok(());
    };
    // Only at the address that was shown for that coin, and while its rate was fixed.
    if other.first_seen_at >= method.release_at || other.address != method.address {
        return Ok(());
    }
    // What went back, or is on its way, is not there to pay with.
    if claim_store::refund_started(unit.conn(), row.id, other.coin.id).await? {
        return Ok(());
    }
    method_store::restore_method(unit.conn(), row.id, other.coin).await?;
    *row = store::find(unit.conn(), gateway.currencies(), &row.public_id).await?;
    Ok(())
}

/// What a receipt is worth in the charge's currency: at the price it came under, after what `came`
/// before it, or at the mid rate when it came late or in another coin.
async fn value_receipt(
    gateway: &Gateway,
    unit: &mut Unit,
    row: &ChargeRow,
    came: Came,
    receipt: &mut ReceiptRow,
) -> Result<()> {
    if receipt.value.is_some() {
        return Ok(());
    }
    let coins = Money::from_units(receipt.amount, receipt.coin);
    let to = row.amount.currency();
    let quoted = row
        .terms
        .as_ref()
        .filter(|terms| {
            terms.coin.id == receipt.coin.id && receipt.first_seen_at < terms.release_at
        })
        .map(|terms| (terms.due, terms.price));
    let worth = |units, price| {
        worth(Money::from_units(units, receipt.coin), price, to).map(|money| money.units())
    };
    let value = if let Some((due, price)) = quoted {
        let asked = Asked {
            amount: row.amount.units(),
            due,
        };
        asked.worth_of_next(came, receipt.amount, |units| worth(units, price))
    } else {
        let now = unit.now();
        gateway
            .mid(unit.conn(), receipt.coin, to, now)
            .await?
            .and_then(|mid| worth(receipt.amount, mid.rate))
    };
    receipt.value = value;
    receipt_store::set_value(unit.conn(), receipt).await?;
    let data = json!({
        "txid": receipt.txid,
        "amount": coins.shortest(),
        "currency": receipt.coin.code.as_str(),
        "value": receipt.value.map(|units| Money::from_units(units, to).shown()),
        "confirmations_required": receipt.confirmations_required,
    });
    store::append_timeline(
        unit.conn(),
        row.id,
        receipt.first_seen_at,
        "receipt.seen",
        &data,
    )
    .await
}

fn worth(coins: Money, price: rust_decimal::Decimal, to: Currency) -> Option<Money> {
    if coins.currency().id == to.id {
        return Some(coins);
    }
    convert(coins, price, to, Rounding::Down)
}

/// Moves one receipt to the state its transaction says, and books what that means; true when it became final.
async fn follow_chain(
    unit: &mut Unit,
    row: &ChargeRow,
    receipt: &mut ReceiptRow,
    lost: Lost,
) -> Result<bool> {
    if receipt.is_internal() {
        return Ok(false);
    }
    let chain = receipt_store::chain_position(unit.conn(), receipt).await?;
    let next = receipt.state.follow(Position {
        confirmed: chain.confirmed,
        gone: chain.gone,
        confirmations: receipt.confirmations,
        required: receipt.confirmations_required,
        at_tip: lost == Lost::IsGone,
    });
    if next == receipt.state {
        return Ok(false);
    }
    let now = unit.now();
    let amount = Money::from_units(receipt.amount, receipt.coin);
    match next {
        ReceiptState::Final => {
            receipt.bookings += 1;
            receipt.final_at = Some(now);
            let fact = format!("receipt:{}/{}", receipt.id, receipt.bookings);
            unit.post(with_ids(|ids| {
                receipt_final(ids, row.merchant_id, row.id, fact, amount)
            }));
        }
        ReceiptState::Reversed => {
            let fact = format!("receipt:{}/{}", receipt.id, receipt.bookings);
            unit.post(with_ids(|ids| {
                receipt_reversed(ids, row.merchant_id, row.id, fact, amount)
            }));
        }
        ReceiptState::Seen | ReceiptState::Dropped => {}
    }
    receipt.state = next;
    receipt_store::set_state(unit.conn(), receipt).await?;
    let kind = match next {
        ReceiptState::Seen => "receipt.back",
        ReceiptState::Final => "receipt.final",
        ReceiptState::Dropped => "receipt.dropped",
        ReceiptState::Reversed => "receipt.reversed",
    };
    let data = json!({
        "txid": receipt.txid,
        "amount": amount.shortest(),
        "currency": receipt.coin.code.as_str(),
        "confirmations": receipt.confirmations,
        "replaced_by": chain.replaced_by,
    });
    store::append_timeline(unit.conn(), row.id, now, kind, &data).await?;
    Ok(next == ReceiptState::Final)
}
