//! What a PSBT does, read out of the transaction itself and out of keys we derive: never out of
//! what whoever sent it says about it.
//!
//! Invariants of a [`Reading`]: every input is ours; an output is change only if it is ours, too;
//! the fee is what is left over, and the amounts it is made of cannot have been made up.

use std::collections::BTreeSet;

use bitcoin::bip32::{ChildNumber, KeySource};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{EcdsaSighashType, OutPoint, Psbt, Script, ScriptBuf, TxOut, Txid};
use thiserror::Error;

use crate::account::Account;
use crate::coins::Branch;
use crate::psbt::{PrevoutError, prevout};

/// Inputs and outputs looked at. A transaction that nodes relay has fewer.
const PARTS_MAX: usize = 5_000;

/// Where a key of ours is in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub branch: Branch,
    pub index: u32,
}

/// A transaction understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Of the transaction without signatures: the same for the same request.
    pub unsigned_txid: Txid,
    pub outpoints: BTreeSet<OutPoint>,
    /// Whose key each input needs, and what it spends.
    pub inputs: Vec<(Place, TxOut)>,
    /// Outputs that are not change, in their order: scripts and satoshis.
    pub payments: Vec<(ScriptBuf, u64)>,
    /// Satoshis.
    pub paid: u64,
    /// Satoshis.
    pub fee: u64,
}

impl Reading {
    /// Satoshis that we do not have any more once it is mined.
    pub const fn leaving(&self) -> u64 {
        self.paid.saturating_add(self.fee)
    }
}

/// Why a transaction is not understood, and so never signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadingError {
    #[error("the transaction spends nothing or pays nothing")]
    Empty,
    #[error("the transaction has too many inputs or outputs")]
    TooMany,
    #[error("the PSBT describes other inputs or outputs than its transaction has")]
    Parts,
    #[error("the version of the transaction is not 1 or 2")]
    Version,
    #[error("input {0} is spent twice")]
    Twice(usize),
    #[error(transparent)]
    Prevout(#[from] PrevoutError),
    #[error("input {0} comes without the transaction that made it, so its amount may be made up")]
    Unproven(usize),
    #[error("input {0} is not of this account")]
    InputNotOurs(usize),
    #[error("input {0} asks for a signature of less than everything")]
    Partial(usize),
    #[error("output {0} pays to no kind of address")]
    NoAddress(usize),
    #[error("there is more than one output of change")]
    SeveralChanges,
    #[error("the change goes to index {0}, and an index may be at most {1}")]
    ChangeTooFar(u32, u32),
    #[error("the transaction pays more than it spends")]
    Overspends,
}

/// Reads a transaction. Change above `index_max` is refused: nobody would look for coins there.
///
/// # Errors
/// See [`ReadingError`].
pub fn read(psbt: &Psbt, account: &Account, index_max: u32) -> Result<Reading, ReadingError> {
    let tx = &psbt.unsigned_tx;
    if tx.input.is_empty() || tx.output.is_empty() {
        return Err(ReadingError::Empty);
    }
    if tx.input.len() > PARTS_MAX || tx.output.len() > PARTS_MAX {
        return Err(ReadingError::TooMany);
    }
    if psbt.inputs.len() != tx.input.len() || psbt.outputs.len() != tx.output.len() {
        return Err(ReadingError::Parts);
    }
    if !tx.version.is_standard() {
        return Err(ReadingError::Version);
    }
    let mut outpoints = BTreeSet::new();
    let mut inputs = Vec::new();
    let mut spent = 0_u64;
    for (number, (txin, input)) in tx.input.iter().zip(&psbt.inputs).enumerate() {
        if !outpoints.insert(txin.previous_output) {
            return Err(ReadingError::Twice(number));
        }
        let all = EcdsaSighashType::All.to_u32();
        if input.sighash_type.is_some_and(|said| said.to_u32() != all) {
            return Err(ReadingError::Partial(number));
        }
        let found = prevout(psbt, number)?;
        // A signature binds the amount of its own input alone (BIP 143). With several, each could
        // be lied about in another request, and the signatures put together.
        let may_be_told = account.kind().is_segwit() && tx.input.len() == 1;
        if !found.is_proven && !may_be_told {
            return Err(ReadingError::Unproven(number));
        }
        let place = input
            .bip32_derivation
            .iter()
            .find_map(|hint| place(account, hint, &found.output.script_pubkey))
            .ok_or(ReadingError::InputNotOurs(number))?;
        spent = spent
            .checked_add(found.output.value.to_sat())
            .ok_or(ReadingError::Overspends)?;
        inputs.push((place, found.output.clone()));
    }
    let (payments, kept) = read_outputs(psbt, account, index_max)?;
    let paid = payments
        .iter()
        .try_fold(0_u64, |sum, (_, satoshi)| sum.checked_add(*satoshi))
        .ok_or(ReadingError::Overspends)?;
    let fee = spent
        .checked_sub(paid)
        .and_then(|rest| rest.checked_sub(kept))
        .ok_or(ReadingError::Overspends)?;
    Ok(Reading {
        unsigned_txid: tx.compute_txid(),
        outpoints,
        inputs,
        payments,
        paid,
        fee,
    })
}

/// The payments, and the satoshis of the change.
fn read_outputs(
    psbt: &Psbt,
    account: &Account,
    index_max: u32,
) -> Result<(Vec<(ScriptBuf, u64)>, u64), ReadingError> {
    let mut payments = Vec::new();
    let mut change = None;
    let outputs = psbt.unsigned_tx.output.iter().zip(&psbt.outputs);
    for (number, (txout, output)) in outputs.enumerate() {
        let script = &txout.script_pubkey;
        let satoshi = txout.value.to_sat();
        let place = output
            .bip32_derivation
            .iter()
            .find_map(|hint| place(account, hint, script))
            .filter(|place| place.branch == Branch::Change);
        if let Some(place) = place {
            if place.index > index_max {
                return Err(ReadingError::ChangeTooFar(place.index, index_max));
            }
            if change.replace(satoshi).is_some() {
                return Err(ReadingError::SeveralChanges);
            }
            continue;
        }
        if !script.is_p2pkh() && !script.is_p2sh() && !script.is_witness_program() {
            return Err(ReadingError::NoAddress(number));
        }
        payments.push((script.clone(), satoshi));
    }
    Ok((payments, change.unwrap_or(0)))
}

/// Where in the account a script is, if it is where the hint says. Only the last two levels of its
/// path are looked at: the others are above the account.
fn place(account: &Account, hint: (&PublicKey, &KeySource), script: &Script) -> Option<Place> {
    let (key, (_, path)) = hint;
    let levels: &[ChildNumber] = path.as_ref();
    let [
        ..,
        ChildNumber::Normal { index: branch },
        ChildNumber::Normal { index },
    ] = levels
    else {
        return None;
    };
    let place = Place {
        branch: Branch::of(*branch)?,
        index: *index,
    };
    let derived = account.child(place.branch, place.index).ok()?;
    (derived.0 == *key && *account.kind().script(&derived) == *script).then_some(place)
}
