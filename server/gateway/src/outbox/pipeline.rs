//! The delivery worker: claims, attempts and recording side by side, each in batches that gather while
//! the one before is under way.
//!
//! Invariants: nobody waits for a slow receiver but those behind it in its own lane; a place that is
//! free is filled as soon as there is something for it; what a claim leases is attempted, or given back when
//! the worker ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::in_flight::{Ended, InFlight};
use crate::Gateway;
use crate::roster::note_step;

/// How long a worker may keep a delivery before another may take it; longer than an attempt lasts.
pub(super) const LEASE_SECONDS: i32 = 60;

/// Deliveries one process has claimed and not yet recorded, at most. Sixteen merchants whose receivers
/// all hang would have to come together to fill it.
pub(super) const IN_FLIGHT_MAX: usize = 256;

/// Deliveries claimed at a time, at most.
const CLAIMED_AT_ONCE: usize = 100;

/// Longest time between two looks: retries become due without anybody saying so.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long attempts under way get when the worker is told to end, and then what finished to be recorded.
const ATTEMPTS_END: Duration = Duration::from_secs(1);
const RECORDING_END: Duration = Duration::from_millis(800);

/// Delivers until `shutdown` turns true or its sender goes away. `wake` says that there may be something.
pub(crate) async fn run(gateway: Gateway, wake: Arc<Notify>, mut shutdown: watch::Receiver<bool>) {
    let mut pipeline = Pipeline {
        in_flight: InFlight::new(gateway),
        look: true,
    };
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !*shutdown.borrow() {
        pipeline.begin();
        tokio::select! {
            ended = pipeline.in_flight.next() => pipeline.go_on(ended),
            () = wake.notified() => pipeline.look = true,
            _ = tick.tick() => pipeline.look = true,
            changed = shutdown.changed() => if changed.is_err() { break },
        }
    }
    pipeline.end().await;
}

struct Pipeline {
    in_flight: InFlight,
    /// There may be something that nobody has looked for.
    look: bool,
}

impl Pipeline {
    /// Begins what can begin.
    fn begin(&mut self) {
        self.in_flight.record();
        let room = self.in_flight.room();
        if self.look && room > 0 {
            self.look = false;
            self.in_flight.claim(room.min(CLAIMED_AT_ONCE));
        }
    }

    fn go_on(&mut self, ended: Ended) {
        note_step();
        match ended {
            Ended::Claim((most, Ok(claimed))) => {
                // A full hand: there may be more.
                self.look |= claimed.len() >= most;
                self.in_flight.attempt(claimed);
            }
            // The tick looks again; at once would be too soon for a database that is away.
            Ended::Claim((_, Err(error))) => {
                tracing::error!(worker = "deliveries", %error, "worker failed, will go on");
            }
            Ended::Attempt => {}
            // Its URLs and merchants have places again, and what waited behind it may go.
            Ended::Recording => self.look = true,
        }
    }

    /// Claims no more, and attempts nothing more. What is under way gets a moment; what finished is recorded.
    async fn end(mut self) {
        let giving_back = self.in_flight.give_back_claims();
        if timeout(ATTEMPTS_END, self.settle()).await.is_err() {
            self.in_flight.give_up_attempts().await;
        }
        // Whether it comes to its end is not asked: what it cannot give back is in the log.
        let rest = async { tokio::join!(self.settle(), giving_back) };
        let in_time = timeout(RECORDING_END, rest).await.is_ok();
        if !in_time && !self.in_flight.is_empty() {
            tracing::warn!("some webhook attempts were not recorded: they will be made again");
        }
    }

    async fn settle(&mut self) {
        loop {
            self.in_flight.record();
            if self.in_flight.is_empty() {
                return;
            }
            let ended = self.in_flight.next().await;
            self.go_on(ended);
        }
    }
}
