//! Transactions with a fee market (EIP-1559): what is hashed, signed and sent.
//!
//! Invariant: every number is given by the caller. Nothing here asks a node or looks for a key.

use bitcoin::secp256k1::SecretKey;
use sha3::{Digest, Keccak256};

use super::account::Account;
use super::rlp::List;
use super::signing::{Signature, sign};
use super::{broadcast, erc20};
use crate::Result;
use crate::chain::backend::SignedTx;

/// Its number among the kinds of transactions (EIP-2718).
const KIND: u8 = 2;

/// What moving ether between plain accounts costs, always.
pub const GAS_OF_ETHER: u64 = 21_000;

/// Place in the sender's order, and what it may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub chain_id: u64,
    /// Transactions of the sender before this one; two with the same number exclude each other.
    pub nonce: u64,
    pub gas_limit: u64,
    /// Wei for each unit of gas at most, the tip included.
    pub max_fee_per_gas: u128,
    /// Of these, wei for whoever makes the block.
    pub max_priority_fee_per_gas: u128,
}

/// A transaction before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    terms: Terms,
    to: Account,
    /// Wei.
    value: u128,
    data: Vec<u8>,
}

impl Transaction {
    /// Moves `value` wei.
    pub fn ether(terms: Terms, to: Account, value: u128) -> Self {
        Self {
            terms,
            to,
            value,
            data: Vec::new(),
        }
    }

    /// Moves `units` of the token of `contract`.
    pub fn token(terms: Terms, contract: Account, to: Account, units: u128) -> Self {
        Self {
            terms,
            to: contract,
            value: 0,
            data: erc20::transfer(to, units),
        }
    }

    /// Wei the sender needs: value and the dearest gas. `None` above 2^128 − 1.
    pub fn cost_max(&self) -> Option<u128> {
        u128::from(self.terms.gas_limit)
            .checked_mul(self.terms.max_fee_per_gas)?
            .checked_add(self.value)
    }

    /// What is signed.
    pub fn signing_hash(&self) -> [u8; 32] {
        Keccak256::digest(with_kind(self.fields())).into()
    }

    /// What is sent.
    pub fn raw(&self, signature: &Signature) -> Vec<u8> {
        with_kind(
            self.fields()
                .number(u128::from(signature.odd_y))
                .big_endian(&signature.r)
                .big_endian(&signature.s),
        )
    }

    /// The whole transaction, ready to be sent. Only for those who hold a key.
    ///
    /// # Errors
    /// As for [`sign`].
    pub fn sign(&self, key: &SecretKey) -> Result<SignedTx> {
        let raw = self.raw(&sign(self.signing_hash(), key)?);
        Ok(SignedTx {
            txid: broadcast::txid(&raw),
            raw,
        })
    }

    fn fields(&self) -> List {
        List::new()
            .number(u128::from(self.terms.chain_id))
            .number(u128::from(self.terms.nonce))
            .number(self.terms.max_priority_fee_per_gas)
            .number(self.terms.max_fee_per_gas)
            .number(u128::from(self.terms.gas_limit))
            .bytes(&self.to.0)
            .number(self.value)
            .bytes(&self.data)
            // No storage is announced beforehand.
            .list(List::new())
    }
}

