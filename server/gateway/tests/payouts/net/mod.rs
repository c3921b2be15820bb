//! A Bitcoin network in memory: real transactions, blocks made by hand, and a mempool that lets a higher
//! fee replace a lower one.

mod answers;
mod mempool;

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash as _, sha256d};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, consensus,
};
use gateway::chain::address::{params, parse_address};
use gateway::chain::backend::BlockRef;
use gateway::{Error, Result};
use tokio::sync::{Semaphore, SemaphorePermit};

use self::mempool::{conflict, is_gift};

struct Block {
    reference: BlockRef,
    txs: Vec<Transaction>,
}

struct State {
    blocks: Vec<Block>,
    mempool: Vec<Transaction>,
    /// Makes blocks and coins unlike each other.
    drawn: u32,
    rate: Option<u64>,
    /// What broadcasts are answered with instead of being taken.
    refusal: Option<&'static str>,
    /// How many broadcasts were taken or were known.
    heard: usize,
    /// How many broadcasts there were.
    asked: usize,
    /// Transactions the node does not give away.
    withheld: Vec<Txid>,
    /// The node answers nothing.
    is_away: bool,
    /// Broadcasts are taken, and nobody hears so.
    loses_answers: bool,
}

/// The network and its only node.
pub struct Net(Mutex<State>, Semaphore);

impl Net {
    pub fn new() -> Self {
        let state = State {
            blocks: Vec::new(),
            mempool: Vec::new(),
            drawn: 0,
            rate: Some(2_000),
            refusal: None,
            heard: 0,
            asked: 0,
            withheld: Vec::new(),
            is_away: false,
            loses_answers: false,
        };
        let net = Self(Mutex::new(state), Semaphore::new(1));
        net.mine(1);
        net
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The same for whoever asks the node.
    fn reached(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.is_away {
            return Err(Error::Internal("the node cannot be reached".to_owned()));
        }
        Ok(state)
    }

    /// Pays `satoshi` to an address out of nowhere; it waits for a block.
    pub fn fund(&self, address: &str, satoshi: u64) -> Txid {
        let mut state = self.state();
        state.drawn += 1;
        let source = sha256d::Hash::hash(&state.drawn.to_le_bytes());
        let tx = pay(
            vec![OutPoint::new(Txid::from_raw_hash(source), 0)],
            vec![(script(address), satoshi)],
        );
        let txid = tx.compute_txid();
        state.mempool.push(tx);
        txid
    }

    /// Makes blocks; all of the mempool that a block may have goes into the first.
    pub fn mine(&self, blocks: u32) {
        let mut state = self.state();
        for _ in 0..blocks {
            let txs = state.minable();
            state.connect(txs);
        }
    }

    /// Takes the last blocks back, and their transactions into the mempool, or nowhere; empty blocks come in their
    /// place, and one more. What others pay is never lost: their money is not what is looked at.
    pub fn reorg(&self, depth: usize, keep: bool) {
        let mut state = self.state();
        // The first one stays.
        let left = state.blocks.len() - depth.min(state.blocks.len() - 1);
        let undone = state.blocks.split_off(left);
        let empty = undone.len() + 1;
        let txs = undone.into_iter().flat_map(|block| block.txs);
        let back: Vec<Transaction> = txs.filter(|tx| keep || is_gift(tx)).collect();
        let waiting = std::mem::take(&mut state.mempool);
        // In their order: what is spent comes before what spends it.
        state.mempool = back.into_iter().chain(waiting).collect();
        state.evict();
        for _ in 0..empty {
            state.connect(Vec::new());
        }
    }

    /// Makes a block of these transactions alone; what conflicts with them is forgotten.
    pub fn mine_raw(&self, raws: &[Vec<u8>]) {
        let txs: Vec<Transaction> = raws
            .iter()
            .map(|raw| consensus::deserialize(raw).unwrap())
            .collect();
        let mut state = self.state();
        state.mempool.retain(|waiting| {
            txs.iter()
                .all(|tx| tx.compute_txid() != waiting.compute_txid() && !conflict(tx, waiting))
        });
        state.connect(txs);
    }

    /// Forgets the last block and its transactions; the next ones have to be made by hand.
    pub fn lose_tip(&self) -> Vec<Transaction> {
        self.state().blocks.pop().unwrap().txs
    }

    /// Somebody else's transaction takes a coin, and is in the mempool.
    pub fn steal(&self, coin: OutPoint) -> Txid {
        self.take(coin, vec![(ScriptBuf::from_bytes(vec![0x51]), 1_000)])
    }

    /// The same, with what it pays to whom; the rest is its fee. The same again is the same transaction.
    pub fn take(&self, coin: OutPoint, payments: Vec<(ScriptBuf, u64)>) -> Txid {
        let tx = pay(vec![coin], payments);
        let mut state = self.state();
        state.mempool.retain(|waiting| !conflict(&tx, waiting));
        state.mempool.push(tx.clone());
        tx.compute_txid()
    }

    pub fn forget(&self, txid: &str) {
        let gone = |tx: &Transaction| tx.compute_txid().to_string() == txid;
        self.state().mempool.retain(|tx| !gone(tx));
    }

    pub fn mempool_txs(&self) -> Vec<Transaction> {
        self.state().mempool.clone()
    }

    /// Whether a block may have it: everything it spends is in blocks, and spent by nobody there.
    pub fn is_minable(&self, raw: &[u8]) -> bool {
        let tx: Transaction = consensus::deserialize(raw).unwrap();
        let state = self.state();
        let has =
            |input: &TxIn| state.mined(|other| other.compute_txid() == input.previous_output.txid);
        tx.input.iter().all(has)
            && !state
                .mined(|other| other.compute_txid() == tx.compute_txid() || conflict(&tx, other))
    }

    pub fn set_rate(&self, rate: Option<u64>) {
        self.state().rate = rate;
    }

    pub fn refuse(&self, refusal: Option<&'static str>) {
        self.state().refusal = refusal;
    }

    /// Whether nobody reaches the node.
    pub fn away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// Whether what is broadcast is taken without anybody hearing so.
    pub fn lose_answers(&self, loses_answers: bool) {
        self.state().loses_answers = loses_answers;
    }

    /// Ids of all that is in blocks, in their order.
    pub fn mined_ids(&self) -> Vec<String> {
        let state = self.state();
        let txs = state.blocks.iter().flat_map(|block| &block.txs);
        txs.map(|tx| tx.compute_txid().to_string()).collect()
    }

    pub fn heard(&self) -> usize {
        self.state().heard
    }

    /// How often somebody began to broadcast.
    pub fn asked(&self) -> usize {
        self.state().asked
    }

    /// Broadcasts wait until what this answers is dropped.
    pub async fn hold(&self) -> SemaphorePermit<'_> {
        self.1.acquire().await.unwrap()
    }

