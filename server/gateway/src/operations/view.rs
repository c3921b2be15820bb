use serde::{Deserialize, Serialize};

/// What an operation is; the words of the Processing API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    Deposit,
    DepositExchange,
    Withdrawal,
    WithdrawalExchange,
    Exchange,
    /// Money that goes back to a payer out of suspense; no dialect has a word for it.
    Refund,
}

/// Where an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// A deposit that is not final.
    NotConfirmed,
    Processing,
    /// A person has to approve.
    Pending,
    /// Final.
    Confirmed,
    /// Final.
    Cancelled,
}

/// What a fee is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeKind {
    Deposit,
    Exchange,
    Mining,
    Withdrawal,
    Transfer,
}

/// Over what a part of an operation moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    Blockchain,
    /// Between two accounts of this instance.
    Internal,
    Exchange,
}

macro_rules! words {
    ($type:ident, $count:literal, $($variant:ident => $word:literal),+ $(,)?) => {
        impl $type {
            pub const ALL: [Self; $count] = [$(Self::$variant),+];

            /// Stored and shown word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|each| each.word() == word)
            }
        }
    };
}

words!(OperationKind, 6,
    Deposit => "deposit", DepositExchange => "deposit_exchange",
    Withdrawal => "withdrawal", WithdrawalExchange => "withdrawal_exchange",
    Exchange => "exchange", Refund => "refund",
);
words!(OperationStatus, 5,
    NotConfirmed => "not_confirmed", Processing => "processing", Pending => "pending",
    Confirmed => "confirmed", Cancelled => "cancelled",
);
words!(FeeKind, 5,
    Deposit => "deposit", Exchange => "exchange", Mining => "mining",
    Withdrawal => "withdrawal", Transfer => "transfer",
);
words!(TransactionKind, 3,
    Blockchain => "blockchain", Internal => "internal", Exchange => "exchange",
);

/// One operation as every dialect and page shows it; also the payload of its events. Amounts are
/// exact text with every ledger digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationView {
    pub id: i64,
    pub merchant_id: i64,
    pub kind: OperationKind,
    pub status: OperationStatus,
    pub foreign_id: Option<String>,
    /// A deposit's address, or where a withdrawal goes.
    pub address: Option<OperationAddress>,
    /// What was given: the coins of a deposit, all that a withdrawal holds, what is exchanged.
    pub sent: AmountView,
    /// Before fees; `None` until it is known.
    pub received: Option<AmountView>,
    /// What the wallet gained.
    pub received_net: Option<String>,
    /// Of what is or will be received.
    #[serde(default)]
    pub received_currency: String,
    /// What a deposit that waits for its confirmations was worth when it was first seen.
    #[serde(default)]
    pub expected: Option<ExpectedView>,
    /// What was asked for, in the sending currency, without fees on top.
    pub requested_amount: String,
    pub price: Option<String>,
    pub fees: Vec<FeeView>,
    /// Oldest first.
    pub transactions: Vec<TransactionView>,
    pub futures_id: Option<i64>,
    pub error: Option<String>,
    pub needs_attention: bool,
    /// Unix seconds, instance clock.
    pub created_at: i64,
    pub updated_at: i64,
    pub finished_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmountView {
    pub currency: String,
    pub amount: String,
}

/// An estimate in the currency that is received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedView {
    /// Before the fee.
    pub amount: String,
    pub net: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationAddress {
    /// Of a deposit address.
    pub id: Option<i64>,
    pub currency: String,
    pub convert_to: Option<String>,
    pub address: String,
    pub tag: Option<String>,
    pub foreign_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeView {
    pub kind: FeeKind,
    pub currency: String,
    pub amount: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionView {
    pub id: i64,
    pub kind: TransactionKind,
    /// `deposit`, `withdrawal` or `exchange`.
    pub direction: String,
    pub currency: String,
    pub currency_to: Option<String>,
    pub amount: String,
    pub amount_to: Option<String>,
    pub address: Option<String>,
    pub tag: Option<String>,
    pub txid: Option<String>,
    pub confirmations: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_are_what_is_written_as_json() {
        for kind in OperationKind::ALL {
            assert_eq!(OperationKind::from_word(kind.word()), Some(kind));
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.word().into()));
        }
        for status in OperationStatus::ALL {
            assert_eq!(OperationStatus::from_word(status.word()), Some(status));
            assert_eq!(
                serde_json::to_value(status).ok(),
                Some(status.word().into())
            );
        }
        for kind in FeeKind::ALL {
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.word().into()));
        }
        for kind in TransactionKind::ALL {
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.word().into()));
        }
    }
}
