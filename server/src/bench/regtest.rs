//! A node of Bitcoin Core for one measurement, on a private network that nobody else is on.
//!
//! Invariants: it listens on this machine alone and connects to nobody; its process and its folder are gone
//! when it is dropped, whatever came of the measurement.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use gateway::chain::ChainSettings;
use gateway::chain::bitcoin_core::{Credentials, NodeSettings, Rpc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::sleep;

/// The coin whose node it is.
pub(super) const CODE: &str = "BTC";

/// Longest wait for its first answer, and for each one after it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at whether it answers.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A port that was free may be taken by somebody else before the node has it.
const STARTS_MAX: u32 = 3;
/// What its log says then.
const PORT_IS_TAKEN: &str = "Unable to bind";
/// Lines of its log that an error repeats.
const LOG_LINES: usize = 6;

/// The program of Bitcoin Core.
///
/// # Errors
/// None is named, or there is none at that place.
pub(super) fn find(program: Option<&Path>) -> anyhow::Result<&Path> {
    let program =
        program.context("no node is named: give Bitcoin Core's program with --bitcoind")?;
    ensure!(
        program.is_file(),
        "there is no node at {}: name Bitcoin Core's program with --bitcoind",
        program.display()
    );
    Ok(program)
}

/// The node while it runs.
pub(super) struct Regtest {
    process: Child,
    folder: Folder,
    rpc: Rpc,
    rpc_port: u16,
    /// Where it announces what is new.
    zmq_port: u16,
}

/// Gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let random = RandomState::new().hash_one(std::process::id());
        let path = std::env::temp_dir().join(format!("exchequer-bench-node-{random:016x}"));
        fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self(path))
    }

    /// Where a node on a private network keeps its files.
    fn of_chain(&self) -> PathBuf {
        self.0.join("regtest")
    }

    fn cookie(&self) -> PathBuf {
        self.of_chain().join(".cookie")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.of_chain().join("debug.log")).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing in it is needed by anybody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drop for Regtest {
    /// Before its folder goes.
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Regtest {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// The program cannot be run, ends, or does not answer in time.
    pub(super) async fn start(program: &Path) -> anyhow::Result<Self> {
        for _ in 0..STARTS_MAX {
            let mut node = Self::spawn(program)?;
            let Some(log) = node.ended_before_it_answers().await? else {
                return Ok(node);
            };
            if !log.contains(PORT_IS_TAKEN) {
                bail!("{} ended at once:\n{}", program.display(), tail(&log));
            }
        }
        bail!("no port stayed free for {}", program.display())
    }

    fn spawn(program: &Path) -> anyhow::Result<Self> {
        let folder = Folder::make()?;
        let [rpc_port, zmq_port] = free_ports()?;
        let rpc = Rpc::new(
            format!("http://127.0.0.1:{rpc_port}").parse()?,
            Credentials::Cookie(folder.cookie()),
            PATIENCE,
        )?;
        let process = Command::new(program)
            .arg("-chain=regtest")
            .arg(format!("-datadir={}", folder.0.display()))
            .arg(format!("-rpcport={rpc_port}"))
            .arg(format!("-zmqpubsequence={}", publisher(zmq_port)))
            .arg(format!("-zmqpubhashblock={}", publisher(zmq_port)))
            .args(["-listen=0", "-connect=0", "-dnsseed=0", "-printtoconsole=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C reaches us alone, and we end it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be run", program.display()))?;
        Ok(Self {
            process,
            folder,
            rpc,
            rpc_port,
            zmq_port,
        })
    }

    /// Waits for its first answer; its log when it ended instead.
    async fn ended_before_it_answers(&mut self) -> anyhow::Result<Option<String>> {
        let began = Instant::now();
        loop {
            let answer = self.rpc.call::<u32>("getblockcount", json!([])).await;
            let Err(error) = answer else { return Ok(None) };
            if self.process.try_wait()?.is_some() {
                return Ok(Some(self.folder.log()));
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "the node did not answer within {} s: {error}",
                PATIENCE.as_secs()
            );
            sleep(LOOK_EVERY).await;
        }
    }

    /// Calls `method` with `params`, an array.
    ///
    /// # Errors
    /// The node says no or cannot be asked.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> anyhow::Result<T> {
        let answer = self.rpc.call(method, params).await;
        answer.with_context(|| format!("the node did not do {method}"))
    }

    /// Makes blocks whose rewards go to `address`; answers their hashes, oldest first.
    pub(super) async fn mine(&self, blocks: u32, address: &str) -> anyhow::Result<Vec<String>> {
        self.call("generatetoaddress", json!([blocks, address]))
            .await
    }

    /// The settings an operator would give, with or without its announcements.
    ///
    /// # Errors
    /// The settings are refused.
    pub(super) fn chains(&self, with_zmq: bool) -> anyhow::Result<ChainSettings> {
        let told = self.variables(with_zmq);
        ChainSettings::read(|name| value(&told, name), true).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow!(lines.join("\n"))
        })
    }

    /// Between two looks of ours at it where nothing is announced.
    ///
    /// # Errors
    /// The settings are refused.
    pub(super) fn look_every(&self) -> anyhow::Result<Duration> {
        let told = self.variables(false);
        let judged = NodeSettings::from_variables(CODE, |name| value(&told, name)).judge(CODE);
        let config = judged.ok().flatten().context("a node without settings")?;
        Ok(config.look_every)
    }

    fn variables(&self, with_zmq: bool) -> Vec<(&'static str, String)> {
        let mut told = vec![
            ("EXCHEQUER_CHAIN_BTC", "bitcoin-core".to_owned()),
            (
                "EXCHEQUER_CHAIN_BTC_URL",
                format!("http://127.0.0.1:{}", self.rpc_port),
            ),
            (
                "EXCHEQUER_CHAIN_BTC_COOKIE",
                self.folder.cookie().display().to_string(),
            ),
            ("EXCHEQUER_CHAIN_BTC_NETWORK", "regtest".to_owned()),
        ];
        if with_zmq {
            told.push(("EXCHEQUER_CHAIN_BTC_ZMQ", publisher(self.zmq_port)));
        }
        told
    }
}

