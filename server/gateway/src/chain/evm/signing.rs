//! Signatures over the hash of a transaction. Nothing here keeps a key.

use bitcoin::secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};

use super::account::Account;
use crate::{Error, Result};

/// A signature the signer's account can be found from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Whether the curve point behind `r` has an odd y.
    pub odd_y: bool,
    pub r: [u8; 32],
    /// In the lower half of its range: nodes refuse the other one (EIP-2).
    pub s: [u8; 32],
}

/// Signs a hash; the same key and hash give the same signature (RFC 6979).
///
/// # Errors
/// [`Error::Internal`] in the one case of 2^128 in which the signature has no short form; another
/// nonce or fee gives another hash.
pub fn sign(hash: [u8; 32], key: &SecretKey) -> Result<Signature> {
    let signed = Secp256k1::signing_only().sign_ecdsa_recoverable(&Message::from_digest(hash), key);
    let (id, compact) = signed.serialize_compact();
    let odd_y = match id.to_i32() {
        0 => false,
        1 => true,
        _ => {
            return Err(Error::Internal(
                "the signature has no short form".to_owned(),
            ));
        }
    };
    let (r, s) = compact.split_at(32);
    Ok(Signature {
        odd_y,
        r: r.try_into().map_err(Error::internal)?,
        s: s.try_into().map_err(Error::internal)?,
    })
}

/// The account that signed the hash; `None` when the signature is none.
pub fn signer(hash: [u8; 32], signature: &Signature) -> Option<Account> {
    let id = RecoveryId::from_i32(i32::from(signature.odd_y)).ok()?;
    let compact = [signature.r, signature.s].concat();
    let signed = RecoverableSignature::from_compact(&compact, id).ok()?;
    let key = Secp256k1::verification_only()
        .recover_ecdsa(&Message::from_digest(hash), &signed)
        .ok()?;
    Some(Account::of_key(&key))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sha3::{Digest, Keccak256};

    use super::super::rlp::List;
    use super::*;

    /// The example of EIP-155, which knows only the older kind of transaction.
    #[test]
    fn the_example_of_eip_155_comes_out() {
        let unsigned = |list: List| {
            list.number(9)
                .number(20_000_000_000)
                .number(21_000)
                .bytes(&[0x35; 20])
                .number(1_000_000_000_000_000_000)
                .bytes(&[])
        };
        let preimage = unsigned(List::new()).number(1).number(0).number(0).finish();
        assert_eq!(
            hex::encode(&preimage),
            "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080"
        );
        let hash: [u8; 32] = Keccak256::digest(&preimage).into();
        assert_eq!(
            hex::encode(hash),
            "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
        );
        let key = SecretKey::from_slice(&[0x46; 32]).unwrap();
        let signature = sign(hash, &key).unwrap();
        // 37 and 38 are the two signs of y on chain 1.
        let v = 37 + u128::from(signature.odd_y);
        let raw = unsigned(List::new())
            .number(v)
            .big_endian(&signature.r)
            .big_endian(&signature.s)
            .finish();
        assert_eq!(
            hex::encode(raw),
            "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025\
             a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\
             a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
        );
    }

    #[test]
    fn the_signer_is_found_from_the_signature() {
        let key = SecretKey::from_slice(&[0x46; 32]).unwrap();
        let expected: Account = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
            .parse()
            .unwrap();
        for byte in 0..32 {
            let signature = sign([byte; 32], &key).unwrap();
            assert_eq!(signer([byte; 32], &signature), Some(expected));
            assert_ne!(signer([byte + 1; 32], &signature), Some(expected));
        }
    }

    #[test]
    fn what_is_no_signature_has_no_signer() {
        let none = Signature {
            odd_y: false,
            r: [0; 32],
            s: [0; 32],
        };
        assert_eq!(signer([1; 32], &none), None);
        let beyond = Signature {
            r: [0xff; 32],
            ..none
        };
        assert_eq!(signer([1; 32], &beyond), None);
    }
}
