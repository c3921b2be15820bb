//! Between a server and Postgres: passes everything on, cuts the connection at a commit when it is told
//! to, and stops altogether, as a pool of connections does that somebody restarts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// How the driver ends a transaction: a query of its own.
const COMMIT: &[u8] = b"COMMIT\0";

/// Where the next commit is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    Nowhere = 0,
    /// Postgres never hears of it: nothing was committed.
    BeforeCommit = 1,
    /// Postgres has committed, and nobody is told.
    BeforeReply = 2,
}

pub struct Proxy {
    port: u16,
    state: Arc<State>,
    stopped: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    next: AtomicU8,
    cuts: AtomicUsize,
    turned_away: AtomicUsize,
}

impl Proxy {
    pub async fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        let (stopped, is_stopped) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *is_stopped.borrow() {
                    shared.turned_away.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                let (socket, state) = (socket.clone(), shared.clone());
                let mut stop = is_stopped.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        // A connection that breaks is what this is for.
                        _ = pass(client, &socket, &state) => {}
                        _ = stop.wait_for(|stopped| *stopped) => {}
                    }
                });
            }
        });
        Self {
            port,
            state,
            stopped,
        }
    }

    /// Ends all connections, and takes no new ones.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }

    pub fn go_on(&self) {
        self.stopped.send_replace(false);
    }

    /// Connections that came while it was stopped.
    pub fn turned_away(&self) -> usize {
        self.state.turned_away.load(Ordering::SeqCst)
    }

    pub fn url(&self) -> String {
        format!(
            "postgres://exchequer@127.0.0.1:{}/exchequer?sslmode=disable",
            self.port
        )
    }

    /// The next commit of anybody is cut there.
    pub fn cut_next(&self, cut: Cut) {
        self.state.next.store(cut as u8, Ordering::SeqCst);
    }

    /// Commits cut so far.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

impl State {
    /// What to do with a commit; only one of them is cut.
    fn take(&self) -> Cut {
        match self.next.swap(Cut::Nowhere as u8, Ordering::SeqCst) {
            1 => Cut::BeforeCommit,
            2 => Cut::BeforeReply,
            _ => Cut::Nowhere,
        }
    }
}

async fn pass(mut client: TcpStream, socket: &Path, state: &State) -> std::io::Result<()> {
    let mut server = UnixStream::connect(socket).await?;
    let (mut asked, mut told) = (vec![0; 16_384], vec![0; 16_384]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let bytes = &asked[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                let is_commit = bytes.windows(COMMIT.len()).any(|part| part == COMMIT);
                let cut = if is_commit { state.take() } else { Cut::Nowhere };
                if cut != Cut::BeforeCommit {
                    server.write_all(bytes).await?;
                }
                if cut == Cut::BeforeReply {
                    // Its answer is the proof that it is done.
                    let _answer = server.read(&mut told).await?;
                }
                if cut != Cut::Nowhere {
                    state.cuts.fetch_add(1, Ordering::SeqCst);
                    return Ok(());
                }
            }
            read = server.read(&mut told) => {
                let bytes = &told[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}
