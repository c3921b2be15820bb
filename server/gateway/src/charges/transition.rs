use domain::charge::{Change, Event, Resolution, Status};
use domain::ledger::template::{ChargeCredit, charge_paid};
use domain::ledger::{AccountKey, AccountKind};
use domain::money::Money;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::changes::Changes;
use super::invoice_report::invoice_report;
use super::row::{ChargeRow, ReceiptRow};
use crate::ledger::{DirectTarget, NewEvent, Unit, with_ids};
use crate::outbox::Format;
use crate::{Error, Result};

/// What the rule makes of one event; nothing has changed yet.
#[derive(Debug)]
pub(super) struct Decision {
    change: Change,
    /// What the merchant gets, when the rule says that it pays.
    credit: Option<ChargeCredit>,
    /// The credit was promised at the quote; nobody asked for it.
    is_due: bool,
}

impl Decision {
    /// What our liquidity has to deliver for it. A charge in another currency than its coin is credited
    /// out of our liquidity, which has a floor; a refusal by the books would undo everything else the
    /// unit does.
    pub(super) fn delivers(&self) -> Option<Money> {
        let credit = self.credit.as_ref()?;
        (credit.consumed.currency().id != credit.gross.currency().id).then_some(credit.gross)
    }
}

/// Lets the rule decide on one event, from what was read.
///
/// `credit` is what a late or manual acceptance was valued at; a payment at the quote is valued here.
///
/// # Errors
/// [`Error::Refused`] when the rule refuses the event.
pub(super) fn decide(
    row: &ChargeRow,
    receipts: &[ReceiptRow],
    event: &Event,
    credit: Option<ChargeCredit>,
    now: OffsetDateTime,
) -> Result<Decision> {
    let change = row.facts(receipts).apply(event, now)?;
    let is_due = credit.is_none();
    let credit = match credit {
        _ if !change.pays => None,
        Some(credit) => Some(credit),
        None => Some(quoted_credit(row, receipts)?),
    };
    Ok(Decision {
        change,
        credit,
        is_due,
    })
}

/// Stages everything that follows from a decision: entries, event and notification in the unit, rows in
/// `changes`. `row` holds the new state afterwards, its version included.
///
/// `can_deliver` says whether our liquidity has what the decision [`delivers`](Decision::delivers).
///
/// # Errors
/// [`Error::QuoteUnavailable`] when it has not and nobody was promised it; nothing is staged then.
pub(super) fn stage(
    unit: &mut Unit,
    row: &mut ChargeRow,
    receipts: &[ReceiptRow],
    decision: Decision,
    can_deliver: bool,
    actor: &str,
    changes: &mut Changes,
) -> Result<()> {
    let now = unit.now();
    let before = row.status;
    let mut change = decision.change;
    if let Some(credit) = decision.credit {
        if can_deliver {
            pay(unit, row, &credit)?;
            changes.close_claims(row.id);
        } else if decision.is_due {
            change = change.withheld(row.covered_at, now);
        } else {
            // Nobody was promised this: whoever asked for it asks again.
            return Err(Error::QuoteUnavailable {
                coin: credit.consumed.currency().code.to_string(),
                currency: credit.gross.currency().code.to_string(),
            });
        }
    }
    if change.resolution != row.resolution {
        let is_resolved = change.resolution != Resolution::None;
        row.resolved_by = is_resolved.then(|| actor.to_owned());
        row.resolved_at = is_resolved.then_some(now);
    }
    row.status = change.status;
    row.flags = change.flags;
    row.resolution = change.resolution;
    row.needs_attention = change.needs_attention;
    row.covered_at = change.covered_at;
    row.coin_consumed = change.consumed;
    changes.charge(row, change.clock_ends_at);
    if change.status != before {
        let kind = format!("status.{}", change.status.word());
        let paid = |units: Option<i128>| {
            units
                .filter(|_| change.pays)
                .map(|units| Money::from_units(units, row.amount.currency()).shown())
        };
        let data = json!({
            "from": before.word(),
            "by": actor,
            "flags": change.flags.words(),
            "credited": paid(row.credited),
            "fee": paid(row.fee),
        });
        changes.tell(row.id, now, &kind, data);
        unit.emit(event_of(row, receipts, change.status));
    }
    unit.notify(&row.public_id);
    Ok(())
}

