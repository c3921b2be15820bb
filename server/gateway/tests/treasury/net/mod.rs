//! An EVM network in memory behind JSON-RPC: real signatures, real numbers, and what a node says of them.

mod answers;
mod raw;
mod world;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use sha3::{Digest, Keccak256};
use signing::evm::{Account, Paid, Transaction};
use tokio::net::TcpListener;

use self::answers::answer;

pub const CHAIN_ID: u64 = 31_337;
pub const GWEI: u128 = 1_000_000_000;
pub const ETHER: u128 = 1_000_000_000 * GWEI;
/// Somebody who has all there is.
const RICH: Account = Account([0x11; 20]);
const CONTRACT: Account = Account([0xcc; 20]);

/// The token's contract.
pub fn contract() -> String {
    CONTRACT.to_string()
}

#[derive(Debug, Clone)]
struct Tx {
    hash: String,
    from: Account,
    plan: Transaction,
    fails: bool,
    /// Units that the token keeps with the sender.
    keeps: u128,
}

#[derive(Debug, Clone)]
struct Block {
    hash: String,
    parent: String,
    base: u128,
    txs: Vec<Tx>,
}

struct World {
    blocks: Vec<Block>,
    pool: Vec<Tx>,
    base: u128,
    made: u64,
    /// Whose transactions may come as bytes.
    payer: Option<Account>,
    is_deaf: bool,
    /// Whoever stands before the node answers for it that it is away.
    is_away: bool,
    /// Bytes are taken, and whoever gave them does not hear so.
    loses_answers: bool,
    fails: bool,
    keeps: u128,
    /// Receipts name blocks of another branch.
    is_astray: bool,
}

/// The network, and where its node listens.
#[derive(Clone)]
pub struct Net {
    world: Arc<Mutex<World>>,
    pub port: u16,
}

