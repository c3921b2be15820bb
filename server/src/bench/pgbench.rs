//! pgbench on one database, with its own TPC-B or with a script.

use std::ffi::OsString;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;

use super::Plan;
use super::cpu::{Meter, Spent};
use super::figure::Figure;
use super::scratch::{Access, run as run_program};

/// How much longer than its time a run may take.
const RUN_GRACE: Duration = Duration::from_secs(60);

/// The program and what it works on.
pub(super) struct Pgbench<'a> {
    pub(super) program: &'a Path,
    pub(super) access: &'a Access,
    pub(super) plan: Plan,
}

/// What one run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ran {
    /// Transactions a second, connecting left out.
    pub(super) rate: Figure,
    /// Average of a transaction, milliseconds.
    pub(super) latency: Figure,
    /// Transactions that went well, at least one.
    pub(super) transactions: u64,
    /// From the program's start to its end, so with what it takes to connect.
    pub(super) spent: Spent,
}

impl Pgbench<'_> {
    /// Each number of clients in turn, `room` at most; the one with the highest rate.
    pub(super) async fn best(
        &self,
        script: Option<&Path>,
        room: u32,
        meter: Meter,
    ) -> anyhow::Result<Ran> {
        let mut best: Option<Ran> = None;
        for clients in clients(self.plan.tpcb_clients.min(room)) {
            let ran = self.run(script, clients, meter).await?;
            if best.is_none_or(|best| ran.rate > best.rate) {
                best = Some(ran);
            }
        }
        best.context("pgbench was not run at all")
    }

    /// So many clients for the time of a round; TPC-B without a script.
    pub(super) async fn run(
        &self,
        script: Option<&Path>,
        clients: u32,
        meter: Meter,
    ) -> anyhow::Result<Ran> {
        let threads = available_parallelism().map_or(1, |cores| clients.min(whole(cores.get())));
        let [clients, threads] = [clients, threads].map(|count| count.to_string());
        let seconds = self.plan.seconds.to_string();
        let mut arguments: Vec<OsString> = [
            "--protocol=prepared",
            "--client",
            clients.as_str(),
            "--jobs",
            threads.as_str(),
            "--time",
            seconds.as_str(),
        ]
        .iter()
        .map(OsString::from)
        .collect();
        if let Some(script) = script {
            arguments.extend(scripted(script));
        }
        let wait_max = self.plan.round() + RUN_GRACE;
        let lap = meter.start().await;
        let output = self.call(arguments, wait_max).await?;
        let spent = lap.stop().await;
        parse(&output, spent)
            .with_context(|| format!("pgbench said nothing of its rate:\n{output}"))
    }

    /// Runs it to its end; answers what it printed.
    pub(super) async fn call(
        &self,
        mut arguments: Vec<OsString>,
        wait_max: Duration,
    ) -> anyhow::Result<String> {
        arguments.push(self.access.url().into());
        run_program(self.program, &arguments, self.access, wait_max).await
    }
}

/// A script instead of TPC-B. None of TPC-B's tables need be there.
fn scripted(script: &Path) -> [OsString; 2] {
    let mut file = OsString::from("--file=");
    file.push(script);
    // Without a weight, what follows an @ in the path would be read as one.
    file.push("@1");
    [file, "--no-vacuum".into()]
}

/// 16, 32 and 64 as far as they are below `most`, then `most` itself.
fn clients(most: u32) -> Vec<u32> {
    let below = [16, 32, 64].into_iter().filter(|count| *count < most);
    below.chain([most.max(1)]).collect()
}

fn whole(cores: usize) -> u32 {
    u32::try_from(cores).unwrap_or(u32::MAX)
}

/// Versions before 14 print the rate with connecting first.
fn parse(output: &str, spent: Spent) -> Option<Ran> {
    let value = |name: &str| {
        let mut lines = output.lines().rev();
        let text = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(" = "))?;
        Figure::parse(text.split_whitespace().next()?)
    };
    let mut lines = output.lines();
    let counted = lines.find_map(|line| {
        line.trim()
            .strip_prefix("number of transactions actually processed: ")
    })?;
    Some(Ran {
        rate: value("tps").filter(|rate| *rate > Figure::default())?,
        latency: value("latency average")?,
        transactions: counted
            .trim()
            .parse::<u64>()
            .ok()
            .filter(|count| *count > 0)?,
        spent,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const VERSION_15: &str = "\
pgbench (15.18 (Debian 15.18-0+deb12u1))
transaction type: <builtin: TPC-B (sort of)>
scaling factor: 10
query mode: prepared
number of clients: 32
number of threads: 2
maximum number of tries: 1
duration: 5 s
number of transactions actually processed: 6022
number of failed transactions: 0 (0.000%)
latency average = 26.587 ms
initial connection time = 48.112 ms
tps = 1203.583921 (without initial connection time)
";

    const VERSION_13: &str = "\
transaction type: <builtin: TPC-B (sort of)>
number of transactions actually processed: 6022
latency average = 26.587 ms
tps = 1190.000001 (including connections establishing)
tps = 1203.583921 (excluding connections establishing)
";

    fn read(output: &str) -> Option<Ran> {
        parse(output, Spent::default())
    }

    #[test]
    fn both_forms_of_the_output_are_read() {
        for output in [VERSION_15, VERSION_13] {
            let ran = read(output).unwrap();
            assert_eq!(ran.rate.text(3), "1203.583", "{output}");
            assert_eq!(ran.latency.text(3), "26.587", "{output}");
            assert_eq!(ran.transactions, 6_022, "{output}");
        }
    }

    #[test]
    fn the_best_of_three_numbers_of_clients_is_looked_for_where_there_is_room() {
        assert_eq!(clients(64), [16, 32, 64]);
        assert_eq!(clients(49), [16, 32, 49]);
        assert_eq!(clients(16), [16]);
        assert_eq!(clients(2), [2]);
        assert_eq!(clients(0), [1]);
        assert_eq!(clients(100), [16, 32, 64, 100]);
    }

    #[test]
    fn output_without_a_figure_is_none() {
        for (told, untold) in [
            ("tps = 1203.583921", "tps = nan"),
            ("tps = 1203.583921", "tps = 0.000000"),
            ("latency average", "latency stddev"),
            ("processed: 6022", "processed: 0"),
            ("processed: 6022", "processed: none"),
            ("number of transactions", "transactions"),
        ] {
            let output = VERSION_15.replace(told, untold);
            assert_ne!(output, VERSION_15, "{told}");
            assert_eq!(read(&output), None, "{untold}");
        }
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_script_has_its_weight_whatever_its_path_is() {
        let [file, no_vacuum] = scripted(Path::new("a b@2/hot.sql"));
        assert_eq!(file, "--file=a b@2/hot.sql@1");
        assert_eq!(no_vacuum, "--no-vacuum");
    }
}
