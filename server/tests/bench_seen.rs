//! `exchequer bench seen` from start to end with a real node, as small as it gets, and what is left of it
//! when it is told to stop.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../gateway/tests/real_nodes/required.rs"]
mod required;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sqlx::{ConnectOptions, PgPool};

const ROWS: [&str; 6] = [
    "tpcb",
    "tpcb_latency",
    "page_seen_polled_p50",
    "page_seen_polled_p95",
    "page_seen_zmq_p50",
    "page_seen_zmq_p95",
];

/// The program of Bitcoin Core; `None` when it is not required.
fn bitcoind() -> Option<PathBuf> {
    if !required::is_required("bitcoind") {
        return None;
    }
    if let Some(path) = env::var_os("EXCHEQUER_BITCOIND") {
        return Some(path.into());
    }
    let paths = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&paths)
        .map(|folder| folder.join("bitcoind"))
        .find(|path| path.is_file());
    Some(found.expect("there is no bitcoind: run './x nodes' and name it in EXCHEQUER_BITCOIND"))
}

/// A folder for whatever is temporary, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn make(name: &str) -> Self {
        let path = env::temp_dir().join(format!("exchequer-seen-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// What a node would leave.
    fn nodes(&self) -> usize {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_str().unwrap().starts_with("exchequer-bench-node-"))
            .count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bench(pool: &PgPool, folder: &Folder, bitcoind: &Path, payments: &str) -> Command {
    let url = pool.connect_options().to_url_lossy().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_exchequer"));
    command
        .args(["bench", "seen", "--json", "--rounds", "1", "--seconds", "1"])
        .args([
            "--scale",
            "1",
            "--tpcb-clients",
            "2",
            "--payments",
            payments,
        ])
        .arg("--bitcoind")
        .arg(bitcoind)
        .env("DATABASE_URL", url)
        .env("TMPDIR", &folder.0)
        .env_remove("EXCHEQUER_PUBLIC_URL")
        .stdin(Stdio::null());
    command
}

#[sqlx::test(migrations = false)]
async fn payments_of_a_real_node_are_timed_both_ways_and_it_is_gone_afterwards(pool: PgPool) {
    let Some(bitcoind) = bitcoind() else { return };
    let folder = Folder::make("timed");
    let output = bench(&pool, &folder, &bitcoind, "3").output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ROWS);
    for row in rows {
        assert!(row["median"].as_f64().unwrap() > 0.0, "{row}");
    }
    assert_eq!(report["payments"], 3);
    assert_eq!(report["poll_ms"], 200);
    assert_eq!(report["loaded"], Value::Null);
    // Each payment leaves its postings: three and one uncounted, both ways.
    assert!(report["postings"].as_u64().unwrap() >= 8, "{report}");
    assert_eq!(folder.nodes(), 0);

    // Called off while the node runs.
    let mut child = bench(&pool, &folder, &bitcoind, "200")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let progress = BufReader::new(child.stderr.take().unwrap());
    let mut lines = progress.lines().map(|line| line.unwrap());
    assert!(lines.any(|line| line.starts_with("filling")));
    assert_eq!(folder.nodes(), 1);
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(id, Signal::SIGINT).unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(folder.nodes(), 0);
}

#[sqlx::test(migrations = false)]
async fn a_node_that_is_missing_is_said_before_anything_is_made(pool: PgPool) {
    let folder = Folder::make("missing");
    let nowhere = folder.0.join("bitcoind");
    let output = bench(&pool, &folder, &nowhere, "1").output().unwrap();
    assert!(!output.status.success());
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("there is no node at"), "{complaint}");
    assert!(complaint.contains("--bitcoind"), "{complaint}");
    assert!(output.stdout.is_empty());
    assert_eq!(folder.nodes(), 0);
}
