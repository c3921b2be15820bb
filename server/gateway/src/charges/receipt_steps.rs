//! What one receipt becomes: its value when it is first seen, its state as its transaction goes on.

use domain::charge::{Asked, Came, Position, ReceiptState};
use domain::ledger::template::{receipt_final, receipt_reversed};
use domain::money::{Currency, CurrencyId, Money, Rounding, convert};
use rust_decimal::Decimal;
use serde_json::json;

use super::changes::Changes;
use super::mids::Mids;
use super::receipt_store::ChainPosition;
use super::row::{ChargeRow, ReceiptRow};
use crate::Result;
use crate::ledger::{Unit, with_ids};

/// What it means that a final receipt's transaction is not in the chain right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// In the middle of a reorganisation: a block to come may hold it.
    MayComeBack,
    /// The follower is at the node's tip.
    IsGone,
}

/// Due and price of the quote a receipt came under, if it did.
fn quoted(row: &ChargeRow, receipt: &ReceiptRow) -> Option<(i128, Decimal)> {
    row.terms
        .as_ref()
        .filter(|terms| {
            terms.coin.id == receipt.coin.id && receipt.first_seen_at < terms.release_at
        })
        .map(|terms| (terms.due, terms.price))
}

/// The rate that [`value_at_sight`] asks for.
pub(super) fn value_pair(
    row: &ChargeRow,
    receipt: &ReceiptRow,
) -> Option<(CurrencyId, CurrencyId)> {
    let is_open = receipt.value.is_none() && quoted(row, receipt).is_none();
    is_open.then(|| (receipt.coin.id, row.amount.currency().id))
}

/// What a receipt that has no value yet is worth in the charge's currency: at the price it came under,
/// after what `came` before it, or at the mid rate when it came late or in another coin.
pub(super) fn value_at_sight(
    row: &ChargeRow,
    came: Came,
    receipt: &mut ReceiptRow,
    mids: &Mids,
    changes: &mut Changes,
) -> Result<()> {
    let coin = receipt.coin;
    let to = row.amount.currency();
    let worth =
        |units, price| worth(Money::from_units(units, coin), price, to).map(|money| money.units());
    let value = if let Some((due, price)) = quoted(row, receipt) {
        let asked = Asked {
            amount: row.amount.units(),
            due,
        };
        asked.worth_of_next(came, receipt.amount, |units| worth(units, price))
    } else {
        let mid = mids.rate(coin, to)?;
        mid.and_then(|mid| worth(receipt.amount, mid))
    };
    receipt.value = value;
    let data = json!({
        "txid": receipt.txid,
        "amount": Money::from_units(receipt.amount, coin).shortest(),
        "currency": coin.code.as_str(),
        "value": receipt.value.map(|units| Money::from_units(units, to).shown()),
        "confirmations_required": receipt.confirmations_required,
    });
    changes.tell(row.id, receipt.first_seen_at, "receipt.seen", data);
    Ok(())
}

fn worth(coins: Money, price: Decimal, to: Currency) -> Option<Money> {
    if coins.currency().id == to.id {
        return Some(coins);
    }
    convert(coins, price, to, Rounding::Down)
}

/// Moves one receipt to the state its transaction says, and books what that means; true when it became
/// final.
pub(super) fn follow_chain(
    unit: &mut Unit,
    row: &ChargeRow,
    receipt: &mut ReceiptRow,
    chain: &ChainPosition,
    lost: Lost,
    changes: &mut Changes,
) -> bool {
    let next = receipt.state.follow(Position {
        confirmed: chain.confirmed,
        gone: chain.gone,
        confirmations: receipt.confirmations,
        required: receipt.confirmations_required,
        at_tip: lost == Lost::IsGone,
    });
    if next == receipt.state {
        return false;
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
    changes.tell(row.id, now, kind, data);
    next == ReceiptState::Final
}
