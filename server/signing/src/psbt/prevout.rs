//! What an input of a PSBT spends, and how well that is known.

use bitcoin::{Psbt, TxOut};
use thiserror::Error;

/// The output an input spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prevout<'a> {
    pub output: &'a TxOut,
    /// Whether the whole transaction that made it is there. Its id is part of the outpoint, so the
    /// amount cannot be made up then.
    pub is_proven: bool,
}

/// Why it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PrevoutError {
    #[error("input {0} does not say what it spends")]
    Missing(usize),
    #[error("input {0} comes with a transaction that it does not spend from")]
    OtherTransaction(usize),
    #[error("input {0} says two different things about what it spends")]
    Differ(usize),
}

/// Looks up what input number `index` spends.
///
/// # Errors
/// See [`PrevoutError`].
pub fn prevout(psbt: &Psbt, index: usize) -> Result<Prevout<'_>, PrevoutError> {
    let (Some(txin), Some(input)) = (psbt.unsigned_tx.input.get(index), psbt.inputs.get(index))
    else {
        return Err(PrevoutError::Missing(index));
    };
    let Some(tx) = &input.non_witness_utxo else {
        let output = input
            .witness_utxo
            .as_ref()
            .ok_or(PrevoutError::Missing(index))?;
        return Ok(Prevout {
            output,
            is_proven: false,
        });
    };
    if tx.compute_txid() != txin.previous_output.txid {
        return Err(PrevoutError::OtherTransaction(index));
    }
    let output = usize::try_from(txin.previous_output.vout)
        .ok()
        .and_then(|vout| tx.output.get(vout))
        .ok_or(PrevoutError::OtherTransaction(index))?;
    if input
        .witness_utxo
        .as_ref()
        .is_some_and(|said| said != output)
    {
        return Err(PrevoutError::Differ(index));
    }
    Ok(Prevout {
        output,
        is_proven: true,
    })
}
