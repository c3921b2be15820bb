//! The deterministic simulator of the rules: one seed says what many merchants, payers, chains and
//! receivers do, and what goes wrong meanwhile; after every step the invariants are worked out anew.
//! No database, no clock, no threads. A failing seed is shrunk and printed.
//!
//! `EXCHEQUER_SIM_SEEDS=from..to` chooses other seeds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod bugs;
mod dice;
mod invariants;
mod progress;
mod script;
mod shrink;
mod world;

use std::ops::Range;
use std::panic::catch_unwind;

use bugs::Bug;
use progress::Progress;
use script::{Step, lines, of_seed};
use shrink::shrink;
use world::World;

/// Steps of a seed.
const STEPS: usize = 150;
/// Steps between two looks at what is slow to look at.
const SLOW_EVERY: usize = 10;
/// Seeds within which every bug must be found.
const SEEDS_OF_A_BUG: u64 = 400;
const VARIABLE: &str = "EXCHEQUER_SIM_SEEDS";

/// What broke, and after how many steps.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    steps: usize,
    what: String,
}

fn run(script: &[Step], bug: Option<Bug>) -> Result<(), Failure> {
    catch_unwind(|| run_steps(script, bug)).unwrap_or_else(|_| {
        Err(Failure {
            steps: script.len(),
            what: "it panicked, see above".to_owned(),
        })
    })
}

fn run_steps(script: &[Step], bug: Option<Bug>) -> Result<(), Failure> {
    let mut world = World::new(bug);
    for (index, step) in script.iter().enumerate() {
        world.step(index, step);
        let mut found = invariants::check(&world);
        if index % SLOW_EVERY == 0 && found.is_ok() {
            found = invariants::check_slowly(&world);
        }
        found.map_err(|what| Failure {
            steps: index + 1,
            what,
        })?;
    }
    world.settle_down();
    invariants::check(&world)
        .and_then(|()| invariants::check_slowly(&world))
        .and_then(|()| invariants::check_at_rest(&world))
        .map_err(|what| Failure {
            steps: script.len(),
            what: format!("at the end: {what}"),
        })
}

/// What a failing seed prints.
fn report(seed: u64, script: &[Step], failure: &Failure) -> String {
    let until = &script[..failure.steps];
    let shortest = shrink(until, |steps| run(steps, None).is_err());
    let what = run(&shortest, None)
        .err()
        .map_or(String::new(), |failure| failure.what);
    format!(
        "seed {seed} fails after {} steps: {}\nshortest script found, {} steps: {what}\n{}again: \
         {VARIABLE}={seed}..{} cargo test -p domain --test simulator seeds -- --nocapture",
        failure.steps,
        failure.what,
        shortest.len(),
        lines(&shortest),
        seed + 1
    )
}

/// `from..to` of the variable, if it is set.
fn chosen() -> Option<Range<u64>> {
    let text = std::env::var(VARIABLE).ok()?;
    let (from, to) = text
        .split_once("..")
        .expect("EXCHEQUER_SIM_SEEDS is from..to");
    Some(from.trim().parse().unwrap()..to.trim().parse().unwrap())
}

fn run_seeds(seeds: Range<u64>) {
    let progress = Progress::of(&seeds);
    for seed in seeds {
        let script = of_seed(seed, STEPS);
        if let Err(failure) = run(&script, None) {
            panic!("{}", report(seed, &script, &failure));
        }
        if let Some(line) = progress.after(seed) {
            println!("{line}");
        }
    }
}

/// Default seeds in parts, so that they share the cores; chosen ones are all in the first part.
macro_rules! seeds {
    ($($name:ident: $seeds:expr),+ $(,)?) => {$(
        #[test]
        fn $name() {
            match chosen() {
                None => run_seeds($seeds),
                Some(chosen) if $seeds.start == 0 => run_seeds(chosen),
                Some(_) => {}
            }
        }
    )+};
}

seeds! {
    seeds_from_0: 0..500,
    seeds_from_500: 500..1_000,
    seeds_from_1000: 1_000..1_500,
    seeds_from_1500: 1_500..2_000,
}

#[test]
fn the_same_seed_is_the_same_script() {
    for seed in [0, 1, 77] {
        assert_eq!(lines(&of_seed(seed, STEPS)), lines(&of_seed(seed, STEPS)));
    }
    assert_ne!(lines(&of_seed(0, STEPS)), lines(&of_seed(1, STEPS)));
}

/// The first seed that finds a bug, its script until then, and what it says.
fn find(bug: Bug) -> Option<(Vec<Step>, Failure)> {
    (0..SEEDS_OF_A_BUG).find_map(|seed| {
        let mut script = of_seed(seed, STEPS);
        let failure = run(&script, Some(bug)).err()?;
        script.truncate(failure.steps);
        Some((script, failure))
    })
}

#[test]
fn every_broken_rule_is_found() {
    let missed: Vec<Bug> = Bug::ALL
        .into_iter()
        .filter(|bug| find(*bug).is_none())
        .collect();
    assert!(
        missed.is_empty(),
        "not found within {SEEDS_OF_A_BUG} seeds: {missed:?}"
    );
}

#[test]
fn a_failure_shrinks_to_the_steps_that_matter() {
    for (bug, steps_max) in [
        (Bug::HoldForgotten, 5),
        (Bug::KeyNotKept, 2),
        (Bug::NoFloors, 2),
    ] {
        let (script, _) = find(bug).unwrap();
        let shortest = shrink(&script, |steps| run(steps, Some(bug)).is_err());
        assert!(
            shortest.len() <= steps_max,
            "{bug:?} takes {} steps:\n{}",
            shortest.len(),
            lines(&shortest)
        );
        assert!(
            run(&shortest, None).is_ok(),
            "without the bug nothing fails"
        );
    }
}

#[test]
fn seeds_do_something() {
    // A simulator whose steps are all refused finds nothing.
    let mut paid = 0;
    let (mut reversed, mut settled, mut kept, mut sent_back) = (0, 0, 0, 0);
    for seed in 0..40 {
        let mut world = World::new(None);
        for (index, step) in of_seed(seed, STEPS).iter().enumerate() {
            world.step(index, step);
        }
        let rows = &world.rows;
        paid += rows.charges.iter().filter(|row| row.times_paid > 0).count();
        reversed += rows
            .charges
            .iter()
            .filter(|row| row.facts.flags.contains(domain::charge::Flag::Reversed))
            .count();
        let is_settled = |state| state == domain::withdrawal::WithdrawalState::Settled;
        settled += rows
            .withdrawals
            .iter()
            .filter(|row| is_settled(row.state))
            .count();
        sent_back += rows
            .withdrawals
            .iter()
            .filter(|row| is_settled(row.state) && row.refund_of.is_some())
            .count();
        let is_kept = |state| state == domain::futures::FuturesState::Settled;
        kept += rows
            .promises
            .iter()
            .filter(|row| is_kept(row.state))
            .count();
    }
    assert!(paid > 40, "{paid} charges were paid");
    assert!(settled > 20, "{settled} withdrawals were settled");
    for (count, what) in [
        (reversed, "reversals"),
        (kept, "kept promises"),
        (sent_back, "refunds"),
    ] {
        assert!(count > 0, "no {what} in 40 seeds");
    }
}
