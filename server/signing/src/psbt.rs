//! The form a plan takes on its way to a signer and back (BIP 174).
//!
//! Invariants: what is given out says what every input spends and whose key it needs; what comes
//! back is only taken when it is the same transaction, with a valid signature on every input.

mod prevout;
mod returned;

use std::collections::BTreeMap;

use bitcoin::{OutPoint, Psbt, Transaction, Txid};
use thiserror::Error;

use crate::account::{Account, AccountError};
use crate::coins::{Branch, Coin, Plan, Purpose};
use crate::script_kind::{ScriptKind, redeem_script};
use crate::unlocking::push_program;

pub use prevout::{Prevout, PrevoutError, prevout};
pub use returned::{Complete, Returned, ReturnedError, complete, read_returned};

/// Why a plan cannot be given to a signer.
#[derive(Debug, Error)]
pub enum BuildError {
    #[error("the output {0} is not at the place in the account where it is said to be")]
    NotOurs(OutPoint),
    #[error("the change does not go to our account")]
    ChangeNotOurs,
    #[error("the transaction that made {0} is needed in full, and is missing")]
    MissingPrevious(OutPoint),
    #[error("the transaction given for {0} is another one, or does not have this output")]
    WrongPrevious(OutPoint),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error("the transaction cannot be written down: {0}")]
    Form(#[from] bitcoin::psbt::Error),
}

/// Writes a plan down for a signer that holds the key of `account`.
///
/// `previous` has the transactions that made the coins. For P2PKH all are needed. For the others
/// they may be left out, but a signer has to believe the amounts then, and ours does so only for a
/// transaction with a single input.
///
/// # Errors
/// See [`BuildError`].
pub fn build(
    plan: &Plan,
    account: &Account,
    previous: &BTreeMap<Txid, Transaction>,
) -> Result<Psbt, BuildError> {
    let mut psbt = Psbt::from_unsigned_tx(plan.transaction())?;
    if let Some(origin) = account.origin()
        && origin.path.len() == usize::from(account.key().depth)
    {
        let source = (origin.fingerprint, origin.path.clone());
        psbt.xpub.insert(*account.key(), source);
    }
    for (input, coin) in psbt.inputs.iter_mut().zip(&plan.inputs) {
        let key = account.child(coin.branch, coin.index)?;
        if account.kind().script(&key) != coin.script {
            return Err(BuildError::NotOurs(coin.outpoint));
        }
        let source = account.source(coin.branch, coin.index)?;
        input.bip32_derivation.insert(key.0, source);
        if let Some(tx) = previous.get(&coin.outpoint.txid) {
            if !has_output(tx, coin) {
                return Err(BuildError::WrongPrevious(coin.outpoint));
            }
            input.non_witness_utxo = Some(tx.clone());
        } else if !account.kind().is_segwit() {
            return Err(BuildError::MissingPrevious(coin.outpoint));
        }
        if account.kind().is_segwit() {
            input.witness_utxo = Some(bitcoin::TxOut {
                value: bitcoin::Amount::from_sat(coin.satoshi),
                script_pubkey: coin.script.clone(),
            });
        }
        if account.kind() == ScriptKind::P2shP2wpkh {
            input.redeem_script = Some(redeem_script(&key));
        }
    }
    for (output, planned) in psbt.outputs.iter_mut().zip(&plan.outputs) {
        let Purpose::Change { index } = planned.purpose else {
            continue;
        };
        let key = account.child(Branch::Change, index)?;
        if account.kind().script(&key) != planned.script {
            return Err(BuildError::ChangeNotOurs);
        }
        let source = account.source(Branch::Change, index)?;
        output.bip32_derivation.insert(key.0, source);
        if account.kind() == ScriptKind::P2shP2wpkh {
            output.redeem_script = Some(redeem_script(&key));
        }
    }
    Ok(psbt)
}

/// The id that the transaction will have once it is signed. `None` when signatures are part of it, as they
/// are of what P2PKH outputs are spent with, or when what is spent is not known.
pub fn known_txid(psbt: &Psbt) -> Option<Txid> {
    let mut tx = psbt.unsigned_tx.clone();
    for (index, txin) in tx.input.iter_mut().enumerate() {
        let output = prevout(psbt, index).ok()?.output;
        match ScriptKind::of(&output.script_pubkey)? {
            ScriptKind::P2wpkh => {}
            ScriptKind::P2shP2wpkh => {
                let program = psbt.inputs.get(index)?.redeem_script.as_ref()?;
                txin.script_sig = push_program(program);
            }
            ScriptKind::P2pkh => return None,
        }
    }
    Some(tx.compute_txid())
}

fn has_output(tx: &Transaction, coin: &Coin) -> bool {
    let output = usize::try_from(coin.outpoint.vout)
        .ok()
        .and_then(|vout| tx.output.get(vout));
    tx.compute_txid() == coin.outpoint.txid
        && output.is_some_and(|output| {
            output.script_pubkey == coin.script && output.value.to_sat() == coin.satoshi
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
