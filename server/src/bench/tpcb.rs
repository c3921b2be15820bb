//! The yardstick: TPC-B as pgbench runs it, in the same database, at its best number of clients.

use std::ffi::OsString;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;

use super::Plan;
use super::figure::Figure;
use super::report::{Report, TPCB, TPCB_LATENCY};
use super::scratch::{Access, run as run_program};

/// Longest wait for one unit of scale to be filled in.
const FILL_WAIT_MAX: Duration = Duration::from_secs(60);

/// How much longer than its time a run may take.
const RUN_GRACE: Duration = Duration::from_secs(60);

/// pgbench on the database of the bench.
pub(super) struct Tpcb<'a> {
    pub(super) pgbench: &'a Path,
    pub(super) access: &'a Access,
    pub(super) plan: Plan,
}

impl Tpcb<'_> {
    /// Makes and fills pgbench's tables, which lie beside the server's and touch none of them.
    pub(super) async fn fill(&self) -> anyhow::Result<()> {
        let scale = self.plan.scale.to_string();
        let arguments = ["--initialize", "--quiet", "--scale", scale.as_str()];
        let wait_max = FILL_WAIT_MAX * self.plan.scale;
        self.pgbench(&arguments, wait_max).await?;
        Ok(())
    }

    /// One round: each number of clients in turn, `room` at most; the best of them counts.
    pub(super) async fn measure(&self, room: u32, report: &mut Report) -> anyhow::Result<()> {
        let mut best: Option<(Figure, Figure)> = None;
        for clients in clients(self.plan.tpcb_clients.min(room)) {
            let seen = self.run(clients).await?;
            if best.is_none_or(|(rate, _)| seen.0 > rate) {
                best = Some(seen);
            }
        }
        let (rate, latency) = best.context("pgbench was not run at all")?;
        report.add(TPCB, rate);
        report.add(TPCB_LATENCY, latency);
        Ok(())
    }

    /// Transactions a second with so many clients, and their average latency.
    pub(super) async fn run(&self, clients: u32) -> anyhow::Result<(Figure, Figure)> {
        let threads = available_parallelism().map_or(1, |cores| clients.min(whole(cores.get())));
        let [clients, threads] = [clients, threads].map(|count| count.to_string());
        let seconds = self.plan.seconds.to_string();
        let arguments = [
            "--protocol=prepared",
            "--client",
            clients.as_str(),
            "--jobs",
            threads.as_str(),
            "--time",
            seconds.as_str(),
        ];
        let output = self
            .pgbench(&arguments, self.plan.round() + RUN_GRACE)
            .await?;
        parse(&output).with_context(|| format!("pgbench said nothing of its rate:\n{output}"))
    }

    async fn pgbench(&self, arguments: &[&str], wait_max: Duration) -> anyhow::Result<String> {
        let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        all.push(self.access.url().into());
        run_program(self.pgbench, &all, self.access, wait_max).await
    }
}

/// 16, 32 and 64 as far as they are below `most`, then `most` itself.
fn clients(most: u32) -> Vec<u32> {
    let below = [16, 32, 64].into_iter().filter(|count| *count < most);
    below.chain([most.max(1)]).collect()
}

fn whole(cores: usize) -> u32 {
    u32::try_from(cores).unwrap_or(u32::MAX)
}

/// Transactions a second, connecting left out, and the average latency. Versions before 14 print the
/// rate with connecting first.
fn parse(output: &str) -> Option<(Figure, Figure)> {
    let value = |name: &str| {
        let mut lines = output.lines().rev();
        let text = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(" = "))?;
        Figure::parse(text.split_whitespace().next()?)
    };
    let rate = value("tps").filter(|rate| *rate > Figure::default())?;
    Some((rate, value("latency average")?))
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

    #[test]
    fn both_forms_of_the_output_are_read() {
        for output in [VERSION_15, VERSION_13] {
            let (rate, latency) = parse(output).unwrap();
            assert_eq!(rate.text(3), "1203.583", "{output}");
            assert_eq!(latency.text(3), "26.587", "{output}");
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
    fn output_without_a_rate_is_none() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("latency average = 26.587 ms\n"), None);
        assert_eq!(parse("tps = nan\nlatency average = 26.587 ms\n"), None);
        assert_eq!(
            parse("tps = 0.000000 (x)\nlatency average = 1.0 ms\n"),
            None
        );
        assert_eq!(parse("tps = 5.0 (x)\nlatency stddev = 1.0 ms\n"), None);
    }
}
