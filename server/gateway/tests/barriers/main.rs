//! The barriers against an overdraft, taken away one after the other.
//!
//! What should stop it: the *rule* (refuses what goes below the floor), the *lock* (what the rule reads is
//! the newest), the *line* (a version of an account has one line), the *compare* (a row is written where
//! its version is still the one that was read), the *check* (the database's constraint). The product is
//! not touched: a view stands in for the table of accounts, and what it reads and writes is weakened.
//! What is left is the product's own: the view locks nothing and compares nothing by itself.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod lock;
mod reading;
mod rule;
mod spend;
mod stand_in;
mod withdrawals;

use domain::ledger::{AccountId, LedgerError};
use gateway::Error;
use sqlx::PgPool;

use self::spend::Spend;
use self::stand_in::Without;
use self::support::World;

/// What a refusal comes from.
#[derive(Debug, Clone, Copy)]
enum Barrier {
    Rule,
    Line,
    Compare,
    Check,
}

impl Barrier {
    /// Whether it was this one that refused.
    fn refused(self, answer: &Result<(), Error>) -> bool {
        let Err(error) = answer else { return false };
        match self {
            Self::Rule => {
                matches!(error, Error::Ledger(LedgerError::InsufficientFunds { .. }))
            }
            Self::Line => constraint(error) == Some("postings_debit_line"),
            Self::Compare => {
                matches!(error, Error::Internal(why) if why.contains("changed under its lock"))
            }
            Self::Check => constraint(error) == Some("accounts_no_overdraft"),
        }
    }
}

/// The constraint that refused, if one did.
fn constraint(error: &Error) -> Option<&str> {
    match error {
        Error::Database(sqlx::Error::Database(cause)) => cause.constraint(),
        _ => None,
    }
}

/// Wallets with all there is to spend in each, and then some barriers less.
async fn weakened(pool: &PgPool, without: Without) -> World {
    let world = World::new(pool).await;
    for spend in Spend::every() {
        spend.prepare(&world).await;
    }
    // All accounts are known from now on: nothing looks for them through the view.
    without.put_up(pool).await;
    world
}

/// The table is itself again, and so much is left of every wallet by its lines, whatever its row says.
async fn take_down(pool: &PgPool, world: &World, left: i128) {
    stand_in::take_down(pool).await;
    for spend in Spend::every() {
        let id = world.gateway.book().account_id(spend.payer());
        let found = left_by_lines(pool, id.await.unwrap()).await;
        assert_eq!(i128::from(found), left, "{spend:?}");
    }
}

/// What the lines of an account leave to be spent.
async fn left_by_lines(pool: &PgPool, account: AccountId) -> i64 {
    sqlx::query_scalar(
        "SELECT sum(l.amount - CASE WHEN EXISTS (SELECT FROM postings e WHERE e.hold_id = l.posting_id)
                                    THEN 0 ELSE l.reserved END)::bigint
         FROM lines l WHERE l.account_id = $1",
    )
    .bind(account.0)
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Names of the checks of the audit that found something.
async fn broken(world: &World) -> Vec<&'static str> {
    let report = world.gateway.audit().await.unwrap();
    report
        .checks
        .iter()
        .filter(|check| !check.violations.is_empty())
        .map(|check| check.name)
        .collect()
}
