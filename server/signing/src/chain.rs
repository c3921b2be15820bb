//! What differs between the chains of the Bitcoin family when coins are spent, as data.
//!
//! Invariant: a destination is only written or read in the form of its own chain. Bitcoin Cash is
//! not here: it signs differently.

use bitcoin::bech32::{self, Hrp};
use bitcoin::hashes::Hash as _;
use bitcoin::{
    NetworkKind, PubkeyHash, Script, ScriptBuf, ScriptHash, WitnessProgram, WitnessVersion, base58,
};
use thiserror::Error;

/// Longest text looked at (BIP 173).
const ADDRESS_LENGTH_MAX: usize = 90;

/// One network of one coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainParams {
    /// What settings and the policy of the signer call it.
    pub name: &'static str,
    /// Human-readable part of segwit addresses.
    pub hrp: &'static str,
    /// Version byte of base58 addresses of a key.
    pub pubkey_hash: u8,
    /// Version bytes of base58 addresses of a script. The first is written, all are read.
    pub script_hash: &'static [u8],
    /// Decides between `xpub` and `tpub`.
    pub keys: NetworkKind,
    /// Second level of the derivation path, hardened (SLIP 44).
    pub coin_type: u32,
    /// The rate that spending an output is valued at when nodes ask whether it is dust, in satoshis
    /// for 1000 virtual bytes; a multiple of 4.
    pub dust_relay: u64,
}

/// Every chain. Test networks of a coin that write their addresses alike have rows of their own, so
/// that settings name the network they mean.
pub static CHAINS: [ChainParams; 8] = [
    ChainParams {
        name: "bitcoin",
        hrp: "bc",
        pubkey_hash: 0x00,
        script_hash: &[0x05],
        keys: NetworkKind::Main,
        coin_type: 0,
        dust_relay: 3_000,
    },
    bitcoin_test("bitcoin-testnet4", "tb"),
    bitcoin_test("bitcoin-testnet3", "tb"),
    bitcoin_test("bitcoin-signet", "tb"),
    bitcoin_test("bitcoin-regtest", "bcrt"),
    ChainParams {
        name: "litecoin",
        hrp: "ltc",
        pubkey_hash: 0x30,
        // 0x05 is Bitcoin's `3…`, which Litecoin wrote before `M…`.
        script_hash: &[0x32, 0x05],
        keys: NetworkKind::Main,
        coin_type: 2,
        dust_relay: 30_000,
    },
    litecoin_test("litecoin-testnet", "tltc"),
    litecoin_test("litecoin-regtest", "rltc"),
];

const fn bitcoin_test(name: &'static str, hrp: &'static str) -> ChainParams {
    ChainParams {
        name,
        hrp,
        pubkey_hash: 0x6f,
        script_hash: &[0xc4],
        keys: NetworkKind::Test,
        coin_type: 1,
        dust_relay: 3_000,
    }
}

const fn litecoin_test(name: &'static str, hrp: &'static str) -> ChainParams {
    ChainParams {
        name,
        hrp,
        pubkey_hash: 0x6f,
        script_hash: &[0x3a, 0xc4],
        keys: NetworkKind::Test,
        coin_type: 1,
        dust_relay: 30_000,
    }
}

/// The chain of this name.
pub fn chain(name: &str) -> Option<&'static ChainParams> {
    CHAINS.iter().find(|chain| chain.name == name)
}

/// Why a text is not an address of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    #[error("this is not an address, or its checksum is wrong")]
    Malformed,
    #[error("the address belongs to another coin or network")]
    OtherChain,
}

impl ChainParams {
    /// The least satoshis an output may have without nodes calling it dust.
    pub fn dust(&self, script: &Script) -> u64 {
        let rate = bitcoin::FeeRate::from_sat_per_kwu(self.dust_relay / 4);
        script.minimal_non_dust_custom(rate).to_sat()
    }

