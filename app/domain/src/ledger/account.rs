use crate::money::CurrencyId;

/// Row id of an account; a wallet's public id is its account's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub i64);

/// Merchant id of the house's own accounts.
pub const HOUSE: i64 = 0;

/// What an account stands for (`00-domain.md`, Ledger).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// A merchant's spendable balance.
    Wallet,
    /// Coins held on chain.
    ChainHoldings,
    /// Money held at banks.
    BankHoldings,
    /// Fee income.
    Fees,
    /// Network fees paid.
    NetworkFees,
    /// Our side of an exchange.
    Liquidity,
    /// Remainders of roundings.
    Rounding,
    /// Money that came but belongs to no wallet yet.
    Suspense,
    /// Debt of a merchant to the house.
    Receivable,
    /// What the house put in of its own, less what it took out; below zero when that was more.
    OwnFunds,
    /// Opening balances of the demo set; exists in test mode only.
    TestFunding,
}

impl AccountKind {
    pub const ALL: [Self; 11] = [
        Self::Wallet,
        Self::ChainHoldings,
        Self::BankHoldings,
        Self::Fees,
        Self::NetworkFees,
        Self::Liquidity,
        Self::Rounding,
        Self::Suspense,
        Self::Receivable,
        Self::OwnFunds,
        Self::TestFunding,
    ];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::ChainHoldings => "chain_holdings",
            Self::BankHoldings => "bank_holdings",
            Self::Fees => "fees",
            Self::NetworkFees => "network_fees",
            Self::Liquidity => "liquidity",
            Self::Rounding => "rounding",
            Self::Suspense => "suspense",
            Self::Receivable => "receivable",
            Self::OwnFunds => "own_funds",
            Self::TestFunding => "test_funding",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Names at most one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountKey {
    /// [`HOUSE`] for house accounts.
    pub merchant: i64,
    pub currency: CurrencyId,
    pub kind: AccountKind,
    /// The merchant's own customer number; 0 = the merchant's primary wallet.
    pub user_id: i64,
}

/// PREPAID spends what it has; POSTPAID may go below zero down to its credit limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletType {
    Prepaid,
    Postpaid,
}

impl WalletType {
    pub fn word(self) -> &'static str {
        match self {
            Self::Prepaid => "PREPAID",
            Self::Postpaid => "POSTPAID",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Prepaid, Self::Postpaid]
            .into_iter()
            .find(|kind| kind.word() == word)
    }

    /// Lowest available balance; `credit_limit` in ledger units.
    pub fn floor(self, credit_limit: i128) -> i128 {
        match self {
            Self::Prepaid => 0,
            Self::Postpaid => -credit_limit,
        }
    }
}

/// The figures of an account that a posting reads and changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    pub id: AccountId,
    pub currency: CurrencyId,
    /// Σ credits − Σ debits, ledger units.
    pub posted: i128,
    /// Part of `posted` under open holds; never negative.
    pub held: i128,
    /// Lowest value of `posted − held`; `None` = unbounded house account.
    pub floor: Option<i128>,
    /// Number of lines so far, gapless from 1.
    pub version: i64,
}

impl AccountState {
    /// Spendable now.
    pub fn available(&self) -> i128 {
        self.posted - self.held
    }
}
