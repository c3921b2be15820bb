//! A closed loop inside this process: so many pieces of work are under way all the time.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Context;
use gateway::Error;
use tokio::task::{JoinSet, yield_now};

use super::super::figure::Figure;
use crate::shutdown::Shutdown;

/// What a loop came to.
#[derive(Debug)]
pub(in crate::bench) struct Done {
    /// Pieces of work that went well.
    pub(super) count: u64,
    /// From the first start to the last end.
    elapsed: Duration,
}

impl Done {
    /// Pieces a second.
    pub(in crate::bench) fn rate(&self) -> Figure {
        Figure::per_second(self.count, self.elapsed)
    }
}

/// Each of `in_flight` lanes begins its next piece as soon as the one before has ended. `work` gets the
/// lane and its turn. A piece that is refused because too much is waiting does not count and is made
/// anew.
///
/// # Errors
/// Any other failure ends it: figures about failures would say nothing.
pub(super) async fn closed<F, W>(
    in_flight: u32,
    lasts: Duration,
    stop: &Shutdown,
    work: F,
) -> anyhow::Result<Done>
where
    F: Fn(u32, u64) -> W + Clone + Send + 'static,
    W: Future<Output = gateway::Result<()>> + Send + 'static,
{
    let mut lanes = JoinSet::new();
    let started = Instant::now();
    for lane in 0..in_flight {
        let (work, stop) = (work.clone(), stop.clone());
        lanes.spawn(async move {
            let mut turn = 0_u64;
            while started.elapsed() < lasts && !stop.is_requested() {
                match work(lane, turn).await {
                    Ok(()) => turn += 1,
                    Err(Error::Overloaded { .. }) => yield_now().await,
                    Err(error) => return Err(error),
                }
            }
            Ok(turn)
        });
    }
    let mut count = 0_u64;
    while let Some(ended) = lanes.join_next().await {
        count = count.saturating_add(ended.context("a lane of the bench broke off")??);
    }
    Ok(Done {
        count,
        elapsed: started.elapsed(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::sync::watch;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn a_loop_ends_when_it_is_called_off_and_counts_what_went_well() {
        let (ask, asked) = watch::channel(false);
        let ask = Arc::new(ask);
        let calls = Arc::new(AtomicU64::new(0));
        let counted = calls.clone();
        let done = closed(3, LONG, &Shutdown::following(asked), move |_, _| {
            let (ask, call) = (ask.clone(), counted.fetch_add(1, Ordering::Relaxed));
            async move {
                if call >= 40 {
                    ask.send_replace(true);
                }
                match call % 4 {
                    3 => Err(Error::overloaded()),
                    _ => Ok(()),
                }
            }
        })
        .await
        .unwrap();
        let calls = calls.load(Ordering::Relaxed);
        assert!(calls > 40, "{calls}");
        assert_eq!(done.count, calls - calls / 4);
    }

    #[tokio::test]
    async fn turns_are_counted_in_each_lane() {
        let never = Shutdown::never();
        let error = closed(2, LONG, &never, |lane, turn| async move {
            match (lane, turn) {
                (0, 5) => Err(Error::Conflict("the sixth turn of the first lane")),
                _ => {
                    yield_now().await;
                    Ok(())
                }
            }
        })
        .await
        .unwrap_err();
        assert!(error.to_string().contains("sixth turn"), "{error}");
    }

    #[tokio::test]
    async fn without_time_nothing_is_done() {
        let never = Shutdown::never();
        let done = closed(2, Duration::ZERO, &never, |_, _| async {
            Err(Error::NotFound)
        })
        .await
        .unwrap();
        assert_eq!(done.count, 0);
    }
}
