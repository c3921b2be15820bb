//! Receivers of webhooks that do everything wrong, from when they are told to break until they are told to
//! recover.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Longest request that is read, bytes.
const REQUEST_MAX: usize = 64 * 1024;

/// Read at once, bytes: the path and little more.
const PART: usize = 64;

/// Of an answer without sense.
const FLOOD_BYTES: usize = 10 * 1024 * 1024;

/// Between two bytes of an answer that never comes to its end.
const DRIP: Duration = Duration::from_millis(200);

/// What a receiver does; the first part of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Takes,
    Fails,
    Drips,
    Resets,
    Redirects,
    /// Answers 500 and ten megabytes.
    Floods,
    /// Answers 410.
    Gone,
    Hangs,
}

impl Mood {
    pub const BROKEN: [Self; 7] = [
        Self::Fails,
        Self::Drips,
        Self::Resets,
        Self::Redirects,
        Self::Floods,
        Self::Gone,
        Self::Hangs,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Takes => "takes",
            Self::Fails => "fails",
            Self::Drips => "drips",
            Self::Resets => "resets",
            Self::Redirects => "redirects",
            Self::Floods => "floods",
            Self::Gone => "gone",
            Self::Hangs => "hangs",
        }
    }
}

#[derive(Default)]
struct State {
    are_broken: AtomicBool,
    /// Paths at which something was taken, the orders that it told of (empty: of none that is named), and
    /// when it came first, by the machine's clock.
    taken: Mutex<BTreeMap<(String, String), OffsetDateTime>>,
}

/// All of them, at one port.
pub struct BrokenReceivers {
    base: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl BrokenReceivers {
    /// All are well.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let (shared, elsewhere) = (state.clone(), format!("{base}/elsewhere"));
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (state, elsewhere) = (shared.clone(), elsewhere.clone());
                tokio::spawn(async move {
                    // Whoever asks may break off, too.
                    let _ = serve(connection, &state, &elsewhere).await;
                });
            }
        });
        Self { base, state, task }
    }

    /// Beginning of all their URLs.
    pub fn base(&self) -> String {
        format!("{}/", self.base)
    }

    /// One that nobody else has.
    pub fn url(&self, mood: Mood, number: usize) -> String {
        format!("{}/{}/{number}", self.base, mood.word())
    }

    /// Each does what its mood is from now on.
    pub fn break_down(&self) {
        self.state.are_broken.store(true, Ordering::SeqCst);
    }

    /// All of them take what comes from now on.
    pub fn recover(&self) {
        self.state.are_broken.store(false, Ordering::SeqCst);
    }

    /// When something about this order was first taken at this URL.
    pub fn told_at(&self, url: &str, order: &str) -> Option<OffsetDateTime> {
        let key = (self.path(url).to_owned(), order.to_owned());
        self.state.taken.lock().unwrap().get(&key).copied()
    }

    /// Whether something was taken at this URL.
    pub fn has_taken(&self, url: &str) -> bool {
        let taken = self.state.taken.lock().unwrap();
        taken.keys().any(|(path, _)| path == self.path(url))
    }

    /// Whether somebody went where they were sent on to.
    pub fn was_followed(&self) -> bool {
        let taken = self.state.taken.lock().unwrap();
        taken.keys().any(|(path, _)| path.starts_with("/elsewhere"))
    }

    fn path<'u>(&self, url: &'u str) -> &'u str {
        url.strip_prefix(&self.base).unwrap()
    }
}

impl Drop for BrokenReceivers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut connection: TcpStream, state: &State, elsewhere: &str) -> std::io::Result<()> {
    let (mut read, mut part) = (Vec::new(), [0_u8; PART]);
    while !is_whole(&read) && read.len() < REQUEST_MAX {
        let count = connection.read(&mut part).await?;
        if count == 0 {
            return Ok(());
        }
        read.extend_from_slice(&part[..count]);
        // Closed with the rest unread, so the other side is told of a reset.
        if state.are_broken.load(Ordering::SeqCst) && path_of(&read).starts_with("/resets/") {
            return Ok(());
        }
    }
    let path = path_of(&read);
    let mood = Mood::BROKEN
        .into_iter()
        .find(|mood| path.split('/').nth(1) == Some(mood.word()))
        .filter(|_| state.are_broken.load(Ordering::SeqCst))
        .unwrap_or(Mood::Takes);
    match mood {
        Mood::Takes => {
            // Noted first: whoever has the answer finds it noted.
            let (now, told) = (OffsetDateTime::now_utc(), (path, order_of(&read)));
            state.taken.lock().unwrap().entry(told).or_insert(now);
            connection.write_all(OK.as_bytes()).await
        }
        Mood::Fails => connection.write_all(&answer("500 No", "", 0)).await,
        Mood::Gone => connection.write_all(&answer("410 Gone", "", 0)).await,
        Mood::Redirects => {
            let to = format!("Location: {elsewhere}\r\n");
            connection.write_all(&answer("307 Go", &to, 0)).await
        }
        Mood::Floods => {
            let head = answer("500 No", "", FLOOD_BYTES);
            connection.write_all(&head).await?;
            connection.write_all(&vec![b'x'; FLOOD_BYTES]).await
        }
        Mood::Drips => {
            let head = answer("200 OK", "", FLOOD_BYTES);
            connection.write_all(&head).await?;
            loop {
                tokio::time::sleep(DRIP).await;
                connection.write_all(b"x").await?;
            }
        }
        // Until the other side has enough of it.
        Mood::Resets | Mood::Hangs => {
            let _end = connection.read(&mut [0]).await?;
            Ok(())
        }
    }
}

fn answer(status: &str, header: &str, length: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    head.into_bytes()
}

/// Empty until the first line has come.
fn path_of(read: &[u8]) -> String {
    let text = String::from_utf8_lossy(read);
    let path = text.lines().next().and_then(|line| line.split(' ').nth(1));
    path.unwrap_or_default().to_owned()
}

/// The order that an `order.paid` tells of; empty for everything else.
fn order_of(read: &[u8]) -> String {
    let text = String::from_utf8_lossy(read);
    let told: Option<Value> = text
        .split_once("\r\n\r\n")
        .and_then(|(_, body)| serde_json::from_str(body).ok());
    let order = told.as_ref().and_then(|told| told["order_id"].as_str());
    order.unwrap_or_default().to_owned()
}

fn is_whole(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}
