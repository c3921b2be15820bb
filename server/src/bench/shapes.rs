//! A report as people and programs read it: a table, Markdown, JSON.

use serde_json::{Value, json};

use super::figure::Figure;
use super::goals::Verdict;
use super::report::Report;
use super::row::Row;
use super::subject::AUDITED;

/// A column of the table.
struct Column {
    head: String,
    /// Numbers stand at the right.
    is_number: bool,
}

/// A cell per column.
type Cells = Vec<String>;

impl Report {
    /// For people.
    pub(super) fn table(&self) -> String {
        let columns = self.columns();
        let heads: Cells = columns.iter().map(|column| column.head.clone()).collect();
        let cells: Vec<Cells> = std::iter::once(heads)
            .chain(self.rows.iter().filter_map(|row| self.cells(row)))
            .collect();
        let mut lines = vec![self.title(), self.machine.text(), String::new()];
        let widths = widths(&cells);
        lines.extend(cells.iter().map(|row| line(row, &columns, &widths)));
        lines.push(String::new());
        lines.push(self.notes());
        lines.push(self.summary());
        lines.join("\n")
    }

    /// For documents.
    pub(super) fn markdown(&self) -> String {
        let columns = self.columns();
        let mut heads: Cells = columns.iter().map(|column| column.head.clone()).collect();
        for (head, word) in heads.iter_mut().zip(["row", "unit"]) {
            *head = word.to_owned();
        }
        let rule: Cells = columns
            .iter()
            .map(|column| {
                let mark = if column.is_number { "---:" } else { "---" };
                mark.to_owned()
            })
            .collect();
        let mut lines = vec![
            self.title(),
            self.machine.text(),
            String::new(),
            piped(&heads),
            piped(&rule),
        ];
        let rows = self.rows.iter().filter_map(|row| self.cells(row));
        lines.extend(rows.map(|row| piped(&row)));
        lines.push(String::new());
        lines.push(self.notes());
        lines.push(String::new());
        lines.push(self.summary());
        lines.join("\n")
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(|row| self.row_json(row)).collect();
        let mut told = serde_json::Map::new();
        told.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        told.insert("machine".to_owned(), self.machine.json());
        told.extend(self.scope.facts());
        told.insert("postings".to_owned(), json!(self.postings));
        if self.lines > 0 {
            told.insert("statement_lines".to_owned(), json!(self.lines));
        }
        if let Some(count) = self.turned_away {
            told.insert("latency_turned_away".to_owned(), json!(count));
        }
        told.insert("rows".to_owned(), Value::Array(rows));
        Value::Object(told)
    }

    fn row_json(&self, row: &Row) -> Value {
        let spread = row.spread();
        let rounds: Vec<Value> = row.rounds.iter().map(|each| number(Some(*each))).collect();
        let goals: Vec<Value> = self.verdicts(row).iter().map(verdict_json).collect();
        let cost = row.cost();
        let mut told = json!({
            "name": row.title.key,
            "unit": row.title.unit.word(),
            "median": number(spread.map(|(middle, _, _)| middle)),
            "min": number(spread.map(|(_, least, _)| least)),
            "max": number(spread.map(|(_, _, most)| most)),
            "ratio": number(self.to_tpcb(row)),
            "to_floor": number(self.to_floor(row)),
            "cpu_postgres_us": number(cost.postgres),
            "cpu_own_us": number(cost.own),
            "cpu_ratio": number(self.cpu_to_tpcb(row)),
            "goals": goals,
            "rounds": rounds,
        });
        let to_anchors: serde_json::Map<String, Value> = self
            .anchors
            .iter()
            .filter_map(|name| Some((name.clone(), number(Some(self.to_anchor(row, name)?)))))
            .collect();
        if !to_anchors.is_empty() {
            told["to_anchors"] = Value::Object(to_anchors);
        }
        told
    }

    fn columns(&self) -> Vec<Column> {
        let column = |head: &str, is_number| Column {
            head: head.to_owned(),
            is_number,
        };
        let mut columns = vec![
            column("", false),
            column("", false),
            column("median", true),
            column("[min - max]", false),
            column("to TPC-B", true),
            column("to floor", true),
            column("Postgres µs", true),
            column("own µs", true),
            column("CPU to TPC-B", true),
        ];
        let others = self.anchors.iter();
        columns.extend(others.map(|name| column(&format!("to {name}"), true)));
        columns.push(column("goals", false));
        columns
    }

    fn title(&self) -> String {
        format!(
            "exchequer {}: {}",
            env!("CARGO_PKG_VERSION"),
            self.scope.words()
        )
    }

