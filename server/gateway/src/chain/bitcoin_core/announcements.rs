//! What a node says unasked, by ZeroMQ, taken as a hint that there is something to ask.
//!
//! Invariant: no announcement is read. One that comes ends a pause between two looks, and the look asks
//! the node by RPC as it does without any; so a publisher that is away, silent, or somebody else makes
//! a look late or early, and changes nothing. See decision 032.

mod zmtp;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use self::zmtp::{Deaf, Subscription};

/// A new best block, and whatever happens to blocks and mempool. Nodes of which one publishes only one
/// of the two are heard all the same.
const TOPICS: [&str; 2] = ["hashblock", "sequence"];
/// From the first byte to the subscription.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// A connection may be gone without a word; an hour without a block is rare.
const SILENCE_MAX: Duration = Duration::from_secs(3_600);
/// Pauses between two attempts: doubled from the shortest to the longest.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The announcements of one node.
#[derive(Debug)]
pub struct Announcements {
    /// `host:port`.
    publisher: String,
    /// How many there were, connecting included: what was said before is not said again.
    heard: watch::Sender<u64>,
    is_heard: AtomicBool,
    pause_min: Duration,
    pause_max: Duration,
}

impl Announcements {
    /// Connects to nothing yet.
    pub(super) fn new(publisher: String) -> Self {
        Self {
            publisher,
            heard: watch::Sender::new(0),
            is_heard: AtomicBool::new(false),
            pause_min: PAUSE_MIN,
            pause_max: PAUSE_MAX,
        }
    }

    /// Whether the publisher is connected right now, and was asked for its announcements.
    pub fn is_heard(&self) -> bool {
        self.is_heard.load(Ordering::Relaxed)
    }

    /// Changes with every announcement from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.heard.subscribe()
    }

    /// Listens, and connects again whenever the connection ends, until `shutdown` becomes true or its
    /// sender goes away.
    pub async fn listen(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        tokio::select! {
            () = self.listen_for_ever() => {}
            () = end_of(&mut shutdown) => {}
        }
    }

    async fn listen_for_ever(&self) {
        let mut pause = self.pause_min;
        loop {
            let mut messages = 0_u64;
            let Err(why) = self.hear(&mut messages).await;
            if messages > 0 {
                pause = self.pause_min;
            }
            // Once per absence: nothing is missing without them.
            if pause == self.pause_min {
                tracing::warn!(
                    publisher = self.publisher, %why,
                    "announcements of the node are not heard; it is asked again and again instead"
                );
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.pause_max);
        }
    }

    /// Listens until that ends, and counts in `messages`.
    async fn hear(&self, messages: &mut u64) -> Result<Infallible, Deaf> {
        let connecting = async {
            let stream = TcpStream::connect(self.publisher.as_str()).await?;
            Subscription::open(stream, &TOPICS).await
        };
        let mut subscription = timeout(CONNECT_MAX, connecting)
            .await
            .map_err(|_| Deaf::TimedOut)??;
        let _heard = Heard::new(&self.is_heard);
        self.announce();
        loop {
            timeout(SILENCE_MAX, subscription.hear())
                .await
                .map_err(|_| Deaf::Silent)??;
            *messages += 1;
            self.announce();
        }
    }

    fn announce(&self) {
        self.heard
            .send_modify(|count| *count = count.wrapping_add(1));
    }
}

async fn end_of(shutdown: &mut watch::Receiver<bool>) {
    while !*shutdown.borrow_and_update() {
        if shutdown.changed().await.is_err() {
            return;
        }
    }
}

/// While it exists, the publisher is heard; however that ends.
struct Heard<'a>(&'a AtomicBool);

impl<'a> Heard<'a> {
    fn new(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::Relaxed);
        Self(flag)
    }
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
