use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, oneshot};

use super::Batch;
use super::lanes::Lanes;
use crate::Result;

pub(super) type Reply<D> = oneshot::Sender<Result<D>>;

/// An item and who waits for it.
pub(super) struct Waiting<B: Batch> {
    pub(super) item: B::Item,
    pub(super) reply: Reply<B::Done>,
}

/// What waits for its turn, up to a limit.
pub(super) struct Queue<B: Batch> {
    max: usize,
    state: Mutex<State<B>>,
    changed: Notify,
}

struct State<B: Batch> {
    lanes: Lanes<Waiting<B>>,
    is_closed: bool,
}

impl<B: Batch> Queue<B> {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            state: Mutex::new(State {
                lanes: Lanes::default(),
                is_closed: false,
            }),
            changed: Notify::new(),
        }
    }

    /// False when there is no room for it, or nothing more is taken. One owner gets half of the room,
    /// so that he cannot have all others turned away.
    pub(super) fn push(&self, lane: Option<i64>, waiting: Waiting<B>) -> bool {
        let mut state = self.lock();
        let room_of_one = match lane {
            Some(_) => self.max.div_ceil(2),
            None => self.max,
        };
        if state.is_closed
            || state.lanes.len() >= self.max
            || state.lanes.len_of(lane) >= room_of_one
        {
            return false;
        }
        state.lanes.push(lane, waiting);
        drop(state);
        self.changed.notify_one();
        true
    }

    /// What is next, up to this many; `None` when nothing waits and nothing comes any more.
    pub(super) fn take(&self, max: usize) -> Option<Vec<Waiting<B>>> {
        let mut state = self.lock();
        if state.is_closed && state.lanes.len() == 0 {
            return None;
        }
        Some(state.lanes.take(max))
    }

    /// Ends when something has come, or nothing comes any more, since it was called.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    pub(super) fn len(&self) -> usize {
        self.lock().lanes.len()
    }

    /// Whether nothing is taken any more.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Takes nothing more.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_waiters();
    }

    /// Takes nothing more, and gives back what has not begun.
    pub(super) fn clear(&self) -> Vec<Waiting<B>> {
        let waiting = {
            let mut state = self.lock();
            state.is_closed = true;
            state.lanes.take(usize::MAX)
        };
        self.changed.notify_waiters();
        waiting
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
