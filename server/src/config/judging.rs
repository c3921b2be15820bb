//! How single settings are judged, and what stands for those that nobody gave.
//!
//! Invariant: no secret and no value that may hold one is repeated in a complaint.

use std::borrow::Cow;
use std::env;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use gateway::chain::ChainSettings;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{DatabaseSetting, SettingError};
use crate::cli::Settings;

/// Where a server listens that nobody told where.
pub(super) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// An empty value counts as none, as in `EXCHEQUER_STATIC_KEY= exchequer`.
pub(super) fn given(value: &Option<String>) -> Option<String> {
    value
        .as_deref()
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
}

/// Collects what is wrong; a wrong setting gets some value, which is never used.
#[derive(Default)]
pub(super) struct Wrong(Vec<SettingError>);

impl Wrong {
    /// `value`, unless anything was wrong.
    pub(super) fn unless_any<T>(self, value: T) -> Result<T, Vec<SettingError>> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.0)
        }
    }

    fn add(&mut self, variable: impl Into<Cow<'static, str>>, problem: impl Into<String>) {
        self.0.push(SettingError {
            variable: variable.into(),
            problem: problem.into(),
        });
    }

    fn must(&mut self, variable: &'static str, value: &str, rule: impl Display) {
        self.add(variable, format!("is {value:?}, but must be {rule}"));
    }

    pub(super) fn choice(
        &mut self,
        variable: &'static str,
        value: &str,
        yes: &str,
        no: &str,
    ) -> bool {
        if value != yes && value != no {
            self.must(variable, value, format!("{yes} or {no}"));
        }
        value == yes
    }

    pub(super) fn switch(&mut self, variable: &'static str, value: &str) -> bool {
        match value {
            "on" | "true" | "yes" | "1" => true,
            "off" | "false" | "no" | "0" => false,
            _ => {
                self.must(variable, value, "on or off");
                false
            }
        }
    }

    pub(super) fn number(
        &mut self,
        variable: &'static str,
        value: &str,
        min: u32,
        max: u32,
    ) -> u32 {
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

    pub(super) fn listen(&mut self, value: &str) -> SocketAddr {
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
    pub(super) fn metrics_listen(&mut self, value: &str) -> Option<SocketAddr> {
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

    pub(super) fn addresses(&mut self, value: Option<String>) -> Vec<IpAddr> {
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

    pub(super) fn public_url(&mut self, value: Option<String>, test_mode: bool) -> Option<String> {
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

    pub(super) fn database(&mut self, settings: &Settings) -> DatabaseSetting {
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

    pub(super) fn static_key(&mut self, key: Option<String>) -> Option<String> {
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

    pub(super) fn chains(&mut self, settings: &Settings, test_mode: bool) -> ChainSettings {
        ChainSettings::read(|variable| settings.chains.value(variable), test_mode).unwrap_or_else(
            |errors| {
                for error in errors {
                    self.add(error.variable, error.problem);
                }
                ChainSettings::default()
            },
        )
    }

    pub(super) fn site_root(&mut self, value: Option<String>) -> PathBuf {
        let Some(value) = value else {
            return usual_site_root();
        };
        if !Path::new(&value).is_dir() {
            self.must("EXCHEQUER_SITE_ROOT", &value, "a folder");
        }
        PathBuf::from(value)
    }

    pub(super) fn directives(&mut self, value: Option<String>) -> Option<String> {
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

pub(super) fn is_origin(url: &Url) -> bool {
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
