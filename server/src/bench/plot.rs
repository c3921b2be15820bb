//! Two pictures of the ledger's throughput: against how many postings it holds, and against how many
//! entries are in flight.

use std::path::Path;

use anyhow::Context;
use gateway::Gateway;

use super::audit;
use super::chart::{self, Chart, Series, svg};
use super::figure::{Figure, Range};
use super::ledger::{Ledger, Load};
use super::say;
use super::tpcb::Tpcb;

/// Fewest postings of the first picture; ten times as many each time up to the bound.
pub(super) const FEWEST_ROWS: u32 = 10_000;

/// Entries in flight of the second picture.
const IN_FLIGHT: [u32; 6] = [1, 4, 16, 64, 256, 1_024];

/// Clients of TPC-B beside each point, as many as there is room for.
const TPCB_CLIENTS: u32 = 64;

/// What the rounds measured at one place of the x axis.
struct Point {
    x: u64,
    uniform: Range,
    hot: Range,
    tpcb: Range,
}

/// What the pictures are made of.
pub(super) struct Sweep<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) ledger: &'a Ledger,
    pub(super) tpcb: &'a Tpcb<'a>,
    /// Clients of TPC-B at most.
    pub(super) room: u32,
    /// One line about machine and Postgres for the descriptions.
    pub(super) machine: String,
}

impl Sweep<'_> {
    /// Measures both and writes `bench-rows.svg` and `bench-concurrency.svg`; answers the figures as
    /// text. The ledger only grows, so the first picture is measured from few rows to many.
    ///
    /// # Errors
    /// The books are not in order afterwards: then nothing is written.
    pub(super) async fn draw(&self, folder: &Path, rows_max: u32) -> anyhow::Result<String> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let rows = self.over_rows(rows_max).await?;
        let concurrency = self.over_concurrency().await?;
        say("auditing");
        audit::prove(self.gateway).await?;
        let occasion = Occasion {
            rounds: self.ledger.rounds(),
            machine: &self.machine,
        };
        occasion.draw(folder, &rows, &concurrency)
    }

    async fn over_rows(&self, rows_max: u32) -> anyhow::Result<Vec<Point>> {
        let mut points = Vec::new();
        for rows in steps(rows_max) {
            say(&format!("loading up to {rows} postings"));
            // What the measurements book is in the ledger, too.
            let held = self.ledger.grow_to(rows).await?;
            points.push(
                self.point(held, self.ledger.in_flight(), TPCB_CLIENTS)
                    .await?,
            );
        }
        Ok(points)
    }

    async fn over_concurrency(&self) -> anyhow::Result<Vec<Point>> {
        let mut points = Vec::new();
        for in_flight in IN_FLIGHT {
            let clients = in_flight.min(TPCB_CLIENTS);
            points.push(self.point(u64::from(in_flight), in_flight, clients).await?);
        }
        Ok(points)
    }

    /// As many interleaved rounds as the plan has.
    async fn point(&self, x: u64, in_flight: u32, clients: u32) -> anyhow::Result<Point> {
        let (mut uniform, mut hot, mut tpcb) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=self.ledger.rounds() {
            tpcb.push(self.tpcb.rate(clients.min(self.room).max(1)).await?);
            for (load, figures) in [(Load::Uniform, &mut uniform), (Load::Hot, &mut hot)] {
                let done = self.ledger.book(load, in_flight, round).await?;
                figures.push(done.rate());
            }
        }
        let range = |figures: &[Figure]| Range::over(figures).context("no round was measured");
        let point = Point {
            x,
            uniform: range(&uniform)?,
            hot: range(&hot)?,
            tpcb: range(&tpcb)?,
        };
        say(&told(&point));
        Ok(point)
    }
}

/// What is said below every picture of a run.
struct Occasion<'a> {
    rounds: u32,
    /// One line about machine and Postgres.
    machine: &'a str,
}

impl Occasion<'_> {
    /// Writes both pictures; answers their figures as text.
    fn draw(&self, folder: &Path, rows: &[Point], concurrency: &[Point]) -> anyhow::Result<String> {
        let mut told = Vec::new();
        for (name, x_label, points) in [
            ("bench-rows.svg", "postings in the ledger", rows),
            ("bench-concurrency.svg", "entries in flight", concurrency),
        ] {
            let path = folder.join(name);
            write(&path, &svg(&self.chart(x_label, points)))?;
            told.push(listed(&path, x_label, points));
        }
        Ok(told.join("\n\n"))
    }

    fn chart(&self, x_label: &'static str, points: &[Point]) -> Chart {
        let line = |name, y: fn(&Point) -> Range| Series {
            name,
            points: points
                .iter()
                .map(|point| placed(point.x, y(point)))
                .collect(),
        };
        Chart {
            title: format!("Entries a second by {x_label}"),
            description: format!(
                "Medians of {} interleaved rounds with bars from the least to the most, both axes \
                 logarithmic. {}. {}",
                self.rounds,
                self.machine,
                points.iter().map(told).collect::<Vec<_>>().join("; ")
            ),
            x_label,
            y_label: "a second",
            series: vec![
                line("ledger, uniform", |point| point.uniform),
                line("ledger, one hot account", |point| point.hot),
                line("TPC-B by pgbench", |point| point.tpcb),
            ],
        }
    }
}

/// Where the median is drawn, and its bar.
fn placed(x: u64, range: Range) -> chart::Point {
    chart::Point {
        x,
        y: range.middle.floor(),
        least: range.least.floor(),
        most: range.most.floor(),
    }
}

/// Ten thousand, ten times as many, and so on; the bound itself is the last one.
fn steps(rows_max: u32) -> Vec<u32> {
    let decades = std::iter::successors(Some(FEWEST_ROWS), |rows| rows.checked_mul(10));
    let below = decades.take_while(|rows| *rows < rows_max);
    below.chain([rows_max]).collect()
}

fn told(point: &Point) -> String {
    let Point {
        x,
        uniform,
        hot,
        tpcb,
    } = point;
    let [uniform, hot, tpcb] = [uniform, hot, tpcb].map(|range| range.text(0));
    format!("at {x}: uniform {uniform}, hot {hot}, TPC-B {tpcb}")
}

fn listed(path: &Path, x_label: &str, points: &[Point]) -> String {
    let lines = points.iter().map(told).collect::<Vec<_>>().join("\n");
    format!("{} (by {x_label})\n{lines}", path.display())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "plot_tests.rs"]
mod tests;
