//! How often something is tried again while Postgres is away, and the waits in between.

use std::time::Duration;

use super::patience::is_silence;
use crate::Error;

/// How often something is tried again after its connection went away; with the waits in between about a
/// minute, in which Postgres has recovered from a crash.
pub(in crate::ledger) const LOST_TRIES_MAX: u32 = 40;

/// As how many of those a connection counts that has fallen silent: each has been waited for for about
/// a minute already.
const SILENCE_COUNTS: u32 = 10;

const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

pub(super) fn tries_of(error: &Error) -> u32 {
    if is_silence(error) { SILENCE_COUNTS } else { 1 }
}

/// The pause after so many tries.
pub(in crate::ledger) fn wait_before(tries: u32) -> Duration {
    FIRST_WAIT
        .saturating_mul(1 << tries.min(10))
        .min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tries_together_take_about_a_minute() {
        let waited: Duration = (1..LOST_TRIES_MAX).map(wait_before).sum();
        assert!(
            (50..90).contains(&waited.as_secs()),
            "{waited:?} in between"
        );
        assert!(wait_before(1) < wait_before(2));
        assert_eq!(wait_before(u32::MAX), LONGEST_WAIT);
    }
}
