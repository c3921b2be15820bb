//! One row: what its rounds measured, and what an operation cost in them.

use super::cpu::Cost;
use super::figure::{Figure, Range, median};
use super::subject::Title;

pub(super) struct Row {
    pub(super) title: Title,
    /// One figure a round.
    pub(super) rounds: Vec<Figure>,
    /// CPU time of Postgres for each operation, microseconds, of those rounds that tell it.
    postgres: Vec<Figure>,
    /// The same of this process.
    own: Vec<Figure>,
}

impl Row {
    pub(super) fn of(title: Title) -> Self {
        Self {
            title,
            rounds: Vec::new(),
            postgres: Vec::new(),
            own: Vec::new(),
        }
    }

    /// Adds what a round measured.
    pub(super) fn take(&mut self, figure: Figure, cost: Cost) {
        self.rounds.push(figure);
        self.postgres.extend(cost.postgres);
        self.own.extend(cost.own);
    }

    /// Medians of what an operation costs.
    pub(super) fn cost(&self) -> Cost {
        Cost {
            postgres: median(&self.postgres),
            own: median(&self.own),
        }
    }

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
