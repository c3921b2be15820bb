//! What the network takes and forgets, and what its blocks may have.

use bitcoin::hashes::{Hash as _, sha256d};
use bitcoin::{OutPoint, Transaction, TxIn, TxOut};
use gateway::chain::backend::BlockRef;
use gateway::{Error, Result};

use super::{Block, State};

impl State {
    pub(super) fn connect(&mut self, txs: Vec<Transaction>) {
        self.drawn += 1;
        let hash = sha256d::Hash::hash(&self.drawn.to_be_bytes()).to_string();
        let (height, prev_hash) = match self.blocks.last() {
            Some(tip) => (tip.reference.height + 1, tip.reference.hash.clone()),
            None => (0, "0".repeat(64)),
        };
        self.blocks.push(Block {
            reference: BlockRef {
                hash,
                height,
                prev_hash,
            },
            txs,
        });
    }

    pub(super) fn output(&self, coin: &OutPoint) -> Option<&TxOut> {
        let all = self.blocks.iter().flat_map(|block| block.txs.as_slice());
        all.chain(&self.mempool)
            .find(|tx| tx.compute_txid() == coin.txid)
            .and_then(|tx| tx.output.get(usize::try_from(coin.vout).ok()?))
    }

    pub(super) fn fee(&self, tx: &Transaction) -> u64 {
        let spent: u64 = tx
            .input
            .iter()
            .filter_map(|input| self.output(&input.previous_output))
            .map(|output| output.value.to_sat())
            .sum();
        let paid: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
        spent.saturating_sub(paid)
    }

    pub(super) fn accept(&mut self, tx: Transaction) -> Result<()> {
        let same = |known: &Transaction| known.compute_txid() == tx.compute_txid();
        if self.mempool.iter().any(same) || self.mined(same) {
            return Ok(());
        }
        let known = |input: &TxIn| self.output(&input.previous_output).is_some();
        if !tx.input.iter().all(known) || self.mined(|other| conflict(&tx, other)) {
            return Err(Error::Conflict("what it spends is spent"));
        }
        assert!(
            tx.input
                .iter()
                .all(|input| !input.witness.is_empty() || !input.script_sig.is_empty()),
            "an unsigned transaction was broadcast"
        );
        let evicted: u64 = self
            .mempool
            .iter()
            .filter(|waiting| conflict(&tx, waiting))
            .map(|waiting| self.fee(waiting))
            .sum();
        if evicted > 0 && evicted >= self.fee(&tx) {
            return Err(Error::Conflict("insufficient fee"));
        }
        self.mempool.retain(|waiting| !conflict(&tx, waiting));
        self.mempool.push(tx);
        Ok(())
    }

    pub(super) fn mined(&self, is: impl Fn(&Transaction) -> bool) -> bool {
        self.blocks.iter().flat_map(|block| &block.txs).any(is)
    }

    /// Takes out of the mempool what a block may have: all it spends is in blocks, or before it in this one.
    pub(super) fn minable(&mut self) -> Vec<Transaction> {
        let mut taken: Vec<Transaction> = Vec::new();
        let mut left = Vec::new();
        for tx in std::mem::take(&mut self.mempool) {
            let is_there = |input: &TxIn| {
                let made = |other: &Transaction| other.compute_txid() == input.previous_output.txid;
                taken.iter().any(made) || self.mined(made)
            };
            if is_gift(&tx) || tx.input.iter().all(is_there) {
                taken.push(tx);
            } else {
                left.push(tx);
            }
        }
        self.mempool = left;
        taken
    }

    /// Forgets what spends coins that are nowhere any more.
    pub(super) fn evict(&mut self) {
        loop {
            let all = std::mem::take(&mut self.mempool);
            let is_known = |input: &TxIn| {
                let made = |other: &Transaction| other.compute_txid() == input.previous_output.txid;
                all.iter().any(made) || self.mined(made)
            };
            let kept: Vec<Transaction> = all
                .iter()
                .filter(|tx| is_gift(tx) || tx.input.iter().all(is_known))
                .cloned()
                .collect();
            let is_done = kept.len() == all.len();
            self.mempool = kept;
            if is_done {
                return;
            }
        }
    }
}

/// Nobody signed it: it is somebody else's, and made by hand.
pub(super) fn is_gift(tx: &Transaction) -> bool {
    let mut inputs = tx.input.iter();
    inputs.all(|input| input.witness.is_empty() && input.script_sig.is_empty())
}

pub(super) fn conflict(one: &Transaction, other: &Transaction) -> bool {
    one.compute_txid() != other.compute_txid()
        && one.input.iter().any(|input| {
            let mut others = other.input.iter();
            others.any(|spent| spent.previous_output == input.previous_output)
        })
}
