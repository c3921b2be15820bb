//! The command line: what can be said, with which setting, under which environment variable.
//!
//! Values arrive here as text and are judged in [`crate::config`], so that every wrong setting is
//! named at once, whichever way it was given.

mod chains;
mod own_funds;
mod payouts;
#[cfg(unix)]
mod signer;
mod treasury;

use clap::{Args, Parser, Subcommand};

pub use self::chains::ChainArgs;
pub use self::own_funds::OwnFundsCommand;
#[cfg(unix)]
pub use self::signer::SignerArgs;
pub use self::treasury::TreasuryCommand;
use crate::bench::BenchArgs;

/// Arguments and environment of the process.
#[derive(Debug, Parser)]
#[command(
    name = "exchequer",
    version,
    about = "A payment gateway of your own: one ledger, several APIs, hosted pages.",
    after_help = "Without any setting the server runs in test mode: private database, simulated \
                  chains, demo accounts, no real money."
)]
pub struct Cli {
    #[command(flatten)]
    pub settings: Settings,

    /// What to do; `serve` when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the server until it is told to stop.
    Serve,
    /// Make (or show again) the demo accounts of a test instance, with the address its server was
    /// started at last, unless an address or a URL is given here. A static key that only the server
    /// was given is not known here.
    Demo {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Bring the database up to this version's shape.
    Migrate,
    /// Prove the books: exit code 1 when any check finds a violation.
    Audit {
        /// Compare the books with the chains and their nodes instead, and explain each difference. Exit
        /// code 1 when one is not explained, 2 when a node could not be compared.
        #[arg(long)]
        chain: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Look after the account that pays withdrawals of ether and tokens: what waits there, signatures
    /// by hand, higher fees, going on after a pause.
    Treasury {
        #[command(subcommand)]
        command: TreasuryCommand,
    },
    /// Book coins that the house sent to an account of its own, to pay gas or withdrawals with; until
    /// then they are in no book, and `audit --chain` calls them not explained.
    OwnFunds {
        #[command(subcommand)]
        command: OwnFundsCommand,
    },
    /// Hold the key of one account and sign what its policy allows; a process of its own, which reads
    /// neither the database nor any other setting.
    #[cfg(unix)]
    Signer(SignerArgs),
    /// Measure this machine by the side of pgbench's TPC-B, in a database of its own that is
    /// dropped afterwards; or how fast a chain is followed, or when a payer sees a payment.
    Bench(BenchArgs),
}

/// Every setting as it was written. An empty value counts as none.
#[derive(Clone, Default, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Address and port to listen on. [default: 127.0.0.1:3000]
    #[arg(
        long,
        env = "EXCHEQUER_LISTEN",
        global = true,
        value_name = "ADDRESS:PORT"
    )]
    pub listen: Option<String>,

    /// Port, or address and port, that metrics for Prometheus are served on, to whoever reaches it; a
    /// port alone is one of this machine only. [default: none]
    #[arg(
        long,
        env = "EXCHEQUER_METRICS_LISTEN",
        global = true,
        value_name = "PORT|ADDRESS:PORT"
    )]
    pub metrics_listen: Option<String>,

    /// Seconds, 300 at most, for which requests are still taken after the process was asked to stop,
    /// while /health/ready says 503 already.
    #[arg(
        long,
        env = "EXCHEQUER_DRAIN_SECONDS",
        global = true,
        value_name = "SECONDS"
    )]
    #[arg(default_value = "0")]
    pub drain_seconds: String,

    /// Base of every link: scheme and host as customers reach them. Needed in live mode.
    /// [default: http://<listen>]
    #[arg(long, env = "EXCHEQUER_PUBLIC_URL", global = true, value_name = "URL")]
    pub public_url: Option<String>,

    /// `test`: demo accounts, simulated chains, a clock that can be moved. `live`: none of these.
    #[arg(long, env = "EXCHEQUER_MODE", global = true, value_name = "test|live")]
    #[arg(default_value = "test")]
    pub mode: String,

    /// Postgres to use. [default: a private one in the data folder]
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,

    /// Connections to the database at most, 2 to 1000; up to 8 more follow chains and make accounts, and in test
    /// mode 4 more are for simulated chains.
    #[arg(
        long,
        env = "EXCHEQUER_DB_CONNECTIONS",
        global = true,
        value_name = "NUMBER"
    )]
    #[arg(default_value = "40")]
    pub db_connections: String,

    /// Folder of the private database. [default: /var/lib/exchequer for root, else
    /// $XDG_DATA_HOME/exchequer or ~/.local/share/exchequer]
    #[arg(long, env = "EXCHEQUER_DATA_DIR", global = true, value_name = "FOLDER")]
    pub data_dir: Option<String>,

    /// Folder with Postgres' programs, for the private database. [default: looked for]
    #[arg(long, env = "EXCHEQUER_PG_BIN", global = true, value_name = "FOLDER")]
    pub pg_bin: Option<String>,

    /// Static key of the Orders API; use 32 or more random characters. [default: off; in test mode
    /// one is derived from the database]
    #[arg(long, env = "EXCHEQUER_STATIC_KEY", global = true, value_name = "KEY")]
    #[arg(hide_env_values = true)]
    pub static_key: Option<String>,

    /// Requests a minute per key; without a key, and on public pages, per address. [default: 120; in
    /// test mode 6000]
    #[arg(
        long,
        env = "EXCHEQUER_RATE_LIMIT",
        global = true,
        value_name = "NUMBER"
    )]
    pub rate_limit: Option<String>,

    /// Whether webhooks and callbacks may go to private and loopback addresses. [default: off; in test
    /// mode on]
    #[arg(
        long,
        env = "EXCHEQUER_WEBHOOK_ALLOW_PRIVATE",
        global = true,
        value_name = "on|off"
    )]
    pub webhook_allow_private: Option<String>,

    /// Whether the sandbox endpoints of test mode answer others than this machine.
    #[arg(
        long,
        env = "EXCHEQUER_SANDBOX_PUBLIC",
        global = true,
        value_name = "on|off"
    )]
    #[arg(default_value = "off")]
    pub sandbox_public: String,

    /// Addresses of proxies in front of this server; only their X-Forwarded-For and X-Forwarded-Proto
    /// are believed.
    /// [default: none]
    #[arg(
        long,
        env = "EXCHEQUER_TRUSTED_PROXIES",
        global = true,
        value_name = "IP,IP"
    )]
    pub trusted_proxies: Option<String>,

    /// Our margin on rates, in hundredths of a percent.
    #[arg(
        long,
        env = "EXCHEQUER_SPREAD_BASIS_POINTS",
        global = true,
        value_name = "NUMBER"
    )]
    #[arg(default_value = "0")]
    pub spread_basis_points: String,

    /// Age in seconds from which a rate is not quoted any more.
    #[arg(
        long,
        env = "EXCHEQUER_RATE_STALE_SECONDS",
        global = true,
        value_name = "SECONDS"
    )]
    #[arg(default_value = "600")]
    pub rate_stale_seconds: String,

    /// Folder with the built style sheets and scripts. [default: target/site, else `site` beside
    /// the program]
    #[arg(
        long,
        env = "EXCHEQUER_SITE_ROOT",
        global = true,
        value_name = "FOLDER"
    )]
    pub site_root: Option<String>,

    /// What to log, as tracing directives such as `info,sqlx=warn`. [default: info; `warn` for
    /// commands that end]
    #[arg(long, env = "EXCHEQUER_LOG", global = true, value_name = "DIRECTIVES")]
    pub log: Option<String>,

    /// Shape of log lines.
    #[arg(
        long,
        env = "EXCHEQUER_LOG_FORMAT",
        global = true,
        value_name = "text|json"
    )]
    #[arg(default_value = "text")]
    pub log_format: String,

    #[command(flatten)]
    pub chains: ChainArgs,
}

