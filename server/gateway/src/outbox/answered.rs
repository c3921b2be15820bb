//! Which receivers answered a moment ago: only to those can a connection have been kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many are remembered before those of long ago are forgotten.
const KEPT_MAX: usize = 1_024;

/// Origins (`https://shop.example`) with the time of their last answer. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Answered(Arc<Mutex<HashMap<String, Instant>>>);

impl Answered {
    pub(super) fn note(&self, origin: String, now: Instant, within: Duration) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= KEPT_MAX {
            last.retain(|_, at| now.saturating_duration_since(*at) <= within);
        }
        last.insert(origin, now);
    }

    /// Whether it answered at most `within` before `now`, or later.
    pub(super) fn is_recent(&self, origin: &str, now: Instant, within: Duration) -> bool {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(origin)
            .is_some_and(|at| now.saturating_duration_since(*at) <= within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_secs(1);

    #[test]
    fn only_a_moment_is_remembered() {
        let answered = Answered::default();
        let now = Instant::now();
        answered.note("http://a".to_owned(), now, MOMENT);
        assert!(answered.is_recent("http://a", now + MOMENT, MOMENT));
        assert!(!answered.is_recent("http://a", now + MOMENT * 2, MOMENT));
        assert!(!answered.is_recent("http://b", now, MOMENT));
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let answered = Answered::default();
        let long_ago = Instant::now();
        for number in 0..KEPT_MAX {
            answered.note(number.to_string(), long_ago, MOMENT);
        }
        let now = long_ago + MOMENT * 2;
        answered.note("new".to_owned(), now, MOMENT);
        assert_eq!(answered.0.lock().map(|last| last.len()).ok(), Some(1));
    }
}
