//! The signer's judgement of a transaction of the account that pays.
//!
//! Invariant: of transactions with one nonce at most one can be mined, so they count once, at the most any
//! of them takes; the same transaction gets the same bytes and counts nothing.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::{PublicKey, Secp256k1};
use bitcoin::{OutPoint, Txid};
use sha3::{Digest, Keccak256};
use thiserror::Error;
use time::OffsetDateTime;

use super::TREASURY;
use super::account::Account;
use super::keys::{DepositKey, Keys, Role};
use super::policy::{EvmPolicy, EvmViolation};
use super::transaction::{Mismatch, Paid, Transaction};
use crate::key::{KeyError, SigningKey};
use crate::spent::{ClockWentBack, Day, Leaving, Spent};

/// Why the signer does not sign. Said to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvmRefusal {
    #[error(transparent)]
    Violation(#[from] EvmViolation),
    #[error(transparent)]
    Clock(#[from] ClockWentBack),
    #[error("the nonce is larger than any account needs")]
    Nonce,
    #[error("that is no account of a deposit whose key is here")]
    Deposit,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Signature(#[from] Mismatch),
}

/// What has left: gwei of ether, and units of each token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outflows {
    pub ether: Spent,
    pub tokens: BTreeMap<Account, Spent>,
}

/// A transaction signed, and not yet to be given to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPayment {
    pub raw: Vec<u8>,
    pub txid: String,
    /// To be kept before the bytes leave.
    pub ether: Spent,
    pub token: Option<(Account, Spent)>,
}

/// The account that a key pays from.
///
/// # Errors
/// [`KeyError`] never happens for the one place there is.
pub fn treasury(key: &SigningKey) -> Result<Account, KeyError> {
    let (branch, index) = TREASURY;
    let secret = key.secret(branch, index)?;
    let public = PublicKey::from_secret_key(&Secp256k1::signing_only(), &secret);
    Ok(Account::of_key(&public))
}

/// Signs without judging: for coins without value.
///
/// # Errors
/// [`EvmRefusal::Key`] and [`EvmRefusal::Signature`], which practically never happen.
pub fn sign_anything(
    transaction: &Transaction,
    key: &SigningKey,
) -> Result<(Vec<u8>, String), EvmRefusal> {
    let (branch, index) = TREASURY;
    Ok(transaction.sign(&key.secret(branch, index)?)?)
}

/// Judges, and signs what is allowed.
///
/// # Errors
/// See [`EvmRefusal`]; nothing has left then, and nothing needs to be kept.
pub fn sign(
    transaction: &Transaction,
    key: &SigningKey,
    policy: &EvmPolicy,
    before: &Outflows,
    now: OffsetDateTime,
) -> Result<SignedPayment, EvmRefusal> {
    let outflow = policy.judge(transaction)?;
    let place = place(transaction, treasury(key)?)?;
    let id = Txid::from_byte_array(transaction.signing_hash());
    let today = Day::of(now);
    let leaving = |amount| Leaving {
        unsigned_txid: id,
        outpoints: &place,
        satoshi: amount,
    };
    let (ether, added) = before.ether.with(&leaving(outflow.ether), now)?;
    policy
        .ether
        .judge_day(before.ether.on(&today), added, "gwei")?;
    let token = match outflow.token {
        None => None,
        Some((contract, units)) => {
            let limits = policy
                .tokens
                .get(&contract)
                .ok_or(EvmViolation::Token(contract))?;
            let spent = before.tokens.get(&contract).cloned().unwrap_or_default();
            let (after, added) = spent.with(&leaving(units), now)?;
            limits.judge_day(spent.on(&today), added, "token units")?;
            Some((contract, after))
        }
    };
    let (raw, txid) = sign_anything(transaction, key)?;
    Ok(SignedPayment {
        raw,
        txid,
        ether,
        token,
    })
}

/// Judges what a transaction is said to be for, and signs what is allowed.
///
/// # Errors
/// As [`sign`]; [`EvmRefusal::Deposit`] when no deposit is where it is said to be.
pub fn sign_as(
    role: Role,
    transaction: &Transaction,
    keys: &Keys,
    policy: &EvmPolicy,
    before: &Outflows,
    now: OffsetDateTime,
) -> Result<SignedPayment, EvmRefusal> {
    match role {
        Role::Payment => sign(transaction, keys.payer(), policy, before, now),
        Role::TopUp(place) => {
            let wei = transaction.value;
            let to = keys.address_of(place)?;
            if transaction.paid() != Some(Paid::Ether { to, wei }) {
                return Err(EvmRefusal::Deposit);
            }
            // Ours, listed or not; the sums are those of any payment.
            let policy = EvmPolicy {
                destinations: None,
                ..policy.clone()
            };
            sign(transaction, keys.payer(), &policy, before, now)
        }
        Role::Sweep(deposit) => sweep(transaction, deposit, keys, policy, before, now),
    }
}

/// As [`sign_anything`], with the key of what it is for.
///
/// # Errors
/// As [`sign_anything`]; [`EvmRefusal::Deposit`].
pub fn sign_anything_as(
    role: Role,
    transaction: &Transaction,
    keys: &Keys,
) -> Result<(Vec<u8>, String), EvmRefusal> {
    match role {
        Role::Payment | Role::TopUp(_) => sign_anything(transaction, keys.payer()),
        Role::Sweep(deposit) => Ok(transaction.sign(&keys.secret_of(deposit)?)?),
    }
}

/// Gas is all that leaves with a sweep; it counts for the day.
fn sweep(
    transaction: &Transaction,
    deposit: DepositKey,
    keys: &Keys,
    policy: &EvmPolicy,
    before: &Outflows,
    now: OffsetDateTime,
) -> Result<SignedPayment, EvmRefusal> {
    let fee = policy.judge_sweep(transaction, treasury(keys.payer())?)?;
    let secret = keys.secret_of(deposit)?;
    let outpoints = place(transaction, keys.address_of(deposit)?)?;
    let leaving = Leaving {
        unsigned_txid: Txid::from_byte_array(transaction.signing_hash()),
        outpoints: &outpoints,
        satoshi: fee,
    };
    let (ether, added) = before.ether.with(&leaving, now)?;
    let spent = before.ether.on(&Day::of(now));
    policy.ether.judge_day(spent, added, "gwei")?;
    let (raw, txid) = transaction.sign(&secret)?;
    Ok(SignedPayment {
        raw,
        txid,
        ether,
        token: None,
    })
}

/// What all transactions with this nonce have in common, as [`Spent`] knows it: account and number.
fn place(transaction: &Transaction, payer: Account) -> Result<BTreeSet<OutPoint>, EvmRefusal> {
    let mut hash = Keccak256::new();
    hash.update(transaction.chain_id.to_be_bytes());
    hash.update(payer.0);
    let account = Txid::from_byte_array(hash.finalize().into());
    let nonce = u32::try_from(transaction.nonce).map_err(|_| EvmRefusal::Nonce)?;
    Ok(BTreeSet::from([OutPoint::new(account, nonce)]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "signer_tests.rs"]
mod tests;
