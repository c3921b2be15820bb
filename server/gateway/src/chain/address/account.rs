//! Deposit addresses of one coin, derived from its account's public key (BIP 32).
//!
//! The seed is used once, to reach the account level. What stays in memory can name every address
//! and spend from none.

use std::fmt;

use bitcoin::bip32::{self, ChildNumber, Xpriv, Xpub};
use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use thiserror::Error;

use super::coins::{AddressForm, CoinParams};
use super::script::Lock;
use super::{base58, cashaddr, evm, segwit};

/// Fourth level of BIP 44: addresses given to payers. Change would be 1.
const RECEIVING: u32 = 0;

/// The secret every key is derived from: the 512-bit seed of BIP 39.
pub struct Seed([u8; 64]);

impl Seed {
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
}

/// Never shows the seed.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// A key or address could not be made. Apart from an index of 2^31 or more, this has a probability
/// below 2^-127.
#[derive(Debug, Error)]
pub enum DerivationError {
    #[error("cannot derive the key")]
    Key(#[from] bip32::Error),
    #[error("cannot write the address")]
    Encoding(#[from] bech32::segwit::EncodeError),
}

/// One coin's account, public half only.
#[derive(Clone)]
pub struct AccountKey {
    coin: &'static CoinParams,
    account: Xpub,
    receiving: Xpub,
    secp: Secp256k1<VerifyOnly>,
}

impl AccountKey {
    /// Derives `m / purpose' / coin_type' / account'` and forgets the private keys on the way.
    pub fn from_seed(seed: &Seed, coin: &'static CoinParams) -> Result<Self, DerivationError> {
        let signing = Secp256k1::signing_only();
        let path = [
            ChildNumber::from_hardened_idx(coin.purpose)?,
            ChildNumber::from_hardened_idx(coin.coin_type)?,
            ChildNumber::from_hardened_idx(coin.account)?,
        ];
        let private = Xpriv::new_master(coin.network, &seed.0)?.derive_priv(&signing, &path)?;
        Self::from_xpub(Xpub::from_priv(&signing, &private), coin)
    }

    /// The account somebody else has the private key of.
    ///
    /// # Errors
    /// See [`DerivationError`].
    pub fn from_xpub(account: Xpub, coin: &'static CoinParams) -> Result<Self, DerivationError> {
        let secp = Secp256k1::verification_only();
        let receiving = account.ckd_pub(&secp, ChildNumber::from_normal_idx(RECEIVING)?)?;
        Ok(Self {
            coin,
            account,
            receiving,
            secp,
        })
    }

    /// The key of the account level.
    pub const fn account(&self) -> &Xpub {
        &self.account
    }

    pub const fn coin(&self) -> &'static CoinParams {
        self.coin
    }

    /// The account's extended public key as BIP 32 writes it (`xpub…`, `tpub…`), whatever the coin.
    pub fn xpub(&self) -> String {
        self.account.to_string()
    }

    /// The canonical address at `account / 0 / index`.
    ///
    /// # Errors
    /// [`DerivationError::Key`] when `index` is 2^31 or more.
    pub fn address(&self, index: u32) -> Result<String, DerivationError> {
        let child = ChildNumber::from_normal_idx(index)?;
        let key = self.receiving.ckd_pub(&self.secp, child)?.to_pub();
        Ok(match &self.coin.form {
            AddressForm::Segwit { hrp, .. } => {
                segwit::encode_v0(hrp, &key.wpubkey_hash().to_byte_array())?
            }
            AddressForm::CashAddr { prefix, .. } => {
                cashaddr::encode(prefix, &Lock::PubkeyHash(key.pubkey_hash().to_byte_array()))
            }
            AddressForm::Base58(versions) => {
                base58::encode(versions.pubkey_hash, &key.pubkey_hash().to_byte_array())
            }
            AddressForm::Eip55 => evm::encode(&evm::account(&key.0)),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chain::address::{COINS, guess_coin, params, parse_address};

    /// The seed of BIP 84's test vectors: `abandon` eleven times, `about`, no passphrase.
    fn seed() -> Seed {
        let bytes = hex::decode(concat!(
            "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1",
            "9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4",
        ));
        Seed::new(bytes.unwrap().try_into().unwrap())
    }

    fn account(code: &str) -> AccountKey {
        AccountKey::from_seed(&seed(), params(code).unwrap()).unwrap()
    }

    /// BTC is BIP 84's own vector, with its zpub written as an xpub; the others were computed by
    /// an independent implementation.
    #[test]
    fn addresses_of_the_bip_84_seed() {
        for (code, index, address) in [
            ("BTC", 0, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
            ("BTC", 1, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
            ("tBTC", 0, "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl"),
            ("tBTC", 1, "tb1qd7spv5q28348xl4myc8zmh983w5jx32cjhkn97"),
            ("LTC", 0, "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh"),
            ("LTC", 1, "ltc1qwlezpr3890hcp6vva9twqh27mr6edadreqvhnn"),
            (
                "BCH",
                0,
                "bitcoincash:qqyx49mu0kkn9ftfj6hje6g2wfer34yfnq5tahq3q6",
            ),
            (
                "BCH",
                1,
                "bitcoincash:qp8sfdhgjlq68hlzka9lcsxtcnvuvnd0xqxugfzzc5",
            ),
            ("ETH", 0, "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"),
            ("ETH", 1, "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0"),
            ("USDT", 0, "0x78839F6054d7ed13918bAe0473BA31b1Ca9D7265"),
            ("USDT", 1, "0x61C1a3DD47433e58033cc812E520C0fFd9007198"),
        ] {
            assert_eq!(
                account(code).address(index).unwrap(),
                address,
                "{code}/{index}"
            );
        }
    }

    #[test]
    fn account_keys_of_the_bip_84_seed() {
        for (code, xpub) in [
            (
                "BTC",
                "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcML\
                 oP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V",
            ),
            (
                "tBTC",
                "tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxy\
                 sQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M",
            ),
            (
                "ETH",
                "xpub6DCoCpSuQZB2jawqnGMEPS63ePKWkwWPH4TU45Q7LPXWuNd8TMtVxRrgjtEshuqpK3mdhaWHP\
                 FsBngh5GFZaM6si3yZdUsT8ddYM3PwnATt",
            ),
        ] {
            assert_eq!(account(code).xpub(), xpub, "{code}");
        }
    }

    #[test]
    fn a_derived_address_reads_back_as_itself() {
        for coin in &COINS {
            let key = AccountKey::from_seed(&seed(), coin).unwrap();
            for index in [0, 7, 0x7fff_ffff] {
                let text = key.address(index).unwrap();
                assert_eq!(parse_address(coin, &text).unwrap().canonical, text);
                let guessed = guess_coin(&text).unwrap().code;
                assert_eq!(
                    guessed,
                    if coin.code == "USDT" {
                        "ETH"
                    } else {
                        coin.code
                    }
                );
            }
        }
    }

    #[test]
    fn a_hardened_index_cannot_be_derived() {
        for coin in &COINS {
            let key = AccountKey::from_seed(&seed(), coin).unwrap();
            assert!(matches!(
                key.address(0x8000_0000),
                Err(DerivationError::Key(_))
            ));
        }
    }

    #[test]
    fn a_seed_is_not_printed() {
        assert_eq!(format!("{:?}", seed()), "Seed(..)");
    }
}
