//! Transactions with a fee market (EIP-1559): what is hashed, signed, sent and read back.

use bitcoin::secp256k1::ecdsa::{self, RecoverableSignature, RecoveryId};
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};
use thiserror::Error;

use super::account::Account;
use super::rlp;

/// Its number among the kinds of transactions (EIP-2718).
const KIND: u8 = 2;
/// `transfer(address,uint256)`.
const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
/// Fields before the signature, as they are called, in their order.
const FIELDS: [&str; 9] = [
    "chain id",
    "nonce",
    "priority fee",
    "largest fee",
    "gas limit",
    "receiver",
    "value",
    "data",
    "access list",
];

/// A transaction before it is signed. Two of one account with the same nonce exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// Of the only network it is for (EIP-155).
    pub chain_id: u64,
    /// Transactions of the sender before this one.
    pub nonce: u64,
    pub gas_limit: u64,
    /// Wei for each unit of gas at most, the priority fee included.
    #[serde(with = "decimal")]
    pub max_fee_per_gas: u128,
    /// Of these, wei for whoever makes the block.
    #[serde(with = "decimal")]
    pub max_priority_fee_per_gas: u128,
    pub to: Account,
    /// Wei.
    #[serde(with = "decimal")]
    pub value: u128,
    #[serde(with = "digits")]
    pub data: Vec<u8>,
}

/// What a transaction does, read out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    Ether {
        to: Account,
        wei: u128,
    },
    Token {
        contract: Account,
        to: Account,
        /// Token units.
        units: u128,
    },
}

/// Why bytes are not the signed form of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Mismatch {
    #[error("this is no signed transaction of the kind that was planned (EIP-1559)")]
    Form,
    #[error("its {0} is another one than planned")]
    Field(&'static str),
    #[error("its signature is none")]
    Signature,
    #[error("it is signed by {0}, not by the account that pays")]
    Signer(Account),
}

