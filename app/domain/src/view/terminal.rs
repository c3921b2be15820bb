//! What the payment terminal shows (`30-processing-api.md`, Payment terminal; ux §1.17).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{AmountText, Brand};

/// How far one payment has come; the words of the status pill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalState {
    Seen,
    Confirming,
    Confirmed,
    Cancelled,
}

impl TerminalState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Confirming => "confirming",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One payment to the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalPayment {
    pub amount: AmountText,
    pub state: TerminalState,
    pub confirmations: u32,
    pub confirmations_required: u32,
    pub at: OffsetDateTime,
    pub txid: String,
}

/// What changes while the page is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalStatus {
    /// What is said when it changes.
    pub sentence: String,
    /// Newest first.
    pub payments: Vec<TerminalPayment>,
}

impl TerminalStatus {
    /// The newest payment speaks for the page. `since` is when this visit can have begun: an address
    /// is used again and again, and a payment of last week is not this one.
    pub fn of(payments: Vec<TerminalPayment>, since: OffsetDateTime) -> Self {
        let newest = payments.first().filter(|payment| payment.at >= since);
        let sentence = match newest {
            None => "Waiting for your payment.".to_owned(),
            Some(payment) => match payment.state {
                TerminalState::Seen => {
                    format!(
                        "Payment seen: {}. Waiting for confirmation.",
                        payment.amount
                    )
                }
                TerminalState::Confirming => format!(
                    "Payment of {}: {} of {} confirmations.",
                    payment.amount, payment.confirmations, payment.confirmations_required
                ),
                TerminalState::Confirmed => format!("Paid: {}. Thank you.", payment.amount),
                TerminalState::Cancelled => {
                    "This payment was replaced or cancelled. It is safe to pay again.".to_owned()
                }
            },
        };
        Self { sentence, payments }
    }
}

/// The whole page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalView {
    pub brand: Brand,
    pub test_mode: bool,
    pub coin: String,
    pub coin_name: String,
    pub network: String,
    /// What the merchant gets, when it is exchanged on arrival.
    pub convert_to: Option<String>,
    /// `None`: any amount.
    pub amount: Option<AmountText>,
    /// About what the merchant gets for it.
    pub approximately: Option<AmountText>,
    /// `1 BTC ≈ 50000 EUR`
    pub rate: Option<String>,
    pub minimum: AmountText,
    pub address: String,
    pub uri: Option<String>,
    pub qr_text: String,
    pub status: TerminalStatus,
    /// Where the payer came from.
    pub back: Option<String>,
    pub self_url: String,
    pub status_url: String,
    pub events_url: String,
    pub framed: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use time::Duration;

    fn payment(state: TerminalState) -> TerminalPayment {
        TerminalPayment {
            amount: AmountText {
                amount: "0.5".to_owned(),
                code: "BTC".to_owned(),
            },
            state,
            confirmations: 1,
            confirmations_required: 2,
            at: OffsetDateTime::UNIX_EPOCH + Duration::hours(2),
            txid: "ab".to_owned(),
        }
    }

    #[test]
    fn the_newest_payment_speaks_unless_it_is_of_another_visit() {
        let since = OffsetDateTime::UNIX_EPOCH + Duration::hours(1);
        let said = |payments, since| TerminalStatus::of(payments, since).sentence;
        assert_eq!(said(vec![], since), "Waiting for your payment.");
        for (state, sentence) in [
            (
                TerminalState::Seen,
                "Payment seen: 0.5 BTC. Waiting for confirmation.",
            ),
            (
                TerminalState::Confirming,
                "Payment of 0.5 BTC: 1 of 2 confirmations.",
            ),
            (TerminalState::Confirmed, "Paid: 0.5 BTC. Thank you."),
            (
                TerminalState::Cancelled,
                "This payment was replaced or cancelled. It is safe to pay again.",
            ),
        ] {
            let payments = vec![payment(state), payment(TerminalState::Confirmed)];
            assert_eq!(said(payments.clone(), since), sentence);
            let later = since + Duration::hours(2);
            assert_eq!(said(payments, later), "Waiting for your payment.");
        }
    }
}
