//! A chain that is made up while it is read, to measure the follower with: blocks of many transactions of
//! strangers and a few payments to addresses that are watched, as many of both as one likes.
//!
//! Invariants: whatever is asked for twice is the same; its addresses and ids are no coin's, so nothing
//! in it can be taken for money; addresses that nobody derived are only ever watched in a database
//! made for a measurement ([`SCRATCH_DATABASES`]).

mod store;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::money::Currency;
use tokio::sync::Notify;

use super::address::params;
use super::backend::{
    BlockRef, ChainBackend, ChainBlock, ChainOutput, ChainTx, CoinNode, Holdings, OutPoint,
};
use super::settings::{ChainSettings, GivenNode};
use crate::payouts::PayoutSettings;
use crate::{Error, Gateway, Result};

/// How the names of databases begin that are made for a measurement and dropped after it.
pub const SCRATCH_DATABASES: &str = "exchequer_bench_";

/// The coin whose chain it stands for.
pub const CODE: &str = "BTC";

/// Transactions of strangers in a block, with one input and two outputs each: about a full block of
/// Bitcoin's.
const TXS_PER_BLOCK: u64 = 2_000;
/// Those of them that pay one of the watched addresses instead.
const OURS_PER_BLOCK: u64 = 5;
/// Satoshi of each payment: a deposit worth crediting.
const RAW: u128 = 100_000;

/// Numbers from here on are strangers' addresses; those below are watched ones.
const STRANGERS: u64 = 1 << 63;
/// Spreads consecutive numbers over an index, as hashes of keys are. Odd, so none meets another.
const SPREAD: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;

/// How often the follower looks when nobody tells it, as with a node of Bitcoin Core.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Addresses that are stored with one statement.
const CHUNK: usize = 10_000;

/// How the follower learns that something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It looks again and again.
    Polled,
    /// It is told at once, as by a node that publishes what it hears.
    Told,
}

struct State {
    news: News,
    height: i64,
    /// Watched addresses that blocks pay from now on: the numbers below.
    watched: u64,
    /// By height: how many were watched when the block was made. The newest entry counts for all above.
    epochs: Vec<(i64, u64)>,
    mempool: Vec<ChainTx>,
    /// What waited when a block was made, by its height.
    mined: HashMap<i64, Vec<ChainTx>>,
    announced: u64,
    /// Counts changes; and which of them the follower has read.
    change: u64,
    read: u64,
}

/// The chain and its only node.
pub struct GeneratedChain {
    state: Mutex<State>,
    news: Notify,
}

impl GeneratedChain {
    /// One with its first block, which is empty.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                news: News::Polled,
                height: 0,
                watched: 0,
                epochs: Vec::new(),
                mempool: Vec::new(),
                mined: HashMap::new(),
                announced: 0,
                change: 0,
                read: 0,
            }),
            news: Notify::new(),
        })
    }

    /// The settings of an instance that follows this chain and simulates all others.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is no such coin.
    pub fn settings(self: &Arc<Self>) -> Result<ChainSettings> {
        let missing = || Error::Internal(format!("{CODE} has no chain"));
        let coin = params(CODE).ok_or_else(missing)?;
        let payouts = PayoutSettings::from_variables(CODE, |_| None).map_err(|_| missing())?;
        let node = GivenNode {
            backend: self.clone(),
            coins: self.clone(),
        };
        Ok(ChainSettings::default().with_given(coin, node, payouts))
    }

    /// How the follower learns of everything from now on.
    pub fn tell(&self, news: News) {
        self.state().news = news;
    }

    /// Makes blocks; what waits gets into the first. They pay some of the first `watched` addresses.
    pub fn grow(&self, blocks: u32, watched: u64) {
        if blocks == 0 {
            return;
        }
        let mut state = self.state();
        let first = state.height + 1;
        if state.watched != watched {
            state.watched = watched;
            state.epochs.push((first, watched));
        }
        let waiting = std::mem::take(&mut state.mempool);
        if !waiting.is_empty() {
            state.mined.insert(first, waiting);
        }
        state.height += i64::from(blocks);
        self.changed(state);
    }

    /// Announces a payment to the address with this number; answers its id.
    pub fn announce(&self, number: u64) -> String {
        let mut state = self.state();
        state.announced += 1;
        let txid = id("aa", state.announced, 0);
        let tx = ChainTx {
            txid: txid.clone(),
            inputs: vec![OutPoint {
                txid: id("bb", state.announced, 0),
                vout: 0,
            }],
            outputs: vec![payment(0, number)],
        };
        state.mempool.push(tx);
        self.changed(state);
        txid
    }

    fn changed(&self, mut state: MutexGuard<'_, State>) {
        state.change += 1;
        drop(state);
        self.news.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked has broken a measurement, not this.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reference(&self, height: i64) -> Option<BlockRef> {
        let number = u64::try_from(height).ok()?;
        (height <= self.height).then(|| BlockRef {
            hash: id("cc", number + 1, 0),
            height,
            prev_hash: id("cc", number, 0),
        })
    }

    /// The transactions of a block.
    fn txs(&self, height: i64) -> Vec<ChainTx> {
        let Ok(number) = u64::try_from(height) else {
            return Vec::new();
        };
        if number == 0 {
            return Vec::new();
        }
        let epoch = self.epochs.iter().rev().find(|(from, _)| *from <= height);
        let watched = epoch.map_or(0, |(_, watched)| *watched);
        let mut txs: Vec<ChainTx> = (0..TXS_PER_BLOCK)
            .map(|place| {
                let drawn = number * TXS_PER_BLOCK + place;
                let paid = if place < OURS_PER_BLOCK && watched > 0 {
                    // Here and there among them.
                    drawn.wrapping_mul(7_919) % watched
                } else {
                    STRANGERS + 2 * drawn
                };
                ChainTx {
                    txid: id("dd", number, place),
                    inputs: vec![OutPoint {
                        txid: id("ee", number, place),
                        vout: 1,
                    }],
                    outputs: vec![payment(0, paid), payment(1, STRANGERS + 2 * drawn + 1)],
                }
            })
            .collect();
        txs.extend(self.mined.get(&height).into_iter().flatten().cloned());
        txs
    }

    fn is_read(&self, after: &BlockRef) -> bool {
        self.height == after.height && self.change == self.read
    }
}

