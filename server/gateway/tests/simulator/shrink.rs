//! Fewer steps that still fail. Each try is a database of its own, so there are few.

use std::future::Future;

use crate::commands::Step;

/// Most tries of one failure.
const TRIES_MAX: u32 = 24;

/// Takes chunks away, half as large each round, while `fails` says yes.
pub async fn shrink<F, Fut>(script: &[Step], fails: F) -> Vec<Step>
where
    F: Fn(Vec<Step>) -> Fut,
    Fut: Future<Output = bool>,
{
    let mut shortest = script.to_vec();
    let mut tries = 0;
    let mut chunk = shortest.len().div_ceil(2);
    while chunk > 0 && tries < TRIES_MAX {
        let mut at = 0;
        while at < shortest.len() && tries < TRIES_MAX {
            let end = (at + chunk).min(shortest.len());
            let mut candidate = shortest.clone();
            candidate.drain(at..end);
            tries += 1;
            if fails(candidate.clone()).await {
                shortest = candidate;
            } else {
                at = end;
            }
        }
        chunk /= 2;
    }
    shortest
}

#[tokio::test]
async fn chunks_that_do_not_matter_go() {
    let script = crate::commands::of_seed(5, 64);
    let wanted = script[40];
    let found = shrink(&script, |steps| async move { steps.contains(&wanted) }).await;
    assert!(found.contains(&wanted));
    assert!(found.len() <= 4, "{}", found.len());
}
