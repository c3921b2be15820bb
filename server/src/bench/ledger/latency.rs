//! How long one entry takes: at half of what the ledger can do, and when nothing else goes on.

use std::time::{Duration, Instant};

use anyhow::Context;
use gateway::Error;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::super::report::Report;
use super::super::subject::{LEDGER_UNIFORM, Subject, Unit};
use super::{Ledger, Load, direct, seed, submit};

/// Between the plan and its first start.
const LEAD: Duration = Duration::from_millis(20);

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

const fn row(key: &'static str, label: &'static str) -> Subject {
    Subject {
        key,
        label,
        unit: Unit::Milliseconds,
    }
}

/// Thousandths of all and their rows.
const HALF: [(usize, Subject); 3] = [
    (500, row("latency_p50", "ledger at half load, p50")),
    (990, row("latency_p99", "ledger at half load, p99")),
    (999, row("latency_p999", "ledger at half load, p99.9")),
];

const ALONE: [(usize, Subject); 1] = [(500, row("one_in_flight_p50", "one in flight, p50"))];

const DIRECT: [(usize, Subject); 1] = [(
    500,
    row("direct_p50", "one in flight, own transaction, p50"),
)];

/// What became of entries that started at instants fixed beforehand.
#[derive(Debug, Default)]
struct Answers {
    /// Of those that were booked; ascending at the end.
    times: Vec<Duration>,
    /// Refused because too much was waiting. That takes no time at all, and would pass for a quick booking.
    turned_away: u64,
}

impl Answers {
    /// # Errors
    /// Any failure but that too much was waiting.
    fn take(&mut self, done: gateway::Result<()>, took: Duration) -> gateway::Result<()> {
        match done {
            Ok(()) => self.times.push(took),
            Err(Error::Overloaded { .. }) => self.turned_away = self.turned_away.saturating_add(1),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Ledger {
    /// One round: entries start at instants that were fixed beforehand, whether or not those before
    /// have ended, at half of the rate that uniform transfers had; times count from those instants. Then
    /// one entry after the other, through the committer and each in a transaction of its own, in turn.
    ///
    /// # Errors
    /// The rate was not measured before.
    pub(in crate::bench) async fn latency(
        &self,
        round: u32,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let full = report
            .median_of(LEDGER_UNIFORM.key)
            .context("latency is measured at half of a rate that is not known")?;
        let half = self.at(full.floor() / 2, round).await?;
        report.add_turned_away(half.turned_away);
        report.add_quantiles(&HALF, &half.times)?;
        let (alone, own) = self.one_by_one(round).await?;
        report.add_quantiles(&ALONE, &alone)?;
        report.add_quantiles(&DIRECT, &own)
    }

    /// At `per_second` entries. The timer's step of a millisecond is part of the times.
    async fn at(&self, per_second: u64, round: u32) -> anyhow::Result<Answers> {
        let per_second = per_second.max(1);
        let step = NANOSECONDS_PER_SECOND / per_second;
        let all = per_second.saturating_mul(u64::from(self.plan.seconds));
        let started = Instant::now() + LEAD;
        let mut under_way = JoinSet::new();
        for number in 0..all {
            let intended = started + Duration::from_nanos(step.saturating_mul(number));
            if Instant::now() < intended {
                sleep_until(intended.into()).await;
            }
            if self.stop.is_requested() {
                break;
            }
            let (debit, credit) = self
                .spread
                .pair(Load::Uniform, seed(round, u32::MAX, number));
            let (gateway, entry) = (self.gateway.clone(), self.bench.transfer(debit, credit));
            under_way.spawn(async move {
                let done = submit(&gateway, entry).await;
                (done, intended.elapsed())
            });
        }
        let mut answers = Answers::default();
        while let Some(ended) = under_way.join_next().await {
            let (done, took) = ended.context("an entry of the bench broke off")?;
            answers.take(done, took)?;
        }
        answers.times.sort_unstable();
        Ok(answers)
    }

    /// Ascending times through the committer and of direct calls.
    async fn one_by_one(&self, round: u32) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
        let (mut alone, mut own) = (Vec::new(), Vec::new());
        let started = Instant::now();
        let mut turn = 0_u64;
        // Even without time for it, there is one of each.
        while turn == 0 || (started.elapsed() < self.plan.round() && !self.stop.is_requested()) {
            let (debit, credit) = self
                .spread
                .pair(Load::Uniform, seed(round, u32::MAX - 1, turn));
            let sent_at = Instant::now();
            submit(&self.gateway, self.bench.transfer(debit, credit)).await?;
            alone.push(sent_at.elapsed());
            let sent_at = Instant::now();
            direct(&self.gateway, self.bench.transfer(credit, debit)).await?;
            own.push(sent_at.elapsed());
            turn += 1;
        }
        alone.sort_unstable();
        own.sort_unstable();
        Ok((alone, own))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Fails when a refusal counts as an answer: it would lower every percentile.
    #[test]
    fn who_is_turned_away_has_no_time() {
        let mut answers = Answers::default();
        let (slow, quick) = (Duration::from_millis(7), Duration::from_micros(1));
        answers.take(Ok(()), slow).unwrap();
        answers.take(Err(Error::overloaded()), quick).unwrap();
        answers.take(Err(Error::overloaded()), quick).unwrap();
        assert_eq!(answers.times, [slow]);
        assert_eq!(answers.turned_away, 2);
        let broken = answers.take(Err(Error::NotFound), quick);
        assert!(matches!(broken, Err(Error::NotFound)), "{broken:?}");
        assert_eq!((answers.times.len(), answers.turned_away), (1, 2));
    }
}
