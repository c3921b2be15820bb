//! Key, policy and what left, together: one request in, one answer out.

use time::OffsetDateTime;

use super::account_desk::AccountDesk;
use super::{SignerConfig, SignerError};
use crate::evm::EvmPolicy;
use crate::key::SigningKey;
use crate::key_file::{read_secret, read_settings};
use crate::policy::{Policy, Violation};
use crate::protocol::{Answer, DayIsFull, Request, write_psbt};
use crate::reading::read;
use crate::signer::{Refusal, sign};
use crate::spent_file::SpentFile;

/// Which kind of chain a signer is for is said by its policy.
pub(super) enum Desk {
    Outputs(Box<OutputDesk>),
    Accounts(Box<AccountDesk>),
}

impl Desk {
    /// Reads all files, as `user`.
    pub fn open(config: &SignerConfig, user: u32) -> Result<Self, SignerError> {
        let json = read_settings(&config.policy_file, user)?;
        if EvmPolicy::is_meant(&json) {
            let desk = AccountDesk::open(config, user, &json)?;
            return Ok(Self::Accounts(Box::new(desk)));
        }
        let desk = OutputDesk::open(config, user, &json)?;
        Ok(Self::Outputs(Box::new(desk)))
    }

    pub fn chain_name(&self) -> String {
        match self {
            Self::Outputs(desk) => desk.policy.chain.name.to_owned(),
            Self::Accounts(desk) => desk.chain_name(),
        }
    }

    /// For comparison with what the gateway shows for the account.
    pub fn first_address(&self) -> String {
        match self {
            Self::Outputs(desk) => desk.first_address(),
            Self::Accounts(desk) => desk.address(),
        }
    }

    /// Signs, notes what leaves, and only then says so.
    pub fn answer(&mut self, json: &[u8], now: OffsetDateTime) -> Answer {
        match self {
            Self::Outputs(desk) => desk.answer(json, now),
            Self::Accounts(desk) => desk.answer(json, now),
        }
    }
}

pub(super) struct OutputDesk {
    key: SigningKey,
    policy: Policy,
    kept: SpentFile,
}

impl OutputDesk {
    fn open(config: &SignerConfig, user: u32, json: &str) -> Result<Self, SignerError> {
        let policy = Policy::parse(json).map_err(|error| SignerError::Policy {
            path: config.policy_file.clone(),
            error,
        })?;
        let text = read_secret(&config.key_file, user)?;
        let key = SigningKey::parse(&text, policy.chain, config.kind, config.account);
        let key = key.map_err(|error| SignerError::Key {
            path: config.key_file.clone(),
            error,
        })?;
        let kept = SpentFile::open(&config.spent_file)?;
        Ok(Self { key, policy, kept })
    }

    fn first_address(&self) -> String {
        let addresses = self.key.account().first_addresses(self.policy.chain, 1);
        addresses.unwrap_or_default().concat()
    }

    fn answer(&mut self, json: &[u8], now: OffsetDateTime) -> Answer {
        let (request, psbt) = match Request::parse(json) {
            Ok(parsed) => parsed,
            Err(error) => {
                tracing::warn!(%error, "a request was not understood");
                return Answer::Refused(error.to_string());
            }
        };
        let references = request.references;
        let txid = psbt.unsigned_tx.compute_txid();
        let signed = match sign(psbt, &self.key, &self.policy, self.kept.spent(), now) {
            Ok(signed) => signed,
            Err(refusal) => {
                tracing::warn!(%txid, ?references, %refusal, "refused");
                return self.refused(&refusal, json);
            }
        };
        if let Err(error) = self.kept.replace(signed.spent) {
            tracing::error!(%txid, %error, "what would have left could not be noted");
            return Answer::Failed("what would leave could not be noted".to_owned());
        }
        tracing::info!(
            unsigned_txid = %txid,
            ?references,
            paid = signed.paid,
            fee = signed.fee,
            counted_today = signed.added,
            "signed"
        );
        Answer::Psbt(write_psbt(&signed.psbt))
    }

    /// Says which part of a transaction is refused, where it is a part: the rest may be asked for without
    /// it.
    fn refused(&self, refusal: &Refusal, json: &[u8]) -> Answer {
        let why = refusal.to_string();
        match refusal {
            Refusal::Violation(Violation::Payment { .. } | Violation::Destination(_)) => {
                let payments = Request::parse(json).ok().and_then(|(_, psbt)| {
                    let account = self.key.account();
                    let reading = read(&psbt, account, self.policy.change_index_max).ok()?;
                    Some(self.policy.refused(&reading))
                });
                match payments {
                    Some(payments) if !payments.is_empty() => Answer::RefusedPayments(payments),
                    _ => Answer::Refused(why),
                }
            }
            Refusal::Violation(Violation::Daily { spent, max, .. }) => {
                Answer::DayIsFull(DayIsFull {
                    spent: *spent,
                    max: *max,
                    why,
                })
            }
            Refusal::Violation(Violation::Fee { .. })
            | Refusal::Reading(_)
            | Refusal::Clock(_)
            | Refusal::Input(_)
            | Refusal::Key(_) => Answer::Refused(why),
        }
    }
}
