//! Troubles that never happen, and looks that find nothing, would prove nothing.

use std::collections::BTreeSet;

use super::desk::Mood;
use super::script::{Chain, Command, Node, of_seed};
use super::world::Run;
use super::{STEPS, Step};
use crate::commands::lines;
use crate::firing::{NEVER, PLANTED, plant};
use crate::wired::Wired;

/// Longer than anything waits to be tried again.
const LONG: Command = Command::Work { seconds: 90_000 };
const NOW: Command = Command::Work { seconds: 0 };

/// One of each network.
const WITHDRAWALS: [Command; 2] = [
    Command::Withdraw {
        merchant: 0,
        coin: "BTC",
        parts: 100,
    },
    Command::Withdraw {
        merchant: 1,
        coin: "ETH",
        parts: 1_000,
    },
];

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

async fn count(run: &Run, question: &'static str) -> i64 {
    sqlx::query_scalar(question)
        .fetch_one(&run.pool)
        .await
        .unwrap()
}

/// Withdrawals whose bytes are stored.
async fn signed(run: &Run) -> i64 {
    let question = "SELECT count(*) FROM withdrawals WHERE state NOT IN ('pending', 'queued')";
    count(run, question).await
}

async fn mine(run: &mut Run) {
    for chain in Chain::BOTH {
        let mine = Command::Mine {
            chain,
            blocks: 1,
            is_followed: true,
        };
        do_each(run, &[mine]).await;
    }
}

/// Everybody is paid in the end, whatever there was before.
async fn end(mut run: Run, database: Wired) {
    run.settle_down().await.unwrap();
    run.check_step().await.unwrap();
    run.check_end().await.unwrap();
    let open = "SELECT count(*) FROM withdrawals WHERE state <> 'settled'";
    assert_eq!(count(&run, open).await, 0);
    drop(run);
    database.remove().await;
}

/// Fails when a bad mood signs, when what it left is not signed afterwards, or when a hang is waited for.
#[tokio::test]
async fn nothing_is_signed_while_a_signer_does_not_and_all_is_afterwards() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    for mood in Mood::BAD {
        let before = signed(&run).await;
        for chain in Chain::BOTH {
            do_each(&mut run, &[Command::Signer { chain, mood }]).await;
        }
        do_each(&mut run, &WITHDRAWALS).await;
        do_each(&mut run, &[NOW]).await;
        assert_eq!(signed(&run).await, before, "{mood:?}");
        for chain in Chain::BOTH {
            let mood = Mood::Signs;
            do_each(&mut run, &[Command::Signer { chain, mood }]).await;
        }
        do_each(&mut run, &[LONG]).await;
        assert_eq!(signed(&run).await, before + 2, "{mood:?}");
        mine(&mut run).await;
    }
    end(run, database).await;
}

/// A signer that hangs is one that did not answer in time.
#[tokio::test]
async fn a_signer_that_hangs_is_given_up() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    for chain in Chain::BOTH {
        let mood = Mood::Hangs;
        do_each(&mut run, &[Command::Signer { chain, mood }]).await;
    }
    do_each(&mut run, &WITHDRAWALS).await;
    do_each(&mut run, &[NOW]).await;
    let given_up =
        "SELECT (SELECT count(*) FROM payout_txs WHERE last_error LIKE '%did not answer in time%')
          + (SELECT count(*) FROM treasury_txs WHERE last_error LIKE '%did not answer in time%')";
    assert_eq!(count(&run, given_up).await, 2);
    end(run, database).await;
}

/// Fails when a node in trouble tells that it took something, or is not asked again.
#[tokio::test]
async fn nothing_counts_as_sent_while_a_node_does_not_say_so() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    let sent = "SELECT count(*) FROM withdrawals WHERE state NOT IN ('queued', 'built')";
    for (number, node) in (0..).zip(Node::BAD) {
        for chain in Chain::BOTH {
            do_each(&mut run, &[Command::Node { chain, node }]).await;
        }
        do_each(&mut run, &WITHDRAWALS).await;
        do_each(&mut run, &[NOW]).await;
        assert_eq!(count(&run, sent).await, 2 * number, "{node:?}");
        let taken = usize::from(node == Node::LosesAnswers);
        assert_eq!(run.outputs.mempool_txs().len(), taken, "{node:?}");
        assert_eq!(run.accounts.waiting(), taken, "{node:?}");
        for chain in Chain::BOTH {
            let node = Node::Answers;
            do_each(&mut run, &[Command::Node { chain, node }]).await;
        }
        do_each(&mut run, &[LONG]).await;
        assert_eq!(count(&run, sent).await, 2 * (number + 1), "{node:?}");
        mine(&mut run).await;
    }
    end(run, database).await;
}

/// A receiver who got what no withdrawal says.
#[tokio::test]
async fn what_was_paid_and_not_owed_is_found() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    do_each(&mut run, &WITHDRAWALS[..1]).await;
    run.outputs.fund(&run.receiver("BTC"), 1_000);
    run.outputs.mine(1);
    let found = run.check_step().await.unwrap_err();
    assert!(found.contains("got [1000]"), "{found}");
    drop(run);
    database.remove().await;
}

/// The same as in the other world: whatever goes wrong in a step whose fault never comes is a finding.
#[tokio::test]
async fn a_fault_that_never_comes_excuses_nothing() {
    let database = Wired::new().await;
    let mut run = Run::new(&database).await;
    plant(&run.pool, "deposit_addresses").await;
    for fault in NEVER {
        let step = Step {
            command: Command::Deposit {
                merchant: 0,
                coin: "BTC",
            },
            fault: Some(fault),
            again: false,
            behind: false,
        };
        let found = run.step(run.step + 1, &step).await;
        let found = found.expect_err("nothing else broke it");
        assert!(found.contains(PLANTED), "{fault}: {found}");
    }
    drop(run);
    database.remove().await;
}

#[test]
fn the_same_seed_is_the_same_script_and_everything_is_drawn() {
    assert_eq!(lines(&of_seed(1, STEPS)), lines(&of_seed(1, STEPS)));
    assert_ne!(lines(&of_seed(1, STEPS)), lines(&of_seed(2, STEPS)));
    let drawn: BTreeSet<String> = (1..=8)
        .flat_map(|seed| of_seed(seed, STEPS))
        .map(|step| {
            let text = format!("{:?}", step.command);
            let end = text.find(' ').unwrap_or(text.len());
            text[..end].to_owned()
        })
        .collect();
    assert_eq!(drawn.len(), 15, "{drawn:?}");
}
