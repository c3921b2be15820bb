//! A node of a test's own: no block but those the test asks for, stopped when it is dropped.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use gateway::chain::backend::{ChainBackend, ChainBlock};
use gateway::chain::evm::config::Network;
use gateway::chain::evm::rpc::{Limits, Rpc};
use gateway::chain::evm::{Account, Asset, Evm, EvmConfig, NodeUrl};
use serde_json::{Value, json};

use crate::required::is_required;

/// Has 10 000 ether, as the other one.
pub const ALICE: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
pub const BOB: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// Published with anvil; worth nothing anywhere.
pub const ALICE_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

pub const CHAIN_ID: u64 = 31_337;

const START_SECONDS_MAX: u64 = 60;
/// Calls until something has to be so that is about to happen.
const LOOKS_MAX: usize = 2_000;

pub struct Anvil {
    child: Child,
    pub port: u16,
    rpc: Rpc,
}

/// Where `scripts/anvil.sh` puts what it installs.
pub fn modules() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cache"),
        PathBuf::from,
    );
    cache.join("exchequer/anvil/node_modules")
}

fn program() -> PathBuf {
    let packages = modules().join("@foundry-rs");
    let found = std::fs::read_dir(&packages)
        .into_iter()
        .flatten()
        .flatten()
        .map(|package| package.path().join("bin/anvil"))
        .find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("no anvil in {}: run './x nodes anvil'", packages.display()))
}

impl Anvil {
    /// `None` when anvil is not required.
    pub fn start() -> Option<Self> {
        is_required("anvil").then(|| Self::launch(0, CHAIN_ID))
    }

    /// Port 0 is any free one.
    pub fn launch(port: u16, chain_id: u64) -> Self {
        let mut child = Command::new(program())
            .args(["--host", "127.0.0.1", "--no-mining"])
            .args(["--port", &port.to_string()])
            .args(["--chain-id", &chain_id.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        // Reads on to the end: a full pipe would stop the node.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("Listening on 127.0.0.1:") {
                    // Nobody listens any more when the test is over.
                    let _ = tell.send(address.trim().parse::<u16>());
                }
            }
        });
        let Ok(Ok(port)) = told.recv_timeout(Duration::from_secs(START_SECONDS_MAX)) else {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("anvil has not started in {START_SECONDS_MAX} seconds");
        };
        let rpc = Rpc::new(url(port), Limits::default()).unwrap();
        Self { child, port, rpc }
    }

    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn config(&self, asset: Asset) -> EvmConfig {
        EvmConfig {
            url: url(self.port),
            network: Network::Local { chain_id: CHAIN_ID },
            asset,
            limits: Limits::default(),
        }
    }

    pub async fn open(&self, asset: Asset) -> Evm {
        Evm::open(self.config(asset)).await.unwrap()
    }

    pub async fn call(&self, method: &'static str, params: Value) -> Value {
        self.rpc.call(method, params).await.unwrap()
    }

    /// Sends a transaction of an account whose key the node has, and waits until it is in the pool.
    /// Gas and fees are the caller's only if it says so.
    pub async fn send(&self, tx: Value) -> String {
        let mut full = json!({
            "gas": "0x2dc6c0", "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x3b9aca00",
        });
        for (field, value) in tx.as_object().unwrap() {
            full[field] = value.clone();
        }
        let txid = self.call("eth_sendTransaction", json!([full])).await;
        let txid = txid.as_str().unwrap().to_owned();
        self.until_known(&txid).await;
        txid
    }

    pub async fn pay(&self, from: &str, to: Account, wei: u64) -> String {
        let tx = json!({ "from": from, "to": to.to_string(), "value": format!("{wei:#x}") });
        self.send(tx).await
    }

    async fn until_known(&self, txid: &str) {
        for _ in 0..LOOKS_MAX {
            let found = self.call("eth_getTransactionByHash", json!([txid])).await;
            if !found.is_null() {
                return;
            }
        }
        panic!("the node does not know {txid}");
    }

    /// One block with all that is in the pool.
    pub async fn mine(&self) {
        self.call("evm_mine", json!([])).await;
    }

    /// Replaces the last blocks by as many empty ones.
    pub async fn reorg(&self, depth: u32) {
        self.call("anvil_reorg", json!([depth, []])).await;
    }

    /// The signed bytes of a transaction.
    pub async fn raw(&self, txid: &str) -> Vec<u8> {
        let raw = self
            .call("eth_getRawTransactionByHash", json!([txid]))
            .await;
        let digits = raw.as_str().unwrap().strip_prefix("0x").unwrap();
        hex::decode(digits).unwrap()
    }

    pub async fn receipt(&self, txid: &str) -> Value {
        self.call("eth_getTransactionReceipt", json!([txid])).await
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It may have been stopped before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn url(port: u16) -> NodeUrl {
    NodeUrl::parse(&format!("http://127.0.0.1:{port}")).unwrap()
}

/// An account nobody has the key of.
pub fn fresh(byte: u8) -> Account {
    Account([byte; 20])
}

/// The best block, whole.
pub async fn last_block(evm: &Evm) -> ChainBlock {
    let tip = evm.tip().await.unwrap();
    let block = evm.block(&tip.hash).await.unwrap();
    assert_eq!(block.reference, tip);
    block
}
