//! What came of all runs, as a table in Markdown.

use std::fmt;
use std::time::Duration;

use crate::cases::Case;

/// What came of one run of a case.
pub struct Outcome {
    /// Requests that were acknowledged.
    pub acked: usize,
    /// Of these, those that are not there.
    pub lost: usize,
    /// Of these, those that are there more than once.
    pub doubled: usize,
    /// From the fault until requests were acknowledged again.
    pub recovery: Duration,
}

#[derive(Default)]
pub struct Report(Vec<Line>);

struct Line {
    case: Case,
    runs: usize,
    acked: usize,
    lost: usize,
    doubled: usize,
    /// The longest one.
    recovery: Duration,
}

impl Report {
    pub fn add(&mut self, case: Case, outcome: &Outcome) {
        let at = self.0.iter().position(|line| line.case == case);
        let at = at.unwrap_or_else(|| {
            self.0.push(Line {
                case,
                runs: 0,
                acked: 0,
                lost: 0,
                doubled: 0,
                recovery: Duration::ZERO,
            });
            self.0.len() - 1
        });
        let line = &mut self.0[at];
        line.runs += 1;
        line.acked += outcome.acked;
        line.lost += outcome.lost;
        line.doubled += outcome.doubled;
        line.recovery = line.recovery.max(outcome.recovery);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| case | runs | acked | lost | doubled | recovery, s |")?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: | ---: |")?;
        for line in &self.0 {
            let millis = line.recovery.as_millis();
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {}.{} |",
                line.case.words(),
                line.runs,
                line.acked,
                line.lost,
                line.doubled,
                millis / 1_000,
                millis % 1_000 / 100
            )?;
        }
        Ok(())
    }
}
