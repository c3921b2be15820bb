//! Nodes of the Bitcoin family as puppets: they need no wallet, the purse signs.

use std::collections::HashMap;

use async_trait::async_trait;
use gateway::chain::ChainSettings;
use gateway::chain::backend::OutPoint;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::node::{Extras, Kind, Node};
use crate::puppet::Puppet;
use crate::purse::{COIN, Draft, Purse, elsewhere, miner, send};

const FEE: u128 = 10_000;
/// Payments all scenarios together make, and some more.
const COINS: u32 = 50;
/// Of the keys that are paid for blocks; those below are the purse's own.
const FIRST_MINER: u8 = 10;
/// Calls of one exchange with a node.
const AT_ONCE: usize = 200;

/// A payment that was made.
#[derive(Clone)]
struct Sent {
    coin: OutPoint,
    draft: Draft,
    /// What it left to whoever mines it: a replacement has to leave more.
    fee: u128,
}

pub struct CorePuppet {
    node: Node,
    purse: Purse,
    sent: HashMap<String, Sent>,
    /// Of the branch that is mined.
    miner: u8,
    /// The block below which [`Puppet::fall_behind`] went back.
    hidden: Option<String>,
    /// The second node of [`Puppet::copy`].
    second: Option<Node>,
}

impl CorePuppet {
    /// `None` when this node is not required.
    pub async fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, Extras::default(), COINS).await
    }

    /// One that can make so many payments.
    pub async fn start_with(kind: Kind, extras: Extras, coins: u32) -> Option<Self> {
        let node = Node::start_with(kind, extras).await?;
        let purse = Purse::filled(&node, coins).await;
        Some(Self {
            node,
            purse,
            sent: HashMap::new(),
            miner: FIRST_MINER,
            hidden: None,
            second: None,
        })
    }

    fn miner(&self) -> String {
        miner(self.node.kind, self.miner)
    }

    async fn height(&self) -> u32 {
        self.node.call("getblockcount", json!([])).await
    }

    async fn hash_at(&self, height: u32) -> String {
        self.node.call("getblockhash", json!([height])).await
    }

    /// A block with these transactions and no others.
    async fn mine_exactly(&self, drafts: &[&Draft]) {
        let hexes: Vec<&str> = drafts.iter().map(|draft| draft.hex.as_str()).collect();
        let _: Value = self
            .node
            .call("generateblock", json!([self.miner(), hexes]))
            .await;
    }

    /// Takes the last blocks back. Whoever mines the next ones is somebody else: for the same one, a
    /// node would make the very blocks it was told to forget.
    async fn take_back(&mut self, depth: u32) {
        let first = self.hash_at(self.height().await + 1 - depth).await;
        let _: Value = self.node.call("invalidateblock", json!([first])).await;
        self.miner += 1;
    }

    fn remember(&mut self, coin: OutPoint, draft: Draft, fee: u128) -> String {
        let txid = draft.txid.clone();
        self.sent.insert(txid.clone(), Sent { coin, draft, fee });
        txid
    }

    async fn draft_rival(&self, txid: &str, fee: u128) -> Draft {
        let sent = &self.sent[txid];
        let address = elsewhere(self.node.kind);
        let worth = COIN / 2;
        self.purse
            .draft(&self.node, &sent.coin, &address, worth, fee)
            .await
    }
}

