//! The deterministic simulator of the gateway on a real Postgres: one seed says what merchants, payers,
//! chains and receivers do, how rates, clock, limits and fees move, and which row write breaks or which
//! commit or question is cut off, who is away, and which step another process does, whose clock is behind.
//! After every step the books are added up and every charge is judged anew; now and then and at the end
//! everything is looked at.
//!
//! There are two worlds: one with simulated chains, and one (`signed/`) whose withdrawals somebody else signs.
//! `./x simulate FROM..TO` runs more seeds of both. A failing one is shrunk and printed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../payouts/net/mod.rs"]
#[allow(dead_code)]
mod coin_net;
mod commands;
mod database;
mod dice;
mod faults;
mod firing;
mod invariants;
#[path = "../treasury/net/mod.rs"]
#[allow(dead_code)]
mod net;
mod outages;
mod own_funds;
#[path = "../../../../app/domain/tests/simulator/progress.rs"]
mod progress;
mod receiver;
mod rule;
mod shrink;
mod signed;
mod steps;
#[path = "../support/mod.rs"]
mod support;
#[path = "../treasury/till.rs"]
#[allow(dead_code)]
mod till;
mod wire;
mod wired;
mod world;

use std::fmt::Debug;
use std::future::Future;
use std::ops::Range;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use commands::{Command, Part, Step, lines, of_seed};
use faults::{Cut, Fault, Place, Row};
use outages::Who;
use progress::Progress;
use shrink::shrink;
use wired::Wired;
use world::Run;

/// Steps per seed.
const STEPS: usize = 120;
/// Steps between two looks at everything.
const ALL_EVERY: usize = 20;
const VARIABLE: &str = "EXCHEQUER_SIM_SEEDS";

/// Runs the script on a database of its own; says after which step what was wrong.
async fn run(script: &[Step]) -> Result<(), String> {
    let database = Wired::new().await;
    let outcome = caught(run_in(&database, script)).await;
    database.remove().await;
    outcome
}

/// Whoever panics has found something, too.
async fn caught(running: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    AssertUnwindSafe(running)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err("it panicked, see above".to_owned()))
}

async fn run_in(database: &Wired, script: &[Step]) -> Result<(), String> {
    let mut run = Run::new(database).await;
    for (index, step) in script.iter().enumerate() {
        let number = index + 1;
        let after = |what: String| format!("after step {number}, {step}: {what}");
        run.step(number, step).await.map_err(after)?;
        run.check_step().await.map_err(after)?;
        if number % ALL_EVERY == 0 {
            run.check_all().await.map_err(after)?;
        }
    }
    let at_the_end = |what: String| format!("at the end: {what}");
    run.settle_down().await;
    run.check_step().await.map_err(at_the_end)?;
    run.check_all().await.map_err(at_the_end)?;
    run.check_deliveries().await.map_err(at_the_end)
}

async fn run_seed(seed: u64) {
    let script = of_seed(seed, STEPS);
    judge(seed, &script, |steps| async move { run(&steps).await }).await;
}

/// Fails with the shortest script that is found, if the script does not hold.
async fn judge<C, F, Fut>(seed: u64, script: &[Step<C>], run: F)
where
    C: Copy + Debug,
    F: Fn(Vec<Step<C>>) -> Fut,
    Fut: Future<Output = Result<(), String>>,
{
    let Err(what) = run(script.to_vec()).await else {
        return;
    };
    let shortest = shrink(script, |steps| {
        let running = run(steps);
        async move { running.await.is_err() }
    })
    .await;
    panic!(
        "seed {seed}: {what}\nshortest script found, {} steps:\n{}again: ./x simulate {seed}..{}",
        shortest.len(),
        lines(&shortest),
        seed + 1
    );
}

macro_rules! seeds {
    ($run:path; $($name:ident: $seed:literal),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            $run($seed).await;
        }
    )+};
}

seeds! {
    run_seed;
    seed_1: 1, seed_2: 2, seed_3: 3, seed_4: 4, seed_5: 5, seed_6: 6, seed_7: 7, seed_8: 8,
    seed_9: 9, seed_10: 10, seed_11: 11, seed_12: 12, seed_13: 13, seed_14: 14, seed_15: 15,
    seed_16: 16, seed_17: 17, seed_18: 18, seed_19: 19, seed_20: 20, seed_21: 21, seed_22: 22,
    seed_23: 23, seed_24: 24,
}

