//! A walk of random steps with everything that may happen to the account that pays and to those that are swept:
//! what the signer refuses, numbers used elsewhere, dear gas, transfers that fail, blocks that are undone, also
//! deeper than anybody waits for, people who end what is stuck, and processes that die.
//!
//! A seed is a script. One that fails is shrunk and printed.

mod run;
mod script;

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::database::Database;
use crate::shrink::shrink;
use run::Run;
use script::{Step, of_seed};

const STEPS: usize = 60;

/// `from..to`: other seeds than those below.
const VARIABLE: &str = "TREASURY_WALK_SEEDS";

/// Whether everything was right after each step and at the end; why not is said where it was found.
async fn holds(script: &[Step]) -> bool {
    let database = Database::new().await;
    let outcome = AssertUnwindSafe(async {
        let mut run = Run::new(&database.pool).await;
        for step in script {
            run = run.step(*step).await;
        }
        run.finish().await;
    })
    .catch_unwind()
    .await;
    database.remove().await;
    outcome.is_ok()
}

async fn walk(seed: u64) {
    let script = of_seed(seed, STEPS);
    if holds(&script).await {
        return;
    }
    let shortest = shrink(&script, |steps| async move { !holds(&steps).await }).await;
    panic!(
        "seed {seed}, see above for what was wrong; shortest script found, {} steps: {shortest:?}",
        shortest.len()
    );
}

#[tokio::test]
async fn walk_1() {
    walk(1).await;
}

#[tokio::test]
async fn walk_2() {
    walk(2).await;
}

#[tokio::test]
async fn walk_3() {
    walk(3).await;
}

/// Neither undoes what is settled nor uses numbers elsewhere: at its end books and chain agree to the wei.
#[tokio::test]
async fn walk_9() {
    let script = of_seed(9, STEPS);
    let inexact = |step: &Step| matches!(step, Step::Elsewhere | Step::UndoSettled { .. });
    assert!(!script.iter().any(inexact));
    walk(9).await;
}

#[tokio::test]
#[ignore = "as long as one likes: TREASURY_WALK_SEEDS=from..to"]
async fn chosen_walks() {
    let text = std::env::var(VARIABLE).expect("TREASURY_WALK_SEEDS is from..to");
    let (from, to) = text.split_once("..").expect("from..to");
    for seed in from.parse::<u64>().unwrap()..to.parse().unwrap() {
        walk(seed).await;
        eprintln!("seed {seed}");
    }
}

/// What is never drawn is never looked at.
#[test]
fn every_kind_of_step_is_drawn() {
    let drawn: Vec<Step> = (1..=3).flat_map(|seed| of_seed(seed, STEPS)).collect();
    for step in Step::KINDS {
        let is_drawn = drawn
            .iter()
            .any(|each| std::mem::discriminant(each) == std::mem::discriminant(&step));
        assert!(is_drawn, "{step:?}");
    }
    assert_eq!(of_seed(1, STEPS), of_seed(1, STEPS));
    assert_ne!(of_seed(1, STEPS), of_seed(2, STEPS));
}
