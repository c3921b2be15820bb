use super::*;
use crate::chain::address::params;

const CONTRACT: &str = "0xdAC17F958D2ee523a2206206994597C13D831ec7";

fn read(settings: &[(&str, &str)]) -> Result<Option<EvmSettings>, Vec<SettingError>> {
    EvmSettings::read(|variable| {
        settings
            .iter()
            .find(|(name, _)| *name == variable)
            .map(|(_, value)| (*value).to_owned())
    })
}

/// The variables that are found wrong.
fn wrong_ones(settings: &[(&str, &str)]) -> Vec<&'static str> {
    let wrong = read(settings).unwrap_err();
    wrong.into_iter().map(|error| error.variable).collect()
}

#[test]
fn without_settings_the_chain_is_simulated() {
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&[(CHAIN, " ")]), Ok(None));
    assert_eq!(read(&[(CHAIN, "simulated")]), Ok(None));
}

#[test]
fn a_node_network_and_token_are_read() {
    let settings = read(&[
        (CHAIN, "evm"),
        (URL, "https://node.example/v3/0123456789abcdef"),
        (NETWORK, "mainnet"),
        (TOKEN_USDT, CONTRACT),
    ])
    .unwrap()
    .unwrap();
    assert_eq!(settings.network, Network::Mainnet);
    assert!(!format!("{settings:?}").contains("0123456789abcdef"));
    let of = |code| settings.of_coin(params(code).unwrap());
    assert_eq!(of("ETH").unwrap().asset, Asset::Native);
    assert_eq!(
        of("USDT").unwrap().asset,
        Asset::Token {
            contract: CONTRACT.parse().unwrap(),
            digits: 6,
        }
    );
    assert!(of("BTC").is_none());
}

#[test]
fn without_a_contract_there_is_no_token() {
    let settings = read(&[
        (CHAIN, "evm"),
        (URL, "http://127.0.0.1:8545"),
        (NETWORK, "31337"),
    ])
    .unwrap()
    .unwrap();
    assert_eq!(settings.network, Network::Local { chain_id: 31_337 });
    assert!(settings.of_coin(params("USDT").unwrap()).is_none());
}

#[test]
fn every_wrong_setting_is_named() {
    assert_eq!(wrong_ones(&[(CHAIN, "ethereum")]), [CHAIN]);
    assert_eq!(wrong_ones(&[(CHAIN, "evm")]), [URL, NETWORK]);
    let all = [
        (CHAIN, "evm"),
        (URL, "ws://node.example"),
        (NETWORK, "ropsten"),
        (TOKEN_USDT, "0x1"),
    ];
    assert_eq!(wrong_ones(&all), [URL, NETWORK, TOKEN_USDT]);
}

#[test]
fn settings_without_effect_are_refused() {
    assert_eq!(wrong_ones(&[(URL, "http://127.0.0.1:8545")]), [URL]);
    assert_eq!(
        wrong_ones(&[(CHAIN, "simulated"), (NETWORK, "1"), (TOKEN_USDT, CONTRACT)]),
        [NETWORK, TOKEN_USDT]
    );
}

#[test]
fn a_wrong_url_is_not_repeated() {
    let wrong = read(&[
        (CHAIN, "evm"),
        (URL, "htp://node.example/0123456789abcdef"),
        (NETWORK, "1"),
    ])
    .unwrap_err();
    assert!(!format!("{wrong:?} {}", wrong[0]).contains("0123456789abcdef"));
}

#[test]
fn the_number_of_a_known_network_is_that_network() {
    assert_eq!(Network::read("1"), Some(Network::Mainnet));
    assert_eq!(Network::read("11155111"), Some(Network::Sepolia));
    for text in [
        "",
        "0",
        "-1",
        "+1",
        "1.0",
        "Mainnet",
        "99999999999999999999",
    ] {
        assert_eq!(Network::read(text), None, "{text}");
    }
}
