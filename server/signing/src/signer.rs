//! The signer's judgement: a PSBT in, a signed one or a refusal out.
//!
//! Invariant: the same PSBT gets the same signatures, however often it is asked for; nothing is
//! looked at but the PSBT, the policy and what left before.

use bitcoin::sighash::SighashCache;
use bitcoin::{Psbt, PublicKey, ecdsa};
use thiserror::Error;
use time::OffsetDateTime;

use crate::key::{KeyError, SigningKey};
use crate::policy::{Policy, Violation};
use crate::reading::{ReadingError, read};
use crate::spent::{ClockWentBack, Day, Leaving, Spent};
use crate::unlocking::message;

/// Why the signer does not sign. Said to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error(transparent)]
    Reading(#[from] ReadingError),
    #[error(transparent)]
    Violation(#[from] Violation),
    #[error(transparent)]
    Clock(#[from] ClockWentBack),
    #[error("input {0} cannot be signed")]
    Input(usize),
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A transaction signed, and not yet to be given to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub psbt: Psbt,
    /// To be kept before the signatures leave.
    pub spent: Spent,
    /// Satoshis by which the sum of the day grows; 0 for what was signed before.
    pub added: u64,
    /// Satoshis paid to others.
    pub paid: u64,
    /// Satoshis.
    pub fee: u64,
}

/// Judges, and signs what is allowed.
///
/// # Errors
/// See [`Refusal`]; nothing has left then, and nothing needs to be kept.
pub fn sign(
    mut psbt: Psbt,
    key: &SigningKey,
    policy: &Policy,
    spent: &Spent,
    now: OffsetDateTime,
) -> Result<Signed, Refusal> {
    let reading = read(&psbt, key.account(), policy.change_index_max)?;
    policy.judge(&reading)?;
    let leaving = Leaving {
        unsigned_txid: reading.unsigned_txid,
        outpoints: &reading.outpoints,
        satoshi: reading.leaving(),
    };
    let (after, added) = spent.with(&leaving, now)?;
    policy.judge_day(spent.on(&Day::of(now)), added)?;
    let mut cache = SighashCache::new(&psbt.unsigned_tx);
    let inputs = psbt.inputs.iter_mut().zip(&reading.inputs);
    for (number, (input, (place, prevout))) in inputs.enumerate() {
        let account = key.account();
        let public = account
            .child(place.branch, place.index)
            .map_err(KeyError::from)?;
        let message = message(&mut cache, number, account.kind(), prevout, &public)
            .ok_or(Refusal::Input(number))?;
        let (signer, signature) = key.sign(place.branch, place.index, &message)?;
        if signer != public {
            return Err(Refusal::Input(number));
        }
        let signature = ecdsa::Signature::sighash_all(signature);
        input
            .partial_sigs
            .insert(PublicKey::from(public), signature);
    }
    Ok(Signed {
        psbt,
        spent: after,
        added,
        paid: reading.paid,
        fee: reading.fee,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
