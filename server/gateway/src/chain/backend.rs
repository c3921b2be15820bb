//! The one interface between a chain and everything else.
//!
//! Invariant: a backend reports what its node says and keeps nothing of ours; the follower and its
//! tables are the same for every chain. Heights count from 0. Addresses are in the canonical form
//! of [`super::address`], so they compare as text.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::payouts::Wallet;
use crate::treasury::Treasury;

/// A block, by what links it to its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockRef {
    pub hash: String,
    pub height: i64,
    pub prev_hash: String,
}

/// An output of an earlier transaction. On account chains it stands for sender and nonce: two
/// transactions with the same one exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OutPoint {
    pub txid: String,
    pub vout: i32,
}

/// A payment to an address. Outputs without an address are left out by the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainOutput {
    /// Position in the transaction; for a token, its place among the transfers of the transaction.
    /// The same wherever the transaction gets into a block.
    pub vout: i32,
    pub address: String,
    /// Base units: satoshi, wei, token units. More than the type holds is reported as its maximum.
    pub raw: u128,
}

/// A transaction, without what nobody here needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainTx {
    pub txid: String,
    pub inputs: Vec<OutPoint>,
    pub outputs: Vec<ChainOutput>,
}

/// A block with its transactions, in the block's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainBlock {
    pub reference: BlockRef,
    pub txs: Vec<ChainTx>,
}

/// What an address has, as a node finds it without asking us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub address: String,
    /// The output, where coins are outputs.
    pub place: Option<OutPoint>,
    /// Base units, above 0.
    pub raw: u128,
    /// It may be too young to be spent; the follower is told of such coins later.
    pub may_be_immature: bool,
}

/// What addresses have in the chain that ends with one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    pub hash: String,
    pub height: i64,
    pub held: Vec<Held>,
}

/// A node of one chain. Every call may fail; the follower then stops and tries again later.
#[async_trait]
pub trait ChainBackend: Send + Sync {
    /// The best block.
    async fn tip(&self) -> Result<BlockRef>;

    /// The block of the best chain at `height`; `None` above the tip.
    async fn block_at(&self, height: i64) -> Result<Option<BlockRef>>;

    /// A block the node named before.
    async fn block(&self, hash: &str) -> Result<ChainBlock>;

    /// Ids of the unconfirmed transactions, all at one instant.
    async fn mempool(&self) -> Result<Vec<String>>;

    /// A transaction of the mempool; `None` when it is there no more.
    async fn tx(&self, txid: &str) -> Result<Option<ChainTx>>;

    /// Several transactions of the mempool; those that left it are missing.
    async fn txs(&self, txids: &[String]) -> Result<Vec<ChainTx>> {
        let mut found = Vec::with_capacity(txids.len());
        for txid in txids {
            found.extend(self.tx(txid).await?);
        }
        Ok(found)
    }

    /// Returns when the tip is no longer `after`, or something else may have happened, at the
    /// latest after `max`.
    async fn wait(&self, after: &BlockRef, max: Duration) -> Result<()>;

    /// Gives the network a signed transaction. The same bytes again change nothing.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when the network refuses it, because what it
    /// spends is spent; whatever else kept it from being told.
    async fn broadcast(&self, raw: &[u8]) -> Result<()>;

    /// What the addresses have at the node's best block, apart from all this instance was told before.
    ///
    /// Costs a node much: of the Bitcoin family it reads every unspent output there is.
    async fn holdings(&self, addresses: &[String]) -> Result<Holdings>;

    /// How long a transaction may be missing from the mempool before it counts as dropped: nodes
    /// restart, and their mempools are not equal.
    fn drop_grace(&self) -> time::Duration;
}

/// A transaction that pays, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTx {
    pub txid: String,
    /// What [`ChainBackend::broadcast`] takes; only meant to be stored and sent.
    pub raw: Vec<u8>,
}

/// What only a node of a chain whose coins are outputs is asked, and only when coins are spent.
#[async_trait]
pub trait CoinNode: Send + Sync {
    /// The satoshi for 1 000 virtual bytes with which a transaction is likely mined within `blocks`,
    /// 1 to 1008; `None` while the node has seen too little to say.
    async fn fee_rate(&self, blocks: u16) -> Result<Option<u64>>;

    /// The satoshi for 1 000 virtual bytes that the node wants on top of what a replacement replaces.
    async fn incremental_rate(&self) -> Result<u64>;

    /// The bytes of a transaction in the block `block_hash`; `None` when it is not there.
    async fn transaction(&self, txid: &str, block_hash: &str) -> Result<Option<Vec<u8>>>;
}

/// Who can spend a chain's coins. Apart from [`ChainBackend`], because on real chains the keys are
/// somewhere else.
#[async_trait]
pub trait Payer: Send + Sync {
    /// Makes and signs a transaction that pays `raw` base units to `address`; sends nothing.
    ///
    /// `reference` names what is paid for. A caller that stored no answer may ask again.
    async fn build(&self, reference: &str, address: &str, raw: u128) -> Result<SignedTx>;

    /// Where several payments share a transaction and somebody else signs it, what it is made with;
    /// [`Self::build`] is not asked then.
    fn wallet(&self) -> Option<&Wallet> {
        None
    }

    /// Where payments are numbered, the account that makes them; [`Self::build`] is not asked then.
    fn treasury(&self) -> Option<&Treasury> {
        None
    }
}
