//! A block as it was read, whatever form its node writes: what the two readers have in common.

use crate::chain::backend::ChainTx;

/// What the first block names as its parent: nodes write nothing there.
pub(super) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A block of which everything but its height was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadBlock {
    pub prev_hash: String,
    pub txs: Vec<ReadTx>,
}

/// A transaction with what its place in the block says about its outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadTx {
    pub tx: ChainTx,
    pub kind: TxKind,
}

/// Where a transaction's coins come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TxKind {
    /// From outputs of earlier transactions.
    Payment,
    /// From nowhere: the reward of whoever made the block.
    Coinbase,
    /// From Litecoin's extension block: the last transaction of a block, which pays what leaves it.
    PegOut,
}

impl TxKind {
    /// How many blocks, the transaction's own included, its outputs need before they can be spent
    /// (`COINBASE_MATURITY` of Bitcoin, `PEGOUT_MATURITY` of Litecoin).
    pub const fn blocks_to_spend(self) -> i64 {
        match self {
            Self::Payment => 1,
            Self::Coinbase => 100,
            Self::PegOut => 6,
        }
    }
}

/// What a node wrote cannot be what we asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct ReadError(pub String);

impl ReadError {
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}
