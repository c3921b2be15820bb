//! How many statements a batch takes: as many for a hundred items as for one, and in a group no item more than any
//! other.

use gateway::Error;
use gateway::idempotency::{Answer, Once};
use gateway::ledger::{Committer, CommitterStats, Limits, Postings};
use sqlx::PgPool;
use tokio::task::JoinHandle;

use super::decisions;
use super::grouped;
use super::proxy::Proxy;
use super::support::World;
use super::support::backends::waiting_backends;
use super::support::operations::STRANGER;
use super::{Gate, fund, gathered, house, until};

const SIZES: [usize; 3] = [1, 10, 100];

/// Of plain entries: two that are inserted, two that are copied.
const ENTRIES: [usize; 4] = [1, 10, 60, 120];

#[sqlx::test(migrations = "../../migrations")]
async fn postings_take_as_many_for_a_hundred_as_for_one(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let limits = Limits {
        queue: 200,
        batch: 200,
        committers: 1,
    };
    let committer = Committer::start(world.gateway.book().clone(), Postings, limits);
    // From now on all accounts are known.
    for merchant in 1..5 {
        committer.submit(fund(merchant, 1)).await.unwrap();
    }
    let mut taken = Vec::new();
    for size in ENTRIES {
        let gate = Gate::on(&world, &pool, house()).await;
        let waiting = (1..5).cycle().take(size).map(|merchant| fund(merchant, 1));
        let (first, others) = gathered(&committer, &gate, fund(1, 1), waiting.collect()).await;
        let (before, batches) = (proxy.statements(), committer.stats().batches);
        gate.open().await;
        first.await.unwrap().unwrap();
        for each in others {
            each.await.unwrap().unwrap();
        }
        taken.push(proxy.statements() - before);
        assert_eq!(committer.stats().batches - batches, 2);
    }
    let (inserted, copied) = (taken[0], taken[2]);
    assert!(inserted > 0 && copied > inserted);
    let expected = [inserted, inserted, copied, copied];
    assert_eq!(taken, expected, "for {ENTRIES:?} items");
    world.audit().await;
}

fn create(world: &World, key: String) -> JoinHandle<Result<Answer, Error>> {
    let new = world.new_charge("10.00", "EUR", None);
    let once = Once {
        merchant_id: world.merchant,
        method: "POST",
        path: "/api/orders".into(),
        key,
        body_hash: [1; 32],
    };
    let gateway = world.gateway.clone();
    tokio::spawn(async move {
        gateway
            .create_charge(new, Some(once), |view| {
                (201, view.public_id.clone().into_bytes())
            })
            .await
    })
}

fn stats(world: &World) -> CommitterStats {
    let all = world.gateway.committers();
    let charges = all.into_iter().find(|(name, _)| *name == "charges");
    charges.map(|(_, stats)| stats).unwrap_or_default()
}

/// With a key for each, and somebody who is told of each.
#[sqlx::test(migrations = "../../migrations")]
async fn charges_take_as_many_for_a_hundred_as_for_one(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    sqlx::query(
        "INSERT INTO webhook_endpoints (merchant_id, url, format, events, secret, created_at)
         VALUES ($1, 'https://one.example/hook', 'standard', '{}',
             'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', now())",
    )
    .bind(world.merchant)
    .execute(&pool)
    .await
    .unwrap();
    create(&world, "the first".to_owned())
        .await
        .unwrap()
        .unwrap();
    let mut taken = Vec::new();
    // The first round still looks up what is remembered from then on.
    for size in [1].into_iter().chain(SIZES) {
        let mut held = pool.begin().await.unwrap();
        sqlx::query("LOCK TABLE charges IN SHARE MODE")
            .execute(&mut *held)
            .await
            .unwrap();
        // Of the whole round: a connection that prepares a statement here waits before it executes it.
        let (before, batches) = (proxy.statements(), stats(&world).batches);
        // One for each task that makes charges. What comes then is one batch.
        let mut made = Vec::new();
        for tasks in 1..=2 {
            made.push(create(
                &world,
                format!("{} {size} task {tasks}", taken.len()),
            ));
            until(|| async { waiting_backends(&pool).await >= tasks }).await;
        }
        for number in 0..size {
            made.push(create(&world, format!("{} {size} {number}", taken.len())));
        }
        until(|| async { stats(&world).depth == size }).await;
        held.rollback().await.unwrap();
        for each in made {
            each.await.unwrap().unwrap();
        }
        taken.push(proxy.statements() - before);
        assert_eq!(stats(&world).batches - batches, 3);
    }
    let taken = &taken[1..];
    assert!(taken[0] > 0);
    assert_eq!(taken, [taken[0]; SIZES.len()], "for {SIZES:?} items");
    let told: i64 = sqlx::query_scalar(
        "SELECT count(DISTINCT object) FROM deliveries WHERE url = 'https://one.example/hook'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(
        usize::try_from(told).unwrap(),
        SIZES.iter().sum::<usize>() + 10
    );
    world.audit().await;
}

