//! What the ledger has to reach, and whether a run reached it.
//!
//! Invariant: a goal is judged by the medians of one run, never by figures of two.

use super::figure::Figure;
use super::subject::{FLOOR, TPCB};

/// What a row's median is divided by before it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Tpcb,
    Floor,
    /// The row of this key, and what people call it.
    Row(&'static str, &'static str),
    /// Judged in its own unit, which is this.
    Nothing(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtLeast,
    AtMost,
}

/// One goal about one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Goal {
    /// Key of the row.
    pub(super) row: &'static str,
    by: By,
    bound: Bound,
    thousandths: u64,
    /// Hoped for, not demanded.
    pub(super) is_stretch: bool,
}

/// A goal and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) goal: Goal,
    /// Median or ratio that was judged.
    pub(super) measured: Figure,
    pub(super) held: bool,
}

const fn least(row: &'static str, by: By, thousandths: u64) -> Goal {
    Goal {
        row,
        by,
        bound: Bound::AtLeast,
        thousandths,
        is_stretch: false,
    }
}

const fn most(row: &'static str, by: By, thousandths: u64) -> Goal {
    Goal {
        row,
        by,
        bound: Bound::AtMost,
        thousandths,
        is_stretch: false,
    }
}

pub(super) const GOALS: [Goal; 23] = [
    least("ledger_uniform", By::Tpcb, 5_000),
    least("ledger_uniform", By::Floor, 450),
    least("ledger_hot", By::Tpcb, 7_000),
    least("ledger_hot", By::Floor, 550),
    least("ledger_zipf", By::Tpcb, 5_000),
    least("payments_uniform", By::Tpcb, 2_500),
    least("payments", By::Tpcb, 3_000),
    least("hold_pairs", By::Tpcb, 2_200),
    least("percall_uniform", By::Tpcb, 1_300),
    least("orders_created", By::Tpcb, 1_500),
    Goal {
        is_stretch: true,
        ..least("orders_created", By::Tpcb, 2_500)
    },
    most("latency_p99", By::Nothing("ms"), 20_000),
    most(
        "one_in_flight_p50",
        By::Row("direct_p50", "that of an own transaction"),
        1_500,
    ),
    least("queue", By::Tpcb, 5_000),
    least("deliveries", By::Tpcb, 1_000),
    most(
        "page_last",
        By::Row("page_first", "that of the first page"),
        2_000,
    ),
    most("total_count", By::Nothing("ms"), 1_000),
    most("audit", By::Nothing("s"), 10_000),
    Goal {
        is_stretch: true,
        ..least("ledger_uniform", By::Floor, 600)
    },
    // Other ledgers, judged when a folder of that name is measured beside ours.
    least(
        "ledger_uniform",
        By::Row("anchor_pgledger_uniform", "pgledger"),
        6_000,
    ),
    least(
        "ledger_hot",
        By::Row("anchor_pgledger_hot", "pgledger"),
        30_000,
    ),
    least(
        "ledger_uniform",
        By::Row("anchor_tb-perf_uniform", "tb-perf"),
        1_200,
    ),
    least(
        "ledger_hot",
        By::Row("anchor_tb-perf_hot", "tb-perf"),
        6_000,
    ),
];

impl Goal {
    /// For people, e.g. `≥ 5 × TPC-B`.
    pub(super) fn text(&self) -> String {
        let sign = match self.bound {
            Bound::AtLeast => '≥',
            Bound::AtMost => '≤',
        };
        let bound = Figure::thousandths(self.thousandths);
        let shortest = match (self.thousandths % 1_000, self.thousandths % 100) {
            (0, _) => bound.text(0),
            (_, 0) => bound.text(1),
            _ => bound.text(2),
        };
        let stretch = if self.is_stretch { "stretch " } else { "" };
        match self.by {
            By::Tpcb => format!("{stretch}{sign} {shortest} × TPC-B"),
            By::Floor => format!("{stretch}{sign} {shortest} × floor"),
            By::Row(_, named) => format!("{stretch}{sign} {shortest} × {named}"),
            By::Nothing(unit) => format!("{stretch}{sign} {shortest} {unit}"),
        }
    }

