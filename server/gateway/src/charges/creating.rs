//! Charges that are asked for at the same time are made in one unit.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::create::{Written, write_each};
use super::create_store::{self, NewRow};
use super::row::ChargeRow;
use super::transition::event_of;
use super::{ChargeView, NewCharge};
use crate::currencies::Currencies;
use crate::idempotency::{Answer, Claim, Once};
use crate::ledger::{Batch, Book, Committer, Limits, Unit};
use crate::{Error, Gateway, Result};

/// A batch holds a lock of Postgres for each idempotency key in it, and there is room for some
/// thousand in all.
const LIMITS: Limits = Limits {
    queue: 5_000,
    batch: 200,
    committers: 2,
};

/// Writes the answer about a charge that was made.
type Rendering = dyn Fn(&ChargeView) -> (u16, Vec<u8>) + Send + Sync;

/// A charge to be made.
#[derive(Clone)]
pub(crate) struct ToMake {
    /// Drawn before, so that the charge can be looked for after a commit nobody answered.
    pub(super) public_id: String,
    pub(super) new: NewCharge,
    pub(super) once: Option<Once>,
    pub(super) render: Arc<Rendering>,
}

impl ToMake {
    fn row(&self) -> NewRow<'_> {
        NewRow {
            public_id: &self.public_id,
            new: &self.new,
        }
    }

    fn answer(&self, row: ChargeRow) -> Answer {
        Answer::fresh((self.render)(&ChargeView::assemble(row, Vec::new())))
    }
}

/// Makes many charges: claims, wallets, rows, timelines, events and stored answers, each in one
/// statement for all.
pub(crate) struct NewCharges {
    currencies: Currencies,
}

impl Gateway {
    pub(super) fn charges_in_batches(&self) -> &Committer<NewCharges> {
        self.0.new_charges.get_or_init(|| {
            let currencies = self.currencies().clone();
            Committer::start(self.book().clone(), NewCharges { currencies }, LIMITS)
        })
    }
}

impl Batch for NewCharges {
    type Item = ToMake;
    type Done = Answer;

    fn lane(&self, item: &ToMake) -> Option<i64> {
        Some(item.new.merchant_id)
    }

    fn run<'u>(
        &'u self,
        unit: &'u mut Unit,
        items: &'u [ToMake],
    ) -> BoxFuture<'u, Result<Vec<Result<Answer>>>> {
        Box::pin(self.make(unit, items))
    }

    fn find<'a>(
        &'a self,
        book: &'a Book,
        items: &'a [ToMake],
    ) -> BoxFuture<'a, Result<Vec<Option<Answer>>>> {
        Box::pin(async move {
            let public_ids: Vec<String> = items.iter().map(|item| item.public_id.clone()).collect();
            let mut conn = book.pool().acquire().await?;
            let mut rows =
                create_store::find_each(&mut conn, &self.currencies, &public_ids).await?;
            Ok(items
                .iter()
                .map(|item| rows.remove(&item.public_id).map(|row| item.answer(row)))
                .collect())
        })
    }
}

impl NewCharges {
    async fn make(&self, unit: &mut Unit, items: &[ToMake]) -> Result<Vec<Result<Answer>>> {
        let keys: Vec<Option<&Once>> = items.iter().map(|item| item.once.as_ref()).collect();
        let claims = unit.claim_each(&keys).await?;
        let free: Vec<NewRow<'_>> = items
            .iter()
            .zip(&claims)
            .filter(|(_, claim)| matches!(claim, Claim::Free))
            .map(|(item, _)| item.row())
            .collect();
        let (written, rows) = self.write(unit, free).await?;
        let results = answers(unit, items, claims, &written, rows);
        let fresh: Vec<(&Once, &Answer)> = items
            .iter()
            .zip(&results)
            .filter_map(|(item, result)| {
                let answer = result.as_ref().ok().filter(|answer| !answer.replayed)?;
                Some((item.once.as_ref()?, answer))
            })
            .collect();
        unit.remember_each(&fresh).await?;
        Ok(results)
    }

    async fn write(
        &self,
        unit: &mut Unit,
        free: Vec<NewRow<'_>>,
    ) -> Result<(Written, HashMap<String, ChargeRow>)> {
        if free.is_empty() {
            return Ok((Written::default(), HashMap::new()));
        }
        let written = write_each(unit, free).await?;
        let made = written.public_ids();
        let rows = create_store::find_each(unit.conn(), &self.currencies, &made).await?;
        Ok((written, rows))
    }
}

/// One answer per item, and the first event of each charge that was made.
fn answers(
    unit: &mut Unit,
    items: &[ToMake],
    claims: Vec<Claim>,
    written: &Written,
    mut rows: HashMap<String, ChargeRow>,
) -> Vec<Result<Answer>> {
    let mut results: Vec<Result<Answer>> = Vec::with_capacity(items.len());
    for (item, claim) in items.iter().zip(claims) {
        let result = match claim {
            Claim::First(answer) => Ok(answer),
            Claim::Refused(error) => Err(error),
            Claim::SameAs(first) => match results.get(first) {
                Some(Ok(answer)) => answer.repeated(),
                _ => Err(Error::IdempotencyInProgress),
            },
            Claim::OtherThan(first) => Err(match results.get(first) {
                Some(Ok(answer)) => answer.why_no_other(),
                _ => Error::IdempotencyInProgress,
            }),
            Claim::Free => match rows.remove(&item.public_id) {
                Some(row) => {
                    unit.emit(event_of(&row, &[], row.status));
                    Ok(item.answer(row))
                }
                None => Err(written.why_not(&item.public_id)),
            },
        };
        results.push(result);
    }
    results
}