/// Never shows a value: several are secrets.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settings(..)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_may_stand_on_either_side_of_the_command() {
        for line in [
            ["exchequer", "--mode=live", "demo"],
            ["exchequer", "demo", "--mode=live"],
        ] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert_eq!(cli.settings.mode, "live");
            assert_eq!(cli.command, Some(Command::Demo { json: false }));
        }
    }

    #[test]
    fn help_names_every_variable() {
        let help = Cli::command().render_long_help().to_string();
        for argument in Cli::command().get_arguments() {
            if let Some(variable) = argument.get_env() {
                let variable = variable.to_str().unwrap();
                assert!(help.contains(variable), "{variable}");
            }
        }
        assert!(
            help.contains("EXCHEQUER_LISTEN") && help.contains("DATABASE_URL"),
            "{help}"
        );
    }

    /// Help shows what a variable holds, unless it is told not to. Whoever runs a node for others puts
    /// their key into its URL.
    #[test]
    fn help_does_not_show_what_may_be_a_secret() {
        let endings = ["_KEY", "_PASSWORD", "_ACCOUNT", "_ACCOUNT_USDT", "_URL"];
        let mut hidden = 0;
        for argument in Cli::command().get_arguments() {
            let Some(variable) = argument.get_env() else {
                continue;
            };
            let variable = variable.to_str().unwrap();
            let is_secret = variable != "EXCHEQUER_PUBLIC_URL"
                && endings.iter().any(|ending| variable.ends_with(ending));
            assert_eq!(argument.is_hide_env_values_set(), is_secret, "{variable}");
            hidden += usize::from(is_secret);
        }
        assert!(hidden >= 11, "only {hidden} of them");
    }

    #[test]
    fn what_was_said_is_not_shown() {
        let line = [
            "exchequer",
            "--database-url=postgres://exchequer:geheim@db/exchequer",
            "--static-key=geheim",
            "--chain-btc-password=geheim",
        ];
        let cli = Cli::try_parse_from(line).unwrap();
        assert_eq!(cli.settings.static_key.as_deref(), Some("geheim"));
        assert!(!format!("{cli:?}").contains("geheim"), "{cli:?}");
    }

    #[test]
    fn every_setting_has_a_variable_and_says_its_default() {
        for argument in Cli::command().get_arguments() {
            let id = argument.get_id().as_str().to_owned();
            if ["help", "version"].contains(&id.as_str()) {
                continue;
            }
            assert!(argument.get_env().is_some(), "{id}");
            let help = argument
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let says = help.contains("[default:") || !argument.get_default_values().is_empty();
            assert!(says, "{id}: {help}");
        }
    }
}
