//! The desk of a signer whose chain books balances: key, policy and what left, together.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::{SignerConfig, SignerError};
use crate::evm::policy::{EvmPolicy, EvmViolation};
use crate::evm::signer::{EvmRefusal, Outflows, sign_as};
use crate::evm::{Account, Keys, treasury};
use crate::key_file::read_secret;
use crate::protocol::{AccountRequest, Answer, DayIsFull};
use crate::spent_file::SpentFile;

pub(super) struct AccountDesk {
    keys: Keys,
    payer: Account,
    policy: EvmPolicy,
    ether: SpentFile,
    /// One file for each token of the policy.
    tokens: Vec<(Account, SpentFile)>,
}

impl AccountDesk {
    pub(super) fn open(config: &SignerConfig, user: u32, json: &str) -> Result<Self, SignerError> {
        let policy = EvmPolicy::parse(json).map_err(|error| SignerError::Policy {
            path: config.policy_file.clone(),
            error,
        })?;
        let refuse = |error| SignerError::Key {
            path: config.key_file.clone(),
            error,
        };
        let text = read_secret(&config.key_file, user)?;
        let keys = Keys::parse(&text, config.account).map_err(refuse)?;
        let payer = treasury(keys.payer()).map_err(refuse)?;
        let ether = SpentFile::open(&config.spent_file)?;
        let mut tokens = Vec::new();
        for contract in policy.tokens.keys() {
            let path = of_token(&config.spent_file, *contract);
            tokens.push((*contract, SpentFile::open(&path)?));
        }
        Ok(Self {
            keys,
            payer,
            policy,
            ether,
            tokens,
        })
    }

    pub(super) fn chain_name(&self) -> String {
        format!("chain {}", self.policy.chain_id)
    }

    /// The account that pays.
    pub(super) fn address(&self) -> String {
        self.payer.to_string()
    }

    pub(super) fn answer(&mut self, json: &[u8], now: OffsetDateTime) -> Answer {
        let request = match AccountRequest::parse(json) {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(%error, "a request was not understood");
                return Answer::Refused(error.to_string());
            }
        };
        let AccountRequest {
            transaction,
            references,
            role,
        } = request;
        let nonce = transaction.nonce;
        let before = Outflows {
            ether: self.ether.spent().clone(),
            tokens: self
                .tokens
                .iter()
                .map(|(contract, kept)| (*contract, kept.spent().clone()))
                .collect(),
        };
        let signed = match sign_as(role, &transaction, &self.keys, &self.policy, &before, now) {
            Ok(signed) => signed,
            Err(refusal) => {
                tracing::warn!(nonce, ?role, ?references, %refusal, "refused");
                return refused(&refusal);
            }
        };
        let mut noted = self.ether.replace(signed.ether);
        if noted.is_ok()
            && let Some((contract, spent)) = signed.token
        {
            let kept = self.tokens.iter_mut().find(|(each, _)| *each == contract);
            if let Some((_, kept)) = kept {
                noted = kept.replace(spent);
            }
        }
        if let Err(error) = noted {
            tracing::error!(nonce, %error, "what would have left could not be noted");
            return Answer::Failed("what would leave could not be noted".to_owned());
        }
        tracing::info!(nonce, txid = signed.txid, ?role, ?references, "signed");
        Answer::Transaction(hex::encode(&signed.raw))
    }
}

/// What no day has room for is refused; the rest may be asked for again when the day is over.
fn refused(refusal: &EvmRefusal) -> Answer {
    let why = refusal.to_string();
    match refusal {
        EvmRefusal::Violation(EvmViolation::Daily {
            spent, total, max, ..
        }) if total.saturating_sub(*spent) <= *max => Answer::DayIsFull(DayIsFull {
            spent: *spent,
            max: *max,
            why,
        }),
        EvmRefusal::Violation(_)
        | EvmRefusal::Clock(_)
        | EvmRefusal::Nonce
        | EvmRefusal::Deposit
        | EvmRefusal::Key(_)
        | EvmRefusal::Signature(_) => Answer::Refused(why),
    }
}

fn of_token(spent_file: &Path, contract: Account) -> PathBuf {
    let mut name = spent_file.as_os_str().to_owned();
    name.push(".");
    name.push(contract.to_string().to_lowercase());
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_whole_day_has_no_room_for_is_not_asked_for_again() {
        let full = |spent, total| {
            refused(&EvmRefusal::Violation(EvmViolation::Daily {
                spent,
                total,
                max: 100,
                unit: "gwei",
            }))
        };
        assert!(matches!(full(60, 160), Answer::DayIsFull(day) if day.room() == 40));
        assert!(matches!(full(60, 161), Answer::Refused(_)));
        assert!(matches!(
            refused(&EvmRefusal::Violation(EvmViolation::Nothing)),
            Answer::Refused(_)
        ));
    }
}
