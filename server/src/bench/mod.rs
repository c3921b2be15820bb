//! `exchequer bench`: how fast this machine is, by the side of what its Postgres can do at best.
//!
//! Every round runs pgbench's TPC-B and each of our measurements, one after the other, so that a
//! machine that slows down slows all of them down. The server is the real one, with its workers, in
//! this process; it is spoken to through sockets of the loopback interface only. The database is made
//! for the bench, in the cluster the settings name, and dropped at its end, also after an error or
//! Ctrl-C.
//!
//! Invariants: nothing but the bench's own database is written to; a run ends by itself; a failed
//! request, or books that are not in order afterwards, make it an error and no table.

mod audit;
mod callbacks;
mod chain;
mod checkout;
mod connection;
mod figure;
mod load;
mod orders;
mod processing;
mod report;
mod scratch;
mod tpcb;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use gateway::Gateway;
use gateway::demo::DemoSet;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::callbacks::Callbacks;
use self::load::Crowd;
use self::report::Report;
use self::scratch::{Programs, Scratch};
use self::tpcb::Tpcb;
use crate::commands::print;
use crate::config::{Config, DatabaseSetting};
use crate::database::Database;
use crate::serve::answer;
use crate::shutdown::Shutdown;

/// The widest limit that can be set: the bench measures work, not refusals.
const RATE_LIMIT_PER_MINUTE: u32 = 1_000_000;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The APIs, the checkout, callbacks and the audit.
    Server,
    /// How fast blocks are read, and how soon a payment is seen. Its chain is made up in this process.
    Chain,
}

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Plan {
    /// Seconds of each measurement in a round.
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,

    /// Rounds; the table shows their medians.
    #[arg(long, default_value_t = 3, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=50))]
    pub rounds: u32,

    /// Connections that ask at the same time, of pgbench as of our own clients.
    #[arg(long, default_value_t = 32, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=128))]
    pub connections: u32,

    /// Scale of pgbench's tables: 100 000 accounts each.
    #[arg(long, default_value_t = 10, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub scale: u32,
}

impl Plan {
    /// How long one measurement lasts.
    fn round(self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }
}

/// The server under test.
struct Site {
    address: SocketAddr,
    demo: DemoSet,
    plan: Plan,
    stop: Shutdown,
}

impl Site {
    /// As many clients as the plan says, for a round.
    fn crowd(&self) -> Crowd {
        Crowd {
            address: self.address,
            clients: usize::try_from(self.plan.connections).unwrap_or(1),
            lasts: self.plan.round(),
            calls_max: u64::MAX,
            stop: self.stop.clone(),
        }
    }
}

