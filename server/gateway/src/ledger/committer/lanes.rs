use std::collections::{HashMap, VecDeque};

/// What waits, each owner's in the order it came, and the owners by turns: whoever has much waiting
/// keeps nobody else waiting.
pub(super) struct Lanes<T> {
    /// None of them is empty.
    lanes: HashMap<Option<i64>, VecDeque<T>>,
    /// Each lane once; the first is next.
    turns: VecDeque<Option<i64>>,
    len: usize,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            len: 0,
        }
    }
}

impl<T> Lanes<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Of the owner of this lane alone.
    pub(super) fn len_of(&self, lane: Option<i64>) -> usize {
        self.lanes.get(&lane).map_or(0, VecDeque::len)
    }

    pub(super) fn push(&mut self, lane: Option<i64>, item: T) {
        let waiting = self.lanes.entry(lane).or_default();
        if waiting.is_empty() {
            self.turns.push_back(lane);
        }
        waiting.push_back(item);
        self.len += 1;
    }

    /// Up to this many: one of each owner, then the next of each.
    pub(super) fn take(&mut self, max: usize) -> Vec<T> {
        let mut taken = Vec::with_capacity(self.len.min(max));
        while taken.len() < max {
            let Some(item) = self.next() else { break };
            taken.push(item);
        }
        taken
    }

    fn next(&mut self) -> Option<T> {
        let lane = self.turns.pop_front()?;
        let waiting = self.lanes.get_mut(&lane)?;
        let item = waiting.pop_front();
        if waiting.is_empty() {
            self.lanes.remove(&lane);
        } else {
            self.turns.push_back(lane);
        }
        self.len = self.len.saturating_sub(1);
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_much_waiting_keeps_nobody_waiting() {
        let mut lanes = Lanes::default();
        for n in 0..5_000 {
            lanes.push(Some(1), (1, n));
        }
        for n in 0..3 {
            lanes.push(Some(2), (2, n));
        }
        lanes.push(Some(3), (3, 0));
        assert_eq!((lanes.len(), lanes.len_of(Some(1))), (5_004, 5_000));
        let first = lanes.take(6);
        assert_eq!(first, [(1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (1, 2)]);
        // The turns go on where they were.
        assert_eq!(lanes.take(3), [(2, 2), (1, 3), (1, 4)]);
        lanes.push(Some(3), (3, 1));
        assert_eq!(lanes.take(2), [(1, 5), (3, 1)]);
        assert_eq!(lanes.len(), lanes.len_of(Some(1)));
    }

    #[test]
    fn what_nobody_owns_comes_as_it_came() {
        let mut lanes = Lanes::default();
        for n in 0..10 {
            lanes.push(None, n);
        }
        assert_eq!(lanes.take(4), [0, 1, 2, 3]);
        assert_eq!(lanes.take(usize::MAX), [4, 5, 6, 7, 8, 9]);
        assert_eq!((lanes.len(), lanes.len_of(None)), (0, 0));
        assert!(lanes.take(1).is_empty());
    }
}