fn with_kind(fields: List) -> Vec<u8> {
    let mut bytes = vec![KIND];
    bytes.extend(fields.finish());
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::signing::signer;
    use super::*;

    fn key() -> SecretKey {
        SecretKey::from_slice(&[0x46; 32]).unwrap()
    }

    #[track_caller]
    fn check(transaction: &Transaction, hash: &str, txid: &str, raw: &str) {
        assert_eq!(hex::encode(transaction.signing_hash()), hash);
        let signed = transaction.sign(&key()).unwrap();
        assert_eq!(hex::encode(&signed.raw), raw);
        assert_eq!(signed.txid, txid);
    }

    // The expected bytes of both were made with ethers 6.

    #[test]
    fn ether_is_moved_as_another_implementation_does_it() {
        let terms = Terms {
            chain_id: 1,
            nonce: 9,
            gas_limit: GAS_OF_ETHER,
            max_fee_per_gas: 30_000_000_000,
            max_priority_fee_per_gas: 1_500_000_000,
        };
        check(
            &Transaction::ether(terms, Account([0x35; 20]), 1_000_000_000_000_000_000),
            "b6d5fd62e3a62df7b38773c31edc4e889e055257a8fcfb64d40d33adb6ad5273",
            "0x0c6562f4b2ad1075caf65fa1537f143d80c982607279c0a76900142ffea8ad85",
            "02f87301098459682f008506fc23ac00825208943535353535353535353535353535353535353535880de0b6\
             b3a764000080c001a053d7eae6224bc2e855439bd276c8d14bc1315b41cc4a65b7bfa948a9aa7fb4cba01072\
             44aa695014ff68200481a1c8673c1286a96d8e30057b49b628a69373e363",
        );
    }

    #[test]
    fn tokens_are_moved_as_another_implementation_does_it() {
        let terms = Terms {
            chain_id: 11_155_111,
            nonce: 0,
            gas_limit: 65_000,
            max_fee_per_gas: 1,
            max_priority_fee_per_gas: 0,
        };
        let contract = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
            .parse()
            .unwrap();
        let to = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
            .parse()
            .unwrap();
        check(
            &Transaction::token(terms, contract, to, 1_500_000),
            "c3b7f51907cce3d87fc445b3c96c8e4e1e3c7f49856075ada0dc286e647bff20",
            "0xd7bd31a9fbc11ce2a02927b45c001c7a9bb041ff96a13e231d8eac1fb0d25ce9",
            "02f8aa83aa36a780800182fde894dac17f958d2ee523a2206206994597c13d831ec780b844a9059cbb000000\
             00000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8000000000000000000000000000000\
             000000000000000000000000000016e360c001a03efe3d0e0af65ad9666b22f984de52ae72affe30e513c29c\
             7f06961bb95044bea02d5a25dfcdae9dcaa449ee22e06ff65b62d84b2056a9096a28c6da4e9ed8dc82",
        );
    }

    #[test]
    fn the_hash_covers_every_number() {
        let terms = Terms {
            chain_id: 1,
            nonce: 2,
            gas_limit: 3,
            max_fee_per_gas: 5,
            max_priority_fee_per_gas: 4,
        };
        let (contract, to) = (Account([6; 20]), Account([7; 20]));
        let variants = [
            Transaction::token(terms, contract, to, 8),
            Transaction::token(terms, contract, to, 9),
            Transaction::token(terms, contract, contract, 8),
            Transaction::token(terms, to, to, 8),
            Transaction::ether(terms, to, 8),
            Transaction::token(
                Terms {
                    chain_id: 2,
                    ..terms
                },
                contract,
                to,
                8,
            ),
            Transaction::token(Terms { nonce: 3, ..terms }, contract, to, 8),
            Transaction::token(
                Terms {
                    gas_limit: 4,
                    ..terms
                },
                contract,
                to,
                8,
            ),
            Transaction::token(
                Terms {
                    max_fee_per_gas: 6,
                    ..terms
                },
                contract,
                to,
                8,
            ),
            Transaction::token(
                Terms {
                    max_priority_fee_per_gas: 5,
                    ..terms
                },
                contract,
                to,
                8,
            ),
        ];
        let hashes: std::collections::BTreeSet<[u8; 32]> =
            variants.iter().map(Transaction::signing_hash).collect();
        assert_eq!(hashes.len(), variants.len());
        let signature = sign(variants[0].signing_hash(), &key()).unwrap();
        let sender = signer(variants[0].signing_hash(), &signature);
        assert_ne!(signer(variants[1].signing_hash(), &signature), sender);
    }

    #[test]
    fn the_cost_is_known_or_too_large() {
        let mut terms = Terms {
            chain_id: 1,
            nonce: 0,
            gas_limit: 21_000,
            max_fee_per_gas: 2,
            max_priority_fee_per_gas: 1,
        };
        let to = Account([1; 20]);
        assert_eq!(Transaction::ether(terms, to, 5).cost_max(), Some(42_005));
        assert_eq!(Transaction::ether(terms, to, u128::MAX).cost_max(), None);
        terms.max_fee_per_gas = u128::MAX;
        assert_eq!(Transaction::ether(terms, to, 0).cost_max(), None);
    }
}
