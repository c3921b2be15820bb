//! Which cases are run and how often: what `./x chaos` is given.

use std::time::{Duration, Instant};

use crate::cases::Case;

/// How long it goes on, minutes.
const MINUTES: &str = "EXCHEQUER_CHAOS_MINUTES";

/// How often each case is run, instead of by the clock.
const RUNS: &str = "EXCHEQUER_CHAOS_RUNS";

/// Names of cases with commas between them; without it all that can be run.
const CASES: &str = "EXCHEQUER_CHAOS_CASES";

pub struct Choice {
    pub cases: Vec<Case>,
    /// Asked for by `./x chaos`: cases take the time they need.
    pub is_long: bool,
    runs: Option<usize>,
    end: Instant,
}

impl Choice {
    /// Without anything in the environment: once each case that needs no long wait.
    pub fn of_environment() -> Self {
        let text = |name| std::env::var(name).ok();
        let minutes: Option<u64> = text(MINUTES).map(|text| text.parse().expect("whole minutes"));
        let runs: Option<usize> = text(RUNS).map(|text| text.parse().expect("a whole number"));
        let names = text(CASES);
        let is_long = minutes.is_some() || runs.is_some();
        Self {
            is_long,
            cases: names.map_or_else(
                || {
                    Case::ALL
                        .into_iter()
                        .filter(|case| is_long || case.is_quick())
                        .collect()
                },
                |names| names.split(',').map(named).collect(),
            ),
            runs,
            end: Instant::now() + Duration::from_secs(minutes.unwrap_or(0) * 60),
        }
    }

    /// Whether there is another round after so many.
    pub fn goes_on(&self, rounds: usize) -> bool {
        match self.runs {
            Some(runs) => rounds < runs,
            None => Instant::now() < self.end,
        }
    }
}

fn named(name: &str) -> Case {
    let found = Case::ALL.into_iter().find(|case| case.name() == name);
    found.unwrap_or_else(|| {
        let all: Vec<&str> = Case::ALL.iter().map(|case| case.name()).collect();
        panic!("no case is called {name:?}: they are {}", all.join(", "))
    })
}
