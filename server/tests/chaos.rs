//! Everything that can break at once: servers and Postgres are killed under load, replies are cut off,
//! receivers hang, copies are restored, the disk is full.
//!
//! The oracle is what the clients were told. Whatever was acknowledged is there exactly once, what was
//! refused is not, who asks again gets the same bytes, each is told of, and the books are clean.
//!
//! A short run is one of the tests. `./x chaos MINUTES` goes on for as long and prints a table.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "chaos/cases.rs"]
mod cases;
#[path = "chaos/cluster.rs"]
mod cluster;
#[path = "chaos/crowd.rs"]
mod crowd;
#[path = "chaos/disk.rs"]
mod disk;
#[path = "chaos/field.rs"]
mod field;
#[path = "chaos/oracle.rs"]
mod oracle;
#[path = "chaos/programs.rs"]
mod programs;
#[path = "chaos/proxy.rs"]
mod proxy;
#[path = "chaos/report.rs"]
mod report;
#[path = "chaos/shop.rs"]
mod shop;

use std::time::{Duration, Instant};

use cases::Case;
use field::Field;
use oracle::Faults;
use report::Report;

/// How long `./x chaos` goes on, minutes.
const MINUTES: &str = "EXCHEQUER_CHAOS_MINUTES";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_is_there_once() {
    let minutes = std::env::var(MINUTES).ok();
    let minutes: Option<u64> = minutes.map(|text| text.parse().expect("whole minutes"));
    let cases: Vec<Case> = match minutes {
        Some(_) => Case::ALL.to_vec(),
        // Those that need no long wait.
        None => Case::ALL
            .into_iter()
            .filter(|case| case.is_quick())
            .collect(),
    };
    let end = Instant::now() + Duration::from_secs(minutes.unwrap_or(0) * 60);
    let mut field = Field::start().await;
    let mut report = Report::default();
    let (mut round, mut paid) = (0, 0);
    loop {
        for case in &cases {
            match case.run(&mut field, round).await {
                Ok(outcome) => {
                    report.add(*case, &outcome);
                    paid += outcome.paid;
                    assert_eq!(outcome.faults, Faults::default(), "{case:?}");
                }
                Err(why) => report.leave_out(*case, why),
            }
        }
        round += 1;
        if Instant::now() >= end {
            break;
        }
    }
    field.stop().await;
    assert!(paid > 0, "nobody paid an order");
    println!("{report}");
}
