//! The signer as a process: what its log holds, and that nobody has to read it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signing::evm::{Account, Role, Transaction};
use signing::{ClientError, SignerClient};

/// Of nobody.
const SEED: &str = "9f3a5c7e1b2d4f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8\
                    0123456789abcdef0fedcba9876543210123456789abcdef0fedcba987654321";

const POLICY: &str = r#"{"chain_id": 1, "ether": {"payment_max_gwei": 1000, "daily_max_gwei": 100000},
                         "fee_max_gwei": 42000}"#;

const GWEI: u128 = 1_000_000_000;

/// More than one payment may be.
const TOO_MUCH: u128 = 2_000;

/// A signer and its files; both go with it.
struct Signer {
    child: Child,
    folder: PathBuf,
    log: Option<BufReader<ChildStderr>>,
}

impl Drop for Signer {
    fn drop(&mut self) {
        // One that has ended and was waited for is left alone.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Signer {
    /// One that can be asked.
    fn start() -> Self {
        let name = format!("exchequer-signer-{}", uuid::Uuid::now_v7().simple());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            path
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_exchequer"))
            .arg("signer")
            .env("EXCHEQUER_SIGNER_SOCKET", folder.join("socket"))
            .env("EXCHEQUER_SIGNER_KEY_FILE", write("key", SEED))
            .env("EXCHEQUER_SIGNER_POLICY_FILE", write("policy", POLICY))
            .env("EXCHEQUER_SIGNER_SPENT_FILE", folder.join("spent"))
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let signer = Self {
            child,
            folder,
            log: Some(log),
        };
        assert!(line.contains("the signer listens"), "{line}");
        signer
    }

    async fn pay(&self, gwei: u128) -> Result<Vec<u8>, ClientError> {
        let transaction = Transaction {
            chain_id: 1,
            nonce: 0,
            gas_limit: 21_000,
            max_fee_per_gas: GWEI,
            max_priority_fee_per_gas: 1,
            to: Account([7; 20]),
            value: gwei * GWEI,
            data: Vec::new(),
        };
        let references = ["withdrawal 7".to_owned()];
        SignerClient::new(self.folder.join("socket"), Duration::from_secs(60))
            .sign_account(&transaction, &references, Role::Payment)
            .await
    }

    /// Stops it; what it had to say since it listened.
    fn stop(mut self) -> String {
        let id = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(id, Signal::SIGTERM).unwrap();
        let mut said = String::new();
        let mut log = self.log.take().unwrap();
        log.read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        said
    }
}

#[tokio::test]
async fn neither_key_nor_signature_is_in_its_log() {
    let signer = Signer::start();
    let signed = signer.pay(5).await.unwrap();
    let refused = signer.pay(TOO_MUCH).await;
    assert!(
        matches!(refused, Err(ClientError::Refused(_))),
        "{refused:?}"
    );
    let log = signer.stop();
    for word in ["signed", "refused", "withdrawal 7"] {
        assert!(log.contains(word), "{log}");
    }
    // The last half of a signature stands at the end of what is signed.
    let half = signed.get(signed.len() - 16..).unwrap();
    let secrets = [
        SEED.get(..32).unwrap().to_owned(),
        SEED.get(96..).unwrap().to_owned(),
        "xprv".to_owned(),
        hex::encode(half),
    ];
    let log = log.to_lowercase();
    for secret in secrets {
        assert!(!log.contains(&secret), "a secret is in the log");
    }
}

/// A panic over a line that cannot be written would come between reading a request and answering it, and the
/// signer would answer nobody after it.
#[tokio::test]
async fn one_whose_log_nobody_reads_signs_all_the_same() {
    let mut signer = Signer::start();
    drop(signer.log.take());
    for _ in 0..2 {
        let refused = signer.pay(TOO_MUCH).await;
        assert!(
            matches!(refused, Err(ClientError::Refused(_))),
            "{refused:?}"
        );
    }
    signer.pay(5).await.unwrap();
}
