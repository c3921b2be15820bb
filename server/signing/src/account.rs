//! An account's public key, however a wallet wrote it down: what it can name and never spend.
//!
//! Invariant: a key of another network, of several signers, or a private one is refused in words,
//! and a text with a checksum is only read when the checksum is right.

mod descriptor;
mod extended_key;

use bitcoin::CompressedPublicKey;
use bitcoin::ScriptBuf;
use bitcoin::bip32::{ChildNumber, DerivationPath, Fingerprint, KeySource, Xpub};
use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use thiserror::Error;

use crate::chain::ChainParams;
use crate::coins::Branch;
use crate::script_kind::ScriptKind;

pub(crate) use extended_key::private_key;

/// Longest text looked at. A descriptor of one key takes about 190 characters.
const TEXT_LENGTH_MAX: usize = 512;

/// Why a text is not the public key of an account. Said to whoever typed it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccountError {
    #[error("this is neither an extended public key nor an output descriptor")]
    Malformed,
    #[error("the checksum is wrong: a character is missing or mistyped")]
    Checksum,
    #[error(
        "this is a private key, and whoever has it can spend everything; it must not be entered \
         here, and if others may have seen it, move the coins"
    )]
    Private,
    #[error("this key belongs to {found}, and the chain is {chain}")]
    OtherNetwork {
        found: &'static str,
        chain: &'static str,
    },
    #[error("keys of wallets with several signers are not supported")]
    SeveralSigners,
    #[error("{0} is not supported: wpkh(…), sh(wpkh(…)) and pkh(…) are")]
    Script(String),
    #[error("the key of wpkh(…), sh(wpkh(…)) or pkh(…) says that it is for another kind of script")]
    KindsDiffer,
    #[error("the descriptor names {0}; give the one for receiving, which ends in /0/* or /<0;1>/*")]
    Path(String),
    /// Without repeating it: a key may have been pasted there.
    #[error("what is in square brackets is not the origin of a key, such as [73c5da0a/84'/0'/0']")]
    Origin,
    #[error("an index has to be below 2^31")]
    Index,
}

/// Where an account is below its master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Of the master key.
    pub fingerprint: Fingerprint,
    pub path: DerivationPath,
}

/// The public half of an account: a branch and an index below it make an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    kind: ScriptKind,
    key: Xpub,
    origin: Option<Origin>,
    secp: Secp256k1<VerifyOnly>,
}

impl Account {
    pub fn new(kind: ScriptKind, key: Xpub, origin: Option<Origin>) -> Self {
        Self {
            kind,
            key,
            origin,
            secp: Secp256k1::verification_only(),
        }
    }

    /// Reads a descriptor, or an extended key as BIP 32 or SLIP 132 writes it.
    ///
    /// `kind` is taken where the text does not say it: for `xpub` and `tpub`, which wallets write
    /// for any kind of script.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub fn parse(text: &str, chain: &ChainParams, kind: ScriptKind) -> Result<Self, AccountError> {
        let text = text.trim();
        if text.len() > TEXT_LENGTH_MAX || !text.is_ascii() {
            return Err(AccountError::Malformed);
        }
        if text.contains('(') {
            return descriptor::parse(text, chain);
        }
        let (key, said) = extended_key::public_key(text, chain)?;
        Ok(Self::new(said.unwrap_or(kind), key, None))
    }

    pub const fn kind(&self) -> ScriptKind {
        self.kind
    }

    /// The key of the account level, written as `xpub` or `tpub` whatever it came as.
    pub const fn key(&self) -> &Xpub {
        &self.key
    }

    pub const fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The key at `account / branch / index`.
    ///
    /// # Errors
    /// [`AccountError::Index`].
    pub fn child(&self, branch: Branch, index: u32) -> Result<CompressedPublicKey, AccountError> {
        let path = below(branch, index)?;
        self.key
            .derive_pub(&self.secp, &path)
            .map(Xpub::to_pub)
            .map_err(|_| AccountError::Index)
    }

    /// The scriptPubkey at `account / branch / index`.
    ///
    /// # Errors
    /// [`AccountError::Index`].
    pub fn script(&self, branch: Branch, index: u32) -> Result<ScriptBuf, AccountError> {
        Ok(self.kind.script(&self.child(branch, index)?))
    }

    /// The first addresses for payers, for comparison with what the wallet itself shows.
    ///
    /// # Errors
    /// [`AccountError::Index`] for more than 2^31.
    pub fn first_addresses(
        &self,
        chain: &ChainParams,
        count: u32,
    ) -> Result<Vec<String>, AccountError> {
        (0..count)
            .map(|index| {
                let script = self.script(Branch::Receiving, index)?;
                chain.address(&script).ok_or(AccountError::Malformed)
            })
            .collect()
    }

    /// How a signer finds the key at `account / branch / index`: a fingerprint, and the path from
    /// there. Without an origin, it is the account's own.
    ///
    /// # Errors
    /// [`AccountError::Index`].
    pub fn source(&self, branch: Branch, index: u32) -> Result<KeySource, AccountError> {
        let below = below(branch, index)?;
        Ok(match &self.origin {
            Some(origin) => (origin.fingerprint, origin.path.extend(below)),
            None => (self.key.fingerprint(), DerivationPath::from(below.to_vec())),
        })
    }

    /// The descriptor of both branches with its checksum: the one form for all that was accepted.
    pub fn descriptor(&self) -> String {
        descriptor::write(self)
    }
}

/// The two levels below an account.
pub(crate) fn below(branch: Branch, index: u32) -> Result<[ChildNumber; 2], AccountError> {
    let level = |number| ChildNumber::from_normal_idx(number).map_err(|_| AccountError::Index);
    Ok([level(branch.number())?, level(index)?])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
