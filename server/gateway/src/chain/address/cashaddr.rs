//! CashAddr, the address form of Bitcoin Cash: a prefix, and a version byte with a hash in base 32
//! protected by a 40-bit BCH code that finds up to six wrong characters.

use std::iter;

use super::script::Lock;
use super::{AddressError, is_mixed_case};

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM_CHARS: usize = 8;

/// Version bytes: the kind of hash in bits 3 to 6, its length in bits 0 to 2. Token-aware kinds
/// are not among them.
const PUBKEY_HASH: u8 = 0x00;
const SCRIPT_HASH: u8 = 0x08;
const SCRIPT_HASH_32: u8 = 0x0b;

/// Writes the address in lower case with its prefix.
pub(super) fn encode(prefix: &str, lock: &Lock) -> String {
    let (version, hash) = match lock {
        Lock::PubkeyHash(hash) => (PUBKEY_HASH, hash.as_slice()),
        Lock::ScriptHash(hash) => (SCRIPT_HASH, hash.as_slice()),
        Lock::ScriptHash32(hash) => (SCRIPT_HASH_32, hash.as_slice()),
    };
    let mut values = to_base32(iter::once(version).chain(hash.iter().copied()));
    let unchecked = prefix_values(prefix).chain(values.iter().copied());
    let checksum = polymod(unchecked.chain([0; CHECKSUM_CHARS]));
    values.extend(
        (0..CHECKSUM_CHARS)
            .rev()
            .map(|place| (checksum >> (5 * place)) as u8 & 0x1f),
    );
    let payload = values
        .iter()
        .map(|value| char::from(CHARSET[usize::from(*value)]));
    prefix.chars().chain([':']).chain(payload).collect()
}

/// Reads an address with or without its prefix, which the checksum covers either way.
pub(super) fn parse(text: &str, prefix: &str) -> Result<Lock, AddressError> {
    if is_mixed_case(text) {
        return Err(AddressError::MixedCase);
    }
    let text = text.to_ascii_lowercase();
    let payload = match text.split_once(':') {
        Some((head, payload)) if head == prefix => payload,
        Some(_) => return Err(AddressError::OtherCoin),
        None => text.as_str(),
    };
    let values: Option<Vec<u8>> = payload.bytes().map(value_of).collect();
    let values = values.ok_or(AddressError::Malformed)?;
    let length = values
        .len()
        .checked_sub(CHECKSUM_CHARS)
        .ok_or(AddressError::Malformed)?;
    if polymod(prefix_values(prefix).chain(values.iter().copied())) != 0 {
        return Err(AddressError::Checksum);
    }
    let bytes = from_base32(&values[..length]).ok_or(AddressError::Malformed)?;
    let (version, hash) = bytes.split_first().ok_or(AddressError::Malformed)?;
    let lock = match *version {
        PUBKEY_HASH => <[u8; 20]>::try_from(hash).map(Lock::PubkeyHash),
        SCRIPT_HASH => <[u8; 20]>::try_from(hash).map(Lock::ScriptHash),
        SCRIPT_HASH_32 => <[u8; 32]>::try_from(hash).map(Lock::ScriptHash32),
        _ => return Err(AddressError::Unsupported),
    };
    lock.map_err(|_| AddressError::Malformed)
}

fn value_of(character: u8) -> Option<u8> {
    let place = CHARSET.iter().position(|known| *known == character)?;
    u8::try_from(place).ok()
}

/// The prefix as the checksum sees it: the low five bits of each letter, then a zero.
fn prefix_values(prefix: &str) -> impl Iterator<Item = u8> {
    prefix.bytes().map(|letter| letter & 0x1f).chain([0])
}

/// The remainder of the values, read as a polynomial over GF(32), by the code's generator.
fn polymod(values: impl Iterator<Item = u8>) -> u64 {
    const GENERATOR: [u64; 5] = [
        0x98_f2bc_8e61,
        0x79_b76d_99e2,
        0xf3_3e5f_b3c4,
        0xae_2eab_e2a8,
        0x1e_4f43_e470,
    ];
    let mut remainder: u64 = 1;
    for value in values {
        let top = remainder >> 35;
        remainder = ((remainder & 0x07_ffff_ffff) << 5) ^ u64::from(value);
        for (bit, term) in GENERATOR.iter().enumerate() {
            if (top >> bit) & 1 == 1 {
                remainder ^= term;
            }
        }
    }
    remainder ^ 1
}

