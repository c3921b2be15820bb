//! The settings of a process, judged: every wrong one is named in one line of its own.

mod judging;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use gateway::chain::ChainSettings;

use self::judging::{LISTEN, Wrong, given};
use crate::cli::Settings;

/// Longest drain, seconds: whoever stops processes has no patience for more.
const DRAIN_SECONDS_MAX: u32 = 300;

/// What a process was told, every part checked.
#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// Somebody said so; nobody has to.
    pub listen_given: bool,
    /// Where metrics are served; `None` = nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// How long requests are still taken after the process was asked to stop, while it says that it
    /// is not ready.
    pub drain: Duration,
    /// As configured, without a trailing slash; see [`Config::public_url_at`].
    pub public_url: Option<String>,
    pub test_mode: bool,
    pub database: DatabaseSetting,
    /// Connections to the database at most.
    pub database_connections: u32,
    pub static_key: Option<String>,
    /// Requests per minute and key.
    pub rate_limit_per_minute: u32,
    pub webhook_allow_private: bool,
    pub sandbox_public: bool,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpAddr>,
    pub spread_basis_points: u32,
    /// Coins with a node.
    pub chains: ChainSettings,
    /// Age from which a rate is not quoted any more.
    pub rate_stale_after: time::Duration,
    /// Folder with `pkg/`, `boot.js` and the like.
    pub site_root: PathBuf,
    /// Tracing directives; `None` = the command's own default.
    pub log: Option<String>,
    pub log_as_json: bool,
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseSetting {
    /// Somebody else's Postgres.
    Url(String),
    /// A private cluster of ours.
    Private {
        data_dir: PathBuf,
        /// Folder with Postgres' programs; `None` = they are looked for.
        bin_dir: Option<PathBuf>,
    },
}

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct SettingError {
    pub variable: Cow<'static, str>,
    /// Continues the sentence that the variable's name begins.
    pub problem: String,
}

impl Config {
    /// Judges all settings and names every wrong one.
    pub fn read(settings: &Settings) -> Result<Self, Vec<SettingError>> {
        let mut wrong = Wrong::default();
        let test_mode = wrong.choice("EXCHEQUER_MODE", &settings.mode, "test", "live");
        let by_mode = |test: &str, live: &str| String::from(if test_mode { test } else { live });
        let rate_limit = given(&settings.rate_limit).unwrap_or_else(|| by_mode("6000", "120"));
        let allow_private =
            given(&settings.webhook_allow_private).unwrap_or_else(|| by_mode("on", "off"));
        let stale_seconds: u32 = wrong.number(
            "EXCHEQUER_RATE_STALE_SECONDS",
            &settings.rate_stale_seconds,
            1,
            86_400,
        );
        let drain_seconds = wrong.number(
            "EXCHEQUER_DRAIN_SECONDS",
            &settings.drain_seconds,
            0,
            DRAIN_SECONDS_MAX,
        );
        let config = Self {
            listen: given(&settings.listen).map_or(LISTEN, |address| wrong.listen(&address)),
            listen_given: given(&settings.listen).is_some(),
            metrics_listen: given(&settings.metrics_listen)
                .and_then(|address| wrong.metrics_listen(&address)),
            drain: Duration::from_secs(u64::from(drain_seconds)),
            public_url: wrong.public_url(given(&settings.public_url), test_mode),
            test_mode,
            database: wrong.database(settings),
            database_connections: wrong.number(
                "EXCHEQUER_DB_CONNECTIONS",
                &settings.db_connections,
                2,
                1_000,
            ),
            static_key: wrong.static_key(given(&settings.static_key)),
            rate_limit_per_minute: wrong.number("EXCHEQUER_RATE_LIMIT", &rate_limit, 1, 1_000_000),
            webhook_allow_private: wrong.switch("EXCHEQUER_WEBHOOK_ALLOW_PRIVATE", &allow_private),
            sandbox_public: wrong.switch("EXCHEQUER_SANDBOX_PUBLIC", &settings.sandbox_public),
            trusted_proxies: wrong.addresses(given(&settings.trusted_proxies)),
            spread_basis_points: wrong.number(
                "EXCHEQUER_SPREAD_BASIS_POINTS",
                &settings.spread_basis_points,
                0,
                9_999,
            ),
            chains: wrong.chains(settings, test_mode),
            rate_stale_after: time::Duration::seconds(i64::from(stale_seconds)),
            site_root: wrong.site_root(given(&settings.site_root)),
            log: wrong.directives(given(&settings.log)),
            log_as_json: wrong.choice("EXCHEQUER_LOG_FORMAT", &settings.log_format, "json", "text"),
        };
        wrong.unless_any(config)
    }

    /// Whether this process was told where the server is, or is to be.
    pub fn says_where(&self) -> bool {
        self.public_url.is_some() || self.listen_given
    }

    /// Base of every link once the port is known, without a trailing slash.
    ///
    /// Never taken from a request. An address that stands for every interface is no place to link
    /// to, so this machine's own takes its place.
    pub fn public_url_at(&self, listening: SocketAddr) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let ip = listening.ip();
        let host = match (ip.is_unspecified(), ip.is_ipv4()) {
            (true, true) => "127.0.0.1".to_owned(),
            (true, false) => "[::1]".to_owned(),
            (false, true) => ip.to_string(),
            (false, false) => format!("[{ip}]"),
        };
        match listening.port() {
            80 => format!("http://{host}"),
            port => format!("http://{host}:{port}"),
        }
    }

    /// What the use cases want to know.
    pub fn gateway_settings(&self, public_url: String) -> gateway::Settings {
        gateway::Settings {
            test_mode: self.test_mode,
            public_url,
            webhook_allow_private: self.webhook_allow_private,
            static_key: self.static_key.clone(),
            rate_limit_per_minute: self.rate_limit_per_minute,
            rate_stale_after: self.rate_stale_after,
            spread_basis_points: self.spread_basis_points,
            webhook_timeouts: gateway::outbox::Timeouts::default(),
            database_connections: self.database_connections,
            chains: self.chains.clone(),
        }
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
