use domain::charge::ReceiptState;
use domain::money::Money;
use time::OffsetDateTime;

/// What became of a deposit's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Not final yet.
    Open,
    /// In a wallet.
    Credited,
    /// In suspense until somebody decides.
    Suspended,
    /// On its way back, or there.
    Refunded,
}

impl Disposition {
    pub(crate) const ALL: [Self; 4] = [Self::Open, Self::Credited, Self::Suspended, Self::Refunded];

    /// Stored word; part of the schema.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Credited => "credited",
            Self::Suspended => "suspended",
            Self::Refunded => "refunded",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.word() == word)
    }
}

/// A deposit as stored, with where its transaction is.
#[derive(Debug, Clone)]
pub(crate) struct DepositRow {
    pub(crate) operation_id: i64,
    pub(crate) deposit_address_id: i64,
    pub(crate) amount: Money,
    pub(crate) txid: String,
    pub(crate) state: ReceiptState,
    pub(crate) confirmations_required: u32,
    pub(crate) confirmations: u32,
    pub(crate) bookings: i32,
    pub(crate) disposition: Disposition,
    pub(crate) internal_from: Option<i64>,
    pub(crate) first_seen_at: OffsetDateTime,
    pub(crate) final_at: Option<OffsetDateTime>,
    /// In the active chain.
    pub(crate) confirmed: bool,
    /// Replaced or dropped.
    pub(crate) gone: bool,
}

impl DepositRow {
    /// Names one booking of this deposit: how often it was booked makes each a fact of its own.
    pub(crate) fn fact(&self) -> String {
        format!("deposit:{}/{}", self.operation_id, self.bookings)
    }
}