fn value(told: &[(&'static str, String)], name: &str) -> Option<String> {
    let (_, text) = told.iter().find(|(variable, _)| *variable == name)?;
    Some(text.clone())
}

fn publisher(port: u16) -> String {
    format!("tcp://127.0.0.1:{port}")
}

/// Two different ones that nobody listens on.
fn free_ports() -> anyhow::Result<[u16; 2]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (one, other) = (bind()?, bind()?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(LOG_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_node_is_named_and_how_to_name_one() {
        let none = find(None).unwrap_err().to_string();
        assert!(none.contains("--bitcoind"), "{none}");
        let nowhere = Path::new("/nonexistent/bitcoind");
        let missing = find(Some(nowhere)).unwrap_err().to_string();
        assert!(missing.contains("/nonexistent/bitcoind"), "{missing}");
        assert!(missing.contains("--bitcoind"), "{missing}");
    }

    #[tokio::test]
    async fn a_program_that_is_no_node_is_told_apart_and_leaves_nothing() {
        let ended = Regtest::start(Path::new("/bin/false")).await;
        let message = ended.err().unwrap().to_string();
        assert!(message.contains("ended at once"), "{message}");
    }

    #[test]
    fn a_folder_goes_with_its_node() {
        let folder = Folder::make().unwrap();
        let path = folder.0.clone();
        fs::create_dir(folder.of_chain()).unwrap();
        fs::write(folder.cookie(), "secret").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn the_end_of_a_log_is_told() {
        assert_eq!(tail("1\n2\n3\n4\n5\n6\n7"), "2\n3\n4\n5\n6\n7");
        assert_eq!(tail(""), "");
    }
}
