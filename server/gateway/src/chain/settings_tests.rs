use super::*;

/// BIP 84's account, as xpub and as zpub; its private half must never be accepted.
const ZPUB: &str = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";

const REGTEST: [(&str, &str); 4] = [
    ("EXCHEQUER_CHAIN_BTC", "bitcoin-core"),
    ("EXCHEQUER_CHAIN_BTC_URL", "http://127.0.0.1:18443"),
    ("EXCHEQUER_CHAIN_BTC_COOKIE", "/srv/bitcoin/.cookie"),
    ("EXCHEQUER_CHAIN_BTC_NETWORK", "regtest"),
];

const ANVIL: [(&str, &str); 3] = [
    ("EXCHEQUER_CHAIN_ETH", "evm"),
    ("EXCHEQUER_CHAIN_ETH_URL", "http://127.0.0.1:8545"),
    ("EXCHEQUER_CHAIN_ETH_NETWORK", "31337"),
];

fn read(
    given: &[(&str, &str)],
    more: &[(&str, &str)],
    test_mode: bool,
) -> Result<ChainSettings, Vec<String>> {
    let found = |name: &str| {
        more.iter()
            .chain(given)
            .find(|(variable, _)| *variable == name)
            .map(|(_, text)| (*text).to_owned())
    };
    ChainSettings::read(found, test_mode)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn refused(given: &[(&str, &str)], more: &[(&str, &str)], test_mode: bool, expected: &[&str]) {
    assert_eq!(read(given, more, test_mode).unwrap_err(), expected);
}

#[test]
fn nothing_said_connects_nothing() {
    for test_mode in [true, false] {
        let settings = read(&[], &[], test_mode).unwrap();
        assert!(settings.of("BTC").is_none() && settings.of("ETH").is_none());
    }
}

#[test]
fn a_private_network_needs_neither_account_nor_birthday() {
    let settings = read(&REGTEST, &[], true).unwrap();
    let bitcoin = settings.of("BTC").unwrap();
    assert!(bitcoin.account.is_none() && bitcoin.birthday.is_none());
    assert_eq!(bitcoin.coin.coin_type, 1);
    assert!(settings.of("LTC").is_none());
    let settings = read(&ANVIL, &[("EXCHEQUER_CHAIN_ETH_BIRTHDAY", "7")], true).unwrap();
    assert_eq!(settings.of("ETH").unwrap().birthday, Some(7));
    assert!(settings.of("USDT").is_none());
}

#[test]
fn money_and_play_do_not_meet() {
    refused(
        &REGTEST,
        &[("EXCHEQUER_CHAIN_BTC_NETWORK", "mainnet")],
        true,
        &["EXCHEQUER_CHAIN_BTC_NETWORK is mainnet, which needs EXCHEQUER_MODE=live"],
    );
    let needed = "is needed in live mode: the extended public key or descriptor of the account \
                  that payments come to";
    refused(
        &REGTEST,
        &[],
        false,
        &[
            "EXCHEQUER_CHAIN_BTC_NETWORK must be mainnet in live mode",
            &format!("EXCHEQUER_CHAIN_BTC_ACCOUNT {needed}"),
        ],
    );
    refused(
        &ANVIL,
        &[("EXCHEQUER_CHAIN_ETH_NETWORK", "mainnet")],
        false,
        &[&format!("EXCHEQUER_CHAIN_ETH_ACCOUNT {needed}")],
    );
}

#[test]
fn an_account_is_read_and_one_of_another_network_refused() {
    let live = [
        ("EXCHEQUER_CHAIN_BTC_NETWORK", "mainnet"),
        ("EXCHEQUER_CHAIN_BTC_ACCOUNT", ZPUB),
    ];
    let settings = read(&REGTEST, &live, false).unwrap();
    let Some(AccountSetting::Scripts(account)) = &settings.of("BTC").unwrap().account else {
        panic!("no account");
    };
    let first = account.first_addresses(signing::chain("bitcoin").unwrap(), 1);
    assert_eq!(
        first.unwrap(),
        ["bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"]
    );
    let wrong = read(&REGTEST, &live[1..], true).unwrap_err();
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].starts_with("EXCHEQUER_CHAIN_BTC_ACCOUNT cannot be used: this key belongs"));
    let ether = [("EXCHEQUER_CHAIN_ETH_ACCOUNT", ZPUB)];
    refused(
        &ANVIL,
        &ether,
        true,
        &["EXCHEQUER_CHAIN_ETH_ACCOUNT must be an xpub: this key is for Bitcoin"],
    );
}

#[test]
fn what_cannot_be_used_is_named_and_secrets_are_not_repeated() {
    let more = [
        ("EXCHEQUER_CHAIN_BTC_ACCOUNT", "xprv-hunter2"),
        ("EXCHEQUER_CHAIN_BTC_BIRTHDAY", "-1"),
    ];
    let wrong = read(&REGTEST, &more, true).unwrap_err();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].starts_with("EXCHEQUER_CHAIN_BTC_ACCOUNT cannot be used: "));
    assert!(!wrong[0].contains("hunter2"), "{wrong:?}");
    assert_eq!(
        wrong[1],
        "EXCHEQUER_CHAIN_BTC_BIRTHDAY is \"-1\", but must be the height of a block"
    );
}

#[test]
fn settings_of_a_node_nobody_asked_for_are_named() {
    refused(
        &[],
        &[
            ("EXCHEQUER_CHAIN_LTC_ACCOUNT", "x"),
            ("EXCHEQUER_CHAIN_ETH_BIRTHDAY", "1"),
        ],
        true,
        &[
            "EXCHEQUER_CHAIN_LTC_ACCOUNT has no effect without EXCHEQUER_CHAIN_LTC=bitcoin-core",
            "EXCHEQUER_CHAIN_ETH_BIRTHDAY has no effect without EXCHEQUER_CHAIN_ETH=evm",
        ],
    );
}

#[test]
fn variables_are_named_once() {
    let mut names = ChainSettings::variables();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
