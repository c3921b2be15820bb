//! A signer that refuses one payment, or the rest of a day: the others go on.

use gateway::payouts::SignerSetting;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::signer::Place;
use crate::till::{COIN, GENEROUS, Till, rules};

const BY: &str = "admin@demo.example";

async fn till(pool: &PgPool, signer: SignerSetting) -> Till {
    Till::with(pool, signer, rules(), &[COIN, COIN]).await
}

/// At most 0.2 at once.
fn small_payments() -> String {
    GENEROUS.replace("1000000000,", "20000000,")
}

async fn last_error(till: &Till, id: i64) -> String {
    let error: Option<String> =
        sqlx::query_scalar("SELECT last_error FROM withdrawals WHERE operation_id = $1")
            .bind(id)
            .fetch_one(&till.pool)
            .await
            .unwrap();
    error.unwrap_or_default()
}

async fn needs_attention(till: &Till, id: i64) -> bool {
    let operations = till.world.operations().await;
    let found = operations.iter().find(|view| view.id == id);
    found.unwrap().needs_attention
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refused_payment_keeps_nobody_else_waiting(pool: PgPool) {
    let place = Place::new();
    let till = till(&pool, place.setting()).await;
    let running = place.start(&till.seed().await, &small_payments()).await;
    till.ask("0.1", "1", STRANGERS[0]).await;
    let large = till.ask("0.5", "2", STRANGERS[1]).await;
    let last = till.ask("0.15", "3", STRANGERS[2]).await;
    till.work().await;
    assert_eq!(till.states().await, ["dropped", "broadcast"]);
    assert_eq!(
        till.withdrawals().await,
        ["broadcast", "queued", "broadcast"]
    );
    assert!(needs_attention(&till, large).await);
    assert!(!needs_attention(&till, last).await);
    let error = last_error(&till, large).await;
    assert!(error.contains("at most 20000000 may go at once"), "{error}");
    till.audit_books().await;
    // Alone, again and again, and people hear of it once.
    till.work_later().await;
    till.work_later().await;
    let about = format!("Withdrawal {large} needs a person");
    let mails = till.mails().await;
    let told = mails.iter().filter(|subject| **subject == about);
    assert_eq!(told.count(), 1, "{mails:?}");
    assert!(needs_attention(&till, large).await);
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled", "queued", "settled"]);
    till.call_off(large).await.unwrap();
    assert_eq!(till.withdrawals().await, ["settled", "void", "settled"]);
    assert_eq!(till.net.received(STRANGERS[1]), 0);
    till.audit().await;
    running.abort();
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_above_the_day_waits_for_the_next(pool: PgPool) {
    let place = Place::new();
    let till = till(&pool, place.setting()).await;
    let policy = GENEROUS.replace("10000000000", "40000000");
    let running = place.start(&till.seed().await, &policy).await;
    till.ask("0.2", "1", STRANGERS[0]).await;
    let large = till.ask("0.3", "2", STRANGERS[1]).await;
    till.ask("0.15", "3", STRANGERS[2]).await;
    till.work().await;
    assert_eq!(
        till.withdrawals().await,
        ["broadcast", "queued", "broadcast"]
    );
    let error = last_error(&till, large).await;
    assert!(error.contains("have left today"), "{error}");
    // Nobody has to do anything.
    assert!(!needs_attention(&till, large).await);
    let after_midnight: bool = sqlx::query_scalar(
        "SELECT (next_attempt_at AT TIME ZONE 'UTC')::time BETWEEN '00:00' AND '00:05'
         FROM withdrawals WHERE operation_id = $1",
    )
    .bind(large)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert!(after_midnight);
    till.mine(1).await;
    till.audit().await;
    running.abort();
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_no_day_has_room_for_is_for_a_person(pool: PgPool) {
    let place = Place::new();
    let till = till(&pool, place.setting()).await;
    let policy = GENEROUS.replace("10000000000", "40000000");
    let running = place.start(&till.seed().await, &policy).await;
    let large = till.ask("0.5", "1", STRANGERS[0]).await;
    till.ask("0.3", "2", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["queued", "broadcast"]);
    assert!(needs_attention(&till, large).await);
    running.abort();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refused_replacement_does_not_keep_the_next_from_being_made(pool: PgPool) {
    let place = Place::new();
    let till = till(&pool, place.setting()).await;
    let policy = GENEROUS.replace("1000000, \"fee_max_ppm\"", "600, \"fee_max_ppm\"");
    assert_ne!(policy, GENEROUS);
    let running = place.start(&till.seed().await, &policy).await;
    till.ask("0.1", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    let locked = till.locked().await;
    let payout = till.txs().await.pop().unwrap().payout_id;
    till.net.set_rate(Some(9_000));
    for times in 1..=2 {
        till.world.gateway.bump_payout(payout, BY).await.unwrap();
        till.work().await;
        let mut expected = vec!["broadcast"];
        expected.extend(vec!["dropped"; times]);
        assert_eq!(till.states().await, expected);
    }
    assert_eq!(till.locked().await, locked);
    let mails = till.mails().await;
    let told = mails
        .iter()
        .filter(|subject| subject.ends_with("needs a person"));
    assert_eq!(told.count(), 1, "{mails:?}");
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.audit().await;
    running.abort();
}

/// A process dies after the draft, and the next one hears the refusal; another dies when the draft was taken
/// apart, and the next one plans for those that are left.
#[sqlx::test(migrations = "../../migrations")]
async fn a_process_that_dies_while_a_draft_is_taken_apart_pays_everybody_once(pool: PgPool) {
    let place = Place::new();
    let till = till(&pool, place.setting()).await;
    till.ask("0.1", "1", STRANGERS[0]).await;
    till.ask("0.5", "2", STRANGERS[1]).await;
    till.ask("0.15", "3", STRANGERS[2]).await;
    // Nobody answers: the plan is stored, and that is all.
    till.work().await;
    assert_eq!(till.states().await, ["drafted"]);
    let running = place.start(&till.seed().await, &small_payments()).await;
    // Nothing new can be planned: as if the process died in between.
    till.net.set_rate(None);
    till.crash().await;
    let till = Till::on(&pool, till.net.clone(), place.setting(), rules()).await;
    till.work().await;
    assert_eq!(till.states().await, ["dropped"]);
    assert_eq!(till.withdrawals().await, ["queued", "queued", "queued"]);
    assert_eq!(till.locked().await, 0);
    till.audit_books().await;
    till.net.set_rate(Some(2_000));
    till.crash().await;
    let till = Till::on(&pool, till.net.clone(), place.setting(), rules()).await;
    till.work().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled", "queued", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), 10_000_000);
    assert_eq!(till.net.received(STRANGERS[1]), 0);
    assert_eq!(till.net.received(STRANGERS[2]), 15_000_000);
    till.audit().await;
    running.abort();
}
