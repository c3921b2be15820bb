//! Base58Check addresses: a version byte, a 20-byte hash, four bytes of checksum.

use bs58::decode::Error;

use super::AddressError;
use super::coins::Base58Versions;
use super::script::Lock;

/// Longest text of 25 bytes. Decoding takes quadratic time, so longer ones are not tried.
const LENGTH_MAX: usize = 35;

/// Reads an address with one of `versions`: its lock, and its text with the version now written.
pub(super) fn parse(text: &str, versions: &Base58Versions) -> Result<(Lock, String), AddressError> {
    if text.len() > LENGTH_MAX {
        return Err(AddressError::Malformed);
    }
    let payload = bs58::decode(text)
        .with_check(None)
        .into_vec()
        .map_err(|error| match error {
            Error::InvalidChecksum { .. } => AddressError::Checksum,
            _ => AddressError::Malformed,
        })?;
    let (version, hash) = payload.split_first().ok_or(AddressError::Malformed)?;
    let hash: [u8; 20] = hash.try_into().map_err(|_| AddressError::Malformed)?;
    if *version == versions.pubkey_hash {
        Ok((Lock::PubkeyHash(hash), encode(*version, &hash)))
    } else if versions.script_hash.contains(version) {
        let written = versions.script_hash.first().unwrap_or(version);
        Ok((Lock::ScriptHash(hash), encode(*written, &hash)))
    } else {
        Err(AddressError::OtherCoin)
    }
}

impl Base58Versions {
    /// What every address of a key begins with; it may be nothing.
    pub(crate) fn start(&self) -> String {
        let [least, most] = [0x00, 0xff].map(|byte| encode(self.pubkey_hash, &[byte; 20]));
        let both = least.chars().zip(most.chars());
        both.take_while(|(one, other)| one == other)
            .map(|(letter, _)| letter)
            .collect()
    }
}

pub(super) fn encode(version: u8, hash: &[u8; 20]) -> String {
    let mut payload = vec![version];
    payload.extend_from_slice(hash);
    bs58::encode(payload).with_check().into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_keys_begin_alike_or_not() {
        for (pubkey_hash, start) in [(0x00, "1"), (0x1e, "D"), (0x30, "L"), (0x6f, "")] {
            let versions = Base58Versions {
                pubkey_hash,
                script_hash: &[0x05],
            };
            assert_eq!(versions.start(), start);
        }
    }
}
