//! Outputs that exist and cannot be spent yet: block rewards, and payments out of Litecoin's
//! extension block.
//!
//! They are left out of their own block and reported in the one with which they become spendable.
//! So a deposit made of them is credited late, but what is credited can be spent; and as no rule
//! here needs a memory, blocks read again tell the same.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::reading::{ReadTx, TxKind};
use crate::chain::backend::ChainTx;

/// Blocks whose held back transactions are remembered: more than any has to wait for.
const REMEMBERED_MAX: usize = 128;

/// A block's transactions that wait, each with what it waits for.
pub(super) type Held = Arc<[ReadTx]>;

/// Splits a block's transactions into those reported with it and those held back.
///
/// What a held back one spends is reported at once: that may decide what becomes of another.
pub(super) fn split(txs: Vec<ReadTx>) -> (Vec<ChainTx>, Held) {
    let (mut reported, mut held) = (Vec::with_capacity(txs.len()), Vec::new());
    for read in txs {
        if read.kind.blocks_to_spend() == 1 {
            reported.push(read.tx);
            continue;
        }
        if !read.tx.inputs.is_empty() {
            reported.push(ChainTx {
                txid: read.tx.txid.clone(),
                inputs: read.tx.inputs.clone(),
                outputs: Vec::new(),
            });
        }
        if !read.tx.outputs.is_empty() {
            held.push(read);
        }
    }
    (reported, held.into())
}

/// The height of the block whose `kind` becomes spendable with the block at `height`.
pub(super) fn waited_since(kind: TxKind, height: i64) -> Option<i64> {
    Some(height - (kind.blocks_to_spend() - 1)).filter(|since| *since >= 0)
}

/// What the blocks read last held back, by their hashes. Forgetting costs reading a block again.
#[derive(Debug, Default)]
pub(super) struct Memory {
    held: HashMap<String, Held>,
    oldest_first: VecDeque<String>,
}

impl Memory {
    pub fn get(&self, hash: &str) -> Option<Held> {
        self.held.get(hash).cloned()
    }

    pub fn insert(&mut self, hash: String, held: Held) {
        if self.held.insert(hash.clone(), held).is_none() {
            self.oldest_first.push_back(hash);
        }
        if self.oldest_first.len() > REMEMBERED_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.held.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::backend::{ChainOutput, OutPoint};

    fn read(txid: &str, kind: TxKind) -> ReadTx {
        let inputs = match kind {
            TxKind::Coinbase => Vec::new(),
            _ => vec![OutPoint {
                txid: format!("before {txid}"),
                vout: 0,
            }],
        };
        let outputs = vec![ChainOutput {
            vout: 0,
            address: "somewhere".into(),
            raw: 5,
        }];
        ReadTx {
            tx: ChainTx {
                txid: txid.into(),
                inputs,
                outputs,
            },
            kind,
        }
    }

    #[test]
    fn outputs_that_wait_are_held_back_and_inputs_are_not() {
        let coinbase = read("c", TxKind::Coinbase);
        let payment = read("p", TxKind::Payment);
        let peg_out = read("o", TxKind::PegOut);
        let (reported, held) = split(vec![coinbase.clone(), payment.clone(), peg_out.clone()]);
        let inputs_only = ChainTx {
            outputs: Vec::new(),
            ..peg_out.tx.clone()
        };
        assert_eq!(reported, [payment.tx, inputs_only]);
        assert_eq!(*held, [coinbase, peg_out]);
    }

    /// A reward of block 1 can be spent in block 101, so it is reported with block 100.
    #[test]
    fn they_are_due_in_the_block_before_the_first_that_may_spend_them() {
        assert_eq!(waited_since(TxKind::Coinbase, 100), Some(1));
        assert_eq!(waited_since(TxKind::Coinbase, 99), Some(0));
        assert_eq!(waited_since(TxKind::Coinbase, 98), None);
        assert_eq!(waited_since(TxKind::PegOut, 6), Some(1));
        assert_eq!(waited_since(TxKind::PegOut, 4), None);
    }

    #[test]
    fn the_blocks_read_last_are_remembered() {
        let mut memory = Memory::default();
        for block in 0..=REMEMBERED_MAX {
            memory.insert(block.to_string(), [].into());
            memory.insert(block.to_string(), [].into());
        }
        assert!(memory.get("0").is_none());
        assert!(memory.get("1").is_some());
        assert!(memory.get(&REMEMBERED_MAX.to_string()).is_some());
    }
}
