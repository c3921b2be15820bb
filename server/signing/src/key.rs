//! The private key of one account, and the two ways it may be written down.
//!
//! Invariant: it signs and names its public half; nothing prints it. Where it is kept on disk is
//! the business of `key_file`.

use std::fmt;

use bitcoin::CompressedPublicKey;
use bitcoin::bip32::{self, ChildNumber, DerivationPath, Xpriv, Xpub};
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey, SignOnly, ecdsa};
use thiserror::Error;

use crate::account::{self, Account, AccountError, Origin};
use crate::chain::ChainParams;
use crate::coins::Branch;
use crate::script_kind::ScriptKind;

/// Hexadecimal digits of a seed of BIP 39.
const SEED_DIGITS: usize = 128;

/// Why a text is no key to sign with. Never shows any of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    #[error("this is neither a seed of 128 hexadecimal digits nor an extended private key")]
    Malformed,
    #[error("this looks like the words of a seed; write the seed they make in hexadecimal")]
    Words,
    #[error("this is a public key, and nobody can sign with it")]
    Public,
    #[error("the key says that it is for another kind of script than the settings")]
    KindsDiffer,
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error("the key cannot be derived")]
    Derivation,
}

/// The private half of an account.
#[derive(Clone)]
pub struct SigningKey {
    account: Account,
    key: Xpriv,
    secp: Secp256k1<SignOnly>,
}

impl SigningKey {
    /// Reads a key as the key file has it, with white space around it or not:
    ///
    /// - the seed of BIP 39, 64 bytes in hexadecimal, from which `m / purpose' / coin' / account'`
    ///   is derived;
    /// - an extended private key (`xprv`, `tprv`, or one of SLIP 132). One of depth 0 is a master
    ///   key and derived from in the same way; one of any other depth is the account itself.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn parse(
        text: &str,
        chain: &ChainParams,
        kind: ScriptKind,
        account: u32,
    ) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.len() == SEED_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            let seed = hex::decode(text).map_err(|_| KeyError::Malformed)?;
            let master = Xpriv::new_master(chain.keys, &seed).map_err(|_| KeyError::Derivation)?;
            return Self::below_master(&master, chain, kind, account);
        }
        if text.split_whitespace().nth(1).is_some() {
            return Err(KeyError::Words);
        }
        let (key, said) = match account::private_key(text, chain) {
            Ok(found) => found,
            Err(AccountError::Malformed) if text.get(1..4) == Some("pub") => {
                return Err(KeyError::Public);
            }
            Err(AccountError::Malformed) => return Err(KeyError::Malformed),
            Err(error) => return Err(error.into()),
        };
        if said.is_some_and(|said| said != kind) {
            return Err(KeyError::KindsDiffer);
        }
        if key.depth == 0 {
            return Self::below_master(&key, chain, kind, account);
        }
        Ok(Self::new(key, kind, None))
    }

    fn below_master(
        master: &Xpriv,
        chain: &ChainParams,
        kind: ScriptKind,
        account: u32,
    ) -> Result<Self, KeyError> {
        let secp = Secp256k1::signing_only();
        let level = ChildNumber::from_hardened_idx;
        let path = [
            level(kind.purpose()).map_err(refuse)?,
            level(chain.coin_type).map_err(refuse)?,
            level(account).map_err(refuse)?,
        ];
        let key = master.derive_priv(&secp, &path).map_err(refuse)?;
        let origin = Origin {
            fingerprint: master.fingerprint(&secp),
            path: DerivationPath::from(path.to_vec()),
        };
        Ok(Self::new(key, kind, Some(origin)))
    }

    fn new(key: Xpriv, kind: ScriptKind, origin: Option<Origin>) -> Self {
        let secp = Secp256k1::signing_only();
        let public = Xpub::from_priv(&secp, &key);
        Self {
            account: Account::new(kind, public, origin),
            key,
            secp,
        }
    }

    /// The public half.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Signs with the key at `account / branch / index`. The same message gets the same signature
    /// (RFC 6979), of at most 71 bytes with its hash type.
    ///
    /// # Errors
    /// [`KeyError::Account`] for an index of 2^31 or more.
    pub(crate) fn sign(
        &self,
        branch: Branch,
        index: u32,
        message: &Message,
    ) -> Result<(CompressedPublicKey, ecdsa::Signature), KeyError> {
        let path = account::below(branch, index)?;
        let key = self.key.derive_priv(&self.secp, &path).map_err(refuse)?;
        let signature = self.secp.sign_ecdsa_low_r(message, &key.private_key);
        Ok((Xpub::from_priv(&self.secp, &key).to_pub(), signature))
    }

    /// The key at `account / branch / index`, for signatures of another form.
    pub(crate) fn secret(&self, branch: Branch, index: u32) -> Result<SecretKey, KeyError> {
        let path = account::below(branch, index)?;
        let key = self.key.derive_priv(&self.secp, &path).map_err(refuse)?;
        Ok(key.private_key)
    }
}

