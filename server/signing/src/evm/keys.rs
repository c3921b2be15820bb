//! The keys of a network of accounts: the one that pays, and those of deposits.

use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use serde::{Deserialize, Serialize};

use super::KEYS;
use super::account::Account;
use super::signer::EvmRefusal;
use crate::coins::Branch;
use crate::key::{KeyError, SigningKey};
use crate::script_kind::ScriptKind;

/// Accounts of a seed that deposits are taken with: each coin of the network has one of its own.
const ACCOUNTS: u32 = 4;

/// Whose address a deposit came to: a place among those that payers are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepositKey {
    /// Number of the account, hardened.
    pub account: u32,
    pub index: u32,
}

/// What a transaction is for, as whoever asks for its signature says. The signer checks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// From the account that pays to anybody the policy allows.
    #[default]
    Payment,
    /// What a deposit brought, to the account that pays.
    Sweep(DepositKey),
    /// Ether for the gas of a sweep, from the account that pays.
    TopUp(DepositKey),
}

impl Role {
    pub fn is_payment(&self) -> bool {
        *self == Self::Payment
    }
}

/// Private keys, read once.
#[derive(Debug)]
pub struct Keys {
    payer: SigningKey,
    deposits: Vec<(u32, SigningKey)>,
}

impl Keys {
    /// Reads a key as [`SigningKey::parse`] does. A seed or a master key has the accounts of all coins; the
    /// key of an account has its own deposits alone.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn parse(text: &str, account: u32) -> Result<Self, KeyError> {
        let read = |number| SigningKey::parse(text, &KEYS, ScriptKind::P2pkh, number);
        let payer = read(account)?;
        let mut deposits = vec![(account, read(account)?)];
        if payer.account().origin().is_some() {
            for number in (0..ACCOUNTS).filter(|number| *number != account) {
                deposits.push((number, read(number)?));
            }
        }
        Ok(Self { payer, deposits })
    }

    /// The account key below which the account that pays is.
    pub const fn payer(&self) -> &SigningKey {
        &self.payer
    }

    /// The address of a deposit.
    ///
    /// # Errors
    /// [`EvmRefusal::Deposit`] for an account whose key is not here; [`EvmRefusal::Key`].
    pub fn address_of(&self, place: DepositKey) -> Result<Account, EvmRefusal> {
        let secret = self.secret_of(place)?;
        let public = PublicKey::from_secret_key(&Secp256k1::signing_only(), &secret);
        Ok(Account::of_key(&public))
    }

    pub(super) fn secret_of(&self, place: DepositKey) -> Result<SecretKey, EvmRefusal> {
        let found = self
            .deposits
            .iter()
            .find(|(number, _)| *number == place.account);
        let (_, key) = found.ok_or(EvmRefusal::Deposit)?;
        Ok(key.secret(Branch::Receiving, place.index)?)
    }
}
