use bitcoin::Psbt;
use domain::money::{Currency, Money};
use signing::Plan;

use crate::chain::base_units;
use crate::{Error, Gateway, Result};

/// Where a transaction of a payout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TxState {
    /// Planned and stored; nobody has signed it as far as we know.
    Drafted,
    /// Its bytes are stored; the network may know it or not.
    Signed,
    /// The network has accepted it.
    Broadcast,
    /// In the chain, deep enough.
    Confirmed,
    /// Another one of the same payout is sent instead, or is in the chain.
    Replaced,
    /// Never to be sent: nobody signed it, or other transactions took its coins for good.
    Dropped,
}

impl TxState {
    pub(crate) const ALL: [Self; 6] = [
        Self::Drafted,
        Self::Signed,
        Self::Broadcast,
        Self::Confirmed,
        Self::Replaced,
        Self::Dropped,
    ];

    /// Stored word; part of the schema.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Signed => "signed",
            Self::Broadcast => "broadcast",
            Self::Confirmed => "confirmed",
            Self::Replaced => "replaced",
            Self::Dropped => "dropped",
        }
    }

    pub(crate) fn from_word(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or_else(|| Error::Internal(format!("payout state {word}")))
    }
}

/// One transaction of a payout as stored.
#[derive(Debug, Clone)]
pub(super) struct TxRow {
    pub(super) id: i64,
    pub(super) payout_id: i64,
    pub(super) coin: Currency,
    pub(super) state: TxState,
    pub(super) plan: Plan,
    pub(super) psbt: Vec<u8>,
    pub(super) txid: String,
    pub(super) raw: Option<Vec<u8>>,
    pub(super) vsize: Option<u64>,
    /// A person took the file, and may have signed it since.
    pub(super) is_downloaded: bool,
}

impl TxRow {
    pub(super) fn psbt(&self) -> Result<Psbt> {
        Psbt::deserialize(&self.psbt).map_err(Error::internal)
    }

    pub(super) fn references(&self) -> Vec<String> {
        let payments = self.plan.payments();
        payments.into_iter().map(|paid| paid.reference).collect()
    }
}

/// A withdrawal that rides in a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rider {
    pub(super) operation_id: i64,
    pub(super) claim_id: Option<i64>,
}

/// Satoshi as money of the coin.
pub(super) fn money(gateway: &Gateway, coin: Currency, satoshi: u64) -> Result<Money> {
    let digits = base_units::digits(gateway.chains().of(coin)?.params);
    base_units::to_ledger(coin, digits, u128::from(satoshi))
        .map(|units| Money::from_units(units, coin))
        .ok_or_else(|| Error::Internal(format!("{satoshi} satoshi are no amount of {}", coin.code)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for state in TxState::ALL {
            assert_eq!(TxState::from_word(state.word()).unwrap(), state);
        }
        assert!(TxState::from_word("sent").is_err());
    }
}