    fn notes(&self) -> String {
        let statement = match self.lines {
            0 => String::new(),
            lines => format!("; the statement has {lines} lines"),
        };
        let anchors = if self.anchors.is_empty() {
            ""
        } else {
            " Anchors are other ledgers, told in entries."
        };
        let turned_away = match self.turned_away {
            None | Some(0) => String::new(),
            Some(count) => format!(
                "\nOf the entries at half load {count} were turned away; no latency has them."
            ),
        };
        format!(
            "to TPC-B: a rate by its rate, a time by its average latency, the audit's by the time of\n\
             {AUDITED} of its transactions. µs: CPU time of one operation, in all processes of Postgres and\n\
             in this one, which makes the requests, too; - where nothing tells it. CPU to TPC-B: that of\n\
             Postgres.{anchors} Goals are judged by medians. The audited books hold {} postings\n\
             and are in order{statement}.{turned_away}",
            self.postings
        )
    }

    /// How many goals held.
    fn summary(&self) -> String {
        let verdicts: Vec<Verdict> = self
            .rows
            .iter()
            .flat_map(|row| self.verdicts(row))
            .filter(|verdict| !verdict.goal.is_stretch)
            .collect();
        if verdicts.is_empty() {
            return "No goals are set for these rows.".to_owned();
        }
        let held = verdicts.iter().filter(|verdict| verdict.held).count();
        format!("{held} of {} goals held.", verdicts.len())
    }

    fn cells(&self, row: &Row) -> Option<Cells> {
        let unit = row.title.unit;
        let shown = |figure: Figure| figure.text(unit.digits());
        let (middle, least, most) = row.spread()?;
        let told = |figure: Option<Figure>, digits| {
            figure.map_or_else(|| "-".to_owned(), |figure| figure.text(digits))
        };
        let goals: Vec<String> = self.verdicts(row).iter().map(Verdict::text).collect();
        let cost = row.cost();
        let mut cells = vec![
            row.title.label.to_string(),
            unit.word().to_owned(),
            shown(middle),
            format!("[{} - {}]", shown(least), shown(most)),
            told(self.to_tpcb(row), 3),
            told(self.to_floor(row), 3),
            told(cost.postgres, 1),
            told(cost.own, 1),
            told(self.cpu_to_tpcb(row), 3),
        ];
        let others = self.anchors.iter();
        cells.extend(others.map(|name| told(self.to_anchor(row, name), 3)));
        cells.push(goals.join("; "));
        Some(cells)
    }
}

/// The longest text of each column.
fn widths(cells: &[Cells]) -> Vec<usize> {
    let mut widths = Vec::new();
    for row in cells {
        widths.resize(row.len().max(widths.len()), 0);
        for (width, text) in widths.iter_mut().zip(row) {
            *width = text.chars().count().max(*width);
        }
    }
    widths
}

fn line(cells: &[String], columns: &[Column], widths: &[usize]) -> String {
    let padded = cells.iter().zip(columns).zip(widths);
    let parts = padded.map(|((text, column), &width)| {
        if column.is_number {
            format!("{text:>width$}")
        } else {
            format!("{text:<width$}")
        }
    });
    let line = parts.collect::<Vec<_>>().join("  ");
    line.trim_end().to_owned()
}

