//! A server is told to stop, and does, whoever reads its log.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{ConnectOptions, PgPool};

#[sqlx::test(migrations = "../migrations")]
async fn a_server_whose_log_nobody_reads_stops_all_the_same(pool: PgPool) {
    let url = pool.connect_options().to_url_lossy().to_string();
    let mut server = Command::new(env!("CARGO_BIN_EXE_exchequer"))
        .arg("serve")
        .env("DATABASE_URL", url)
        .env("EXCHEQUER_LISTEN", "127.0.0.1:0")
        .env("EXCHEQUER_LOG", "info")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    drop(server.stderr.take());
    drop(output);
    let id = Pid::from_raw(server.id().try_into().unwrap());
    kill(id, Signal::SIGTERM).unwrap();
    let ended = tokio::task::spawn_blocking(move || server.wait());
    let status = tokio::time::timeout(Duration::from_secs(60), ended).await;
    if status.is_err() {
        // Or the test would wait for it as long as it runs.
        kill(id, Signal::SIGKILL).unwrap();
    }
    assert!(status.unwrap().unwrap().unwrap().success());
}