    /// `None` unless all rows that it takes were measured.
    pub(super) fn judge(&self, median_of: impl Fn(&str) -> Option<Figure>) -> Option<Verdict> {
        let median = median_of(self.row)?;
        let measured = match self.by {
            By::Tpcb => median.over(median_of(TPCB.key)?)?,
            By::Floor => median.over(median_of(FLOOR.key)?)?,
            By::Row(key, _) => median.over(median_of(key)?)?,
            By::Nothing(_) => median,
        };
        let bound = Figure::thousandths(self.thousandths);
        let held = match self.bound {
            Bound::AtLeast => measured >= bound,
            Bound::AtMost => measured <= bound,
        };
        Some(Verdict {
            goal: *self,
            measured,
            held,
        })
    }
}

impl Verdict {
    /// For people, e.g. `≥ 5 × TPC-B: held (5.20)`.
    pub(super) fn text(&self) -> String {
        let word = if self.held { "held" } else { "NOT held" };
        let (goal, measured) = (self.goal.text(), self.measured.text(2));
        format!("{goal}: {word} ({measured})")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn goals_of(row: &str) -> Vec<Goal> {
        GOALS.into_iter().filter(|goal| goal.row == row).collect()
    }

    /// Medians by key.
    fn medians(rows: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<Figure> {
        move |key| {
            let (_, text) = rows.iter().find(|(known, _)| *known == key)?;
            Figure::parse(text)
        }
    }

    fn verdicts(row: &str, rows: &'static [(&'static str, &'static str)]) -> Vec<String> {
        goals_of(row)
            .iter()
            .filter_map(|goal| goal.judge(medians(rows)))
            .map(|verdict| verdict.text())
            .collect()
    }

    #[test]
    fn a_goal_holds_exactly_from_its_bound_on() {
        assert_eq!(
            verdicts(
                "ledger_hot",
                &[("tpcb", "1000"), ("floor", "20000"), ("ledger_hot", "7000")]
            ),
            [
                "≥ 7 × TPC-B: held (7.00)",
                "≥ 0.55 × floor: NOT held (0.35)"
            ]
        );
        assert_eq!(
            verdicts(
                "ledger_hot",
                &[("tpcb", "1000"), ("ledger_hot", "6999.999")]
            ),
            ["≥ 7 × TPC-B: NOT held (7.00)"]
        );
        assert_eq!(
            verdicts("latency_p99", &[("latency_p99", "20")]),
            ["≤ 20 ms: held (20.00)"]
        );
        assert_eq!(
            verdicts("latency_p99", &[("latency_p99", "20.001")]),
            ["≤ 20 ms: NOT held (20.00)"]
        );
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        assert!(verdicts("ledger_uniform", &[("tpcb", "1000")]).is_empty());
        assert!(verdicts("page_last", &[("page_last", "1")]).is_empty());
        assert_eq!(
            verdicts("page_last", &[("page_last", "3"), ("page_first", "1.5")]),
            ["≤ 2 × that of the first page: held (2.00)"]
        );
        assert!(verdicts("page_last", &[("page_last", "3"), ("page_first", "0")]).is_empty());
    }

    #[test]
    fn goals_are_written_as_short_as_they_are() {
        let texts: Vec<String> = goals_of("orders_created").iter().map(Goal::text).collect();
        assert_eq!(texts, ["≥ 1.5 × TPC-B", "stretch ≥ 2.5 × TPC-B"]);
        let texts: Vec<String> = goals_of("ledger_uniform").iter().map(Goal::text).collect();
        assert_eq!(
            texts,
            [
                "≥ 5 × TPC-B",
                "≥ 0.45 × floor",
                "stretch ≥ 0.6 × floor",
                "≥ 6 × pgledger",
                "≥ 1.2 × tb-perf"
            ]
        );
        assert_eq!(goals_of("audit").first().unwrap().text(), "≤ 10 s");
    }
}
