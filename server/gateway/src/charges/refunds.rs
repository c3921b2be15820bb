//! Money on its way back to a payer: an approved claim becomes a withdrawal out of suspense, and what
//! the withdrawal does comes back to the claim and the charge.
//!
//! Invariant: coins that are on their way back, or went, pay nothing any more.

use domain::charge::Event;
use serde_json::json;

use super::refundable::refundable;
use super::row::{ChargeRow, ReceiptRow};
use super::transition::{event_named, transition};
use super::{claim_store, receipt_store, store};
use crate::ledger::Unit;
use crate::{Error, Gateway, Result};

/// How far a refund's withdrawal has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefundProgress {
    /// The network has it.
    Sent { txid: String },
    /// Deep enough in the chain. A block may show that before we hear that the network took it.
    Confirmed { txid: Option<String> },
    /// Another transaction took its coins: the claim waits for an approval again.
    Failed,
}

/// Who acts when a withdrawal moves on.
const PAYOUT: &str = "withdrawal";

/// Queues the way back of an open claim that is approved and has an address; nothing otherwise.
pub(super) async fn start_if_ready(
    gateway: &Gateway,
    unit: &mut Unit,
    row: &ChargeRow,
    receipts: &[ReceiptRow],
    by: &str,
) -> Result<()> {
    let claim = claim_store::find_open(unit.conn(), gateway.currencies(), row.id).await?;
    let Some(claim) = claim.filter(|claim| claim.approved && claim.operation_id.is_none()) else {
        return Ok(());
    };
    let (Some(amount), Some(address)) = (claim.amount, claim.address) else {
        return Ok(());
    };
    // What was approved may have been taken back by the chain since.
    let still_there = refundable(row, receipts).is_some_and(|there| there >= amount);
    if !still_there {
        return Err(Error::Conflict(
            "the money of this refund is not there any more",
        ));
    }
    let operation = gateway
        .send_refund_in(unit, claim.id, row.merchant_id, amount, &address, by)
        .await?;
    claim_store::set_operation(unit.conn(), claim.id, operation).await
}

/// Tells a claim and its charge what the withdrawal did; the caller holds the charge's lock. The charge is
/// judged anew when money has gone, and when it turns out that it has not.
///
/// That it was sent is told once, and before it is told that it arrived.
pub(crate) async fn withdrawal_changed(
    gateway: &Gateway,
    unit: &mut Unit,
    claim_id: i64,
    progress: RefundProgress,
) -> Result<()> {
    let is_sent = claim_store::is_sent(unit.conn(), claim_id).await?;
    let came_to_nothing = is_sent && progress == RefundProgress::Failed;
    match &progress {
        RefundProgress::Sent { .. } if is_sent => return Ok(()),
        RefundProgress::Confirmed { txid: Some(txid) } if !is_sent => {
            let sent = RefundProgress::Sent { txid: txid.clone() };
            tell(gateway, unit, claim_id, sent, false).await?;
        }
        RefundProgress::Sent { .. } | RefundProgress::Confirmed { .. } | RefundProgress::Failed => {
        }
    }
    tell(gateway, unit, claim_id, progress, came_to_nothing).await
}

async fn tell(
    gateway: &Gateway,
    unit: &mut Unit,
    claim_id: i64,
    progress: RefundProgress,
    came_to_nothing: bool,
) -> Result<()> {
    let charge_id = receipt_store::charge_of_claim(unit.conn(), claim_id)
        .await?
        .ok_or(Error::NotFound)?;
    let (state, kind, txid) = match &progress {
        RefundProgress::Sent { txid } => ("sent", "refund.sent", Some(txid.clone())),
        RefundProgress::Confirmed { .. } => ("confirmed", "refund.confirmed", None),
        RefundProgress::Failed => ("requested", "refund.failed", None),
    };
    let (amount, address) =
        claim_store::set_state(unit.conn(), gateway.currencies(), claim_id, state).await?;
    let locked = store::lock_by_ids(unit.conn(), gateway.currencies(), &[charge_id].into()).await?;
    let Some(mut row) = locked.into_iter().next() else {
        return Err(Error::NotFound);
    };
    let now = unit.now();
    let data = json!({
        "amount": amount.shortest(),
        "currency": amount.currency().code.as_str(),
        "address": address,
        "txid": txid,
    });
    store::append_timeline(unit.conn(), row.id, now, kind, &data).await?;
    if txid.is_some() {
        let receipts = store::receipts_of(unit.conn(), gateway.currencies(), row.id).await?;
        transition(unit, &mut row, &receipts, &Event::Refunded, None, PAYOUT).await?;
        unit.emit(event_named(&row, &receipts, "charge.refunded"));
    } else if came_to_nothing {
        // The money is here again, so somebody has to decide about it again.
        let receipts = store::receipts_of(unit.conn(), gateway.currencies(), row.id).await?;
        let event = Event::ReceiptsChanged;
        transition(unit, &mut row, &receipts, &event, None, PAYOUT).await?;
    }
    unit.notify(&row.public_id);
    Ok(())
}
