//! How many event streams are open, in all and for one visitor: each costs memory for as long as a
//! page stays open somewhere.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Streams one address may have open. A household, or an office behind one address, watches few
/// payments at once.
const PER_ADDRESS_MAX: usize = 50;

/// Streams this process keeps open.
const TOTAL_MAX: usize = 5_000;

/// The open streams of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One open stream; dropping it gives its place back.
#[derive(Debug)]
pub(super) struct Place {
    streams: Streams,
    address: IpAddr,
}

impl Streams {
    /// A place for one more stream; `None` when there are too many.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = open.values().sum();
        let own = open.entry(address).or_default();
        if total >= TOTAL_MAX || *own >= PER_ADDRESS_MAX {
            return None;
        }
        *own += 1;
        Some(Place {
            streams: self.clone(),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_gets_so_many_and_places_come_back() {
        let streams = Streams::default();
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let mut places: Vec<Place> = (0..PER_ADDRESS_MAX)
            .filter_map(|_| streams.take(address(1)))
            .collect();
        assert_eq!(places.len(), PER_ADDRESS_MAX);
        assert!(streams.take(address(1)).is_none());
        assert!(streams.take(address(2)).is_some());
        places.pop();
        assert!(streams.take(address(1)).is_some());
    }
}