seeds! {
    signed::run_seed;
    signed_1: 1, signed_2: 2, signed_3: 3, signed_4: 4, signed_5: 5, signed_6: 6, signed_7: 7, signed_8: 8,
}

fn chosen() -> Range<u64> {
    let text = std::env::var(VARIABLE).expect("EXCHEQUER_SIM_SEEDS is from..to");
    let (from, to) = text
        .split_once("..")
        .expect("EXCHEQUER_SIM_SEEDS is from..to");
    from.trim().parse().unwrap()..to.trim().parse().unwrap()
}

/// As many seeds as `EXCHEQUER_SIM_SEEDS` names, of both worlds, with a line now and then.
#[tokio::test]
#[ignore = "as long as one likes: ./x simulate"]
async fn chosen_seeds() {
    let seeds = chosen();
    let progress = Progress::of(&seeds);
    for seed in seeds {
        run_seed(seed).await;
        signed::run_seed(seed).await;
        if let Some(line) = progress.after(seed) {
            println!("{line}");
        }
    }
}

#[test]
fn the_same_seed_is_the_same_script() {
    for seed in [1, 2, 99] {
        assert_eq!(lines(&of_seed(seed, STEPS)), lines(&of_seed(seed, STEPS)));
    }
    assert_ne!(lines(&of_seed(1, STEPS)), lines(&of_seed(2, STEPS)));
}

/// Faults that never fire would prove nothing.
#[tokio::test]
async fn a_fault_breaks_the_write_it_names() {
    let database = Wired::new().await;
    let run = Run::new(&database).await;
    for kills in [false, true] {
        for write in [1, 2] {
            let fault = Fault::Row(Row { write, kills });
            run.arm(Some(fault)).await;
            let failed = run.world.gateway.sandbox_mine(Some("BTC"), Some(1)).await;
            assert!(failed.is_err(), "{fault}");
            run.arm(None).await;
            // Whatever is left of it, the next one goes through.
            run.world.mine("BTC", 1).await;
        }
    }
    database.remove().await;
}

async fn height(run: &Run) -> i64 {
    let chains = run.gateway().chain_states().await.unwrap();
    let bitcoin = chains.iter().find(|chain| chain.code == "BTC");
    bitcoin.unwrap().height
}

#[tokio::test]
async fn a_commit_that_is_cut_was_done_if_it_was_heard() {
    let database = Wired::new().await;
    let run = Run::new(&database).await;
    for heard in [false, true] {
        let before = height(&run).await;
        let fault = Fault::Cut(Cut {
            place: Place::Commit,
            number: 1,
            heard,
        });
        run.arm(Some(fault)).await;
        let failed = run.gateway().sandbox_mine(Some("BTC"), Some(1)).await;
        assert!(failed.is_err(), "{fault}");
        run.arm(None).await;
        assert_eq!(height(&run).await, before + i64::from(heard), "{fault}");
        run.world.mine("BTC", 1).await;
    }
    database.remove().await;
}

#[tokio::test]
async fn a_question_that_is_cut_fails_and_the_next_one_goes_through() {
    let database = Wired::new().await;
    let run = Run::new(&database).await;
    for heard in [false, true] {
        for number in 1..=6 {
            let fault = Fault::Cut(Cut {
                place: Place::Question,
                number,
                heard,
            });
            run.arm(Some(fault)).await;
            let failed = run.gateway().sandbox_mine(Some("BTC"), Some(1)).await;
            assert!(failed.is_err() && !run.wire.is_armed(), "{fault}");
            run.arm(None).await;
            run.world.mine("BTC", 1).await;
        }
    }
    database.remove().await;
}

/// Does these, one after the other, with nothing beside them.
async fn do_each(run: &mut Run, commands: &[Command]) {
    for command in commands {
        let step = Step {
            command: *command,
            fault: None,
            again: false,
            behind: false,
        };
        run.step(run.step + 1, &step).await.unwrap();
        run.check_step().await.unwrap();
    }
}

