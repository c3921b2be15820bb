//! Books, chain tables and node, where coins are outputs and payouts spend them.

use bitcoin::OutPoint;
use domain::view::reconciliation::{Between, Cause, ChainAuditView};
use sqlx::PgPool;

use crate::STRANGERS;
use crate::till::{COIN, Till};

async fn compared(till: &Till) -> ChainAuditView {
    let found = till.world.gateway.audit_chains().await.unwrap();
    let btc = found.into_iter().find(|view| view.chain == "BTC").unwrap();
    assert_eq!(btc.problem, None);
    btc
}

fn causes(view: &ChainAuditView) -> Vec<(Between, Cause)> {
    view.differences
        .iter()
        .map(|difference| (difference.between, difference.cause))
        .collect()
}

/// Both comparisons differ, by these amounts, and nothing explains it.
#[track_caller]
fn unknown(view: &ChainAuditView, expected: [&str; 2]) {
    assert_eq!(
        causes(view),
        [
            (Between::TablesAndBooks, Cause::Unknown),
            (Between::NodeAndTables, Cause::Unknown)
        ]
    );
    let amounts: Vec<&str> = view
        .differences
        .iter()
        .map(|difference| difference.amount.as_str())
        .collect();
    assert_eq!(amounts, expected);
}

/// Every payment and payout needs so many blocks from now on.
async fn require(pool: &PgPool, blocks: i32) {
    sqlx::query("UPDATE currency_terms SET confirmations = $1, confirmations_large = $1")
        .bind(blocks)
        .execute(pool)
        .await
        .unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_a_settled_payout_all_three_agree(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    let view = compared(&till).await;
    assert_eq!(view.differences, []);
    assert_eq!(view.books, view.tables);
    assert_eq!(view.node.as_deref(), Some(view.tables.as_str()));
    assert!(view.books.starts_with("0.699"), "{view:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payment_in_its_first_block_waits_for_others(pool: PgPool) {
    let till = Till::new(&pool, &[COIN / 2]).await;
    require(&pool, 3).await;
    till.fund("fresh", COIN).await;
    till.mine(1).await;
    let view = compared(&till).await;
    assert_eq!(
        causes(&view),
        [(Between::TablesAndBooks, Cause::Unconfirmed)]
    );
    assert_eq!(view.differences.first().unwrap().amount, "1");
    assert_eq!((view.books.as_str(), view.tables.as_str()), ("0.5", "1.5"));
    till.mine(2).await;
    assert_eq!(compared(&till).await.differences, []);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payout_in_its_first_block_is_not_settled_yet(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    require(&pool, 3).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(1).await;
    let view = compared(&till).await;
    assert_eq!(
        causes(&view),
        [(Between::TablesAndBooks, Cause::WaitingPayout)]
    );
    // The payment and its fee.
    let amount = &view.differences.first().unwrap().amount;
    assert!(amount.starts_with("-0.300"), "{amount}");
    assert!(view.is_explained());
    till.mine(2).await;
    assert_eq!(compared(&till).await.differences, []);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_coin_spent_past_us_is_explained(pool: PgPool) {
    let till = Till::new(&pool, &[COIN / 2]).await;
    let address = till.world.address("BTC", None, "large").await;
    let large = till.net.fund(&address, COIN);
    till.mine(3).await;
    let thief = till.net.steal(OutPoint::new(large, 0));
    till.mine(1).await;
    let view = compared(&till).await;
    assert_eq!(
        causes(&view),
        [(Between::TablesAndBooks, Cause::ForeignSpend)]
    );
    let difference = view.differences.first().unwrap();
    assert_eq!(difference.amount, "-1");
    assert_eq!(difference.examples, [format!("transaction {thief}")]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_settled_payout_that_left_the_chain_is_reversed(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.net.lose_tip();
    till.net.mine(2);
    till.sync().await;
    let view = compared(&till).await;
    let found = causes(&view);
    assert_eq!(found, [(Between::TablesAndBooks, Cause::Reversed)]);
    let amount = &view.differences.first().unwrap().amount;
    assert!(amount.starts_with("0.300"), "{amount}");
    assert_eq!(view.tables, "1");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_coin_the_tables_lost_is_not_explained(pool: PgPool) {
    let till = Till::new(&pool, &[COIN, COIN / 2]).await;
    sqlx::query("DELETE FROM chain_outputs WHERE raw = 100000000")
        .execute(&pool)
        .await
        .unwrap();
    let view = compared(&till).await;
    unknown(&view, ["-1", "1"]);
    assert!(!view.is_explained());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_coin_whose_amount_was_changed_is_not_explained(pool: PgPool) {
    let till = Till::new(&pool, &[COIN]).await;
    sqlx::query("UPDATE chain_outputs SET raw = raw + 1")
        .execute(&pool)
        .await
        .unwrap();
    let view = compared(&till).await;
    unknown(&view, ["0.00000001", "-0.00000001"]);
}
