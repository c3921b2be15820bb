//! A Bitcoin network in memory: real transactions, blocks made by hand, and a mempool that lets a higher
//! fee replace a lower one.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash as _, sha256d};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, consensus,
};
use gateway::chain::address::{output_address, params, parse_address};
use gateway::chain::backend::{
    BlockRef, ChainBackend, ChainBlock, ChainOutput, ChainTx, CoinNode, Held, Holdings,
    OutPoint as Spent,
};
use gateway::{Error, Result};
use tokio::sync::{Semaphore, SemaphorePermit};

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
        };
        let net = Self(Mutex::new(state), Semaphore::new(1));
        net.mine(1);
        net
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
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

    /// Makes blocks; the whole mempool goes into the first.
    pub fn mine(&self, blocks: u32) {
        let mut state = self.state();
        for _ in 0..blocks {
            let txs = std::mem::take(&mut state.mempool);
            state.connect(txs);
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

impl State {
    fn connect(&mut self, txs: Vec<Transaction>) {
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

    fn output(&self, coin: &OutPoint) -> Option<&TxOut> {
        let all = self.blocks.iter().flat_map(|block| block.txs.as_slice());
        all.chain(&self.mempool)
            .find(|tx| tx.compute_txid() == coin.txid)
            .and_then(|tx| tx.output.get(usize::try_from(coin.vout).ok()?))
    }

    fn fee(&self, tx: &Transaction) -> u64 {
        let spent: u64 = tx
            .input
            .iter()
            .filter_map(|input| self.output(&input.previous_output))
            .map(|output| output.value.to_sat())
            .sum();
        let paid: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
        spent.saturating_sub(paid)
    }

    fn accept(&mut self, tx: Transaction) -> Result<()> {
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

    fn mined(&self, is: impl Fn(&Transaction) -> bool) -> bool {
        self.blocks.iter().flat_map(|block| &block.txs).any(is)
    }
}

fn conflict(one: &Transaction, other: &Transaction) -> bool {
    one.compute_txid() != other.compute_txid()
        && one.input.iter().any(|input| {
            let mut others = other.input.iter();
            others.any(|spent| spent.previous_output == input.previous_output)
        })
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

fn told(tx: &Transaction) -> ChainTx {
    let coin = params("BTC").unwrap();
    let outputs = (0..).zip(&tx.output).filter_map(|(vout, output)| {
        Some(ChainOutput {
            vout,
            address: output_address(coin, output.script_pubkey.as_bytes())?,
            raw: u128::from(output.value.to_sat()),
        })
    });
    ChainTx {
        txid: tx.compute_txid().to_string(),
        inputs: tx
            .input
            .iter()
            .map(|input| Spent {
                txid: input.previous_output.txid.to_string(),
                vout: i32::try_from(input.previous_output.vout).unwrap(),
            })
            .collect(),
        outputs: outputs.collect(),
    }
}

#[async_trait]
impl ChainBackend for Net {
    async fn tip(&self) -> Result<BlockRef> {
        Ok(self.state().blocks.last().unwrap().reference.clone())
    }

    async fn block_at(&self, height: i64) -> Result<Option<BlockRef>> {
        let height = usize::try_from(height).unwrap();
        let state = self.state();
        Ok(state
            .blocks
            .get(height)
            .map(|block| block.reference.clone()))
    }

    async fn block(&self, hash: &str) -> Result<ChainBlock> {
        let state = self.state();
        let block = state
            .blocks
            .iter()
            .find(|block| block.reference.hash == hash);
        let block = block.ok_or(Error::NotFound)?;
        Ok(ChainBlock {
            reference: block.reference.clone(),
            txs: block.txs.iter().map(told).collect(),
        })
    }

    async fn mempool(&self) -> Result<Vec<String>> {
        let state = self.state();
        let waiting = state.mempool.iter();
        Ok(waiting.map(|tx| tx.compute_txid().to_string()).collect())
    }

    async fn tx(&self, txid: &str) -> Result<Option<ChainTx>> {
        let state = self.state();
        let mut waiting = state.mempool.iter();
        Ok(waiting
            .find(|tx| tx.compute_txid().to_string() == txid)
            .map(told))
    }

    async fn wait(&self, _: &BlockRef, max: Duration) -> Result<()> {
        tokio::time::sleep(max).await;
        Ok(())
    }

    async fn broadcast(&self, raw: &[u8]) -> Result<()> {
        let tx: Transaction = consensus::deserialize(raw).map_err(Error::internal)?;
        self.state().asked += 1;
        let _turn = self.1.acquire().await.map_err(Error::internal)?;
        let mut state = self.state();
        if let Some(refusal) = state.refusal {
            return Err(Error::Internal(refusal.to_owned()));
        }
        state.accept(tx)?;
        state.heard += 1;
        Ok(())
    }

    async fn holdings(&self, addresses: &[String]) -> Result<Holdings> {
        let state = self.state();
        let tip = &state.blocks.last().unwrap().reference;
        let mined: Vec<ChainTx> = state
            .blocks
            .iter()
            .flat_map(|block| &block.txs)
            .map(told)
            .collect();
        let is_spent =
            |place: &Spent| -> bool { mined.iter().any(|other| other.inputs.contains(place)) };
        let mut held = Vec::new();
        for tx in &mined {
            for output in &tx.outputs {
                let place = Spent {
                    txid: tx.txid.clone(),
                    vout: output.vout,
                };
                if addresses.contains(&output.address) && !is_spent(&place) {
                    held.push(Held {
                        address: output.address.clone(),
                        place: Some(place),
                        raw: output.raw,
                        may_be_immature: false,
                    });
                }
            }
        }
        Ok(Holdings {
            hash: tip.hash.clone(),
            height: tip.height,
            held,
        })
    }

    fn drop_grace(&self) -> time::Duration {
        time::Duration::ZERO
    }
}

#[async_trait]
impl CoinNode for Net {
    async fn fee_rate(&self, _: u16) -> Result<Option<u64>> {
        Ok(self.state().rate)
    }

    async fn incremental_rate(&self) -> Result<u64> {
        Ok(1_000)
    }

    async fn transaction(&self, txid: &str, block_hash: &str) -> Result<Option<Vec<u8>>> {
        let state = self.state();
        let mut blocks = state.blocks.iter();
        let block = blocks.find(|block| block.reference.hash == block_hash);
        let txs = block.map_or(&[][..], |block| block.txs.as_slice());
        let found = txs.iter().find(|tx| {
            let id = tx.compute_txid();
            id.to_string() == txid && !state.withheld.contains(&id)
        });
        Ok(found.map(consensus::serialize))
    }
}
