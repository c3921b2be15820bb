//! CPU time that a measurement takes: of Postgres and of this process.
//!
//! Invariants: clients that are processes of their own, as pgbench is, are in neither figure; what
//! cannot be told is left out and never stands for nothing.

mod stat;

use std::path::Path;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};
use tokio::task::spawn_blocking;

use super::figure::Figure;

/// Where Linux tells of processes. Elsewhere there is no such folder.
const PROC: &str = "/proc";

const MICROSECONDS_PER_SECOND: u64 = 1_000_000;

/// Reads how much CPU time there was. Without Postgres, the default, only of this process.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Meter {
    /// Number of Postgres' first process.
    postgres: Option<u32>,
}

impl Meter {
    /// With Postgres when it runs on this machine and may be looked at: `backend` is the number of one of
    /// its processes that serves the database `own`, a name that nobody else has.
    pub(super) fn find(backend: i32, own: &str) -> Self {
        let backend = u32::try_from(backend).ok();
        Self {
            postgres: backend.and_then(|backend| stat::postmaster(Path::new(PROC), backend, own)),
        }
    }

    /// Begins a measurement.
    pub(super) async fn start(self) -> Lap {
        Lap {
            meter: self,
            began: self.read().await,
        }
    }

    async fn read(self) -> Ticks {
        let proc = Path::new(PROC);
        let read = spawn_blocking(move || Ticks {
            postgres: self
                .postgres
                .and_then(|postgres| stat::of_family(proc, postgres)),
            own: stat::of(proc, std::process::id()).map(|stat| stat.own),
        });
        // No reading is no reason to stop.
        read.await.unwrap_or_default()
    }
}

/// A measurement under way.
#[derive(Debug)]
pub(super) struct Lap {
    meter: Meter,
    began: Ticks,
}

impl Lap {
    /// Ends it; answers the CPU time since it began.
    pub(super) async fn stop(self) -> Spent {
        let ended = self.meter.read().await;
        Spent::between(self.began, ended, ticks_per_second())
    }
}

/// What the system's clock counted since the processes began.
#[derive(Debug, Clone, Copy, Default)]
struct Ticks {
    postgres: Option<u64>,
    own: Option<u64>,
}

/// As the system is built; on Linux 100.
fn ticks_per_second() -> Option<u64> {
    let told = sysconf(SysconfVar::CLK_TCK).ok().flatten()?;
    u64::try_from(told).ok()
}

/// CPU time of a measurement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spent {
    postgres: Option<Duration>,
    own: Option<Duration>,
}

impl Spent {
    fn between(began: Ticks, ended: Ticks, per_second: Option<u64>) -> Self {
        let time = |began: Option<u64>, ended: Option<u64>| {
            let ticks = ended?.checked_sub(began?)?;
            let microseconds = ticks.checked_mul(MICROSECONDS_PER_SECOND)?;
            microseconds
                .checked_div(per_second?)
                .map(Duration::from_micros)
        };
        Self {
            postgres: time(began.postgres, ended.postgres),
            own: time(began.own, ended.own),
        }
    }

    /// Of two measurements together.
    pub(super) fn and(self, other: Self) -> Self {
        let sum = |one: Option<Duration>, other: Option<Duration>| one?.checked_add(other?);
        Self {
            postgres: sum(self.postgres, other.postgres),
            own: sum(self.own, other.own),
        }
    }

    /// Of each of `count` operations.
    pub(super) fn each(self, count: u64) -> Cost {
        let each = |time: Option<Duration>| Figure::microseconds_each(time?, count);
        Cost {
            postgres: each(self.postgres),
            own: each(self.own),
        }
    }
}

/// CPU time of one operation, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Of all processes of Postgres.
    pub(super) postgres: Option<Figure>,
    /// Of this process: server, bench and load generator.
    pub(super) own: Option<Figure>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Ticks = Ticks {
        postgres: None,
        own: None,
    };

    fn ticks(postgres: u64, own: u64) -> Ticks {
        Ticks {
            postgres: Some(postgres),
            own: Some(own),
        }
    }

    fn spent(postgres: u64, own: u64) -> Spent {
        Spent {
            postgres: Some(Duration::from_millis(postgres)),
            own: Some(Duration::from_millis(own)),
        }
    }

    #[test]
    fn ticks_are_a_hundredth_of_a_second_where_the_system_says_so() {
        let between = |per_second| Spent::between(ticks(1_000, 50), ticks(1_025, 50), per_second);
        assert_eq!(between(Some(100)), spent(250, 0));
        assert_eq!(between(Some(1_000)), spent(25, 0));
        assert_eq!(between(Some(0)), Spent::default());
        assert_eq!(between(None), Spent::default());
    }

    #[test]
    fn a_reading_that_is_missing_is_no_zero() {
        let of = |began, ended| Spent::between(began, ended, Some(100));
        assert_eq!(of(NONE, ticks(5, 5)), Spent::default());
        assert_eq!(of(ticks(5, 5), NONE), Spent::default());
        // Another process got the number meanwhile.
        assert_eq!(of(ticks(5, 5), ticks(4, 6)).postgres, None);
        assert_eq!(
            of(ticks(5, 5), ticks(4, 6)).own,
            Some(Duration::from_millis(10))
        );
        assert_eq!(Spent::default().and(spent(1, 1)), Spent::default());
        assert_eq!(Spent::default().each(5), Cost::default());
    }

    #[test]
    fn times_are_added_and_divided_among_operations() {
        let both = spent(250, 10).and(spent(50, 20));
        assert_eq!(both, spent(300, 30));
        let cost = both.each(2_000);
        assert_eq!(
            cost.postgres.map(|time| time.text(3)).as_deref(),
            Some("150.000")
        );
        assert_eq!(cost.own.map(|time| time.text(3)).as_deref(), Some("15.000"));
        assert_eq!(both.each(0), Cost::default());
    }

    #[tokio::test]
    async fn work_of_this_process_is_seen_and_a_stranger_is_no_postgres() {
        // This process is there, but serves no such database.
        let own = i32::try_from(std::process::id()).ok();
        let meter = own.map(|own| Meter::find(own, "exchequer_bench_of_nobody"));
        assert!(meter.is_some_and(|meter| meter.postgres.is_none()));
        let is_told = Path::new(PROC).join("self").join("stat").exists();
        let began = Meter::default().start().await;
        let mut seen = Duration::ZERO;
        let mut turns = 0_u64;
        // Until the clock has ticked.
        while is_told && seen.is_zero() {
            turns = std::hint::black_box(turns.wrapping_add(1));
            if turns.is_multiple_of(1_000_000) {
                let now = began.meter.read().await;
                let spent = Spent::between(began.began, now, ticks_per_second());
                assert!(spent.own.is_some() && spent.postgres.is_none());
                seen = spent.own.unwrap_or_default();
            }
        }
        assert_eq!(began.stop().await.own.is_some(), is_told);
    }
}
