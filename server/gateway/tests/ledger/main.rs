//! The book on real Postgres: against the pure model, under concurrency, and when somebody gets past a lock.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod model;
mod rivals;
mod tables;
mod units;

use domain::ledger::{AccountId, JournalEntry};
use gateway::Error;
use sqlx::PgPool;
use support::World;
use support::entries::{entry, house, wallet};

async fn book(world: &World, entry: JournalEntry) -> Result<(), Error> {
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

async fn figures(pool: &PgPool, id: AccountId) -> (String, String, i64) {
    sqlx::query_as("SELECT posted::text, held::text, version FROM accounts WHERE id = $1")
        .bind(id.0)
        .fetch_one(pool)
        .await
        .unwrap()
}
