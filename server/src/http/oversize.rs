//! Bodies that are too large: read to their end, within reason, before they are refused. A client
//! that is still sending when the answer comes may see a broken connection instead of it.

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::{HeaderMap, header};
use futures::StreamExt;
use tokio::time::timeout;

/// Bytes read and forgotten at most, with what was read before.
const DRAINED_BYTES_MAX: usize = 1024 * 1024;

/// How long that may take, real time.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);

/// Reads what a body says of itself that it is too large, unless its sender waits to be asked for it.
pub async fn drain_declared(headers: &HeaderMap, chunks: &mut BodyDataStream) {
    if !headers.contains_key(header::EXPECT) {
        drain(chunks, 0).await;
    }
}

/// Reads on after `read` bytes and forgets. Who is too slow, or sends too much, is answered all the
/// same.
pub async fn drain(chunks: &mut BodyDataStream, read: usize) {
    let reading = async {
        let mut read = read;
        while read < DRAINED_BYTES_MAX {
            let Some(Ok(chunk)) = chunks.next().await else {
                return;
            };
            read = read.saturating_add(chunk.len());
        }
    };
    let _ = timeout(DRAIN_TIME_MAX, reading).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::body::{Body, Bytes};
    use axum::http::HeaderValue;
    use futures::stream;

    use super::*;

    const CHUNK: usize = 64 * 1024;

    /// A body of so many chunks, and how many of them were read.
    fn body(chunks: usize) -> (BodyDataStream, Arc<AtomicUsize>) {
        let read = Arc::new(AtomicUsize::new(0));
        let counter = read.clone();
        let parts = (0..chunks).map(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; CHUNK]))
        });
        let body = Body::from_stream(stream::iter(parts));
        (body.into_data_stream(), read)
    }

    #[tokio::test]
    async fn a_body_is_read_to_its_end_or_for_a_mebibyte() {
        for (chunks, expected) in [(0, 0), (3, 3), (16, 16), (200, 16)] {
            let (mut stream, read) = body(chunks);
            drain_declared(&HeaderMap::new(), &mut stream).await;
            assert_eq!(read.load(Ordering::Relaxed), expected, "{chunks}");
        }
        let (mut stream, read) = body(200);
        drain(&mut stream, 15 * CHUNK).await;
        assert_eq!(read.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn who_waits_to_be_asked_is_not_asked() {
        let mut headers = HeaderMap::new();
        headers.insert(header::EXPECT, HeaderValue::from_static("100-continue"));
        let (mut stream, read) = body(3);
        drain_declared(&headers, &mut stream).await;
        assert_eq!(read.load(Ordering::Relaxed), 0);
    }
}
