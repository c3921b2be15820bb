use domain::charge::{ReceiptState, Status, Valuation, late_value};
use domain::ledger::template::ChargeCredit;
use domain::money::{CurrencyId, Money};

use super::ChargeView;
use super::mids::Mids;
use super::row::{ChargeRow, ReceiptRow};
use crate::{Gateway, Result};

/// What late money pays, when the merchant takes it and it still covers the amount at the current rate,
/// judged at the moment the last of it became final. `refund_decided`: a person has decided to send
/// money of this charge back.
pub(super) fn late_credit(
    row: &ChargeRow,
    receipts: &[ReceiptRow],
    refund_decided: bool,
    mids: &Mids,
) -> Result<Option<ChargeCredit>> {
    let (true, Status::Expired | Status::Underpaid) = (row.late_policy_accepts, row.status) else {
        return Ok(None);
    };
    let Some(terms) = &row.terms else {
        return Ok(None);
    };
    let of_coin = || {
        receipts
            .iter()
            .filter(|r| r.coin.id == terms.coin.id && r.state.is_live())
    };
    let all_final = of_coin().all(|receipt| receipt.state == ReceiptState::Final);
    let any_late = of_coin().any(|receipt| receipt.first_seen_at >= terms.release_at);
    let is_final = |receipt: &ReceiptRow| receipt.state == ReceiptState::Final;
    // Seen in time but proven only after the clock had ended: it was paid, at the quote.
    let covered_in_time = row
        .received(receipts, |r| {
            is_final(r) && r.first_seen_at < terms.release_at
        })
        .is_some_and(|in_time| in_time.units() >= terms.due);
    if !all_final || !(any_late || covered_in_time) {
        return Ok(None);
    }
    // What is on its way back, or went, pays nothing.
    if refund_decided || row.refunded_of(terms.coin) > 0 {
        return Ok(None);
    }
    let Some(received) = row.received(receipts, is_final) else {
        return Ok(None);
    };
    let valuation = if covered_in_time {
        Valuation::Quoted { due: terms.due }
    } else {
        let to = row.amount.currency();
        let Some(mid) = mids.rate(terms.coin, to)? else {
            return Ok(None);
        };
        let enough = late_value(received, mid, to)
            .is_some_and(|value| value >= row.amount.units() - row.tolerance);
        if !enough {
            return Ok(None);
        }
        Valuation::AtMid(mid)
    };
    Ok(valuation
        .credit(received, row.amount, row.fee_basis_points)
        .filter(|credit| credit.gross.is_positive()))
}

/// The rate that [`late_credit`] may ask for.
pub(super) fn late_pair(
    row: &ChargeRow,
    receipts: &[ReceiptRow],
) -> Option<(CurrencyId, CurrencyId)> {
    let terms = row.terms.as_ref().filter(|_| row.late_policy_accepts)?;
    receipts
        .iter()
        .any(|r| r.coin.id == terms.coin.id && r.first_seen_at >= terms.release_at)
        .then(|| (terms.coin.id, row.amount.currency().id))
}

/// Whether what came is worth less than what is asked for at the rate of now, both as the policy
/// above judges it and as a new rate would count it. Where no rate is known nobody can say so.
pub(super) async fn falls_short(gateway: &Gateway, charge: &ChargeView) -> Result<bool> {
    let Some(payment) = &charge.payment else {
        return Ok(false);
    };
    let (coin, to, now) = (
        payment.coin,
        charge.amount.currency(),
        gateway.clock().now(),
    );
    let mut conn = gateway.pool().acquire().await?;
    let Some(mid) = gateway.mid(&mut conn, coin, to, now).await? else {
        return Ok(false);
    };
    let (mut kept, mut late) = (0, 0);
    for receipt in &charge.receipts {
        if !receipt.state.is_live() || receipt.amount.currency().id != coin.id {
            continue;
        }
        if receipt.first_seen_at < payment.release_at {
            kept += receipt.value.map_or(0, |value| value.units());
        } else {
            late += receipt.amount.units();
        }
    }
    let least = charge.amount.units() - charge.tolerance.units();
    let judged = late_value(payment.received, mid.rate, to);
    let counted = late_value(Money::from_units(late, coin), mid.rate, to)
        .map(|worth| worth.saturating_add(kept));
    Ok(judged.is_some_and(|worth| worth < least)
        && counted.is_some_and(|worth| worth < charge.amount.units()))
}
