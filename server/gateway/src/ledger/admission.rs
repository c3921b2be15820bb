//! The door of units that are committed alone: so many run at the same time, so many wait, in the order
//! they came, and whoever comes then is turned away with nothing done.
//!
//! Invariant: nobody waits at the door while he holds a lock that those behind it wait for, so the door
//! closes no circle: a unit opens no second one, and what the instance does by itself has no door.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use domain::view::system::AdmissionFigures;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::{Error, Result};

/// Longest wait, as long as for a connection of the pool.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Units that may wait: a thousand people who see a page.
const QUEUE: usize = 1_000;

/// How many units may run and wait. Nothing counts as one that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub running: u32,
    pub waiting: usize,
}

impl Room {
    /// Half of a pool, rounded up: committers, workers and everybody who only reads have the rest.
    pub(super) fn within(connections: u32) -> Self {
        Self {
            running: connections.div_ceil(2).max(1),
            waiting: QUEUE,
        }
    }
}

pub(super) struct Admission {
    room: Room,
    /// Fair: who came first is let in first.
    permits: Semaphore,
    is_closed: AtomicBool,
    waiting: AtomicUsize,
    admitted: AtomicU64,
    refused: AtomicU64,
}

impl Admission {
    pub(super) fn new(room: Room) -> Self {
        let room = Room {
            running: room.running.max(1),
            ..room
        };
        Self {
            room,
            permits: Semaphore::new(places(room)),
            is_closed: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            admitted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Whoever is let in is in until he drops what he got.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when too many wait already, the wait was too long, or nobody is let in any
    /// more.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>> {
        let permit = self.permit().await;
        let counter = match &permit {
            Some(_) => &self.admitted,
            None => &self.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        permit.ok_or_else(Error::overloaded)
    }

    async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        if self.is_closed.load(Ordering::Acquire) {
            return None;
        }
        if let Ok(permit) = self.permits.try_acquire() {
            return Some(permit);
        }
        let _place = Place::take(&self.waiting, self.room.waiting)?;
        timeout(WAIT_MAX, self.permits.acquire()).await.ok()?.ok()
    }

    pub(super) fn figures(&self) -> AdmissionFigures {
        let running = places(self.room).saturating_sub(self.permits.available_permits());
        AdmissionFigures {
            waiting: wide(self.waiting.load(Ordering::Relaxed)),
            running: wide(running),
            most: u64::from(self.room.running),
            admitted: self.admitted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Lets nobody in any more but those who wait; when not all of them were through within the limit, the
    /// rest is turned away, and it is false.
    pub(super) async fn end_within(&self, limit: Duration) -> bool {
        self.is_closed.store(true, Ordering::Release);
        // Behind everybody who waits, and free when everybody has left.
        let all = timeout(limit, self.permits.acquire_many(self.room.running)).await;
        let is_empty = match all {
            Ok(Ok(_all)) => true,
            // It was closed before.
            Ok(Err(_)) => self.permits.available_permits() == places(self.room),
            Err(_) => false,
        };
        self.permits.close();
        is_empty
    }
}

/// Somebody who waits.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let one_more = |count: usize| (count < most).then_some(count + 1);
        waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .ok()
            .map(|_| Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn places(room: Room) -> usize {
    usize::try_from(room.running)
        .unwrap_or(Semaphore::MAX_PERMITS)
        .min(Semaphore::MAX_PERMITS)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn those_who_wait_are_let_in_as_they_came_and_one_more_is_turned_away() {
        let door = Admission::new(Room {
            running: 1,
            waiting: 2,
        });
        let inside = door.enter().await.unwrap();
        let (mut first, mut second) = (pin!(door.enter()), pin!(door.enter()));
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        let third = door.enter().await;
        assert!(matches!(third, Err(Error::Overloaded { .. })));
        drop(inside);
        assert!(poll(second.as_mut()).is_pending());
        let Poll::Ready(Ok(inside)) = poll(first.as_mut()) else {
            panic!("the first is next");
        };
        let figures = door.figures();
        assert_eq!((figures.waiting, figures.running), (1, 1));
        assert_eq!((figures.admitted, figures.refused), (2, 1));
        drop(inside);
        assert!(poll(second.as_mut()).is_ready());
    }

    #[tokio::test]
    async fn whoever_goes_away_leaves_his_place() {
        let door = Admission::new(Room {
            running: 1,
            waiting: 1,
        });
        let _inside = door.enter().await.unwrap();
        {
            let mut gone = pin!(door.enter());
            assert!(poll(gone.as_mut()).is_pending());
            assert_eq!(door.figures().waiting, 1);
        }
        assert_eq!(door.figures().waiting, 0);
        let mut other = pin!(door.enter());
        assert!(poll(other.as_mut()).is_pending());
    }

    #[tokio::test]
    async fn at_the_end_everybody_is_answered() {
        let door = Admission::new(Room {
            running: 2,
            waiting: 5,
        });
        let inside = door.enter().await.unwrap();
        let other = door.enter().await.unwrap();
        let mut waiting = pin!(door.enter());
        assert!(poll(waiting.as_mut()).is_pending());
        assert!(!door.end_within(Duration::ZERO).await);
        let turned_away = waiting.await;
        assert!(matches!(turned_away, Err(Error::Overloaded { .. })));
        assert!(matches!(door.enter().await, Err(Error::Overloaded { .. })));
        drop((inside, other));
        assert!(door.end_within(Duration::ZERO).await, "everybody has left");
    }

    #[test]
    fn the_half_of_a_pool_is_for_others() {
        let running = |connections| Room::within(connections).running;
        assert_eq!([0, 1, 2, 5, 40].map(running), [1, 1, 1, 3, 20]);
    }
}
