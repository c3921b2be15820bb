//! What the books, the chain tables and a node say about the coins of one chain, and why they differ.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::checkout::Notice;

/// Why two of them differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// In a block and not booked, or booked and not in a block: confirmations are missing.
    Unconfirmed,
    /// Too young to be spent; the follower reports it when it can be.
    Immature,
    /// A transaction of ours is in a block, and its withdrawals are settled when it is deep enough.
    WaitingPayout,
    /// Booked, and the chain took it back: a person has to look, or it is booked back soon.
    Reversed,
    /// The money of a withdrawal was given back, and its transaction got into a block after all.
    PaidTwice,
    /// The simulated chain pays withdrawals without spending what was received.
    PaidElsewhere,
    /// Somebody spent coins of ours past this instance.
    ForeignSpend,
    Unknown,
}

impl Cause {
    pub const ALL: [Self; 8] = [
        Self::Unconfirmed,
        Self::Immature,
        Self::WaitingPayout,
        Self::Reversed,
        Self::PaidTwice,
        Self::PaidElsewhere,
        Self::ForeignSpend,
        Self::Unknown,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Immature => "immature",
            Self::WaitingPayout => "waiting_payout",
            Self::Reversed => "reversed",
            Self::PaidTwice => "paid_twice",
            Self::PaidElsewhere => "paid_elsewhere",
            Self::ForeignSpend => "foreign_spend",
            Self::Unknown => "unknown",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unconfirmed => "waits for confirmations",
            Self::Immature => "too young to be spent",
            Self::WaitingPayout => "payouts in blocks that are not settled yet",
            Self::Reversed => "booked, and not in the chain any more",
            Self::PaidTwice => "given back, and paid by the chain after all",
            Self::PaidElsewhere => "paid by the simulation",
            Self::ForeignSpend => "spent past this instance",
            Self::Unknown => "not explained",
        }
    }

    /// False for what nobody can account for.
    pub const fn is_explained(self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

/// Which two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    /// Chain tables less books.
    TablesAndBooks,
    /// Node less chain tables.
    NodeAndTables,
}

impl Between {
    pub const fn words(self) -> &'static str {
        match self {
            Self::TablesAndBooks => "chain less books",
            Self::NodeAndTables => "node less chain",
        }
    }
}

/// One difference with its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub between: Between,
    pub cause: Cause,
    /// Coins, with a sign.
    pub amount: String,
    /// How many coins, payments or transactions it is about.
    pub count: i64,
    /// The first of them.
    pub examples: Vec<String>,
}

/// One chain's coins, three times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainAuditView {
    /// Currency code.
    pub chain: String,
    /// What the ledger holds on the chain, in coins.
    pub books: String,
    /// Unspent in blocks, by the chain tables.
    pub tables: String,
    /// Of our best block.
    pub height: Option<i64>,
    /// The same by the node itself, at `node_height`.
    pub node: Option<String>,
    pub node_height: Option<i64>,
    /// Why the node was not compared.
    pub problem: Option<String>,
    pub differences: Vec<Difference>,
}

impl ChainAuditView {
    /// Nothing is left that nobody can account for, as far as it was compared.
    pub fn is_explained(&self) -> bool {
        self.differences
            .iter()
            .all(|difference| difference.cause.is_explained())
    }

    /// All three were compared.
    pub fn is_complete(&self) -> bool {
        self.problem.is_none()
    }
}

/// What the page of one chain shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainAuditPage {
    /// Currency code.
    pub code: String,
    /// Somebody compares since then.
    pub begun_at: Option<OffsetDateTime>,
    /// When `found` was found.
    pub checked_at: Option<OffsetDateTime>,
    pub found: Option<ChainAuditView>,
    /// What came to accounts of ours that no payer is given, the latest in front.
    pub own_coins: Vec<OwnCoin>,
    pub notice: Option<Notice>,
}

/// Coins that came to an account of ours, and are the house's own or nobody's yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCoin {
    pub txid: String,
    pub address: String,
    /// Coins.
    pub amount: String,
    /// In words.
    pub state: String,
    /// They can be booked, or booked back.
    pub can_change: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_said_apart() {
        for cause in Cause::ALL {
            assert_eq!(Cause::from_word(cause.word()), Some(cause));
            let same = Cause::ALL
                .iter()
                .filter(|other| other.words() == cause.words());
            assert_eq!(same.count(), 1);
        }
        assert_eq!(Cause::from_word("lost"), None);
    }

    #[test]
    fn one_unknown_difference_is_enough() {
        let difference = |cause| Difference {
            between: Between::TablesAndBooks,
            cause,
            amount: "1".to_owned(),
            count: 1,
            examples: Vec::new(),
        };
        let view = |causes: &[Cause]| ChainAuditView {
            chain: "BTC".to_owned(),
            books: "1".to_owned(),
            tables: "2".to_owned(),
            height: Some(1),
            node: None,
            node_height: None,
            problem: None,
            differences: causes.iter().copied().map(difference).collect(),
        };
        assert!(view(&[]).is_explained());
        assert!(view(&[Cause::Reversed, Cause::ForeignSpend]).is_explained());
        assert!(!view(&[Cause::Reversed, Cause::Unknown]).is_explained());
    }
}
