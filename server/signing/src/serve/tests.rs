use std::os::unix::fs::MetadataExt as _;

use bitcoin::Psbt;
use tempfile::TempDir;
use time::macros::datetime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::client::{ClientError, SignerClient};
use crate::psbt::{Returned, build, complete};
use crate::samples;

const KIND: ScriptKind = ScriptKind::P2wpkh;
const PATIENCE: Duration = Duration::from_secs(60);
const POLICY: &str = r#"{"chain":"bitcoin","payment_max_sat":100000,"daily_max_sat":150000,
                         "fee_max_sat":1000,"fee_max_ppm":50000}"#;

/// Two seconds before the day ends, which the tests do not wait for.
fn late() -> OffsetDateTime {
    datetime!(2030-01-31 23:59:58 UTC)
}

fn next_day() -> OffsetDateTime {
    datetime!(2030-02-01 00:00 UTC)
}

/// A directory with everything a signer needs.
struct Place {
    directory: TempDir,
    config: SignerConfig,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let config = SignerConfig {
            socket: path("signer.sock"),
            key_file: path("key"),
            policy_file: path("policy.json"),
            spent_file: path("spent.json"),
            kind: KIND,
            account: 0,
            peers: Vec::new(),
            group: None,
        };
        fs::write(&config.key_file, samples::SEED).unwrap();
        fs::set_permissions(&config.key_file, Permissions::from_mode(0o600)).unwrap();
        fs::write(&config.policy_file, POLICY).unwrap();
        fs::set_permissions(&config.policy_file, Permissions::from_mode(0o644)).unwrap();
        Self { directory, config }
    }

    fn client(&self) -> SignerClient {
        SignerClient::new(self.config.socket.clone(), PATIENCE)
    }

    /// A signer that can be connected to already, and what stops it.
    fn start(&self) -> (oneshot::Sender<()>, JoinHandle<()>) {
        self.start_at(late)
    }

    fn start_at(&self, clock: Clock) -> (oneshot::Sender<()>, JoinHandle<()>) {
        let service = Service::open(&self.config, clock).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(service.serve(async move {
            let _ = stopped.await;
        }));
        (stop, running)
    }
}

fn psbt() -> Psbt {
    let plan = samples::plan(KIND);
    build(&plan, &samples::account(KIND), &samples::fundings(KIND)).unwrap()
}

/// Pays more than a day has room for when the first one has left.
fn other() -> Psbt {
    let coin = samples::coin(KIND, 5, 200_000);
    let plan = samples::planned(KIND, &[coin], &[samples::payment(2, 60_000)]);
    let fundings = std::collections::BTreeMap::new();
    build(&plan, &samples::account(KIND), &fundings).unwrap()
}

fn references() -> Vec<String> {
    vec!["withdrawal 1".to_owned()]
}

#[tokio::test]
async fn a_transaction_is_signed_over_the_socket() {
    let place = Place::new();
    let (stop, running) = place.start();
    let mode = fs::metadata(&place.config.socket).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
    let signed = place.client().sign(&psbt(), &references()).await.unwrap();
    let again = place.client().sign(&psbt(), &references()).await.unwrap();
    assert_eq!(signed, again);
    complete(&psbt(), Returned::Psbt(Box::new(signed))).unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();
    assert!(!place.config.socket.exists());
}

