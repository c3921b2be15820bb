//! What the tables refuse, whoever asks.

use domain::ledger::Movement;
use sqlx::PgPool;

use super::support::World;
use super::{book, entry, house, wallet};

/// The database refuses what the code would never ask for.
#[sqlx::test(migrations = "../../migrations")]
async fn postings_cannot_be_changed_and_floors_not_broken(pool: PgPool) {
    let world = World::new(&pool).await;
    book(&world, entry(&[(Movement::Post, house(), wallet(1), 100)]))
        .await
        .unwrap();
    for statement in [
        "UPDATE postings SET amount = 1",
        "DELETE FROM postings",
        "TRUNCATE postings",
        "UPDATE journal_entries SET kind = 'x'",
        "DELETE FROM accounts",
        "UPDATE accounts SET posted = posted - 1000 WHERE kind = 'wallet' AND merchant_id = 1",
    ] {
        assert!(
            sqlx::query(statement).execute(&pool).await.is_err(),
            "{statement}"
        );
    }
    world.audit().await;
}
