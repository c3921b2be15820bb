//! What runs by itself: the clock of charges, chain followers, deliveries, live-page wake-ups.
//!
//! Work is claimed from Postgres, so any number of processes share one database. A notification
//! wakes a worker early; the tick makes sure.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::auth::KEY_CHANNEL;
use crate::charges::{any_due, expire_due};
use crate::currencies::store::CURRENCY_CHANNEL;
use crate::ledger::store::CHARGE_CHANNEL;
use crate::outbox::{self, Outcome, deliver_due};
use crate::roster::OnDuty;
use crate::withdrawals::store::WITHDRAWAL_CHANNEL;
use crate::withdrawals::{any_due as any_withdrawal_due, send_due};
use crate::{Error, Gateway, Result, chain, futures};

/// Longest wait between two looks.
const TICK: Duration = Duration::from_secs(1);

/// Channel on which a unit of work announces a delivery.
const DELIVERY_CHANNEL: &str = "exchequer_delivery";

/// Old idempotency answers are forgotten this often.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(3_600);

/// Most rounds the hands of test mode wait for what became due; each round is an attempt or a pause.
const ADVANCE_ROUNDS_MAX: u32 = 10_000;

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
        let mut handles = vec![
            tokio::spawn(on_duty(
                self.roster().enter("notifications"),
                listen(own.clone(), wake.clone(), shutdown.clone()),
            )),
            spawn_loop(self, "expiry", shutdown.clone(), None, {
                let gateway = own.clone();
                move || {
                    let gateway = gateway.clone();
                    async move {
                        gateway.clock().refresh(gateway.pool()).await?;
                        let done =
                            expire_due(&gateway).await? + futures::expire_due(&gateway).await?;
                        Ok(if done > 0 {
                            Outcome::Worked
                        } else {
                            Outcome::Idle
                        })
                    }
                }
            }),
            spawn_loop(
                self,
                "withdrawals",
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
            tokio::spawn(on_duty(
                self.roster().enter("deliveries"),
                outbox::run(own.clone(), wake.deliveries, shutdown.clone()),
            )),
            tokio::spawn(on_duty(
                self.roster().enter("clean-up"),
                clean_up(own.clone(), shutdown.clone()),
            )),
        ];
        for chain in self.chains().all() {
            let follower = chain::follower::run(own.clone(), chain.coin, shutdown.clone());
            let name = format!("follower of {}", chain.params.code);
            handles.push(tokio::spawn(on_duty(self.roster().enter(&name), follower)));
            if let Some(node) = chain.announcements() {
                handles.push(tokio::spawn(node.clone().listen(shutdown.clone())));
            }
        }
        handles
    }

    /// Moves the instance's clock; due timers have fired and due deliveries were attempted before
    /// this returns (`70-sandbox.md`). Test mode only.
    pub async fn advance(&self, seconds: i64) -> Result<OffsetDateTime> {
        if !self.settings().test_mode {
            return Err(Error::NotFound);
        }
        let now = self.clock().advance(self.pool(), seconds).await?;
        expire_due(self).await?;
        futures::expire_due(self).await?;
        // Charges another worker has locked right now are its to tell; wait until they were told.
        let mut rounds = 0;
        while rounds < ADVANCE_ROUNDS_MAX
            && (any_due(self, now).await? || futures::any_due(self, now).await?)
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
            expire_due(self).await?;
            futures::expire_due(self).await?;
            rounds += 1;
        }
        send_all_due(self, now).await?;
        let mut rounds = 0;
        while rounds < ADVANCE_ROUNDS_MAX && deliver_due(self).await? == Outcome::Worked {
            rounds += 1;
        }
        Ok(now)
    }
}

/// Sends every withdrawal that is due at `now`; waits for those that another worker has under way.
pub(crate) async fn send_all_due(gateway: &Gateway, now: OffsetDateTime) -> Result<()> {
    let mut rounds = 0;
    while rounds < ADVANCE_ROUNDS_MAX && any_withdrawal_due(gateway, now).await? {
        if send_due(gateway).await? == Outcome::Idle {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        rounds += 1;
    }
    Ok(())
}

/// Work under a name on the roster, until it ends or breaks.
async fn on_duty(duty: OnDuty, work: impl Future<Output = ()> + Send) {
    work.await;
    drop(duty);
}

fn spawn_loop<F, Fut>(
    gateway: &Gateway,
    name: &'static str,
    mut shutdown: watch::Receiver<bool>,
    wake: Option<Arc<Notify>>,
    run_once: F,
) -> JoinHandle<()>
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Outcome>> + Send,
{
    let duty = gateway.roster().enter(name);
    tokio::spawn(on_duty(duty, async move {
        while !*shutdown.borrow() {
            match run_once().await {
                Ok(Outcome::Worked) => continue,
                Ok(Outcome::Idle) => {}
                Err(error) => tracing::error!(worker = name, %error, "worker failed, will go on"),
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
