//! What of a charge can go back to its payer, and where to.

use domain::charge::{ReceiptState, Status};
use domain::money::{Currency, Money};

use super::claim_store;
use super::row::{ChargeRow, ReceiptRow};
use crate::chain::address::parse_address;
use crate::ledger::Unit;
use crate::{Error, Gateway, Result};

/// Coins of the payer that no credit explains: all of an unpaid charge, the excess of a paid one.
pub(super) fn refundable(row: &ChargeRow, receipts: &[ReceiptRow]) -> Option<Money> {
    let of_terms = row
        .received(receipts, |receipt| receipt.state == ReceiptState::Final)
        .and_then(|arrived| {
            let kept = match row.status {
                Status::Paid => row.coin_consumed.unwrap_or(0),
                Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed => 0,
                Status::Created | Status::Pending | Status::Processing => return None,
            };
            let rest = arrived.units() - kept - row.refunded_of(arrived.currency());
            (rest > 0).then(|| Money::from_units(rest, arrived.currency()))
        });
    of_terms.or_else(|| wrong_coin(row, receipts))
}

/// Money in a coin that was not asked for can go back whatever the charge does.
fn wrong_coin(row: &ChargeRow, receipts: &[ReceiptRow]) -> Option<Money> {
    let asked = row.terms.as_ref().map(|terms| terms.coin.id);
    let other = |receipt: &&ReceiptRow| {
        receipt.state == ReceiptState::Final && Some(receipt.coin.id) != asked
    };
    receipts.iter().filter(other).find_map(|first| {
        let came: i128 = receipts
            .iter()
            .filter(other)
            .filter(|r| r.coin.id == first.coin.id)
            .map(|r| r.amount)
            .sum();
        let rest = came - row.refunded_of(first.coin);
        (rest > 0).then(|| Money::from_units(rest, first.coin))
    })
}

/// Coins that go back pay nothing.
///
/// # Errors
/// [`Error::Conflict`] once a refund in the charge's coin is on its way.
pub(super) async fn require_no_refund(unit: &mut Unit, row: &ChargeRow) -> Result<()> {
    let Some(coin) = row.terms.as_ref().map(|terms| terms.coin) else {
        return Ok(());
    };
    if claim_store::refund_started(unit.conn(), row.id, coin.id).await? {
        return Err(Error::Conflict(
            "the money of this charge is being sent back",
        ));
    }
    Ok(())
}

/// A refund goes back in the coin it came in, so the address must be one of that coin.
pub(super) fn checked_address(
    gateway: &Gateway,
    coin: Option<Currency>,
    field: &str,
    address: &str,
) -> Result<String> {
    let coin = coin.ok_or(Error::Conflict("choose how to pay first"))?;
    let params = gateway.chains().of(coin)?.params;
    parse_address(params, address)
        .map(|address| address.canonical)
        .map_err(|error| {
            Error::invalid(
                field,
                format!("must be a valid {} address: {error}", coin.code),
            )
        })
}
