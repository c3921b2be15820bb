//! One key with coins on a private network: nodes need no wallet to pay for tests.
#![allow(dead_code, reason = "not every suite pays in every way")]

use std::collections::VecDeque;
use std::sync::Mutex;

use bitcoin::secp256k1::{Secp256k1, SecretKey};
use bitcoin::{NetworkKind, PrivateKey, ScriptBuf};
use gateway::chain::address::output_address;
use gateway::chain::backend::OutPoint;
use serde::Deserialize;
use serde_json::{Value, json};

use super::node::{Kind, Node};

/// What each of the purse's coins is worth: a block's reward below height 150, in satoshi.
pub const COIN: u128 = 5_000_000_000;
/// The sequence number of payments that say they may be replaced (BIP 125), and of those that say they
/// will not.
const REPLACEABLE: u32 = 0xffff_fffd;
pub const FINAL: u32 = 0xffff_ffff;
/// Blocks until a reward can be spent.
const MATURITY: u32 = 100;

pub struct Purse {
    key: PrivateKey,
    pub address: String,
    coins: Mutex<VecDeque<OutPoint>>,
}

/// A signed transaction, not sent.
#[derive(Debug, Clone)]
pub struct Draft {
    pub txid: String,
    pub hex: String,
}

impl Draft {
    pub fn bytes(&self) -> Vec<u8> {
        hex::decode(&self.hex).unwrap()
    }
}

#[derive(Deserialize)]
struct Signed {
    hex: String,
    complete: bool,
}

#[derive(Deserialize)]
struct Decoded {
    txid: String,
}

#[derive(Deserialize)]
struct BlockIds {
    tx: Vec<String>,
}

impl Purse {
    /// Mines `coins` rewards for itself, and on top what makes them spendable.
    pub async fn filled(node: &Node, coins: u32) -> Self {
        let key = key(1);
        let purse = Self {
            address: address(node.kind, &key),
            key,
            coins: Mutex::default(),
        };
        let hashes = node.mine(coins, &purse.address).await;
        node.mine(MATURITY, &elsewhere(node.kind)).await;
        for hash in hashes {
            let block: BlockIds = node.call("getblock", json!([hash, 1])).await;
            let coin = OutPoint {
                txid: block.tx[0].clone(),
                vout: 0,
            };
            purse.coins.lock().unwrap().push_back(coin);
        }
        purse
    }

    /// A coin nobody else gets.
    pub fn coin(&self) -> OutPoint {
        self.coins.lock().unwrap().pop_front().unwrap()
    }

    /// Spends `coin`, all of it: `amount` satoshi to `address`, `fee` to whoever mines it, the rest
    /// to a third.
    pub async fn draft(
        &self,
        node: &Node,
        coin: &OutPoint,
        address: &str,
        amount: u128,
        fee: u128,
    ) -> Draft {
        self.spend(node, (coin, COIN), &[(address, amount)], fee)
            .await
    }

    /// The same with an output that is worth so much, to several.
    pub async fn spend(
        &self,
        node: &Node,
        (coin, worth): (&OutPoint, u128),
        payments: &[(&str, u128)],
        fee: u128,
    ) -> Draft {
        self.spend_with(node, (coin, worth), payments, fee, REPLACEABLE)
            .await
    }

    /// The same with a sequence number of its own: it says whether a replacement is to be expected.
    pub async fn spend_with(
        &self,
        node: &Node,
        (coin, worth): (&OutPoint, u128),
        payments: &[(&str, u128)],
        fee: u128,
        sequence: u32,
    ) -> Draft {
        let inputs = json!([{ "txid": coin.txid, "vout": coin.vout, "sequence": sequence }]);
        let paid: u128 = payments.iter().map(|(_, amount)| amount).sum();
        let mut outputs: Vec<Value> = payments
            .iter()
            .map(|(address, amount)| json!({ *address: decimal(*amount) }))
            .collect();
        outputs.push(json!({ change(node.kind): decimal(worth - paid - fee) }));
        self.signed(node, inputs, json!(outputs)).await
    }

    async fn signed(&self, node: &Node, inputs: Value, outputs: Value) -> Draft {
        let unsigned: String = node
            .call("createrawtransaction", json!([inputs, outputs]))
            .await;
        let signed: Signed = node
            .call(
                "signrawtransactionwithkey",
                json!([unsigned, [self.key.to_wif()]]),
            )
            .await;
        assert!(signed.complete);
        let decoded: Decoded = node.call("decoderawtransaction", json!([signed.hex])).await;
        Draft {
            txid: decoded.txid,
            hex: signed.hex,
        }
    }

    /// Sends `amount` satoshi to `address`.
    pub async fn pay(&self, node: &Node, address: &str, amount: u128) -> Draft {
        let coin = self.coin();
        let draft = self.draft(node, &coin, address, amount, 10_000).await;
        send(node, &draft).await;
        draft
    }
}

pub async fn send(node: &Node, draft: &Draft) {
    let _: String = node.call("sendrawtransaction", json!([draft.hex])).await;
}

/// Where merchants are paid in these tests.
pub fn ours(kind: Kind) -> String {
    address(kind, &key(2))
}

/// Somebody else's address. Blocks of a second branch go to [`change`]: with the same address a
/// node would make the very blocks it was told to forget.
pub fn elsewhere(kind: Kind) -> String {
    address(kind, &key(3))
}

pub fn change(kind: Kind) -> String {
    address(kind, &key(4))
}

/// Whom the blocks of a branch pay: for each branch another one.
pub fn miner(kind: Kind, number: u8) -> String {
    address(kind, &key(number))
}

fn key(number: u8) -> PrivateKey {
    let secret = SecretKey::from_slice(&[number; 32]).unwrap();
    PrivateKey::new(secret, NetworkKind::Test)
}

fn address(kind: Kind, key: &PrivateKey) -> String {
    let public = key.public_key(&Secp256k1::new());
    let script = ScriptBuf::new_p2wpkh(&public.wpubkey_hash().unwrap());
    output_address(kind.coin(), script.as_bytes()).unwrap()
}

/// Satoshi as the node reads them.
pub fn decimal(satoshi: u128) -> String {
    format!("{}.{:08}", satoshi / 100_000_000, satoshi % 100_000_000)
}
