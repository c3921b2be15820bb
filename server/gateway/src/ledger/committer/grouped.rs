use std::collections::BTreeSet;

use domain::ledger::AccountKey;
use futures::future::BoxFuture;

use super::attempt::is_contention;
use super::piece::{Piece, Value, durable};
use super::worker::outcome_unknown;
use super::{Batch, Limits};
use crate::error::{connection_lost, out_of_room};
use crate::ledger::rows::Row;
use crate::ledger::{Book, Unit};
use crate::{Error, Result};

/// Of work that locks nothing that exists but its merchants.
///
/// Each piece of work is a subtransaction, and Postgres keeps 64 of those at hand; with more, every
/// reader has to look them up. One task: all of them want the same house accounts.
pub(in crate::ledger) const LIMITS: Limits = Limits {
    queue: 5_000,
    batch: 50,
    committers: 1,
};

/// Of work that changes rows which exist.
///
/// Several tasks: none of them waits for such a row, but each does for merchants and accounts, and which
/// those are differs from decision to decision. Three, because each holds a connection. Twenty in a group,
/// for a group holds the rows of all its items until its commit, and a follower may want any of them. A
/// shorter queue than that of exchanges: people and shops decide less often.
pub(in crate::ledger) const DECISIONS: Limits = Limits {
    queue: 2_000,
    batch: 20,
    committers: 3,
};

/// Units of work of any kind, one after the other in one transaction: merchants, then rows, then accounts
/// are locked for all of them together; each sees what those before it did, and is undone alone when it is
/// refused.
///
/// A row that somebody else has is left to him: the piece that needs it steps out of its group before it
/// does anything, and is done alone, so a group waits for no row.
///
/// No circle of waits: after the accounts a group takes only rows of its own, rows that belong to one it has and
/// are changed by whoever has that, or by units that wait for nothing afterwards, and unique keys that nobody
/// takes without the lock of their merchant, or of a row that it has. Advisory locks are tried.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Grouped;

impl Batch for Grouped {
    type Item = Piece;
    type Done = Value;

    fn lane(&self, item: &Piece) -> Option<i64> {
        Some(item.needs.owner)
    }

    fn run<'u>(
        &'u self,
        unit: &'u mut Unit,
        items: &'u [Piece],
    ) -> BoxFuture<'u, Result<Vec<Result<Value>>>> {
        Box::pin(async move {
            for item in items {
                item.forget();
            }
            unit.lock_merchants(&merchants_of(items)).await?;
            unit.reach_for(&rows_of(items)).await?;
            match items {
                // As any unit: what it staged is locked, judged and written at its end.
                [alone] => Ok(vec![Ok(alone.run(unit).await?)]),
                _ => run_each(unit, items).await,
            }
        })
    }

    /// A transaction that may still commit holds the locks of the merchants and rows of all that was done in
    /// it, or of the accounts of what needs neither: whoever has them knows that it has ended. What stepped out of
    /// it or was refused is not in it, and whoever has its rows is not waited for.
    fn find<'a>(
        &'a self,
        book: &'a Book,
        items: &'a [Piece],
    ) -> BoxFuture<'a, Result<Vec<Option<Value>>>> {
        Box::pin(async move {
            let done: Vec<&Piece> = items.iter().filter(|item| item.was_done()).collect();
            let mut unit = book.begin().await?;
            unit.lock_merchants(&merchants_of(done.iter().copied()))
                .await?;
            unit.wait_for(&rows_of(done.iter().copied())).await?;
            unit.share(&accounts_alone(done)).await?;
            let durable = durable(&mut unit, items).await?;
            unit.into_transaction().rollback().await?;
            // Only an item that was answered is ever looked for with a trace: its answer is kept by
            // whoever asks, and this one only says that it counts.
            Ok(durable
                .into_iter()
                .map(|is_durable| is_durable.then(|| Box::new(()) as Value))
                .collect())
        })
    }

    /// Done again, it may have been in its own way, and nothing tells.
    fn in_doubt(&self, item: &Piece, refusal: Error) -> Error {
        if item.leaves_no_trace() {
            outcome_unknown()
        } else {
            refusal
        }
    }
}

fn merchants_of<'p>(items: impl IntoIterator<Item = &'p Piece>) -> BTreeSet<i64> {
    items
        .into_iter()
        .flat_map(|item| item.needs.merchants.iter().copied())
        .collect()
}

fn rows_of<'p>(items: impl IntoIterator<Item = &'p Piece>) -> BTreeSet<Row> {
    items
        .into_iter()
        .flat_map(|item| item.needs.rows.iter().copied())
        .collect()
}

/// Accounts of those that need nothing else.
fn accounts_alone<'p>(items: impl IntoIterator<Item = &'p Piece>) -> Vec<AccountKey> {
    items
        .into_iter()
        .map(|item| &item.needs)
        .filter(|needs| needs.merchants.is_empty() && needs.rows.is_empty())
        .flat_map(|needs| needs.accounts.iter().copied())
        .collect()
}

async fn run_each(unit: &mut Unit, items: &[Piece]) -> Result<Vec<Result<Value>>> {
    let accounts: Vec<AccountKey> = items
        .iter()
        .filter(|item| item.is_ready(unit).is_ok())
        .flat_map(|item| item.needs.accounts.iter().copied())
        .collect();
    unit.share(&accounts).await?;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        if let Err(steps_out) = item.is_ready(unit) {
            results.push(Err(steps_out));
            continue;
        }
        let mark = unit.mark().await?;
        let result = match item.run(unit).await {
            Ok(value) => unit.book_staged().await.map(|()| value),
            Err(error) => Err(error),
        };
        match result {
            Ok(value) => results.push(Ok(value)),
            Err(error) if is_of_all(&error) => return Err(error),
            Err(error) => {
                item.forget();
                unit.undo(mark).await?;
                results.push(Err(error));
            }
        }
    }
    Ok(results)
}

/// Whether the transaction cannot go on, or should not: its connection, no room in the database,
/// somebody else's locks, an account that comes too late for the order of locks, a mistake of ours.
fn is_of_all(error: &Error) -> bool {
    match error {
        Error::Internal(_) => true,
        Error::Database(cause) => {
            connection_lost(cause) || out_of_room(cause) || is_contention(error)
        }
        _ => false,
    }
}
