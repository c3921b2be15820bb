//! Transactions on their way: built, sent, forgotten, replaced, mined.

use std::time::Duration;

use gateway::Error;
use gateway::withdrawals::NewWithdrawal;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::support::World;
use crate::support::operations::STRANGER;

#[sqlx::test(migrations = "../../migrations")]
async fn a_forgotten_transaction_is_sent_again_and_paid_once(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    world.gateway.advance(0).await.unwrap();
    let txid: String = sqlx::query_scalar("SELECT txid FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    world.gateway.sandbox_drop(&txid).await.unwrap();
    let state: String = sqlx::query_scalar("SELECT state FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(state, "built");
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
    let paid: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sim.txs WHERE NOT gone AND outputs::text LIKE '%' || $1 || '%'",
    )
    .bind(STRANGER)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(paid, 1);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_withdrawal_whose_coins_are_taken_stays_held_and_calls_for_a_person(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    world.gateway.advance(0).await.unwrap();
    let txid: String = sqlx::query_scalar("SELECT txid FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.status.word(), "processing");
    assert!(view.needs_attention);
    assert_eq!(
        world.wallet("BTC").await,
        ("0.90000000".into(), "0.10000000".into())
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_crash_between_building_and_sending_sends_the_same_bytes(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    world.gateway.advance(0).await.unwrap();
    let before: (String, Vec<u8>) = sqlx::query_as("SELECT txid, raw FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    // As it stands when the process dies right after storing the bytes, and right after sending.
    for state in ["built", "broadcast"] {
        sqlx::query(
            "UPDATE withdrawals SET state = $1, next_attempt_at = now() - interval '1 day',
                 locked_until = NULL",
        )
        .bind(state)
        .execute(&pool)
        .await
        .unwrap();
        world.gateway.advance(0).await.unwrap();
    }
    let after: (String, Vec<u8>) = sqlx::query_as("SELECT txid, raw FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(before, after);
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_settled_withdrawal_that_leaves_the_chain_is_sent_once_more(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
    let txid: String = sqlx::query_scalar("SELECT txid FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 1, std::slice::from_ref(&txid))
        .await
        .unwrap();
    let view = world.operations().await.pop().unwrap();
    assert!(view.needs_attention);
    assert_eq!(view.status.word(), "confirmed");
    assert_eq!(
        world.wallet("BTC").await,
        ("0.90000000".into(), "0.00000000".into())
    );
    let subject: String = sqlx::query_scalar("SELECT subject FROM mails ORDER BY id DESC LIMIT 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(subject.ends_with("has left the chain"), "{subject}");
    // The operator may have it sent again as well; once it is back, there is nothing to send.
    let again = async || world.gateway.rebroadcast_withdrawal(view.id, "admin").await;
    again().await.unwrap();
    world.audit().await;
    world.mine("BTC", 1).await;
    let view = world.operations().await.pop().unwrap();
    assert!(!view.needs_attention, "{view:?}");
    let late = again().await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    let mined: String = sqlx::query_scalar("SELECT status FROM chain_txs WHERE txid = $1")
        .bind(&txid)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(mined, "confirmed");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_another_worker_has_under_way_is_in_the_next_block(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    // As between taking it and giving it to the network.
    sqlx::query("UPDATE withdrawals SET locked_until = clock_timestamp() + interval '1 second'")
        .execute(&pool)
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_chain_of_a_withdrawal_that_was_just_asked_for_is_the_one_that_is_mined(pool: PgPool) {
    let world = World::new(&pool).await;
    let new = NewWithdrawal {
        convert_to: Some(world.currency("USDT")),
        address: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".into(),
        ..world.withdrawal("0.001", "BTC", "1")
    };
    world.withdraw(new).await.unwrap();
    let mined = world.gateway.sandbox_mine(None, None).await.unwrap();
    assert_eq!(mined.currency, "USDT");
    assert_eq!(world.told().await, ["withdrawal_exchange confirmed"]);
    world.audit().await;
}

/// Fails when a simulated chain waits for the connection that whoever sends on it holds: there is no other one.
#[sqlx::test(migrations = "../../migrations")]
async fn one_connection_is_enough_to_send_on_a_simulated_chain(pool: PgPool) {
    let world = World::new(&pool).await;
    let one = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(pool.connect_options().as_ref().clone())
        .await
        .unwrap();
    let gateway = World::open(&one, world.gateway.settings().clone())
        .await
        .unwrap();
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    gateway.advance(0).await.unwrap();
    let state: String = sqlx::query_scalar("SELECT state FROM withdrawals")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(state, "broadcast");
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);
    world.audit().await;
}

/// Fails when whoever moves the clock waits for the lease of a process that is dead, or when a block is mined
/// without what was to be in it.
#[sqlx::test(migrations = "../../migrations")]
async fn a_sender_that_died_is_waited_for_a_while_and_no_longer(pool: PgPool) {
    let world = World::new(&pool).await;
    world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    let lease = "UPDATE withdrawals SET locked_until = clock_timestamp() + interval '1 hour'";
    sqlx::query(lease).execute(&pool).await.unwrap();
    let both = async {
        tokio::join!(
            world.gateway.advance(0),
            world.gateway.sandbox_mine(Some("BTC"), None)
        )
    };
    let waited = tokio::time::timeout(Duration::from_secs(120), both).await;
    let (moved, mined) = waited.unwrap();
    moved.unwrap();
    assert!(matches!(mined, Err(Error::Overloaded { .. })), "{mined:?}");
    let blocks: i64 = sqlx::query_scalar("SELECT max(height) FROM sim.blocks WHERE chain = 'BTC'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(blocks, 0);
}
