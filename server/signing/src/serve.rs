//! The signer as a process: it listens on a Unix socket and answers one request at a time.
//!
//! Invariants: only the users it was told about are heard; no answer is written before what leaves
//! is on the disk; asked to stop, it finishes what it has begun. Its log has transaction ids,
//! satoshis and references, never a key or a signature.

mod account_desk;
mod desk;

use std::fs::{self, Permissions};
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use thiserror::Error;
use time::OffsetDateTime;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use crate::key::KeyError;
use crate::key_file::FileError;
use crate::policy::PolicyError;
use crate::protocol::{Answer, FrameError, read_frame, write_frame};
use crate::script_kind::ScriptKind;
use crate::spent_file::SpentFileError;
use desk::Desk;

/// Connections at once. A gateway uses one.
const CONNECTIONS_MAX: usize = 16;

/// How long a peer may take over a request, and over taking an answer.
const PEER_PATIENCE: Duration = Duration::from_secs(30);

/// How long requests that have begun may take once the signer was asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Pause after the system could not give a connection, such as for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where the signer finds what it needs, and who may ask it.
#[derive(Debug, Clone)]
pub struct SignerConfig {
    /// Made at the start, removed at the end.
    pub socket: PathBuf,
    /// Readable by the signer's user alone; see [`SigningKey::parse`](crate::key::SigningKey::parse).
    pub key_file: PathBuf,
    /// Writable by nobody else; see [`crate::policy`].
    pub policy_file: PathBuf,
    /// Written by the signer, with `.lock` and `.new` beside it.
    pub spent_file: PathBuf,
    /// Scripts of the account. Decides the first level of its path if the key file has a seed.
    pub kind: ScriptKind,
    /// Number of the account below a seed or a master key.
    pub account: u32,
    /// Ids of the users who may ask. With none, the signer's own user may.
    pub peers: Vec<u32>,
    /// Id of a group that may open the socket, whose mode is 660 then and 600 otherwise.
    pub group: Option<u32>,
}

/// Why the signer does not start. None of it shows a key.
#[derive(Debug, Error)]
pub enum SignerError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {error}", .path.display())]
    Policy { path: PathBuf, error: PolicyError },
    #[error("{}: {error}", .path.display())]
    Key { path: PathBuf, error: KeyError },
    #[error(transparent)]
    Spent(#[from] SpentFileError),
    #[error("{}: {error}", .path.display())]
    Socket { path: PathBuf, error: io::Error },
    #[error("{}: somebody listens there already", .path.display())]
    SocketInUse { path: PathBuf },
    #[error("{}: it is there, and not a socket", .path.display())]
    NotASocket { path: PathBuf },
}

/// Serves until `shutdown` is over.
///
/// # Errors
/// See [`SignerError`]; only at the start.
pub async fn run(
    config: SignerConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), SignerError> {
    run_by(config, OffsetDateTime::now_utc, shutdown).await
}

/// Tells what time it is. The limits of a day count by its days, in UTC.
pub type Clock = fn() -> OffsetDateTime;

/// [`run`] by another clock than the system's.
///
/// # Errors
/// See [`SignerError`]; only at the start.
pub async fn run_by(
    config: SignerConfig,
    clock: Clock,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), SignerError> {
    Service::open(&config, clock)?.serve(shutdown).await;
    Ok(())
}

/// A signer that can be connected to.
struct Service {
    listener: UnixListener,
    clock: Clock,
    socket: PathBuf,
    peers: Vec<u32>,
    desk: Arc<Mutex<Desk>>,
}

impl Service {
    fn open(config: &SignerConfig, clock: Clock) -> Result<Self, SignerError> {
        let user = nix::unistd::Uid::effective().as_raw();
        let desk = Desk::open(config, user)?;
        let listener = listen(config)?;
        let peers = if config.peers.is_empty() {
            vec![user]
        } else {
            config.peers.clone()
        };
        tracing::info!(
            socket = %config.socket.display(),
            chain = desk.chain_name(),
            first_address = desk.first_address(),
            ?peers,
            "the signer listens"
        );
        Ok(Self {
            listener,
            clock,
            socket: config.socket.clone(),
            peers,
            desk: Arc::new(Mutex::new(desk)),
        })
    }