impl Transaction {
    /// `data` that moves `units` tokens to `to`.
    pub fn transfer_data(to: Account, units: u128) -> Vec<u8> {
        let mut data = TRANSFER.to_vec();
        data.extend_from_slice(&[0; 12]);
        data.extend_from_slice(&to.0);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&units.to_be_bytes());
        data
    }

    /// What it does; `None` for anything but moving ether without data, or tokens without ether.
    pub fn paid(&self) -> Option<Paid> {
        if self.data.is_empty() {
            return Some(Paid::Ether {
                to: self.to,
                wei: self.value,
            });
        }
        let data: &[u8; 68] = self.data.as_slice().try_into().ok()?;
        let (to, units) = (data.get(16..36)?, data.get(52..68)?);
        let to = Account(to.try_into().ok()?);
        let units = u128::from_be_bytes(units.try_into().ok()?);
        let is_plain = self.value == 0 && self.data == Self::transfer_data(to, units);
        is_plain.then_some(Paid::Token {
            contract: self.to,
            to,
            units,
        })
    }

    /// Wei for gas at most; `None` above 2^128 − 1.
    pub fn fee_max(&self) -> Option<u128> {
        u128::from(self.gas_limit).checked_mul(self.max_fee_per_gas)
    }

    /// What is signed.
    pub fn signing_hash(&self) -> [u8; 32] {
        Keccak256::digest(self.unsigned()).into()
    }

    /// The bytes whose hash is signed, as wallets take them.
    pub fn unsigned(&self) -> Vec<u8> {
        with_kind(&self.fields())
    }

    /// Signs it; the same key gives the same bytes (RFC 6979). Answers what is sent, and its id.
    ///
    /// # Errors
    /// [`Mismatch::Signature`] in the one case of 2^128 in which the signature has no short form; another
    /// fee gives another hash.
    pub fn sign(&self, key: &SecretKey) -> Result<(Vec<u8>, String), Mismatch> {
        let message = Message::from_digest(self.signing_hash());
        let signed = Secp256k1::signing_only().sign_ecdsa_recoverable(&message, key);
        let (id, compact) = signed.serialize_compact();
        let odd = match id.to_i32() {
            0 => false,
            1 => true,
            _ => return Err(Mismatch::Signature),
        };
        let raw = self.raw(odd, &compact);
        let txid = txid(&raw);
        Ok((raw, txid))
    }

    /// Whether `raw` is this transaction to the last byte, signed by `payer`. Answers its id.
    ///
    /// # Errors
    /// See [`Mismatch`].
    pub fn check_signed(&self, raw: &[u8], payer: Account) -> Result<String, Mismatch> {
        let (kind, list) = raw.split_first().ok_or(Mismatch::Form)?;
        let items = rlp::items(list).ok_or(Mismatch::Form)?;
        if *kind != KIND || items.len() != FIELDS.len() + 3 {
            return Err(Mismatch::Form);
        }
        let unsigned = rlp::list(&self.fields());
        let planned = rlp::items(&unsigned).ok_or(Mismatch::Form)?;
        for ((&name, planned), found) in FIELDS.iter().zip(planned).zip(&items) {
            if planned != *found {
                return Err(Mismatch::Field(name));
            }
        }
        let [odd, r, s] = items.get(FIELDS.len()..).unwrap_or_default() else {
            return Err(Mismatch::Form);
        };
        let odd = match odd {
            [] => false,
            [1] => true,
            _ => return Err(Mismatch::Signature),
        };
        let mut compact = [0; 64];
        for (place, part) in [(32, r), (64, s)] {
            let start = place - part.len().min(32);
            let Some(to) = compact.get_mut(start..place).filter(|_| part.len() <= 32) else {
                return Err(Mismatch::Signature);
            };
            to.copy_from_slice(part);
        }
        // Nothing but what was read: a number has no leading zeros, a list no other length.
        if self.raw(odd, &compact) != raw {
            return Err(Mismatch::Form);
        }
        let signer = signer(self.signing_hash(), odd, &compact).ok_or(Mismatch::Signature)?;
        if signer != payer {
            return Err(Mismatch::Signer(signer));
        }
        Ok(txid(raw))
    }

    fn raw(&self, odd: bool, compact: &[u8; 64]) -> Vec<u8> {
        let mut fields = self.fields();
        rlp::push_number(&mut fields, &[u8::from(odd)]);
        rlp::push_number(&mut fields, &compact[..32]);
        rlp::push_number(&mut fields, &compact[32..]);
        with_kind(&fields)
    }

    fn fields(&self) -> Vec<u8> {
        let mut out = Vec::new();
        rlp::push_number(&mut out, &self.chain_id.to_be_bytes());
        rlp::push_number(&mut out, &self.nonce.to_be_bytes());
        rlp::push_number(&mut out, &self.max_priority_fee_per_gas.to_be_bytes());
        rlp::push_number(&mut out, &self.max_fee_per_gas.to_be_bytes());
        rlp::push_number(&mut out, &self.gas_limit.to_be_bytes());
        rlp::push_bytes(&mut out, &self.to.0);
        rlp::push_number(&mut out, &self.value.to_be_bytes());
        rlp::push_bytes(&mut out, &self.data);
        // No storage is announced beforehand.
        out.extend(rlp::list(&[]));
        out
    }
}

/// The id of a signed transaction, as nodes show it.
fn txid(raw: &[u8]) -> String {
    format!("0x{}", hex::encode(Keccak256::digest(raw)))
}

fn with_kind(fields: &[u8]) -> Vec<u8> {
    let mut bytes = vec![KIND];
    bytes.extend(rlp::list(fields));
    bytes
}

/// The account that signed; `None` when the signature is none, or is one that nodes refuse (EIP-2).
fn signer(hash: [u8; 32], odd: bool, compact: &[u8; 64]) -> Option<Account> {
    let plain = ecdsa::Signature::from_compact(compact).ok()?;
    let mut low = plain;
    low.normalize_s();
    if low != plain {
        return None;
    }
    let id = RecoveryId::from_i32(i32::from(odd)).ok()?;
    let signed = RecoverableSignature::from_compact(compact, id).ok()?;
    let key = Secp256k1::verification_only()
        .recover_ecdsa(&Message::from_digest(hash), &signed)
        .ok()?;
    Some(Account::of_key(&key))
}

/// Numbers as text: JSON's own are read with less than 128 bits by many.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(number: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        let text = String::deserialize(from)?;
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(D::Error::custom("not a whole number"));
        }
        text.parse().map_err(D::Error::custom)
    }
}

/// Bytes as hexadecimal after `0x`.
mod digits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("0x{}", hex::encode(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let digits = text
            .strip_prefix("0x")
            .ok_or_else(|| D::Error::custom("not 0x and hexadecimal"))?;
        hex::decode(digits).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "transaction_tests.rs"]
mod tests;
