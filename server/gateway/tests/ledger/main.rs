//! The book on real Postgres: against the pure model, under concurrency, and when somebody gets past a lock.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod model;
mod rivals;
mod tables;
mod units;

use domain::ledger::{AccountId, AccountKey, AccountKind, EntryKind, HOUSE, JournalEntry};
use domain::ledger::{Leg, Movement};
use gateway::Error;
use sqlx::PgPool;
use support::World;
use uuid::Uuid;

fn wallet(merchant: i64) -> AccountKey {
    AccountKey {
        merchant,
        currency: 145,
        kind: AccountKind::Wallet,
        user_id: 0,
    }
}

fn house() -> AccountKey {
    AccountKey {
        merchant: HOUSE,
        currency: 145,
        kind: AccountKind::Liquidity,
        user_id: 0,
    }
}

fn entry(legs: Vec<(Movement, AccountKey, AccountKey, i128)>) -> JournalEntry {
    let id = Uuid::now_v7();
    JournalEntry {
        id,
        merchant: HOUSE,
        kind: EntryKind::TestFunding,
        subject: "test".into(),
        dedupe: id.to_string(),
        legs: legs
            .into_iter()
            .map(|(movement, debit, credit, amount)| Leg {
                id: Uuid::now_v7(),
                movement,
                debit,
                credit,
                amount,
                label: "test",
            })
            .collect(),
    }
}

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
