use time::OffsetDateTime;

use crate::money::CurrencyId;

/// Where one received payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiptState {
    /// Announced, or in a block that is not deep enough yet.
    Seen,
    /// Deep enough; booked.
    Final,
    /// Replaced, double-spent or gone; never was final.
    Dropped,
    /// Was final, then a reorganisation removed it; booked back.
    Reversed,
}

impl ReceiptState {
    pub const ALL: [Self; 4] = [Self::Seen, Self::Final, Self::Dropped, Self::Reversed];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Final => "final",
            Self::Dropped => "dropped",
            Self::Reversed => "reversed",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Still counts as money.
    pub fn is_live(self) -> bool {
        match self {
            Self::Seen | Self::Final => true,
            Self::Dropped | Self::Reversed => false,
        }
    }
}

/// What the rule needs to know of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub coin: CurrencyId,
    /// Ledger units of the coin.
    pub amount: i128,
    pub state: ReceiptState,
    /// First seen, instance clock.
    pub seen_at: OffsetDateTime,
}

/// Confirmations a receipt needs: `small` below the band's limit, `large` from it on
/// (`00-domain.md`, Receipts; `80`, Charges).
///
/// `value` and `limit` are in ledger units of the same currency; an unknown value counts as large.
pub fn confirmations_for(value: Option<i128>, limit: i128, small: u32, large: u32) -> u32 {
    match value {
        Some(value) if value < limit => small,
        _ => large,
    }
}
