//! What comes back from a signer, a person's or ours: read, compared, verified, finished.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitcoin::secp256k1::Secp256k1;
use bitcoin::sighash::SighashCache;
use bitcoin::{CompressedPublicKey, Psbt, ScriptBuf, Transaction, TxOut, Txid, Witness, consensus};
use thiserror::Error;

use super::prevout::{PrevoutError, prevout};
use crate::fee::vsize;
use crate::script_kind::ScriptKind;
use crate::unlocking::{holds, unlock};

/// Most bytes looked at.
const LENGTH_MAX: usize = 8 * 1024 * 1024;

/// First bytes of a PSBT.
const MAGIC: &[u8] = b"psbt\xff";

/// Something a signer gave back, not yet compared with anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    Psbt(Box<Psbt>),
    /// The finished transaction: some wallets give that instead once nothing is missing.
    Transaction(Transaction),
}

/// A transaction that the network can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    pub txid: Txid,
    /// What is stored and sent.
    pub raw: Vec<u8>,
    /// Satoshis, as the outputs spent say.
    pub fee: u64,
    /// Virtual bytes.
    pub vsize: u64,
}

/// Why what came back is not taken. Said to whoever brought it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReturnedError {
    #[error("this is neither a PSBT nor a transaction: {0}")]
    Malformed(String),
    #[error("this is more than a transaction can be")]
    TooLong,
    #[error("this is another transaction than the one that was to be signed")]
    OtherTransaction,
    #[error("input {0} is not signed")]
    NotSigned(usize),
    #[error("the signature of input {0} is not valid for what it spends")]
    Invalid(usize),
    #[error(transparent)]
    Prevout(#[from] PrevoutError),
}

/// Reads a PSBT as bytes, in base64 or in hexadecimal, or a finished transaction in hexadecimal.
///
/// # Errors
/// [`ReturnedError::Malformed`] or [`ReturnedError::TooLong`].
pub fn read_returned(bytes: &[u8]) -> Result<Returned, ReturnedError> {
    if bytes.len() > LENGTH_MAX {
        return Err(ReturnedError::TooLong);
    }
    if bytes.starts_with(MAGIC) {
        return read_psbt(bytes);
    }
    let malformed = |what: &str| ReturnedError::Malformed(what.to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not text"))?;
    let text: String = text.split_ascii_whitespace().collect();
    if text.is_empty() {
        return Err(malformed("it is empty"));
    }
    // Digits of hexadecimal are letters of base64 as well, so they come first.
    if let Ok(bytes) = hex::decode(&text) {
        if bytes.starts_with(MAGIC) {
            return read_psbt(&bytes);
        }
        return consensus::deserialize(&bytes)
            .map(Returned::Transaction)
            .map_err(|error| ReturnedError::Malformed(error.to_string()));
    }
    let bytes = STANDARD
        .decode(&text)
        .map_err(|_| malformed("it is neither base64 nor hexadecimal"))?;
    read_psbt(&bytes)
}

fn read_psbt(bytes: &[u8]) -> Result<Returned, ReturnedError> {
    Psbt::deserialize(bytes)
        .map(|psbt| Returned::Psbt(Box::new(psbt)))
        .map_err(|error| ReturnedError::Malformed(error.to_string()))
}

/// Takes what came back for `expected`, the PSBT that was given out, and finishes it.
///
/// What the inputs spend is read from `expected` alone.
///
/// # Errors
/// See [`ReturnedError`].
pub fn complete(expected: &Psbt, returned: Returned) -> Result<Complete, ReturnedError> {
    let count = expected.unsigned_tx.input.len();
    let prevouts = (0..count)
        .map(|index| prevout(expected, index).map(|found| found.output))
        .collect::<Result<Vec<&TxOut>, _>>()?;
    let tx = match returned {
        Returned::Transaction(tx) => tx,
        Returned::Psbt(psbt) => finalise(*psbt, &prevouts)?,
    };
    if without_signatures(&tx) != expected.unsigned_tx {
        return Err(ReturnedError::OtherTransaction);
    }
    let secp = Secp256k1::verification_only();
    let mut cache = SighashCache::new(&tx);
    for (index, output) in prevouts.iter().enumerate() {
        let is_bare = tx
            .input
            .get(index)
            .is_none_or(|input| input.script_sig.is_empty() && input.witness.is_empty());
        if is_bare {
            return Err(ReturnedError::NotSigned(index));
        }
        if !holds(&secp, &mut cache, &tx, index, output) {
            return Err(ReturnedError::Invalid(index));
        }
    }
    let spent = sum(prevouts.iter().map(|output| output.value.to_sat()));
    let paid = sum(tx.output.iter().map(|output| output.value.to_sat()));
    Ok(Complete {
        txid: tx.compute_txid(),
        raw: consensus::serialize(&tx),
        fee: spent
            .checked_sub(paid)
            .ok_or(ReturnedError::OtherTransaction)?,
        vsize: vsize(tx.weight().to_wu()),
    })
}

/// There are fewer satoshis than numbers; what does not fit came from nowhere and fails later.
fn sum(mut satoshis: impl Iterator<Item = u64>) -> u64 {
    satoshis
        .try_fold(0_u64, u64::checked_add)
        .unwrap_or(u64::MAX)
}

fn without_signatures(tx: &Transaction) -> Transaction {
    let mut bare = tx.clone();
    for input in &mut bare.input {
        input.script_sig = ScriptBuf::new();
        input.witness = Witness::new();
    }
    bare
}

/// Puts the signatures into the transaction: finished ones as they are, partial ones if there is
/// one of the key that the output names.
fn finalise(psbt: Psbt, prevouts: &[&TxOut]) -> Result<Transaction, ReturnedError> {
    let mut tx = psbt.unsigned_tx;
    if tx.input.len() != prevouts.len() || psbt.inputs.len() != prevouts.len() {
        return Err(ReturnedError::OtherTransaction);
    }
    let inputs = tx.input.iter_mut().zip(psbt.inputs).zip(prevouts);
    for (index, ((txin, input), output)) in inputs.enumerate() {
        if input.final_script_sig.is_some() || input.final_script_witness.is_some() {
            txin.script_sig = input.final_script_sig.unwrap_or_default();
            txin.witness = input.final_script_witness.unwrap_or_default();
            continue;
        }
        let unlocked = ScriptKind::of(&output.script_pubkey).and_then(|kind| {
            input.partial_sigs.iter().find_map(|(key, signature)| {
                let key = CompressedPublicKey::try_from(*key).ok()?;
                (kind.script(&key) == output.script_pubkey).then(|| unlock(kind, signature, &key))
            })
        });
        let (script_sig, witness) = unlocked.ok_or(ReturnedError::NotSigned(index))?;
        txin.script_sig = script_sig;
        txin.witness = witness;
    }
    Ok(tx)
}