/// One event of one charge, from the decision to its rows.
///
/// # Errors
/// Those of [`decide`] and [`stage`]; nothing has changed then.
pub(super) async fn transition(
    unit: &mut Unit,
    row: &mut ChargeRow,
    receipts: &[ReceiptRow],
    event: &Event,
    credit: Option<ChargeCredit>,
    actor: &str,
) -> Result<()> {
    let decision = decide(row, receipts, event, credit, unit.now())?;
    let can_deliver = match decision.delivers() {
        Some(amount) => unit.take_liquidity(amount).await?,
        None => true,
    };
    let mut changes = Changes::default();
    stage(
        unit,
        row,
        receipts,
        decision,
        can_deliver,
        actor,
        &mut changes,
    )?;
    changes.write(unit).await
}

fn quoted_credit(row: &ChargeRow, receipts: &[ReceiptRow]) -> Result<ChargeCredit> {
    use domain::charge::{ReceiptState, Valuation};
    let due = row.terms.as_ref().map_or(0, |terms| terms.due);
    row.received(receipts, |receipt| receipt.state == ReceiptState::Final)
        .and_then(|received| {
            Valuation::Quoted { due }.credit(received, row.amount, row.fee_basis_points)
        })
        .ok_or_else(|| Error::Internal(format!("{} cannot be valued", row.public_id)))
}

fn pay(unit: &mut Unit, row: &mut ChargeRow, credit: &ChargeCredit) -> Result<()> {
    if !credit.gross.is_positive() {
        // Dust that is worth nothing in the charge's currency: there is nothing to credit.
        return Err(Error::Conflict(
            "what arrived is worth too little to be accepted",
        ));
    }
    let wallet = AccountKey {
        merchant: row.merchant_id,
        currency: row.amount.currency().id,
        kind: AccountKind::Wallet,
        user_id: row.wallet_user_id,
    };
    unit.post(with_ids(|ids| charge_paid(ids, wallet, row.id, credit)));
    row.credited = Some(credit.gross.units() - credit.fee.units());
    row.fee = Some(credit.fee.units());
    row.paid_at = Some(unit.now());
    Ok(())
}

pub(crate) fn event_of(row: &ChargeRow, receipts: &[ReceiptRow], status: Status) -> NewEvent {
    let kind = match status {
        Status::Created => "charge.created",
        Status::Pending => "charge.pending",
        Status::Processing => "charge.processing",
        Status::Paid => "charge.paid",
        Status::Expired => "charge.expired",
        Status::Underpaid => "charge.underpaid",
        Status::Cancelled => "charge.cancelled",
        Status::Failed => "charge.failed",
    };
    event_named(row, receipts, kind)
}

/// An event about a charge that is no change of its status, too.
pub(super) fn event_named(
    row: &ChargeRow,
    receipts: &[ReceiptRow],
    kind: &'static str,
) -> NewEvent {
    NewEvent {
        merchant_id: row.merchant_id,
        kind,
        object: row.object(),
        payload: payload(row, receipts),
        direct: row.webhook_url.as_ref().map(|url| DirectTarget {
            url: url.clone(),
            format: Format::Orders,
        }),
    }
}

/// The canonical content of every event about a charge.
fn payload(row: &ChargeRow, receipts: &[ReceiptRow]) -> Value {
    let terms = row.terms.as_ref();
    json!({
        "public_id": row.public_id,
        "origin": row.origin,
        "status": row.status.word(),
        "flags": row.flags.words(),
        "resolution": row.resolution.word(),
        "amount": row.amount.truncated(),
        "currency": row.amount.currency().code.as_str(),
        "coin": terms.map(|terms| terms.coin.code.as_str()),
        "coin_amount": terms.map(|terms| Money::from_units(terms.due, terms.coin).shortest()),
        "invoice": row.invoice.as_ref().map(|invoice| invoice_report(row, invoice, receipts)),
    })
}
