//! What the rounds measured.
//!
//! Invariant: every row is compared with the TPC-B of the same run: a rate with its rate, a time
//! with its average latency, the audit's time with that of as many TPC-B transactions as it counts
//! postings. Rates are compared with the floor, too.

use std::time::Duration;

use anyhow::Context;

use super::figure::{Figure, Range, median, percentile, quantile};
use super::goals::{GOALS, Verdict};
use super::machine::Machine;
use super::scope::Scope;

/// Postings that the audit's time is told for.
pub(super) const AUDITED: u64 = 1_000_000;

/// What a row's figures count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    PerSecond,
    Milliseconds,
    /// Seconds for [`AUDITED`] postings.
    Seconds,
}

impl Unit {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }

    /// Digits after the point in the table.
    pub(super) fn digits(self) -> u32 {
        match self {
            Self::PerSecond => 1,
            Self::Milliseconds => 2,
            Self::Seconds => 3,
        }
    }
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    /// For programs; never changes.
    pub(super) key: &'static str,
    /// For people.
    pub(super) label: &'static str,
    pub(super) unit: Unit,
}

/// The rate everything else is compared with.
pub(super) const TPCB: Subject = Subject {
    key: "tpcb",
    label: "TPC-B by pgbench",
    unit: Unit::PerSecond,
};

/// The time everything else is compared with.
pub(super) const TPCB_LATENCY: Subject = Subject {
    key: "tpcb_latency",
    label: "TPC-B by pgbench, average latency",
    unit: Unit::Milliseconds,
};

/// Rows without rules, which nothing can be faster than.
pub(super) const FLOOR: Subject = Subject {
    key: "floor",
    label: "floor: the rows alone",
    unit: Unit::PerSecond,
};

/// Half of it is the load under which latency is measured.
pub(super) const LEDGER_UNIFORM: Subject = Subject {
    key: "ledger_uniform",
    label: "ledger, uniform",
    unit: Unit::PerSecond,
};

pub(super) struct Row {
    pub(super) subject: Subject,
    /// One figure a round.
    pub(super) rounds: Vec<Figure>,
}

impl Row {
    /// Median, least and most.
    pub(super) fn spread(&self) -> Option<(Figure, Figure, Figure)> {
        let Range {
            least,
            middle,
            most,
        } = Range::over(&self.rounds)?;
        Some((middle, least, most))
    }
}

/// All rows, in the order in which they were first measured.
pub(super) struct Report {
    pub(super) scope: Scope,
    pub(super) machine: Machine,
    /// Postings of the audited books.
    pub(super) postings: u64,
    /// Lines of the statement whose pages were read.
    pub(super) lines: u64,
    pub(super) rows: Vec<Row>,
}

impl Report {
    pub(super) fn new(scope: Scope, machine: Machine) -> Self {
        Self {
            scope,
            machine,
            postings: 0,
            lines: 0,
            rows: Vec::new(),
        }
    }

    /// Adds what a round measured.
    pub(super) fn add(&mut self, subject: Subject, figure: Figure) {
        let known = self
            .rows
            .iter_mut()
            .find(|row| row.subject.key == subject.key);
        match known {
            Some(row) => row.rounds.push(figure),
            None => self.rows.push(Row {
                subject,
                rounds: vec![figure],
            }),
        }
    }

    /// Adds these percentiles of what a round measured.
    ///
    /// # Errors
    /// There are no times at all.
    pub(super) fn add_percentiles(
        &mut self,
        subjects: &[(usize, Subject)],
        sorted: &[Duration],
    ) -> anyhow::Result<()> {
        for (percent, subject) in subjects {
            let time = percentile(sorted, *percent)
                .with_context(|| format!("nothing was measured of {}", subject.key))?;
            self.add(*subject, Figure::milliseconds(time));
        }
        Ok(())
    }

    /// The same for parts in thousandths.
    ///
    /// # Errors
    /// There are no times at all.
    pub(super) fn add_quantiles(
        &mut self,
        subjects: &[(usize, Subject)],
        sorted: &[Duration],
    ) -> anyhow::Result<()> {
        for (thousandths, subject) in subjects {
            let time = quantile(sorted, *thousandths)
                .with_context(|| format!("nothing was measured of {}", subject.key))?;
            self.add(*subject, Figure::milliseconds(time));
        }
        Ok(())
    }

    pub(super) fn set_postings(&mut self, postings: u64) {
        self.postings = postings;
    }

    pub(super) fn set_lines(&mut self, lines: u64) {
        self.lines = lines;
    }

