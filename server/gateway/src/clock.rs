//! The one clock of business rules: the database's, plus an offset that test mode may move forward.
//!
//! A process asks the database what time it is and counts on from there by the steady clock, which nobody
//! sets. What its machine takes for the time of day does not matter, so all processes of an instance agree
//! on what is over and what still stands.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::{Error, Result};

/// Largest single move and largest offset in all, seconds: a hundred years.
pub const ADVANCE_SECONDS_MAX: i64 = 100 * 366 * 86_400;

/// Cheap to clone; all clones are one clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    /// What time it was when it began, microseconds since 1970: as the system has it until the database was
    /// asked.
    began_at: AtomicI64,
    offset_seconds: AtomicI64,
}

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Inner {
            began: Instant::now(),
            began_at: AtomicI64::new(micros_since_1970(OffsetDateTime::now_utc())),
            offset_seconds: AtomicI64::new(0),
        }))
    }
}

impl Clock {
    /// Now, to the microsecond, which is what the database keeps.
    pub fn now(&self) -> OffsetDateTime {
        let began_at = self.0.began_at.load(Ordering::Relaxed);
        let at = began_at.saturating_add(self.micros_since_began());
        OffsetDateTime::UNIX_EPOCH + Duration::microseconds(at) + self.offset()
    }

    /// How far this clock is ahead of the database's.
    pub fn offset(&self) -> Duration {
        Duration::seconds(self.0.offset_seconds.load(Ordering::Relaxed))
    }

    /// Asks the database what time it is, and takes over moves other processes made.
    pub async fn refresh(&self, pool: &PgPool) -> Result<()> {
        // The wait for a connection is not part of the question.
        let mut connection = pool.acquire().await?;
        let asked = self.micros_since_began();
        let (seconds, at) = crate::instance::store::clock(&mut connection).await?;
        let answered = self.micros_since_began();
        self.0.offset_seconds.fetch_max(seconds, Ordering::Relaxed);
        self.agree(micros_since_1970(at), asked, answered);
        Ok(())
    }

    /// Moves the clock of the whole instance forward by `seconds` ≥ 0.
    pub async fn advance(&self, pool: &PgPool, seconds: i64) -> Result<OffsetDateTime> {
        if !(0..=ADVANCE_SECONDS_MAX).contains(&seconds)
            || self.offset().whole_seconds() + seconds > ADVANCE_SECONDS_MAX
        {
            return Err(Error::invalid(
                "seconds",
                "must be a whole number from 0 to 3162240000",
            ));
        }
        let total = crate::instance::store::move_clock(pool, seconds).await?;
        self.0.offset_seconds.fetch_max(total, Ordering::Relaxed);
        Ok(self.now())
    }

    /// It was `at` at some moment between `asked` and `answered`. Corrected is only what cannot have been, so
    /// an answer that took long makes no clock jump.
    fn agree(&self, at: i64, asked: i64, answered: i64) {
        let earliest = at.saturating_sub(answered);
        let latest = at.saturating_sub(asked);
        let began_at = self.0.began_at.load(Ordering::Relaxed);
        let corrected = began_at.clamp(earliest, latest);
        if corrected != began_at {
            self.0.began_at.store(corrected, Ordering::Relaxed);
        }
    }

    fn micros_since_began(&self) -> i64 {
        i64::try_from(self.0.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

fn micros_since_1970(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::instance::store;

    const SECOND: i64 = 1_000_000;
    const HOUR: i64 = 3_600 * SECOND;

    /// What it takes for the time it began at, after it was told what time it is.
    fn told(began_at: i64, at: i64, asked: i64, answered: i64) -> i64 {
        let clock = Clock::default();
        clock.0.began_at.store(began_at, Ordering::Relaxed);
        clock.agree(at, asked, answered);
        clock.0.began_at.load(Ordering::Relaxed)
    }

    #[test]
    fn a_clock_that_is_wrong_is_set_right_to_within_the_time_of_the_question() {
        let right = 1_000 * HOUR;
        for wrong in [right - HOUR, right + HOUR, 0] {
            let at = right + 5 * SECOND;
            let set = told(wrong, at, 4 * SECOND, 6 * SECOND);
            assert!((set - right).abs() <= SECOND, "{wrong}: {set}");
        }
    }

    #[test]
    fn a_slow_answer_moves_nothing_that_may_be_right() {
        let right = 1_000 * HOUR;
        for asked_and_answered in [(0, 5), (5, 90), (5, 5)] {
            let (asked, answered) = asked_and_answered;
            let set = told(right, right + 5 * SECOND, asked * SECOND, answered * SECOND);
            assert_eq!(set, right, "{asked_and_answered:?}");
        }
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn what_the_machine_takes_for_the_time_does_not_matter(pool: PgPool) {
        store::find_or_insert(&pool, &[7; 64], true).await.unwrap();
        for wrong in [-HOUR, HOUR] {
            let clock = Clock::default();
            clock.0.began_at.fetch_add(wrong, Ordering::Relaxed);
            clock.refresh(&pool).await.unwrap();
            let mut connection = pool.acquire().await.unwrap();
            let (_, at) = store::clock(&mut connection).await.unwrap();
            assert!((clock.now() - at).abs() < Duration::minutes(1), "{wrong}");
        }
    }

    #[test]
    fn it_goes_on_by_itself() {
        let clock = Clock::default();
        let before = clock.now();
        assert!(clock.now() >= before);
        assert!((clock.now() - OffsetDateTime::now_utc()).abs() < Duration::minutes(1));
    }
}
