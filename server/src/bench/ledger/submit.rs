//! How the bench has an entry booked.

use domain::ledger::JournalEntry;
use gateway::{Gateway, Result};

/// As the product books what comes in many at a time.
pub(super) async fn submit(gateway: &Gateway, entry: JournalEntry) -> Result<()> {
    gateway.postings().submit(entry).await.map(|_| ())
}

/// In a transaction of its own.
pub(super) async fn direct(gateway: &Gateway, entry: JournalEntry) -> Result<()> {
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                unit.post(entry);
                Ok(())
            })
        })
        .await
}