/// Measures and prints a table, or one JSON object.
///
/// # Errors
/// A program of Postgres is missing, a request failed, the books are not in order, or the bench was
/// interrupted.
pub async fn bench(
    config: Config,
    part: Part,
    plan: Plan,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let programs = Programs::find(bin_dir(&config.database))?;
    let shutdown = Shutdown::on_signal();
    let cluster = Database::start(&config.database).await?;
    let measured = in_scratch(&cluster.url(), config, part, plan, &programs, shutdown).await;
    let stopped = cluster.stop().await;
    let report = measured?;
    stopped?;
    if as_json {
        print(&format!("{:#}", report.json()))?;
    } else {
        print(&report.table())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn bin_dir(database: &DatabaseSetting) -> Option<&Path> {
    match database {
        DatabaseSetting::Private { bin_dir, .. } => bin_dir.as_deref(),
        DatabaseSetting::Url(_) => None,
    }
}

async fn in_scratch(
    cluster_url: &str,
    config: Config,
    part: Part,
    plan: Plan,
    programs: &Programs,
    shutdown: Shutdown,
) -> anyhow::Result<Report> {
    let scratch = Scratch::create(programs, cluster_url).await?;
    let tpcb = Tpcb {
        pgbench: &programs.pgbench,
        access: scratch.access(),
        plan,
    };
    let config = for_bench(config);
    let measured = match part {
        Part::Server => on_server(scratch.url(), &config, &tpcb, shutdown).await,
        Part::Chain => chain::measure(scratch.url(), config, &tpcb, shutdown).await,
    };
    let removed = scratch.remove().await;
    let report = measured?;
    removed?;
    Ok(report)
}

/// Test mode on loopback with nothing in the way, whatever else is configured.
fn for_bench(config: Config) -> Config {
    Config {
        test_mode: true,
        public_url: None,
        static_key: None,
        rate_limit_per_minute: RATE_LIMIT_PER_MINUTE,
        webhook_allow_private: true,
        sandbox_public: false,
        trusted_proxies: Vec::new(),
        ..config
    }
}

/// Runs the real server beside the measurements and stops it in order, whatever came of them.
async fn on_server(
    database_url: &str,
    config: &Config,
    tpcb: &Tpcb<'_>,
    mut shutdown: Shutdown,
) -> anyhow::Result<Report> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let database = Database::Named(database_url.to_owned());
    let gateway = database.open(config, config.public_url_at(address)).await?;
    let site = Site {
        address,
        demo: gateway.demo().await?,
        plan: tpcb.plan,
        stop: shutdown.clone(),
    };
    let (stop, stopping) = watch::channel(false);
    let server = tokio::spawn(answer(
        listener,
        config.clone(),
        gateway.clone(),
        Shutdown::following(stopping),
    ));
    let measured = tokio::select! {
        measured = measure(&site, &gateway, tpcb) => measured,
        () = shutdown.requested() => Err(anyhow::anyhow!("interrupted")),
    };
    // A server that ended by itself does not listen any more.
    let _ = stop.send(true);
    let served = server.await.context("the server under test broke off");
    let report = measured?;
    served??;
    Ok(report)
}

/// All rounds, then the audit of what they left.
async fn measure(site: &Site, gateway: &Gateway, tpcb: &Tpcb<'_>) -> anyhow::Result<Report> {
    let plan = site.plan;
    say(&format!("filling TPC-B's tables at scale {}", plan.scale));
    tpcb.fill().await?;
    processing::fund(site).await?;
    let mut callbacks = Callbacks::start(site).await?;
    let mut report = Report::new(plan);
    for round in 1..=plan.rounds {
        tpcb.measure(&mut report).await?;
        orders::measure(site, &mut report).await?;
        processing::exchange(site, round, &mut report).await?;
        checkout::measure(site, &mut report).await?;
        callbacks.measure(site, &mut report).await?;
        processing::withdraw(site, round, &mut report).await?;
        say(&format!(
            "round {round} of {}: {}",
            plan.rounds,
            report.latest()
        ));
    }
    say("auditing");
    audit::measure(gateway, plan.rounds, &mut report).await?;
    Ok(report)
}

/// Progress, for whoever watches.
fn say(line: &str) {
    // Nobody watching is no reason to stop.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn plan(arguments: &[&str]) -> Option<(Plan, bool)> {
        let (part, plan, json) = read(arguments)?;
        assert_eq!(part, Part::Server);
        Some((plan, json))
    }

    fn read(arguments: &[&str]) -> Option<(Part, Plan, bool)> {
        let line = ["exchequer", "bench"].iter().chain(arguments);
        match Cli::try_parse_from(line).ok()?.command? {
            Command::Bench { part, plan, json } => Some((part, plan, json)),
            _ => None,
        }
    }

    #[test]
    fn the_chain_is_measured_when_it_is_named() {
        let (part, plan, json) = read(&["chain", "--rounds", "1"]).unwrap();
        assert_eq!((part, plan.rounds, json), (Part::Chain, 1, false));
        assert_eq!(read(&["server"]).unwrap().0, Part::Server);
        assert!(read(&["blocks"]).is_none());
    }

    #[test]
    fn sizes_have_defaults_and_ends() {
        let usual = Plan {
            seconds: 5,
            rounds: 3,
            connections: 32,
            scale: 10,
        };
        assert_eq!(plan(&[]), Some((usual, false)));
        let (small, json) = plan(&["--rounds", "1", "--json"]).unwrap();
        assert_eq!(small, Plan { rounds: 1, ..usual });
        assert!(json);
        for wrong in [
            ["--seconds", "0"],
            ["--rounds", "51"],
            ["--connections", "129"],
            ["--scale", "x"],
        ] {
            assert_eq!(plan(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_live_instance_is_measured_in_test_mode_on_this_machine() {
        let arguments = [
            "exchequer",
            "--mode=live",
            "--public-url=https://pay.example",
            "--rate-limit=5",
            "--sandbox-public=on",
            "--database-url=postgres://localhost/live",
        ];
        let settings = Cli::try_parse_from(arguments).unwrap().settings;
        let config = for_bench(Config::read(&settings).ok().unwrap());
        assert!(config.test_mode && config.webhook_allow_private && !config.sandbox_public);
        assert_eq!(config.rate_limit_per_minute, RATE_LIMIT_PER_MINUTE);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 4_000));
        assert_eq!(config.public_url_at(address), "http://127.0.0.1:4000");
    }
}