/// Regroups bytes into values of five bits; the last is filled up with zero bits.
fn to_base32(bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut values = Vec::new();
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        buffer = ((buffer << 8) | u32::from(byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            values.push((buffer >> bits) as u8 & 0x1f);
        }
    }
    if bits > 0 {
        values.push((buffer << (5 - bits)) as u8 & 0x1f);
    }
    values
}

/// Regroups values of five bits into bytes; `None` unless what is left over is zero filling.
fn from_base32(values: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(values.len() * 5 / 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for value in values {
        buffer = ((buffer << 5) | u32::from(*value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
        }
    }
    (bits < 5 && buffer & ((1 << bits) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hash<const N: usize>(digits: &str) -> [u8; N] {
        hex::decode(digits).unwrap().try_into().unwrap()
    }

    /// Hashes and addresses of the CashAddr specification, and one 32-byte hash of its list as the
    /// P2SH32 that came later, computed by an independent implementation.
    #[test]
    fn vectors_of_the_specification() {
        for (lock, address) in [
            (
                Lock::PubkeyHash(hash("76a04053bda0a88bda5177b86a15c3b29f559873")),
                "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
            ),
            (
                Lock::PubkeyHash(hash("cb481232299cd5743151ac4b2d63ae198e7bb0a9")),
                "bitcoincash:qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy",
            ),
            (
                Lock::PubkeyHash(hash("f5bf48b397dae70be82b3cca4793f8eb2b6cdac9")),
                "bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2",
            ),
            (
                Lock::ScriptHash(hash("011f28e473c95f4013d7d53ec5fbc3b42df8ed10")),
                "bitcoincash:pqq3728yw0y47sqn6l2na30mcw6zm78dzq5ucqzc37",
            ),
            (
                Lock::ScriptHash32(hash(
                    "3173ef6623c6b48ffd1a3dcc0cc6489b0a07bb47a37f47cfef4fe69de825c060",
                )),
                "bitcoincash:pvch8mmxy0rtfrlarg7ucrxxfzds5pamg73h7370aa87d80gyhqxqaw3dsfwg",
            ),
        ] {
            assert_eq!(encode("bitcoincash", &lock), address);
            assert_eq!(parse(address, "bitcoincash"), Ok(lock));
        }
        let test_network = Lock::ScriptHash(hash("f5bf48b397dae70be82b3cca4793f8eb2b6cdac9"));
        let address = "bchtest:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t";
        assert_eq!(encode("bchtest", &test_network), address);
        assert_eq!(parse(address, "bitcoincash"), Err(AddressError::OtherCoin));
        let (_, bare) = address.split_once(':').unwrap();
        assert_eq!(parse(bare, "bitcoincash"), Err(AddressError::Checksum));
    }

    #[test]
    fn other_kinds_of_output_are_refused() {
        for (address, error) in [
            // Token-aware P2PKH, and 32 bytes that are not a script's hash.
            (
                "zr6m7j9njldwwzlg9v7v53unlr4jkmx6eycnjehshe",
                AddressError::Unsupported,
            ),
            (
                "qvch8mmxy0rtfrlarg7ucrxxfzds5pamg73h7370aa87d80gyhqxq5nlegake",
                AddressError::Unsupported,
            ),
            ("", AddressError::Malformed),
            ("qqqqqqq", AddressError::Malformed),
        ] {
            assert_eq!(parse(address, "bitcoincash"), Err(error), "{address}");
        }
    }

    #[test]
    fn filling_bits_are_zero_and_fewer_than_a_character() {
        let bytes = [0x00, 0xff, 0x31];
        let values = to_base32(bytes.into_iter());
        assert_eq!(from_base32(&values).unwrap(), bytes);
        let mut filled = values.clone();
        *filled.last_mut().unwrap() |= 1;
        assert_eq!(from_base32(&filled), None);
        let mut longer = values;
        longer.push(0);
        assert_eq!(from_base32(&longer), None);
    }
}
