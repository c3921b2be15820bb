//! What came of all runs, as a table in Markdown.

use std::fmt;
use std::time::Duration;

use crate::cases::Case;
use crate::oracle::Faults;
use crate::spread::Spread;

/// What came of one run of a case.
pub struct Outcome {
    /// Requests that were acknowledged.
    pub acked: usize,
    /// Of these, orders whose payment was acknowledged, too.
    pub paid: usize,
    /// Requests that were refused.
    pub refused: usize,
    pub faults: Faults,
    /// From the fault until requests were acknowledged again.
    pub recovery: Duration,
    /// Where it was measured.
    pub strain: Option<Strain>,
}

impl Outcome {
    /// What was done before, in the same run.
    pub fn add(&mut self, before: &Self) {
        self.acked += before.acked;
        self.paid += before.paid;
        self.refused += before.refused;
        self.faults += before.faults;
    }
}

/// How long the same took while much was wrong and while nothing was. A figure and no limit.
#[derive(Debug, Clone, Copy)]
pub struct Strain {
    /// What took so long.
    pub what: &'static str,
    pub normal: Spread,
    pub strained: Spread,
}

impl Strain {
    /// How many times as long all but the slowest hundredth took at most, in hundredths.
    fn hundredths(self) -> u128 {
        self.strained.p99.as_micros() * 100 / self.normal.p99.as_micros().max(1)
    }
}

#[derive(Default)]
pub struct Report(Vec<Line>);

struct Line {
    case: Case,
    runs: usize,
    acked: usize,
    paid: usize,
    refused: usize,
    faults: Faults,
    /// The longest one.
    recovery: Duration,
    /// The worst one.
    strain: Option<Strain>,
    left_out: Option<&'static str>,
}

impl Report {
    pub fn add(&mut self, case: Case, outcome: &Outcome) {
        let line = self.line(case);
        line.runs += 1;
        line.acked += outcome.acked;
        line.paid += outcome.paid;
        line.refused += outcome.refused;
        line.faults += outcome.faults;
        line.recovery = line.recovery.max(outcome.recovery);
        line.strain = [line.strain, outcome.strain]
            .into_iter()
            .flatten()
            .max_by_key(|strain| strain.hundredths());
    }

    /// Whether anything was done: of nothing nothing is wrong.
    pub fn has_runs(&self) -> bool {
        self.0.iter().any(|line| line.runs > 0)
    }

    /// What cannot be done here, and what would be needed.
    pub fn leave_out(&mut self, case: Case, why: &'static str) {
        self.line(case).left_out = Some(why);
    }

    fn line(&mut self, case: Case) -> &mut Line {
        let at = self.0.iter().position(|line| line.case == case);
        let at = at.unwrap_or_else(|| {
            self.0.push(Line {
                case,
                runs: 0,
                acked: 0,
                paid: 0,
                refused: 0,
                faults: Faults::default(),
                recovery: Duration::ZERO,
                strain: None,
                left_out: None,
            });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| case | runs | acked | paid | refused | lost | doubled | refused and done | untold | untimely \
             | deadlocks | recovery, s |"
        )?;
        writeln!(
            f,
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        )?;
        for line in &self.0 {
            if let Some(why) = line.left_out {
                writeln!(
                    f,
                    "| {} (left out: {why}) |{}",
                    line.case.words(),
                    " |".repeat(11)
                )?;
                continue;
            }
            let (faults, millis) = (&line.faults, line.recovery.as_millis());
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {}.{} |",
                line.case.words(),
                line.runs,
                line.acked,
                line.paid,
                line.refused,
                faults.lost,
                faults.doubled,
                faults.refused_and_done,
                faults.untold,
                faults.untimely,
                faults.deadlocks,
                millis / 1_000,
                millis % 1_000 / 100
            )?;
        }
        for line in &self.0 {
            if let Some(strain) = line.strain {
                let hundredths = strain.hundredths();
                writeln!(
                    f,
                    "\n{}: {}: {}; otherwise {}: p99 is {}.{:02} times as long",
                    line.case.words(),
                    strain.what,
                    strain.strained,
                    strain.normal,
                    hundredths / 100,
                    hundredths % 100
                )?;
            }
        }
        Ok(())
    }
}
