//! A transaction that pays less often, or more, when another block runs it again, as contracts may.

use sqlx::PgPool;

use super::Yard;

/// The transaction pays this address, too, as much as the first.
async fn pay_too(pool: &PgPool, txid: &str, vout: i32, address: &str) {
    sqlx::query(
        "UPDATE sim.txs SET outputs = outputs || jsonb_build_array(
             jsonb_set(jsonb_set(outputs->0, '{vout}', to_jsonb($2::int)), '{address}', to_jsonb($3::text)))
         WHERE txid = $1",
    )
    .bind(txid)
    .bind(vout)
    .bind(address)
    .execute(pool)
    .await
    .unwrap();
}

/// Whoever was paid in the block that was taken back alone is credited with nothing.
#[sqlx::test(migrations = "../../migrations")]
async fn what_another_block_does_not_pay_was_never_paid(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    sqlx::query("UPDATE currency_terms SET confirmations = 3, confirmations_large = 3")
        .execute(&pool)
        .await
        .unwrap();
    let (kept, lost) = (yard.order("20.00").await, yard.order("20.00").await);
    assert_eq!(kept.due, lost.due);
    let address = yard.world.address("BTC", None, "vanished").await;
    let txid = yard.pay(&kept, kept.due).await;
    pay_too(&pool, &txid, 7, &lost.address).await;
    pay_too(&pool, &txid, 8, &address).await;
    yard.mine().await;
    let orders = [kept, lost];
    assert_eq!(yard.states(&orders).await, ["processing"; 2]);
    assert_eq!(yard.world.told().await, ["deposit not_confirmed"]);
    // In the new blocks it is run again, and pays once.
    sqlx::query("UPDATE sim.txs SET outputs = jsonb_build_array(outputs->0) WHERE txid = $1")
        .bind(&txid)
        .execute(&pool)
        .await
        .unwrap();
    yard.chain.reorg(1, &[]).await.unwrap();
    yard.follow().await;
    assert_eq!(yard.states(&orders).await, ["processing", "pending"]);
    for _ in 0..3 {
        yard.mine().await;
    }
    assert_eq!(yard.states(&orders).await, ["paid", "pending"]);
    assert_eq!(yard.world.told().await, ["deposit cancelled"]);
    let mails = yard.world.gateway.list_mail(None, 50).await.unwrap();
    let told = |subject: &str| subject.ends_with("vanished from their transactions");
    assert!(mails.iter().any(|mail| told(&mail.subject)), "{mails:?}");
    yard.world.audit().await;
}

/// A payment that was small when it was first seen does not keep the depth of a small one. From 10 000 EUR on
/// four blocks are needed.
#[sqlx::test(migrations = "../../migrations")]
async fn what_grows_in_another_block_has_to_be_as_deep_as_it_is_large(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    sqlx::query("UPDATE currency_terms SET confirmations = 2, confirmations_large = 4")
        .execute(&pool)
        .await
        .unwrap();
    let order = yard.order("20.00").await;
    let address = yard.world.address("BTC", None, "grown").await;
    let txid = yard.pay(&order, order.due).await;
    pay_too(&pool, &txid, 7, &address).await;
    yard.mine().await;
    sqlx::query(
        "UPDATE sim.txs SET outputs = jsonb_set(jsonb_set(outputs, '{0,raw}', to_jsonb($2::text)),
             '{1,raw}', to_jsonb($2::text))
         WHERE txid = $1",
    )
    .bind(&txid)
    .bind((order.due * 1_000).to_string())
    .execute(&pool)
    .await
    .unwrap();
    // Two new blocks for one.
    yard.chain.reorg(1, &[]).await.unwrap();
    yard.follow().await;
    let orders = [order];
    assert_eq!(yard.states(&orders).await, ["processing over"]);
    assert_eq!(yard.world.told().await, ["deposit not_confirmed"]);
    yard.mine().await;
    assert_eq!(yard.states(&orders).await, ["processing over"]);
    yard.mine().await;
    assert_eq!(yard.states(&orders).await, ["paid over inbox"]);
    assert_eq!(yard.world.told().await, ["deposit confirmed"]);
    yard.world.audit().await;
}

/// An order's payment becomes a deposit in another block, and a deposit the payment of an order: each is
/// credited to whom it came in the end, and to nobody else.
#[sqlx::test(migrations = "../../migrations")]
async fn what_another_block_pays_to_somebody_else_is_his_alone(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    sqlx::query("UPDATE currency_terms SET confirmations = 3, confirmations_large = 3")
        .execute(&pool)
        .await
        .unwrap();
    let (one, other) = (yard.order("20.00").await, yard.order("20.00").await);
    assert_eq!(one.due, other.due);
    let before = yard.world.address("BTC", None, "before").await;
    let after = yard.world.address("BTC", None, "after").await;
    let txid = yard.pay(&one, one.due).await;
    pay_too(&pool, &txid, 7, &before).await;
    yard.mine().await;
    sqlx::query(
        "UPDATE sim.txs SET outputs = jsonb_set(jsonb_set(outputs, '{0,address}', to_jsonb($2::text)),
             '{1,address}', to_jsonb($3::text))
         WHERE txid = $1",
    )
    .bind(&txid)
    .bind(&after)
    .bind(&other.address)
    .execute(&pool)
    .await
    .unwrap();
    yard.chain.reorg(1, &[]).await.unwrap();
    yard.follow().await;
    for _ in 0..3 {
        yard.mine().await;
    }
    assert_eq!(yard.states(&[one, other]).await, ["pending", "paid"]);
    assert_eq!(
        yard.world.told().await,
        ["deposit cancelled", "deposit confirmed"]
    );
    yard.world.audit().await;
}
