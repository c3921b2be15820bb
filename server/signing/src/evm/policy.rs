//! What the signer of an EVM chain lets out: a file beside its key, JSON like the requests.
//!
//! ```json
//! {
//!   "chain_id": 1,
//!   "ether": { "payment_max_gwei": 5000000000, "daily_max_gwei": 20000000000 },
//!   "tokens": [
//!     { "contract": "0xdAC1…", "payment_max_units": 5000000000, "daily_max_units": 50000000000 }
//!   ],
//!   "fee_max_gwei": 30000000,
//!   "destinations": ["0x9858…"]
//! }
//! ```
//!
//! `tokens` and `destinations` may be left out; a token that is not listed does not leave, and with a
//! `payment_max_gwei` of 0 no ether but gas does. A gwei is a thousandth of a millionth of an ether; wei below one count as one. A day
//! is one of UTC; what a transaction may cost at most counts for it as ether.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

use super::account::Account;
use super::transaction::{Paid, Transaction};
use crate::policy::PolicyError;

const GWEI: u128 = 1_000_000_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    chain_id: u64,
    ether: EtherFile,
    tokens: Option<Vec<TokenFile>>,
    fee_max_gwei: u64,
    destinations: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EtherFile {
    /// 0: none but gas.
    payment_max_gwei: u64,
    daily_max_gwei: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFile {
    contract: String,
    payment_max_units: u64,
    daily_max_units: u64,
}

/// Of one currency; gwei of ether, or token units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub payment_max: u64,
    pub daily_max: u64,
}

/// The limits, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvmPolicy {
    pub chain_id: u64,
    pub ether: Limits,
    pub tokens: BTreeMap<Account, Limits>,
    /// Gwei of one transaction at most.
    pub fee_max: u64,
    /// The only receivers; `None` for any.
    pub destinations: Option<BTreeSet<Account>>,
}

/// What would leave with a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outflow {
    /// Gwei, the dearest gas included; what is left of a gwei counts whole.
    pub ether: u64,
    /// The token, and its units.
    pub token: Option<(Account, u64)>,
    /// Gwei.
    pub fee: u64,
}

/// Why a transaction is against the policy. Said to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvmViolation {
    #[error("it is for chain {found}, and the policy is for {expected}")]
    Chain { found: u64, expected: u64 },
    #[error("it does something else than moving ether or tokens")]
    Meaning,
    #[error("it would move nothing")]
    Nothing,
    #[error("tokens of {0} may not leave")]
    Token(Account),
    #[error("{to} would get {amount} {unit}, and at most {max} may go at once")]
    Payment {
        to: Account,
        amount: u64,
        unit: &'static str,
        max: u64,
    },
    #[error("{0} is not on the list of destinations")]
    Destination(Account),
    #[error("it may cost {fee} gwei, and at most {max} are allowed")]
    Fee { fee: u64, max: u64 },
    #[error("{spent} {unit} have left today, with this it would be {total}, at most {max} may")]
    Daily {
        spent: u64,
        total: u64,
        max: u64,
        unit: &'static str,
    },
}

