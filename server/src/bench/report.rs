//! What the rounds measured.
//!
//! Invariant: every row is compared with the TPC-B of the same run: a rate with its rate, a time
//! with its average latency, the audit's time with that of as many TPC-B transactions as it counts
//! postings. Rates are compared with the floor, too, and those of the ledger with other ledgers.

use std::time::Duration;

use anyhow::Context;

use super::anchors;
use super::cpu::{Cost, Meter};
use super::figure::{Figure, median, percentile, quantile};
use super::goals::{GOALS, Verdict};
use super::machine::Machine;
use super::row::Row;
use super::scope::Scope;
use super::subject::{AUDITED, FLOOR, Subject, TPCB, TPCB_LATENCY, Title, Unit};

/// All rows, in the order in which they were first measured.
pub(super) struct Report {
    pub(super) scope: Scope,
    pub(super) machine: Machine,
    /// Reads what the measurements cost.
    pub(super) meter: Meter,
    /// Names of the other ledgers in the same rounds.
    pub(super) anchors: Vec<String>,
    /// Postings of the audited books.
    pub(super) postings: u64,
    /// Lines of the statement whose pages were read.
    pub(super) lines: u64,
    /// Entries at half load that were refused because too much was waiting; `None` when latency was not
    /// measured. They are in no row.
    pub(super) turned_away: Option<u64>,
    pub(super) rows: Vec<Row>,
}

impl Report {
    pub(super) fn new(scope: Scope, machine: Machine, meter: Meter) -> Self {
        Self {
            scope,
            machine,
            meter,
            anchors: Vec::new(),
            postings: 0,
            lines: 0,
            turned_away: None,
            rows: Vec::new(),
        }
    }

    /// Adds what a round measured.
    pub(super) fn add(&mut self, title: impl Into<Title>, figure: Figure) {
        self.add_rate(title, figure, Cost::default());
    }

    /// Adds a rate and what each operation cost.
    pub(super) fn add_rate(&mut self, title: impl Into<Title>, rate: Figure, cost: Cost) {
        let title = title.into();
        let known = self.rows.iter_mut().find(|row| row.title.key == title.key);
        match known {
            Some(row) => row.take(rate, cost),
            None => {
                let mut row = Row::of(title);
                row.take(rate, cost);
                self.rows.push(row);
            }
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

    pub(super) fn set_anchors(&mut self, names: Vec<String>) {
        self.anchors = names;
    }

    pub(super) fn set_postings(&mut self, postings: u64) {
        self.postings = postings;
    }

    pub(super) fn set_lines(&mut self, lines: u64) {
        self.lines = lines;
    }

    /// Adds those of a round.
    pub(super) fn add_turned_away(&mut self, count: u64) {
        self.turned_away = Some(self.turned_away.unwrap_or(0).saturating_add(count));
    }

    /// The last round in one line.
    pub(super) fn latest(&self) -> String {
        let figures = self.rows.iter().filter_map(|row| {
            let unit = row.title.unit;
            let figure = row.rounds.last()?.text(unit.digits());
            Some(format!("{} {figure} {}", row.title.key, unit.word()))
        });
        figures.collect::<Vec<_>>().join(", ")
    }

    /// The median by that of TPC-B; `None` without a TPC-B to compare with.
    pub(super) fn to_tpcb(&self, row: &Row) -> Option<Figure> {
        let middle = median(&row.rounds)?;
        let rate = self.median_of(TPCB.key);
        match row.title.unit {
            Unit::PerSecond => middle.over(rate?),
            Unit::Milliseconds => middle.over(self.median_of(TPCB_LATENCY.key)?),
            Unit::Seconds => middle.over(Figure::whole(AUDITED).over(rate?)?),
        }
    }

    /// The median of Postgres' CPU time for each operation by that of TPC-B.
    pub(super) fn cpu_to_tpcb(&self, row: &Row) -> Option<Figure> {
        let tpcb = self.row(TPCB.key)?.cost();
        row.cost().postgres?.over(tpcb.postgres?)
    }

    /// The median of our ledger's rate by that of another one under the same load; `None` for every
    /// other row.
    pub(super) fn to_anchor(&self, row: &Row, name: &str) -> Option<Figure> {
        let load = anchors::load_of(&row.title.key)?;
        median(&row.rounds)?.over(self.median_of(&anchors::key(name, load))?)
    }

    /// The median of a rate by that of the floor.
    pub(super) fn to_floor(&self, row: &Row) -> Option<Figure> {
        match row.title.unit {
            Unit::PerSecond => median(&row.rounds)?.over(self.median_of(FLOOR.key)?),
            Unit::Milliseconds | Unit::Seconds => None,
        }
    }

    /// What became of the goals about a row.
    pub(super) fn verdicts(&self, row: &Row) -> Vec<Verdict> {
        let about = GOALS.iter().filter(|goal| goal.row == row.title.key);
        about
            .filter_map(|goal| goal.judge(|key| self.median_of(key)))
            .collect()
    }

    /// The median of the row of this key.
    pub(super) fn median_of(&self, key: &str) -> Option<Figure> {
        median(&self.row(key)?.rounds)
    }

    fn row(&self, key: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.title.key == key)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::super::machine::tests::machine;
    use super::super::plan::tests::usual;
    use super::super::subject::LEDGER_UNIFORM;
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

    /// What costs this many microseconds.
    fn cost(postgres: u64, own: u64) -> Cost {
        Cost {
            postgres: Some(Figure::whole(postgres)),
            own: Some(Figure::whole(own)),
        }
    }

    /// Three rounds of six rows. That of orders costs another time in each.
    pub(in crate::bench) fn report() -> Report {
        let mut report = Report::new(Scope::server(usual()), machine(), Meter::default());
        let free = Cost::default();
        let rows: [(Subject, [&str; 3], [Cost; 3]); 6] = [
            (TPCB, ["1000", "900", "1100"], [cost(250, 4); 3]),
            (TPCB_LATENCY, ["32", "30", "34.5"], [free; 3]),
            (FLOOR, ["10000", "9000", "11000"], [cost(15, 1); 3]),
            (
                ORDERS,
                ["1500", "450.04", "1620"],
                [cost(100, 90), free, cost(200, 40)],
            ),
            (PAGE, ["8", "16", "12"], [free; 3]),
            (AUDIT, ["12", "12", "12"], [free; 3]),
        ];
        for (subject, figures, costs) in rows {
            for (figure, cost) in figures.into_iter().zip(costs) {
                report.add_rate(subject, Figure::parse(figure).unwrap(), cost);
            }
        }
        report.set_postings(54_321);
        report.set_lines(1_000);
        report
    }

    /// A report of one row that nothing can be compared with.
    pub(in crate::bench) fn lonely() -> Report {
        let mut report = Report::new(Scope::server(usual()), machine(), Meter::default());
        report.add(ORDERS, Figure::whole(5));
        report
    }

    /// One round of our ledger and of two others, of which one was measured under one load.
    pub(in crate::bench) fn anchored() -> Report {
        let mut report = Report::new(Scope::server(usual()), machine(), Meter::default());
        let ours = |key| Subject {
            key,
            label: "ours",
            unit: Unit::PerSecond,
        };
        report.add(TPCB, Figure::whole(1_000));
        let others = [
            ("pgledger", "uniform", 600),
            ("pgledger", "hot", 200),
            ("small", "hot", 4_000),
        ];
        for (name, load, rate) in others {
            report.add(anchors::title(name, load), Figure::whole(rate));
        }
        report.add(LEDGER_UNIFORM, Figure::whole(4_800));
        report.add(ours("ledger_hot"), Figure::whole(5_000));
        report.add(ours("ledger_zipf"), Figure::whole(5_000));
        report.set_anchors(vec!["pgledger".to_owned(), "small".to_owned()]);
        report
    }

    fn row<'a>(report: &'a Report, key: &str) -> &'a Row {
        report.row(key).unwrap()
    }

