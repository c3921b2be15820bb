//! Address vectors of the specifications, and corruption of one address of each form.

use super::*;

const BTC: &str = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";
const TAPROOT: &str = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
const BASE58: &str = "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu";
const CASH: &str = "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a";
const ETHER: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

fn read(code: &str, text: &str) -> Result<Address, AddressError> {
    parse_address(params(code).unwrap(), text)
}

#[track_caller]
fn check(code: &str, text: &str, canonical: &str, script: &str) {
    let address = read(code, text).unwrap();
    assert_eq!(address.canonical, canonical);
    assert_eq!(hex::encode(&address.script), script);
}

#[test]
fn codes_are_case_sensitive() {
    assert_eq!(params("tBTC").unwrap().coin_type, 1);
    assert_eq!(params("USDT").unwrap().family(), CoinFamily::Evm);
    assert_eq!(params("BCH").unwrap().family(), CoinFamily::Bitcoin);
    for unknown in ["TBTC", "btc", "EUR", ""] {
        assert_eq!(params(unknown), None);
    }
}

#[test]
fn valid_segwit_addresses_of_bip_350() {
    for (code, text, script) in [
        (
            "BTC",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "0014751e76e8199196d454941c45d1b3a323f1433bd6",
        ),
        (
            "tBTC",
            "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
        ),
        (
            "BTC",
            "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
            concat!(
                "5128751e76e8199196d454941c45d1b3a323f1433bd6",
                "751e76e8199196d454941c45d1b3a323f1433bd6",
            ),
        ),
        ("BTC", "BC1SW50QGDZ25J", "6002751e"),
        (
            "BTC",
            "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
            "5210751e76e8199196d454941c45d1b3a323",
        ),
        (
            "tBTC",
            "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
            "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
        ),
        (
            "tBTC",
            "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
            "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
        ),
        (
            "BTC",
            TAPROOT,
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        ),
    ] {
        check(code, text, &text.to_ascii_lowercase(), script);
    }
}

#[test]
fn invalid_segwit_addresses_of_bip_173_and_350() {
    for text in [
        // Another human-readable part.
        "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
        "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty",
        // Bech32 where bech32m belongs, and the other way round.
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
        "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
        "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
        // A wrong character, checksum, witness version or program length.
        "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
        "bc1pw5dgrnzv",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
        "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
        // Mixed case.
        "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7",
        // Too much filling, and filling that is not zero.
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
        "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
        // No data.
        "bc1gmk9yu",
    ] {
        for code in ["BTC", "tBTC", "LTC"] {
            assert!(read(code, text).is_err(), "{code} {text}");
        }
    }
}

#[test]
fn base58_addresses_of_every_network() {
    let pubkey_hash = "76a91476a04053bda0a88bda5177b86a15c3b29f55987388ac";
    check("BTC", BASE58, BASE58, pubkey_hash);
    check(
        "LTC",
        "LW3ByJXVHpiJsuy3u2sdieFQkXHtuk93Yi",
        "LW3ByJXVHpiJsuy3u2sdieFQkXHtuk93Yi",
        pubkey_hash,
    );
    let script_hash = "a91476a04053bda0a88bda5177b86a15c3b29f55987387";
    let text = "3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC";
    check("BTC", text, text, script_hash);
    let text = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn";
    check(
        "tBTC",
        text,
        text,
        "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac",
    );
    let text = "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc";
    check(
        "tBTC",
        text,
        text,
        "a9144e9f39ca4688ff102128ea4ccda34105324305b087",
    );
}