/// Exchanges of a group are done one after the other, so each takes some; none takes more because of others.
#[sqlx::test(migrations = "../../migrations")]
async fn each_exchange_of_a_group_takes_as_many_as_any_other(pool: PgPool) {
    /// With a reference: a savepoint, the reference, the rate, the terms, the quote, the exchange, the answer.
    const EACH_MAX: usize = 7;

    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let mut taken = Vec::new();
    for size in [10, 20, 40] {
        let (gate, first) = grouped::held_up(&world, &pool).await;
        let mut others = Vec::new();
        for number in 0..size {
            let wish = ["0.0002", "BTC", "EUR"];
            let reference = Some(format!("{size} {number}"));
            let new = grouped::new_exchange(&world, world.merchant, wish, reference);
            others.push(grouped::start(&world, new, None));
        }
        grouped::waiting(&world, size).await;
        let batches = grouped::stats(&world.gateway).batches;
        let before = proxy.statements();
        gate.open().await;
        first.await.unwrap().unwrap();
        for each in others {
            each.await.unwrap().unwrap();
        }
        taken.push(proxy.statements() - before);
        assert_eq!(grouped::stats(&world.gateway).batches - batches, 2);
    }
    let (ten_more, twenty_more) = (taken[1] - taken[0], taken[2] - taken[1]);
    assert_eq!(twenty_more, 2 * ten_more, "{taken:?}");
    assert!(ten_more <= 10 * EACH_MAX, "{taken:?}");
    world.audit().await;
}

/// The same of decisions; the rows of all of them are locked together.
#[sqlx::test(migrations = "../../migrations")]
async fn each_decision_of_a_group_takes_as_many_as_any_other(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    decisions::set_limit(&pool, "0").await;
    let mut taken = Vec::new();
    // The first round still looks up what is remembered from then on.
    for (round, size) in [5, 5, 10, 15].into_iter().enumerate() {
        let mut ids = Vec::new();
        for number in 0..size {
            let reference = format!("{round} {number}");
            ids.push(decisions::pending(&world, "0.001", STRANGER, &reference).await);
        }
        let (gate, first) = decisions::held_up(&world, &pool, round).await;
        let others: Vec<_> = ids
            .into_iter()
            .map(|id| decisions::decline(&world.gateway, world.merchant, id))
            .collect();
        decisions::waiting(&world, size).await;
        let batches = decisions::stats(&world.gateway).batches;
        let before = proxy.statements();
        gate.open().await;
        for each in first.into_iter().chain(others) {
            each.await.unwrap().unwrap();
        }
        taken.push(proxy.statements() - before);
        assert_eq!(decisions::stats(&world.gateway).batches - batches, 4);
    }
    let (five_more, ten_more) = (taken[2] - taken[1], taken[3] - taken[1]);
    assert!(five_more > 0);
    assert_eq!(ten_more, 2 * five_more, "{taken:?}");
    world.audit().await;
}
