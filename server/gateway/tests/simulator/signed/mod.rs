//! The world whose withdrawals somebody else signs: a chain like Bitcoin's, where they share transactions, and a
//! chain of accounts, where each has a number and deposits are swept. Networks and nodes are those of the suites
//! of payouts and of the treasury; the signers are real, and stand behind a desk (`desk.rs`) that refuses, hangs,
//! loses and spoils what they say.
//!
//! After every step the books are added up and audited, receivers have what the tables say, of a payout one version
//! at most is mined, and no number is left out. At the end everybody works again, and each withdrawal has ended or
//! says why not.

mod desk;
mod invariants;
mod rest;
mod script;
mod steps;
mod trouble;
mod world;

use crate::commands;
use crate::wired::Wired;
use crate::{caught, judge};
use script::{Command, of_seed};
use world::Run;

/// Steps per seed: fewer than in the other world, for all of it is looked at after each.
const STEPS: usize = 60;

type Step = commands::Step<Command>;

/// Runs the script on a database of its own; says after which step what was wrong.
async fn run(script: &[Step]) -> Result<(), String> {
    let database = Wired::new().await;
    let outcome = caught(run_in(&database, script)).await;
    database.remove().await;
    outcome
}

async fn run_in(database: &Wired, script: &[Step]) -> Result<(), String> {
    let mut run = Run::new(database).await;
    for (index, step) in script.iter().enumerate() {
        let number = index + 1;
        let after = |what: String| format!("after step {number}, {step}: {what}");
        run.step(number, step).await.map_err(after)?;
        run.check_step().await.map_err(after)?;
    }
    let at_the_end = |what: String| format!("at the end: {what}");
    run.settle_down().await.map_err(at_the_end)?;
    run.check_step().await.map_err(at_the_end)?;
    run.check_end().await.map_err(at_the_end)
}

/// Fails with the shortest script that is found, if something is wrong.
pub async fn run_seed(seed: u64) {
    let script = of_seed(seed, STEPS);
    judge(seed, &script, |steps| async move { run(&steps).await }).await;
}
