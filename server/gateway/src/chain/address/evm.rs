//! Accounts of EVM chains: 20 bytes in hexadecimal, whose letter case is the checksum (EIP-55).

use bitcoin::secp256k1::PublicKey;
use sha3::{Digest, Keccak256};

use super::{Address, AddressError, is_mixed_case};

const ACCOUNT_BYTES: usize = 20;

/// The account a public key controls: the end of the Keccak-256 of its uncompressed point.
pub(crate) fn account(key: &PublicKey) -> [u8; ACCOUNT_BYTES] {
    // The first byte says "uncompressed" and is no part of the point.
    let hash = Keccak256::digest(&key.serialize_uncompressed()[1..]);
    let mut account = [0; ACCOUNT_BYTES];
    account.copy_from_slice(&hash[hash.len() - ACCOUNT_BYTES..]);
    account
}

/// Writes an account with the checksum of EIP-55.
pub(crate) fn encode(account: &[u8; ACCOUNT_BYTES]) -> String {
    let digits = hex::encode(account);
    let check = hex::encode(Keccak256::digest(digits.as_bytes()));
    let cased = digits
        .chars()
        .zip(check.chars())
        .map(|(digit, check)| match check {
            '8'..='9' | 'a'..='f' => digit.to_ascii_uppercase(),
            _ => digit,
        });
    "0x".chars().chain(cased).collect()
}

/// Reads `0x` and 40 digits. Digits all in one case carry no checksum and are taken as they are.
pub(crate) fn parse(text: &str) -> Result<Address, AddressError> {
    let digits = text.strip_prefix("0x").ok_or(AddressError::Malformed)?;
    let mut account = [0; ACCOUNT_BYTES];
    hex::decode_to_slice(digits, &mut account).map_err(|_| AddressError::Malformed)?;
    let canonical = encode(&account);
    if is_mixed_case(digits) && canonical != text {
        return Err(AddressError::Checksum);
    }
    Ok(Address {
        canonical,
        script: account.to_vec(),
    })
}
