//! The wire between the gateway and Postgres: passes everything on, and ends one connection where a step
//! says so. Of what Postgres never heard nothing was done; what it heard was, and nobody is told. The
//! simulated chains are asked over the same wire, so a node that is not reached is one of these, too.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::faults::{Cut, Place};

/// How the driver ends a transaction: a query of its own.
const COMMIT: &[u8] = b"COMMIT\0";

/// How a pool tries a connection, as often as it likes: no question of anybody's.
const PING: &[u8] = b"S\0\0\0\x04";

pub struct Wire {
    /// Where it listens, as Postgres does.
    folder: PathBuf,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// What is to be cut, and how many of its kind are said until then.
    next: Mutex<Option<(Cut, u32)>>,
}

impl Wire {
    /// Listens in a folder of this name; answers also how `server` is reached through it.
    pub fn start(server: &PgConnectOptions, name: &str) -> (Self, PgConnectOptions) {
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let place = folder.join(socket(server.get_port()));
        // Left by a run that was killed.
        let _ = std::fs::remove_file(&place);
        let listener = UnixListener::bind(&place).unwrap();
        let through = server
            .clone()
            .socket(&folder)
            // Else nobody could tell a commit from anything else.
            .ssl_mode(PgSslMode::Disable);
        let state = Arc::new(State::default());
        let (server, shared) = (server.clone(), state.clone());
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, state) = (server.clone(), shared.clone());
                // A connection that breaks is what this is for.
                tokio::spawn(async move { drop(serve(client, &server, &state).await) });
            }
        });
        let wire = Self {
            folder,
            state,
            listening,
        };
        (wire, through)
    }

    /// From now on, counted anew; `None`: nothing is cut.
    pub fn arm(&self, cut: Option<Cut>) {
        *self.state.next.lock().unwrap() = cut.map(|cut| (cut, cut.number));
    }

    /// What was to be cut has not been said yet.
    pub fn is_armed(&self) -> bool {
        self.state.next.lock().unwrap().is_some()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listening.abort();
        // Whoever clears up temporary files finds it otherwise.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl State {
    /// What to do with what a client said; only one thing is cut.
    fn take(&self, said: &[u8]) -> Option<Cut> {
        let mut next = self.next.lock().unwrap();
        let (cut, left) = next.as_mut()?;
        let counts = match cut.place {
            Place::Commit => said.windows(COMMIT.len()).any(|part| part == COMMIT),
            Place::Question => said != PING,
        };
        if !counts {
            return None;
        }
        *left -= 1;
        if *left > 0 {
            return None;
        }
        next.take().map(|(cut, _)| cut)
    }
}

/// Name of the socket on which Postgres listens.
fn socket(port: u16) -> String {
    format!(".s.PGSQL.{port}")
}

async fn serve(
    client: UnixStream,
    server: &PgConnectOptions,
    state: &State,
) -> std::io::Result<()> {
    let port = server.get_port();
    match server.get_socket() {
        Some(folder) => {
            let server = UnixStream::connect(folder.join(socket(port))).await?;
            pass(client, server, state).await
        }
        None => {
            let server = TcpStream::connect((server.get_host(), port)).await?;
            pass(client, server, state).await
        }
    }
}

async fn pass<S>(mut client: UnixStream, mut server: S, state: &State) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut asked, mut told) = (vec![0; 16_384], vec![0; 16_384]);
    let mut ends = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let said = &asked[..read?];
                if said.is_empty() {
                    return Ok(());
                }
                match state.take(said) {
                    Some(cut) if !cut.heard => return Ok(()),
                    // The rest of a long question is still to come.
                    Some(_) => ends = true,
                    None => {}
                }
                server.write_all(said).await?;
            }
            read = server.read(&mut told) => {
                let bytes = &told[..read?];
                // An answer is the proof that it was heard.
                if bytes.is_empty() || ends {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}