    /// The last round in one line.
    pub(super) fn latest(&self) -> String {
        let figures = self.rows.iter().filter_map(|row| {
            let unit = row.subject.unit;
            let figure = row.rounds.last()?.text(unit.digits());
            Some(format!("{} {figure} {}", row.subject.key, unit.word()))
        });
        figures.collect::<Vec<_>>().join(", ")
    }

    /// The median by that of TPC-B; `None` without a TPC-B to compare with.
    pub(super) fn to_tpcb(&self, row: &Row) -> Option<Figure> {
        let middle = median(&row.rounds)?;
        let rate = self.median_of(TPCB.key);
        match row.subject.unit {
            Unit::PerSecond => middle.over(rate?),
            Unit::Milliseconds => middle.over(self.median_of(TPCB_LATENCY.key)?),
            Unit::Seconds => middle.over(Figure::whole(AUDITED).over(rate?)?),
        }
    }

    /// The median of a rate by that of the floor.
    pub(super) fn to_floor(&self, row: &Row) -> Option<Figure> {
        match row.subject.unit {
            Unit::PerSecond => median(&row.rounds)?.over(self.median_of(FLOOR.key)?),
            Unit::Milliseconds | Unit::Seconds => None,
        }
    }

    /// What became of the goals about a row.
    pub(super) fn verdicts(&self, row: &Row) -> Vec<Verdict> {
        let about = GOALS.iter().filter(|goal| goal.row == row.subject.key);
        about
            .filter_map(|goal| goal.judge(|key| self.median_of(key)))
            .collect()
    }

    /// The median of the row of this key.
    pub(super) fn median_of(&self, key: &str) -> Option<Figure> {
        let row = self.rows.iter().find(|row| row.subject.key == key)?;
        median(&row.rounds)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::super::machine::tests::machine;
    use super::super::plan::tests::usual;
    use super::*;

    const PAGE: Subject = Subject {
        key: "page_p50",
        label: "page p50",
        unit: Unit::Milliseconds,
    };
    const ORDERS: Subject = Subject {
        key: "orders_created",
        label: "orders created",
        unit: Unit::PerSecond,
    };
    const AUDIT: Subject = Subject {
        key: "audit",
        label: "audit",
        unit: Unit::Seconds,
    };

    /// Three rounds of six rows.
    pub(in crate::bench) fn report() -> Report {
        let mut report = Report::new(Scope::server(usual()), machine());
        let rows: [(Subject, &[&str]); 6] = [
            (TPCB, &["1000", "900", "1100"]),
            (TPCB_LATENCY, &["32", "30", "34.5"]),
            (FLOOR, &["10000", "9000", "11000"]),
            (ORDERS, &["1500", "450.04", "1620"]),
            (PAGE, &["8", "16", "12"]),
            (AUDIT, &["12", "12", "12"]),
        ];
        for (subject, figures) in rows {
            for figure in figures {
                report.add(subject, Figure::parse(figure).unwrap());
            }
        }
        report.set_postings(54_321);
        report.set_lines(1_000);
        report
    }

    /// A report of one row that nothing can be compared with.
    pub(in crate::bench) fn lonely() -> Report {
        let mut report = Report::new(Scope::server(usual()), machine());
        report.add(ORDERS, Figure::whole(5));
        report
    }

    #[test]
    fn rows_are_compared_with_tpcb_and_rates_with_the_floor() {
        let report = report();
        let ratios = |key: &str| {
            let row = report.rows.iter().find(|row| row.subject.key == key);
            let shown = |figure: Option<Figure>| figure.map(|figure| figure.text(3));
            row.map(|row| (shown(report.to_tpcb(row)), shown(report.to_floor(row))))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(ratios("tpcb"), Some((some("1.000"), some("0.100"))));
        assert_eq!(
            ratios("orders_created"),
            Some((some("1.500"), some("0.150")))
        );
        assert_eq!(ratios("page_p50"), Some((some("0.375"), None)));
        // As many transactions of TPC-B take 1 000 s.
        assert_eq!(ratios("audit"), Some((some("0.012"), None)));
    }

    #[test]
    fn without_tpcb_there_is_no_ratio_and_no_verdict() {
        let report = lonely();
        let row = report.rows.first().unwrap();
        assert_eq!((report.to_tpcb(row), report.to_floor(row)), (None, None));
        assert!(report.verdicts(row).is_empty());
    }

    #[test]
    fn a_round_is_one_line() {
        let line = report().latest();
        assert!(
            line.starts_with("tpcb 1100.0 /s, tpcb_latency 34.50 ms"),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
    }
}