    /// The address of a script; `None` for one that has none.
    pub fn address(&self, script: &Script) -> Option<String> {
        let bytes = script.as_bytes();
        if script.is_p2pkh() {
            Some(base58_check(self.pubkey_hash, bytes.get(3..23)?))
        } else if script.is_p2sh() {
            let version = *self.script_hash.first()?;
            Some(base58_check(version, bytes.get(2..22)?))
        } else {
            let version = script.witness_version()?;
            let hrp = Hrp::parse(self.hrp).ok()?;
            bech32::segwit::encode(hrp, version.to_fe(), bytes.get(2..)?).ok()
        }
    }

    /// The script of an address, without surrounding space.
    ///
    /// # Errors
    /// [`AddressError::OtherChain`] for one that reads well and is of another chain, any other
    /// refusal as [`AddressError::Malformed`].
    pub fn parse_address(&self, text: &str) -> Result<ScriptBuf, AddressError> {
        if text.len() > ADDRESS_LENGTH_MAX || !text.is_ascii() {
            return Err(AddressError::Malformed);
        }
        if let Ok((hrp, version, program)) = bech32::segwit::decode(text) {
            if !hrp.as_str().eq_ignore_ascii_case(self.hrp) {
                return Err(AddressError::OtherChain);
            }
            let version = WitnessVersion::try_from(version).map_err(|_| AddressError::Malformed)?;
            let program =
                WitnessProgram::new(version, &program).map_err(|_| AddressError::Malformed)?;
            return Ok(ScriptBuf::new_witness_program(&program));
        }
        let payload = base58::decode_check(text).map_err(|_| AddressError::Malformed)?;
        let (version, hash) = payload.split_first().ok_or(AddressError::Malformed)?;
        let hash: [u8; 20] = hash.try_into().map_err(|_| AddressError::Malformed)?;
        if *version == self.pubkey_hash {
            Ok(ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(hash)))
        } else if self.script_hash.contains(version) {
            Ok(ScriptBuf::new_p2sh(&ScriptHash::from_byte_array(hash)))
        } else {
            Err(AddressError::OtherChain)
        }
    }
}

fn base58_check(version: u8, hash: &[u8]) -> String {
    let mut payload = vec![version];
    payload.extend_from_slice(hash);
    base58::encode_check(&payload)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_and_write_alike() {
        for (name, address) in [
            ("bitcoin", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
            ("bitcoin", "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"),
            ("bitcoin", "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf"),
            // BIP 350: witness version 1.
            (
                "bitcoin",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            ),
            ("bitcoin-regtest", "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2"),
            ("litecoin", "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh"),
        ] {
            let chain = chain(name).unwrap();
            let script = chain.parse_address(address).unwrap();
            assert_eq!(chain.address(&script).unwrap(), address);
        }
    }

    #[test]
    fn an_address_of_another_chain_is_refused() {
        let bitcoin = chain("bitcoin").unwrap();
        for address in [
            "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh",
            "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl",
            "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2",
        ] {
            assert_eq!(
                bitcoin.parse_address(address),
                Err(AddressError::OtherChain),
                "{address}"
            );
        }
        for text in [
            "",
            "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyv",
            "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fYU",
            "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabB",
        ] {
            assert_eq!(
                bitcoin.parse_address(text),
                Err(AddressError::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn dust_is_what_nodes_refuse() {
        let bitcoin = chain("bitcoin").unwrap();
        let litecoin = chain("litecoin").unwrap();
        for (address, dust) in [
            ("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", 294),
            (
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                330,
            ),
            ("37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf", 540),
            ("1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA", 546),
        ] {
            let script = bitcoin.parse_address(address).unwrap();
            assert_eq!(bitcoin.dust(&script), dust);
            assert_eq!(litecoin.dust(&script), dust * 10);
        }
    }

    #[test]
    fn names_are_unique() {
        for row in &CHAINS {
            assert_eq!(chain(row.name), Some(row));
        }
        assert_eq!(chain("Bitcoin"), None);
    }
}
