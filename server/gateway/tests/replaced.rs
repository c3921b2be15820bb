//! Withdrawals whose coins another transaction took, until an operator says what became of them.
#![allow(clippy::unwrap_used)]

mod support;

use domain::view::operate::SuspenseFilter;
use gateway::Error;
use gateway::withdrawals::ReplacedOutcome::{self, NotPaid, Paid};
use sqlx::PgPool;
use support::World;
use support::operations::blamed;

/// More blocks than make any deposit final.
const DEEP: u32 = 6;

const BY: &str = "admin@demo.example";

/// A withdrawal of 0.1 BTC on its way: its number and its transaction.
async fn on_its_way(world: &World) -> (i64, String) {
    let view = world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    world.gateway.advance(0).await.unwrap();
    let txid = sqlx::query_scalar("SELECT txid FROM withdrawals")
        .fetch_one(world.gateway.pool())
        .await
        .unwrap();
    (view.id, txid)
}

/// The same, and its coins are taken by a transaction in a block.
async fn taken(world: &World) -> i64 {
    let (id, txid) = on_its_way(world).await;
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    world.mine("BTC", DEEP).await;
    id
}

async fn end(world: &World, id: i64, outcome: ReplacedOutcome) -> Result<(), Error> {
    world
        .gateway
        .end_replaced(id, outcome, "looked at the chain", BY)
        .await
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_not_paid_is_free_again(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = taken(&world).await;
    let all = world
        .gateway
        .suspense_view(SuspenseFilter::default(), 1)
        .await
        .unwrap();
    let path = format!("/app/operate/suspense/{id}/replaced");
    let stuck = all.stuck.first().unwrap();
    assert_eq!(stuck.replaced.as_deref(), Some(path.as_str()));
    let review = world.gateway.review_replaced(id, NotPaid).await.unwrap();
    assert!(
        review.rows.iter().any(|row| row.label == "0.10000000 BTC"),
        "{review:?}"
    );

    end(&world, id, NotPaid).await.unwrap();
    assert_eq!(
        world.wallet("BTC").await,
        ("1.00000000".into(), "0.00000000".into())
    );
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.status.word(), "cancelled");
    assert!(!view.needs_attention);
    assert_eq!(
        world.events(id).await,
        ["withdrawal.processing", "withdrawal.cancelled"]
    );
    world.audit().await;
    let (actor, why): (String, String) = sqlx::query_as(
        "SELECT actor, data->>'reason' FROM audit_log WHERE action = 'withdrawal.replaced'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!((actor.as_str(), why.as_str()), (BY, "looked at the chain"));
    // Once.
    assert!(matches!(
        end(&world, id, Paid).await,
        Err(Error::Conflict(_))
    ));
    let all = world
        .gateway
        .suspense_view(SuspenseFilter::default(), 1)
        .await
        .unwrap();
    assert!(all.stuck.is_empty(), "{all:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_other_transaction_paid_is_settled(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = taken(&world).await;
    end(&world, id, Paid).await.unwrap();
    assert_eq!(
        world.wallet("BTC").await,
        ("0.90000000".into(), "0.00000000".into())
    );
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.status.word(), "confirmed");
    // The one that paid is named, and its blocks do not call for a person again.
    let (other, named): (String, String) = sqlx::query_as(
        "SELECT t.replaced_by, w.txid FROM withdrawals w, chain_txs t WHERE t.status = 'replaced'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(other, named);
    world.mine("BTC", 2).await;
    let view = world.operations().await.pop().unwrap();
    assert!(!view.needs_attention);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_is_decided_about_one_that_can_still_arrive(pool: PgPool) {
    let world = World::new(&pool).await;
    let (id, _) = on_its_way(&world).await;
    for outcome in [Paid, NotPaid] {
        assert!(matches!(
            end(&world, id, outcome).await,
            Err(Error::Conflict(_))
        ));
        let review = world.gateway.review_replaced(id, outcome).await;
        assert!(matches!(review, Err(Error::Conflict(_))), "{review:?}");
    }
    assert!(matches!(end(&world, 404, Paid).await, Err(Error::NotFound)));
    let other = taken_of_another(&world).await;
    let no_reason = world.gateway.end_replaced(other, Paid, " ", BY).await;
    assert_eq!(blamed(&no_reason.unwrap_err()).0, "reason");
    world.audit().await;
}

/// A second withdrawal, whose coins are taken.
async fn taken_of_another(world: &World) -> i64 {
    let view = world
        .withdraw(world.withdrawal("0.2", "BTC", "2"))
        .await
        .unwrap();
    world.gateway.advance(0).await.unwrap();
    let txid: String = sqlx::query_scalar("SELECT txid FROM withdrawals WHERE operation_id = $1")
        .bind(view.id)
        .fetch_one(world.gateway.pool())
        .await
        .unwrap();
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    view.id
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_is_decided_while_the_other_transaction_may_vanish(pool: PgPool) {
    let world = World::new(&pool).await;
    let (id, txid) = on_its_way(&world).await;
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    for outcome in [Paid, NotPaid] {
        let early = end(&world, id, outcome).await;
        assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
    }
    // In a block, and not deep in the chain: a reorganisation brings ours back.
    world.mine("BTC", 1).await;
    for outcome in [Paid, NotPaid] {
        let early = end(&world, id, outcome).await;
        assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
    }
    world.mine("BTC", DEEP).await;
    end(&world, id, NotPaid).await.unwrap();
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reorganisation_begins_the_count_of_blocks_anew(pool: PgPool) {
    let world = World::new(&pool).await;
    let (_, txid) = on_its_way(&world).await;
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    let stored = || async {
        let row: (Option<String>, Option<i64>) =
            sqlx::query_as("SELECT replaced_by, replaced_height FROM chain_txs WHERE txid = $1")
                .bind(&txid)
                .fetch_one(&pool)
                .await
                .unwrap();
        row
    };
    let (other, height) = stored().await;
    assert!(height.is_some());
    // The other transaction is in no block any more.
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 1, &[other.unwrap()])
        .await
        .unwrap();
    assert_eq!(stored().await.1, None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_that_is_mined_after_it_was_called_off_is_told(pool: PgPool) {
    mined_after_its_end(&pool, NotPaid).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_that_is_mined_beside_the_one_that_paid_is_told(pool: PgPool) {
    mined_after_its_end(&pool, Paid).await;
}

async fn mined_after_its_end(pool: &PgPool, outcome: ReplacedOutcome) {
    let world = World::new(pool).await;
    let id = taken(&world).await;
    end(&world, id, outcome).await.unwrap();
    let again = world.gateway.rebroadcast_withdrawal(id, BY).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    // A reorganisation brings back what the other transaction had replaced.
    let forged = sqlx::query(
        "UPDATE chain_txs SET status = 'confirmed', height = 1
         WHERE txid = (SELECT ended_txid FROM withdrawals WHERE operation_id = $1)",
    )
    .bind(id)
    .execute(pool)
    .await
    .unwrap();
    assert_eq!(forged.rows_affected(), 1);
    world.mine("BTC", 1).await;
    let mails = world.gateway.list_mail(None, 50).await.unwrap();
    let told = format!("Withdrawal {id} was paid although it had ended");
    assert!(mails.iter().any(|mail| mail.subject == told), "{mails:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_operators_one_decides(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = taken(&world).await;
    let (paid, unpaid) = tokio::join!(end(&world, id, Paid), end(&world, id, NotPaid));
    assert!(paid.is_ok() != unpaid.is_ok(), "{paid:?} {unpaid:?}");
    world.audit().await;
}