#[test]
fn one_destination_has_one_canonical_form() {
    // Litecoin's two script forms.
    let script_hash = "a914736b7802c4568fa4c406279db461671786cff03087";
    let canonical = "MJRSgZ3UUFcTBTBAaN38XAXvZLwRe8WVw7";
    for text in [canonical, "3CDJNfdWX8m2NwuGUV3nhXHXEeLygMXoAj"] {
        check("LTC", text, canonical, script_hash);
    }
    // Bitcoin Cash: with and without the prefix, upper case, and the old form.
    let pubkey_hash = "76a91476a04053bda0a88bda5177b86a15c3b29f55987388ac";
    let (_, bare) = CASH.split_once(':').unwrap();
    for text in [
        CASH,
        bare,
        &CASH.to_ascii_uppercase(),
        &bare.to_ascii_uppercase(),
        BASE58,
    ] {
        check("BCH", text, CASH, pubkey_hash);
    }
    check(
        "BCH",
        "3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC",
        "bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq",
        "a91476a04053bda0a88bda5177b86a15c3b29f55987387",
    );
    check(
        "BCH",
        "pvch8mmxy0rtfrlarg7ucrxxfzds5pamg73h7370aa87d80gyhqxqaw3dsfwg",
        "bitcoincash:pvch8mmxy0rtfrlarg7ucrxxfzds5pamg73h7370aa87d80gyhqxqaw3dsfwg",
        "aa203173ef6623c6b48ffd1a3dcc0cc6489b0a07bb47a37f47cfef4fe69de825c06087",
    );
    // Accounts, of which the case is only a checksum.
    let digits = ETHER.trim_start_matches("0x");
    for text in [
        ETHER,
        &format!("0x{}", digits.to_ascii_lowercase()),
        &format!("0x{}", digits.to_ascii_uppercase()),
    ] {
        for code in ["ETH", "USDT"] {
            check(
                code,
                text,
                ETHER,
                "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            );
        }
    }
}

#[test]
fn checksummed_accounts_of_eip_55() {
    for text in [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ] {
        assert_eq!(read("ETH", text).unwrap().canonical, text);
    }
    assert_eq!(
        read("ETH", "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
        Err(AddressError::Checksum)
    );
}

#[test]
fn refusals_name_their_reason() {
    for (code, text, error) in [
        (
            "BTC",
            "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyq",
            AddressError::Checksum,
        ),
        (
            "BTC",
            "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyU",
            AddressError::MixedCase,
        ),
        (
            "BTC",
            "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggv",
            AddressError::Checksum,
        ),
        (
            "BTC",
            "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl",
            AddressError::OtherCoin,
        ),
        (
            "BTC",
            "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh",
            AddressError::OtherCoin,
        ),
        (
            "BTC",
            "LW3ByJXVHpiJsuy3u2sdieFQkXHtuk93Yi",
            AddressError::OtherCoin,
        ),
        ("BTC", ETHER, AddressError::OtherCoin),
        ("tBTC", BTC, AddressError::OtherCoin),
        ("LTC", BASE58, AddressError::OtherCoin),
        ("BCH", BTC, AddressError::OtherCoin),
        ("ETH", CASH, AddressError::OtherCoin),
        // Dogecoin: a version byte of none of our coins.
        (
            "BTC",
            "DFxLFMAJWaNYA7TVTUstzPMFRSevAwTSLq",
            AddressError::OtherCoin,
        ),
        (
            "BCH",
            "zr6m7j9njldwwzlg9v7v53unlr4jkmx6eycnjehshe",
            AddressError::Unsupported,
        ),
        (
            "ETH",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
            AddressError::Malformed,
        ),
        (
            "ETH",
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            AddressError::Malformed,
        ),
        (
            "ETH",
            "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            AddressError::Malformed,
        ),
    ] {
        assert_eq!(read(code, text), Err(error), "{code} {text}");
    }
}

#[test]
fn nothing_around_an_address_is_read_past() {
    let long = "1".repeat(100_000);
    for coin in &COINS {
        for text in [
            "",
            "1",
            "0x",
            "bitcoincash:",
            "bc1",
            "ltc1",
            "адрес",
            long.as_str(),
        ] {
            assert_eq!(
                parse_address(coin, text),
                Err(AddressError::Malformed),
                "{}",
                coin.code
            );
        }
        for good in [BTC, BASE58, CASH, ETHER] {
            for text in [
                format!(" {good}"),
                format!("{good}\n"),
                format!("{good}?amount=1"),
                format!("bitcoin:{good}"),
                format!("{good}\0"),
            ] {
                assert!(
                    parse_address(coin, &text).is_err(),
                    "{} {text:?}",
                    coin.code
                );
            }
        }
    }
}

#[test]
fn the_coin_of_an_address() {
    for (text, code) in [
        (BTC, "BTC"),
        (TAPROOT, "BTC"),
        (BASE58, "BTC"),
        ("3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC", "BTC"),
        ("tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl", "tBTC"),
        ("ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh", "LTC"),
        ("MJRSgZ3UUFcTBTBAaN38XAXvZLwRe8WVw7", "LTC"),
        (CASH, "BCH"),
        (CASH.trim_start_matches("bitcoincash:"), "BCH"),
        (ETHER, "ETH"),
    ] {
        assert_eq!(guess_coin(text).unwrap().code, code, "{text}");
    }
    assert_eq!(
        guess_coin("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyq"),
        None
    );
}

/// One wrong character, of all that can be typed, at every place; and two neighbours swapped.
///
/// Bech32, bech32m and CashAddr promise to find these. Base58 and EIP-55 only make a miss
/// improbable (2^-32 and about 2^-15 a try), so for them this holds for the address taken here.
#[test]
fn a_corrupted_address_is_refused() {
    for (code, text) in [
        ("BTC", BTC),
        ("BTC", TAPROOT),
        ("BTC", BASE58),
        ("BCH", CASH),
        ("BCH", CASH.trim_start_matches("bitcoincash:")),
        ("ETH", ETHER),
    ] {
        assert!(read(code, text).is_ok());
        for place in 0..text.len() {
            for character in ' '..='~' {
                let wrong = format!("{}{character}{}", &text[..place], &text[place + 1..]);
                assert!(wrong == text || read(code, &wrong).is_err(), "{wrong}");
            }
            let mut swapped: Vec<char> = text.chars().collect();
            swapped.swap(place, (place + 1) % text.len());
            let swapped: String = swapped.into_iter().collect();
            assert!(
                swapped == text || read(code, &swapped).is_err(),
                "{swapped}"
            );
        }
    }
}
