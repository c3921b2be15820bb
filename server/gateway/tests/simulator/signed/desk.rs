//! Who stands before a signer: passes on what is asked and answered, or does whatever a signer may do that is away,
//! stuck, unwilling or broken.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitcoin::{EcdsaSighashType, Psbt};
use signing::protocol::{Answer, FrameError, Request, read_frame, write_frame};
use signing::{DayIsFull, RefusedPayment};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::support::signer_place::Place;

/// More than anybody waits for a signer.
const PATIENCE: Duration = Duration::from_secs(31);

/// What becomes of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Signs,
    /// It could not, this time.
    Fails,
    Refuses,
    /// It refuses one of several payments, where a transaction has several.
    RefusesOne,
    DayIsFull,
    /// Nobody ever answers.
    Hangs,
    /// Whoever asks is turned away without a word.
    HangsUp,
    /// It signs, and its answer is lost.
    LosesAnswer,
    /// An answer that ends in the middle.
    CutsShort,
    /// No answer, but something.
    Garbles,
    /// It signs, and signatures come that are none.
    Spoils,
}

impl Mood {
    pub const BAD: [Self; 10] = [
        Self::Fails,
        Self::Refuses,
        Self::RefusesOne,
        Self::DayIsFull,
        Self::Hangs,
        Self::HangsUp,
        Self::LosesAnswer,
        Self::CutsShort,
        Self::Garbles,
        Self::Spoils,
    ];
}

pub struct Desk {
    place: Place,
    mood: Arc<Mutex<Mood>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Desk {
    /// Nobody is there before [`Self::open`].
    pub fn new() -> Self {
        Self {
            place: Place::new(),
            mood: Arc::new(Mutex::new(Mood::Signs)),
            tasks: Vec::new(),
        }
    }

    /// Where requests go.
    pub fn socket(&self) -> PathBuf {
        self.place.path("desk")
    }

    pub async fn open(&mut self, seed: &str, policy: &str) {
        let signer = self.place.start(seed, policy).await;
        let listener = UnixListener::bind(self.socket()).unwrap();
        let (behind, mood) = (self.place.path("socket"), self.mood.clone());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (behind, mood) = (behind.clone(), *mood.lock().unwrap());
                // What breaks on the way is what this is for.
                tokio::spawn(async move { drop(serve(stream, &behind, mood).await) });
            }
        });
        self.tasks = vec![signer, listening];
    }

    /// From now on.
    pub fn answers(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

async fn serve(mut stream: UnixStream, signer: &Path, mood: Mood) -> Result<(), FrameError> {
    let Some(asked) = read_frame(&mut stream).await? else {
        return Ok(());
    };
    let answer = match mood {
        Mood::Signs => ask(signer, &asked).await?,
        Mood::Spoils => spoilt(&ask(signer, &asked).await?),
        Mood::LosesAnswer => return ask(signer, &asked).await.map(drop),
        Mood::HangsUp => return Ok(()),
        Mood::Hangs => {
            let_patience_pass().await;
            // Whoever asked is gone then.
            return read_frame(&mut stream).await.map(drop);
        }
        Mood::CutsShort => {
            stream.write_all(&8_u32.to_be_bytes()).await?;
            stream.write_all(b"half").await?;
            return Ok(());
        }
        Mood::Garbles => b"certainly not JSON".to_vec(),
        Mood::Fails => written(&Answer::Failed("its disk is full".to_owned())),
        Mood::Refuses => written(&Answer::Refused("it does not like it".to_owned())),
        Mood::RefusesOne => written(&without_first_payment(&asked)),
        Mood::DayIsFull => written(&Answer::DayIsFull(DayIsFull {
            spent: 1_000_000_000_000,
            max: 1_000_000_000_000,
            why: "all of it has left today".to_owned(),
        })),
    };
    write_frame(&mut stream, &answer).await
}

/// Nobody waits: the clock of the runtime, by which the gateway waits for its signer, goes on by as much. The one of
/// the instance does not.
async fn let_patience_pass() {
    tokio::time::pause();
    tokio::time::advance(PATIENCE).await;
    tokio::time::resume();
}

async fn ask(signer: &Path, asked: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut stream = UnixStream::connect(signer).await?;
    write_frame(&mut stream, asked).await?;
    Ok(read_frame(&mut stream).await?.unwrap_or_default())
}

fn written(answer: &Answer) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap()
}

fn without_first_payment(asked: &[u8]) -> Answer {
    let why = "it does not like this one".to_owned();
    let Ok((_, psbt)) = Request::parse(asked) else {
        // One payment is all that a transaction of an account makes.
        return Answer::Refused(why);
    };
    let first = psbt.unsigned_tx.output.first().unwrap();
    Answer::RefusedPayments(vec![RefusedPayment {
        script: first.script_pubkey.clone(),
        satoshi: first.value.to_sat(),
        why,
    }])
}

/// The same answer with signatures that do not hold.
fn spoilt(answer: &[u8]) -> Vec<u8> {
    let spoilt = match serde_json::from_slice::<Answer>(answer).unwrap() {
        Answer::Psbt(text) => {
            let mut psbt = Psbt::deserialize(&STANDARD.decode(text).unwrap()).unwrap();
            for input in &mut psbt.inputs {
                for signature in input.partial_sigs.values_mut() {
                    signature.sighash_type = EcdsaSighashType::None;
                }
            }
            Answer::Psbt(STANDARD.encode(psbt.serialize()))
        }
        Answer::Transaction(digits) => {
            let mut raw = hex::decode(digits).unwrap();
            *raw.last_mut().unwrap() ^= 1;
            Answer::Transaction(hex::encode(raw))
        }
        // Nothing was signed.
        other => other,
    };
    written(&spoilt)
}
