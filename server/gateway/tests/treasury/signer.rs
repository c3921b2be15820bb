//! The signer as a process of its own would be: behind its socket, with its own policy.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use signing::{ScriptKind, SignerConfig};
use sqlx::PgPool;
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::net::UnixStream;

use crate::STRANGERS;
use crate::net::{CHAIN_ID, ETHER, contract};
use crate::till::{DEEP, Till};

/// No day ends during a test.
fn noon() -> OffsetDateTime {
    datetime!(2030-01-31 12:00 UTC)
}

/// Files of one signer; they go with it.
pub struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Place {
    pub fn new() -> Self {
        let name = format!("exchequer-signer-{}", uuid::Uuid::new_v4().simple());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn socket(&self) -> String {
        self.0.join("socket").to_str().unwrap().to_owned()
    }

    pub async fn start(&self, seed: &str, policy: &str) {
        let config = SignerConfig {
            socket: self.0.join("socket"),
            key_file: self.write("key", seed),
            policy_file: self.write("policy.json", policy),
            spent_file: self.0.join("spent.json"),
            kind: ScriptKind::P2wpkh,
            account: 0,
            peers: Vec::new(),
            group: None,
        };
        tokio::spawn(async move {
            signing::run_by(config, noon, std::future::pending())
                .await
                .unwrap();
        });
        let answered = async {
            while UnixStream::connect(self.0.join("socket")).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), answered)
            .await
            .unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_signer_signs_what_its_policy_allows_and_nothing_else(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, &place.socket()).await;
    // The signer is not there yet: nothing is lost.
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["drafted"]);
    let contract = contract();
    let policy = format!(
        r#"{{"chain_id": {CHAIN_ID},
            "ether": {{"payment_max_gwei": 2000000000, "daily_max_gwei": 9000000000}},
            "tokens": [{{"contract": "{contract}", "payment_max_units": 30000000,
                         "daily_max_units": 60000000}}],
            "fee_max_gwei": 60000000}}"#
    );
    place.start(&till.seed().await, &policy).await;
    till.work_later().await;
    till.ask("25", "USDT", "2", STRANGERS[1]).await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    assert_eq!(till.net.received(STRANGERS[1]), [25_000_000]);
    // More than may go at once: a person is called, and the number goes to the one behind.
    till.ask("3", "ETH", "3", STRANGERS[0]).await;
    till.ask("1", "ETH", "4", STRANGERS[0]).await;
    till.work().await;
    let txs = till.txs().await;
    let [.., refused, next] = txs.as_slice() else {
        panic!("{txs:?}");
    };
    assert_eq!((refused.nonce, refused.state.as_str()), (2, "dropped"));
    assert_eq!((next.nonce, next.state.as_str()), (2, "broadcast"));
    let why = refused.last_error.as_deref().unwrap();
    assert!(why.contains("at most 2000000000 may go at once"), "{why}");
    assert_eq!(
        till.withdrawals().await,
        ["settled", "settled", "queued", "broadcast"]
    );
    assert_eq!(
        till.errors().await,
        ["it waits for the operator: the rules of the signer do not let it out"]
    );
    assert!(
        till.mails()
            .await
            .iter()
            .any(|mail| mail.ends_with("needs a person"))
    );
    till.audit().await;
}
