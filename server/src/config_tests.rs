#![allow(clippy::unwrap_used)]

use url::Url;

use super::judging::is_origin;
use super::*;

/// What clap hands over when nothing is set.
fn defaults() -> Settings {
    Settings {
        mode: "test".to_owned(),
        db_connections: "40".to_owned(),
        drain_seconds: "0".to_owned(),
        sandbox_public: "off".to_owned(),
        spread_basis_points: "0".to_owned(),
        rate_stale_seconds: "600".to_owned(),
        log_format: "text".to_owned(),
        data_dir: Some("/srv/exchequer".to_owned()),
        ..Settings::default()
    }
}

fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[track_caller]
fn check_wrong(settings: Settings, expected: &[&str]) {
    let wrong = Config::read(&settings).err().unwrap_or_default();
    let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected);
}

#[test]
fn nothing_configured_is_test_mode_with_a_private_database() {
    let config = Config::read(&defaults()).ok().unwrap();
    assert!(config.test_mode && config.webhook_allow_private && !config.sandbox_public);
    assert_eq!(config.rate_limit_per_minute, 6_000);
    assert_eq!(config.public_url_at(config.listen), "http://127.0.0.1:3000");
    let private = DatabaseSetting::Private {
        data_dir: PathBuf::from("/srv/exchequer"),
        bin_dir: None,
    };
    assert!(config.database == private);
}

#[test]
fn live_mode_has_its_own_defaults_and_needs_a_url() {
    let live = Settings {
        mode: "live".to_owned(),
        ..defaults()
    };
    check_wrong(
        live.clone(),
        &["EXCHEQUER_PUBLIC_URL is needed in live mode: links must lead to this server"],
    );
    let config = Config::read(&Settings {
        public_url: some("https://Pay.Example.com/"),
        ..live
    })
    .ok();
    let config = config.unwrap();
    assert!(!config.test_mode && !config.webhook_allow_private);
    assert_eq!(config.rate_limit_per_minute, 120);
    assert_eq!(
        config.public_url_at(config.listen),
        "https://pay.example.com"
    );
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let settings = Settings {
        listen: some("3000"),
        mode: "demo".to_owned(),
        public_url: some("https://example.com/shop"),
        rate_limit: some("0"),
        spread_basis_points: "10000".to_owned(),
        ..defaults()
    };
    check_wrong(
        settings,
        &[
            "EXCHEQUER_MODE is \"demo\", but must be test or live",
            "EXCHEQUER_LISTEN is \"3000\", but must be an address and port such as 127.0.0.1:3000",
            "EXCHEQUER_PUBLIC_URL is \"https://example.com/shop\", but must be scheme and host \
             only, such as https://pay.example.com",
            "EXCHEQUER_RATE_LIMIT is \"0\", but must be a whole number from 1 to 1000000",
            "EXCHEQUER_SPREAD_BASIS_POINTS is \"10000\", but must be a whole number from 0 to 9999",
        ],
    );
}

#[test]
fn secrets_are_not_repeated_in_errors() {
    let settings = Settings {
        database_url: some("mysql://root:hunter2@db/x"),
        static_key: some("hunter2 \u{e9}"),
        ..defaults()
    };
    let wrong = Config::read(&settings).err().unwrap();
    assert_eq!(wrong.len(), 2);
    assert!(
        wrong
            .iter()
            .all(|error| !error.to_string().contains("hunter2")),
        "{wrong:?}"
    );
}

#[test]
fn an_empty_value_counts_as_none() {
    let settings = Settings {
        static_key: some(""),
        public_url: some(" "),
        database_url: some(""),
        ..defaults()
    };
    let config = Config::read(&settings).ok().unwrap();
    assert!(config.static_key.is_none() && config.public_url.is_none());
    assert!(matches!(config.database, DatabaseSetting::Private { .. }));
}

