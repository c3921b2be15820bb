//! What the network does: pays, mines, and takes transactions or refuses them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use signing::evm::{Account, Mismatch, Paid, Transaction};

use super::raw::read;
use super::{Block, CHAIN_ID, GWEI, RICH, Tx, World, hash};

impl World {
    pub(super) fn give(&mut self, to: Account, wei: u128, data: Vec<u8>) {
        self.made += 1;
        let nonce = self.sent(RICH, self.blocks.len(), true);
        let plan = Transaction {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: 100_000,
            max_fee_per_gas: 1_000_000 * GWEI,
            max_priority_fee_per_gas: GWEI,
            to,
            value: wei,
            data,
        };
        self.pool.push(Tx {
            hash: hash("gift", self.made),
            from: RICH,
            plan,
            fails: false,
            keeps: 0,
        });
    }

    /// Transactions of an account in the first `blocks`, and in the pool behind them.
    pub(super) fn sent(&self, from: Account, blocks: usize, with_pool: bool) -> u64 {
        let mined = self.blocks[..blocks].iter().flat_map(|block| &block.txs);
        let mut next = mined.filter(|tx| tx.from == from).count() as u64;
        while with_pool
            && self
                .pool
                .iter()
                .any(|tx| tx.from == from && tx.plan.nonce == next)
        {
            next += 1;
        }
        next
    }

    /// Wei and token units after the first `blocks`.
    pub(super) fn balances(
        &self,
        blocks: usize,
    ) -> (BTreeMap<Account, u128>, BTreeMap<Account, u128>) {
        let (mut ether, mut token) = (BTreeMap::new(), BTreeMap::new());
        for (place, to) in [(&mut ether, RICH), (&mut token, RICH)] {
            place.insert(to, u128::MAX / 2);
        }
        for block in &self.blocks[..blocks] {
            for tx in &block.txs {
                *ether.entry(tx.from).or_default() -= cost(tx, block.base);
                match tx.plan.paid() {
                    _ if tx.fails => {}
                    Some(Paid::Ether { to, wei }) => {
                        *ether.entry(tx.from).or_default() -= wei;
                        *ether.entry(to).or_default() += wei;
                    }
                    Some(Paid::Token { to, units, .. }) => {
                        *token.entry(tx.from).or_default() -= units - tx.keeps;
                        *token.entry(to).or_default() += units - tx.keeps;
                    }
                    None => panic!("{tx:?}"),
                }
            }
        }
        (ether, token)
    }

    pub(super) fn empty_block(&mut self) {
        self.made += 1;
        let parent = self.blocks.last().unwrap().hash.clone();
        self.blocks.push(Block {
            hash: hash("block", self.made),
            parent,
            base: self.base,
            txs: Vec::new(),
        });
    }

    pub(super) fn mine(&mut self) {
        self.empty_block();
        loop {
            let blocks = self.blocks.len();
            let (ether, token) = self.balances(blocks);
            let has = |balances: &BTreeMap<Account, u128>, tx: &Tx| {
                balances.get(&tx.from).copied().unwrap_or(0)
            };
            let place = self.pool.iter().position(|tx| {
                tx.plan.nonce == self.sent(tx.from, blocks, false)
                    && tx.plan.max_fee_per_gas >= self.base
                    && has(&ether, tx) >= cost(tx, self.base) + tx.plan.value
            });
            let Some(place) = place else { return };
            let mut tx = self.pool.remove(place);
            let is_short = matches!(
                tx.plan.paid(),
                Some(Paid::Token { units, .. }) if units > has(&token, &tx)
            );
            let is_call = tx.from != RICH && !tx.plan.data.is_empty();
            tx.fails = is_short || (self.fails && is_call);
            tx.keeps = if is_call { self.keeps } else { 0 };
            self.blocks.last_mut().unwrap().txs.push(tx);
        }
    }

    pub(super) fn take(&mut self, raw: &[u8]) -> Result<Value, String> {
        let payer = self.payer.ok_or("nobody pays")?;
        let plan = read(raw).ok_or("typed transaction too short")?;
        // Whoever signed it: deposits are accounts, too.
        let payer = match plan.check_signed(raw, payer) {
            Err(Mismatch::Signer(other)) => other,
            _ => payer,
        };
        let hash = plan
            .check_signed(raw, payer)
            .map_err(|error| format!("invalid sender: {error}"))?;
        if self.is_deaf {
            return Err("the node is busy".to_owned());
        }
        let mined = self.sent(payer, self.blocks.len(), false);
        if self.find(&hash).is_some() {
            return Err("already known".to_owned());
        }
        if plan.nonce < mined {
            return Err(format!("nonce too low: next nonce {mined}"));
        }
        let funds = self.balances(self.blocks.len()).0;
        let needed = plan.fee_max().unwrap() + plan.value;
        if funds.get(&payer).copied().unwrap_or(0) < needed {
            return Err("insufficient funds for gas * price + value".to_owned());
        }
        let rival = self
            .pool
            .iter()
            .position(|tx| tx.from == payer && tx.plan.nonce == plan.nonce);
        if let Some(place) = rival {
            let old = &self.pool[place].plan;
            let is_dearer = |new: u128, old: u128| new * 10 >= old * 11 && new > old;
            if !is_dearer(plan.max_fee_per_gas, old.max_fee_per_gas)
                || !is_dearer(plan.max_priority_fee_per_gas, old.max_priority_fee_per_gas)
            {
                return Err("replacement transaction underpriced".to_owned());
            }
            self.pool.remove(place);
        }
        self.pool.push(Tx {
            hash: hash.clone(),
            from: payer,
            plan,
            fails: false,
            keeps: 0,
        });
        Ok(json!(hash))
    }

    /// A transaction, with its block where it is in one.
    pub(super) fn find(&self, hash: &str) -> Option<(&Tx, Option<usize>)> {
        let mined = self.blocks.iter().enumerate().find_map(|(height, block)| {
            let tx = block.txs.iter().find(|tx| tx.hash == hash)?;
            Some((tx, Some(height)))
        });
        let waiting = || self.pool.iter().find(|tx| tx.hash == hash);
        mined.or_else(|| Some((waiting()?, None)))
    }
}

pub(super) fn gas(tx: &Tx) -> u128 {
    if tx.plan.data.is_empty() {
        21_000
    } else {
        50_000
    }
}

pub(super) fn cost(tx: &Tx, base: u128) -> u128 {
    let price = (base + tx.plan.max_priority_fee_per_gas).min(tx.plan.max_fee_per_gas);
    gas(tx) * price
}
