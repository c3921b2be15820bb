//! A disk so small that it can be filled: a file system in memory, of this run's own.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// Set by `./x chaos` when nobody but its own processes sees what is mounted in them. Without it nothing
/// is ever mounted.
const OWN_MOUNTS: &str = "EXCHEQUER_CHAOS_OWN_MOUNTS";

/// Room for a new cluster, the demo set, and some thousand requests.
const SIZE: &str = "size=400m,mode=0755";

const BALLAST: &str = "ballast";
const PART: usize = 64 * 1024;

pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// `None` where this run may not mount anything.
    pub fn mount() -> Option<Self> {
        std::env::var_os(OWN_MOUNTS)?;
        let name = format!("exchequer-chaos-disk-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        let disk = Self { folder };
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "exchequer-chaos"])
            .arg(&disk.folder)
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(disk)
    }

    /// Where a cluster goes.
    pub fn cluster(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    /// Until nothing goes in any more.
    pub fn fill(&self) {
        let mut file = File::create(self.folder.join(BALLAST)).unwrap();
        let part = vec![0_u8; PART];
        while file.write_all(&part).is_ok() {}
    }

    pub fn free(&self) {
        fs::remove_file(self.folder.join(BALLAST)).unwrap();
    }
}

impl Drop for SmallDisk {
    /// Also of a run that fails. Lazily: Postgres may need a moment to end.
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
        // Not its content, should it still be there.
        let _ = fs::remove_dir(&self.folder);
    }
}
