//! An EVM node as a puppet. All payments come from one account, so their order is that of its nonces.

use std::collections::HashMap;

use async_trait::async_trait;
use gateway::chain::ChainSettings;
use serde_json::{Value, json};

use crate::anvil::{ALICE, Anvil, BOB, CHAIN_ID};
use crate::puppet::Puppet;

/// 0.1 ether.
const UNIT: u128 = 100_000_000_000_000_000;
/// Blocks that are there before anything happens.
const FIRST_BLOCKS: u32 = 3;
/// Wei per gas: what a payment offers, and how much more each replacement does.
const FEE: u64 = 2_000_000_000;

/// A payment that was made.
#[derive(Clone)]
struct Sent {
    nonce: String,
    raw: String,
    fee: u64,
}

pub struct EtherPuppet {
    pub anvil: Anvil,
    sent: HashMap<String, Sent>,
}

impl EtherPuppet {
    pub async fn new(anvil: Anvil) -> Self {
        let mut puppet = Self {
            anvil,
            sent: HashMap::new(),
        };
        puppet.mine(FIRST_BLOCKS).await;
        puppet
    }

    async fn send(&mut self, address: &str, wei: u128, nonce: Option<&str>, fee: u64) -> String {
        let tx = json!({ "to": address, "value": format!("{wei:#x}") });
        self.send_tx(tx, nonce, fee).await
    }

    /// Sends what `tx` says as the next transaction, or as the one with this nonce.
    async fn send_tx(&mut self, mut tx: Value, nonce: Option<&str>, fee: u64) -> String {
        tx["from"] = json!(ALICE);
        tx["maxFeePerGas"] = json!(format!("{:#x}", fee * 2));
        tx["maxPriorityFeePerGas"] = json!(format!("{fee:#x}"));
        if let Some(nonce) = nonce {
            tx["nonce"] = json!(nonce);
        }
        let txid = self.anvil.send(tx).await;
        let known = self
            .anvil
            .call("eth_getTransactionByHash", json!([txid]))
            .await;
        let sent = Sent {
            nonce: known["nonce"].as_str().unwrap().to_owned(),
            raw: format!("0x{}", hex::encode(self.anvil.raw(&txid).await)),
            fee,
        };
        self.sent.insert(txid.clone(), sent);
        txid
    }

    /// The same as the next transaction, for the usual fee.
    pub async fn call(&mut self, tx: Value) -> String {
        self.send_tx(tx, None, FEE).await
    }

    /// The same in place of one that waits.
    pub async fn call_instead(&mut self, txid: &str, tx: Value) -> String {
        let Sent { nonce, fee, .. } = self.sent[txid].clone();
        self.send_tx(tx, Some(&nonce), fee * 2).await
    }

    async fn height(&self) -> u32 {
        let number = self.anvil.call("eth_blockNumber", json!([])).await;
        let digits = number.as_str().unwrap().strip_prefix("0x").unwrap();
        u32::from_str_radix(digits, 16).unwrap()
    }

    /// The transactions of the last blocks in their order, all for the first new block.
    async fn transactions(&self, depth: u32, without: &str) -> Vec<Value> {
        let tip = self.height().await;
        let mut pairs = Vec::new();
        for height in tip + 1 - depth..=tip {
            let number = format!("{height:#x}");
            let block = self
                .anvil
                .call("eth_getBlockByNumber", json!([number, false]))
                .await;
            for txid in block["transactions"].as_array().unwrap() {
                let txid = txid.as_str().unwrap();
                if txid != without {
                    pairs.push(json!([self.sent[txid].raw, 0]));
                }
            }
        }
        pairs
    }

    async fn replace_blocks(&mut self, depth: u32, without: &str) {
        let pairs = self.transactions(depth, without).await;
        self.anvil.call("anvil_reorg", json!([depth, pairs])).await;
        if !without.is_empty() {
            // Nodes differ in whether they let it wait again; this one must not.
            self.forget(without).await;
        }
        self.mine(1).await;
    }
}

#[async_trait]
impl Puppet for EtherPuppet {
    fn code(&self) -> &'static str {
        "ETH"
    }

    fn unit(&self) -> u128 {
        UNIT
    }

    fn settings(&self) -> ChainSettings {
        let url = format!("http://127.0.0.1:{}", self.anvil.port);
        let find = |variable: &str| match variable {
            "EXCHEQUER_CHAIN_ETH" => Some("evm".to_owned()),
            "EXCHEQUER_CHAIN_ETH_URL" => Some(url.clone()),
            "EXCHEQUER_CHAIN_ETH_NETWORK" => Some(CHAIN_ID.to_string()),
            _ => None,
        };
        ChainSettings::read(find, true).unwrap()
    }

    /// The nonces of one account have no gaps: without one payment, those after it have no place.
    fn leaves_out(&self) -> bool {
        false
    }

    async fn pay(&mut self, address: &str, raw: u128) -> String {
        self.send(address, raw, None, FEE).await
    }

    async fn mine(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.anvil.mine().await;
        }
    }

    async fn replace(&mut self, txid: &str, address: Option<&str>, raw: u128) -> String {
        let Sent { nonce, fee, .. } = self.sent[txid].clone();
        self.send(address.unwrap_or(BOB), raw, Some(&nonce), fee * 2)
            .await
    }

    async fn mine_double_spend(&mut self, txid: &str) {
        self.replace(txid, None, 1).await;
        self.mine(1).await;
    }

    async fn reorg(&mut self, depth: u32) {
        self.replace_blocks(depth, "").await;
    }

    async fn reorg_without(&mut self, depth: u32, txid: &str) {
        self.replace_blocks(depth, txid).await;
    }

    async fn reorg_against(&mut self, depth: u32, txid: &str) {
        let Sent { nonce, fee, .. } = self.sent[txid].clone();
        self.reorg_without(depth, txid).await;
        self.send(BOB, 1, Some(&nonce), fee * 2).await;
        self.mine(1).await;
    }

    async fn bring_back(&mut self, txid: &str) {
        let raw = self.sent[txid].raw.clone();
        self.anvil
            .call("eth_sendRawTransaction", json!([raw]))
            .await;
        self.mine(1).await;
    }

    async fn forget(&mut self, txid: &str) {
        self.anvil
            .call("anvil_dropTransaction", json!([txid]))
            .await;
    }

    async fn pay_nothing(&mut self, address: &str) {
        self.pay(address, 0).await;
        self.mine(1).await;
    }

    /// One transaction pays one account here.
    async fn pay_both(&mut self, _one: &str, _other: &str, _raw: u128) -> Option<String> {
        None
    }

    /// Nothing is spent but balances.
    async fn pay_child(&mut self, _address: &str, _raw: u128) -> Option<(String, String)> {
        None
    }
}
