use domain::charge::{Flag, Flags, Status};
use domain::money::Money;

use super::claim_link;
use super::row::{ChargeRow, ReceiptRow};
use crate::ledger::Unit;
use crate::mail::{ClaimMail, ClaimReason, RefundLink, send_claim_mail, tell_operators};
use crate::{Gateway, Result};

/// Opens a refund claim and tells the customer, once per reason, that a payment was short, too much
/// or late, with the pages where it can be put right (`00-domain.md`: refund claims).
pub(super) async fn tell_customer(
    gateway: &Gateway,
    unit: &mut Unit,
    before: (Status, Flags),
    row: &ChargeRow,
    receipts: &[ReceiptRow],
) -> Result<()> {
    let Some((reason, amount)) = reason(before, row, receipts) else {
        return Ok(());
    };
    mail(gateway, unit, row, receipts, reason, amount).await
}

/// Asks the customer where an approved refund of `amount` shall go.
pub(super) async fn ask_for_address(
    gateway: &Gateway,
    unit: &mut Unit,
    row: &ChargeRow,
    receipts: &[ReceiptRow],
    amount: Money,
) -> Result<()> {
    let reason = ClaimReason::Approved;
    mail(gateway, unit, row, receipts, reason, amount).await
}

async fn mail(
    gateway: &Gateway,
    unit: &mut Unit,
    row: &ChargeRow,
    receipts: &[ReceiptRow],
    reason: ClaimReason,
    amount: Money,
) -> Result<()> {
    let link = claim_link::open(gateway, unit, row, receipts).await?;
    let claim = ClaimMail {
        merchant_id: row.merchant_id,
        merchant_name: row.merchant_name.clone(),
        customer_email: row.customer.email.clone(),
        public_id: row.public_id.clone(),
        amount: format!("{} {}", amount.shortest(), amount.currency().code),
        reason,
        url: gateway.checkout_url(&row.public_id),
        refund: link.map(|link| RefundLink {
            url: link.url,
            until: link.until,
        }),
    };
    send_claim_mail(unit, &claim).await
}

/// A payment that was booked and credited has left the chain: the house is short of it
/// (`80`, Charges).
pub(super) async fn tell_operator(unit: &mut Unit, before: Flags, row: &ChargeRow) -> Result<()> {
    if !row.flags.contains(Flag::Reversed) || before.contains(Flag::Reversed) {
        return Ok(());
    }
    let subject = format!("{}: a paid payment was reversed", row.public_id);
    let text = format!(
        "A reorganisation of the chain removed a payment of {} that was final.\n\n\
         The merchant, \"{}\", keeps the credit; the amount is booked against suspense and the \
         charge is in the merchant's inbox.",
        row.public_id, row.merchant_name
    );
    tell_operators(unit, &subject, &text).await
}

fn reason(
    (status, flags): (Status, Flags),
    row: &ChargeRow,
    receipts: &[ReceiptRow],
) -> Option<(ClaimReason, Money)> {
    let terms = row.terms.as_ref()?;
    let money = |units| Money::from_units(units, terms.coin);
    let received = row
        .received(receipts, |receipt| receipt.state.is_live())?
        .units();
    let now_has = |flag| row.flags.contains(flag) && !flags.contains(flag);
    if row.status == Status::Underpaid && status != Status::Underpaid {
        return Some((ClaimReason::Under, money((terms.due - received).max(0))));
    }
    if now_has(Flag::Late) && row.status != Status::Paid {
        let late = row.received(receipts, |receipt| {
            receipt.state.is_live() && receipt.first_seen_at >= terms.release_at
        })?;
        return Some((ClaimReason::Late, late));
    }
    let just_over = (row.status == Status::Paid && status != Status::Paid) || now_has(Flag::Over);
    let excess = received - row.coin_consumed.unwrap_or(terms.due);
    (row.status == Status::Paid && row.flags.contains(Flag::Over) && just_over && excess > 0)
        .then(|| (ClaimReason::Over, money(excess)))
}
