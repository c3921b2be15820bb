//! Books, chain tables and node on simulated chains.
#![allow(clippy::unwrap_used)]

mod support;

use domain::view::reconciliation::{Cause, ChainAuditView};
use gateway::Error;
use sqlx::PgPool;
use support::World;

async fn compared(world: &World) -> ChainAuditView {
    world.gateway.begin_chain_audit("BTC").await.unwrap();
    let page = world.gateway.chain_audit_page("BTC").await.unwrap();
    assert_eq!(page.begun_at, None);
    assert!(page.checked_at.is_some());
    let found = page.found.unwrap();
    assert_eq!(found.problem, None);
    found
}

fn causes(view: &ChainAuditView) -> Vec<(Cause, &str)> {
    view.differences
        .iter()
        .map(|difference| (difference.cause, difference.amount.as_str()))
        .collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_chain_is_compared_and_an_empty_one_has_nothing(pool: PgPool) {
    let world = World::new(&pool).await;
    let found = world.gateway.audit_chains().await.unwrap();
    let codes: Vec<&str> = found.iter().map(|view| view.chain.as_str()).collect();
    assert_eq!(codes, world.gateway.chains().codes().collect::<Vec<_>>());
    for view in &found {
        assert_eq!(view.differences, [], "{}", view.chain);
        assert!(view.is_complete(), "{view:?}");
        assert_eq!(view.node.as_deref(), Some("0"));
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payment_counts_in_all_three_when_it_is_booked(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE currency_terms SET confirmations = 2, confirmations_large = 2")
        .execute(&pool)
        .await
        .unwrap();
    let address = world.address("BTC", None, "one").await;
    world.send(&address, "BTC", "0.25").await;
    assert_eq!(causes(&compared(&world).await), []);
    world.mine("BTC", 1).await;
    let view = compared(&world).await;
    assert_eq!(causes(&view), [(Cause::Unconfirmed, "0.25")]);
    assert_eq!(view.node.as_deref(), Some("0.25"));
    world.mine("BTC", 1).await;
    let view = compared(&world).await;
    assert_eq!(causes(&view), []);
    assert_eq!(
        (view.books.as_str(), view.tables.as_str()),
        ("0.25", "0.25")
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_simulation_pays_out_of_nothing(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "one").await;
    world.deposit(&address, "BTC", "0.25").await;
    world
        .withdraw(world.withdrawal("0.4", "BTC", "1"))
        .await
        .unwrap();
    world.mine("BTC", 6).await;
    let view = compared(&world).await;
    assert_eq!(causes(&view), [(Cause::PaidElsewhere, "0.4")]);
    assert_eq!(view.books, "-0.15");
    assert!(view.is_explained());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payment_the_tables_lost_is_not_explained(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "one").await;
    world.deposit(&address, "BTC", "0.25").await;
    world.mine("BTC", 6).await;
    sqlx::query("DELETE FROM chain_outputs WHERE chain = 'BTC'")
        .execute(&pool)
        .await
        .unwrap();
    let view = compared(&world).await;
    assert_eq!(
        causes(&view),
        [(Cause::Unknown, "-0.25"), (Cause::Unknown, "0.25")]
    );
}

/// Coins for payouts, to an address that no payer is given.
#[sqlx::test(migrations = "../../migrations")]
async fn coins_of_the_house_are_explained_once_they_are_booked(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.withdrawal("1", "BTC", "none").address;
    sqlx::query(
        "INSERT INTO chain_addresses (chain, branch, idx, address, merchant_id, created_at)
         VALUES ('BTC', 1, 0, $1, NULL, now())",
    )
    .bind(&address)
    .execute(&pool)
    .await
    .unwrap();
    let txid = world.deposit(&address, "BTC", "0.5").await;
    world.mine("BTC", 20).await;
    assert_eq!(causes(&compared(&world).await), [(Cause::Unknown, "0.5")]);
    let booked = world
        .gateway
        .book_own_funds("BTC", &txid, "for payouts", "admin")
        .await
        .unwrap();
    assert_eq!(booked.booked.as_deref(), Some("0.5 BTC"));
    let view = compared(&world).await;
    assert_eq!(causes(&view), []);
    assert_eq!(view.books, "0.5");
    world.audit().await;
}

/// The same coins, spent by somebody who has the key and does not ask us.
#[sqlx::test(migrations = "../../migrations")]
async fn coins_of_the_house_that_left_are_explained_once_they_are_booked(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.withdrawal("1", "BTC", "none").address;
    sqlx::query(
        "INSERT INTO chain_addresses (chain, branch, idx, address, merchant_id, created_at)
         VALUES ('BTC', 1, 0, $1, NULL, now())",
    )
    .bind(&address)
    .execute(&pool)
    .await
    .unwrap();
    // The world gave a wallet 1 BTC that no coin stands behind; what the house puts in covers that first.
    let stays = world.deposit(&address, "BTC", "1.5").await;
    let came = world.deposit(&address, "BTC", "0.5").await;
    world.mine("BTC", 20).await;
    let gateway = &world.gateway;
    for txid in [&stays, &came] {
        gateway
            .book_own_funds("BTC", txid, "for payouts", "admin")
            .await
            .unwrap();
    }
    let left = "ab".repeat(32);
    sqlx::query(
        "INSERT INTO sim.txs (chain, txid, seq, inputs, outputs)
         SELECT 'BTC', $1, max(seq) + 1,
             jsonb_build_array(jsonb_build_object('txid', $2::text, 'vout', 0)), '[]'::jsonb
         FROM sim.txs",
    )
    .bind(&left)
    .bind(&came)
    .execute(&pool)
    .await
    .unwrap();
    world.mine("BTC", 20).await;
    assert_eq!(
        causes(&compared(&world).await),
        [(Cause::ForeignSpend, "-0.5")]
    );
    let booked = gateway
        .book_own_funds_out("BTC", &left, false, "taken home", "admin")
        .await
        .unwrap();
    assert_eq!(booked.booked.as_deref(), Some("0.5 BTC"));
    let view = compared(&world).await;
    assert_eq!(causes(&view), []);
    assert_eq!(view.books, "1.5");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_chain_that_is_not_connected_is_not_compared(pool: PgPool) {
    let world = World::new(&pool).await;
    let asked = world.gateway.begin_chain_audit("DOGE").await;
    assert!(matches!(asked, Err(Error::NotFound)), "{asked:?}");
    let page = world.gateway.chain_audit_page("EUR").await;
    assert!(matches!(page, Err(Error::NotFound)), "{page:?}");
}
