//! A page of a long statement: the newest lines, the oldest ones, and how many there are.

use std::time::Instant;

use super::super::report::Report;
use super::super::subject::{Subject, Unit};
use super::Ledger;

/// Lines of a page.
const LINES: i64 = 50;

/// Looks at each in a round.
const LOOKS: usize = 100;

const fn row(key: &'static str, label: &'static str) -> [(usize, Subject); 1] {
    let unit = Unit::Milliseconds;
    [(500, Subject { key, label, unit })]
}

const FIRST: [(usize, Subject); 1] = row("page_first", "statement, first page, p50");
const LAST: [(usize, Subject); 1] = row("page_last", "statement, last page, p50");
const TOTAL: [(usize, Subject); 1] = row("total_count", "statement, number of lines, p50");

impl Ledger {
    /// One round, through the use cases that the pages and APIs use. The kinds take turns.
    pub(in crate::bench) async fn pages(&self, report: &mut Report) -> anyhow::Result<()> {
        let (merchant, wallet) = self.bench.long_statement().await?;
        let (mut first, mut last, mut total) = (Vec::new(), Vec::new(), Vec::new());
        let mut lines = 0;
        for _ in 0..LOOKS {
            let asked_at = Instant::now();
            self.gateway
                .statement(merchant, wallet, None, LINES)
                .await?;
            first.push(asked_at.elapsed());
            let asked_at = Instant::now();
            self.gateway
                .statement(merchant, wallet, Some(LINES + 1), LINES)
                .await?;
            last.push(asked_at.elapsed());
            let asked_at = Instant::now();
            lines = self.gateway.find_wallet(merchant, wallet).await?.version;
            total.push(asked_at.elapsed());
        }
        for (times, subject) in [(&mut first, FIRST), (&mut last, LAST), (&mut total, TOTAL)] {
            times.sort_unstable();
            report.add_quantiles(&subject, times)?;
        }
        report.set_lines(u64::try_from(lines)?);
        Ok(())
    }
}
