//! `exchequer bench` from start to end, as small as it gets: it measures every row and another ledger beside
//! ours, and leaves no database behind, also when it is told to stop.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sqlx::{ConnectOptions, PgPool};

const ROWS: [&str; 37] = [
    "tpcb",
    "tpcb_latency",
    "anchor_two-balances_uniform",
    "anchor_two-balances_hot",
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

/// A ledger of a few lines, to be measured beside ours.
const ANCHORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench_anchors");

/// The smallest bench there is, on the cluster of the test's database.
fn bench(pool: &PgPool, seconds: &str) -> Command {
    let url = pool.connect_options().to_url_lossy().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_exchequer"));
    command
        .args(["bench", "--json", "--rounds", "1", "--seconds", seconds])
        .args(["--connections", "2", "--scale", "1", "--tpcb-clients", "2"])
        .args(["--rows", "2000", "--accounts", "50", "--in-flight", "8"])
        .args(["--anchors", ANCHORS])
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

/// Whether the processes of the test's Postgres can be looked at from here: the title of the one that
/// serves the test names its database.
async fn is_here(pool: &PgPool) -> bool {
    let (process, database): (i32, String) =
        sqlx::query_as("SELECT pg_backend_pid(), current_database()::text")
            .fetch_one(pool)
            .await
            .unwrap();
    let title = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&title).contains(&database)
}

/// CPU time stands at rates, and at nothing else; that of Postgres where it can be looked at.
fn judge_cpu(rows: &[Value], is_here: bool) {
    for row in rows {
        let is_rate = row["unit"] == "/s";
        for key in ["cpu_postgres_us", "cpu_ratio"] {
            assert_eq!(row[key].is_number(), is_rate && is_here, "{key}: {row}");
        }
        let is_told = is_rate && cfg!(target_os = "linux");
        assert_eq!(row["cpu_own_us"].is_number(), is_told, "{row}");
    }
    if is_here {
        let of = |name: &str| {
            let row = rows.iter().find(|row| row["name"] == name).unwrap();
            row["cpu_postgres_us"].as_f64().unwrap()
        };
        for name in ["tpcb", "anchor_two-balances_uniform", "percall_uniform"] {
            assert!(of(name) > 0.0, "{name}");
        }
        assert_eq!(rows[0]["cpu_ratio"].as_f64(), Some(1.0));
    }
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
    assert!(report["latency_turned_away"].is_u64(), "{report}");
    assert!(
        report["statement_lines"].as_u64().unwrap() > 1_900,
        "{report}"
    );
    let judged: Vec<&Value> = rows
        .iter()
        .flat_map(|row| row["goals"].as_array().unwrap())
        .collect();
    // Those by ledgers of other names are not among them.
    assert_eq!(judged.len(), 19, "every goal is judged: {judged:?}");
    judge_cpu(rows, is_here(&pool).await);
    for (row, is_compared) in [
        ("ledger_uniform", true),
        ("ledger_hot", true),
        ("ledger_zipf", false),
    ] {
        let row = rows.iter().find(|each| each["name"] == row).unwrap();
        let ratio = &row["to_anchors"]["two-balances"];
        assert_eq!(ratio.is_number(), is_compared, "{row}");
    }
    assert!(judged.iter().all(|goal| goal["held"].is_boolean()));
    assert!(complaint.contains("round 1 of 1: tpcb "), "{complaint}");
    assert_eq!(left_behind(&pool).await, Vec::<String>::new());

    // Longer than a test may take: only the signal ends it.
    let mut child = bench(&pool, "600").stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    progress.read_line(&mut line).unwrap();
    assert!(line.starts_with("filling"), "{line}");
    // Ours and the other ledger's.
    assert_eq!(left_behind(&pool).await.len(), 2);
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(id, Signal::SIGINT).unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(left_behind(&pool).await, Vec::<String>::new());
}

#[test]
fn a_folder_that_cannot_be_used_is_said_before_anything_is_made() {
    let output = Command::new(env!("CARGO_BIN_EXE_exchequer"))
        .args(["bench", "--anchors", "/nonexistent"])
        // Nobody is there, and nobody is asked.
        .env("DATABASE_URL", "postgres://127.0.0.1:9/nowhere")
        .env_remove("EXCHEQUER_PUBLIC_URL")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let complaint = String::from_utf8_lossy(&output.stderr);
    let expected = "the folder of anchors /nonexistent cannot be read";
    assert!(complaint.contains(expected), "{complaint}");
    assert!(output.stdout.is_empty());
}
