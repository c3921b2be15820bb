//! What becomes of a draft that the signer refuses: whoever is the reason leaves it, the others go on.
//!
//! Invariant: a draft is only taken apart when nobody can have a signature of it (`dropping.rs`). What
//! leaves it is planned anew, so the signer judges it again.

use signing::{DayIsFull, Purpose};
use time::{Duration, OffsetDateTime, Time, UtcOffset};

use super::row::{TxRow, TxState};
use super::wallet::NotSigned;
use super::{dropping, follow_store, reference, refused_store, store};
use crate::ledger::Unit;
use crate::mail::tell_operators;
use crate::operations::store as operations;
use crate::{Gateway, Result};

/// What the merchant reads about a withdrawal that the signer refuses.
const REFUSED: &str = "it waits for the operator: the rules of the signer do not let it out";

/// What becomes of those that were paid together with it.
const OTHERS: &str = "Those that shared its transaction go on without it.";

/// When one that was refused is tried again: doubled from the shortest to the longest.
const PAUSE_MIN: Duration = Duration::minutes(10);
const PAUSE_MAX: Duration = Duration::DAY;

/// After midnight: clocks differ a little.
const AFTER_MIDNIGHT: Duration = Duration::minutes(1);

/// A withdrawal in a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    operation_id: i64,
    satoshi: u64,
}

/// Who leaves a draft, and why; who is not named is planned again at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Leaving {
    /// Never let out by these rules.
    refused: Vec<(i64, String)>,
    /// Not today.
    tomorrow: Vec<i64>,
}

/// Gives a refused draft up, where something is won by that; false when it stays as it is and a person
/// has to look.
///
/// # Errors
/// The database's.
pub(super) async fn give_way(gateway: &Gateway, tx: &TxRow, refusal: &NotSigned) -> Result<bool> {
    let (id, payout, why) = (tx.id, tx.payout_id, refusal.to_string());
    let parts = parts(tx);
    let leaving = match refusal {
        NotSigned::Later(_) | NotSigned::Refused(_) => Leaving::default(),
        NotSigned::Payments(payments) => {
            let mut leaving = Leaving::default();
            for output in &tx.plan.outputs {
                let part = parts.iter().find(|part| is_of(**part, &output.purpose));
                let named = payments.iter().find(|payment| {
                    payment.script == output.script && payment.satoshi == output.satoshi
                });
                if let (Some(part), Some(named)) = (part, named) {
                    let why = format!("the signer refuses: {}", named.why);
                    leaving.refused.push((part.operation_id, why));
                }
            }
            leaving
        }
        NotSigned::DayIsFull(day) => of_day(&parts, tx.plan.fee, day),
    };
    let inner = gateway.clone();
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let currencies = inner.currencies();
                dropping::lock(unit, currencies, payout).await?;
                let draft = store::find(unit.conn(), currencies, id).await?;
                // Whoever has the file may sign it yet.
                if draft.state != TxState::Drafted || draft.is_downloaded {
                    return Ok(draft.state == TxState::Dropped);
                }
                let all = store::all(unit.conn(), currencies, payout).await?;
                if all.iter().any(|other| other.raw.is_some()) {
                    let is_first = !all.iter().any(|other| other.state == TxState::Dropped);
                    dropping::drop_draft(unit, currencies, &draft, &why).await?;
                    // The one before goes on; a replacement is thought of after as many blocks again.
                    follow_store::wait_again(unit.conn(), payout).await?;
                    if is_first {
                        tell_of_bump(unit, payout, &why).await?;
                    }
                    return Ok(true);
                }
                if leaving == Leaving::default() {
                    return Ok(false);
                }
                dropping::drop_draft(unit, currencies, &draft, &why).await?;
                let now = unit.now();
                for (operation, why) in &leaving.refused {
                    refuse(&inner, unit, *operation, why, OTHERS).await?;
                }
                for operation in &leaving.tomorrow {
                    refused_store::wait(unit.conn(), *operation, &why, tomorrow(now)).await?;
                }
                Ok(true)
            })
        })
        .await
}

/// The withdrawals of a draft, those asked for earlier first.
fn parts(tx: &TxRow) -> Vec<Part> {
    let mut parts: Vec<Part> = tx
        .plan
        .payments()
        .iter()
        .filter_map(|payment| {
            let (_, id) = payment.reference.rsplit_once(' ')?;
            Some(Part {
                operation_id: id.parse().ok()?,
                satoshi: payment.satoshi,
            })
        })
        .collect();
    parts.sort_by_key(|part| part.operation_id);
    parts
}

fn is_of(part: Part, purpose: &Purpose) -> bool {
    match purpose {
        Purpose::Payment { reference: of } => *of == reference(part.operation_id),
        Purpose::Change { .. } => false,
    }
}

