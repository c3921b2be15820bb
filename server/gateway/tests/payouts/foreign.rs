//! Coins that leave without a payout of ours.

use bitcoin::OutPoint;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::till::{COIN, Till, read};

/// A till with two coins, the larger one named.
async fn with_two_coins(pool: &PgPool) -> (Till, OutPoint) {
    let till = Till::new(pool, &[COIN / 2]).await;
    let address = till.world.address("BTC", None, "large").await;
    let large = till.net.fund(&address, COIN);
    till.mine(3).await;
    (till, OutPoint::new(large, 0))
}

async fn told(till: &Till) -> Vec<String> {
    let mails = till.mails().await;
    mails
        .into_iter()
        .filter(|subject| subject.starts_with("Coins of ours were spent elsewhere"))
        .collect()
}

/// Coins the only transaction of a payout spends.
async fn spent(till: &Till) -> Vec<OutPoint> {
    let sent = till.txs().await.pop().unwrap();
    let tx = read(sent.raw.as_deref().unwrap());
    tx.input.iter().map(|input| input.previous_output).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_coin_taken_elsewhere_is_not_planned_with(pool: PgPool) {
    let (till, large) = with_two_coins(&pool).await;
    let thief = till.net.steal(large).to_string();
    till.sync().await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    assert!(!spent(&till).await.contains(&large));
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    // When it waited, and not again with its block.
    assert_eq!(
        told(&till).await,
        ["Coins of ours were spent elsewhere: 1 BTC"]
    );
    let text: String =
        sqlx::query_scalar("SELECT text FROM mails WHERE subject LIKE 'Coins of ours%'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(text.contains(&thief), "{text}");
    assert!(text.contains(&large.to_string()), "{text}");
    till.audit_books().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_coin_taken_elsewhere_is_known_from_the_block_alone(pool: PgPool) {
    let (till, large) = with_two_coins(&pool).await;
    till.net.steal(large);
    // Nobody of ours saw it wait.
    till.mine(1).await;
    assert_eq!(told(&till).await.len(), 1);
    assert_eq!(till.on_chain().await, i128::from(COIN / 2));
    till.sync().await;
    assert_eq!(told(&till).await.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_coin_is_ours_again_when_the_other_transaction_is_forgotten(pool: PgPool) {
    let (till, large) = with_two_coins(&pool).await;
    let thief = till.net.steal(large).to_string();
    till.sync().await;
    till.net.forget(&thief);
    till.sync().await;
    till.ask("0.7", "1", STRANGERS[0]).await;
    till.work().await;
    assert!(spent(&till).await.contains(&large));
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payment_of_ours_is_nobody_else_s(pool: PgPool) {
    let (till, _) = with_two_coins(&pool).await;
    till.ask("0.3", "1", STRANGERS[0]).await;
    till.work().await;
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(told(&till).await, Vec::<String>::new());
}
