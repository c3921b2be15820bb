//! What runs by itself: the clock of charges, chain followers, deliveries, live-page wake-ups.
//!
//! Work is claimed from Postgres, so any number of processes share one database. A notification
//! wakes a worker early; the tick makes sure.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::auth::KEY_CHANNEL;
use crate::charges::expire_due;
use crate::currencies::store::CURRENCY_CHANNEL;
use crate::ledger::store::CHARGE_CHANNEL;
use crate::outbox::{self, Outcome};
use crate::roster::{OnDuty, note_step};
use crate::withdrawals::send_due;
use crate::withdrawals::store::WITHDRAWAL_CHANNEL;
use crate::{Error, Gateway, Result, chain, futures};

/// Longest wait between two looks.
const TICK: Duration = Duration::from_secs(1);

/// How long a worker may take for a step before it counts as stuck, and the process as not ready. A unit of work
/// takes less than three minutes: all its limits of time together.
const STEP_MAX: Duration = Duration::from_secs(300);

/// The same for sending, a step of which asks nodes and signers, and waits while a chain is followed.
const SENDING_STEP_MAX: Duration = Duration::from_secs(900);

/// Channel on which a unit of work announces a delivery.
const DELIVERY_CHANNEL: &str = "exchequer_delivery";

/// Old idempotency answers are forgotten this often.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(3_600);

/// Wakes a worker before its next tick.
#[derive(Debug, Clone, Default)]
struct Wake {
    deliveries: Arc<Notify>,
    withdrawals: Arc<Notify>,
}

impl Gateway {
    /// Starts the workers; they end soon after `shutdown` turns true or its sender goes away.
    pub fn spawn_workers(&self, shutdown: watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        let wake = Wake::default();
        let own = self.of_the_instance();
        // Notifications may not come for hours, and how long following a chain takes is told of each chain.
        let waits = |name: &str| self.roster().enter(name, None);
        let goes_round = |name: &str, step_max| self.roster().enter(name, Some(step_max));
        let mut handles = vec![
            tokio::spawn(waits("notifications").work(listen(
                own.clone(),
                wake.clone(),
                shutdown.clone(),
            ))),
            spawn_loop(goes_round("expiry", STEP_MAX), shutdown.clone(), None, {
                let gateway = own.clone();
                move || {
                    let gateway = gateway.clone();
                    async move { expire(&gateway).await }
                }
            }),
            spawn_loop(
                goes_round("withdrawals", SENDING_STEP_MAX),
                shutdown.clone(),
                Some(wake.withdrawals.clone()),
                {
                    let gateway = own.clone();
                    move || {
                        let gateway = gateway.clone();
                        async move { send_due(&gateway).await }
                    }
                },
            ),
            tokio::spawn(goes_round("deliveries", STEP_MAX).work(outbox::run(
                own.clone(),
                wake.deliveries,
                shutdown.clone(),
            ))),
            tokio::spawn(waits("clean-up").work(clean_up(own.clone(), shutdown.clone()))),
        ];
        for chain in self.chains().all() {
            let follower = chain::follower::run(own.clone(), chain.coin, shutdown.clone());
            let name = format!("follower of {}", chain.params.code);
            handles.push(tokio::spawn(waits(&name).work(follower)));
            if let Some(node) = chain.announcements() {
                handles.push(tokio::spawn(node.clone().listen(shutdown.clone())));
            }
        }
        handles
    }
}

/// One round of the clock of charges and futures.
async fn expire(gateway: &Gateway) -> Result<Outcome> {
    gateway.clock().refresh(gateway.pool()).await?;
    let done = expire_due(gateway).await? + futures::expire_due(gateway).await?;
    Ok(if done > 0 {
        Outcome::Worked
    } else {
        Outcome::Idle
    })
}

