//! From the gateway's views to the dialect's words.

use domain::charge::{ReceiptState, Resolution, Status};
use gateway::Gateway;
use gateway::charges::{ChargeView, PaymentView, ReceiptRecord};
use gateway::wallets::WalletView;
use serde::Serialize;

use super::dto::{CreatedOrder, Order, Payment, Receipt, TimelineEntry, Wallet};
use crate::http::moment::rfc3339;
use crate::http::{Problems, Query};

/// Statuses of orders (`10-orders-api.md`).
const STATUS_WORDS: [&str; 7] = [
    "pending",
    "processing",
    "paid",
    "underpaid",
    "expired",
    "cancelled",
    REFUNDED,
];

const REFUNDED: &str = "refunded";

/// The word for a status that no refund overrides (`80`, Status words).
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Created | Status::Pending => "pending",
        Status::Processing => "processing",
        Status::Paid => "paid",
        Status::Expired | Status::Failed => "expired",
        Status::Underpaid => "underpaid",
        Status::Cancelled => "cancelled",
    }
}

fn order_status(charge: &ChargeView) -> &'static str {
    match charge.resolution {
        Resolution::Refunded => REFUNDED,
        Resolution::None | Resolution::Accepted | Resolution::Requoted | Resolution::Credited => {
            status_word(charge.status)
        }
    }
}

/// Charges that a `status` parameter asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusFilter {
    /// Empty = every status.
    pub statuses: Vec<Status>,
    pub resolution: Option<Resolution>,
}

impl StatusFilter {
    pub fn read(query: &Query, problems: &mut Problems) -> Self {
        let Some(word) = query.one("status", problems) else {
            return Self::default();
        };
        if !STATUS_WORDS.contains(&word) {
            problems.add(
                "status",
                format!("must be one of {}", STATUS_WORDS.join(", ")),
            );
            return Self::default();
        }
        if word == REFUNDED {
            return Self {
                statuses: Vec::new(),
                resolution: Some(Resolution::Refunded),
            };
        }
        let means = |status: &Status| status_word(*status) == word;
        Self {
            statuses: Status::ALL.into_iter().filter(means).collect(),
            resolution: None,
        }
    }
}

/// 201 for a new wallet, 200 for one that was there.
pub fn wallet_answer(wallet: &WalletView, created: bool) -> (u16, Vec<u8>) {
    let body = Wallet {
        id: wallet.id,
        user_id: wallet.user_id,
        currency: wallet.currency.code.to_string(),
        r#type: wallet.wallet_type.word(),
        balance: wallet.available.truncated(),
    };
    (if created { 201 } else { 200 }, json(&body))
}

pub fn created_answer(gateway: &Gateway, charge: &ChargeView) -> (u16, Vec<u8>) {
    let body = CreatedOrder {
        public_order_id: charge.public_id.clone(),
        status: order_status(charge),
        checkout_url: gateway.checkout_url(&charge.public_id),
    };
    (201, json(&body))
}

pub fn order_answer(gateway: &Gateway, charge: &ChargeView) -> (u16, Vec<u8>) {
    (200, json(&order(gateway, charge)))
}

pub fn order(gateway: &Gateway, charge: &ChargeView) -> Order {
    Order {
        public_order_id: charge.public_id.clone(),
        status: order_status(charge),
        flags: charge.flags.words(),
        resolution: charge.resolution.word(),
        amount: charge.amount.truncated(),
        currency: charge.amount.currency().code.to_string(),
        amount_received: charge.received_value.truncated(),
        amount_due: charge.due_value.truncated(),
        payment: charge.payment.as_ref().map(payment),
        // What was dropped never was money. What was reversed was, and says that it is no more.
        receipts: charge
            .receipts
            .iter()
            .filter(|receipt| receipt.state != ReceiptState::Dropped)
            .map(receipt)
            .collect(),
        checkout_url: gateway.checkout_url(&charge.public_id),
        created_at: rfc3339(charge.created_at),
        metadata: charge.metadata.clone(),
    }
}

fn payment(payment: &PaymentView) -> Payment {
    Payment {
        method: payment.coin.code.to_string(),
        currency: payment.coin.code.to_string(),
        amount: payment.due.truncated(),
        address: payment.address.clone(),
        tag: None,
        uri: payment.uri.clone(),
        rate: payment.price.normalize().to_string(),
        fixed_at: rfc3339(payment.fixed_at),
        release_at: rfc3339(payment.release_at),
        reference: None,
    }
}

fn receipt(receipt: &ReceiptRecord) -> Receipt {
    Receipt {
        txid: receipt.txid.clone(),
        currency: receipt.amount.currency().code.to_string(),
        amount: receipt.amount.truncated(),
        confirmations: receipt.confirmations,
        r#final: receipt.state == ReceiptState::Final,
        at: rfc3339(receipt.first_seen_at),
    }
}

pub fn timeline_entry(entry: gateway::charges::TimelineEntry) -> TimelineEntry {
    TimelineEntry {
        at: rfc3339(entry.at),
        kind: entry.kind,
        data: entry.data,
    }
}

/// These bodies have text keys only, so writing them cannot fail.
fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, statuses: &[Status], resolution: Option<Resolution>) {
        let mut problems = Problems::default();
        let uri = format!("/x{query}").parse().unwrap();
        let filter = StatusFilter::read(&Query::of(&uri), &mut problems);
        assert_eq!(
            filter,
            StatusFilter {
                statuses: statuses.to_vec(),
                resolution
            },
            "{query}"
        );
        assert!(problems.is_empty(), "{query}");
    }

    #[test]
    fn a_word_stands_for_every_status_it_shows() {
        check("", &[], None);
        check("?status=pending", &[Status::Created, Status::Pending], None);
        check("?status=expired", &[Status::Expired, Status::Failed], None);
        check("?status=paid", &[Status::Paid], None);
        check("?status=refunded", &[], Some(Resolution::Refunded));
    }

    #[test]
    fn every_status_has_a_word_of_the_contract() {
        for status in Status::ALL {
            assert!(STATUS_WORDS.contains(&status_word(status)), "{status:?}");
        }
    }

    #[test]
    fn another_word_is_a_problem() {
        for word in ["created", "Paid", "failed", ""] {
            let mut problems = Problems::default();
            let uri = format!("/x?status={word}").parse().unwrap();
            StatusFilter::read(&Query::of(&uri), &mut problems);
            assert!(!problems.is_empty(), "{word}");
        }
    }
}
