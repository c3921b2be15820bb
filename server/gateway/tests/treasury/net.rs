//! An EVM network in memory behind JSON-RPC: real signatures, real numbers, and what a node says of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use signing::evm::{Account, Mismatch, Paid, Transaction};
use tokio::net::TcpListener;

pub const CHAIN_ID: u64 = 31_337;
pub const GWEI: u128 = 1_000_000_000;
pub const ETHER: u128 = 1_000_000_000 * GWEI;
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
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
        let payer: Account = account.parse().unwrap();
        self.with(|world| {
            world.made += 1;
            let plan = Transaction {
                chain_id: CHAIN_ID,
                nonce,
                gas_limit: 21_000,
                max_fee_per_gas: 1_000_000 * GWEI,
                max_priority_fee_per_gas: GWEI,
                to: Account([0x77; 20]),
                value: 1,
                data: Vec::new(),
            };
            world
                .pool
                .retain(|tx| tx.from != payer || tx.plan.nonce != nonce);
            world.pool.push(Tx {
                hash: hash("foreign", world.made),
                from: payer,
                plan,
                fails: false,
                keeps: 0,
            });
        });
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

impl World {
    fn give(&mut self, to: Account, wei: u128, data: Vec<u8>) {
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
    fn sent(&self, from: Account, blocks: usize, with_pool: bool) -> u64 {
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
    fn balances(&self, blocks: usize) -> (BTreeMap<Account, u128>, BTreeMap<Account, u128>) {
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

    fn empty_block(&mut self) {
        self.made += 1;
        let parent = self.blocks.last().unwrap().hash.clone();
        self.blocks.push(Block {
            hash: hash("block", self.made),
            parent,
            base: self.base,
            txs: Vec::new(),
        });
    }

    fn mine(&mut self) {
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

    fn take(&mut self, raw: &[u8]) -> Result<Value, String> {
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
    fn find(&self, hash: &str) -> Option<(&Tx, Option<usize>)> {
        let mined = self.blocks.iter().enumerate().find_map(|(height, block)| {
            let tx = block.txs.iter().find(|tx| tx.hash == hash)?;
            Some((tx, Some(height)))
        });
        let waiting = || self.pool.iter().find(|tx| tx.hash == hash);
        mined.or_else(|| Some((waiting()?, None)))
    }

    fn height_of(&self, place: &Value) -> Option<usize> {
        match place.as_str() {
            Some("latest" | "pending") => Some(self.blocks.len() - 1),
            Some(text) if text.len() == 66 => self.blocks.iter().position(|b| b.hash == text),
            Some(text) => {
                let height = usize::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
                (height < self.blocks.len()).then_some(height)
            }
            None => self.height_of(place.get("blockHash")?),
        }
    }

    fn header(&self, height: usize, full: bool) -> Value {
        let block = &self.blocks[height];
        let txs: Vec<Value> = block
            .txs
            .iter()
            .map(|tx| {
                if full {
                    shown(tx, Some(block))
                } else {
                    json!(tx.hash)
                }
            })
            .collect();
        json!({
            "hash": block.hash, "number": format!("{height:#x}"), "parentHash": block.parent,
            "timestamp": "0x70000000", "baseFeePerGas": format!("{:#x}", block.base.max(self.base)),
            "transactions": txs,
        })
    }

    fn receipt(&self, tx: &Tx, height: usize) -> Value {
        let block = &self.blocks[height];
        let gas = gas(tx);
        json!({
            "transactionHash": tx.hash, "blockHash": block.hash, "blockNumber": format!("{height:#x}"),
            "status": if tx.fails { "0x0" } else { "0x1" }, "gasUsed": format!("{gas:#x}"),
            "effectiveGasPrice": format!("{:#x}", cost(tx, block.base) / gas),
            "logs": log(tx, block).into_iter().collect::<Vec<_>>(),
        })
    }

    fn answer(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let text = |place: usize| params[place].as_str().unwrap_or_default().to_owned();
        Ok(match method {
            "eth_chainId" => json!(format!("{CHAIN_ID:#x}")),
            "eth_syncing" => json!(false),
            "web3_clientVersion" => json!("memory"),
            "txpool_status" => json!({ "pending": "0x0", "queued": "0x0" }),
            "txpool_content" => {
                let mut pending: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
                for tx in &self.pool {
                    let of = pending.entry(tx.from.to_string()).or_default();
                    of.insert(tx.plan.nonce.to_string(), shown(tx, None));
                }
                json!({ "pending": pending, "queued": {} })
            }
            "eth_getBlockByNumber" | "eth_getBlockByHash" => {
                let full = params[1].as_bool().unwrap_or(false);
                let height = self.height_of(&params[0]);
                height.map_or(Value::Null, |height| self.header(height, full))
            }
            "eth_getBlockReceipts" => {
                let height = self.height_of(&params[0]).ok_or("unknown block")?;
                let txs = self.blocks[height].txs.iter();
                txs.map(|tx| self.receipt(tx, height)).collect()
            }
            "eth_getLogs" => {
                let height = self
                    .height_of(&params[0]["blockHash"])
                    .ok_or("unknown block")?;
                let block = &self.blocks[height];
                block.txs.iter().filter_map(|tx| log(tx, block)).collect()
            }
            "eth_getTransactionByHash" => match self.find(&text(0)) {
                None => Value::Null,
                Some((tx, height)) => shown(tx, height.map(|height| &self.blocks[height])),
            },
            "eth_getTransactionReceipt" => match self.find(&text(0)) {
                Some((tx, Some(height))) => {
                    let mut receipt = self.receipt(tx, height);
                    if self.is_astray {
                        receipt["blockHash"] = json!(hash("branch", 0));
                    }
                    receipt
                }
                _ => Value::Null,
            },
            "eth_getBalance" => {
                let height = self.height_of(&params[1]).ok_or("unknown block")?;
                let account: Account = text(0).parse().unwrap();
                let wei = self.balances(height + 1).0.get(&account).copied();
                json!(format!("{:#x}", wei.unwrap_or(0)))
            }
            "eth_getTransactionCount" => {
                let height = self.height_of(&params[1]).ok_or("unknown block")?;
                let is_pending = params[1] == json!("pending");
                let account = text(0).parse().unwrap();
                json!(format!("{:#x}", self.sent(account, height + 1, is_pending)))
            }
            "eth_getCode" => json!("0x60"),
            "eth_maxPriorityFeePerGas" => json!(format!("{GWEI:#x}")),
            "eth_estimateGas" => {
                let is_call = params[0]["data"] != json!("0x");
                json!(if is_call { "0xc350" } else { "0x5208" })
            }
            "eth_call" => {
                let data = params[0]["data"].as_str().unwrap();
                if data == "0x313ce567" {
                    json!(format!("0x{:064x}", 6))
                } else {
                    let height = self.height_of(&params[1]).ok_or("unknown block")?;
                    let mut account = [0; 20];
                    hex::decode_to_slice(&data[34..], &mut account).unwrap();
                    let units = self.balances(height + 1).1.get(&Account(account)).copied();
                    json!(format!("0x{:064x}", units.unwrap_or(0)))
                }
            }
            "eth_sendRawTransaction" => {
                let raw = text(0);
                let raw = hex::decode(raw.trim_start_matches("0x")).map_err(|e| e.to_string())?;
                self.take(&raw)?
            }
            other => return Err(format!("the method {other} does not exist")),
        })
    }
}

async fn answer(State(world): State<Arc<Mutex<World>>>, Json(asked): Json<Value>) -> Json<Value> {
    let mut world = world.lock().unwrap();
    let mut one = |call: &Value| {
        let method = call["method"].as_str().unwrap();
        match world.answer(method, &call["params"]) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }),
            Err(message) => json!({
                "jsonrpc": "2.0", "id": call["id"], "error": { "code": -32000, "message": message },
            }),
        }
    };
    Json(match asked.as_array() {
        Some(calls) => calls.iter().map(one).collect(),
        None => one(&asked),
    })
}

fn hash(kind: &str, number: u64) -> String {
    format!(
        "0x{}",
        hex::encode(Keccak256::digest(format!("{kind} {number}")))
    )
}

fn gas(tx: &Tx) -> u128 {
    if tx.plan.data.is_empty() {
        21_000
    } else {
        50_000
    }
}

fn cost(tx: &Tx, base: u128) -> u128 {
    let price = (base + tx.plan.max_priority_fee_per_gas).min(tx.plan.max_fee_per_gas);
    gas(tx) * price
}

fn shown(tx: &Tx, block: Option<&Block>) -> Value {
    json!({
        "hash": tx.hash, "from": tx.from.to_string().to_lowercase(),
        "to": tx.plan.to.to_string().to_lowercase(), "nonce": format!("{:#x}", tx.plan.nonce),
        "value": format!("{:#x}", tx.plan.value), "input": format!("0x{}", hex::encode(&tx.plan.data)),
        "blockHash": block.map(|block| block.hash.clone()),
    })
}

fn log(tx: &Tx, block: &Block) -> Option<Value> {
    let Some(Paid::Token { to, units, .. }) = tx.plan.paid() else {
        return None;
    };
    let word = |account: Account| format!("0x{:0>64}", hex::encode(account.0));
    let place = block.txs.iter().position(|each| each.hash == tx.hash)?;
    (!tx.fails).then(|| {
        json!({
            "address": CONTRACT.to_string().to_lowercase(), "topics": [TRANSFER, word(tx.from), word(to)],
            "data": format!("0x{:064x}", units - tx.keeps), "blockHash": block.hash, "transactionHash": tx.hash,
            "logIndex": format!("{place:#x}"), "removed": false,
        })
    })
}

/// The fields of a signed transaction; whether it is one is for `check_signed`.
fn read(raw: &[u8]) -> Option<Transaction> {
    let mut left = list(raw.strip_prefix(&[2])?)?;
    let mut next = || {
        let (item, rest) = item(left)?;
        left = rest;
        Some(item)
    };
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u128, |number, byte| number * 256 + u128::from(*byte))
    };
    let chain_id = u64::try_from(number(next()?)).ok()?;
    let nonce = u64::try_from(number(next()?)).ok()?;
    let max_priority_fee_per_gas = number(next()?);
    let max_fee_per_gas = number(next()?);
    let gas_limit = u64::try_from(number(next()?)).ok()?;
    let to = Account(next()?.try_into().ok()?);
    let value = number(next()?);
    let data = next()?.to_vec();
    Some(Transaction {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas,
        max_priority_fee_per_gas,
        to,
        value,
        data,
    })
}

fn list(encoded: &[u8]) -> Option<&[u8]> {
    let (first, rest) = encoded.split_first()?;
    match *first {
        0xc0..=0xf7 => Some(rest),
        0xf8..=0xff => rest.get(usize::from(*first - 0xf7)..),
        _ => None,
    }
}

fn item(encoded: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = encoded.split_first()?;
    match *first {
        0x00..=0x7f => Some(encoded.split_at(1)),
        0x80..=0xb7 => rest.split_at_checked(usize::from(*first - 0x80)),
        0xb8 => {
            let (length, rest) = rest.split_first()?;
            rest.split_at_checked(usize::from(*length))
        }
        _ => None,
    }
}