    #[test]
    fn rows_are_compared_with_tpcb_and_rates_with_the_floor() {
        let report = report();
        let ratios = |key: &str| {
            let row = report.row(key);
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
    fn what_an_operation_costs_is_the_median_of_the_rounds_that_tell_it() {
        let report = report();
        let orders = row(&report, "orders_created");
        assert_eq!(orders.cost(), cost(150, 65));
        let ratio = |key| report.cpu_to_tpcb(row(&report, key));
        assert_eq!(ratio("orders_created"), Some(Figure::thousandths(600)));
        assert_eq!(ratio("tpcb"), Some(Figure::whole(1)));
        assert_eq!(ratio("floor"), Some(Figure::thousandths(60)));
        // No rate, so no operation.
        assert_eq!(row(&report, "page_p50").cost(), Cost::default());
        assert_eq!(ratio("page_p50"), None);
        assert_eq!(lonely().cpu_to_tpcb(orders), None);
    }

    #[test]
    fn our_ledger_is_compared_with_others_under_the_same_load() {
        let report = anchored();
        let ratio = |key, name| report.to_anchor(row(&report, key), name);
        assert_eq!(ratio("ledger_uniform", "pgledger"), Some(Figure::whole(8)));
        assert_eq!(ratio("ledger_hot", "pgledger"), Some(Figure::whole(25)));
        assert_eq!(
            ratio("ledger_hot", "small"),
            Some(Figure::thousandths(1_250))
        );
        assert_eq!(ratio("ledger_uniform", "small"), None);
        assert_eq!(ratio("ledger_zipf", "pgledger"), None);
        assert_eq!(ratio("tpcb", "pgledger"), None);
        assert_eq!(ratio("anchor_pgledger_hot", "pgledger"), None);
    }

    #[test]
    fn goals_by_another_ledger_are_judged_only_beside_it() {
        let told = |report: &Report, key| -> Vec<String> {
            let verdicts = report.verdicts(row(report, key));
            verdicts.iter().map(Verdict::text).collect()
        };
        let beside = anchored();
        assert_eq!(
            told(&beside, "ledger_uniform"),
            [
                "≥ 5 × TPC-B: NOT held (4.80)",
                "≥ 6 × pgledger: held (8.00)"
            ]
        );
        assert_eq!(
            told(&beside, "ledger_hot"),
            [
                "≥ 7 × TPC-B: NOT held (5.00)",
                "≥ 30 × pgledger: NOT held (25.00)"
            ]
        );
        let mut alone = lonely();
        alone.add(LEDGER_UNIFORM, Figure::whole(1));
        assert!(told(&alone, "ledger_uniform").is_empty());
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
