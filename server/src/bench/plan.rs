//! How much a bench measures, as the command line says it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;

use super::anchors::{Folder, read_all};
use super::part::Part;
use super::report::Report;

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

    /// Connections that stay open and ask at the same time, of the rows that are measured over HTTP.
    #[arg(long, default_value_t = 256, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub connections: u32,

    /// Scale of pgbench's tables: 100 000 accounts each.
    #[arg(long, default_value_t = 10, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub scale: u32,

    /// Clients of pgbench at most; the best of 16, 32, 64 and this counts.
    #[arg(long, default_value_t = 64, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=256))]
    pub tpcb_clients: u32,

    /// Postings the ledger is loaded with before anything is measured.
    #[arg(long, default_value_t = 1_000_000, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub rows: u32,

    /// Ledger entries in flight at the same time.
    #[arg(long, default_value_t = 1_000, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub in_flight: u32,

    /// Accounts that ledger entries are between.
    #[arg(long, default_value_t = 10_000, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub accounts: u32,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Measured {
    /// The ledger, the APIs, the checkout, callbacks and the audit.
    Server,
    /// How fast blocks are read, and how soon a payment is seen. Its chain is made up in this process.
    Chain,
    /// How soon a payer sees his payment on the page, with a real node that is started for it.
    Seen,
}

/// What is measured and how it is told.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct BenchArgs {
    /// What to measure.
    #[arg(value_enum, default_value_t = Measured::Server)]
    pub what: Measured,

    #[command(flatten)]
    pub plan: Plan,

    /// Program of Bitcoin Core that `seen` starts, on a private network and in a folder of its own.
    #[arg(long, value_name = "PROGRAM", required_if_eq("what", "seen"))]
    pub bitcoind: Option<PathBuf>,

    /// Payments of a round of `seen`, as many polled as announced.
    #[arg(long, default_value_t = 40, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=200))]
    pub payments: u32,

    /// Measure only these rows, beside TPC-B. [default: all]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ROW,ROW")]
    pub only: Vec<Part>,

    /// Measure other ledgers, too, in the same rounds: this folder holds one for each, with `schema.sql`,
    /// `uniform.sql` and `hot.sql`.
    #[arg(long, value_name = "FOLDER")]
    pub anchors: Option<PathBuf>,

    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,

    /// Print a table for documents.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,

    /// Measure no rows but how the ledger's throughput goes with its size and with the entries in
    /// flight, and write a picture of each into this folder.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["json", "markdown", "only", "anchors"])]
    pub plot: Option<PathBuf>,

    /// Postings up to which a picture goes, from 10 000 on.
    #[arg(long, default_value_t = 1_000_000, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u32).range(10_000..=10_000_000))]
    pub plot_rows: u32,
}

impl BenchArgs {
    /// The other ledgers that are measured.
    ///
    /// # Errors
    /// A folder cannot be used, or it is not the server that is measured.
    pub(super) fn folders(&self) -> anyhow::Result<Vec<Folder>> {
        let Some(dir) = &self.anchors else {
            return Ok(Vec::new());
        };
        ensure!(
            self.what == Measured::Server,
            "--anchors belongs to `exchequer bench` alone: neither a chain nor a page is compared with them"
        );
        read_all(dir)
    }

    /// What was measured, in the form that was asked for.
    pub(super) fn shape(&self, report: &Report) -> String {
        if self.json {
            format!("{:#}", report.json())
        } else if self.markdown {
            report.markdown()
        } else {
            report.table()
        }
    }
}

