//! A report as people and programs read it: a table, Markdown, JSON.

use serde_json::{Value, json};

use super::figure::Figure;
use super::goals::Verdict;
use super::report::{AUDITED, Report, Row};

const COLUMNS: usize = 7;

const HEAD: [&str; COLUMNS] = [
    "",
    "",
    "median",
    "[min - max]",
    "to TPC-B",
    "to floor",
    "goals",
];

/// Which columns are numbers and stand at the right.
const IS_NUMBER: [bool; COLUMNS] = [false, false, true, false, true, true, false];

/// A cell per column.
type Cells = [String; COLUMNS];

impl Report {
    /// For people.
    pub(super) fn table(&self) -> String {
        let cells: Vec<Cells> = std::iter::once(HEAD.map(str::to_owned))
            .chain(self.rows.iter().filter_map(|row| self.cells(row)))
            .collect();
        let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
            let texts = cells.iter().filter_map(|row| row.get(column));
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        });
        let mut lines = vec![self.title(), self.machine.text(), String::new()];
        lines.extend(cells.iter().map(|row| line(row, widths)));
        lines.push(String::new());
        lines.push(self.notes());
        lines.push(self.summary());
        lines.join("\n")
    }

    /// For documents.
    pub(super) fn markdown(&self) -> String {
        let mut head = HEAD;
        head[0] = "row";
        head[1] = "unit";
        let rule = IS_NUMBER.map(|is_number| if is_number { "---:" } else { "---" });
        let mut lines = vec![
            self.title(),
            self.machine.text(),
            String::new(),
            piped(&head),
            piped(&rule),
        ];
        let rows = self.rows.iter().filter_map(|row| self.cells(row));
        lines.extend(rows.map(|row| piped(&row.each_ref().map(String::as_str))));
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
        told.insert("rows".to_owned(), Value::Array(rows));
        Value::Object(told)
    }

    fn row_json(&self, row: &Row) -> Value {
        let spread = row.spread();
        let rounds: Vec<Value> = row.rounds.iter().map(|each| number(Some(*each))).collect();
        let goals: Vec<Value> = self.verdicts(row).iter().map(verdict_json).collect();
        json!({
            "name": row.subject.key,
            "unit": row.subject.unit.word(),
            "median": number(spread.map(|(middle, _, _)| middle)),
            "min": number(spread.map(|(_, least, _)| least)),
            "max": number(spread.map(|(_, _, most)| most)),
            "ratio": number(self.to_tpcb(row)),
            "to_floor": number(self.to_floor(row)),
            "goals": goals,
            "rounds": rounds,
        })
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
        format!(
            "to TPC-B: a rate by its rate, a time by its average latency, the audit's by the time of\n\
             {AUDITED} of its transactions. Goals are judged by medians. The audited books hold {} \
             postings\n\
             and are in order{statement}.",
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
        let unit = row.subject.unit;
        let shown = |figure: Figure| figure.text(unit.digits());
        let (middle, least, most) = row.spread()?;
        let ratio =
            |figure: Option<Figure>| figure.map_or_else(|| "-".to_owned(), |figure| figure.text(3));
        let goals: Vec<String> = self.verdicts(row).iter().map(Verdict::text).collect();
        Some([
            row.subject.label.to_owned(),
            unit.word().to_owned(),
            shown(middle),
            format!("[{} - {}]", shown(least), shown(most)),
            ratio(self.to_tpcb(row)),
            ratio(self.to_floor(row)),
            goals.join("; "),
        ])
    }
}

fn line(cells: &Cells, widths: [usize; COLUMNS]) -> String {
    let padded = cells.iter().zip(widths).zip(IS_NUMBER);
    let parts = padded.map(|((text, width), is_number)| {
        if is_number {
            format!("{text:>width$}")
        } else {
            format!("{text:<width$}")
        }
    });
    let line = parts.collect::<Vec<_>>().join("  ");
    line.trim_end().to_owned()
}

fn piped(cells: &[&str; COLUMNS]) -> String {
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
    use super::super::report::tests::{lonely, report};
    use super::*;

    #[test]
    fn the_table_lines_up() {
        let table = report().table();
        let expected = [
            "                                        median  [min - max]         to TPC-B  to floor  goals",
            "TPC-B by pgbench                   /s   1000.0  [900.0 - 1100.0]       1.000     0.100",
            "TPC-B by pgbench, average latency  ms    32.00  [30.00 - 34.50]        1.000         -",
            "floor: the rows alone              /s  10000.0  [9000.0 - 11000.0]    10.000     1.000",
            "orders created                     /s   1500.0  [450.0 - 1620.0]       1.500     0.150  ≥ 1.5 × TPC-B: held (1.50); stretch ≥ 2.5 × TPC-B: NOT held (1.50)",
            "page p50                           ms    12.00  [8.00 - 16.00]         0.375         -",
            "audit                              s    12.000  [12.000 - 12.000]      0.012         -  ≤ 10 s: NOT held (12.00)",
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
                "| row | unit | median | [min - max] | to TPC-B | to floor | goals |",
                "| --- | --- | ---: | --- | ---: | ---: | --- |",
                "| TPC-B by pgbench | /s | 1000.0 | [900.0 - 1100.0] | 1.000 | 0.100 |  |",
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
    fn what_cannot_be_compared_says_so() {
        let report = lonely();
        assert_eq!(report.json()["rows"][0]["ratio"], Value::Null);
        assert_eq!(report.json()["rows"][0]["goals"], json!([]));
        let table = report.table();
        assert!(
            table.lines().nth(5).unwrap().ends_with("-         -"),
            "{table}"
        );
        assert!(
            table.ends_with("No goals are set for these rows."),
            "{table}"
        );
    }
}
