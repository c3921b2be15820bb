//! A proxy before Postgres that counts statements, loses the answer to a commit after the commit, or puts a
//! panic in its place, or falls silent: the connection stays open, and nothing comes through it any more.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions, PgPool};
use url::Url;

/// The text of a simple query, with its final zero.
const COMMIT: &[u8] = b"COMMIT\0";
const BEGIN: &[u8] = b"BEGIN\0";

/// Where a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Begin,
    /// The first statement.
    Work,
    /// Postgres gets it; nobody hears of it.
    Commit,
}

#[derive(Default)]
struct State {
    /// At which moment the next connection falls silent.
    silence: Mutex<Option<Moment>>,
    /// What the next statement says with which a connection falls silent.
    muted: Mutex<Option<&'static str>>,
    silent: AtomicUsize,
    /// Commits until the one that loses its answer; 0 = none does.
    left: Mutex<usize>,
    /// What the next statement says that loses its answer.
    marked: Mutex<Option<&'static str>>,
    lost: AtomicUsize,
    /// What is said in place of the next answer that is lost.
    last_words: Mutex<Option<Vec<u8>>>,
    statements: AtomicUsize,
}

impl State {
    /// Counts a commit.
    fn is_to_be_lost(&self) -> bool {
        let mut left = self.left.lock().unwrap();
        let lost = *left == 1;
        *left = left.saturating_sub(1);
        lost
    }

    /// Whether this says what loses its answer; it does so once.
    fn is_marked(&self, bytes: &[u8]) -> bool {
        says(&self.marked, bytes)
    }

    /// Whether this is the moment, or says what is not heard; it is so once.
    fn falls_silent(&self, moment: Option<Moment>, bytes: &[u8]) -> bool {
        let mut silence = self.silence.lock().unwrap();
        let is_moment = moment.is_some() && *silence == moment;
        if is_moment {
            *silence = None;
        }
        let falls = is_moment || says(&self.muted, bytes);
        if falls {
            self.silent.fetch_add(1, Ordering::SeqCst);
        }
        falls
    }
}

/// Whether these bytes have the text that is waited for, which is so once.
fn says(awaited: &Mutex<Option<&'static str>>, bytes: &[u8]) -> bool {
    let mut awaited = awaited.lock().unwrap();
    let says = awaited.is_some_and(|text| {
        let text = text.as_bytes();
        bytes.windows(text.len()).any(|part| part == text)
    });
    if says {
        *awaited = None;
    }
    says
}

pub struct Proxy {
    state: Arc<State>,
    url: Url,
}

impl Proxy {
    /// Listens on a port of its own; its thread ends with the process.
    pub fn before(pool: &PgPool) -> Self {
        let mut url: Url = pool
            .connect_options()
            .to_url_lossy()
            .as_str()
            .parse()
            .unwrap();
        let upstream = Upstream::of(&url);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
        url.set_query(Some("sslmode=disable"));
        let state = Arc::new(State::default());
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = upstream.connect().unwrap();
                pass(client.unwrap(), server, &shared);
            }
        });
        Self { state, url }
    }

    pub async fn pool(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(8)
            .connect(self.url.as_str())
            .await
            .unwrap()
    }

    /// The commit with this number from now on, counted from 1, gets no answer.
    pub fn lose_commit(&self, number: usize) {
        *self.state.left.lock().unwrap() = number;
    }

    /// The same, and what is heard is that the server panics with this code.
    pub fn panic_at_commit(&self, number: usize, code: &str) {
        *self.state.last_words.lock().unwrap() = Some(panic_of(code));
        self.lose_commit(number);
    }

    /// The next statement with this text among its values gets no answer.
    pub fn lose_answer_to(&self, text: &'static str) {
        *self.state.marked.lock().unwrap() = Some(text);
    }

    /// The next connection that comes to this moment falls silent there. Behind the proxy it is closed.
    pub fn fall_silent_at(&self, moment: Moment) {
        *self.state.silence.lock().unwrap() = Some(moment);
    }

    /// The connection of the next statement that has this in its text, and was not prepared before, falls
    /// silent with it. Postgres does not get it.
    pub fn fall_silent_with(&self, text: &'static str) {
        *self.state.muted.lock().unwrap() = Some(text);
    }

    /// Connections that fell silent so far.
    pub fn silent(&self) -> usize {
        self.state.silent.load(Ordering::SeqCst)
    }

    /// Statements that were executed so far, over all connections. Preparing them does not count.
    pub fn statements(&self) -> usize {
        self.state.statements.load(Ordering::SeqCst)
    }

    /// Answers lost so far.
    pub fn lost(&self) -> usize {
        self.state.lost.load(Ordering::SeqCst)
    }
}

/// The last message of a server that cannot go on.
fn panic_of(code: &str) -> Vec<u8> {
    let mut fields = Vec::new();
    for (letter, text) in [
        (b'S', "PANIC"),
        (b'V', "PANIC"),
        (b'C', code),
        (b'M', "told by the test"),
    ] {
        fields.push(letter);
        fields.extend_from_slice(text.as_bytes());
        fields.push(0);
    }
    fields.push(0);
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E".as_slice(), &length.to_be_bytes(), &fields].concat()
}

/// Reads what a client sends, in whatever pieces it comes: a letter, a length that counts itself, and a
/// body. The first message of a connection has no letter.
#[derive(Default)]
struct Messages {
    begun: bool,
    /// What there is of the head of a message.
    head: Vec<u8>,
    /// Bytes of a body that are still to come.
    left: usize,
}

