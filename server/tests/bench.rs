//! `exchequer bench` from start to end, as small as it gets: it measures every row and leaves no
//! database behind, also when it is told to stop.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sqlx::{ConnectOptions, PgPool};

const ROWS: [&str; 35] = [
    "tpcb",
    "tpcb_latency",
    "floor",
    "ledger_uniform",
    "ledger_hot",
    "ledger_zipf",
    "hold_pairs",
    "percall_uniform",
    "percall_hot",
    "latency_p50",
    "latency_p99",
    "latency_p999",
    "one_in_flight_p50",
    "direct_p50",
    "queue",
    "deliveries",
    "page_first",
    "page_last",
    "total_count",
    "payments_uniform",
    "payments",
    "orders_created",
    "exchanges",
    "checkout_closed_p50",
    "checkout_closed_p95",
    "checkout_closed_p99",
    "checkout_paced_p50",
    "checkout_paced_p95",
    "checkout_paced_p99",
    "callback_answered_p50",
    "callback_answered_p95",
    "callback_sent_p50",
    "callback_sent_p95",
    "withdrawals_requested",
    "audit",
];

/// The smallest bench there is, on the cluster of the test's database.
fn bench(pool: &PgPool, seconds: &str) -> Command {
    let url = pool.connect_options().to_url_lossy().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_exchequer"));
    command
        .args(["bench", "--json", "--rounds", "1", "--seconds", seconds])
        .args(["--connections", "2", "--scale", "1", "--tpcb-clients", "2"])
        .args(["--rows", "2000", "--accounts", "50", "--in-flight", "8"])
        .env("DATABASE_URL", url)
        // Where the tests' own settings would lead elsewhere.
        .env_remove("EXCHEQUER_PUBLIC_URL")
        .stdin(Stdio::null());
    command
}

/// Databases of the bench, which nobody else makes.
async fn left_behind(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT datname::text FROM pg_database WHERE datname LIKE 'exchequer_bench_%'",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrations = false)]
async fn every_row_is_measured_and_nothing_is_left_behind(pool: PgPool) {
    // One test, because both parts look for the same databases.
    let output = bench(&pool, "1").output().unwrap();
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
        // A callback may be faster than the answer about its payment.
        let may_be_nothing = row["name"]
            .as_str()
            .unwrap()
            .starts_with("callback_answered");
        assert!(
            row["median"].as_f64().unwrap() > 0.0 || may_be_nothing,
            "{row}"
        );
        assert!(row["ratio"].as_f64().is_some(), "{row}");
        assert_eq!(row["rounds"].as_array().unwrap().len(), 1, "{row}");
    }
    assert!(report["postings"].as_u64().unwrap() > 2_000, "{report}");
    assert!(
        report["statement_lines"].as_u64().unwrap() > 1_900,
        "{report}"
    );
    let judged: Vec<&Value> = rows
        .iter()
        .flat_map(|row| row["goals"].as_array().unwrap())
        .collect();
    assert_eq!(judged.len(), 19, "every goal is judged: {judged:?}");
    assert!(judged.iter().all(|goal| goal["held"].is_boolean()));
    assert!(complaint.contains("round 1 of 1: tpcb "), "{complaint}");
    assert_eq!(left_behind(&pool).await, Vec::<String>::new());

    // Longer than a test may take: only the signal ends it.
    let mut child = bench(&pool, "600").stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    progress.read_line(&mut line).unwrap();
    assert!(line.starts_with("filling"), "{line}");
    assert_eq!(left_behind(&pool).await.len(), 1);
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(id, Signal::SIGINT).unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(left_behind(&pool).await, Vec::<String>::new());
}
