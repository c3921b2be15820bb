//! Payments that others take the place of, and blocks that are undone.

use sqlx::PgPool;

use crate::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn a_fee_bump_after_the_clock_still_pays(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    world.gateway.advance(1_000).await.unwrap();
    let payment = world.view(&id).await.payment.unwrap();
    let due = payment.due.shortest();
    world
        .gateway
        .sandbox_replace(&txid, Some(&payment.address), Some(&due))
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "underpaid late inbox");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid late");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_double_spend_reopens_the_charge(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    world.expect(&world.state(&id).await, "processing");
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "pending");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "pending");
    assert_eq!(world.view(&id).await.receipts[0].state.word(), "dropped");
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_double_spend_after_the_clock_fails_the_charge(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    world.gateway.advance(1_000).await.unwrap();
    world.expect(&world.state(&id).await, "processing");
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "failed");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_replacement_that_still_pays_us_counts_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    let address = world.view(&id).await.payment.unwrap().address;
    world
        .gateway
        .sandbox_replace(&txid, Some(&address), None)
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "processing");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    let states: Vec<_> = world
        .view(&id)
        .await
        .receipts
        .iter()
        .map(|receipt| receipt.state.word())
        .collect();
    assert_eq!(states, ["dropped", "final"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn covering_money_that_is_never_mined_fails_after_a_day(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay_due(&id).await;
    world.gateway.advance(86_300).await.unwrap();
    world.expect(&world.state(&id).await, "processing");
    world.gateway.advance(200).await.unwrap();
    world.expect(&world.state(&id).await, "failed inbox");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "failed inbox");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reorg_that_drops_a_paid_payment_is_booked_back(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    let credited = world.balance("EUR").await;
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 1, &[txid])
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "paid reversed inbox");
    assert_eq!(world.balance("EUR").await, credited, "paid never goes back");
    assert_eq!(world.view(&id).await.receipts[0].state.word(), "reversed");
    let mails = world.gateway.list_mail(None, 10).await.unwrap();
    let told = mails
        .iter()
        .filter(|mail| mail.subject.contains("was reversed"))
        .count();
    assert_eq!(told, 1, "the operator is told once");
    let timeline = world
        .gateway
        .charge_timeline(world.merchant, &id)
        .await
        .unwrap();
    let kinds: Vec<_> = timeline.iter().map(|entry| entry.kind.as_str()).collect();
    for kind in [
        "created",
        "quote.fixed",
        "receipt.seen",
        "receipt.final",
        "status.paid",
        "journal.receipt_final",
        "journal.charge_paid",
        "receipt.reversed",
        "journal.receipt_reversed",
    ] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reorg_that_keeps_the_payment_changes_nothing(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay_due(&id).await;
    world.mine("BTC", 2).await;
    world.expect(&world.state(&id).await, "paid");
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 2, &[])
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "paid");
    assert_eq!(world.view(&id).await.receipts[0].confirmations, 3);
    let entries: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM journal_entries WHERE kind IN ('receipt_final', 'receipt_reversed')",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(entries, 1);
    world.audit().await;
}
