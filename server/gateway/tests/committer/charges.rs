use futures::future::join_all;
use gateway::Error;
use gateway::charges::{Item, NewCharge};
use gateway::idempotency::Once;
use serde_json::json;
use sqlx::PgPool;

use super::support::World;

fn once(world: &World, key: String) -> Once {
    Once {
        merchant_id: world.merchant,
        method: "POST",
        path: "/api/orders".into(),
        key,
        body_hash: [1; 32],
    }
}

async fn create(world: &World, new: NewCharge, once: Option<Once>) -> Result<String, Error> {
    let answer = world
        .gateway
        .create_charge(new, once, |view| (201, view.public_id.clone().into_bytes()))
        .await?;
    Ok(String::from_utf8(answer.body).unwrap())
}

/// Each of many that are asked for at the same time is as whole as one alone.
#[sqlx::test(migrations = "../../migrations")]
async fn many_at_once_are_each_whole(pool: PgPool) {
    let world = World::new(&pool).await;
    let calls = (0..100i64).map(|i| {
        let amount = format!("{}.50", i + 1);
        let mut new = world.new_charge(&amount, "EUR", None);
        // Ten customers of the merchant, whose wallets come into being with the charge.
        new.wallet_user_id = i % 10;
        new.timer = i % 2 == 0;
        let once = (i % 4 == 0).then(|| once(&world, format!("key-{i}")));
        let world = &world;
        async move { (amount, create(world, new, once).await.unwrap()) }
    });
    let made = join_all(calls).await;
    for (amount, id) in &made {
        assert!(
            world
                .view(id)
                .await
                .amount
                .exact()
                .starts_with(amount.as_str())
        );
    }
    let (_, stats) = world.gateway.committers()[0];
    assert_eq!((stats.items, stats.refused), (100, 0));
    assert!(stats.batches < 100, "{stats:?}");
    let counts: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM charges),
                (SELECT count(*) FROM charge_timeline WHERE kind = 'created'),
                (SELECT count(*) FROM events WHERE type = 'charge.created' AND sequence = 1),
                (SELECT count(*) FROM idempotency_keys),
                (SELECT count(*) FROM accounts WHERE kind = 'wallet' AND user_id BETWEEN 1 AND 9
                 AND merchant_id = $1
                 AND currency_id = (SELECT id FROM currencies WHERE code = 'EUR'))",
    )
    .bind(world.merchant)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(counts, (100, 100, 100, 25, 9));
    // The timeline of each says what that one is about.
    let strange: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM charges c JOIN charge_timeline t ON t.charge_id = c.id
         WHERE (t.data ->> 'amount')::numeric * 100000000 <> c.amount",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(strange, 0);
    world.audit().await;
}

/// In one batch, too, a key belongs to the body that came with it first.
#[sqlx::test(migrations = "../../migrations")]
async fn a_key_with_another_body_is_refused_in_the_same_batch(pool: PgPool) {
    let world = World::new(&pool).await;
    let with_body = |body: u8| Once {
        body_hash: [body; 32],
        ..once(&world, "one".into())
    };
    let ask = |body: u8| {
        create(
            &world,
            world.new_charge("10.00", "EUR", None),
            Some(with_body(body)),
        )
    };
    let made = join_all([ask(1), ask(2), ask(1)]).await;
    assert_eq!(world.gateway.committers()[0].1.batches, 1, "they are one");
    assert_eq!(made[0].as_ref().unwrap(), made[2].as_ref().unwrap());
    assert!(
        matches!(made[1], Err(Error::IdempotencyMismatch)),
        "{made:?}"
    );
    // Of those after it, both with the other body are wrong, and the one with the first body is not.
    let later = join_all([ask(2), ask(2), ask(1)]).await;
    for wrong in &later[..2] {
        assert!(
            matches!(wrong, Err(Error::IdempotencyMismatch)),
            "{later:?}"
        );
    }
    assert_eq!(later[2].as_ref().unwrap(), made[0].as_ref().unwrap());
    world.audit().await;
}

