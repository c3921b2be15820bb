//! Test mode's hand on the clock, and the wait for what a move makes due (`70-sandbox.md`).
//!
//! Invariants: only what was due when the wait began is waited for, for a busy instance makes new work all the
//! time; what others have under way is waited for a while and no longer, for they may be dead.

use std::future::Future;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::charges;
use crate::outbox::{Outcome, any_due as any_delivery_due, deliver_due_by};
use crate::withdrawals::{any_due as any_withdrawal_due, send_due_by};
use crate::{Error, Gateway, Result, futures};

/// How long others get in all for what they have under way. Longer than an attempt at a receiver takes, and
/// shorter than a client waits; a process that was killed keeps its leases for longer still.
const OTHERS_END: Duration = Duration::from_secs(15);

/// Between two looks at what others have under way.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Rounds of one's own, at most: work that is never done would else hold its caller for ever.
const ROUNDS_MAX: u32 = 10_000;

impl Gateway {
    /// Moves the instance's clock by `seconds` ≥ 0 and tells what time it is then. Timers that are due by then
    /// have fired before this returns (`70-sandbox.md`), what is to be sent was sent, and due deliveries were
    /// attempted, except for sendings and attempts that somebody else has under way and does not end in 15
    /// seconds.
    ///
    /// # Errors
    /// [`Error::NotFound`] outside test mode; [`Error::Invalid`] on `seconds`. [`Error::OutcomeUnknown`] when the clock
    /// is moved and timers have not fired: somebody else has them and does not end, or the database is away.
    pub async fn advance(&self, seconds: i64) -> Result<OffsetDateTime> {
        if !self.settings().test_mode {
            return Err(Error::NotFound);
        }
        let now = self.clock().advance(self.pool(), seconds).await?;
        // Whoever was told to ask again would move the clock once more.
        let done = do_what_is_due(self, now).await;
        done.map_err(Error::once_begun).map(|()| now)
    }
}

async fn do_what_is_due(gateway: &Gateway, now: OffsetDateTime) -> Result<()> {
    let mut others = Others::default();
    let fired = fire_all_due(gateway, now, &mut others).await?;
    // Also after a timer that cannot fire: it is nobody else's.
    let sent = send(gateway, now, &mut others).await?;
    let attempted = deliver(gateway, gateway.clock().now(), &mut others).await?;
    if !fired || !sent || !attempted {
        tracing::warn!(
            fired,
            sent,
            attempted,
            "the clock was moved; what others have under way is not waited for any more"
        );
    }
    if fired {
        Ok(())
    } else {
        Err(Error::OutcomeUnknown)
    }
}

/// Sends every withdrawal that is due by now.
///
/// # Errors
/// [`Error::Overloaded`] when somebody else has some under way and does not end.
pub(crate) async fn send_all_due(gateway: &Gateway) -> Result<()> {
    if send(gateway, gateway.clock().now(), &mut Others::default()).await? {
        Ok(())
    } else {
        Err(Error::overloaded())
    }
}

/// Every timer that is due at `by`; whether all have fired.
async fn fire_all_due(gateway: &Gateway, by: OffsetDateTime, others: &mut Others) -> Result<bool> {
    let any_left = || async {
        Ok(charges::any_due(gateway, by).await? || futures::any_due(gateway, by).await?)
    };
    let work = || async {
        let fired = charges::expire_due(gateway).await? + futures::expire_due(gateway).await?;
        Ok(Outcome::of(fired > 0))
    };
    others.finish(any_left, work).await
}

/// Every withdrawal that is due at `by`; whether all were sent.
async fn send(gateway: &Gateway, by: OffsetDateTime, others: &mut Others) -> Result<bool> {
    let any_left = || any_withdrawal_due(gateway, by);
    others.finish(any_left, || send_due_by(gateway, by)).await
}

/// Every delivery that is due at `by`; whether all were attempted.
async fn deliver(gateway: &Gateway, by: OffsetDateTime, others: &mut Others) -> Result<bool> {
    let any_left = || any_delivery_due(gateway, by);
    others
        .finish(any_left, || deliver_due_by(gateway, by))
        .await
}

/// Those who have something under way, and how long they were waited for.
#[derive(Debug, Default)]
struct Others {
    waited: Duration,
}

impl Others {
    /// Works as long as anything is left, and waits for what others have; whether nothing is left. What nobody
    /// else has is done however long was waited.
    async fn finish<L, W>(&mut self, any_left: impl Fn() -> L, work: impl Fn() -> W) -> Result<bool>
    where
        L: Future<Output = Result<bool>>,
        W: Future<Output = Result<Outcome>>,
    {
        for _ in 0..ROUNDS_MAX {
            if !any_left().await? {
                return Ok(true);
            }
            let begun = Instant::now();
            if work().await? == Outcome::Idle {
                if self.waited >= OTHERS_END {
                    return Ok(false);
                }
                tokio::time::sleep(LOOK_EVERY).await;
                self.waited += begun.elapsed();
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How long it takes when there is something left all the time, and work is what `worked` says of each round.
    async fn waited(others: &mut Others, worked: impl Fn(u32) -> bool) -> Duration {
        let rounds = Cell::new(0);
        let work = || async {
            rounds.set(rounds.get() + 1);
            tokio::time::sleep(LOOK_EVERY).await;
            Ok(Outcome::of(worked(rounds.get())))
        };
        let begun = Instant::now();
        let finished = others.finish(|| async { Ok(true) }, work).await.unwrap();
        assert!(!finished);
        begun.elapsed()
    }

    /// Fails when what a dead process has leased is waited for, or when nobody who is at work is; also when one
    /// kind of work after the other is waited for as long, or is not even tried.
    #[tokio::test(start_paused = true)]
    async fn others_get_a_while_in_all_and_not_more() {
        let mut others = Others::default();
        let took = waited(&mut others, |_| false).await;
        assert!(took >= OTHERS_END, "{took:?}");
        assert!(took < 2 * OTHERS_END, "{took:?}");
        let took = waited(&mut others, |round| round <= 5).await;
        assert_eq!(
            took,
            6 * LOOK_EVERY,
            "five rounds of one's own, and one for nothing"
        );
    }

    /// Fails when work of one's own uses up what others get.
    #[tokio::test(start_paused = true)]
    async fn what_goes_on_is_not_broken_off() {
        let looks = OTHERS_END.as_millis() / LOOK_EVERY.as_millis();
        let long = 5 * u32::try_from(looks).unwrap();
        let took = waited(&mut Others::default(), |round| round <= long).await;
        assert!(took > 5 * OTHERS_END, "{took:?}");
    }

    /// Fails when work that never gets anywhere holds its caller for ever.
    #[tokio::test(start_paused = true)]
    async fn work_without_an_end_is_given_up() {
        let took = waited(&mut Others::default(), |_| true).await;
        assert_eq!(took, ROUNDS_MAX * LOOK_EVERY);
    }
}
