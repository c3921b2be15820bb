//! The side of ZeroMQ's wire protocol that listens to a publisher: ZMTP 3.0 (RFC 23 of zeromq.org) with
//! the mechanism `NULL`, which is what nodes speak.
//!
//! Invariant: whatever the other side sends, no more than one frame of at most 255 bytes is kept, and
//! what is not this protocol ends the connection.

use std::io;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Signature, version, mechanism, role, filler.
const GREETING_BYTES: usize = 64;
/// A name and no more: nobody proves who he is.
const MECHANISM: &[u8; 20] = b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/// The flags of a short frame: another one of the message follows, or it is a command.
const MORE: u8 = 1;
const COMMAND: u8 = 4;
/// Frames of one message: announcements have three.
const FRAMES_MAX: u32 = 8;
/// First byte of a message to a publisher that asks for a topic.
const SUBSCRIBE: u8 = 1;

/// Why nothing is heard any more.
#[derive(Debug, Error)]
pub(super) enum Deaf {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it does not answer in time")]
    TimedOut,
    #[error("nothing was announced for so long that the connection may be gone")]
    Silent,
    #[error("it does not speak ZMTP 3 without a security mechanism")]
    Greeting,
    #[error("what it sends is no announcement")]
    Frame,
}

/// A publisher that was asked for topics.
#[derive(Debug)]
pub(super) struct Subscription<S> {
    stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Subscription<S> {
    /// Greets the publisher and asks for everything whose topic begins with one of `topics`, which are
    /// shorter than 255 bytes.
    pub async fn open(stream: S, topics: &[&str]) -> Result<Self, Deaf> {
        let mut publisher = Self { stream };
        publisher.stream.write_all(&greeting()).await?;
        let mut theirs = [0; GREETING_BYTES];
        publisher.stream.read_exact(&mut theirs).await?;
        if !is_understood(&theirs) {
            return Err(Deaf::Greeting);
        }
        publisher.write(COMMAND, &ready()).await?;
        let (flags, body) = publisher.read().await?;
        if flags != COMMAND || !body.starts_with(b"\x05READY") {
            return Err(Deaf::Greeting);
        }
        for topic in topics {
            let mut body = vec![SUBSCRIBE];
            body.extend_from_slice(topic.as_bytes());
            publisher.write(0, &body).await?;
        }
        Ok(publisher)
    }

    /// Waits for a message; what it says is thrown away.
    pub async fn hear(&mut self) -> Result<(), Deaf> {
        for _ in 0..FRAMES_MAX {
            let (flags, _) = self.read().await?;
            // Commands stand between messages.
            if flags == 0 {
                return Ok(());
            }
        }
        Err(Deaf::Frame)
    }

    async fn read(&mut self) -> Result<(u8, Vec<u8>), Deaf> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).await?;
        let [flags, length] = head;
        // Long frames are for what we did not ask for.
        if !matches!(flags, 0 | MORE | COMMAND) {
            return Err(Deaf::Frame);
        }
        let mut body = vec![0; usize::from(length)];
        self.stream.read_exact(&mut body).await?;
        Ok((flags, body))
    }

    async fn write(&mut self, flags: u8, body: &[u8]) -> Result<(), Deaf> {
        let length = u8::try_from(body.len()).map_err(|_| Deaf::Frame)?;
        let mut frame = vec![flags, length];
        frame.extend_from_slice(body);
        Ok(self.stream.write_all(&frame).await?)
    }
}

fn greeting() -> [u8; GREETING_BYTES] {
    let mut bytes = [0; GREETING_BYTES];
    bytes[0] = 0xff;
    bytes[9] = 0x7f;
    bytes[10] = 3;
    bytes[12..32].copy_from_slice(MECHANISM);
    bytes
}

/// Newer versions of the protocol speak the older one with us.
fn is_understood(theirs: &[u8; GREETING_BYTES]) -> bool {
    theirs[0] == 0xff && theirs[9] == 0x7f && theirs[10] >= 3 && theirs[12..32] == MECHANISM[..]
}