/// 64 hexadecimal digits, spread like hashes; the same three never give another.
fn id(kind: &str, one: u64, other: u64) -> String {
    let spread = ((u128::from(one) << 32) | u128::from(other)).wrapping_mul(SPREAD);
    format!("{spread:032x}{one:018x}{other:012x}{kind}")
}

/// The address with this number: as long as a real one, and of no coin.
fn address(number: u64) -> String {
    let spread = u128::from(number).wrapping_mul(SPREAD);
    format!("made1up{spread:032x}")
}

fn payment(vout: i32, number: u64) -> ChainOutput {
    ChainOutput {
        vout,
        address: address(number),
        raw: RAW,
    }
}

/// Watches the addresses with these numbers for a merchant, each as a deposit address of its own.
///
/// # Errors
/// [`Error::Internal`] in a database that was not made for a measurement: nobody can spend what comes
/// to such an address.
pub async fn watch(
    gateway: &Gateway,
    coin: Currency,
    merchant_id: i64,
    numbers: Range<u64>,
) -> Result<()> {
    let database = store::database(gateway.pool()).await?;
    if !database.starts_with(SCRATCH_DATABASES) || !gateway.settings().test_mode {
        return Err(Error::Internal(format!(
            "addresses are made up for measurements only, not in the database {database}"
        )));
    }
    let now = gateway.clock().now();
    let mut addresses = Vec::with_capacity(CHUNK);
    for number in numbers {
        addresses.push(address(number));
        if addresses.len() == CHUNK {
            store::watch(gateway.pool(), coin, merchant_id, &addresses, now).await?;
            addresses.clear();
        }
    }
    if !addresses.is_empty() {
        store::watch(gateway.pool(), coin, merchant_id, &addresses, now).await?;
    }
    store::analyze(gateway.pool()).await
}

/// Whether a deposit is known that this transaction makes.
///
/// # Errors
/// What the database refused.
pub async fn is_seen(gateway: &Gateway, coin: Currency, txid: &str) -> Result<bool> {
    store::is_seen(gateway.pool(), coin, txid).await
}

#[async_trait]
impl ChainBackend for GeneratedChain {
    async fn tip(&self) -> Result<BlockRef> {
        let state = self.state();
        state.reference(state.height).ok_or(Error::NotFound)
    }

    async fn block_at(&self, height: i64) -> Result<Option<BlockRef>> {
        Ok(self.state().reference(height))
    }

    async fn block(&self, hash: &str) -> Result<ChainBlock> {
        // The number stands in the hash: see `id`.
        let digits = hash.get(32..50).ok_or(Error::NotFound)?;
        let number = i64::from_str_radix(digits, 16).map_err(|_| Error::NotFound)?;
        let state = self.state();
        let reference = state.reference(number - 1).ok_or(Error::NotFound)?;
        let txs = state.txs(number - 1);
        Ok(ChainBlock { reference, txs })
    }

    async fn mempool(&self) -> Result<Vec<String>> {
        let mut state = self.state();
        state.read = state.change;
        Ok(state.mempool.iter().map(|tx| tx.txid.clone()).collect())
    }

    async fn tx(&self, txid: &str) -> Result<Option<ChainTx>> {
        let state = self.state();
        let mut waiting = state.mempool.iter();
        Ok(waiting.find(|tx| tx.txid == txid).cloned())
    }

    async fn wait(&self, after: &BlockRef, max: Duration) -> Result<()> {
        let began = Instant::now();
        loop {
            let news = {
                let state = self.state();
                if state.is_read(after) {
                    state.news
                } else {
                    return Ok(());
                }
            };
            let Some(left) = max.checked_sub(began.elapsed()) else {
                return Ok(());
            };
            match news {
                News::Polled => tokio::time::sleep(LOOK_EVERY.min(left)).await,
                News::Told => {
                    // Over is over: the loop looks at the time.
                    let _ = tokio::time::timeout(left, self.news.notified()).await;
                }
            }
        }
    }

    async fn broadcast(&self, _raw: &[u8]) -> Result<()> {
        Err(Error::Internal("nobody pays on this chain".to_owned()))
    }

    async fn holdings(&self, _addresses: &[String]) -> Result<Holdings> {
        Err(Error::Internal("nobody has anything here".to_owned()))
    }

    /// None: this mempool forgets nothing by accident.
    fn drop_grace(&self) -> time::Duration {
        time::Duration::ZERO
    }
}

#[async_trait]
impl CoinNode for GeneratedChain {
    async fn fee_rate(&self, _blocks: u16) -> Result<Option<u64>> {
        Ok(None)
    }

    async fn incremental_rate(&self) -> Result<u64> {
        Ok(1_000)
    }

    async fn transaction(&self, _txid: &str, _block_hash: &str) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
