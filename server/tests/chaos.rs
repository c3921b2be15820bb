//! Everything that can break at once: servers and Postgres are killed under load, replies are cut off,
//! clocks are wrong, receivers are broken, copies are restored, the disk is full.
//!
//! The oracle is what the clients were told. Whatever was acknowledged is there exactly once, what was
//! refused is not, who asks again gets the same bytes, each is told of, and the books are clean.
//!
//! A short run is one of the tests. `./x chaos` goes on for as long, or as often, as it is told and prints a
//! table.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "chaos/broken_receiver.rs"]
mod broken_receiver;
#[path = "chaos/cases.rs"]
mod cases;
#[path = "chaos/choice.rs"]
mod choice;
#[path = "chaos/clocks.rs"]
mod clocks;
#[path = "chaos/cluster.rs"]
mod cluster;
#[path = "chaos/crowd.rs"]
mod crowd;
#[path = "chaos/disk.rs"]
mod disk;
#[path = "chaos/field.rs"]
mod field;
#[path = "chaos/hearing.rs"]
mod hearing;
#[path = "chaos/hook.rs"]
mod hook;
#[path = "chaos/offers.rs"]
mod offers;
#[path = "chaos/oracle.rs"]
mod oracle;
#[path = "chaos/overload.rs"]
mod overload;
#[path = "chaos/programs.rs"]
mod programs;
#[path = "chaos/proxy.rs"]
mod proxy;
#[path = "chaos/receivers.rs"]
mod receivers;
#[path = "chaos/report.rs"]
mod report;
#[path = "chaos/restore.rs"]
mod restore;
#[path = "chaos/shop.rs"]
mod shop;
#[path = "chaos/spread.rs"]
mod spread;
#[path = "chaos/telling.rs"]
mod telling;
#[path = "chaos/wrong_clock.rs"]
mod wrong_clock;

use choice::Choice;
use field::Field;
use oracle::Faults;
use report::Report;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_is_there_once() {
    let choice = Choice::of_environment();
    let mut field = Field::start().await;
    let mut report = Report::default();
    let mut round = 0;
    loop {
        for case in &choice.cases {
            match case.run(&mut field, round, choice.is_long).await {
                Ok(outcome) => {
                    report.add(*case, &outcome);
                    if outcome.faults != Faults::default() {
                        println!("{report}");
                    }
                    assert_eq!(outcome.faults, Faults::default(), "{case:?}");
                    // Of what nobody has done nothing is wrong.
                    if case.has_everything() {
                        assert!(outcome.paid > 0, "{case:?}: nobody paid an order");
                        assert!(outcome.refused > 0, "{case:?}: nothing was refused");
                    }
                }
                Err(why) => report.leave_out(*case, why),
            }
        }
        round += 1;
        if !choice.goes_on(round) {
            break;
        }
    }
    field.stop().await;
    println!("{report}");
    assert!(report.has_runs(), "no case can be run here");
}
