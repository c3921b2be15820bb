//! Test mode's hand on the clock, and the wait for what a move makes due (`70-sandbox.md`).
//!
//! Invariant: only what was due when the wait began is waited for. A busy instance makes new work all the
//! time; who waited for that, too, would wait for ever.

use std::future::Future;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::charges;
use crate::outbox::{Outcome, any_due as any_delivery_due, deliver_due_by};
use crate::withdrawals::{any_due as any_withdrawal_due, send_due};
use crate::{Error, Gateway, Result, futures};

/// How long others get for what they have under way. Longer than an attempt at a receiver takes; a process that
/// was killed keeps its leases for longer still, and nobody is told by then whether it was.
const OTHERS_END: Duration = Duration::from_secs(15);

/// Between two looks at what others have under way.
const LOOK_EVERY: Duration = Duration::from_millis(10);

impl Gateway {
    /// Moves the instance's clock by `seconds` ≥ 0 and tells what time it is then. Timers that are due by then
    /// have fired before this returns, what is to be sent was sent, and due deliveries were attempted
    /// (`70-sandbox.md`), except for what somebody else has under way and does not end in 15 seconds.
    ///
    /// # Errors
    /// [`Error::NotFound`] outside test mode; [`Error::Invalid`] on `seconds`.
    pub async fn advance(&self, seconds: i64) -> Result<OffsetDateTime> {
        if !self.settings().test_mode {
            return Err(Error::NotFound);
        }
        let now = self.clock().advance(self.pool(), seconds).await?;
        fire_all_due(self, now).await?;
        send_all_due(self, now).await?;
        deliver_all_due(self, self.clock().now()).await?;
        Ok(now)
    }
}

/// Every timer that is due at `by`.
async fn fire_all_due(gateway: &Gateway, by: OffsetDateTime) -> Result<()> {
    let any_left = || async {
        Ok(charges::any_due(gateway, by).await? || futures::any_due(gateway, by).await?)
    };
    let work = || async {
        let fired = charges::expire_due(gateway).await? + futures::expire_due(gateway).await?;
        Ok(Outcome::of(fired > 0))
    };
    finish("timers", any_left, work).await
}

/// Sends every withdrawal that is due at `by`.
pub(crate) async fn send_all_due(gateway: &Gateway, by: OffsetDateTime) -> Result<()> {
    let any_left = || any_withdrawal_due(gateway, by);
    finish("withdrawals", any_left, || send_due(gateway)).await
}

/// Attempts every delivery that is due at `by`.
async fn deliver_all_due(gateway: &Gateway, by: OffsetDateTime) -> Result<()> {
    let any_left = || any_delivery_due(gateway, by);
    finish("deliveries", any_left, || deliver_due_by(gateway, by)).await
}

/// Works as long as anything is left, and waits for what others have.
async fn finish<L, W>(
    what: &'static str,
    any_left: impl Fn() -> L,
    work: impl Fn() -> W,
) -> Result<()>
where
    L: Future<Output = Result<bool>>,
    W: Future<Output = Result<Outcome>>,
{
    let mut idle_since = None;
    while any_left().await? {
        if work().await? == Outcome::Worked {
            idle_since = None;
            continue;
        }
        let since: &mut Instant = idle_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= OTHERS_END {
            tracing::warn!(
                what,
                "somebody else has some under way; it is not waited for any more"
            );
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How long it takes when there is something left all the time, and work is what `worked` says of each round.
    async fn waited(worked: impl Fn(u32) -> bool) -> Duration {
        let rounds = Cell::new(0);
        let work = || async {
            rounds.set(rounds.get() + 1);
            tokio::time::sleep(LOOK_EVERY).await;
            Ok(Outcome::of(worked(rounds.get())))
        };
        let begun = Instant::now();
        finish("rounds", || async { Ok(true) }, work).await.unwrap();
        begun.elapsed()
    }

    /// Fails when what a dead process has leased is waited for, or when nobody who is at work is.
    #[tokio::test(start_paused = true)]
    async fn others_get_a_while_and_not_more() {
        let waited_for_others = waited(|_| false).await;
        assert!(waited_for_others >= OTHERS_END, "{waited_for_others:?}");
        assert!(waited_for_others < 2 * OTHERS_END, "{waited_for_others:?}");
    }

    /// Fails when work of one's own uses up what others get.
    #[tokio::test(start_paused = true)]
    async fn what_goes_on_is_not_broken_off() {
        let looks = OTHERS_END.as_millis() / LOOK_EVERY.as_millis();
        let long = 5 * u32::try_from(looks).unwrap();
        let took = waited(|round| round <= long && round % 100 == 0).await;
        assert!(took > 4 * OTHERS_END, "{took:?}");
    }
}
