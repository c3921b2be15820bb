//! Fewer steps that still fail. Each try is a database of its own, so there are few.

use std::future::Future;

/// Most tries of one failure.
const TRIES_MAX: u32 = 24;

/// Takes chunks away, half as large each round, while `fails` says yes.
pub async fn shrink<S, F, Fut>(script: &[S], fails: F) -> Vec<S>
where
    S: Clone,
    F: Fn(Vec<S>) -> Fut,
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
    let script: Vec<u32> = (0..64).collect();
    let found = shrink(&script, |steps| async move { steps.contains(&40) }).await;
    assert!(found.contains(&40));
    assert!(found.len() <= 4, "{}", found.len());
}