/// The command `READY` with one property: which kind of socket this is.
fn ready() -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type".to_vec();
    body.extend_from_slice(&3_u32.to_be_bytes());
    body.extend_from_slice(b"SUB");
    body
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use tokio::io::duplex;

    use super::*;

    /// What a publisher that libzmq makes says first, and once it was greeted.
    pub fn publisher_greeting() -> Vec<u8> {
        let mut bytes = greeting().to_vec();
        // Its version is 3.1.
        bytes[11] = 1;
        bytes
    }

    pub fn publisher_ready() -> Vec<u8> {
        let mut frame = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB".to_vec();
        frame[1] = u8::try_from(frame.len() - 2).unwrap();
        frame
    }

    /// `sequence` as Bitcoin Core announces a block of a private network: topic, hash with a `C`
    /// behind it, and the number of the message.
    pub fn announcement() -> Vec<u8> {
        let mut bytes = b"\x01\x08sequence\x01\x21".to_vec();
        bytes.extend_from_slice(&[0x7a; 32]);
        bytes.extend_from_slice(b"C\x00\x04\x05\0\0\0");
        bytes
    }

    /// How listening to somebody who sends this goes: first until it is subscribed, then until a
    /// message.
    async fn listen_to(sent: &[&[u8]]) -> Result<(), Deaf> {
        let (ours, mut theirs) = duplex(4_096);
        theirs.write_all(&sent.concat()).await.unwrap();
        theirs.shutdown().await.unwrap();
        Subscription::open(ours, &["sequence"]).await?.hear().await
    }

    #[tokio::test]
    async fn a_publisher_is_asked_for_its_topics_and_heard() {
        let (ours, mut theirs) = duplex(4_096);
        for bytes in [publisher_greeting(), publisher_ready(), announcement()] {
            theirs.write_all(&bytes).await.unwrap();
        }
        let mut subscription = Subscription::open(ours, &["hashblock", "sequence"])
            .await
            .unwrap();
        subscription.hear().await.unwrap();
        drop(subscription);
        let mut said = Vec::new();
        theirs.read_to_end(&mut said).await.unwrap();
        assert_eq!(said[..10], [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f]);
        assert_eq!(said[10..16], *b"\x03\0NULL");
        assert_eq!(said[16..64], [0; 48]);
        assert_eq!(
            said[64..],
            *b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB\0\x0a\x01hashblock\0\x09\x01sequence"
        );
    }

    #[tokio::test]
    async fn what_is_no_publisher_is_not_listened_to() {
        let (greeting, ready) = (publisher_greeting(), publisher_ready());
        let mut plain = greeting.clone();
        plain[12..17].copy_from_slice(b"PLAIN");
        let mut old = greeting.clone();
        old[10] = 1;
        let noise = [b'x'; GREETING_BYTES];
        for wrong in [plain.as_slice(), old.as_slice(), noise.as_slice()] {
            let error = listen_to(&[wrong, &ready, &announcement()]).await;
            assert!(matches!(error, Err(Deaf::Greeting)), "{error:?}");
        }
        let message = announcement();
        let refusal = b"\x04\x09\x05ERROR\x02no";
        for wrong in [refusal.as_slice(), message.as_slice()] {
            let error = listen_to(&[&greeting, wrong]).await;
            assert!(
                matches!(error, Err(Deaf::Greeting | Deaf::Frame)),
                "{error:?}"
            );
        }
        for short in [&greeting[..0], &greeting[..63], &greeting[..]] {
            let error = listen_to(&[short]).await;
            assert!(matches!(error, Err(Deaf::Io(_))), "{error:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_announcement_ends_the_connection() {
        let (greeting, ready) = (publisher_greeting(), publisher_ready());
        let endless = b"\x01\x00".repeat(usize::try_from(FRAMES_MAX).unwrap());
        // A frame of 2^63 bytes, flags that nobody has, a message that does not end.
        let long = b"\x02\x80\0\0\0\0\0\0\0";
        let strange = b"\xff\xff";
        for wrong in [long.as_slice(), strange.as_slice(), endless.as_slice()] {
            let error = listen_to(&[&greeting, &ready, wrong]).await;
            assert!(matches!(error, Err(Deaf::Frame)), "{error:?}");
        }
        let cut = announcement();
        let error = listen_to(&[&greeting, &ready, &cut[..cut.len() - 1]]).await;
        assert!(matches!(error, Err(Deaf::Io(_))), "{error:?}");
    }
}
