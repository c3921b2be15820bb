//! What a transaction is planned with: coins to spend, payments to make, and the plan itself.
//!
//! Invariants of a [`Plan`]: the satoshis of its inputs are those of its outputs plus its fee; no
//! outpoint is spent twice; inputs and outputs stand in the order of BIP 69, so that the position
//! of the change says nothing and the same request makes the same transaction.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use serde::{Deserialize, Serialize};

/// Fourth level of the derivation path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Branch {
    /// Addresses given to payers.
    Receiving,
    /// Addresses that only our own transactions pay.
    Change,
}

impl Branch {
    pub const fn number(self) -> u32 {
        match self {
            Self::Receiving => 0,
            Self::Change => 1,
        }
    }

    pub const fn of(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Receiving),
            1 => Some(Self::Change),
            _ => None,
        }
    }
}

/// An unspent output of ours. Locked, replaced or immature ones are left out by whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    pub outpoint: OutPoint,
    pub satoshi: u64,
    pub branch: Branch,
    /// Fifth level of the derivation path, below 2^31.
    pub index: u32,
    /// Its scriptPubkey.
    pub script: ScriptBuf,
    /// Blocks on top of it and its own; 0 in the mempool.
    pub confirmations: u32,
}

/// Satoshis for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub script: ScriptBuf,
    pub satoshi: u64,
    /// What is paid for; comes back with the output.
    pub reference: String,
}

/// Where what is left over goes: `account / 1 / index`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeScript {
    pub index: u32,
    pub script: ScriptBuf,
}

/// Why an output is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    Payment { reference: String },
    Change { index: u32 },
}

/// One output of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOutput {
    pub script: ScriptBuf,
    pub satoshi: u64,
    pub purpose: Purpose,
}

/// A transaction before anybody signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub inputs: Vec<Coin>,
    pub outputs: Vec<PlannedOutput>,
    /// Which of the outputs is the change.
    pub change_position: Option<usize>,
    /// Satoshis, exactly.
    pub fee: u64,
    /// Weight units with the longest signatures there can be; the signed transaction has this or a
    /// little less.
    pub weight: u64,
}

impl Plan {
    /// What it pays to others, in the order of its outputs.
    pub fn payments(&self) -> Vec<Payment> {
        let payments = self.outputs.iter().filter_map(|output| {
            let Purpose::Payment { reference } = &output.purpose else {
                return None;
            };
            Some(Payment {
                script: output.script.clone(),
                satoshi: output.satoshi,
                reference: reference.clone(),
            })
        });
        payments.collect()
    }

    /// The change, and where it goes.
    pub fn change(&self) -> Option<(u64, ChangeScript)> {
        let output = self.outputs.get(self.change_position?)?;
        let Purpose::Change { index } = output.purpose else {
            return None;
        };
        let script = output.script.clone();
        Some((output.satoshi, ChangeScript { index, script }))
    }

    /// The transaction without signatures. Every input says that it may be replaced (BIP 125), for
    /// whoever still asks.
    pub fn transaction(&self) -> Transaction {
        let input = self.inputs.iter().map(|coin| TxIn {
            previous_output: coin.outpoint,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        });
        let output = self.outputs.iter().map(|output| TxOut {
            value: Amount::from_sat(output.satoshi),
            script_pubkey: output.script.clone(),
        });
        Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: input.collect(),
            output: output.collect(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn a_plan_survives_being_stored() {
        let plan = samples::plan(crate::ScriptKind::P2wpkh);
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }

    #[test]
    fn a_planned_transaction_signals_that_it_may_be_replaced() {
        let tx = samples::plan(crate::ScriptKind::P2wpkh).transaction();
        assert!(tx.is_explicitly_rbf());
        assert!(!tx.is_lock_time_enabled() || tx.lock_time == LockTime::ZERO);
    }

    #[test]
    fn branches_are_numbered() {
        for branch in [Branch::Receiving, Branch::Change] {
            assert_eq!(Branch::of(branch.number()), Some(branch));
        }
        assert_eq!(Branch::of(2), None);
    }
}