    /// Until somebody has begun another broadcast.
    pub async fn asked_after(&self, asked: usize) {
        let begun = async {
            while self.asked() <= asked {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), begun)
            .await
            .expect("somebody broadcasts");
    }

    /// The node does not give this transaction away.
    pub fn withhold(&self, txid: Txid) {
        self.state().withheld.push(txid);
    }

    /// What an address has got in blocks, in satoshi.
    pub fn received(&self, address: &str) -> u64 {
        let script = script(address);
        let state = self.state();
        let outputs = state.blocks.iter().flat_map(|block| block.txs.as_slice());
        outputs
            .flat_map(|tx| &tx.output)
            .filter(|output| output.script_pubkey == script)
            .map(|output| output.value.to_sat())
            .sum()
    }
}

fn pay(coins: Vec<OutPoint>, payments: Vec<(ScriptBuf, u64)>) -> Transaction {
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: coins
            .into_iter()
            .map(|previous_output| TxIn {
                previous_output,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            })
            .collect(),
        output: payments
            .into_iter()
            .map(|(script_pubkey, satoshi)| TxOut {
                value: Amount::from_sat(satoshi),
                script_pubkey,
            })
            .collect(),
    }
}

pub fn script(address: &str) -> ScriptBuf {
    let parsed = parse_address(params("BTC").unwrap(), address).unwrap();
    ScriptBuf::from_bytes(parsed.script)
}
