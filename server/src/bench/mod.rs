//! `exchequer bench`: how fast this machine is, by the side of what its Postgres can do at best.
//!
//! Every round runs pgbench's TPC-B, other ledgers if there are any, and each of our measurements, one
//! after the other, so that a machine that slows down slows all of them down. The server is the real
//! one, with its workers, in this process; it is spoken to through sockets of the loopback interface
//! only. The database is made for the bench, in the cluster the settings name, and dropped at its end,
//! also after an error or Ctrl-C; so are those of other ledgers.
//!
//! Invariants: nothing but the bench's own databases is written to; a run ends by itself; a failed
//! request, or books that are not in order afterwards, make it an error and no table.

mod anchors;
mod audit;
mod callbacks;
mod chain;
mod chart;
mod checkout;
mod connection;
mod cpu;
mod figure;
mod goals;
mod ledger;
mod load;
mod machine;
mod orders;
mod part;
mod payments;
mod pgbench;
mod plan;
mod plot;
mod processing;
mod purse;
mod regtest;
mod report;
mod rounds;
mod row;
mod scope;
mod scratch;
mod seen;
mod served;
mod shapes;
mod subject;
mod tpcb;
mod watching;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gateway::Gateway;
use gateway::demo::DemoSet;

use self::anchors::{Anchors, Folder};
use self::cpu::Meter;
use self::ledger::Ledger;
use self::load::Crowd;
use self::machine::Machine;
pub use self::part::Part;
use self::part::Parts;
use self::pgbench::Pgbench;
pub use self::plan::{BenchArgs, Measured, Plan};
use self::plot::Sweep;
use self::report::Report;
use self::scope::Scope;
use self::scratch::{Programs, Scratch};
use self::tpcb::Tpcb;
use crate::commands::print;
use crate::config::{Config, DatabaseSetting};
use crate::database::Database;
use crate::shutdown::Shutdown;

/// Connections to Postgres that are neither pgbench's nor the pool's: those beside the pool, listeners
/// and what Postgres keeps for its owner.
const CONNECTIONS_BESIDE: u32 = 20;

/// The widest limit that can be set: the bench measures work, not refusals.
const RATE_LIMIT_PER_MINUTE: u32 = 1_000_000;

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

/// Measures and prints a table, Markdown or one JSON object; or draws.
///
/// # Errors
/// A program of Postgres or a file of another ledger is missing, a request failed, the books are not in
/// order, or the bench was interrupted.
pub async fn bench(config: Config, args: BenchArgs) -> anyhow::Result<ExitCode> {
    let programs = Programs::find(bin_dir(&config.database))?;
    if args.what == Measured::Seen {
        regtest::find(args.bitcoind.as_deref())?;
    }
    let folders = args.folders()?;
    let shutdown = Shutdown::on_signal();
    let cluster = Database::start(&config.database).await?;
    let url = cluster.url();
    let measured = beside_anchors(&url, config, &args, &programs, folders, shutdown).await;
    let stopped = cluster.stop().await;
    let told = measured?;
    stopped?;
    print(&told)?;
    Ok(ExitCode::SUCCESS)
}

fn bin_dir(database: &DatabaseSetting) -> Option<&Path> {
    match database {
        DatabaseSetting::Private { bin_dir, .. } => bin_dir.as_deref(),
        DatabaseSetting::Url(_) => None,
    }
}

/// Where the disk is looked at: in the private cluster's folder, for that is its disk.
fn folder(database: &DatabaseSetting) -> PathBuf {
    match database {
        DatabaseSetting::Private { data_dir, .. } => data_dir.clone(),
        DatabaseSetting::Url(_) => std::env::temp_dir(),
    }
}

/// One bench in its own database.
struct Run<'a> {
    args: &'a BenchArgs,
    programs: &'a Programs,
    /// The database that the bench's own are made beside.
    cluster_url: &'a str,
    /// Name of that database.
    own: &'a str,
    tpcb: Tpcb<'a>,
    /// Other ledgers in the same rounds.
    anchors: &'a Anchors<'a>,
    /// Where the disk is looked at.
    folder: PathBuf,
}

