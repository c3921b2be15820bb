//! What is loaded for a measurement is a ledger like any other: the audit proves it.
#![allow(clippy::unwrap_used)]

mod support;

use futures::future::join_all;
use gateway::bench::Workbench;
use gateway::{Error, Settings};
use sqlx::PgPool;
use support::World;

async fn open(pool: &PgPool, world: &World, accounts: u32) -> Workbench {
    let own: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(pool)
        .await
        .unwrap();
    Workbench::open(&world.gateway, &own, accounts)
        .await
        .unwrap()
}

async fn book(world: &World, entry: domain::ledger::JournalEntry) -> Result<(), Error> {
    world
        .gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                unit.post(entry);
                Ok(())
            })
        })
        .await
}

async fn postings(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM postings")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Loads between transfers of the product's own, with counts that no wallet number divides.
#[sqlx::test(migrations = "../../migrations")]
async fn loaded_books_are_in_order_and_can_be_gone_on_with(pool: PgPool) {
    let world = World::new(&pool).await;
    let bench = open(&pool, &world, 7).await;
    for (postings_wanted, debit, credit) in [(50, 1, 2), (101, 7, 3), (237, 2, 7)] {
        let mut told = Vec::new();
        let held = bench
            .grow_to(postings_wanted, |held| {
                told.push(held);
                // There is no more to come.
                false
            })
            .await
            .unwrap();
        assert_eq!((held, told), (postings_wanted, vec![postings_wanted]));
        assert_eq!(postings(&pool).await, postings_wanted);
        world.audit().await;
        book(&world, bench.transfer(debit, credit)).await.unwrap();
        let (hold, id) = bench.hold(credit);
        book(&world, hold).await.unwrap();
        book(&world, bench.settle(credit, id)).await.unwrap();
        world.audit().await;
    }
    // Long enough already: nothing is taken away.
    assert_eq!(bench.grow_to(1, |_| true).await.unwrap(), 240);
    let (merchant, wallet) = bench.long_statement().await.unwrap();
    let lines = world.gateway.find_wallet(merchant, wallet).await.unwrap();
    let last = world
        .gateway
        .statement(merchant, wallet, Some(4), 50)
        .await
        .unwrap();
    assert!(lines.version > 200, "{}", lines.version);
    let versions: Vec<i64> = last.lines.iter().map(|line| line.version).collect();
    assert_eq!(versions, [3, 2, 1]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_floor_has_rows_of_the_real_shape_and_leaves_the_books_alone(pool: PgPool) {
    let world = World::new(&pool).await;
    let bench = open(&pool, &world, 3).await;
    let before = postings(&pool).await;
    for _ in 0..2 {
        // A second one goes on where the first one ended.
        let mut floor = bench.floor().await.unwrap();
        assert_eq!(floor.insert().await.unwrap(), 500);
        assert_eq!(floor.insert().await.unwrap(), 500);
    }
    let rows: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM bench_entries), (SELECT count(*) FROM bench_postings)",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(rows, (2_000, 2_000));
    let indexes = |table: &'static str| {
        let pool = pool.clone();
        async move {
            let count: i64 =
                sqlx::query_scalar("SELECT count(*) FROM pg_indexes WHERE tablename = $1")
                    .bind(table)
                    .fetch_one(&pool)
                    .await
                    .unwrap();
            count
        }
    };
    assert_eq!(indexes("bench_postings").await, indexes("postings").await);
    assert_eq!(
        indexes("bench_entries").await,
        indexes("journal_entries").await
    );
    assert_eq!(postings(&pool).await, before);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_queue_is_emptied_in_batches_each_job_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let bench = open(&pool, &world, 2).await;
    bench.enqueue(250, None).await.unwrap();
    let mut batches = Vec::new();
    loop {
        let done = bench.drain(100).await.unwrap();
        if done == 0 {
            break;
        }
        batches.push(done);
    }
    assert_eq!(batches.iter().sum::<u64>(), 250, "{batches:?}");
    assert_eq!(batches.first(), Some(&100), "the limits leave room");
    let attempts: Vec<i64> = sqlx::query_scalar(
        "SELECT count(a.id) FROM deliveries d LEFT JOIN delivery_attempts a ON a.delivery_id = d.id
         WHERE d.state = 'delivered' GROUP BY d.id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(attempts, vec![1; 250]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_at_once_do_not_take_the_same_job(pool: PgPool) {
    let world = World::new(&pool).await;
    let bench = open(&pool, &world, 2).await;
    bench.enqueue(64, None).await.unwrap();
    let drained = join_all((0..4).map(|_| bench.drain(16))).await;
    let mut sum = 0;
    for done in drained {
        sum += done.unwrap();
    }
    loop {
        let done = bench.drain(16).await.unwrap();
        if done == 0 {
            break;
        }
        sum += done;
    }
    assert_eq!(sum, 64);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_database_is_refused(pool: PgPool) {
    let world = World::new(&pool).await;
    let before: i64 = sqlx::query_scalar("SELECT count(*) FROM accounts")
        .fetch_one(&pool)
        .await
        .unwrap();
    let refused = Workbench::open(&world.gateway, "exchequer_bench_0", 2).await;
    assert!(matches!(refused.err(), Some(Error::Conflict(_))));
    let after: i64 = sqlx::query_scalar("SELECT count(*) FROM accounts")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(before, after);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_live_instance_is_refused(pool: PgPool) {
    let settings = Settings {
        test_mode: false,
        ..Settings::test("http://127.0.0.1:3000")
    };
    let gateway = World::open(&pool, settings).await.unwrap();
    let own: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&pool)
        .await
        .unwrap();
    let refused = Workbench::open(&gateway, &own, 2).await;
    assert!(matches!(refused.err(), Some(Error::Conflict(_))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_process_that_serves_the_database_is_told(pool: PgPool) {
    let world = World::new(&pool).await;
    let process = gateway::bench::backend(&world.gateway).await.unwrap();
    let serves_it: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_stat_activity
             WHERE pid = $1 AND datname = current_database())",
    )
    .bind(process)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert!(serves_it, "{process}");
}
