//! What the signer lets out, whoever asks: a file beside its key.
//!
//! The file is JSON, like the requests: one parser, of which unknown and repeated keys are errors,
//! so that a mistyped limit is never simply not there.
//!
//! ```json
//! {
//!   "chain": "bitcoin",
//!   "payment_max_sat": 50000000,
//!   "daily_max_sat": 200000000,
//!   "fee_max_sat": 100000,
//!   "fee_max_ppm": 50000,
//!   "destinations": ["bc1q…"],
//!   "change_index_max": 1000000
//! }
//! ```
//!
//! The last two may be left out. A day is one of UTC, and what counts for it is payments and fees.

use std::collections::BTreeSet;

use bitcoin::{Script, ScriptBuf};
use serde::Deserialize;
use thiserror::Error;

use crate::chain::{AddressError, CHAINS, ChainParams, chain};
use crate::fee::FeeCaps;
use crate::protocol::RefusedPayment;
use crate::reading::Reading;

/// Change goes no further than this, unless the policy says otherwise: 1 000 000 is more
/// transactions than a signer makes in years, and few enough to be scanned for.
const CHANGE_INDEX_MAX: u32 = 1_000_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    chain: String,
    payment_max_sat: u64,
    daily_max_sat: u64,
    fee_max_sat: u64,
    fee_max_ppm: u32,
    destinations: Option<Vec<String>>,
    change_index_max: Option<u32>,
}

/// The limits, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub chain: &'static ChainParams,
    /// Satoshis, of one output.
    pub payment_max: u64,
    /// Satoshis of payments and fees, of one day in UTC.
    pub daily_max: u64,
    /// Of one transaction, relative to what it pays.
    pub fee_caps: FeeCaps,
    /// The only scripts that may be paid; `None` for any.
    pub destinations: Option<BTreeSet<ScriptBuf>>,
    /// The last index of an address for change.
    pub change_index_max: u32,
}

/// Why a file is no policy.
#[derive(Debug, Error)]
pub enum PolicyError {
    #[error("the policy is not the JSON it should be: {0}")]
    Form(#[from] serde_json::Error),
    #[error("the policy names the chain {0:?}, and there are {known}", known = known())]
    Chain(String),
    #[error("{0} of the policy lets nothing out")]
    Nothing(&'static str),
    #[error("the destination {address:?} of the policy: {error}")]
    Destination {
        address: String,
        error: AddressError,
    },
    #[error("the address {0:?} of the policy is none, or has no checksum")]
    Account(String),
    #[error("the policy names the token {0} twice")]
    Twice(String),
}

/// Why a transaction is against the policy. Said to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Violation {
    #[error("{address} would get {satoshi} satoshis, and at most {max} may go at once")]
    Payment {
        address: String,
        satoshi: u64,
        max: u64,
    },
    #[error("{0} is not on the list of destinations")]
    Destination(String),
    #[error("the fee is {fee} satoshis, and at most {max} are allowed for what is paid")]
    Fee { fee: u64, max: u64 },
    #[error("{spent} satoshis have left today, with this it would be {total}, at most {max} may")]
    Daily { spent: u64, total: u64, max: u64 },
}

fn known() -> String {
    let names: Vec<&str> = CHAINS.iter().map(|chain| chain.name).collect();
    names.join(", ")
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        let file: File = serde_json::from_str(json)?;
        let chain = chain(&file.chain).ok_or(PolicyError::Chain(file.chain))?;
        for (name, limit) in [
            ("payment_max_sat", file.payment_max_sat),
            ("daily_max_sat", file.daily_max_sat),
            ("fee_max_sat", file.fee_max_sat),
            ("fee_max_ppm", u64::from(file.fee_max_ppm)),
        ] {
            if limit == 0 {
                return Err(PolicyError::Nothing(name));
            }
        }
        let destinations = match file.destinations {
            None => None,
            Some(list) if list.is_empty() => return Err(PolicyError::Nothing("destinations")),
            Some(list) => Some(read_destinations(chain, list)?),
        };
        Ok(Self {
            chain,
            payment_max: file.payment_max_sat,
            daily_max: file.daily_max_sat,
            fee_caps: FeeCaps {
                absolute: file.fee_max_sat,
                relative_ppm: file.fee_max_ppm,
            },
            destinations,
            change_index_max: file.change_index_max.unwrap_or(CHANGE_INDEX_MAX),
        })
    }

    /// Judges a transaction by itself, whatever has left before.
    ///
    /// # Errors
    /// The first [`Violation`], of outputs in their order.
    pub fn judge(&self, reading: &Reading) -> Result<(), Violation> {
        for (script, satoshi) in &reading.payments {
            self.judge_payment(script, *satoshi)?;
        }
        let max = self.fee_caps.cap(reading.paid);
        if reading.fee > max {
            return Err(Violation::Fee {
                fee: reading.fee,
                max,
            });
        }
        Ok(())
    }

    fn judge_payment(&self, script: &Script, satoshi: u64) -> Result<(), Violation> {
        let address = || match self.chain.address(script) {
            Some(address) => address,
            None => script.to_hex_string(),
        };
        if satoshi > self.payment_max {
            return Err(Violation::Payment {
                address: address(),
                satoshi,
                max: self.payment_max,
            });
        }
        if let Some(list) = &self.destinations
            && !list.contains(script)
        {
            return Err(Violation::Destination(address()));
        }
        Ok(())
    }

    /// All payments that are refused by themselves, in the order of the outputs; with one of them the
    /// transaction is never signed, without them it may be.
    pub fn refused(&self, reading: &Reading) -> Vec<RefusedPayment> {
        let refused = reading.payments.iter().filter_map(|(script, satoshi)| {
            let why = self.judge_payment(script, *satoshi).err()?.to_string();
            Some(RefusedPayment {
                script: script.clone(),
                satoshi: *satoshi,
                why,
            })
        });
        refused.collect()
    }

    /// Judges a day: `spent` satoshis have left, `added` would.
    ///
    /// # Errors
    /// [`Violation::Daily`].
    pub fn judge_day(&self, spent: u64, added: u64) -> Result<(), Violation> {
        let total = spent.saturating_add(added);
        if added > 0 && total > self.daily_max {
            return Err(Violation::Daily {
                spent,
                total,
                max: self.daily_max,
            });
        }
        Ok(())
    }
}

fn read_destinations(
    chain: &ChainParams,
    list: Vec<String>,
) -> Result<BTreeSet<ScriptBuf>, PolicyError> {
    list.into_iter()
        .map(|address| {
            chain
                .parse_address(&address)
                .map_err(|error| PolicyError::Destination { address, error })
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
