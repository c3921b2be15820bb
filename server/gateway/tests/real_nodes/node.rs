//! A node of its own on a private network, in a folder of its own, gone when it is dropped.
#![allow(dead_code, reason = "not every suite needs all of a node")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use gateway::chain::address::{CoinParams, Network, params_on};
use gateway::chain::bitcoin_core::{BitcoinCore, Credentials, NodeConfig, NodeSettings, Rpc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::port::free_port;
use crate::required::is_required;

/// Longer than a node takes to start or stop on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at something that is about to happen.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const PORTS_MAX: u32 = 5;

static FOLDERS: AtomicU32 = AtomicU32::new(0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bitcoin,
    Litecoin,
}

impl Kind {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bitcoin => "BTC",
            Self::Litecoin => "LTC",
        }
    }

    pub fn coin(self) -> &'static CoinParams {
        params_on(self.code(), Network::Regtest).unwrap()
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Bitcoin => "bitcoind",
            Self::Litecoin => "litecoind",
        }
    }

    const fn override_variable(self) -> &'static str {
        match self {
            Self::Bitcoin => "EXCHEQUER_BITCOIND",
            Self::Litecoin => "EXCHEQUER_LITECOIND",
        }
    }
}

/// What a test asks of its node beyond the usual.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    pub wallet: bool,
    /// It is alone there, too: what it knows of the main network is the first block.
    pub main_network: bool,
    pub arguments: Vec<String>,
}

pub struct Node {
    pub kind: Kind,
    pub rpc: Rpc,
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    process: Child,
    extras: Extras,
}

impl Node {
    /// `None` when this node is not required.
    pub async fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, Extras::default()).await
    }

    pub async fn start_with(kind: Kind, extras: Extras) -> Option<Self> {
        let program = program(kind)?;
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("exchequer-node-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        let mut node = Self {
            kind,
            rpc: rpc(&folder, port, &extras),
            process: spawn(kind, &program, &folder, port, &extras),
            program,
            folder,
            port,
            extras,
        };
        for _ in 0..PORTS_MAX {
            match node.wait_until_up().await {
                Ok(()) => return Some(node),
                // Another test may have taken the port meanwhile.
                Err(log) if log.contains("Unable to bind") => {
                    node.port = free_port();
                    node.rpc = rpc(&node.folder, node.port, &node.extras);
                    node.process = node.spawn();
                }
                Err(log) => panic!("the node ended: {log}"),
            }
        }
        panic!("no port was free");
    }

    /// Stops it in an orderly way; it can be started again.
    pub async fn stop(&mut self) {
        let _: Value = self.call("stop", json!([])).await;
        let began = Instant::now();
        while self.process.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "the node does not stop");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub async fn start_again(&mut self) {
        self.process = self.spawn();
        self.wait_until_up().await.unwrap();
    }

    /// While it is stopped: what waits for a block is not there when it starts again.
    pub fn forget_mempool(&self) {
        let removed = fs::remove_file(chain_folder(&self.folder, &self.extras).join("mempool.dat"));
        // A node that never had anything waiting may have written none.
        assert!(removed.is_ok() || removed.is_err_and(|e| e.kind() == io::ErrorKind::NotFound));
    }

    fn spawn(&self) -> Child {
        spawn(
            self.kind,
            &self.program,
            &self.folder,
            self.port,
            &self.extras,
        )
    }

    /// Waits until it answers; its log when it ended instead.
    async fn wait_until_up(&mut self) -> Result<(), String> {
        let began = Instant::now();
        loop {
            let Err(error) = self.rpc.call::<Value>("getblockcount", json!([])).await else {
                return Ok(());
            };
            if self.process.try_wait().unwrap().is_some() {
                let folder = chain_folder(&self.folder, &self.extras);
                let log = fs::read_to_string(folder.join("debug.log"));
                return Err(log.unwrap_or_default());
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the node does not start: {error}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn cookie_path(&self) -> PathBuf {
        cookie_path(&self.folder, &self.extras)
    }

    /// The settings an operator would give, for the coin `code` on `network`.
    pub fn config_as(&self, code: &str, network: Network) -> NodeConfig {
        let settings = NodeSettings {
            kind: Some("bitcoin-core".to_owned()),
            url: Some(self.url()),
            cookie: Some(self.cookie_path().display().to_string()),
            network: Some(network.name().to_owned()),
            ..NodeSettings::default()
        };
        settings.judge(code).unwrap().unwrap()
    }

    pub async fn backend(&self) -> BitcoinCore {
        BitcoinCore::open(self.config_as(self.kind.code(), Network::Regtest))
            .await
            .unwrap()
    }

    pub async fn call<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> T {
        match self.rpc.call(method, params).await {
            Ok(answer) => answer,
            Err(error) => panic!("{error}"),
        }
    }

    /// Hashes of the new blocks, oldest first.
    pub async fn mine(&self, blocks: u32, address: &str) -> Vec<String> {
        self.call("generatetoaddress", json!([blocks, address]))
            .await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(kind: Kind, program: &Path, folder: &Path, port: u16, extras: &Extras) -> Child {
    let mut command = Command::new(program);
    let chain = if extras.main_network {
        "-chain=main"
    } else {
        "-chain=regtest"
    };
    command
        .arg(chain)
        .arg(format!("-datadir={}", folder.display()))
        .arg(format!("-rpcport={port}"))
        .args([
            "-listen=0",
            "-connect=0",
            "-dnsseed=0",
            "-printtoconsole=0",
            "-fallbackfee=0.0001",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if kind == Kind::Litecoin {
        // As every other node of today does.
        command.arg("-mempoolreplacement=1");
        if !extras.wallet {
            command.arg("-disablewallet");
        }
    }
    command.args(&extras.arguments);
    command.spawn().unwrap()
}

fn rpc(folder: &Path, port: u16, extras: &Extras) -> Rpc {
    let url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let cookie = Credentials::Cookie(cookie_path(folder, extras));
    Rpc::new(url, cookie, PATIENCE).unwrap()
}

fn cookie_path(folder: &Path, extras: &Extras) -> PathBuf {
    chain_folder(folder, extras).join(".cookie")
}

fn chain_folder(folder: &Path, extras: &Extras) -> PathBuf {
    if extras.main_network {
        folder.to_owned()
    } else {
        folder.join("regtest")
    }
}

/// The node's program; `None`, and a line that says so, when it is not required.
fn program(kind: Kind) -> Option<PathBuf> {
    let name = kind.program();
    if !is_required(name) {
        return None;
    }
    let variable = kind.override_variable();
    if let Some(path) = env::var_os(variable) {
        return Some(path.into());
    }
    let paths = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&paths)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    assert!(
        found.is_some(),
        "there is no {name}: run './x nodes' and name its program in {variable}"
    );
    found
}
