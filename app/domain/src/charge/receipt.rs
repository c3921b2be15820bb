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

    /// What a payment is now that its transaction stands like this.
    #[must_use]
    pub fn follow(self, position: Position) -> Self {
        match self {
            Self::Seen | Self::Dropped | Self::Reversed if position.is_deep() => Self::Final,
            Self::Seen if position.gone => Self::Dropped,
            Self::Dropped if !position.gone => Self::Seen,
            Self::Final if position.is_lost() => Self::Reversed,
            same => same,
        }
    }
}

/// Where the transaction of a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// In a block of the best chain.
    pub confirmed: bool,
    /// Replaced or dropped: neither in a block nor waiting for one.
    pub gone: bool,
    /// Blocks from its own to the tip, both counted; 0 outside a block.
    pub confirmations: u32,
    /// Blocks it needs; 0 = being announced is enough (`00-domain.md`, Receipts).
    pub required: u32,
    /// Nothing more is to come that may hold it: not in the middle of a reorganisation.
    pub at_tip: bool,
}

impl Position {
    fn is_deep(self) -> bool {
        match self.required {
            0 => !self.gone,
            required => self.confirmed && self.confirmations >= required,
        }
    }

    fn is_lost(self) -> bool {
        self.at_tip
            && match self.required {
                0 => self.gone,
                _ => !self.confirmed,
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

#[cfg(test)]
mod tests {
    use super::ReceiptState::{Dropped, Final, Reversed, Seen};
    use super::*;

    /// States from Seen, Final, Dropped and Reversed, when the transaction stands like this.
    #[track_caller]
    fn check(position: Position, expected: [ReceiptState; 4]) {
        assert_eq!(
            ReceiptState::ALL.map(|state| state.follow(position)),
            expected,
            "{position:?}"
        );
    }

    fn waiting(required: u32) -> Position {
        Position {
            confirmed: false,
            gone: false,
            confirmations: 0,
            required,
            at_tip: true,
        }
    }

    fn in_block(confirmations: u32, required: u32) -> Position {
        Position {
            confirmed: true,
            confirmations,
            ..waiting(required)
        }
    }

    fn gone(required: u32) -> Position {
        Position {
            gone: true,
            ..waiting(required)
        }
    }

    #[test]
    fn blocks_make_a_payment_final_and_a_reorganisation_takes_it_back() {
        check(in_block(1, 2), [Seen, Final, Seen, Reversed]);
        check(in_block(2, 2), [Final, Final, Final, Final]);
        check(waiting(2), [Seen, Reversed, Seen, Reversed]);
        check(gone(2), [Dropped, Reversed, Dropped, Reversed]);
    }

    #[test]
    fn in_the_middle_of_a_reorganisation_nothing_is_lost() {
        for position in [waiting(1), gone(1), gone(0)] {
            let position = Position {
                at_tip: false,
                ..position
            };
            assert_eq!(Final.follow(position), Final, "{position:?}");
        }
    }

    #[test]
    fn without_blocks_to_wait_for_being_announced_is_enough() {
        check(waiting(0), [Final, Final, Final, Final]);
        check(in_block(1, 0), [Final, Final, Final, Final]);
        check(gone(0), [Dropped, Reversed, Dropped, Reversed]);
    }
}
