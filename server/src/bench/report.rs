//! What the rounds measured, as a table for people and as JSON for programs.
//!
//! Invariant: every row is compared with the TPC-B of the same run: a rate with its rate, a time
//! with its average latency, the audit's time with that of as many TPC-B transactions as it counts
//! postings.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use super::Plan;
use super::figure::{Figure, median, percentile};

/// Postings that the audit's time is told for.
pub(super) const AUDITED: u64 = 100_000;

/// What a row's figures count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    PerSecond,
    Milliseconds,
    /// Seconds for [`AUDITED`] postings.
    Seconds,
}

impl Unit {
    fn word(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }

    /// Digits after the point in the table.
    fn digits(self) -> u32 {
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

struct Row {
    subject: Subject,
    /// One figure a round.
    rounds: Vec<Figure>,
}

/// All rows, in the order in which they were first measured.
pub(super) struct Report {
    plan: Plan,
    /// Postings of the audited books.
    postings: u64,
    rows: Vec<Row>,
}

impl Report {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            plan,
            postings: 0,
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

    pub(super) fn set_postings(&mut self, postings: u64) {
        self.postings = postings;
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

    /// For people.
    pub(super) fn table(&self) -> String {
        let head = ["", "", "median", "[min - max]", "to TPC-B"].map(str::to_owned);
        let cells: Vec<[String; 5]> = std::iter::once(head)
            .chain(self.rows.iter().filter_map(|row| self.cells(row)))
            .collect();
        let widths: [usize; 5] = std::array::from_fn(|column| {
            let texts = cells.iter().filter_map(|row| row.get(column));
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        });
        let mut lines = vec![self.title(), String::new()];
        lines.extend(cells.iter().map(|row| line(row, widths)));
        lines.push(String::new());
        lines.push(format!(
            "to TPC-B: a rate by its rate, a time by its average latency, the audit's by the time of\n\
             {AUDITED} of its transactions. The audited books hold {} postings and are in order.",
            self.postings
        ));
        lines.join("\n")
    }

    fn title(&self) -> String {
        let Plan {
            seconds,
            rounds,
            connections,
            scale,
        } = self.plan;
        format!(
            "exchequer {}: {rounds} rounds of {seconds} s, {connections} connections, TPC-B at \
             scale {scale}",
            env!("CARGO_PKG_VERSION")
        )
    }

    fn cells(&self, row: &Row) -> Option<[String; 5]> {
        let unit = row.subject.unit;
        let shown = |figure: &Figure| figure.text(unit.digits());
        let (middle, least, most) = spread(&row.rounds)?;
        let ratio = self
            .ratio(row)
            .map_or_else(|| "-".to_owned(), |ratio| ratio.text(3));
        Some([
            row.subject.label.to_owned(),
            unit.word().to_owned(),
            shown(&middle),
            format!("[{} - {}]", shown(&least), shown(&most)),
            ratio,
        ])
    }

    /// The median by that of TPC-B; `None` without a TPC-B to compare with.
    fn ratio(&self, row: &Row) -> Option<Figure> {
        let middle = median(&row.rounds)?;
        let rate = self.median_of(TPCB);
        match row.subject.unit {
            Unit::PerSecond => middle.over(rate?),
            Unit::Milliseconds => middle.over(self.median_of(TPCB_LATENCY)?),
            Unit::Seconds => middle.over(Figure::whole(AUDITED).over(rate?)?),
        }
    }

    fn median_of(&self, subject: Subject) -> Option<Figure> {
        let row = self
            .rows
            .iter()
            .find(|row| row.subject.key == subject.key)?;
        median(&row.rounds)
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let spread = spread(&row.rounds);
                json!({
                    "name": row.subject.key,
                    "unit": row.subject.unit.word(),
                    "median": number(spread.map(|(middle, _, _)| middle)),
                    "min": number(spread.map(|(_, least, _)| least)),
                    "max": number(spread.map(|(_, _, most)| most)),
                    "ratio": number(self.ratio(row)),
                    "rounds": row.rounds.iter().map(|figure| number(Some(*figure))).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "seconds": self.plan.seconds,
            "rounds": self.plan.rounds,
            "connections": self.plan.connections,
            "scale": self.plan.scale,
            "postings": self.postings,
            "rows": rows,
        })
    }
}

fn line(cells: &[String; 5], [label, unit, middle, range, ratio]: [usize; 5]) -> String {
    let [about, counted, median, spread, compared] = cells;
    format!(
        "{about:<label$}  {counted:<unit$}  {median:>middle$}  {spread:<range$}  {compared:>ratio$}"
    )
}

/// Median, least and most.
fn spread(figures: &[Figure]) -> Option<(Figure, Figure, Figure)> {
    let (least, most) = (figures.iter().min()?, figures.iter().max()?);
    Some((median(figures)?, *least, *most))
}

/// A JSON number with the figure's own digits.
fn number(figure: Option<Figure>) -> Value {
    figure
        .and_then(|figure| serde_json::from_str(&figure.text(3)).ok())
        .unwrap_or(Value::Null)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PAGE: Subject = Subject {
        key: "page_p50",
        label: "page p50",
        unit: Unit::Milliseconds,
    };
    const ORDERS: Subject = Subject {
        key: "orders",
        label: "orders created",
        unit: Unit::PerSecond,
    };
    const AUDIT: Subject = Subject {
        key: "audit",
        label: "audit",
        unit: Unit::Seconds,
    };

    fn report() -> Report {
        let mut report = Report::new(Plan {
            seconds: 5,
            rounds: 3,
            connections: 32,
            scale: 10,
        });
        let rows: [(Subject, &[&str]); 5] = [
            (TPCB, &["1000", "900", "1100"]),
            (TPCB_LATENCY, &["32", "30", "34.5"]),
            (ORDERS, &["500", "450.04", "620"]),
            (PAGE, &["8", "16", "12"]),
            (AUDIT, &["2", "2", "2"]),
        ];
        for (subject, figures) in rows {
            for figure in figures {
                report.add(subject, Figure::parse(figure).unwrap());
            }
        }
        report.set_postings(54_321);
        report
    }

    #[test]
    fn the_table_lines_up() {
        let table = report().table();
        let expected = [
            "                                       median  [min - max]       to TPC-B",
            "TPC-B by pgbench                   /s  1000.0  [900.0 - 1100.0]     1.000",
            "TPC-B by pgbench, average latency  ms   32.00  [30.00 - 34.50]      1.000",
            "orders created                     /s   500.0  [450.0 - 620.0]      0.500",
            "page p50                           ms   12.00  [8.00 - 16.00]       0.375",
            "audit                              s    2.000  [2.000 - 2.000]      0.020",
        ];
        let lines: Vec<&str> = table.lines().skip(2).take(expected.len()).collect();
        assert_eq!(lines, expected, "{table}");
        assert!(
            table.contains("3 rounds of 5 s, 32 connections, TPC-B at scale 10"),
            "{table}"
        );
        assert!(table.contains("54321 postings"), "{table}");
    }

    #[test]
    fn programs_get_numbers() {
        let json = report().json();
        let orders = &json["rows"][2];
        assert_eq!(orders["name"], "orders");
        assert_eq!(orders["median"], json!(500.0));
        assert_eq!(orders["min"], json!(450.04));
        assert_eq!(orders["max"], json!(620.0));
        assert_eq!(orders["ratio"], json!(0.5));
        assert_eq!(orders["rounds"], json!([500.0, 450.04, 620.0]));
        assert_eq!(json["postings"], 54_321);
    }

    #[test]
    fn without_tpcb_there_is_no_ratio() {
        let mut report = Report::new(report().plan);
        report.add(ORDERS, Figure::whole(5));
        assert_eq!(report.json()["rows"][0]["ratio"], Value::Null);
        let table = report.table();
        assert!(table.lines().nth(3).unwrap().ends_with(" -"), "{table}");
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
