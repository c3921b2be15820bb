//! Together has the same outcome as one by one: whatever happens to some orders in the same blocks leaves
//! each as it would be had it been alone.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sqlx::PgPool;

use super::Yard;
use super::ways::{Story, Way, outcome, play};

/// Drawn once, the same on every run.
const CASES: usize = 8;

fn cases() -> Vec<(Vec<Story>, bool)> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let story = (0..Way::ALL.len(), 500u32..9_000);
    let drawn = proptest::collection::vec(
        (proptest::collection::vec(story, 2..7), proptest::bool::ANY),
        CASES,
    )
    .new_tree(&mut runner)
    .unwrap()
    .current();
    let story = |(way, cents): (usize, u32)| (Way::ALL[way], cents);
    drawn
        .into_iter()
        .map(|(stories, looks)| (stories.into_iter().map(story).collect(), looks))
        .collect()
}

async fn compare(yard: &Yard, stories: &[Story], looks: bool) {
    let together = play(yard, stories, looks).await;
    let mut alone = Vec::new();
    for story in stories {
        alone.extend(play(yard, &[*story], looks).await);
    }
    for ((story, one), other) in stories.iter().zip(&together).zip(&alone) {
        assert_eq!(
            outcome(&yard.pool, one).await,
            outcome(&yard.pool, other).await,
            "{story:?} of {stories:?}, looks {looks}"
        );
    }
    yard.world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_way_in_one_block(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    yard.world.set_rate("BTC", "EUR", "50000").await;
    let stories: Vec<Story> = Way::ALL.into_iter().zip((1_037..).step_by(411)).collect();
    for looks in [true, false] {
        compare(&yard, &stories, looks).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn ways_that_were_drawn(pool: PgPool) {
    let yard = Yard::new(&pool).await;
    yard.world.set_rate("BTC", "EUR", "54321.09").await;
    for (stories, looks) in cases() {
        compare(&yard, &stories, looks).await;
    }
}
