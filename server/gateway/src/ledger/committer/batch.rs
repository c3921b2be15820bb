use futures::future::BoxFuture;

use crate::ledger::{Book, Unit};
use crate::{Error, Result};

/// A kind of work of which one unit does many.
pub trait Batch: Send + Sync + 'static {
    /// Names its effect by itself, e.g. by an id drawn before it was handed in: an item whose commit
    /// was not answered is looked for, and handed in again when it is not there.
    type Item: Send + Sync + Clone + 'static;
    type Done: Send + 'static;

    /// Whose item it is: owners take turns, and none of them fills the queue alone. `None` when there
    /// are no owners, and who came first is served first.
    fn lane(&self, item: &Self::Item) -> Option<i64> {
        let _ = item;
        None
    }

    /// Does all items in one unit, set-based: business rows locked in id order, then accounts, unique
    /// keys in sorted order. One result per item, in their order; a refused item has changed nothing.
    ///
    /// # Errors
    /// Of the whole: everything is rolled back, and the batch is taken apart until the item that
    /// cannot be done stands alone. An error of a statement must be returned, never kept to oneself:
    /// Postgres has given up the transaction by then.
    fn run<'u>(
        &'u self,
        unit: &'u mut Unit,
        items: &'u [Self::Item],
    ) -> BoxFuture<'u, Result<Vec<Result<Self::Done>>>>;

    /// What is durable of these items; one answer per item, in their order.
    fn find<'a>(
        &'a self,
        book: &'a Book,
        items: &'a [Self::Item],
    ) -> BoxFuture<'a, Result<Vec<Option<Self::Done>>>>;

    /// What is said of an item that is refused after a commit of it was not answered, and that is not
    /// found.
    fn in_doubt(&self, item: &Self::Item, refusal: Error) -> Error {
        let _ = item;
        refusal
    }
}
