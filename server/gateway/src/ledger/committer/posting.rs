use domain::ledger::JournalEntry;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::Batch;
use crate::Result;
use crate::ledger::drawn::accounts_of;
use crate::ledger::{Book, Unit, store};

/// Plain journal entries without business rows. Four round trips a batch: begin, lock, write, commit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Postings;

/// An entry that is in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedEntry {
    pub id: Uuid,
}

impl Batch for Postings {
    type Item = JournalEntry;
    type Done = PostedEntry;

    fn run<'u>(
        &'u self,
        unit: &'u mut Unit,
        items: &'u [JournalEntry],
    ) -> BoxFuture<'u, Result<Vec<Result<PostedEntry>>>> {
        Box::pin(async move {
            unit.lock_accounts(&accounts_of(items)).await?;
            Ok(items
                .iter()
                .map(|entry| unit.try_post(entry).map(|()| PostedEntry { id: entry.id }))
                .collect())
        })
    }

    fn find<'a>(
        &'a self,
        book: &'a Book,
        items: &'a [JournalEntry],
    ) -> BoxFuture<'a, Result<Vec<Option<PostedEntry>>>> {
        Box::pin(async move {
            let ids: Vec<Uuid> = items.iter().map(|entry| entry.id).collect();
            let booked = store::booked(book.pool(), &ids).await?;
            Ok(ids
                .into_iter()
                .map(|id| booked.contains(&id).then_some(PostedEntry { id }))
                .collect())
        })
    }
}
