//! What becomes of a transaction that the signer refuses: the number goes to the next payment, and the
//! withdrawal waits for a person, or for tomorrow (decision 038).
//!
//! Invariant: a number changes its owner only when nobody can have a signature with it, as far as anybody can
//! know, and only from the last one down, so that none is left out.

use super::released_store::{self, Owner};
use super::row::TxRow;
use super::store::{self, Place};
use super::wallet::NotSigned;
use super::work::Failure;
use super::{attention, follow_store, tx_store};
use crate::ledger::Unit;
use crate::mail::tell_operators;
use crate::operations::store as operations;
use crate::payouts::{self, TxState};
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result};

const OTHERS: &str = "The number its transaction had goes to the next payment.";
const MEANWHILE: Error = Error::Conflict("it has been taken to be signed meanwhile");

impl From<NotSigned> for Failure {
    fn from(refusal: NotSigned) -> Self {
        match refusal {
            NotSigned::Later(why) | NotSigned::Unheard(why) => Self::Passing(why),
            NotSigned::Refused(why) | NotSigned::Tomorrow(why) | NotSigned::Garbled(why) => {
                Self::Lasting(why)
            }
        }
    }
}

/// Gives a refused transaction up, if nobody can have its signature; false when it stays as it is.
///
/// # Errors
/// The database's; [`Error::Conflict`] when it changed meanwhile.
pub(super) async fn give_way(gateway: &Gateway, tx: &TxRow, refusal: &NotSigned) -> Result<bool> {
    let (why, is_for_today) = match refusal {
        NotSigned::Later(_) => return Ok(false),
        NotSigned::Unheard(_) | NotSigned::Garbled(_) => {
            tx_store::unheard(gateway.pool(), tx.id).await?;
            return Ok(false);
        }
        NotSigned::Refused(why) => (why.clone(), false),
        NotSigned::Tomorrow(why) => (why.clone(), true),
    };
    let (inner, id, payment) = (gateway.clone(), tx.id, tx.payment_id);
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let owners = lock(&inner, unit, payment).await?;
                let tx = tx_store::find(unit.conn(), inner.currencies(), id).await?;
                if tx.state != TxState::Drafted {
                    return Ok(true);
                }
                let all = tx_store::all(unit.conn(), inner.currencies(), payment).await?;
                if all.iter().any(|other| other.raw.is_some()) {
                    return drop_bump(unit, &tx, &all, &why).await;
                }
                let Some(owners) = owners else {
                    return Ok(false);
                };
                release(unit, &owners, &why).await?;
                match tx.operation_id {
                    // What moves between accounts of ours is planned again another day.
                    None if is_for_today => {}
                    None => attention::tell_of_refused_move(unit, &tx, &why).await?,
                    Some(operation) if is_for_today => {
                        let tomorrow = payouts::tomorrow(unit.now());
                        let conn = unit.conn();
                        payouts::refused_store::wait(conn, operation, &why, tomorrow).await?;
                    }
                    Some(operation) => {
                        payouts::refuse(&inner, unit, operation, &why, OTHERS).await?;
                    }
                }
                withdrawals::notify_worker(unit.conn()).await?;
                Ok(true)
            })
        })
        .await
}

/// Locks what a release changes. Answers the payment and all behind it, the last one in front; `None` when
/// one of them may be signed.
async fn lock(gateway: &Gateway, unit: &mut Unit, payment: i64) -> Result<Option<Vec<Owner>>> {
    let before = released_store::from(unit.conn(), payment).await?;
    let mut operation_ids: Vec<i64> = before.iter().filter_map(|each| each.operation_id).collect();
    operation_ids.sort_unstable();
    operations::lock(unit.conn(), gateway.currencies(), &operation_ids).await?;
    let mut payments: Vec<i64> = before.iter().map(|each| each.id).collect();
    payments.sort_unstable();
    for id in payments {
        store::lock_payment(unit.conn(), id).await?;
    }
    let Some(last) = before.first() else {
        return Ok(None);
    };
    let place = Place {
        chain_id: last.chain_id,
        address: last.address.clone(),
    };
    let now = unit.now();
    store::lock(unit.conn(), &place, last.nonce + 1, now).await?;
    // Again, now that nothing changes any more; what was planned meanwhile is not locked.
    let owners = released_store::from(unit.conn(), payment).await?;
    let is_same = owners.len() == before.len()
        && owners
            .iter()
            .zip(&before)
            .all(|(one, other)| one.id == other.id);
    let is_free = owners.iter().all(|each| each.bare_tx.is_some());
    Ok((is_same && is_free && !owners.is_empty()).then_some(owners))
}

/// The last of `owners` is the one that was refused; those in front of it are planned again behind.
async fn release(unit: &mut Unit, owners: &[Owner], why: &str) -> Result<()> {
    let now = unit.now();
    for owner in owners {
        let tx = owner.bare_tx.ok_or(MEANWHILE)?;
        if !tx_store::dropped(unit.conn(), tx, why).await? {
            return Err(MEANWHILE);
        }
        released_store::release(unit.conn(), owner).await?;
        if let Some(operation) = owner.operation_id {
            released_store::plan_again(unit.conn(), operation, now).await?;
        }
    }
    tracing::warn!(
        numbers = owners.len(),
        why,
        "the signer refuses a payment, its number is free again"
    );
    Ok(())
}

/// A replacement that is refused: what was sent before still waits for its block.
async fn drop_bump(unit: &mut Unit, tx: &TxRow, all: &[TxRow], why: &str) -> Result<bool> {
    if tx.may_be_signed || !tx_store::dropped(unit.conn(), tx.id, why).await? {
        return Ok(false);
    }
    // Another is thought of after as many blocks again.
    follow_store::wait_again(unit.conn(), tx.payment_id).await?;
    if all.iter().any(|other| other.state == TxState::Dropped) {
        return Ok(true);
    }
    let (title, name) = (tx.title(), tx.name());
    let subject = format!("{title} needs a person");
    let text = format!(
        "The signer refuses a replacement with a higher fee for {name}: {why}.\n\nThe transaction \
         before it still waits for its block. Another replacement is tried by itself."
    );
    tell_operators(unit, &subject, &text).await?;
    Ok(true)
}
