use super::*;

const PREFIX: &str = "EXCHEQUER_CHAIN_BTC";

fn judge(values: &[(&str, &str)]) -> Result<Option<NodeConfig>, Vec<String>> {
    let settings = NodeSettings::from_variables("BTC", |name| {
        values
            .iter()
            .find(|(suffix, _)| name == format!("{PREFIX}{suffix}"))
            .map(|(_, value)| (*value).to_owned())
    });
    settings
        .judge("BTC")
        .map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

/// Every message begins with one of the variables, in this order.
#[track_caller]
fn refuses(values: &[(&str, &str)], suffixes: &[&str]) {
    let wrong = judge(values).unwrap_err();
    let named: Vec<&str> = wrong
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(variable, _)| variable.strip_prefix(PREFIX).unwrap())
        .collect();
    assert_eq!(named, suffixes, "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("geheim"));
}

const NODE: [(&str, &str); 4] = [
    ("", "bitcoin-core"),
    ("_URL", "http://127.0.0.1:18443"),
    ("_COOKIE", "/data/regtest/.cookie"),
    ("_NETWORK", "regtest"),
];

/// [`NODE`] with some settings changed; an empty value removes one.
fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    NODE.into_iter()
        .filter(|(name, _)| !changed(name))
        .chain(changes.iter().copied())
        .collect()
}

#[test]
fn without_settings_there_is_no_node() {
    assert!(judge(&[]).unwrap().is_none());
    assert!(
        judge(&[("", "simulated"), ("_URL", " ")])
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_node_with_a_cookie() {
    let config = judge(&NODE).unwrap().unwrap();
    assert_eq!(config.network, Network::Regtest);
    assert_eq!(config.coin.code, "BTC");
    assert_eq!(config.url.as_str(), "http://127.0.0.1:18443/");
    assert_eq!(
        config.credentials,
        Credentials::Cookie("/data/regtest/.cookie".into())
    );
}

#[test]
fn a_node_with_a_password_that_is_never_shown() {
    let config = judge(&with(&[
        ("_COOKIE", ""),
        ("_USER", "shop"),
        ("_PASSWORD", "geheim"),
    ]));
    let config = config.unwrap().unwrap();
    assert_eq!(
        config.credentials,
        Credentials::Password {
            user: "shop".into(),
            password: Password::new("geheim".into()),
        }
    );
    assert!(!format!("{config:?}").contains("geheim"));
}

#[test]
fn each_wrong_setting_is_named() {
    refuses(&[("", "bitcoin")], &[""]);
    refuses(&[("", "bitcoin-core")], &["_NETWORK", "_URL", "_COOKIE"]);
    for network in ["main", "testnet", "liquid"] {
        refuses(&with(&[("_NETWORK", network)]), &["_NETWORK"]);
    }
    for url in [
        "127.0.0.1:8332",
        "ftp://127.0.0.1",
        "http://",
        "http://shop:geheim@127.0.0.1:8332",
        "http://geheim@127.0.0.1:8332",
    ] {
        refuses(&with(&[("_URL", url)]), &["_URL"]);
    }
    refuses(&with(&[("_PASSWORD", "geheim")]), &["_COOKIE"]);
    refuses(&with(&[("_COOKIE", ""), ("_USER", "shop")]), &["_PASSWORD"]);
    refuses(
        &with(&[("_COOKIE", ""), ("_PASSWORD", "geheim")]),
        &["_USER"],
    );
    refuses(
        &with(&[("_COOKIE", ""), ("_USER", "a:b"), ("_PASSWORD", "geheim")]),
        &["_USER"],
    );
}

#[test]
fn a_node_that_announces_what_is_new() {
    assert_eq!(judge(&NODE).unwrap().unwrap().zmq, None);
    for publisher in ["127.0.0.1:28332", "node.lan:1", "[::1]:28332"] {
        let zmq = format!("tcp://{publisher}");
        let config = judge(&with(&[("_ZMQ", zmq.as_str())]));
        assert_eq!(config.unwrap().unwrap().zmq.as_deref(), Some(publisher));
    }
    for zmq in [
        "127.0.0.1:28332",
        "ipc:///run/bitcoin.sock",
        "tcp://127.0.0.1",
        "tcp://*:28332",
        "tcp://:28332",
        "tcp://::1:28332",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:28332/",
        "tcp://shop:geheim@127.0.0.1:28332",
    ] {
        refuses(&with(&[("_ZMQ", zmq)]), &["_ZMQ"]);
    }
}

#[test]
fn settings_of_a_node_nobody_asked_for_are_refused() {
    refuses(
        &[
            ("_URL", "http://127.0.0.1:8332"),
            ("_NETWORK", "regtest"),
            ("_ZMQ", "tcp://127.0.0.1:28332"),
        ],
        &["_URL", "_NETWORK", "_ZMQ"],
    );
}

#[test]
fn a_coin_without_such_nodes_is_refused() {
    let settings = NodeSettings {
        kind: Some("bitcoin-core".into()),
        ..NodeSettings::default()
    };
    let wrong = settings.judge("ETH").unwrap_err();
    assert_eq!(wrong[0].variable, "EXCHEQUER_CHAIN_ETH");
}
