//! The settings of a process, judged: every wrong one is named in one line of its own.

use std::borrow::Cow;
use std::env;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use gateway::chain::ChainSettings;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::cli::Settings;

/// Where a server listens that nobody told where.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

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
        if wrong.0.is_empty() {
            Ok(config)
        } else {
            Err(wrong.0)
        }
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

/// An empty value counts as none, as in `EXCHEQUER_STATIC_KEY= exchequer`.
fn given(value: &Option<String>) -> Option<String> {
    value
        .as_deref()
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
}

/// Collects what is wrong; a wrong setting gets some value, which is never used.
#[derive(Default)]
struct Wrong(Vec<SettingError>);

impl Wrong {
    fn add(&mut self, variable: impl Into<Cow<'static, str>>, problem: impl Into<String>) {
        self.0.push(SettingError {
            variable: variable.into(),
            problem: problem.into(),
        });
    }

    fn must(&mut self, variable: &'static str, value: &str, rule: impl Display) {
        self.add(variable, format!("is {value:?}, but must be {rule}"));
    }

    fn choice(&mut self, variable: &'static str, value: &str, yes: &str, no: &str) -> bool {
        if value != yes && value != no {
            self.must(variable, value, format!("{yes} or {no}"));
        }
        value == yes
    }

    fn switch(&mut self, variable: &'static str, value: &str) -> bool {
        match value {
            "on" | "true" | "yes" | "1" => true,
            "off" | "false" | "no" | "0" => false,
            _ => {
                self.must(variable, value, "on or off");
                false
            }
        }
    }

    fn number(&mut self, variable: &'static str, value: &str, min: u32, max: u32) -> u32 {
        match u32::from_str(value) {
            Ok(number) if (min..=max).contains(&number) => number,
            _ => {
                self.must(
                    variable,
                    value,
                    format!("a whole number from {min} to {max}"),
                );
                min
            }
        }
    }

    fn listen(&mut self, value: &str) -> SocketAddr {
        let numeric = value.replacen("localhost:", "127.0.0.1:", 1);
        SocketAddr::from_str(&numeric).unwrap_or_else(|_| {
            self.must(
                "EXCHEQUER_LISTEN",
                value,
                "an address and port such as 127.0.0.1:3000",
            );
            LISTEN
        })
    }

    /// A port alone is one of this machine's loopback address.
    fn metrics_listen(&mut self, value: &str) -> Option<SocketAddr> {
        let numeric = value.replacen("localhost:", "127.0.0.1:", 1);
        let address = u16::from_str(&numeric)
            .map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
            .or_else(|_| SocketAddr::from_str(&numeric));
        if address.is_err() {
            self.must(
                "EXCHEQUER_METRICS_LISTEN",
                value,
                "a port such as 9464, or an address and port",
            );
        }
        address.ok()
    }

    fn addresses(&mut self, value: Option<String>) -> Vec<IpAddr> {
        let value = value.unwrap_or_default();
        let parts = value
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let addresses: Result<Vec<IpAddr>, _> = parts.map(IpAddr::from_str).collect();
        addresses.unwrap_or_else(|_| {
            let rule = "IP addresses with commas between them";
            self.must("EXCHEQUER_TRUSTED_PROXIES", &value, rule);
            Vec::new()
        })
    }

    fn public_url(&mut self, value: Option<String>, test_mode: bool) -> Option<String> {
        const VARIABLE: &str = "EXCHEQUER_PUBLIC_URL";
        let Some(value) = value else {
            if !test_mode {
                self.add(
                    VARIABLE,
                    "is needed in live mode: links must lead to this server",
                );
            }
            return None;
        };
        match Url::parse(&value) {
            Ok(url) if is_origin(&url) => Some(url.origin().ascii_serialization()),
            _ => {
                let rule = "scheme and host only, such as https://pay.example.com";
                self.must(VARIABLE, &value, rule);
                None
            }
        }
    }

    fn database(&mut self, settings: &Settings) -> DatabaseSetting {
        if let Some(url) = given(&settings.database_url) {
            if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
                // The value may hold a password, so it is not repeated.
                self.add(
                    "DATABASE_URL",
                    "must begin with postgres:// or postgresql://",
                );
            }
            return DatabaseSetting::Url(url);
        }
        let data_dir = given(&settings.data_dir)
            .map(PathBuf::from)
            .or_else(usual_data_dir);
        if data_dir.is_none() {
            self.add(
                "EXCHEQUER_DATA_DIR",
                "is needed: there is no home folder to keep data in",
            );
        }
        let bin_dir = given(&settings.pg_bin).map(PathBuf::from);
        if let Some(dir) = bin_dir.as_deref().filter(|dir| !dir.is_dir()) {
            self.must("EXCHEQUER_PG_BIN", &dir.to_string_lossy(), "a folder");
        }
        DatabaseSetting::Private {
            data_dir: data_dir.unwrap_or_default(),
            bin_dir,
        }
    }

    fn static_key(&mut self, key: Option<String>) -> Option<String> {
        let key = key?;
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            // Secrets are not repeated.
            self.add(
                "EXCHEQUER_STATIC_KEY",
                "must be of visible ASCII characters",
            );
        }
        Some(key)
    }

    fn chains(&mut self, settings: &Settings, test_mode: bool) -> ChainSettings {
        ChainSettings::read(|variable| settings.chains.value(variable), test_mode).unwrap_or_else(
            |errors| {
                for error in errors {
                    self.add(error.variable, error.problem);
                }
                ChainSettings::default()
            },
        )
    }

    fn site_root(&mut self, value: Option<String>) -> PathBuf {
        let Some(value) = value else {
            return usual_site_root();
        };
        if !Path::new(&value).is_dir() {
            self.must("EXCHEQUER_SITE_ROOT", &value, "a folder");
        }
        PathBuf::from(value)
    }

    fn directives(&mut self, value: Option<String>) -> Option<String> {
        let value = value?;
        if EnvFilter::builder().parse(&value).is_err() {
            self.must(
                "EXCHEQUER_LOG",
                &value,
                "tracing directives such as info,sqlx=warn",
            );
        }
        Some(value)
    }
}

fn is_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
}

fn usual_data_dir() -> Option<PathBuf> {
    if nix::unistd::geteuid().is_root() {
        return Some(PathBuf::from("/var/lib/exchequer"));
    }
    let folder = |variable: &str| env::var_os(variable).map(PathBuf::from);
    // The XDG base directory specification has relative paths ignored.
    let data_home = folder("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let home = || folder("HOME").filter(|path| path.is_absolute());
    data_home
        .or_else(|| Some(home()?.join(".local/share")))
        .map(|base| base.join("exchequer"))
}

/// The folder a build leaves behind, or one beside the program; when none is there, the first.
fn usual_site_root() -> PathBuf {
    let built = PathBuf::from("target/site");
    let program = env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let others = beside.map(|folder| [folder.join("site"), folder.join("../site")]);
    std::iter::once(built.clone())
        .chain(others.into_iter().flatten())
        .find(|folder| folder.is_dir())
        .unwrap_or(built)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
