//! The batching committer on a real Postgres: nothing lost, nothing doubled, nobody pays for others.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(unix)]
mod alone;
mod charges;
mod copied;
mod decisions;
mod doors;
#[cfg(unix)]
mod endings;
mod failures;
mod grouped;
mod limits;
mod model;
mod neighbours;
#[cfg(unix)]
mod operator;
#[cfg(unix)]
#[allow(dead_code)]
mod proxy;
mod races;
mod room;
#[cfg(unix)]
mod statements;
mod stepping_out;
#[cfg(unix)]
mod unanswered;

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use domain::ledger::{AccountId, AccountKey, JournalEntry, Movement};
use gateway::Error;
use gateway::ledger::{Committer, PostedEntry, Postings};
use sqlx::{PgPool, Postgres, Transaction};
use support::World;
use support::entries::{CURRENCY, entry, house, wallet};
use tokio::task::JoinHandle;
use uuid::Uuid;

type Submitted = JoinHandle<Result<PostedEntry, Error>>;

/// From the house to a wallet.
fn fund(merchant: i64, amount: i128) -> JournalEntry {
    entry(&[(Movement::Post, house(), wallet(merchant), amount)])
}

/// From a wallet to the house.
fn spend(merchant: i64, amount: i128) -> JournalEntry {
    entry(&[(Movement::Post, wallet(merchant), house(), amount)])
}

fn submit(committer: &Committer<Postings>, entry: JournalEntry) -> Submitted {
    let committer = committer.clone();
    tokio::spawn(async move { committer.submit(entry).await })
}

/// Posted, held and version of an account.
async fn figures(pool: &PgPool, id: AccountId) -> (String, String, i64) {
    sqlx::query_as("SELECT posted::text, held::text, version FROM accounts WHERE id = $1")
        .bind(id.0)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// How often these entries are in the journal, in the order given.
async fn booked(pool: &PgPool, ids: &[Uuid]) -> Vec<i64> {
    sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM postings p JOIN journal_entries e ON e.id = p.entry_id
                 WHERE e.id = t.id)
         FROM unnest($1::uuid[]) WITH ORDINALITY AS t (id, n) ORDER BY t.n",
    )
    .bind(ids)
    .fetch_all(pool)
    .await
    .unwrap()
}

/// Waits for a condition; it fails the test when that never comes.
async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let met = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), met)
        .await
        .expect("the condition is met");
}

/// Somebody else's lock on an account: whoever needs it waits until it is given back.
struct Gate {
    pool: PgPool,
    tx: Transaction<'static, Postgres>,
}

impl Gate {
    async fn on(world: &World, pool: &PgPool, key: AccountKey) -> Self {
        let id = world.gateway.book().account_id(key).await.unwrap();
        let mut tx = pool.begin().await.unwrap();
        sqlx::query("SELECT 1 FROM accounts WHERE id = $1 FOR NO KEY UPDATE")
            .bind(id.0)
            .execute(&mut *tx)
            .await
            .unwrap();
        let pool = pool.clone();
        Self { pool, tx }
    }

    /// Waits until somebody stands before the gate; the number of his backend.
    async fn reached(&self) -> i32 {
        let found = Cell::new(None);
        until(|| async {
            // What is seen once is the answer: a second look may come when the wait is over.
            found.set(waiting_backend(&self.pool).await);
            found.get().is_some()
        })
        .await;
        found.get().expect("somebody waits")
    }

    async fn open(self) {
        self.tx.commit().await.unwrap();
    }
}

async fn waiting_backend(pool: &PgPool) -> Option<i32> {
    sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND backend_type = 'client backend'
           AND wait_event_type = 'Lock' AND state = 'active' LIMIT 1",
    )
    .fetch_optional(pool)
    .await
    .unwrap()
}

/// One item that stands before the gate, and these behind it: they will be one batch.
async fn gathered(
    committer: &Committer<Postings>,
    gate: &Gate,
    first: JournalEntry,
    others: Vec<JournalEntry>,
) -> (Submitted, Vec<Submitted>) {
    let first = submit(committer, first);
    gate.reached().await;
    let count = others.len();
    let others = others
        .into_iter()
        .map(|entry| submit(committer, entry))
        .collect();
    until(|| async { committer.depth() == count }).await;
    (first, others)
}
