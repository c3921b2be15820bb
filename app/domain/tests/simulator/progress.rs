//! How far a run of seeds is, for both simulators: each time a line of its own, so that a log can be read.

use std::ops::Range;
use std::time::Instant;

/// Lines of a run, if it has as many seeds.
const LINES: u64 = 100;

pub struct Progress {
    seeds: Range<u64>,
    began: Instant,
}

impl Progress {
    /// Begins now.
    pub fn of(seeds: &Range<u64>) -> Self {
        Self {
            seeds: seeds.clone(),
            began: Instant::now(),
        }
    }

    /// What to print after this seed; nothing after most of them, where there are many.
    pub fn after(&self, seed: u64) -> Option<String> {
        let all = self.seeds.end - self.seeds.start;
        let done = seed + 1 - self.seeds.start;
        let is_told = done.is_multiple_of(all.div_ceil(LINES)) || done == all;
        is_told.then(|| self.line(seed, done, all - done))
    }

    fn line(&self, seed: u64, done: u64, left: u64) -> String {
        let spent = self.began.elapsed().as_millis();
        let rest = spent * u128::from(left) / u128::from(done) / 1_000;
        let pace = u128::from(done) * 60_000 / spent.max(1);
        let bar = bar(done, done + left);
        format!(
            "{bar} seed {seed}: {done} done, {left} left, {pace} a minute, about {rest} s to go"
        )
    }
}

/// How much of it is done, in forty steps.
fn bar(done: u64, all: u64) -> String {
    const WIDTH: u64 = 40;
    let full = usize::try_from(done * WIDTH / all.max(1)).unwrap();
    format!("[{:<40}]", "#".repeat(full))
}

#[test]
fn the_bar_is_full_at_the_end() {
    assert_eq!(bar(0, 3), format!("[{}]", " ".repeat(40)));
    assert_eq!(bar(1, 2), format!("[{}{}]", "#".repeat(20), " ".repeat(20)));
    assert_eq!(bar(3, 3), format!("[{}]", "#".repeat(40)));
}

#[test]
fn few_seeds_are_told_one_by_one_and_many_a_hundred_times() {
    for (seeds, told) in [(7..10, 3), (0..100, 100), (5..100_005, 100), (0..250, 84)] {
        let progress = Progress::of(&seeds);
        let lines: Vec<String> = seeds.filter_map(|seed| progress.after(seed)).collect();
        assert_eq!(lines.len(), told);
        assert!(lines.last().unwrap().contains(" 0 left"), "{lines:?}");
    }
}
