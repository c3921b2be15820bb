use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, header};
use futures::StreamExt;
use thiserror::Error;

use super::{Malformed, Value, parse};
use crate::http::oversize;

/// Bytes of a request body at most (`80`, Orders).
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// A body has to be here within this time of real time.
const BODY_TIME_MAX: Duration = Duration::from_secs(20);

/// Why a body was not taken; each has its own status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BodyError {
    /// 413.
    #[error("the body is larger than 64 KiB")]
    TooLarge,
    /// 415.
    #[error("the content type must be application/json")]
    NotJson,
    /// 400.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// 400: the caller stopped sending.
    #[error("the body did not arrive")]
    Interrupted,
}

/// A body as it came and as it reads.
#[derive(Debug, Default)]
pub struct Received {
    /// Exact bytes, for comparing repetitions and checking signatures.
    pub bytes: Bytes,
    /// `None` when the body was empty.
    pub value: Option<Value>,
}

/// Reads a body that is either empty or a JSON document declared as such.
///
/// # Errors
/// Checked in this order: size, content type, syntax.
pub async fn receive(headers: &HeaderMap, body: Body) -> Result<Received, BodyError> {
    let bytes = receive_bytes(headers, body).await?;
    if !bytes.is_empty() && !is_json(headers) {
        return Err(BodyError::NotJson);
    }
    read(bytes)
}

/// Takes a body as it is, for dialects that check a signature before they read.
///
/// # Errors
/// [`BodyError::TooLarge`] and [`BodyError::Interrupted`].
pub async fn receive_bytes(headers: &HeaderMap, body: Body) -> Result<Bytes, BodyError> {
    let mut chunks = body.into_data_stream();
    if declared_length(headers).is_some_and(|length| length > BODY_BYTES_MAX) {
        oversize::drain_declared(headers, &mut chunks).await;
        return Err(BodyError::TooLarge);
    }
    let collected = tokio::time::timeout(BODY_TIME_MAX, collect(&mut chunks))
        .await
        .map_err(|_| BodyError::Interrupted)?;
    if matches!(collected, Err(BodyError::TooLarge)) {
        oversize::drain(&mut chunks, BODY_BYTES_MAX).await;
    }
    collected
}

/// Reads bytes that are a JSON document, whatever they were declared as, or nothing.
///
/// # Errors
/// [`BodyError::Malformed`].
pub fn read(bytes: Bytes) -> Result<Received, BodyError> {
    if bytes.is_empty() {
        return Ok(Received::default());
    }
    let text =
        std::str::from_utf8(&bytes).map_err(|error| Malformed::Syntax(error.valid_up_to()))?;
    let value = parse(text)?;
    Ok(Received {
        bytes,
        value: Some(value),
    })
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

async fn collect(chunks: &mut BodyDataStream) -> Result<Bytes, BodyError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| BodyError::Interrupted)?;
        if bytes.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// `application/json`, in UTF-8 if it says, and not compressed.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return false;
    };
    let Ok(content_type) = content_type.to_str() else {
        return false;
    };
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let charset_fits = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    essence.eq_ignore_ascii_case("application/json")
        && parts.all(charset_fits)
        && !headers.contains_key(header::CONTENT_ENCODING)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::HeaderValue;
    use futures::stream;

    use super::*;

    async fn send(
        content_type: Option<&'static str>,
        body: impl Into<Body>,
    ) -> Result<Received, BodyError> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        receive(&headers, body.into()).await
    }

    #[tokio::test]
    async fn the_content_type_says_json() {
        for content_type in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json; profile=x",
        ] {
            let received = send(Some(content_type), "{}").await.unwrap();
            assert_eq!(&received.bytes[..], b"{}", "{content_type}");
        }
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "application/jsonp",
            "application/xml",
        ] {
            let refused = send(Some(content_type), "{}").await.unwrap_err();
            assert_eq!(refused, BodyError::NotJson, "{content_type}");
        }
        assert_eq!(send(None, "{}").await.unwrap_err(), BodyError::NotJson);
    }

    #[tokio::test]
    async fn an_empty_body_needs_no_type() {
        assert!(send(None, "").await.unwrap().value.is_none());
    }

    #[tokio::test]
    async fn a_body_is_at_most_64_kib() {
        let document = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
        assert!(
            send(Some("application/json"), document(BODY_BYTES_MAX))
                .await
                .is_ok()
        );
        let refused = send(Some("text/plain"), document(BODY_BYTES_MAX + 1))
            .await
            .unwrap_err();
        assert_eq!(refused, BodyError::TooLarge);

        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("65537"));
        assert_eq!(
            receive(&headers, Body::empty()).await.unwrap_err(),
            BodyError::TooLarge
        );
    }

    #[tokio::test]
    async fn what_is_too_large_is_read_before_it_is_refused() {
        for declared in [None, Some("327680")] {
            let left = Arc::new(AtomicUsize::new(5));
            let counter = left.clone();
            let chunks = (0..5).map(move |_| {
                counter.fetch_sub(1, Ordering::Relaxed);
                Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; BODY_BYTES_MAX]))
            });
            let mut headers = HeaderMap::new();
            if let Some(length) = declared {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static(length));
            }
            let body = Body::from_stream(stream::iter(chunks));
            let refused = receive(&headers, body).await.unwrap_err();
            assert_eq!(refused, BodyError::TooLarge);
            assert_eq!(left.load(Ordering::Relaxed), 0, "{declared:?}");
        }
    }

    #[tokio::test]
    async fn what_is_not_json_says_where() {
        let refused = send(Some("application/json"), "{\"a\":}")
            .await
            .unwrap_err();
        assert_eq!(refused, BodyError::Malformed(Malformed::Syntax(5)));
        let refused = send(Some("application/json"), &b"\"\xff\""[..])
            .await
            .unwrap_err();
        assert_eq!(refused, BodyError::Malformed(Malformed::Syntax(1)));
    }
}
