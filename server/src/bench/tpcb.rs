//! The yardstick: TPC-B as pgbench runs it, in the same database, at its best number of clients.

use std::ffi::OsString;
use std::time::Duration;

use super::cpu::Meter;
use super::figure::Figure;
use super::pgbench::Pgbench;
use super::report::Report;
use super::subject::{TPCB, TPCB_LATENCY};

/// Longest wait for one unit of scale to be filled in.
const FILL_WAIT_MAX: Duration = Duration::from_secs(60);

/// pgbench on the database of the bench.
pub(super) struct Tpcb<'a>(pub(super) Pgbench<'a>);

impl Tpcb<'_> {
    /// Makes and fills pgbench's tables, which lie beside the server's and touch none of them.
    pub(super) async fn fill(&self) -> anyhow::Result<()> {
        let scale = self.0.plan.scale;
        let arguments = ["--initialize", "--quiet", "--scale"].map(OsString::from);
        let arguments = arguments.into_iter().chain([scale.to_string().into()]);
        self.0
            .call(arguments.collect(), FILL_WAIT_MAX * scale)
            .await?;
        Ok(())
    }

    /// One round: each number of clients in turn, `room` at most; the best of them counts.
    pub(super) async fn measure(&self, room: u32, report: &mut Report) -> anyhow::Result<()> {
        let ran = self.0.best(None, room, report.meter).await?;
        report.add_rate(TPCB, ran.rate, ran.spent.each(ran.transactions));
        report.add(TPCB_LATENCY, ran.latency);
        Ok(())
    }

    /// Transactions a second with so many clients.
    pub(super) async fn rate(&self, clients: u32) -> anyhow::Result<Figure> {
        let ran = self.0.run(None, clients, Meter::default()).await?;
        Ok(ran.rate)
    }
}
