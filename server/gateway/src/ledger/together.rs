//! Units of work that share a transaction with others.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::committer::grouped::{self, Grouped};
use super::committer::piece::Piece;
use super::{Book, Committer, Needs, Row, Unit};
use crate::{Error, Result};

impl Book {
    /// Commits `work` in one transaction with whatever else waits, or alone when nothing does. It may
    /// run more than once, and locks nothing but what it `needs` and rows it makes itself. Of what exists
    /// it locks its merchants alone: what changes other rows is for [`Self::commit_decision`].
    ///
    /// # Errors
    /// Those of [`Self::commit`]; [`Error::Overloaded`] when too much waits already, and nothing was
    /// done then. [`Error::StepsOut`] when it turns out to need a row that exists.
    pub(crate) async fn commit_grouped<T, F>(&self, needs: Needs, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'u> Fn(&'u mut Unit) -> BoxFuture<'u, Result<T>> + Send + Sync + 'static,
    {
        self.submit(self.grouped(), Piece::new(needs, work)).await
    }

    /// The same for work that changes rows which exist already, those that it `needs`. When somebody else
    /// has one of them, or it turns out to need another one, it is done by [`Self::commit`].
    ///
    /// # Errors
    /// Those of [`Self::commit`]; [`Error::Overloaded`] when too much waits already, and nothing was
    /// done then.
    pub(crate) async fn commit_decision<T, F>(&self, needs: Needs, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'u> Fn(&'u mut Unit) -> BoxFuture<'u, Result<T>> + Send + Sync + 'static,
    {
        let locks_merchants = !needs.merchants.is_empty();
        let rows: BTreeSet<Row> = needs.rows.iter().copied().collect();
        let work = Arc::new(work);
        let in_group = work.clone();
        let piece = Piece::new(needs, move |unit| in_group(unit));
        match self.submit(self.decisions(), piece).await {
            Err(Error::StepsOut) => {
                if locks_merchants && !rows.is_empty() {
                    self.wait_for_others(rows).await?;
                }
                self.commit(move |unit| work(unit)).await
            }
            done => done,
        }
    }

    /// Waits until nobody else has these rows, and changes nothing. For what locks its merchant before them:
    /// whoever waits for them with that lock keeps the one task waiting that makes everybody's exchanges.
    async fn wait_for_others(&self, rows: BTreeSet<Row>) -> Result<()> {
        let waited = self
            .commit(move |unit| Box::pin(async move { unit.wait_for(&rows).await }))
            .await;
        match waited {
            // There was nothing to be lost.
            Err(Error::OutcomeUnknown) => Ok(()),
            waited => waited,
        }
    }

    async fn submit<T: Send + 'static>(
        &self,
        committer: &Committer<Grouped>,
        piece: Piece,
    ) -> Result<T> {
        let value = committer.submit(piece).await?;
        value.downcast::<T>().map(|value| *value).map_err(|_| {
            Error::Internal("a piece of work gave the answer of another one".to_owned())
        })
    }

    fn grouped(&self) -> &Committer<Grouped> {
        self.grouped
            .get_or_init(|| Committer::start(self.clone(), Grouped, grouped::LIMITS))
    }

    fn decisions(&self) -> &Committer<Grouped> {
        self.decisions
            .get_or_init(|| Committer::start(self.clone(), Grouped, grouped::DECISIONS))
    }
}