impl Net {
    pub async fn start() -> Self {
        let first = Block {
            hash: hash("block", 0),
            parent: format!("0x{}", "0".repeat(64)),
            base: GWEI,
            txs: Vec::new(),
        };
        let world = Arc::new(Mutex::new(World {
            blocks: vec![first],
            pool: Vec::new(),
            base: GWEI,
            made: 0,
            payer: None,
            is_deaf: false,
            is_away: false,
            loses_answers: false,
            fails: false,
            keeps: 0,
            is_astray: false,
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new()
            .route("/", post(answer))
            .with_state(world.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { world, port }
    }

    fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut self.world.lock().unwrap())
    }

    pub fn listen_to(&self, payer: &str) {
        self.with(|world| world.payer = Some(payer.parse().unwrap()));
    }

    /// Ether for an account, in the next block.
    pub fn pay(&self, to: &str, wei: u128) {
        let to = to.parse().unwrap();
        self.with(|world| world.give(to, wei, Vec::new()));
    }

    /// Tokens for an account, in the next block.
    pub fn pay_token(&self, to: &str, units: u128) {
        let data = Transaction::transfer_data(to.parse().unwrap(), units);
        self.with(|world| world.give(CONTRACT, 0, data));
    }

    /// A transaction of the account that pays which nobody here made.
    pub fn use_elsewhere(&self, nonce: u64) {
        let payer = self.with(|world| world.payer.unwrap());
        self.use_key_of(&payer.to_string(), nonce);
    }

    /// The same of any account.
    pub fn use_key_of(&self, account: &str, nonce: u64) {
        self.send_from(account, nonce, Account([0x77; 20]), 1, Vec::new());
    }

    /// Somebody with the key moves ether; answers the transaction, which waits for a block.
    pub fn take(&self, account: &str, nonce: u64, to: &str, wei: u128) -> String {
        self.send_from(account, nonce, to.parse().unwrap(), wei, Vec::new())
    }

    /// The same with tokens.
    pub fn take_token(&self, account: &str, nonce: u64, to: &str, units: u128) -> String {
        let data = Transaction::transfer_data(to.parse().unwrap(), units);
        self.send_from(account, nonce, CONTRACT, 0, data)
    }

    fn send_from(
        &self,
        account: &str,
        nonce: u64,
        to: Account,
        value: u128,
        data: Vec<u8>,
    ) -> String {
        let payer: Account = account.parse().unwrap();
        self.with(|world| {
            world.made += 1;
            let plan = Transaction {
                chain_id: CHAIN_ID,
                nonce,
                gas_limit: 100_000,
                max_fee_per_gas: 1_000_000 * GWEI,
                max_priority_fee_per_gas: GWEI,
                to,
                value,
                data,
            };
            world
                .pool
                .retain(|tx| tx.from != payer || tx.plan.nonce != nonce);
            let hash = hash("foreign", world.made);
            world.pool.push(Tx {
                hash: hash.clone(),
                from: payer,
                plan,
                fails: false,
                keeps: 0,
            });
            hash
        })
    }

    pub fn mine(&self, blocks: u32) {
        self.with(|world| {
            for _ in 0..blocks {
                world.mine();
            }
        });
    }

    /// Takes the last blocks back, and their transactions into the pool, or nowhere.
    pub fn reorg(&self, depth: usize, keep: bool) {
        self.with(|world| {
            let undone = world.blocks.split_off(world.blocks.len() - depth);
            let txs = undone.into_iter().flat_map(|block| block.txs);
            // Others pay again in any case: their money is not what is looked at.
            let kept = txs.filter(|tx| keep || tx.from == RICH);
            // In their order: what pays for others comes first again.
            let waiting = std::mem::take(&mut world.pool);
            world.pool = kept.chain(waiting).collect();
            for _ in 0..depth {
                world.empty_block();
            }
        });
    }

    pub fn forget(&self) {
        self.with(|world| world.pool.retain(|tx| tx.from == RICH));
    }

    /// Bytes that somebody else gives to the network.
    pub fn send(&self, raw: &[u8]) {
        self.with(|world| world.take(raw).unwrap());
    }

    pub fn base(&self, wei: u128) {
        self.with(|world| world.base = wei);
    }

    /// Whether bytes are taken.
    pub fn deaf(&self, is_deaf: bool) {
        self.with(|world| world.is_deaf = is_deaf);
    }

    /// Whether nobody reaches the node.
    pub fn away(&self, is_away: bool) {
        self.with(|world| world.is_away = is_away);
    }

    /// Whether bytes are taken without anybody hearing so.
    pub fn lose_answers(&self, loses_answers: bool) {
        self.with(|world| world.loses_answers = loses_answers);
    }

    /// Whether calls of the contract fail once they are in a block.
    pub fn fail(&self, fails: bool) {
        self.with(|world| world.fails = fails);
    }

    /// How many units of each transfer the token keeps with its sender, once it is in a block.
    pub fn keep(&self, units: u128) {
        self.with(|world| world.keeps = units);
    }

    /// Whether the node speaks of another branch when it is asked for receipts.
    pub fn astray(&self, is_astray: bool) {
        self.with(|world| world.is_astray = is_astray);
    }

    /// What the account got, in the order it came: wei or units.
    pub fn received(&self, account: &str) -> Vec<u128> {
        let account: Account = account.parse().unwrap();
        self.with(|world| {
            let txs = world.blocks.iter().flat_map(|block| &block.txs);
            txs.filter(|tx| !tx.fails)
                .filter_map(|tx| match tx.plan.paid() {
                    Some(Paid::Ether { to, wei }) if to == account => Some(wei),
                    Some(Paid::Token { to, units, .. }) if to == account => Some(units - tx.keeps),
                    _ => None,
                })
                .collect()
        })
    }

    /// How many of the payer's numbers are used up.
    pub fn used(&self) -> u64 {
        self.with(|world| {
            let payer = world.payer.unwrap();
            world.sent(payer, world.blocks.len(), false)
        })
    }

    /// How many of the payer's transactions wait.
    pub fn waiting(&self) -> usize {
        self.with(|world| {
            let payer = world.payer;
            world
                .pool
                .iter()
                .filter(|tx| Some(tx.from) == payer)
                .count()
        })
    }
}

fn hash(kind: &str, number: u64) -> String {
    format!(
        "0x{}",
        hex::encode(Keccak256::digest(format!("{kind} {number}")))
    )
}
