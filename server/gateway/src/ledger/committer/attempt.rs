use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt;
use tokio::time::timeout;

use super::Batch;
use super::patience::{Patience, is_silence, within};
use crate::error::connection_lost;
use crate::ledger::{Book, Unit, roll_back};
use crate::{Error, Result};

/// What one transaction came to.
pub(super) enum Attempt<D> {
    /// It is durable.
    Committed(Vec<Result<D>>),
    /// Nothing of it is: something in it cannot be done.
    Refused(Error),
    /// Nothing of it is: the connection went away.
    Lost(Error),
    /// Nothing of it is: there was no room for it.
    Overloaded,
    /// Nobody answered the commit.
    Unknown(Vec<Result<D>>),
}

/// Does items in one transaction of their own. No step of it takes longer than the patience says, so a
/// connection that has fallen silent stops nobody for ever.
pub(super) async fn attempt<B: Batch>(
    book: &Book,
    batch: &B,
    items: &[B::Item],
    patience: Patience,
) -> Attempt<B::Done> {
    let begun = Instant::now();
    let mut unit = match within(patience.begin, book.begin()).await {
        Ok(unit) => unit,
        Err(error) => return before_commit(error),
    };
    // A batch that panics must not take the committer of everybody with it.
    let working = AssertUnwindSafe(work(book, batch, &mut unit, items)).catch_unwind();
    let worked = within(patience.work, async {
        working
            .await
            .unwrap_or_else(|_| Err(Error::Internal("a batch panicked".to_owned())))
    })
    .await;
    let results = match worked {
        Ok(results) => results,
        Err(error) => {
            // One that has fallen silent is left to the pool.
            if !is_silence(&error) && timeout(patience.commit, roll_back(unit)).await.is_err() {
                tracing::warn!("a rollback was not answered");
            }
            return before_commit(error);
        }
    };
    match within(patience.commit, unit.into_transaction().commit()).await {
        Ok(()) => {
            book.tally.note_committed(begun.elapsed());
            Attempt::Committed(results)
        }
        Err(error) if is_answer(&error) => Attempt::Refused(error.into()),
        Err(error) => {
            tracing::warn!(%error, "a commit was not answered");
            Attempt::Unknown(results)
        }
    }
}

async fn work<B: Batch>(
    book: &Book,
    batch: &B,
    unit: &mut Unit,
    items: &[B::Item],
) -> Result<Vec<Result<B::Done>>> {
    let results = batch.run(unit, items).await?;
    if results.len() != items.len() {
        return Err(Error::Internal(format!(
            "a batch of {} gave {} results",
            items.len(),
            results.len()
        )));
    }
    book.flush(unit).await?;
    Ok(results)
}

fn before_commit<D>(error: Error) -> Attempt<D> {
    match &error {
        Error::Overloaded { .. } | Error::Database(sqlx::Error::PoolClosed) => Attempt::Overloaded,
        Error::Database(cause) if connection_lost(cause) => Attempt::Lost(error),
        _ => Attempt::Refused(error),
    }
}

/// Postgres itself said that the commit failed, so it did.
pub(in crate::ledger) fn is_answer(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(_)) && !connection_lost(error)
}

/// Somebody else's locks were in the way: serialization, deadlock, lock timeout.
pub(super) fn is_contention(error: &Error) -> bool {
    match error {
        Error::Database(sqlx::Error::Database(cause)) => cause
            .code()
            .is_some_and(|code| matches!(&*code, "40001" | "40P01" | "55P03")),
        _ => false,
    }
}