/// What the database refuses of one charge, and what is wrong with another, is their own business.
#[sqlx::test(migrations = "../../migrations")]
async fn a_charge_that_cannot_be_made_fails_alone(pool: PgPool) {
    let world = World::new(&pool).await;
    // A currency in which the merchant has no wallet.
    let foreign: String = sqlx::query_scalar(
        "SELECT code FROM currencies c WHERE NOT EXISTS (
             SELECT 1 FROM accounts a WHERE a.merchant_id = $1 AND a.currency_id = c.id
             AND a.kind = 'wallet') ORDER BY id LIMIT 1",
    )
    .bind(world.merchant)
    .fetch_one(&pool)
    .await
    .unwrap();
    let calls = (0..30).map(|i| {
        let mut new = world.new_charge("10.00", "EUR", None);
        match i {
            7 => new.amount = world.money("10.00", &foreign),
            // Postgres keeps no NUL in its JSON.
            11 => {
                new.metadata.insert("note".into(), json!("a\0b"));
            }
            23 => new.merchant_id = -1,
            _ => {}
        }
        create(&world, new, None)
    });
    let results = join_all(calls).await;
    for (i, result) in results.iter().enumerate() {
        match i {
            7 => assert!(matches!(result, Err(Error::Invalid(_))), "{result:?}"),
            11 => assert!(matches!(result, Err(Error::Database(_))), "{result:?}"),
            23 => assert!(
                matches!(result, Err(Error::Invalid(_) | Error::NotFound)),
                "{result:?}"
            ),
            _ => assert!(result.is_ok(), "{i}: {result:?}"),
        }
    }
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM charges")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(count, 27);
    world.audit().await;
}

/// Events about charges of one batch reach the merchant's endpoints, each charge's in order.
#[sqlx::test(migrations = "../../migrations")]
async fn each_charge_is_reported_to_each_receiver(pool: PgPool) {
    let world = World::new(&pool).await;
    for (url, events) in [
        ("https://one.example/hook", "{}"),
        ("https://two.example/hook", "{charge.created}"),
        ("https://three.example/hook", "{charge.paid}"),
    ] {
        sqlx::query(
            "INSERT INTO webhook_endpoints (merchant_id, url, format, events, secret, created_at)
             VALUES ($1, $2, 'standard', $3::text[], 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', now())",
        )
        .bind(world.merchant)
        .bind(url)
        .bind(events)
        .execute(&pool)
        .await
        .unwrap();
    }
    let calls = (0..20).map(|_| create(&world, world.new_charge("10.00", "EUR", None), None));
    for made in join_all(calls).await {
        made.unwrap();
    }
    let counts: Vec<(String, i64)> = sqlx::query_as(
        "SELECT url, count(DISTINCT object) FROM deliveries WHERE url LIKE '%.example/hook'
         GROUP BY url ORDER BY url",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let expected = [
        ("https://one.example/hook".to_owned(), 20),
        ("https://two.example/hook".to_owned(), 20),
    ];
    assert_eq!(counts, expected);
    world.audit().await;
}

/// A charge is answered from what was written; reading it again says the same.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_answered_is_what_is_stored(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query(
        "UPDATE merchants SET tolerance = 1, expiry_minutes = 25, fee_basis_points = 70,
             late_policy = 'inbox'",
    )
    .execute(&pool)
    .await
    .unwrap();
    for (key, timer) in [(None, false), (Some("key"), true)] {
        let mut new = world.new_charge("12.50", "EUR", Some("http://127.0.0.1:9/hook"));
        new.timer = timer;
        new.wallet_user_id = 42;
        new.customer.city = Some("Riga".to_owned());
        new.items = vec![Item {
            name: "Tea".to_owned(),
            price: "12.50".to_owned(),
            quantity: 1,
        }];
        new.metadata.insert("b".to_owned(), json!({"c": "d"}));
        new.metadata.insert("longer".to_owned(), json!([1.5, null]));
        let once = key.map(|key| once(&world, key.to_owned()));
        let answer = world
            .gateway
            .create_charge(new, once, |view| (201, format!("{view:?}").into_bytes()))
            .await
            .unwrap();
        let id: String =
            sqlx::query_scalar("SELECT public_id FROM charges ORDER BY id DESC LIMIT 1")
                .fetch_one(&pool)
                .await
                .unwrap();
        let stored = format!("{:?}", world.view(&id).await);
        assert_eq!(String::from_utf8(answer.body).unwrap(), stored);
    }
    world.audit().await;
}
