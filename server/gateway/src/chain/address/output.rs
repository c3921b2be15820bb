//! From an output script back to the address it belongs to.
//!
//! Invariant: the answer is canonical, so it equals what [`parse_address`](super::parse_address)
//! makes of any spelling of that address; a script without an address has none here either.

use bech32::{Fe32, Hrp};

use super::coins::{AddressForm, Base58Versions, CoinParams};
use super::script::Lock;
use super::{base58, cashaddr};

const OP_1: u8 = 0x51;
const OP_16: u8 = 0x60;
/// The opcode that pushes witness version `v` is this plus `v`, except for version 0.
const OP_VERSION_BASE: u8 = 0x50;

/// The canonical address of a scriptPubKey; `None` when nobody writes it as an address, and for
/// coins whose outputs have no scripts.
pub fn output_address(coin: &CoinParams, script: &[u8]) -> Option<String> {
    match &coin.form {
        AddressForm::Segwit {
            hrp,
            base58: versions,
        } => match Lock::of_script(script) {
            Some(lock) => base58_address(versions, &lock),
            None => segwit_address(hrp, script),
        },
        AddressForm::CashAddr { prefix, .. } => {
            Lock::of_script(script).map(|lock| cashaddr::encode(prefix, &lock))
        }
        AddressForm::Base58(versions) => base58_address(versions, &Lock::of_script(script)?),
        AddressForm::Eip55 => None,
    }
}

fn base58_address(versions: &Base58Versions, lock: &Lock) -> Option<String> {
    match lock {
        Lock::PubkeyHash(hash) => Some(base58::encode(versions.pubkey_hash, hash)),
        Lock::ScriptHash(hash) => Some(base58::encode(*versions.script_hash.first()?, hash)),
        Lock::ScriptHash32(_) => None,
    }
}

/// BIP 141: a version, then one push of 2 to 40 bytes and nothing else.
fn segwit_address(hrp: &str, script: &[u8]) -> Option<String> {
    let (opcode, pushed) = script.split_first()?;
    let (length, program) = pushed.split_first()?;
    let version = match *opcode {
        0 => 0,
        OP_1..=OP_16 => *opcode - OP_VERSION_BASE,
        _ => return None,
    };
    if usize::from(*length) != program.len() {
        return None;
    }
    let version = Fe32::try_from(version).ok()?;
    // Refuses programs of a length that no address has.
    bech32::segwit::encode(Hrp::parse_unchecked(hrp), version, program).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chain::address::networks::{Network, params_on};
    use crate::chain::address::{COINS, params, parse_address};

    fn address_of(coin: &CoinParams, script: &str) -> Option<String> {
        output_address(coin, &hex::decode(script).unwrap())
    }

    /// Scripts and addresses of BIP 173, BIP 350 and BIP 13.
    #[test]
    fn scripts_of_the_standards() {
        let main = params("BTC").unwrap();
        let test = params("tBTC").unwrap();
        for (coin, script, address) in [
            (
                main,
                "0014751e76e8199196d454941c45d1b3a323f1433bd6",
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            ),
            (
                test,
                "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
                "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
            ),
            (
                main,
                "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            ),
            (main, "6002751e", "bc1sw50qgdz25j"),
            (
                main,
                "a914f815b036d9bbbce5e9f2a00abd1bf3dc91e9551087",
                "3QJmV3qfvL9SuYo34YihAf3sRCW3qSinyC",
            ),
            (
                main,
                "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac",
                "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            ),
        ] {
            assert_eq!(address_of(coin, script).as_deref(), Some(address));
        }
    }

    #[test]
    fn what_is_no_address_has_none() {
        let coin = params("BTC").unwrap();
        for script in [
            "",
            "00",
            "0014",
            // A byte too many, a byte too few, a length that version 0 does not have.
            "0014751e76e8199196d454941c45d1b3a323f1433bd600",
            "0014751e76e8199196d454941c45d1b3a323f1433b",
            "0010751e76e8199196d454941c45d1b3a323",
            "5101ff",
            // A public key by itself, a message, a multisignature, a hash with more after it.
            "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac",
            "6a0568656c6c6f",
            "5121000000000000000000000000000000000000000000000000000000000000000051ae",
            "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac51",
            "aa20000000000000000000000000000000000000000000000000000000000000000087",
        ] {
            assert_eq!(address_of(coin, script), None, "{script}");
        }
        let ether = params("ETH").unwrap();
        assert_eq!(
            address_of(ether, "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
            None
        );
    }

    #[test]
    fn the_address_of_a_script_reads_back_as_that_script() {
        let regtest = params_on("LTC", Network::Regtest).unwrap();
        let coins = COINS.iter().chain([regtest]);
        for coin in coins.filter(|coin| !matches!(coin.form, AddressForm::Eip55)) {
            for script in [
                "76a914f5bf48b397dae70be82b3cca4793f8eb2b6cdac988ac",
                "a914f5bf48b397dae70be82b3cca4793f8eb2b6cdac987",
                "0014f5bf48b397dae70be82b3cca4793f8eb2b6cdac9",
                "5120f5bf48b397dae70be82b3cca4793f8eb2b6cdac9f5bf48b397dae70be82b3cca",
            ] {
                let Some(address) = address_of(coin, script) else {
                    assert!(matches!(coin.form, AddressForm::CashAddr { .. }));
                    continue;
                };
                let read = parse_address(coin, &address).unwrap();
                assert_eq!(hex::encode(read.script), script, "{}", coin.code);
                assert_eq!(read.canonical, address);
            }
        }
    }
}
