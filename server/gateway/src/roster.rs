//! Who of the workers is there, and whether it gets on. A worker that panics ends alone; here it is missed,
//! and so is one that waits for what never comes.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::view::system::{WorkerFigures, WorkerState};
use tokio::time::Instant;

tokio::task_local! {
    /// That of the worker whose task this is.
    static DUTY: OnDuty;
}

/// The workers of this process by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Roster(Arc<Mutex<BTreeMap<String, Place>>>);

#[derive(Debug)]
struct Place {
    /// How many are at work under the name.
    at_work: u32,
    /// Longest time between the ends of two steps; `None` of those that wait as long as it takes.
    step_max: Option<Duration>,
    last_step: Instant,
}

impl Place {
    fn state(&self) -> WorkerState {
        if self.at_work == 0 {
            return WorkerState::Ended;
        }
        match self.step_max {
            Some(most) if self.last_step.elapsed() > most => WorkerState::Stuck,
            _ => WorkerState::Running,
        }
    }
}

/// One worker at work; dropping it, also by a panic, takes it off.
#[derive(Debug)]
pub(crate) struct OnDuty {
    roster: Roster,
    name: String,
}

impl OnDuty {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Work under this name, until it ends or breaks.
    pub(crate) async fn work(self, work: impl Future<Output = ()> + Send) {
        DUTY.scope(self, work).await;
    }
}

/// A step of the worker whose task this is has ended, whatever it came to: the worker gets on. Of nobody
/// else it says anything.
pub(crate) fn note_step() {
    // Elsewhere it is somebody's who waits for it.
    let _ = DUTY.try_with(|duty| {
        if let Some(place) = duty.roster.lock().get_mut(&duty.name) {
            place.last_step = Instant::now();
        }
    });
}

impl Roster {
    /// `step_max` is how long may pass between the ends of two of its steps ([`note_step`]).
    pub(crate) fn enter(&self, name: &str, step_max: Option<Duration>) -> OnDuty {
        let mut places = self.lock();
        let place = places.entry(name.to_owned()).or_insert_with(|| Place {
            at_work: 0,
            step_max,
            last_step: Instant::now(),
        });
        place.at_work += 1;
        place.last_step = Instant::now();
        OnDuty {
            roster: self.clone(),
            name: name.to_owned(),
        }
    }

    /// Everybody who was ever there, by name.
    pub fn workers(&self) -> Vec<WorkerFigures> {
        let places = self.lock();
        places
            .iter()
            .map(|(name, place)| WorkerFigures {
                name: name.clone(),
                state: place.state(),
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OnDuty {
    fn drop(&mut self) {
        if let Some(place) = self.roster.lock().get_mut(&self.name) {
            place.at_work = place.at_work.saturating_sub(1);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const STEP_MAX: Duration = Duration::from_secs(60);

    fn states(roster: &Roster) -> Vec<(String, WorkerState)> {
        let workers = roster.workers().into_iter();
        workers.map(|worker| (worker.name, worker.state)).collect()
    }

    #[tokio::test]
    async fn who_panics_is_missed_until_somebody_takes_the_place() {
        let roster = Roster::default();
        let stays = roster.enter("stays", None);
        let breaks = roster.enter("breaks", None);
        let broken = tokio::spawn(breaks.work(async { panic!("on purpose") }));
        assert!(broken.await.unwrap_err().is_panic());
        let told = |breaks, stays| [("breaks".to_owned(), breaks), ("stays".to_owned(), stays)];
        assert_eq!(
            states(&roster),
            told(WorkerState::Ended, WorkerState::Running)
        );
        let _again = roster.enter("breaks", None);
        drop(stays);
        assert_eq!(
            states(&roster),
            told(WorkerState::Running, WorkerState::Ended)
        );
    }

    /// Fails when time is not looked at, or nobody's steps count, or everybody's for each other.
    #[tokio::test(start_paused = true)]
    async fn who_ends_no_step_for_too_long_is_stuck() {
        let roster = Roster::default();
        let gets_on = roster.enter("gets on", Some(STEP_MAX));
        let hangs = roster.enter("hangs", Some(STEP_MAX));
        let _waits = roster.enter("waits", None);
        let getting_on = tokio::spawn(gets_on.work(async {
            loop {
                sleep(STEP_MAX).await;
                note_step();
            }
        }));
        let hanging = tokio::spawn(hangs.work(std::future::pending()));
        sleep(STEP_MAX / 2).await;
        assert!(
            states(&roster)
                .iter()
                .all(|(_, state)| *state == WorkerState::Running)
        );
        sleep(STEP_MAX).await;
        assert_eq!(
            states(&roster),
            [
                ("gets on".to_owned(), WorkerState::Running),
                ("hangs".to_owned(), WorkerState::Stuck),
                ("waits".to_owned(), WorkerState::Running),
            ]
        );
        hanging.abort();
        assert!(hanging.await.unwrap_err().is_cancelled());
        assert_eq!(states(&roster)[1].1, WorkerState::Ended);
        getting_on.abort();
    }

    /// What a caller waits for runs through the same code as a worker's.
    #[tokio::test(start_paused = true)]
    async fn the_steps_of_somebody_else_are_nobodys() {
        let roster = Roster::default();
        let _hangs = roster.enter("hangs", Some(STEP_MAX));
        advance(STEP_MAX + Duration::from_secs(1)).await;
        note_step();
        assert_eq!(states(&roster)[0].1, WorkerState::Stuck);
    }
}