impl EvmPolicy {
    /// Whether a policy file is one for an EVM chain; whether it is a good one is another question.
    pub fn is_meant(json: &str) -> bool {
        serde_json::from_str::<serde_json::Value>(json)
            .is_ok_and(|value| value.get("chain_id").is_some())
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        let file: File = serde_json::from_str(json)?;
        for (name, limit) in [
            ("chain_id", file.chain_id),
            ("daily_max_gwei", file.ether.daily_max_gwei),
            ("fee_max_gwei", file.fee_max_gwei),
        ] {
            if limit == 0 {
                return Err(PolicyError::Nothing(name));
            }
        }
        let mut tokens = BTreeMap::new();
        for token in file.tokens.unwrap_or_default() {
            let contract = read(&token.contract)?;
            let limits = Limits {
                payment_max: token.payment_max_units,
                daily_max: token.daily_max_units,
            };
            if limits.payment_max == 0 || limits.daily_max == 0 {
                return Err(PolicyError::Nothing("a token"));
            }
            if tokens.insert(contract, limits).is_some() {
                return Err(PolicyError::Twice(token.contract));
            }
        }
        let destinations = match file.destinations {
            None => None,
            Some(list) if list.is_empty() => return Err(PolicyError::Nothing("destinations")),
            Some(list) => Some(
                list.iter()
                    .map(|text| read(text))
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Self {
            chain_id: file.chain_id,
            ether: Limits {
                payment_max: file.ether.payment_max_gwei,
                daily_max: file.ether.daily_max_gwei,
            },
            tokens,
            fee_max: file.fee_max_gwei,
            destinations,
        })
    }

    /// Judges a transaction by itself, whatever has left before. Answers what would leave.
    ///
    /// # Errors
    /// The first [`EvmViolation`].
    pub fn judge(&self, transaction: &Transaction) -> Result<Outflow, EvmViolation> {
        if transaction.chain_id != self.chain_id {
            return Err(EvmViolation::Chain {
                found: transaction.chain_id,
                expected: self.chain_id,
            });
        }
        let paid = transaction.paid().ok_or(EvmViolation::Meaning)?;
        let fee = gwei(transaction.fee_max().unwrap_or(u128::MAX));
        let (to, amount, unit, limits, token) = match paid {
            Paid::Ether { to, wei } => (to, gwei(wei), "gwei", self.ether, None),
            Paid::Token {
                contract,
                to,
                units,
            } => {
                let limits = *self
                    .tokens
                    .get(&contract)
                    .ok_or(EvmViolation::Token(contract))?;
                let units = u64::try_from(units).unwrap_or(u64::MAX);
                (to, units, "token units", limits, Some((contract, units)))
            }
        };
        if amount == 0 {
            return Err(EvmViolation::Nothing);
        }
        if amount > limits.payment_max {
            return Err(EvmViolation::Payment {
                to,
                amount,
                unit,
                max: limits.payment_max,
            });
        }
        if let Some(list) = &self.destinations
            && !list.contains(&to)
        {
            return Err(EvmViolation::Destination(to));
        }
        if fee > self.fee_max {
            return Err(EvmViolation::Fee {
                fee,
                max: self.fee_max,
            });
        }
        let ether = if token.is_some() { 0 } else { amount };
        Ok(Outflow {
            ether: ether.saturating_add(fee),
            token,
            fee,
        })
    }
}

impl EvmPolicy {
    /// Judges a transaction that moves what a deposit brought. It goes to `home`, the account that pays, so
    /// nothing but gas leaves. Answers the gwei that may cost.
    ///
    /// # Errors
    /// The first [`EvmViolation`].
    pub fn judge_sweep(
        &self,
        transaction: &Transaction,
        home: Account,
    ) -> Result<u64, EvmViolation> {
        if transaction.chain_id != self.chain_id {
            return Err(EvmViolation::Chain {
                found: transaction.chain_id,
                expected: self.chain_id,
            });
        }
        let (to, amount) = match transaction.paid().ok_or(EvmViolation::Meaning)? {
            Paid::Ether { to, wei } => (to, wei),
            Paid::Token {
                contract,
                to,
                units,
            } => {
                if !self.tokens.contains_key(&contract) {
                    return Err(EvmViolation::Token(contract));
                }
                (to, units)
            }
        };
        if to != home {
            return Err(EvmViolation::Destination(to));
        }
        if amount == 0 {
            return Err(EvmViolation::Nothing);
        }
        let fee = gwei(transaction.fee_max().unwrap_or(u128::MAX));
        if fee > self.fee_max {
            return Err(EvmViolation::Fee {
                fee,
                max: self.fee_max,
            });
        }
        Ok(fee)
    }
}

impl Limits {
    /// Judges a day: `spent` have left, `added` would.
    ///
    /// # Errors
    /// [`EvmViolation::Daily`].
    pub fn judge_day(
        &self,
        spent: u64,
        added: u64,
        unit: &'static str,
    ) -> Result<(), EvmViolation> {
        let total = spent.saturating_add(added);
        if added > 0 && total > self.daily_max {
            return Err(EvmViolation::Daily {
                spent,
                total,
                max: self.daily_max,
                unit,
            });
        }
        Ok(())
    }
}

fn gwei(wei: u128) -> u64 {
    u64::try_from(wei.div_ceil(GWEI)).unwrap_or(u64::MAX)
}

fn read(text: &str) -> Result<Account, PolicyError> {
    text.parse()
        .map_err(|_| PolicyError::Account(text.to_owned()))
}
