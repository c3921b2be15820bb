//! The signer as a process of its own would be: behind its socket, with its own policy.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gateway::payouts::SignerSetting;
use signing::{ScriptKind, SignerConfig};
use sqlx::PgPool;
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use crate::STRANGERS;
use crate::till::{COIN, GENEROUS, Till, rules};

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

    fn path(&self, name: &str) -> PathBuf {
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

#[sqlx::test(migrations = "../../migrations")]
async fn a_signer_that_is_away_is_asked_again(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, place.setting(), rules(), &[COIN / 2, COIN / 2]).await;
    till.ask("0.6", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["drafted"]);
    let draft = till.txs().await.pop().unwrap();
    let error = draft.last_error.unwrap();
    assert!(error.contains("cannot be reached"), "{error}");
    // It passes by itself, so nobody is called.
    assert!(
        !till
            .mails()
            .await
            .iter()
            .any(|subject| subject.ends_with("needs a person"))
    );
    let running = place.start(&till.seed().await, GENEROUS).await;
    till.work_later().await;
    assert_eq!(till.states().await, ["broadcast"]);
    assert_eq!(till.txs().await.pop().unwrap().txid, draft.txid);
    till.mine(1).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    till.audit().await;
    running.abort();
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_policy_refuses_is_not_sent_and_people_are_told_once(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, place.setting(), rules(), &[COIN]).await;
    let strict = GENEROUS.replace("1000000000,", "1000000,");
    let running = place.start(&till.seed().await, &strict).await;
    till.ask("0.2", "1", STRANGERS[0]).await;
    till.work().await;
    till.work_later().await;
    // Tried twice, the second time alone.
    assert_eq!(till.states().await, ["dropped", "dropped"]);
    assert_eq!(till.withdrawals().await, ["queued"]);
    assert_eq!(till.locked().await, 0);
    let error = till.txs().await.pop().unwrap().last_error.unwrap();
    assert!(error.contains("the signer refuses"), "{error}");
    let mails = till.mails().await;
    let told = mails
        .iter()
        .filter(|subject| subject.ends_with("needs a person"));
    assert_eq!(told.count(), 1, "{mails:?}");
    assert!(till.net.mempool_txs().is_empty());
    till.audit_books().await;
    running.abort();
}
