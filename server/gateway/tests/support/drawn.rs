//! Values that are drawn as proptest draws its own cases: by the seed that `PROPTEST_RNG_SEED` names, or by
//! another one on every run.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// One value. Its seed is printed, so that a failure can be played again.
pub fn drawn<S: Strategy>(values: &S) -> S::Value {
    drawn_by(Config::default(), values)
}

/// The same by the seed of a configuration.
pub fn drawn_by<S: Strategy>(mut config: Config, values: &S) -> S::Value {
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => uuid::Uuid::new_v4().as_u64_pair().1,
    };
    eprintln!("PROPTEST_RNG_SEED={seed}");
    config.rng_seed = RngSeed::Fixed(seed);
    let mut runner = TestRunner::new(config);
    values.new_tree(&mut runner).unwrap().current()
}