const ORDER: Command = Command::Order {
    merchant: 0,
    cents: 5_000,
    told: true,
};

/// A look that finds nothing would prove nothing.
#[tokio::test]
async fn rows_that_do_not_belong_together_are_found_after_the_step() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    let pick = Command::Pick {
        charge: 0,
        coin: "BTC",
    };
    let pay = Command::Pay {
        charge: 0,
        part: Part::Half,
    };
    do_each(&mut run, &[ORDER, pick, pay]).await;
    for (breaks, mends, word) in [
        (
            "UPDATE charges SET needs_attention = NOT needs_attention",
            "UPDATE charges SET needs_attention = NOT needs_attention",
            "is Pending, in the inbox: true",
        ),
        (
            "UPDATE receipts SET amount = amount * 3",
            "UPDATE receipts SET amount = amount / 3",
            "is Pending",
        ),
        (
            "UPDATE charges SET status = 'cancelled'",
            "UPDATE charges SET status = 'pending'",
            "told as charge.pending",
        ),
        (
            "INSERT INTO deliveries (event_id, merchant_id, object, url, format, schedule, content_type,
                 body, state, created_at)
             SELECT id, merchant_id, object, 'http://127.0.0.1:9/', 'standard', 'standard',
                 'application/json', '{}', 'delivered', created_at FROM events ORDER BY id LIMIT 1",
            "DELETE FROM deliveries",
            "nobody has it",
        ),
    ] {
        sqlx::query(breaks).execute(&run.pool).await.unwrap();
        let found = run.check_step().await.expect_err(breaks);
        assert!(found.contains(word), "{breaks}: {found}");
        sqlx::query(mends).execute(&run.pool).await.unwrap();
        run.check_step().await.unwrap();
    }
    database.remove().await;
}

async fn sent(run: &Run) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM sim.txs s JOIN withdrawals w ON w.txid = s.txid")
        .fetch_one(&run.pool)
        .await
        .unwrap()
}

/// Fails when nothing is kept up, or what was kept up is not sent afterwards.
#[tokio::test]
async fn whoever_is_away_keeps_withdrawals_up_until_he_is_back() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    let away = |who, is_away| Command::Away { who, is_away };
    let ask = Command::Withdraw {
        merchant: 0,
        from: "BTC",
        to: "BTC",
        parts: 1_000,
    };
    let later = Command::Clock { seconds: 6_001 };
    for (number, (who, state)) in [(Who::Signer, "queued"), (Who::Network, "built")]
        .into_iter()
        .enumerate()
    {
        let before = i64::try_from(number).unwrap();
        do_each(&mut run, &[away(who, true), ask, later, later]).await;
        let kept: String = sqlx::query_scalar(
            "SELECT state FROM withdrawals WHERE last_error IS NOT NULL AND attempts > 1",
        )
        .fetch_one(&run.pool)
        .await
        .unwrap();
        assert_eq!(kept, state, "{who:?}");
        assert_eq!(sent(&run).await, before, "{who:?}");
        do_each(&mut run, &[away(who, false), later]).await;
        assert_eq!(sent(&run).await, before + 1, "{who:?}");
    }
    run.check_all().await.unwrap();
    database.remove().await;
}

/// Fails when both processes have the same time, and what the other one does goes by the time of the first.
#[tokio::test]
async fn the_other_process_is_behind_by_what_passed_last() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    for (seconds, behind) in [(300, 300), (30, 30), (90_000, 0)] {
        do_each(&mut run, &[Command::Clock { seconds }]).await;
        let offset = |gateway: &gateway::Gateway| gateway.clock().offset().whole_seconds();
        assert_eq!(offset(run.gateway()) - offset(&run.behind), behind);
    }
    do_each(&mut run, &[ORDER, Command::Clock { seconds: 300 }]).await;
    let late = Step {
        command: ORDER,
        fault: None,
        again: false,
        behind: true,
    };
    run.step(run.step + 1, &late).await.unwrap();
    run.check_step().await.unwrap();
    let is_behind: bool = sqlx::query_scalar(
        "SELECT max(created_at) - min(created_at) < interval '200 seconds' FROM charges",
    )
    .fetch_one(&run.pool)
    .await
    .unwrap();
    assert!(is_behind);
    database.remove().await;
}