#[test]
fn proxies_are_a_list_of_addresses() {
    let with = |text: &str| Settings {
        trusted_proxies: some(text),
        ..defaults()
    };
    let config = Config::read(&with("10.0.0.1, ::1")).ok().unwrap();
    assert_eq!(config.trusted_proxies.len(), 2);
    check_wrong(
        with("10.0.0.0/8"),
        &[
            "EXCHEQUER_TRUSTED_PROXIES is \"10.0.0.0/8\", but must be IP addresses with commas \
           between them",
        ],
    );
}

#[test]
fn metrics_are_off_and_a_port_alone_is_of_this_machine() {
    let with = |text: &str| Settings {
        metrics_listen: some(text),
        ..defaults()
    };
    assert_eq!(Config::read(&defaults()).ok().unwrap().metrics_listen, None);
    for (text, expected) in [
        ("9464", "127.0.0.1:9464"),
        ("localhost:9464", "127.0.0.1:9464"),
        ("0.0.0.0:9464", "0.0.0.0:9464"),
        ("[::1]:9464", "[::1]:9464"),
    ] {
        let config = Config::read(&with(text)).ok().unwrap();
        assert_eq!(config.metrics_listen, expected.parse().ok(), "{text}");
    }
    for wrong in ["metrics", "127.0.0.1", "65536", "-1"] {
        let rule = "must be a port such as 9464, or an address and port";
        let line = format!("EXCHEQUER_METRICS_LISTEN is {wrong:?}, but {rule}");
        check_wrong(with(wrong), &[line.as_str()]);
    }
}

#[test]
fn a_drain_has_an_end() {
    let with = |text: &str| Settings {
        drain_seconds: text.to_owned(),
        ..defaults()
    };
    let config = Config::read(&with("15")).ok().unwrap();
    assert_eq!(config.drain.as_secs(), 15);
    check_wrong(
        with("301"),
        &["EXCHEQUER_DRAIN_SECONDS is \"301\", but must be a whole number from 0 to 300"],
    );
}

#[test]
fn links_lead_to_a_host_that_can_be_reached() {
    let config = Config::read(&defaults()).ok().unwrap();
    let cases = [
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("[2001:db8::1]:80", "http://[2001:db8::1]"),
        ("192.0.2.7:3000", "http://192.0.2.7:3000"),
    ];
    for (listening, expected) in cases {
        assert_eq!(config.public_url_at(listening.parse().unwrap()), expected);
    }
}

#[test]
fn only_an_origin_is_a_public_url() {
    let cases = [
        ("https://pay.example.com", true),
        ("http://localhost:3000/", true),
        ("https://user@pay.example.com", false),
        ("https://pay.example.com/?a=1", false),
        ("https://pay.example.com/#x", false),
        ("ftp://pay.example.com", false),
        ("pay.example.com", false),
    ];
    for (text, expected) in cases {
        let origin = Url::parse(text).is_ok_and(|url| is_origin(&url));
        assert_eq!(origin, expected, "{text}");
    }
}

#[test]
fn wrong_nodes_are_named_with_everything_else() {
    let mut settings = Settings {
        spread_basis_points: "10000".to_owned(),
        ..defaults()
    };
    settings.chains.btc = some("electrum");
    settings.chains.ltc_password = some("hunter2");
    settings.chains.eth = some("evm");
    settings.chains.eth_url = some("ftp://key:hunter2@node");
    settings.chains.eth_network = some("mainnet");
    let wrong = Config::read(&settings).err().unwrap();
    let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    for variable in [
        "EXCHEQUER_SPREAD_BASIS_POINTS",
        "EXCHEQUER_CHAIN_BTC",
        "EXCHEQUER_CHAIN_LTC_PASSWORD",
        "EXCHEQUER_CHAIN_ETH_URL",
    ] {
        assert!(
            wrong.iter().any(|error| error.variable == variable),
            "{lines:?}"
        );
    }
    assert!(
        lines.iter().all(|line| !line.contains("hunter2")),
        "{lines:?}"
    );
}
