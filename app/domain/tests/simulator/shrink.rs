//! Delta debugging: the shortest script found that still fails.

use crate::script::Step;

/// Most runs one failure may cost.
const RUNS_MAX: usize = 3_000;

/// Takes away chunks, then single steps, then makes steps simpler, as long as `fails` says yes.
pub fn shrink(script: &[Step], fails: impl Fn(&[Step]) -> bool) -> Vec<Step> {
    let mut shortest = script.to_vec();
    let mut runs = 0;
    let mut still_fails = |candidate: &[Step]| {
        runs += 1;
        runs <= RUNS_MAX && fails(candidate)
    };
    let mut chunk = shortest.len().div_ceil(2).max(1);
    loop {
        let mut found = false;
        let mut at = 0;
        while at < shortest.len() {
            let end = (at + chunk).min(shortest.len());
            let mut candidate = shortest.clone();
            candidate.drain(at..end);
            if still_fails(&candidate) {
                shortest = candidate;
                found = true;
            } else {
                at = end;
            }
        }
        // Single steps are tried until none of them can go.
        if chunk == 1 && !found {
            break;
        }
        if chunk > 1 {
            chunk /= 2;
        }
    }
    for at in 0..shortest.len() {
        while let Some(simpler) = shortest[at].simpler().into_iter().find_map(|step| {
            let mut candidate = shortest.clone();
            candidate[at] = step;
            still_fails(&candidate).then_some(candidate)
        }) {
            shortest = simpler;
        }
    }
    shortest
}

#[test]
fn only_what_is_needed_is_left() {
    let script = crate::script::of_seed(3, 60);
    let wanted = [script[7], script[41]];
    let fails = |steps: &[Step]| {
        let mut rest = steps.iter().map(|step| step.command);
        wanted
            .iter()
            .all(|one| rest.any(|command| command == one.command))
    };
    let found = shrink(&script, fails);
    let commands: Vec<_> = found.iter().map(|step| step.command).collect();
    assert_eq!(commands, wanted.map(|step| step.command));
}
