//! Who of the workers is there. A worker that panics ends alone; here it is missed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::view::system::WorkerFigures;

/// The workers of this process by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Roster(Arc<Mutex<BTreeMap<String, u32>>>);

/// One worker at work; dropping it, also by a panic, takes it off.
#[derive(Debug)]
pub(crate) struct OnDuty {
    roster: Roster,
    name: String,
}

impl Roster {
    pub(crate) fn enter(&self, name: &str) -> OnDuty {
        *self.lock().entry(name.to_owned()).or_default() += 1;
        OnDuty {
            roster: self.clone(),
            name: name.to_owned(),
        }
    }

    /// Everybody who was ever there.
    pub fn workers(&self) -> Vec<WorkerFigures> {
        let at_work = self.lock();
        at_work
            .iter()
            .map(|(name, count)| WorkerFigures {
                name: name.clone(),
                is_alive: *count > 0,
            })
            .collect()
    }

    /// Whether nobody who began has ended.
    pub fn is_complete(&self) -> bool {
        self.lock().values().all(|count| *count > 0)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OnDuty {
    fn drop(&mut self) {
        if let Some(count) = self.roster.lock().get_mut(&self.name) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_panics_is_missed_until_somebody_takes_the_place() {
        let roster = Roster::default();
        assert!(roster.is_complete(), "nobody was ever there");
        let stays = roster.enter("stays");
        let breaks = roster.enter("breaks");
        let broken = tokio::spawn(async move {
            let _breaks = breaks;
            panic!("on purpose");
        });
        assert!(broken.await.unwrap_err().is_panic());
        assert!(!roster.is_complete());
        let names: Vec<(String, bool)> = roster
            .workers()
            .into_iter()
            .map(|worker| (worker.name, worker.is_alive))
            .collect();
        assert_eq!(
            names,
            [("breaks".to_owned(), false), ("stays".to_owned(), true)]
        );
        let _again = roster.enter("breaks");
        assert!(roster.is_complete());
        drop(stays);
        assert!(!roster.is_complete());
    }
}
