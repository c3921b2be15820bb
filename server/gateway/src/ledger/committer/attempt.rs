use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt;
use sqlx::postgres::PgSeverity;
use tokio::time::timeout;

use super::Batch;
use super::patience::{Patience, is_silence, within};
use crate::error::{connection_lost, contended, out_of_room, severity};
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
    /// Nothing of it is: there was no room for it, here or in the database.
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
        Err(error) => return undone(error),
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
            return undone(error);
        }
    };
    match within(patience.commit, unit.into_transaction().commit()).await {
        Ok(()) => {
            book.tally.note_committed(begun.elapsed());
            Attempt::Committed(results)
        }
        Err(error) if is_answer(&error) => undone(error.into()),
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

/// What a transaction came to of which nothing is durable.
fn undone<D>(error: Error) -> Attempt<D> {
    match &error {
        Error::Overloaded { .. } | Error::Database(sqlx::Error::PoolClosed) => Attempt::Overloaded,
        Error::Database(cause) if connection_lost(cause) => Attempt::Lost(error),
        // Its halves would find no room either, and each of them would make others wait.
        Error::Database(cause) if out_of_room(cause) => {
            tracing::error!(%error, "the database has no room for a batch");
            Attempt::Overloaded
        }
        _ => Attempt::Refused(error),
    }
}

/// Postgres itself said that the commit failed, so it did. A session or a server that ends with a commit may
/// have written it before: on a full disk that is a panic, and what was written counts after the recovery.
pub(in crate::ledger) fn is_answer(error: &sqlx::Error) -> bool {
    severity(error) == Some(PgSeverity::Error) && !connection_lost(error)
}

/// Somebody else's locks were in the way.
pub(super) fn is_contention(error: &Error) -> bool {
    matches!(error, Error::Database(cause) if contended(cause))
}
