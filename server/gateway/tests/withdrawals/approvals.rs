//! Withdrawals above a limit, and people who decide on them.

use futures::future::join_all;
use gateway::Error;
use gateway::withdrawals::{Decider, NewWithdrawal};
use sqlx::PgPool;

use crate::support::World;

fn decider(name: &str, user_id: Option<i64>) -> Decider {
    Decider {
        name: name.to_owned(),
        user_id,
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn above_the_limit_another_person_decides(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 0.1")
        .execute(&pool)
        .await
        .unwrap();
    let (asker, other): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT id FROM users WHERE email = 'merchant@demo.example'),
                (SELECT id FROM users WHERE email = 'manager@demo.example')",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let new = NewWithdrawal {
        requested_user_id: Some(asker),
        ..world.withdrawal("0.2", "BTC", "1")
    };
    let view = world.withdraw(new.clone()).await.unwrap();
    assert_eq!(view.status.word(), "pending");
    world.mine("BTC", 1).await;
    assert_eq!(
        world.wallet("BTC").await,
        ("0.80000000".into(), "0.20000000".into())
    );
    let (gateway, merchant) = (&world.gateway, world.merchant);
    let own = gateway
        .approve_withdrawal(merchant, view.id, decider("merchant", Some(asker)))
        .await;
    assert!(matches!(own, Err(Error::Forbidden)), "{own:?}");
    gateway
        .approve_withdrawal(merchant, view.id, decider("manager", Some(other)))
        .await
        .unwrap();
    let again = gateway
        .approve_withdrawal(merchant, view.id, decider("manager", Some(other)))
        .await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal confirmed"]);

    let second = world
        .withdraw(NewWithdrawal {
            foreign_id: Some("2".into()),
            ..new
        })
        .await
        .unwrap();
    gateway
        .decline_withdrawal(merchant, second.id, decider("merchant", Some(asker)))
        .await
        .unwrap();
    assert_eq!(
        world.wallet("BTC").await,
        ("0.80000000".into(), "0.00000000".into())
    );
    assert_eq!(
        world.events(second.id).await,
        ["withdrawal.pending", "withdrawal.cancelled"]
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn approving_and_declining_at_once_does_one_of_the_two(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 0")
        .execute(&pool)
        .await
        .unwrap();
    for n in 0..10 {
        let view = world
            .withdraw(world.withdrawal("0.01", "BTC", &n.to_string()))
            .await
            .unwrap();
        let (gateway, merchant) = (&world.gateway, world.merchant);
        let (yes, no) = tokio::join!(
            gateway.approve_withdrawal(merchant, view.id, decider("a", Some(1))),
            gateway.decline_withdrawal(merchant, view.id, decider("b", Some(2))),
        );
        assert!(yes.is_ok() != no.is_ok(), "{yes:?} {no:?}");
    }
    world.mine("BTC", 1).await;
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_limit_of_a_day_counts_what_was_asked_for(pool: PgPool) {
    let world = World::new(&pool).await;
    world.well_before_midnight().await;
    // A BTC is 60 000 EUR: two of them are 12 000 EUR, the third would be too much.
    sqlx::query("UPDATE merchants SET withdrawal_daily_limit = 15000")
        .execute(&pool)
        .await
        .unwrap();
    let both = ["1", "2", "3"].map(|n| world.withdraw(world.withdrawal("0.1", "BTC", n)));
    let mut words: Vec<String> = join_all(both)
        .await
        .into_iter()
        .map(|view| view.unwrap().status.word().to_owned())
        .collect();
    words.sort();
    assert_eq!(words, ["pending", "processing", "processing"]);
    world.gateway.advance(86_400).await.unwrap();
    let next = world
        .withdraw(world.withdrawal("0.1", "BTC", "4"))
        .await
        .unwrap();
    assert_eq!(next.status.word(), "processing");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_limit_of_a_day_is_of_all_currencies_together(pool: PgPool) {
    let world = World::new(&pool).await;
    world.well_before_midnight().await;
    sqlx::query("UPDATE merchants SET withdrawal_daily_limit = 6500")
        .execute(&pool)
        .await
        .unwrap();
    let first = world
        .withdraw(world.withdrawal("0.1", "BTC", "1"))
        .await
        .unwrap();
    assert_eq!(first.status.word(), "processing");
    // 600 EUR that leave as bitcoin count like the bitcoin before.
    let exchanged = NewWithdrawal {
        convert_to: Some(world.currency("BTC")),
        ..world.withdrawal("600", "EUR", "2")
    };
    let second = world.withdraw(exchanged).await.unwrap();
    assert_eq!(second.status.word(), "pending");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_exchange_on_its_way_gets_the_rate_of_its_approval(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 100")
        .execute(&pool)
        .await
        .unwrap();
    let new = NewWithdrawal {
        convert_to: Some(world.currency("BTC")),
        ..world.withdrawal("600", "EUR", "1")
    };
    let asked = world.withdraw(new).await.unwrap();
    assert_eq!(asked.received.unwrap().amount, "0.00999999");
    let liquidity = world.account(0, "liquidity", "BTC").await;
    world.set_rate("BTC", "EUR", "75000").await;
    world.set_rate("EUR", "BTC", "0.0000133333").await;
    world
        .gateway
        .approve_withdrawal(world.merchant, asked.id, decider("manager", None))
        .await
        .unwrap();
    let approved = world.operations().await.pop().unwrap();
    assert_eq!(approved.status.word(), "processing");
    assert_eq!(approved.received.unwrap().amount, "0.00799998");
    assert_eq!(approved.price.as_deref(), Some("0.0000133333"));
    assert_eq!(
        world.wallet("EUR").await,
        ("9394.00000000".into(), "606.00000000".into())
    );
    world.audit().await;
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["withdrawal_exchange confirmed"]);
    assert_eq!(
        world.account(0, "liquidity", "BTC").await,
        liquidity - 799_998
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_delivered_any_more_stays_pending(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 100")
        .execute(&pool)
        .await
        .unwrap();
    let new = NewWithdrawal {
        convert_to: Some(world.currency("BTC")),
        ..world.withdrawal("600", "EUR", "1")
    };
    let asked = world.withdraw(new).await.unwrap();
    sqlx::query(
        "UPDATE accounts SET floor = posted - held WHERE kind = 'liquidity' AND currency_id = $1",
    )
    .bind(world.currency("BTC").id)
    .execute(&pool)
    .await
    .unwrap();
    world.set_rate("EUR", "BTC", "0.00002").await;
    let refused = world
        .gateway
        .approve_withdrawal(world.merchant, asked.id, decider("manager", None))
        .await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(world.told().await, ["withdrawal_exchange pending"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_internal_transfer_that_waits_is_told_on_its_way_once_it_is_approved(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 0")
        .execute(&pool)
        .await
        .unwrap();
    let new = NewWithdrawal {
        address: world.address("BTC", None, "a").await,
        ..world.withdrawal("0.01", "BTC", "1")
    };
    let asked = world.withdraw(new).await.unwrap();
    world
        .gateway
        .approve_withdrawal(world.merchant, asked.id, decider("manager", None))
        .await
        .unwrap();
    assert_eq!(
        world.events(asked.id).await,
        [
            "withdrawal.pending",
            "withdrawal.processing",
            "withdrawal.confirmed"
        ]
    );
    world.audit().await;
}