impl Messages {
    /// Simple queries and executions of prepared ones that begin in these bytes.
    fn statements(&mut self, bytes: &[u8]) -> usize {
        let mut found = 0;
        for byte in bytes {
            if self.left > 0 {
                self.left -= 1;
                continue;
            }
            self.head.push(*byte);
            let letter = usize::from(self.begun);
            if self.head.len() < letter + 4 {
                continue;
            }
            let length: [u8; 4] = self.head[letter..].try_into().unwrap();
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
            if self.begun && matches!(self.head[0], b'Q' | b'E') {
                found += 1;
            }
            self.left = length - 4;
            self.begun = true;
            self.head.clear();
        }
        found
    }
}

#[test]
fn statements_are_counted_in_whatever_pieces_they_come() {
    let mut sent = vec![0, 0, 0, 8, 0, 3, 0, 0];
    for message in [
        b"Q\0\0\0\x0aBEGIN\0".as_slice(),
        b"P\0\0\0\x08QE\0\0",
        b"E\0\0\0\x09\0\0\0\0\0",
        b"S\0\0\0\x04",
        b"Q\0\0\0\x0bCOMMIT\0",
    ] {
        sent.extend_from_slice(message);
    }
    for size in 1..sent.len() {
        let mut messages = Messages::default();
        let pieces = sent.chunks(size);
        let counted: usize = pieces.map(|piece| messages.statements(piece)).sum();
        assert_eq!(counted, 3, "{size}");
    }
}

/// Where Postgres listens.
enum Upstream {
    Tcp(String),
    Unix(String),
}

impl Upstream {
    fn of(url: &Url) -> Self {
        let pair = format!("host={}", url.host_str().unwrap());
        let host = url::form_urlencoded::parse(pair.as_bytes())
            .next()
            .unwrap()
            .1
            .into_owned();
        let port = url.port().unwrap_or(5432);
        if host.starts_with('/') {
            Self::Unix(format!("{}/.s.PGSQL.{port}", host.trim_end_matches('/')))
        } else {
            Self::Tcp(format!("{host}:{port}"))
        }
    }

    fn connect(&self) -> Result<Server> {
        Ok(match self {
            Self::Tcp(address) => Server::Tcp(TcpStream::connect(address)?),
            Self::Unix(path) => Server::Unix(UnixStream::connect(path)?),
        })
    }
}

enum Server {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Server {
    fn try_clone(&self) -> Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
        })
    }

    fn shutdown(&self) {
        // It may be gone already.
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let read = match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        };
        read.unwrap_or(0)
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Unix(stream) => stream.write_all(bytes),
        }
    }
}

/// What becomes of a connection.
#[derive(Default)]
struct Fate {
    /// The next answer is lost, and the connection with it.
    cut: AtomicBool,
    silent: AtomicBool,
}

fn pass(client: TcpStream, server: Server, state: &Arc<State>) {
    client.set_nodelay(true).unwrap();
    let fate = Arc::new(Fate::default());
    let there = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (shared, deciding) = (state.clone(), fate.clone());
    thread::spawn(move || ask(there.0, there.1, &shared, &deciding));
    let shared = state.clone();
    thread::spawn(move || answer(client, server, &shared, &fate));
}

/// From the client to the server.
fn ask(mut client: TcpStream, mut server: Server, state: &State, fate: &Fate) {
    let mut buffer = [0; 65_536];
    let mut messages = Messages::default();
    let mut has_begun = false;
    loop {
        let read = client.read(&mut buffer).unwrap_or(0);
        let bytes = &buffer[..read];
        let statements = messages.statements(bytes);
        state.statements.fetch_add(statements, Ordering::SeqCst);
        let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        let (begins, commits) = (has(BEGIN), has(COMMIT));
        let moment = match (begins, commits) {
            (_, true) => Some(Moment::Commit),
            (true, false) => Some(Moment::Begin),
            _ => (has_begun && read > 0).then_some(Moment::Work),
        };
        has_begun = begins;
        if state.falls_silent(moment, bytes) {
            fate.silent.store(true, Ordering::SeqCst);
            if commits {
                // Its answer ends the connection behind the proxy.
                server.write_all(bytes).unwrap();
            } else {
                server.shutdown();
            }
            while client.read(&mut buffer).unwrap_or(0) > 0 {}
            return;
        }
        if commits && state.is_to_be_lost() || state.is_marked(bytes) {
            fate.cut.store(true, Ordering::SeqCst);
        }
        if read == 0 || server.write_all(bytes).is_err() {
            server.shutdown();
            return;
        }
    }
}

/// From the server to the client. What comes after a commit that is to lose its answer is that answer.
fn answer(mut client: TcpStream, mut server: Server, state: &State, fate: &Fate) {
    let mut buffer = [0; 65_536];
    loop {
        let read = server.read(&mut buffer);
        if fate.silent.load(Ordering::SeqCst) {
            // The one who reads from the client keeps his end open.
            server.shutdown();
            return;
        }
        let lost = read > 0 && fate.cut.load(Ordering::SeqCst);
        if lost {
            state.lost.fetch_add(1, Ordering::SeqCst);
            if let Some(words) = state.last_words.lock().unwrap().take() {
                client.write_all(&words).unwrap();
            }
        }
        if read == 0 || lost || client.write_all(&buffer[..read]).is_err() {
            let _ = client.shutdown(Shutdown::Both);
            server.shutdown();
            return;
        }
    }
}
