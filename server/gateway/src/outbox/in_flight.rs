//! What one process has under way: claims, attempts, and what is over but not recorded.
//!
//! Invariants: a delivery counts from its claim until its attempt is recorded, so that neither a slow
//! receiver nor a slow database makes this grow beyond its limit. Each of the three ends, also when the
//! database says nothing any more: a claim or a recording that did not would be the last one.

use time::OffsetDateTime;
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::attempt_store::Made;
use super::claim_store::Claimed;
use super::{attempt, claim_store, record};
use crate::ledger::within;
use crate::{Error, Gateway, Result};

use super::pipeline::{IN_FLIGHT_MAX, LEASE_SECONDS};

/// Attempts recorded in one transaction at most.
const RECORDED_AT_ONCE: usize = 250;

/// What a claim gave: how many it asked for, and what it got.
type Taken = (usize, Result<Vec<Claimed>>);

/// One thing that ended.
pub(super) enum Ended {
    Claim(Taken),
    Attempt,
    Recording,
}

pub(super) struct InFlight {
    gateway: Gateway,
    /// One at most.
    claims: JoinSet<Taken>,
    attempts: JoinSet<Option<Made>>,
    finished: Vec<Made>,
    /// One at most, of this many.
    recordings: JoinSet<()>,
    being_recorded: usize,
}

impl InFlight {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self {
            gateway,
            claims: JoinSet::new(),
            attempts: JoinSet::new(),
            finished: Vec::new(),
            recordings: JoinSet::new(),
            being_recorded: 0,
        }
    }

    /// Whether another claim may begin, and for how many deliveries at most; 0 = not now.
    pub(super) fn room(&self) -> usize {
        if !self.claims.is_empty() {
            return 0;
        }
        let taken = self.attempts.len() + self.finished.len() + self.being_recorded;
        IN_FLIGHT_MAX.saturating_sub(taken)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.claims.is_empty()
            && self.attempts.is_empty()
            && self.finished.is_empty()
            && self.recordings.is_empty()
    }

    /// Begins a claim of up to `most` deliveries.
    pub(super) fn claim(&mut self, most: usize) {
        let gateway = self.gateway.clone();
        self.claims
            .spawn(async move { (most, claim(&gateway, gateway.clock().now(), most).await) });
    }

    /// Begins an attempt of each.
    pub(super) fn attempt(&mut self, claimed: Vec<Claimed>) {
        for delivery in claimed {
            let gateway = self.gateway.clone();
            self.attempts
                .spawn(async move { attempt::make(&gateway, delivery).await });
        }
    }

    /// Begins to record what is finished, unless that is going on; what ends meanwhile is the next batch.
    pub(super) fn record(&mut self) {
        if !self.recordings.is_empty() || self.finished.is_empty() {
            return;
        }
        let count = self.finished.len().min(RECORDED_AT_ONCE);
        let made: Vec<Made> = self.finished.drain(..count).collect();
        self.being_recorded = count;
        let gateway = self.gateway.clone();
        self.recordings
            .spawn(async move { record::record_all(&gateway, made).await });
    }

    /// Waits for the next thing that ends; for ever when nothing is under way. Nothing is lost when the
    /// wait is given up.
    pub(super) async fn next(&mut self) -> Ended {
        tokio::select! {
            Some(taken) = self.claims.join_next() => {
                let broke = |error: JoinError| (0, Err(Error::internal(error)));
                Ended::Claim(taken.unwrap_or_else(broke))
            }
            Some(made) = self.attempts.join_next() => {
                self.finish(made);
                // All that ended by now is one batch.
                while let Some(made) = self.attempts.try_join_next() {
                    self.finish(made);
                }
                Ended::Attempt
            }
            Some(recorded) = self.recordings.join_next() => {
                self.being_recorded = 0;
                if let Err(error) = recorded {
                    tracing::error!(%error, "recording webhook attempts broke off");
                }
                Ended::Recording
            }
            else => std::future::pending().await,
        }
    }

    /// What the claim under way takes is given back instead of attempted, whenever it comes. Nobody has to wait
    /// for it: it goes on by itself, as long as the process and its connections do.
    pub(super) fn give_back_claims(&mut self) -> JoinHandle<()> {
        let (gateway, mut claims) = (self.gateway.clone(), std::mem::take(&mut self.claims));
        tokio::spawn(async move {
            while let Some(taken) = claims.join_next().await {
                if let Ok((_, taken)) = taken
                    && let Err(error) = give_back(&gateway, taken).await
                {
                    tracing::warn!(%error, "deliveries could not be given back: their leases run out");
                }
            }
        })
    }

    /// Gives up the attempts under way; their leases run out, for the receivers may be at it. What is over by
    /// now is kept.
    pub(super) async fn give_up_attempts(&mut self) {
        self.attempts.abort_all();
        while let Some(made) = self.attempts.join_next().await {
            if let Ok(Some(made)) = made {
                self.finished.push(made);
            }
        }
    }

    fn finish(&mut self, made: Result<Option<Made>, JoinError>) {
        match made {
            Ok(made) => self.finished.extend(made),
            // The lease runs out and another worker tries again.
            Err(error) => tracing::error!(%error, "a webhook attempt broke off"),
        }
    }
}

/// Claims up to `most` deliveries that are due at `by`. Of a claim that is not answered the leases run out.
///
/// # Errors
/// The database's, also when it does not answer in time.
pub(super) async fn claim(
    gateway: &Gateway,
    by: OffsetDateTime,
    most: usize,
) -> Result<Vec<Claimed>> {
    let most = i64::try_from(most)?;
    let claiming = claim_store::claim(gateway.pool(), by, LEASE_SECONDS, most);
    within(gateway.settings().webhook_timeouts.database, claiming).await
}

async fn give_back(gateway: &Gateway, taken: Result<Vec<Claimed>>) -> Result<()> {
    let claims: Vec<i64> = taken?.iter().map(|delivery| delivery.claim_id).collect();
    if claims.is_empty() {
        return Ok(());
    }
    let giving = claim_store::give_back(gateway.pool(), &claims);
    within(gateway.settings().webhook_timeouts.database, giving).await
}