#[async_trait]
impl Puppet for CorePuppet {
    fn code(&self) -> &'static str {
        self.node.kind.code()
    }

    /// 0.01 coins.
    fn unit(&self) -> u128 {
        1_000_000
    }

    fn settings(&self) -> ChainSettings {
        let code = self.code();
        let find =
            |variable: &str| match variable.strip_prefix(&format!("EXCHEQUER_CHAIN_{code}"))? {
                "" => Some("bitcoin-core".to_owned()),
                "_URL" => Some(self.node.url()),
                "_COOKIE" => Some(self.node.cookie_path().display().to_string()),
                "_NETWORK" => Some("regtest".to_owned()),
                _ => None,
            };
        ChainSettings::read(find, true).unwrap()
    }

    async fn pay(&mut self, address: &str, raw: u128) -> String {
        let coin = self.purse.coin();
        let draft = self.purse.draft(&self.node, &coin, address, raw, FEE).await;
        send(&self.node, &draft).await;
        self.remember(coin, draft, FEE)
    }

    async fn mine(&mut self, blocks: u32) {
        self.node.mine(blocks, &self.miner()).await;
    }

    async fn replace(&mut self, txid: &str, address: Option<&str>, raw: u128) -> String {
        let Sent { coin, fee, .. } = self.sent[txid].clone();
        let somebody = elsewhere(self.node.kind);
        let draft = self
            .purse
            .draft(
                &self.node,
                &coin,
                address.unwrap_or(&somebody),
                raw,
                fee + 2 * FEE,
            )
            .await;
        send(&self.node, &draft).await;
        self.remember(coin, draft, fee + 2 * FEE)
    }

    async fn mine_double_spend(&mut self, txid: &str) {
        let rival = self.draft_rival(txid, FEE).await;
        self.mine_exactly(&[&rival]).await;
    }

    async fn reorg(&mut self, depth: u32) {
        self.take_back(depth).await;
        self.mine(depth + 1).await;
    }

    async fn reorg_without(&mut self, depth: u32, txid: &str) {
        assert!(self.sent.contains_key(txid));
        self.take_back(depth).await;
        for _ in 0..=depth {
            self.mine_exactly(&[]).await;
        }
    }

    async fn reorg_against(&mut self, depth: u32, txid: &str) {
        self.take_back(depth).await;
        let rival = self.draft_rival(txid, 2 * FEE).await;
        self.mine_exactly(&[&rival]).await;
        for _ in 0..depth {
            self.mine_exactly(&[]).await;
        }
    }

    async fn bring_back(&mut self, txid: &str) {
        let hex = self.sent[txid].draft.hex.clone();
        // It may wait there already.
        let waiting: Vec<String> = self.node.call("getrawmempool", json!([])).await;
        if !waiting.iter().any(|waiting| waiting == txid) {
            let _: String = self.node.call("sendrawtransaction", json!([hex])).await;
        }
        self.mine(1).await;
    }

    async fn forget(&mut self, _txid: &str) {
        self.node.stop().await;
        self.node.forget_mempool();
        self.node.start_again().await;
    }

    async fn pay_nothing(&mut self, address: &str) {
        let coin = self.purse.coin();
        // No node passes it on, but whoever mines may put it into a block.
        let draft = self.purse.draft(&self.node, &coin, address, 0, FEE).await;
        self.mine_exactly(&[&draft]).await;
    }

    async fn pay_both(&mut self, one: &str, other: &str, raw: u128) -> Option<String> {
        let coin = self.purse.coin();
        let draft = self
            .purse
            .spend(&self.node, (&coin, COIN), &[(one, raw), (other, raw)], FEE)
            .await;
        send(&self.node, &draft).await;
        Some(self.remember(coin, draft, FEE))
    }

    async fn pay_child(&mut self, address: &str, raw: u128) -> Option<(String, String)> {
        let own = self.purse.address.clone();
        let worth = 4 * raw;
        let parent = self.pay(&own, worth).await;
        let coin = OutPoint {
            txid: parent.clone(),
            vout: 0,
        };
        let child = self
            .purse
            .spend(&self.node, (&coin, worth), &[(address, raw)], FEE)
            .await;
        send(&self.node, &child).await;
        let child = self.remember(coin, child, FEE);
        Some((parent, child))
    }

    async fn go_away(&mut self) -> bool {
        self.node.stop().await;
        true
    }

    async fn come_back(&mut self) {
        self.node.start_again().await;
    }

    async fn fall_behind(&mut self, blocks: u32) -> bool {
        let first = self.hash_at(self.height().await + 1 - blocks).await;
        let _: Value = self.node.call("invalidateblock", json!([first])).await;
        self.hidden = Some(first);
        true
    }

    async fn catch_up(&mut self) {
        if let Some(hidden) = self.hidden.take() {
            let _: Value = self.node.call("reconsiderblock", json!([hidden])).await;
        }
    }

    async fn prune(&mut self, height: u32) -> i64 {
        let height = height.min(self.height().await);
        let _: Value = self.node.call("pruneblockchain", json!([height])).await;
        let info: Value = self.node.call("getblockchaininfo", json!([])).await;
        info["pruneheight"].as_i64().unwrap()
    }

    async fn copy(&mut self) {
        if self.second.is_none() {
            self.second = Node::start(self.node.kind).await;
        }
        let second = self.second.as_ref().unwrap();
        let had: u32 = second.call("getblockcount", json!([])).await;
        let missing: Vec<u32> = (had + 1..=self.height().await).collect();
        for heights in missing.chunks(AT_ONCE) {
            let params: Vec<Value> = heights.iter().map(|height| json!([height])).collect();
            let hashes: Vec<String> = call_each(&self.node, "getblockhash", &params).await;
            let params: Vec<Value> = hashes.iter().map(|hash| json!([hash, 0])).collect();
            let blocks: Vec<String> = call_each(&self.node, "getblock", &params).await;
            let params: Vec<Value> = blocks.iter().map(|block| json!([block])).collect();
            let refusals: Vec<Value> = call_each(second, "submitblock", &params).await;
            assert!(refusals.iter().all(Value::is_null), "{refusals:?}");
        }
    }

    fn swap(&mut self) {
        std::mem::swap(&mut self.node, self.second.as_mut().unwrap());
    }
}

async fn call_each<T: DeserializeOwned>(
    node: &Node,
    method: &'static str,
    params: &[Value],
) -> Vec<T> {
    let answers = node.rpc.call_each::<T>(method, params).await.unwrap();
    answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(|_| panic!("{method} is refused")))
        .collect()
}
