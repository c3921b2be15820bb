//! The one clock of business rules: the system's plus an offset that test mode may move forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::{Error, Result};

/// Largest single move and largest offset in all, seconds: a hundred years.
pub const ADVANCE_SECONDS_MAX: i64 = 100 * 366 * 86_400;

/// Cheap to clone; all clones share the offset.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// Now, to the microsecond, which is what the database keeps.
    pub fn now(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc() + self.offset();
        let micros = now.nanosecond() / 1_000 * 1_000;
        now.replace_nanosecond(micros).unwrap_or(now)
    }

    /// How far this clock is ahead of the system's.
    pub fn offset(&self) -> Duration {
        Duration::seconds(self.offset_seconds.load(Ordering::Relaxed))
    }

    /// Takes over moves other processes made.
    pub async fn refresh(&self, pool: &PgPool) -> Result<()> {
        let seconds = crate::instance::store::clock_offset(pool).await?;
        self.offset_seconds.fetch_max(seconds, Ordering::Relaxed);
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
        self.offset_seconds.fetch_max(total, Ordering::Relaxed);
        Ok(self.now())
    }
}