impl Run<'_> {
    /// Clients that pgbench may have beside the gateway, what all is measured on, and what reads its CPU
    /// time.
    async fn look(&self, gateway: &Gateway) -> anyhow::Result<(u32, Machine, Meter)> {
        let meter = Meter::find(gateway::bench::backend(gateway).await?, self.own);
        let facts = gateway::bench::facts(gateway).await?;
        let room = room(
            facts.max_connections,
            gateway.settings().database_connections,
        );
        let machine = Machine::look(self.folder.clone(), facts).await?;
        Ok((room, machine, meter))
    }
}

/// The whole bench, with a database for each of the other ledgers until it ends.
async fn beside_anchors(
    cluster_url: &str,
    config: Config,
    args: &BenchArgs,
    programs: &Programs,
    folders: Vec<Folder>,
    shutdown: Shutdown,
) -> anyhow::Result<String> {
    let anchors = Anchors::create(programs, cluster_url, folders).await?;
    let measured = in_scratch(cluster_url, config, args, programs, &anchors, shutdown).await;
    let removed = anchors.remove().await;
    let told = measured?;
    removed?;
    Ok(told)
}

async fn in_scratch(
    cluster_url: &str,
    config: Config,
    args: &BenchArgs,
    programs: &Programs,
    anchors: &Anchors<'_>,
    shutdown: Shutdown,
) -> anyhow::Result<String> {
    let scratch = Scratch::create(programs, cluster_url).await?;
    let run = Run {
        args,
        programs,
        cluster_url,
        own: scratch.name(),
        tpcb: Tpcb(Pgbench {
            program: &programs.pgbench,
            access: scratch.access(),
            plan: args.plan,
        }),
        anchors,
        folder: folder(&config.database),
    };
    let config = for_bench(config);
    let measured = match args.what {
        Measured::Server => {
            served::during(
                scratch.url(),
                &config,
                args.plan,
                shutdown,
                async |site: &Site, gateway: &Gateway| told(site, gateway, &run).await,
            )
            .await
        }
        Measured::Chain => chain::measure(scratch.url(), config, &run, shutdown).await,
        Measured::Seen => seen::measure(scratch.url(), config, &run, shutdown).await,
    };
    let removed = scratch.remove().await;
    let told = measured?;
    removed?;
    Ok(told)
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

/// Measures what was asked for; answers it as it is printed.
async fn told(site: &Site, gateway: &Gateway, run: &Run<'_>) -> anyhow::Result<String> {
    let (args, plan) = (run.args, run.args.plan);
    say(&format!("filling TPC-B's tables at scale {}", plan.scale));
    run.tpcb.fill().await?;
    run.anchors.fill().await?;
    let ledger = Ledger::open(gateway, run.own, plan, site.stop.clone()).await?;
    let (room, machine, meter) = run.look(gateway).await?;
    if let Some(folder) = &args.plot {
        let sweep = Sweep {
            gateway,
            ledger: &ledger,
            tpcb: &run.tpcb,
            room,
            machine: machine.text().replace('\n', "; "),
        };
        return sweep.draw(folder, args.plot_rows).await;
    }
    let parts = Parts::of(&args.only);
    if plan.rows > 0 {
        say(&format!("loading {} postings", plan.rows));
        ledger.grow_to(plan.rows).await?;
    }
    let mut report = Report::new(Scope::server(plan), machine, meter);
    report.set_anchors(run.anchors.names());
    rounds::all(site, gateway, run, &ledger, &parts, room, &mut report).await?;
    say("auditing");
    if parts.has(Part::Audit) {
        audit::measure(gateway, plan.rounds, &mut report).await?;
    } else {
        report.set_postings(audit::prove(gateway).await?);
    }
    Ok(args.shape(&report))
}

/// Clients that pgbench may have beside the pool.
fn room(max_connections: i32, pool: u32) -> u32 {
    u32::try_from(max_connections)
        .unwrap_or(0)
        .saturating_sub(pool)
        .saturating_sub(CONNECTIONS_BESIDE)
        .max(1)
}

/// Progress, for whoever watches.
fn say(line: &str) {
    // Nobody watching is no reason to stop.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;

    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn pgbench_leaves_room_for_the_server() {
        assert_eq!(room(200, 40), 140);
        assert_eq!(room(100, 40), 40);
        assert_eq!(room(20, 40), 1);
        assert_eq!(room(-1, 40), 1);
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
