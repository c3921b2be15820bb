//! The outbox as a queue: how fast jobs leave it, and how fast a receiver on this machine gets them.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::super::figure::Figure;
use super::super::report::Report;
use super::super::subject::Subject;
use super::{Ledger, rate};

const JOBS: Subject = rate("queue", "jobs claimed and done, 100 at a time");
const DELIVERIES: Subject = rate("deliveries", "webhooks delivered to loopback");

/// Jobs claimed at a time.
const BATCH: u32 = 100;

/// Jobs put into the queue for a round, for each of its seconds, and at most.
const JOBS_PER_SECOND: u32 = 20_000;
const JOBS_MAX: u32 = 60_000;

/// The same of webhooks.
const DELIVERIES_PER_SECOND: u32 = 2_000;
const DELIVERIES_MAX: u32 = 10_000;

/// Longest wait for the webhooks of a round.
const DELIVERED_WAIT_MAX: Duration = Duration::from_secs(180);

/// Between two looks at what is still to be noted.
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Ledger {
    /// One round: what is in the queue already is claimed by the statement of the workers, 100 at a time,
    /// and each hundred recorded as done in one transaction, as a worker does. Two do so side by side: a
    /// worker, too, claims the next ones while the last are recorded.
    pub(in crate::bench) async fn queue(&self, report: &mut Report) -> anyhow::Result<()> {
        let jobs = self.of_round(JOBS_PER_SECOND, JOBS_MAX);
        self.bench.enqueue(jobs, None).await?;
        let lap = report.meter.start().await;
        let started = Instant::now();
        let (one, other) = tokio::try_join!(self.drain(started), self.drain(started))?;
        let took = started.elapsed();
        let done = one.saturating_add(other);
        ensure!(done > 0, "the queue gave nothing out");
        let cost = lap.stop().await.each(done);
        report.add_rate(JOBS, Figure::per_second(done, took), cost);
        Ok(())
    }

    /// Until the round is over or nothing is left; answers how many were done.
    async fn drain(&self, started: Instant) -> anyhow::Result<u64> {
        let mut done = 0_u64;
        while started.elapsed() < self.plan.round() && !self.stop.is_requested() {
            match self.bench.drain(BATCH).await? {
                0 => break,
                count => done = done.saturating_add(count),
            }
        }
        Ok(done)
    }

    /// One round: from the commit that queues them until the server's workers have sent all of them and
    /// noted the answers.
    pub(in crate::bench) async fn deliveries(&self, report: &mut Report) -> anyhow::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let (seen, mut received) = mpsc::unbounded_channel();
        let router = Router::new().fallback(receive).with_state(seen);
        // Stops with us.
        let mut receiver = JoinSet::new();
        receiver.spawn(async move {
            // It ends with the round; a receiver that broke is missed below.
            let _ended = axum::serve(listener, router).await;
        });
        let count = self.of_round(DELIVERIES_PER_SECOND, DELIVERIES_MAX);
        let lap = report.meter.start().await;
        let started = Instant::now();
        self.bench.enqueue(count, Some(&url)).await?;
        let all = async {
            for _ in 0..count {
                received.recv().await.context("the receiver broke off")?;
            }
            while self.bench.due().await? > 0 {
                sleep(LOOK_EVERY).await;
            }
            anyhow::Ok(())
        };
        timeout(DELIVERED_WAIT_MAX, all)
            .await
            .with_context(|| format!("{count} webhooks were not delivered in time"))??;
        let count = u64::from(count);
        let rate = Figure::per_second(count, started.elapsed());
        report.add_rate(DELIVERIES, rate, lap.stop().await.each(count));
        Ok(())
    }

    fn of_round(&self, per_second: u32, most: u32) -> u32 {
        per_second.saturating_mul(self.plan.seconds).min(most)
    }
}

async fn receive(State(seen): State<mpsc::UnboundedSender<()>>, _body: Bytes) {
    // Nobody waits any more when a round was called off.
    let _ = seen.send(());
}
