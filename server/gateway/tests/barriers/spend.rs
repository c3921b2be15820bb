//! Units that take all there is in a wallet, in each way in which the product books plain entries.

use domain::ledger::{AccountKey, JournalEntry, Movement};
use futures::future::join_all;
use gateway::Error;
use gateway::ledger::{Committer, Limits, Postings};
use tokio::task::unconstrained;

use super::support::World;
use super::support::entries::{entry, house, wallet};

/// What a wallet holds, and what each spend takes: all of it.
pub const ALL: i128 = 120;

/// Entries of a unit: written by one statement, and well above where they are copied and the accounts are
/// written by a statement of their own.
const SIZES: [usize; 2] = [1, 120];

/// The first of the merchants whose wallets these are; there are no such merchants.
const FIRST_MERCHANT: i64 = 1_001;

/// Who books it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A unit of its own.
    Alone,
    /// A committer of plain entries, all in one batch.
    Committer,
}

#[derive(Debug, Clone, Copy)]
pub struct Spend {
    /// Each has accounts of its own.
    number: i64,
    way: Way,
    movement: Movement,
    entries: usize,
}

impl Spend {
    pub fn every() -> Vec<Self> {
        let mut every = Vec::new();
        for way in [Way::Alone, Way::Committer] {
            for movement in [Movement::Post, Movement::Hold] {
                for entries in SIZES {
                    let number = i64::try_from(every.len()).unwrap();
                    every.push(Self {
                        number,
                        way,
                        movement,
                        entries,
                    });
                }
            }
        }
        every
    }

    pub fn payer(self) -> AccountKey {
        wallet(FIRST_MERCHANT + 2 * self.number)
    }

    fn receiver(self) -> AccountKey {
        wallet(FIRST_MERCHANT + 2 * self.number + 1)
    }

    /// Makes both accounts, and puts [`ALL`] into the payer's.
    pub async fn prepare(self, world: &World) {
        let book = world.gateway.book();
        book.account_id(self.receiver()).await.unwrap();
        let funding = entry(&[(Movement::Post, house(), self.payer(), ALL)]);
        commit(world, vec![funding]).await.unwrap();
    }

    /// What everybody who asked for a part of it is answered.
    pub async fn run(self, world: &World) -> Vec<Result<(), Error>> {
        let part = ALL / i128::try_from(self.entries).unwrap();
        let entries = (0..self.entries)
            .map(|_| entry(&[(self.movement, self.payer(), self.receiver(), part)]))
            .collect();
        match self.way {
            Way::Alone => vec![commit(world, entries).await],
            Way::Committer => submit(world, entries).await,
        }
    }

    /// The same, when nothing is to refuse it.
    pub async fn pay(self, world: &World) {
        for answer in self.run(world).await {
            assert!(answer.is_ok(), "{self:?}: {answer:?}");
        }
    }
}

async fn commit(world: &World, entries: Vec<JournalEntry>) -> Result<(), Error> {
    let committed = world.gateway.book().commit(move |unit| {
        Box::pin(async move {
            for entry in entries {
                unit.post(entry);
            }
            Ok(())
        })
    });
    committed.await
}

/// A committer for each call, as if each were a process: it takes nothing before all of them wait.
async fn submit(world: &World, entries: Vec<JournalEntry>) -> Vec<Result<(), Error>> {
    let count = entries.len();
    let book = world.gateway.book().clone();
    let committer = Committer::start(book, Postings, Limits::default());
    let asked = entries.into_iter().map(|entry| committer.submit(entry));
    // Else the runtime would interrupt so many, and the committer would take what there is by then.
    let answers = unconstrained(join_all(asked)).await;
    if answers.iter().all(Result::is_ok) {
        assert_eq!(committer.stats().last_batch, count, "it was one batch");
    }
    answers
        .into_iter()
        .map(|answer| answer.map(|_posted| ()))
        .collect()
}