fn piped(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn verdict_json(verdict: &Verdict) -> Value {
    json!({
        "goal": verdict.goal.text(),
        "stretch": verdict.goal.is_stretch,
        "measured": number(Some(verdict.measured)),
        "held": verdict.held,
    })
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
    use super::super::report::tests::{anchored, lonely, report};
    use super::*;

    #[test]
    fn the_table_lines_up() {
        let table = report().table();
        let expected = [
            "                                        median  [min - max]         to TPC-B  to floor  Postgres µs  own µs  CPU to TPC-B  goals",
            "TPC-B by pgbench                   /s   1000.0  [900.0 - 1100.0]       1.000     0.100        250.0     4.0         1.000",
            "TPC-B by pgbench, average latency  ms    32.00  [30.00 - 34.50]        1.000         -            -       -             -",
            "floor: the rows alone              /s  10000.0  [9000.0 - 11000.0]    10.000     1.000         15.0     1.0         0.060",
            "orders created                     /s   1500.0  [450.0 - 1620.0]       1.500     0.150        150.0    65.0         0.600  ≥ 1.5 × TPC-B: held (1.50); stretch ≥ 2.5 × TPC-B: NOT held (1.50)",
            "page p50                           ms    12.00  [8.00 - 16.00]         0.375         -            -       -             -",
            "audit                              s    12.000  [12.000 - 12.000]      0.012         -            -       -             -  ≤ 10 s: NOT held (12.00)",
        ];
        let lines: Vec<&str> = table.lines().skip(4).take(expected.len()).collect();
        assert_eq!(lines, expected, "{table}");
        for told in [
            "3 rounds of 5 s, 256 connections, 1000 entries in flight",
            "2 cores, load",
            "54321 postings",
            "statement has 1000 lines",
            "1 of 2 goals held.",
        ] {
            assert!(table.contains(told), "{told}: {table}");
        }
    }

    #[test]
    fn documents_get_a_table_of_their_own() {
        let markdown = report().markdown();
        let lines: Vec<&str> = markdown
            .lines()
            .filter(|line| line.starts_with('|'))
            .collect();
        assert_eq!(lines.len(), 8, "{markdown}");
        assert_eq!(
            lines[..3],
            [
                "| row | unit | median | [min - max] | to TPC-B | to floor | Postgres µs | own µs | CPU to TPC-B | goals |",
                "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | --- |",
                "| TPC-B by pgbench | /s | 1000.0 | [900.0 - 1100.0] | 1.000 | 0.100 | 250.0 | 4.0 | 1.000 |  |",
            ]
        );
        assert!(markdown.ends_with("1 of 2 goals held."), "{markdown}");
    }

    #[test]
    fn programs_get_numbers() {
        let json = report().json();
        let orders = &json["rows"][3];
        assert_eq!(orders["name"], "orders_created");
        assert_eq!(orders["median"], json!(1500.0));
        assert_eq!(orders["min"], json!(450.04));
        assert_eq!(orders["max"], json!(1620.0));
        assert_eq!(orders["ratio"], json!(1.5));
        assert_eq!(orders["to_floor"], json!(0.15));
        assert_eq!(orders["cpu_postgres_us"], json!(150.0));
        assert_eq!(orders["cpu_own_us"], json!(65.0));
        assert_eq!(orders["cpu_ratio"], json!(0.6));
        assert_eq!(orders["to_anchors"], Value::Null);
        assert_eq!(json["rows"][4]["cpu_postgres_us"], Value::Null);
        assert_eq!(orders["rounds"], json!([1500.0, 450.04, 1620.0]));
        assert_eq!(
            orders["goals"][0],
            json!({ "goal": "≥ 1.5 × TPC-B", "stretch": false, "measured": 1.5, "held": true })
        );
        assert_eq!(orders["goals"][1]["held"], false);
        assert_eq!(json["postings"], 54_321);
        assert_eq!(json["machine"]["cores"], 2);
    }

    #[test]
    fn entries_that_were_turned_away_are_told_beside_the_latencies() {
        let mut report = report();
        assert_eq!(report.json()["latency_turned_away"], Value::Null);
        report.add_turned_away(0);
        assert_eq!(report.json()["latency_turned_away"], json!(0));
        assert!(!report.table().contains("turned away"));
        report.add_turned_away(3);
        report.add_turned_away(4);
        assert_eq!(report.json()["latency_turned_away"], json!(7));
        for told in [report.table(), report.markdown()] {
            let note = "Of the entries at half load 7 were turned away; no latency has them.";
            assert!(told.contains(note), "{told}");
        }
    }

    #[test]
    fn other_ledgers_have_rows_and_a_column_each() {
        let report = anchored();
        let table = report.table();
        let expected = [
            "                              median  [min - max]        to TPC-B  to floor  Postgres µs  own µs  CPU to TPC-B  to pgledger  to small  goals",
            "anchor pgledger, uniform  /s   600.0  [600.0 - 600.0]       0.600         -            -       -             -            -         -",
            "anchor small, hot         /s  4000.0  [4000.0 - 4000.0]     4.000         -            -       -             -            -         -",
            "ledger, uniform           /s  4800.0  [4800.0 - 4800.0]     4.800         -            -       -             -        8.000         -  ≥ 5 × TPC-B: NOT held (4.80); ≥ 6 × pgledger: held (8.00)",
            "ours                      /s  5000.0  [5000.0 - 5000.0]     5.000         -            -       -             -       25.000     1.250  ≥ 7 × TPC-B: NOT held (5.00); ≥ 30 × pgledger: NOT held (25.00)",
            "ours                      /s  5000.0  [5000.0 - 5000.0]     5.000         -            -       -             -            -         -  ≥ 5 × TPC-B: held (5.00)",
        ];
        let told = [4, 6, 8, 9, 10, 11].map(|number| table.lines().nth(number).unwrap());
        assert_eq!(told, expected, "{table}");
        assert!(table.contains("told in entries"), "{table}");
        let markdown = report.markdown();
        let head = markdown.lines().find(|line| line.starts_with('|'));
        let ends = "| CPU to TPC-B | to pgledger | to small | goals |";
        assert!(head.is_some_and(|head| head.ends_with(ends)), "{markdown}");
        let json = report.json();
        assert_eq!(json["rows"][1]["name"], "anchor_pgledger_uniform");
        assert_eq!(json["rows"][1]["to_anchors"], Value::Null);
        let to_anchors = [4_usize, 5, 6].map(|row| &json["rows"][row]["to_anchors"]);
        let expected = [
            json!({ "pgledger": 8.0 }),
            json!({ "pgledger": 25.0, "small": 1.25 }),
            Value::Null,
        ];
        assert_eq!(to_anchors, expected.each_ref());
    }

    #[test]
    fn what_cannot_be_compared_says_so() {
        let report = lonely();
        assert_eq!(report.json()["rows"][0]["ratio"], Value::Null);
        assert_eq!(report.json()["rows"][0]["goals"], json!([]));
        let table = report.table();
        let row = "orders created  /s     5.0  [5.0 - 5.0]         -         -            -       -             -";
        assert_eq!(table.lines().nth(5), Some(row), "{table}");
        assert!(
            table.ends_with("No goals are set for these rows."),
            "{table}"
        );
    }
}
