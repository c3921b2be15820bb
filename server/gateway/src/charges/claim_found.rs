//! What a refund link finds: its claim, the charge, and what of the charge's money can go back.

use domain::charge::{Flag, ReceiptState, Status};
use domain::money::Money;
use domain::view::claim::{ClaimOverReason, ClaimStep};
use time::OffsetDateTime;

use super::claim_link_store::LinkedClaim;
use super::refundable::refundable;
use super::row::{ChargeRow, ReceiptRow};

/// A claim with what it is about.
pub(super) struct Found {
    pub(super) claim: LinkedClaim,
    pub(super) row: ChargeRow,
    pub(super) receipts: Vec<ReceiptRow>,
}

impl Found {
    /// Why the link leads no further, if it does not.
    pub(super) fn over(&self, now: OffsetDateTime) -> Option<ClaimOverReason> {
        let claim = &self.claim;
        if now >= claim.expires_at {
            return Some(ClaimOverReason::Expired);
        }
        if claim.state == "declined" {
            return Some(if self.row.status == Status::Paid {
                ClaimOverReason::Accepted
            } else {
                ClaimOverReason::Declined
            });
        }
        if claim.address.is_some() && !claim.used {
            return Some(ClaimOverReason::Elsewhere);
        }
        self.money()
            .is_none()
            .then_some(ClaimOverReason::NothingNow)
    }

    /// What goes back, and whether part of it is not final yet. It is fixed with the approval; until
    /// then it is whatever is there.
    pub(super) fn money(&self) -> Option<(Money, bool)> {
        if self.claim.state != ClaimStep::Requested.word() {
            return self.claim.amount.map(|amount| (amount, false));
        }
        let sure = refundable(&self.row, &self.receipts);
        let hoped = refundable(&self.row, &as_if_final(&self.receipts))?;
        match sure {
            // What is final in one coin does not wait for another coin.
            Some(sure) if sure.currency() != hoped.currency() => Some((sure, false)),
            sure => Some((hoped, sure != Some(hoped))),
        }
    }
}

/// The receipts as they will be when the chain has confirmed them all.
fn as_if_final(receipts: &[ReceiptRow]) -> Vec<ReceiptRow> {
    let mut receipts = receipts.to_vec();
    for receipt in &mut receipts {
        if receipt.state.is_live() {
            receipt.state = ReceiptState::Final;
        }
    }
    receipts
}

/// Why there is money to send back, one sentence.
pub(super) fn why(row: &ChargeRow, amount: Money) -> String {
    let money = format!("{} {}", amount.shortest(), amount.currency().code);
    let id = &row.public_id;
    let asked = row.terms.as_ref().map(|terms| terms.coin);
    if asked.is_some_and(|coin| coin != amount.currency()) {
        return format!("{money} came for order {id} in another coin than was asked for.");
    }
    let late = row.flags.contains(Flag::Late);
    match row.status {
        Status::Paid => format!("You sent {money} more than order {id} needed."),
        _ if late => {
            format!("Your payment of {money} for order {id} arrived after its rate had expired.")
        }
        Status::Underpaid => {
            format!("Your payment of {money} for order {id} was less than was due.")
        }
        _ => format!("Your payment of {money} for order {id} could not be taken."),
    }
}