/// Goes round until `shutdown` turns true or its sender goes away. The end of a round is the end of a step.
fn spawn_loop<F, Fut>(
    duty: OnDuty,
    mut shutdown: watch::Receiver<bool>,
    wake: Option<Arc<Notify>>,
    run_once: F,
) -> JoinHandle<()>
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Outcome>> + Send,
{
    let name = duty.name().to_owned();
    tokio::spawn(duty.work(async move {
        while !*shutdown.borrow() {
            let round = run_once().await;
            note_step();
            match round {
                Ok(Outcome::Worked) => continue,
                Ok(Outcome::Idle) => {}
                Err(error) => {
                    tracing::error!(worker = name.as_str(), %error, "worker failed, will go on")
                }
            }
            let woken = async {
                match &wake {
                    Some(wake) => wake.notified().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = woken => {}
                changed = shutdown.changed() => if changed.is_err() { return },
            }
        }
    }))
}

/// Turns database notifications of any process into wake-ups of this one.
async fn listen(gateway: Gateway, wake: Wake, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        tokio::select! {
            result = forward(&gateway, &wake) => {
                if let Err(error) = result {
                    tracing::warn!(%error, "listening for notifications failed, will reconnect");
                }
                tokio::time::sleep(TICK).await;
            }
            changed = shutdown.changed() => if changed.is_err() { return },
        }
    }
}

async fn forward(gateway: &Gateway, wake: &Wake) -> Result<()> {
    let mut listener = PgListener::connect_with(gateway.pool()).await?;
    // A lost connection is told at once, and everything is begun anew.
    listener.eager_reconnect(false);
    listener
        .listen_all([
            CHARGE_CHANNEL,
            CURRENCY_CHANNEL,
            DELIVERY_CHANNEL,
            KEY_CHANNEL,
            WITHDRAWAL_CHANNEL,
        ])
        .await?;
    // What was announced while nobody listened.
    gateway.currencies().refresh(gateway.pool()).await?;
    // However this ends, keys are looked up anew from then on.
    let _hearing = gateway.hear_of_keys();
    while let Some(notification) = listener.try_recv().await? {
        match notification.channel() {
            CHARGE_CHANNEL => gateway.announce(notification.payload().to_owned()),
            CURRENCY_CHANNEL => gateway.currencies().refresh(gateway.pool()).await?,
            KEY_CHANNEL => gateway.known_keys().forget(),
            WITHDRAWAL_CHANNEL => wake.withdrawals.notify_one(),
            _ => wake.deliveries.notify_one(),
        }
    }
    Err(Error::Internal("the connection was lost".to_owned()))
}

async fn clean_up(gateway: Gateway, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        match gateway.forget_old_answers().await {
            Ok(forgotten) if forgotten > 0 => tracing::info!(forgotten, "old answers forgotten"),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "clean-up failed"),
        }
        let stopped = shutdown.clone();
        if let Err(error) = outbox::forget_until(&gateway, move || *stopped.borrow()).await {
            tracing::error!(%error, "clean-up of the delivery log failed");
        }
        tokio::select! {
            () = tokio::time::sleep(CLEAN_UP_EVERY) => {}
            changed = shutdown.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::view::system::WorkerState;

    use super::*;
    use crate::roster::Roster;

    /// Fails when the end of a round is no step, or when a round may take any time.
    #[tokio::test(start_paused = true)]
    async fn a_round_that_hangs_is_seen_and_many_short_ones_are_fine() {
        let roster = Roster::default();
        let (ask, asked) = watch::channel(false);
        let goes_round = spawn_loop(
            roster.enter("goes round", Some(STEP_MAX)),
            asked.clone(),
            None,
            || async { Err(Error::NotFound) },
        );
        let hangs = spawn_loop(
            roster.enter("hangs", Some(STEP_MAX)),
            asked,
            None,
            std::future::pending::<Result<Outcome>>,
        );
        tokio::time::sleep(STEP_MAX + TICK).await;
        let states: Vec<WorkerState> = roster.workers().iter().map(|worker| worker.state).collect();
        assert_eq!(states, [WorkerState::Running, WorkerState::Stuck]);
        ask.send(true).unwrap();
        goes_round.await.unwrap();
        hangs.abort();
    }
}