/// Who goes on when the day has only so much left. What is above a whole day is refused for good; of the
/// others as many go on as fit, with the fee of all of them: the transaction of fewer costs no more, or
/// is refused once more with one less.
fn of_day(parts: &[Part], fee: u64, day: &DayIsFull) -> Leaving {
    let mut leaving = Leaving::default();
    let mut left = day.room().saturating_sub(fee);
    let mut going = 0;
    for part in parts {
        let is_alone = parts.len() == 1 && part.satoshi.saturating_add(fee) > day.max;
        if is_alone || part.satoshi >= day.max {
            let why = format!(
                "the signer refuses: {} satoshis are more than the {} of a whole day",
                part.satoshi, day.max
            );
            leaving.refused.push((part.operation_id, why));
        } else if part.satoshi <= left {
            left -= part.satoshi;
            going += 1;
        } else {
            leaving.tomorrow.push(part.operation_id);
        }
    }
    // All fit, and were refused all the same: asked again, they would be refused again.
    if going == parts.len() {
        leaving.tomorrow = parts.iter().map(|part| part.operation_id).collect();
    }
    leaving
}

/// A minute after the next midnight in UTC.
pub(crate) fn tomorrow(now: OffsetDateTime) -> OffsetDateTime {
    let midnight = now.to_offset(UtcOffset::UTC).replace_time(Time::MIDNIGHT);
    midnight + Duration::DAY + AFTER_MIDNIGHT
}

/// A withdrawal that nothing is planned for waits for a person, and is tried again by itself. `others` says
/// what becomes of the rest. The caller holds its lock.
///
/// # Errors
/// The database's.
pub(crate) async fn refuse(
    gateway: &Gateway,
    unit: &mut Unit,
    id: i64,
    why: &str,
    others: &str,
) -> Result<()> {
    let now = unit.now();
    let before = refused_store::count(unit.conn(), id).await?;
    let doublings = u32::try_from(before.clamp(0, 16)).unwrap_or(0);
    let pause = PAUSE_MIN.saturating_mul(1_i32 << doublings).min(PAUSE_MAX);
    refused_store::refuse(unit.conn(), id, why, now + pause).await?;
    let mut operation = operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
    operation.needs_attention = true;
    operation.error = Some(REFUSED.to_owned());
    operation.updated_at = now;
    operations::update(unit.conn(), &operation).await?;
    if before > 0 {
        return Ok(());
    }
    let subject = format!("Withdrawal {id} needs a person");
    let text = format!(
        "The signer does not let withdrawal {id} out: {why}.\n\n{others} It is tried again by itself, alone: \
         change the rules of the signer, or call the withdrawal off on the page of suspense."
    );
    tell_operators(unit, &subject, &text).await
}

async fn tell_of_bump(unit: &mut Unit, payout: i64, why: &str) -> Result<()> {
    let subject = format!("Payout {payout} needs a person");
    let text = format!(
        "The signer refuses a replacement with a higher fee for payout {payout}: {why}.\n\nThe \
         transaction before it still waits for its block. Another replacement is tried by itself."
    );
    tell_operators(unit, &subject, &text).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(satoshis: &[u64]) -> Vec<Part> {
        (1..)
            .zip(satoshis)
            .map(|(operation_id, satoshi)| Part {
                operation_id,
                satoshi: *satoshi,
            })
            .collect()
    }

    #[track_caller]
    fn check(satoshis: &[u64], spent: u64, refused: &[i64], tomorrow: &[i64]) {
        let day = DayIsFull {
            spent,
            max: 100,
            why: String::new(),
        };
        let leaving = of_day(&parts_of(satoshis), 5, &day);
        let named: Vec<i64> = leaving.refused.iter().map(|(id, _)| *id).collect();
        assert_eq!((&*named, &*leaving.tomorrow), (refused, tomorrow));
    }

    #[test]
    fn as_many_go_on_as_the_day_has_room_for() {
        check(&[40, 60, 50], 0, &[], &[2]);
        check(&[40, 60, 50], 30, &[], &[2, 3]);
        check(&[40, 60], 100, &[], &[1, 2]);
    }

    #[test]
    fn what_no_day_has_room_for_is_for_a_person() {
        check(&[40, 100, 50], 0, &[2], &[]);
        check(&[400], 99, &[1], &[]);
        // With its fee.
        check(&[96], 0, &[1], &[]);
        check(&[95], 1, &[], &[1]);
    }

    #[test]
    fn what_fits_and_is_refused_all_the_same_waits() {
        check(&[40, 50], 0, &[], &[1, 2]);
    }

    #[test]
    fn the_next_day_begins_at_midnight_in_utc() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::hours(23);
        let east = now.to_offset(UtcOffset::from_hms(5, 0, 0).unwrap_or(UtcOffset::UTC));
        let expected = OffsetDateTime::UNIX_EPOCH + Duration::DAY + AFTER_MIDNIGHT;
        assert_eq!(tomorrow(now), expected);
        assert_eq!(tomorrow(east), expected);
    }
}