    async fn serve(self, shutdown: impl Future<Output = ()> + Send) {
        let (stop, stopped) = watch::channel(false);
        let mut shutdown = pin!(shutdown);
        let mut conversations = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        if conversations.len() < CONNECTIONS_MAX && self.may_ask(&stream) {
                            let desk = Arc::clone(&self.desk);
                            let talk = converse(stream, desk, self.clock, stopped.clone());
                            conversations.spawn(talk);
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = conversations.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a connection ended in disorder");
                    }
                }
            }
        }
        drop(self.listener);
        if let Err(error) = fs::remove_file(&self.socket) {
            tracing::warn!(%error, "the socket could not be removed");
        }
        // Whoever waits for a request leaves; whoever has one finishes.
        let _ = stop.send(true);
        let rest = async { while conversations.join_next().await.is_some() {} };
        if timeout(GRACE, rest).await.is_err() {
            tracing::warn!("requests were cut off at the end");
        }
        tracing::info!("the signer has stopped");
    }

    /// The system tells who is at the other end; what they say about themselves does not count.
    fn may_ask(&self, stream: &UnixStream) -> bool {
        match stream.peer_cred() {
            Ok(peer) if self.peers.contains(&peer.uid()) => true,
            Ok(peer) => {
                tracing::warn!(user = peer.uid(), "a user who may not ask was turned away");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "a peer could not be told");
                false
            }
        }
    }
}

/// Makes the socket. Between being made and getting its mode it may be open to more users, who are
/// turned away for what they are.
fn listen(config: &SignerConfig) -> Result<UnixListener, SignerError> {
    let path = &config.socket;
    let failed = |error| SignerError::Socket {
        path: path.clone(),
        error,
    };
    clear(path)?;
    let listener = UnixListener::bind(path).map_err(failed)?;
    let mode = if config.group.is_some() { 0o660 } else { 0o600 };
    chown(path, None, config.group)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(failed)?;
    Ok(listener)
}

/// Removes the socket of a signer that ended without doing so.
fn clear(path: &Path) -> Result<(), SignerError> {
    let failed = |error| SignerError::Socket {
        path: path.to_owned(),
        error,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(SignerError::NotASocket {
                path: path.to_owned(),
            });
        }
        Ok(_) => {}
    }
    match BlockingStream::connect(path) {
        Ok(_) => Err(SignerError::SocketInUse {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Answers one peer until it leaves, or the signer stops.
async fn converse(
    mut stream: UnixStream,
    desk: Arc<Mutex<Desk>>,
    clock: Clock,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let frame = tokio::select! {
            () = until_stopped(&mut stopped) => return,
            frame = timeout(PEER_PATIENCE, read_frame(&mut stream)) => frame,
        };
        let json = match frame {
            Ok(Ok(Some(json))) => json,
            Ok(Err(error @ FrameError::TooLong(_))) => {
                // What follows cannot be told from a frame, so this is the last answer.
                reply(&mut stream, &Answer::Refused(error.to_string())).await;
                return;
            }
            Ok(Ok(None)) | Err(_) => return,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a request did not come through");
                return;
            }
        };
        let desk = Arc::clone(&desk);
        let work = spawn_blocking(move || answer(&desk, &json, clock));
        let answer = work
            .await
            .unwrap_or_else(|_| Answer::Failed("the signer failed".to_owned()));
        if !reply(&mut stream, &answer).await {
            return;
        }
    }
}

async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped as well.
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn answer(desk: &Mutex<Desk>, json: &[u8], clock: Clock) -> Answer {
    match desk.lock() {
        // Read under the lock, so that no day comes after a later one.
        Ok(mut desk) => desk.answer(json, clock()),
        // Something went wrong halfway through another request: a person has to look.
        Err(_) => Answer::Failed("the signer failed before and has to be started again".to_owned()),
    }
}

/// Whether the answer went out.
async fn reply(stream: &mut UnixStream, answer: &Answer) -> bool {
    let Ok(json) = serde_json::to_vec(answer) else {
        return false;
    };
    match timeout(PEER_PATIENCE, write_frame(stream, &json)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "an answer did not go out");
            false
        }
        Err(_) => {
            tracing::warn!("an answer was not taken in time");
            false
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
