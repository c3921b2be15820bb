//! How the bench has an entry booked.

use domain::ledger::JournalEntry;
use gateway::{Gateway, Result};

/// Through the committer of plain entries: its units have nothing but entries in them. No path of the product
/// books so. Charges, exchanges, withdrawals and decisions have committers of their own kind, whose units carry
/// business rows, and a block is a unit of its own; other rows measure those.
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
