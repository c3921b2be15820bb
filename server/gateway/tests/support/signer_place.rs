//! A signer as a process of its own would be: behind its socket, with a key, a policy and files of its own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gateway::payouts::SignerSetting;
use signing::{ScriptKind, SignerConfig};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

/// No day ends during a test.
fn noon() -> OffsetDateTime {
    datetime!(2030-01-31 12:00 UTC)
}

/// Files of one signer; they go with it.
pub struct Place(PathBuf);

impl Place {
    pub fn new() -> Self {
        let name = format!("exchequer-signer-{}", uuid::Uuid::new_v4().simple());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn setting(&self) -> SignerSetting {
        SignerSetting::Socket(self.path("socket"))
    }

    /// As settings name it.
    pub fn socket(&self) -> String {
        self.path("socket").to_str().unwrap().to_owned()
    }

    /// A signer that answers.
    pub async fn start(&self, seed: &str, policy: &str) -> JoinHandle<()> {
        self.start_for(ScriptKind::P2wpkh, seed, policy).await
    }

    pub async fn start_for(&self, kind: ScriptKind, seed: &str, policy: &str) -> JoinHandle<()> {
        let config = SignerConfig {
            socket: self.path("socket"),
            key_file: self.write("key", seed),
            policy_file: self.write("policy.json", policy),
            spent_file: self.path("spent.json"),
            kind,
            account: 0,
            peers: Vec::new(),
            group: None,
        };
        let running = tokio::spawn(async move {
            signing::run_by(config, noon, std::future::pending())
                .await
                .unwrap();
        });
        answers(&self.path("socket")).await;
        running
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn answers(socket: &Path) {
    let answered = async {
        while UnixStream::connect(socket).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), answered)
        .await
        .expect("the signer answers");
}