/// Only a number out of range gets here, and what it says does not matter more than that.
fn refuse(_: bip32::Error) -> KeyError {
    KeyError::Derivation
}

/// Never shows the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chain::chain;
    use crate::samples::{self, SEED, bitcoin};

    const ACCOUNT: &str = "xprv9ybY78BftS5UGANki6oSifuQEjkpyAC8ZmBvBNTshQnCBcxnefjHS7buPMkkqhcRzmoGZ5bo\
                           kx7GuyDAiktd5HemohAU4wV1ZPMDRmLpBMm";
    const ACCOUNT_ZPRV: &str = "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nv\
                                gGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE";
    const MASTER: &str = "xprv9s21ZrQH143K3GJpoapnV8SFfukcVBSfeCficPSGfubmSFDxo1kuHnLisriDvSnRRuL2Qrg5\
                          ggqHKNVpxR86QEC8w35uxmGoggxtQTPvfUu";
    const FIRST: &str = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";

    fn parse(text: &str) -> Result<SigningKey, KeyError> {
        SigningKey::parse(text, bitcoin(), ScriptKind::P2wpkh, 0)
    }

    #[test]
    fn every_form_of_the_same_key_is_the_same_account() {
        for text in [SEED, ACCOUNT, ACCOUNT_ZPRV, MASTER] {
            let key = parse(&format!("{text}\n")).unwrap();
            assert_eq!(
                key.account().first_addresses(bitcoin(), 1).unwrap(),
                [FIRST]
            );
        }
        assert_eq!(
            parse(SEED).unwrap().account(),
            parse(MASTER).unwrap().account()
        );
        assert!(parse(ACCOUNT).unwrap().account().origin().is_none());
    }

    #[test]
    fn other_kinds_and_accounts_are_other_addresses() {
        let nested = samples::account(ScriptKind::P2shP2wpkh);
        assert_eq!(
            nested.first_addresses(bitcoin(), 1).unwrap(),
            ["37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf"]
        );
        let second = SigningKey::parse(SEED, bitcoin(), ScriptKind::P2wpkh, 1).unwrap();
        assert_ne!(
            second.account().first_addresses(bitcoin(), 1).unwrap(),
            [FIRST]
        );
    }

    #[test]
    fn what_cannot_sign_is_refused() {
        let words = "abandon abandon about";
        let public = parse(SEED).unwrap().account().key().to_string();
        let half = &SEED[..64];
        for (text, error) in [
            ("", KeyError::Malformed),
            (half, KeyError::Malformed),
            (words, KeyError::Words),
            (public.as_str(), KeyError::Public),
        ] {
            assert_eq!(parse(text).unwrap_err(), error);
        }
        let nested = SigningKey::parse(ACCOUNT_ZPRV, bitcoin(), ScriptKind::P2shP2wpkh, 0);
        assert_eq!(nested.unwrap_err(), KeyError::KindsDiffer);
        let regtest = chain("bitcoin-regtest").unwrap();
        assert!(matches!(
            SigningKey::parse(ACCOUNT, regtest, ScriptKind::P2wpkh, 0).unwrap_err(),
            KeyError::Account(AccountError::OtherNetwork { .. })
        ));
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", parse(SEED).unwrap()), "SigningKey(..)");
    }
}
