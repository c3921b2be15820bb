//! Charges that are asked for at the same time are made in one unit.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::create::{Written, write_each};
use super::create_store::{self, NewRow, Texts};
use super::row::ChargeRow;
use super::transition::event_of;
use super::{ChargeView, NewCharge};
use crate::currencies::Currencies;
use crate::idempotency::{Answer, Claim, Once};
use crate::ledger::{Batch, Book, Committer, Limits, Unit};
use crate::wallets::SeenWallets;
use crate::{Error, Gateway, Result};

/// A batch holds a lock of Postgres for each idempotency key in it, and there is room for some
/// thousand in all.
const LIMITS: Limits = Limits {
    queue: 5_000,
    batch: 200,
    committers: 2,
};

/// Writes the answer about a charge that was made.
pub(super) type Rendering = dyn Fn(&ChargeView) -> (u16, Vec<u8>) + Send + Sync;

/// A charge to be made.
#[derive(Clone)]
pub(crate) struct ToMake {
    /// Drawn before, so that the charge can be looked for after a commit nobody answered.
    pub(super) public_id: String,
    pub(super) new: NewCharge,
    pub(super) texts: Texts,
    pub(super) once: Option<Once>,
    pub(super) render: Arc<Rendering>,
}

impl ToMake {
    fn row(&self) -> NewRow<'_> {
        NewRow {
            public_id: &self.public_id,
            new: &self.new,
            texts: &self.texts,
        }
    }

    /// An answer that is kept under a key has to be written in the unit; any other one may wait.
    fn done(&self, row: ChargeRow) -> Done {
        match self.once {
            Some(_) => Done::Answered(answer(row, self.render.as_ref())),
            None => Done::Made(Box::new(row)),
        }
    }
}

/// What became of a charge to be made.
pub(crate) enum Done {
    Answered(Answer),
    /// Made, and the answer is yet to be written, by whoever asked.
    Made(Box<ChargeRow>),
}

impl Done {
    pub(super) fn into_answer(self, render: &Rendering) -> Answer {
        match self {
            Self::Answered(answer) => answer,
            Self::Made(row) => answer(*row, render),
        }
    }

    /// The answer to keep, if it is the first one.
    fn first(&self) -> Option<&Answer> {
        match self {
            Self::Answered(answer) if !answer.replayed => Some(answer),
            Self::Answered(_) | Self::Made(_) => None,
        }
    }
}

fn answer(row: ChargeRow, render: &Rendering) -> Answer {
    Answer::fresh(render(&ChargeView::assemble(row, Vec::new())))
}

/// Makes many charges: claims, wallets, rows, timelines, events and stored answers, each in one
/// statement for all.
pub(crate) struct NewCharges {
    currencies: Currencies,
    seen: Arc<SeenWallets>,
}

impl Gateway {
    pub(super) fn charges_in_batches(&self) -> &Committer<NewCharges> {
        self.0.new_charges.get_or_init(|| {
            let currencies = self.currencies().clone();
            let batch = NewCharges {
                currencies,
                seen: self.0.seen_wallets.clone(),
            };
            Committer::start(self.book().clone(), batch, LIMITS)
        })
    }
}

impl Batch for NewCharges {
    type Item = ToMake;
    type Done = Done;

    fn lane(&self, item: &ToMake) -> Option<i64> {
        Some(item.new.merchant_id)
    }

    fn run<'u>(
        &'u self,
        unit: &'u mut Unit,
        items: &'u [ToMake],
    ) -> BoxFuture<'u, Result<Vec<Result<Done>>>> {
        Box::pin(self.make(unit, items))
    }

    fn find<'a>(
        &'a self,
        book: &'a Book,
        items: &'a [ToMake],
    ) -> BoxFuture<'a, Result<Vec<Option<Done>>>> {
        Box::pin(async move {
            let public_ids: Vec<String> = items.iter().map(|item| item.public_id.clone()).collect();
            let mut conn = book.pool().acquire().await?;
            let mut rows =
                create_store::find_each(&mut conn, &self.currencies, &public_ids).await?;
            Ok(items
                .iter()
                .map(|item| rows.remove(&item.public_id).map(|row| item.done(row)))
                .collect())
        })
    }
}

impl NewCharges {
    async fn make(&self, unit: &mut Unit, items: &[ToMake]) -> Result<Vec<Result<Done>>> {
        let keys: Vec<Option<&Once>> = items.iter().map(|item| item.once.as_ref()).collect();
        let claims = unit.claim_each(&keys).await?;
        let free: Vec<NewRow<'_>> = items
            .iter()
            .zip(&claims)
            .filter(|(_, claim)| matches!(claim, Claim::Free))
            .map(|(item, _)| item.row())
            .collect();
        let written = if free.is_empty() {
            Written::default()
        } else {
            write_each(unit, free, &self.seen).await?
        };
        let results = results(unit, items, claims, written);
        let fresh: Vec<(&Once, &Answer)> = items
            .iter()
            .zip(&results)
            .filter_map(|(item, result)| {
                let answer = result.as_ref().ok()?.first()?;
                Some((item.once.as_ref()?, answer))
            })
            .collect();
        unit.remember_each(&fresh).await?;
        Ok(results)
    }
}

/// One result per item, and the first event of each charge that was made.
fn results(
    unit: &mut Unit,
    items: &[ToMake],
    claims: Vec<Claim>,
    mut written: Written,
) -> Vec<Result<Done>> {
    let mut results: Vec<Result<Done>> = Vec::with_capacity(items.len());
    for (item, claim) in items.iter().zip(claims) {
        let result = match claim {
            Claim::First(answer) => Ok(Done::Answered(answer)),
            Claim::Refused(error) => Err(error),
            Claim::SameAs(first) => match results.get(first) {
                Some(Ok(Done::Answered(answer))) => answer.repeated().map(Done::Answered),
                _ => Err(Error::IdempotencyInProgress),
            },
            Claim::OtherThan(first) => Err(match results.get(first) {
                Some(Ok(Done::Answered(answer))) => answer.why_no_other(),
                _ => Error::IdempotencyInProgress,
            }),
            Claim::Free => written.take(&item.public_id).map(|made| {
                let row = made.row(&item.public_id, &item.new);
                unit.emit_first(event_of(&row, &[], row.status));
                item.done(row)
            }),
        };
        results.push(result);
    }
    results
}