impl Plan {
    /// How long one measurement lasts.
    pub(super) fn round(self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use clap::Parser;

    use super::super::plot::FEWEST_ROWS;
    use super::*;
    use crate::cli::{Cli, Command};

    /// The plan without any flag.
    pub(in crate::bench) fn usual() -> Plan {
        Plan {
            seconds: 5,
            rounds: 3,
            connections: 256,
            scale: 10,
            tpcb_clients: 64,
            rows: 1_000_000,
            in_flight: 1_000,
            accounts: 10_000,
        }
    }

    fn read(arguments: &[&str]) -> Option<BenchArgs> {
        let line = ["exchequer", "bench"].iter().chain(arguments);
        match Cli::try_parse_from(line).ok()?.command? {
            Command::Bench(args) => Some(args),
            _ => None,
        }
    }

    #[test]
    fn sizes_have_defaults_and_ends() {
        let args = read(&[]).unwrap();
        assert_eq!(args.plan, usual());
        assert!(!args.json && !args.markdown && args.only.is_empty() && args.plot.is_none());
        let args = read(&["--rounds", "1", "--json", "--rows", "0"]).unwrap();
        let small = Plan {
            rounds: 1,
            rows: 0,
            ..usual()
        };
        assert_eq!(args.plan, small);
        assert!(args.json);
        for wrong in [
            ["--seconds", "0"],
            ["--rounds", "51"],
            ["--connections", "1025"],
            ["--scale", "x"],
            ["--tpcb-clients", "0"],
            ["--rows", "10000001"],
            ["--rows", "-1"],
            ["--in-flight", "0"],
            ["--accounts", "1"],
            ["--only", "everything"],
            ["--plot-rows", "9999"],
        ] {
            assert_eq!(read(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_chain_is_measured_when_it_is_named() {
        let args = read(&["chain", "--rounds", "1"]).unwrap();
        assert_eq!((args.what, args.plan.rounds), (Measured::Chain, 1));
        assert_eq!(read(&[]).unwrap().what, Measured::Server);
        assert_eq!(read(&["server"]).unwrap().what, Measured::Server);
        assert_eq!(read(&["blocks"]), None);
    }

    #[test]
    fn a_real_node_has_to_be_named() {
        assert_eq!(read(&["seen"]), None);
        let args = read(&["seen", "--bitcoind", "/opt/bitcoind", "--payments", "3"]).unwrap();
        assert_eq!((args.what, args.payments), (Measured::Seen, 3));
        assert_eq!(args.bitcoind, Some(PathBuf::from("/opt/bitcoind")));
        assert_eq!(read(&[]).unwrap().payments, 40);
        for wrong in ["0", "201"] {
            assert_eq!(
                read(&["seen", "--bitcoind", "b", "--payments", wrong]),
                None
            );
        }
    }

    #[test]
    fn other_ledgers_are_read_from_a_folder_and_only_beside_the_server() {
        assert!(read(&[]).unwrap().folders().unwrap().is_empty());
        let complaint = |arguments: &[&str]| {
            let folders = read(arguments).unwrap().folders();
            format!("{:#}", folders.unwrap_err())
        };
        let nowhere = complaint(&["--anchors", "/nonexistent", "--json", "--only", "ledger"]);
        assert!(nowhere.contains("/nonexistent cannot be read"), "{nowhere}");
        let of_chain = complaint(&["chain", "--anchors", "/nonexistent"]);
        assert!(of_chain.starts_with("--anchors belongs"), "{of_chain}");
    }

    #[test]
    fn rows_are_picked_by_name_and_forms_exclude_each_other() {
        let args = read(&["--only", "ledger,per-call", "--only", "audit", "--markdown"]).unwrap();
        assert_eq!(args.only, [Part::Ledger, Part::PerCall, Part::Audit]);
        assert!(args.markdown);
        assert_eq!(read(&["--json", "--markdown"]), None);
        assert_eq!(read(&["--json", "--plot", "docs/images"]), None);
        assert_eq!(read(&["--anchors", "a", "--plot", "docs/images"]), None);
        let args = read(&["--plot", "docs/images", "--plot-rows", "10000"]).unwrap();
        assert_eq!(args.plot, Some(PathBuf::from("docs/images")));
        assert_eq!(args.plot_rows, FEWEST_ROWS);
    }
}
