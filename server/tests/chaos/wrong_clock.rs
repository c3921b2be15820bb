//! A time of day for one server that is not that of its machine, and that changes while it works.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use time::OffsetDateTime;

use crate::programs::finish;

const SOURCE: &str = include_str!("wrong_clock.c");

const HOUR_SECONDS: i64 = 3_600;

/// What a clock does that is not right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    HourAhead,
    HourBehind,
    /// It stands still.
    Frozen,
}

impl Lie {
    pub const ALL: [Self; 3] = [Self::HourAhead, Self::HourBehind, Self::Frozen];
}

pub struct WrongClock {
    folder: PathBuf,
    library: String,
    told: String,
    file: File,
}

impl WrongClock {
    /// One that is right so far; `None` where this is not Linux.
    ///
    /// # Panics
    /// Without a C compiler. What has linked the tests is one, so it is no reason to leave anything out.
    pub fn make() -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let name = format!("exchequer-chaos-clock-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let (source, library, told) = (path("clock.c"), path("clock.so"), path("clock"));
        fs::write(&source, SOURCE).unwrap();
        fs::write(&told, [0_u8; 16]).unwrap();
        let clock = Self {
            file: File::options().write(true).open(&told).unwrap(),
            folder,
            library,
            told,
        };
        let made = finish(
            Command::new("cc")
                .args(["-shared", "-fPIC", "-O1", "-o"])
                .args([&clock.library, &source]),
        );
        let told = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "cc, the C compiler: {told}");
        Some(clock)
    }

    /// For the server that is to have it.
    pub fn settings(&self) -> [(&str, &str); 2] {
        [
            ("LD_PRELOAD", self.library.as_str()),
            ("EXCHEQUER_CHAOS_CLOCK", self.told.as_str()),
        ]
    }

    /// From now on.
    pub fn tell(&self, lie: Lie) {
        let (ahead, stands_at) = match lie {
            Lie::HourAhead => (HOUR_SECONDS, 0),
            Lie::HourBehind => (-HOUR_SECONDS, 0),
            Lie::Frozen => (0, OffsetDateTime::now_utc().unix_timestamp()),
        };
        let bytes = [ahead, stands_at].map(i64::to_ne_bytes).concat();
        self.file.write_all_at(&bytes, 0).unwrap();
    }
}

impl Drop for WrongClock {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