#[tokio::test]
async fn what_left_counts_after_a_start() {
    let place = Place::new();
    let (stop, running) = place.start();
    place.client().sign(&psbt(), &references()).await.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();

    let (stop, running) = place.start();
    let refused = place.client().sign(&other(), &[]).await;
    assert!(matches!(
        refused,
        Err(ClientError::DayIsFull(day)) if day.why.contains("100209 satoshis have left today")
    ));
    // And the one that counted is signed as before.
    place.client().sign(&psbt(), &references()).await.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn a_new_day_of_its_clock_has_room_again_and_an_old_one_none() {
    let place = Place::new();
    let days: [(Clock, Psbt); 2] = [(late, psbt()), (next_day, other())];
    for (clock, asked) in days {
        let (stop, running) = place.start_at(clock);
        place.client().sign(&asked, &references()).await.unwrap();
        stop.send(()).unwrap();
        running.await.unwrap();
    }
    let (stop, running) = place.start_at(late);
    let refused = place.client().sign(&psbt(), &references()).await;
    assert!(
        matches!(refused, Err(ClientError::Refused(_))),
        "{refused:?}"
    );
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn a_signature_does_not_leave_before_it_is_noted() {
    let place = Place::new();
    let (stop, running) = place.start();
    // A directory where the new file would be written.
    fs::create_dir(place.directory.path().join("spent.json.new")).unwrap();
    let failed = place.client().sign(&psbt(), &references()).await;
    assert!(matches!(failed, Err(ClientError::Failed(_))));
    fs::remove_dir(place.directory.path().join("spent.json.new")).unwrap();
    place.client().sign(&psbt(), &references()).await.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn a_user_who_may_not_ask_is_turned_away() {
    let mut place = Place::new();
    let own = fs::metadata(place.directory.path()).unwrap().uid();
    place.config.peers = vec![own + 1];
    let (stop, running) = place.start();
    let answer = place.client().sign(&psbt(), &references()).await;
    assert!(matches!(answer, Err(ClientError::HungUp)), "{answer:?}");
    stop.send(()).unwrap();
    running.await.unwrap();
    assert!(!place.config.spent_file.exists());
}

#[tokio::test]
async fn nonsense_is_answered_and_the_next_request_served() {
    let place = Place::new();
    let (stop, running) = place.start();
    let mut stream = UnixStream::connect(&place.config.socket).await.unwrap();
    write_frame(&mut stream, b"hello").await.unwrap();
    let frame = read_frame(&mut stream).await.unwrap().unwrap();
    assert!(matches!(
        serde_json::from_slice(&frame).unwrap(),
        Answer::Refused(_)
    ));
    // On the same connection.
    let request = crate::protocol::Request::new(&psbt(), references());
    let json = serde_json::to_vec(&request).unwrap();
    write_frame(&mut stream, &json).await.unwrap();
    let frame = read_frame(&mut stream).await.unwrap().unwrap();
    assert!(matches!(
        serde_json::from_slice(&frame).unwrap(),
        Answer::Psbt(_)
    ));
    // A length that is too much ends it, with a word.
    tokio::io::AsyncWriteExt::write_all(&mut stream, &[0xff; 4])
        .await
        .unwrap();
    let frame = read_frame(&mut stream).await.unwrap().unwrap();
    assert!(matches!(
        serde_json::from_slice(&frame).unwrap(),
        Answer::Refused(_)
    ));
    assert!(read_frame(&mut stream).await.unwrap().is_none());
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_does_not_keep_it_from_stopping() {
    let place = Place::new();
    let (stop, running) = place.start();
    let mut stream = UnixStream::connect(&place.config.socket).await.unwrap();
    write_frame(&mut stream, b"hello").await.unwrap();
    read_frame(&mut stream).await.unwrap().unwrap();
    stop.send(()).unwrap();
    timeout(GRACE * 9 / 10, running).await.unwrap().unwrap();
    assert!(read_frame(&mut stream).await.unwrap().is_none());
}

#[tokio::test]
async fn a_signer_that_is_not_there_is_unreachable() {
    let place = Place::new();
    let answer = place.client().sign(&psbt(), &references()).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(_)));
    assert!(error.may_pass());
}

#[tokio::test]
async fn a_signer_that_never_answers_is_not_waited_for() {
    let place = Place::new();
    let _silent = UnixListener::bind(&place.config.socket).unwrap();
    let client = SignerClient::new(place.config.socket.clone(), Duration::from_millis(20));
    let error = client.sign(&psbt(), &references()).await.unwrap_err();
    assert!(matches!(error, ClientError::TimedOut));
}

#[tokio::test]
async fn an_answer_about_another_transaction_is_not_taken() {
    let place = Place::new();
    let listener = UnixListener::bind(&place.config.socket).unwrap();
    let impostor = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_frame(&mut stream).await.unwrap().unwrap();
        let mut other = psbt();
        other.unsigned_tx.output.swap(0, 1);
        other.outputs.swap(0, 1);
        let answer = Answer::Psbt(crate::protocol::write_psbt(&other));
        let json = serde_json::to_vec(&answer).unwrap();
        write_frame(&mut stream, &json).await.unwrap();
    });
    let error = place.client().sign(&psbt(), &[]).await.unwrap_err();
    assert!(matches!(error, ClientError::Garbled(_)));
    impostor.await.unwrap();
}

#[tokio::test]
async fn a_key_that_others_may_read_is_refused() {
    let place = Place::new();
    fs::set_permissions(&place.config.key_file, Permissions::from_mode(0o640)).unwrap();
    let refused = run(place.config.clone(), std::future::pending()).await;
    assert!(matches!(
        refused,
        Err(SignerError::File(FileError::Readable { mode: 0o640, .. }))
    ));
    assert!(!place.config.socket.exists());
}

#[tokio::test]
async fn what_is_wrong_at_the_start_is_said_without_the_key() {
    let place = Place::new();
    let half = &samples::SEED[..100];
    fs::write(&place.config.key_file, half).unwrap();
    let error = run(place.config.clone(), std::future::pending())
        .await
        .unwrap_err();
    assert!(matches!(error, SignerError::Key { .. }));
    assert!(!error.to_string().contains(&half[..8]));
    fs::write(&place.config.policy_file, "{}").unwrap();
    let error = run(place.config.clone(), std::future::pending()).await;
    assert!(matches!(error, Err(SignerError::Policy { .. })));
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
    let place = Place::new();
    drop(UnixListener::bind(&place.config.socket).unwrap());
    assert!(place.config.socket.exists());
    let (stop, running) = place.start();
    // The file of what left is taken as well, so another one is given.
    let mut second = place.config.clone();
    second.spent_file = place.directory.path().join("other.json");
    assert!(matches!(
        run(second, std::future::pending()).await,
        Err(SignerError::SocketInUse { .. })
    ));
    stop.send(()).unwrap();
    running.await.unwrap();

    fs::write(&place.config.socket, "mine").unwrap();
    assert!(matches!(
        run(place.config.clone(), std::future::pending()).await,
        Err(SignerError::NotASocket { .. })
    ));
    assert_eq!(fs::read(&place.config.socket).unwrap(), b"mine");
}

#[tokio::test]
async fn a_second_signer_with_the_same_days_is_refused() {
    let place = Place::new();
    let (stop, running) = place.start();
    assert!(matches!(
        run(place.config.clone(), std::future::pending()).await,
        Err(SignerError::Spent(SpentFileError::InUse { .. }))
    ));
    stop.send(()).unwrap();
    running.await.unwrap();
}
