//! The house's own coins: what the operator sends to an account of ours to pay gas or withdrawals with. A person
//! says so, and it is booked (decision 047). `out/` books what the operator takes out again.
//!
//! Invariants: an output is booked once, with the amount the chain says; only what came to an account that no
//! payer is given, from no account of ours, as deep as no reorganisation is reckoned with.

mod needs;
mod out;
mod review;
mod store;

use domain::ledger::template::{own_funds, own_funds_reversed};
use domain::money::{Currency, Money};
use domain::text::one_line;
use domain::view::reconciliation::OwnCoin;
use serde_json::json;

use self::store::{Arrived, Booking};
use crate::chain::{Chain, base_units};
use crate::ledger::{Unit, with_ids};
use crate::operator::{audit_log, reason};
use crate::{Error, Gateway, Result};

/// The field that every refusal but that of the reason is about.
const TRANSACTION: &str = "txid";

/// What became of the outputs of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFundsBooked {
    /// Booked now, with the coin's code; `None` when nothing was.
    pub booked: Option<String>,
    /// Booked back now, because the chain has it no more.
    pub taken_back: Option<String>,
}

/// What is right for an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Book,
    TakeBack,
    /// The books say what the chain says.
    Nothing,
}

impl Gateway {
    /// Makes the books say of a transaction to an account of ours what the chain says: books its outputs as the
    /// house's own, or books them back when they have left the chain. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a chain that is not connected; [`Error::Invalid`] on `reason`, and on `txid` for a
    /// transaction that pays no account of ours, is from one, or is not deep enough. Nothing is booked then.
    pub async fn book_own_funds(
        &self,
        code: &str,
        txid: &str,
        why: &str,
        by: &str,
    ) -> Result<OwnFundsBooked> {
        let why = reason(why)?;
        let chain = self.chains().get(code).ok_or(Error::NotFound)?;
        let (code, txid) = (chain.params.code, canonical(txid));
        let mut conn = self.pool().acquire().await?;
        let accounts = store::accounts(&mut conn, code, &txid).await?;
        drop(conn);
        let needs = needs::needs(&accounts, &[chain.coin]);
        let (inner, by) = (self.clone(), by.to_owned());
        self.book()
            .commit_decision(needs, move |unit| {
                let (inner, txid, why, by) = (inner.clone(), txid.clone(), why.clone(), by.clone());
                Box::pin(async move {
                    let chain = inner.chains().get(code).ok_or(Error::NotFound)?;
                    let accounts = store::accounts(unit.conn(), code, &txid).await?;
                    needs::lock(unit, &accounts).await?;
                    let depth = inner.final_depth(unit.conn(), chain.coin).await?;
                    let arrived = store::arrived(unit.conn(), code, &txid).await?;
                    let steps = steps(&arrived, depth)?;
                    let mut sums = Sums::new(chain);
                    for (output, step) in arrived.iter().zip(steps) {
                        take(unit, chain, &txid, output, step, &mut sums).await?;
                    }
                    sums.record(unit, &txid, &why, &by).await?;
                    Ok(sums.told())
                })
            })
            .await
    }

    /// What came to accounts of ours on a chain, booked or not, the latest in front; at most 50.
    pub(crate) async fn own_coins(&self, chain: &Chain) -> Result<Vec<OwnCoin>> {
        let mut conn = self.pool().acquire().await?;
        let depth = self.final_depth(&mut conn, chain.coin).await?;
        let latest = store::latest(&mut conn, chain.params.code).await?;
        latest
            .into_iter()
            .map(|(txid, output)| {
                let amount = amount(chain, &output)?;
                let can_change = matches!(step(&output, depth), Ok(Step::Book | Step::TakeBack));
                Ok(OwnCoin {
                    state: words(&output, depth),
                    address: output.address,
                    amount: amount.shortest(),
                    txid,
                    can_change,
                })
            })
            .collect()
    }
}

/// As the chain tables have it.
fn canonical(txid: &str) -> String {
    one_line(txid).to_ascii_lowercase()
}

fn refused(message: impl Into<String>) -> Error {
    Error::invalid(TRANSACTION, message)
}

/// What is right for each output of a transaction; all of them or none.
fn steps(arrived: &[Arrived], depth: i64) -> Result<Vec<Step>> {
    if arrived.is_empty() {
        return Err(refused(
            "pays no account of ours that is known here; nothing was booked. A deposit is not booked here, and a \
             block that was not read yet has to be read first",
        ));
    }
    arrived.iter().map(|output| step(output, depth)).collect()
}

fn step(output: &Arrived, depth: i64) -> Result<Step> {
    if output.is_from_us {
        return Err(refused(
            "comes from an account of ours, so its coins are in the books already; nothing was booked",
        ));
    }
    let is_booked = output.booking.is_some_and(|booking| booking.is_booked);
    match (is_booked, output.blocks) {
        (true, 0) => Ok(Step::TakeBack),
        (true, _) => Ok(Step::Nothing),
        (false, blocks) if blocks >= depth => Ok(Step::Book),
        (false, 0) if output.booking.is_some() => Ok(Step::Nothing),
        (false, blocks) => Err(refused(format!(
            "is in the chain with {blocks} of {depth} blocks; nothing was booked. Try again when it has them"
        ))),
    }
}

