use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longest time that something is believed, if its change was not heard of. Real time: moving the
/// instance's clock must not make it longer.
const BELIEVED_FOR: Duration = Duration::from_secs(2);

/// What is kept at most; one more starts anew.
const KEPT_MAX: usize = 10_000;

/// What was read of the database a moment ago, as long as somebody listens for its changes.
///
/// Invariants: nothing is kept that was read before a change this process heard of; nothing while
/// nobody listens; nothing for longer than [`BELIEVED_FOR`]. What does not exist is not kept, so
/// whatever is made up costs no memory, and what is new counts at once.
pub(super) struct Known<K, V>(Mutex<State<K, V>>);

struct State<K, V> {
    kept: HashMap<K, (Instant, V)>,
    /// How many listen.
    listeners: usize,
    /// Grows with every change.
    changes: u64,
}

/// What is known of a key.
pub(super) enum Found<V> {
    Kept(V),
    /// To be read, and handed in with this.
    Missing(Reading),
}

/// When a reading began: before which change, and at what time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    changes: u64,
    begun: Instant,
}

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        Self(Mutex::new(State {
            kept: HashMap::new(),
            listeners: 0,
            changes: 0,
        }))
    }
}

impl<K: Eq + Hash, V: Clone> Known<K, V> {
    pub(super) fn find(&self, key: &K) -> Found<V> {
        self.find_at(key, Instant::now())
    }

    fn find_at(&self, key: &K, now: Instant) -> Found<V> {
        let state = self.state();
        match state.kept.get(key) {
            Some((begun, value)) if now.duration_since(*begun) < BELIEVED_FOR => {
                Found::Kept(value.clone())
            }
            _ => Found::Missing(Reading {
                changes: state.changes,
                begun: now,
            }),
        }
    }

    /// Keeps what was read, unless something has changed since the reading began. It is as old as that:
    /// an answer may have been on its way for long.
    pub(super) fn keep(&self, reading: Reading, key: K, value: V) {
        let mut state = self.state();
        if state.listeners == 0 || state.changes != reading.changes {
            return;
        }
        if state.kept.len() >= KEPT_MAX && !state.kept.contains_key(&key) {
            state.kept.clear();
        }
        state.kept.insert(key, (reading.begun, value));
    }

    /// Something has changed.
    pub(super) fn forget(&self) {
        self.state().forget();
    }

    /// From now on somebody hears of changes.
    pub(super) fn listening(&self) {
        let mut state = self.state();
        state.listeners += 1;
        state.forget();
    }

    /// Somebody does not hear of changes any more.
    pub(super) fn deaf(&self) {
        let mut state = self.state();
        state.listeners = state.listeners.saturating_sub(1);
        state.forget();
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> State<K, V> {
    fn forget(&mut self) {
        self.changes = self.changes.wrapping_add(1);
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listened_to() -> Known<usize, &'static str> {
        let known = Known::default();
        known.listening();
        known
    }

    fn read(known: &Known<usize, &'static str>, key: usize, now: Instant) -> Option<&'static str> {
        match known.find_at(&key, now) {
            Found::Kept(value) => Some(value),
            Found::Missing(_) => None,
        }
    }

    fn begin(known: &Known<usize, &'static str>, now: Instant) -> Reading {
        match known.find_at(&usize::MAX, now) {
            Found::Missing(reading) => reading,
            Found::Kept(_) => Reading {
                changes: u64::MAX,
                begun: now,
            },
        }
    }

    #[test]
    fn what_was_read_is_known_for_two_seconds() {
        let (known, start) = (listened_to(), Instant::now());
        known.keep(begin(&known, start), 1, "one");
        assert_eq!(read(&known, 1, start), Some("one"));
        assert_eq!(
            read(&known, 1, start + BELIEVED_FOR - Duration::from_millis(1)),
            Some("one")
        );
        assert_eq!(read(&known, 1, start + BELIEVED_FOR), None);
        assert_eq!(read(&known, 2, start), None);
    }

    /// However late the answer comes, it says what was so when it was asked for.
    #[test]
    fn what_was_on_its_way_for_long_is_old_when_it_comes() {
        let (known, long_ago) = (listened_to(), Instant::now());
        let reading = begin(&known, long_ago);
        let now = long_ago + BELIEVED_FOR;
        known.keep(reading, 1, "one");
        assert_eq!(read(&known, 1, now), None);
        known.keep(begin(&known, now), 1, "one");
        assert_eq!(read(&known, 1, now), Some("one"));
    }

    #[test]
    fn nothing_is_kept_while_nobody_listens() {
        let (known, start) = (Known::default(), Instant::now());
        known.keep(begin(&known, start), 1, "one");
        assert_eq!(read(&known, 1, start), None);
        known.listening();
        known.listening();
        known.keep(begin(&known, start), 1, "one");
        known.deaf();
        assert_eq!(read(&known, 1, start), None, "one of the two heard less");
        known.keep(begin(&known, start), 1, "one");
        assert_eq!(read(&known, 1, start), Some("one"), "the other one listens");
        known.deaf();
        known.keep(begin(&known, start), 1, "one");
        assert_eq!(read(&known, 1, start), None);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let (known, start) = (listened_to(), Instant::now());
        let reading = begin(&known, start);
        known.forget();
        known.keep(reading, 1, "old");
        assert_eq!(read(&known, 1, start), None);
        known.keep(begin(&known, start), 1, "new");
        assert_eq!(read(&known, 1, start), Some("new"));
        known.forget();
        assert_eq!(read(&known, 1, start), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (known, start) = (listened_to(), Instant::now());
        for key in 0..3 * KEPT_MAX {
            known.keep(begin(&known, start), key, "one");
            assert_eq!(read(&known, key, start), Some("one"));
        }
        assert!(known.state().kept.len() <= KEPT_MAX);
    }
}