fn words(output: &Arrived, depth: i64) -> String {
    match (step(output, depth), output.booking) {
        (Ok(Step::Book), _) => "in no book".to_owned(),
        (Ok(Step::TakeBack), _) => "booked, and not in the chain any more".to_owned(),
        (Ok(Step::Nothing), Some(booking)) if booking.is_booked => "booked".to_owned(),
        (Ok(Step::Nothing), _) => "booked back".to_owned(),
        (Err(_), _) => format!("has {} of {depth} blocks", output.blocks),
    }
}

fn amount(chain: &Chain, output: &Arrived) -> Result<Money> {
    let digits = base_units::digits(chain.params);
    base_units::to_ledger(chain.coin, digits, output.raw)
        .map(|units| Money::from_units(units, chain.coin))
        .ok_or_else(|| Error::Internal(format!("an output of {} base units", output.raw)))
}

/// Books one output, or books it back.
async fn take(
    unit: &mut Unit,
    chain: &Chain,
    txid: &str,
    output: &Arrived,
    step: Step,
    sums: &mut Sums,
) -> Result<()> {
    let code = chain.params.code;
    let amount = amount(chain, output)?;
    let place = format!("{code}:{txid}:{}", output.vout);
    let bookings = output.booking.map_or(0, |booking| booking.count);
    let now = unit.now();
    let entry = match step {
        Step::Nothing => return Ok(()),
        Step::Book => {
            let booking = Booking {
                is_booked: true,
                count: bookings + 1,
            };
            let conn = unit.conn();
            store::booked(
                conn,
                chain.coin,
                (code, txid, output.vout),
                amount,
                booking,
                now,
            )
            .await?;
            sums.booked += amount.units();
            with_ids(|ids| own_funds(ids, &place, booking.count, amount))
        }
        Step::TakeBack => {
            store::taken_back(unit.conn(), (code, txid, output.vout)).await?;
            sums.taken_back += amount.units();
            with_ids(|ids| own_funds_reversed(ids, &place, bookings, amount))
        }
    };
    if let Some(entry) = entry {
        unit.post(entry);
    }
    Ok(())
}

/// Ledger units that one deed moved.
struct Sums {
    code: &'static str,
    coin: Currency,
    booked: i128,
    taken_back: i128,
}

impl Sums {
    fn new(chain: &Chain) -> Self {
        Self {
            code: chain.params.code,
            coin: chain.coin,
            booked: 0,
            taken_back: 0,
        }
    }

    fn text(&self, units: i128) -> Option<String> {
        let amount = Money::from_units(units, self.coin);
        (units > 0).then(|| format!("{} {}", amount.shortest(), self.code))
    }

    fn told(&self) -> OwnFundsBooked {
        OwnFundsBooked {
            booked: self.text(self.booked),
            taken_back: self.text(self.taken_back),
        }
    }

    /// Who said so, and why; nothing when nothing changed.
    async fn record(&self, unit: &mut Unit, txid: &str, why: &str, by: &str) -> Result<()> {
        let OwnFundsBooked { booked, taken_back } = self.told();
        let now = unit.now();
        let object = format!("own_funds:{}:{txid}", self.code);
        for (action, amount) in [
            ("own_funds.booked", booked),
            ("own_funds.taken_back", taken_back),
        ] {
            let Some(amount) = amount else { continue };
            let data = json!({ "amount": amount, "reason": why });
            audit_log::record(unit.conn(), now, by, action, &object, &data).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(blocks: i64, booking: Option<(bool, i32)>) -> Arrived {
        Arrived {
            vout: 0,
            raw: 1,
            address: "0x00".to_owned(),
            blocks,
            is_from_us: false,
            booking: booking.map(|(is_booked, count)| Booking { is_booked, count }),
        }
    }

    #[test]
    fn the_books_follow_the_chain() {
        for (blocks, booking, expected) in [
            (8, None, Some(Step::Book)),
            (9, Some((false, 1)), Some(Step::Book)),
            (8, Some((true, 1)), Some(Step::Nothing)),
            // Booked once is booked, however shallow it lies now.
            (1, Some((true, 1)), Some(Step::Nothing)),
            (0, Some((true, 1)), Some(Step::TakeBack)),
            (0, Some((false, 1)), Some(Step::Nothing)),
            (7, None, None),
            (7, Some((false, 1)), None),
            (0, None, None),
        ] {
            let found = step(&arrived(blocks, booking), 8).ok();
            assert_eq!(found, expected, "{blocks} {booking:?}");
        }
    }

    #[test]
    fn what_we_moved_ourselves_is_not_booked_twice() {
        let ours = Arrived {
            is_from_us: true,
            ..arrived(100, None)
        };
        assert!(step(&ours, 8).is_err());
        // One of them spoils all: nothing of the transaction is booked.
        assert!(steps(&[arrived(100, None), ours], 8).is_err());
        assert!(steps(&[], 8).is_err());
    }
}
