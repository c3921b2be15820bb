//! `Idempotency-Key`: once-only requests in every dialect (`00-domain.md`, Identifiers; `80`).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use gateway::idempotency::{Answer, Once};
use sha2::{Digest, Sha256};

/// How the header is written, also the field that dialects blame.
pub const FIELD: &str = "Idempotency-Key";

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const KEY_CHARS_MAX: usize = 255;

/// The header's value, when there is one.
///
/// # Errors
/// A sentence without the field's name, unless it is 1 to 255 printable ASCII characters.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, &'static str> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err("must be given once");
    }
    let bytes = value.as_bytes();
    let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    if bytes.is_empty() || bytes.len() > KEY_CHARS_MAX || !printable {
        return Err("must be 1 to 255 printable ASCII characters");
    }
    Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
}

/// Binds a key to merchant, method, path and the exact bytes of the body.
pub fn once(
    merchant_id: i64,
    method: &'static str,
    path: &str,
    key: Option<String>,
    body: &[u8],
) -> Option<Once> {
    let key = key?;
    let body_hash: [u8; 32] = Sha256::digest(body).into();
    Some(Once {
        merchant_id,
        method,
        path: path.to_owned(),
        key,
        body_hash,
    })
}

/// An answer as it was made the first time, marked when it is a repetition.
pub fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if answer.replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&[u8]], expected: Result<Option<&str>, ()>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(KEY, HeaderValue::from_bytes(value).unwrap());
        }
        let found = key(&headers).map_err(|_| ());
        assert_eq!(found, expected.map(|key| key.map(str::to_owned)));
    }

    #[test]
    fn keys_are_short_printable_ascii() {
        check(&[], Ok(None));
        check(&[b"7f9c"], Ok(Some("7f9c")));
        check(&[b"a b~"], Ok(Some("a b~")));
        check(&[&[b'k'; 255]], Ok(Some(&"k".repeat(255))));
        check(&[&[b'k'; 256]], Err(()));
        check(&[b""], Err(()));
        check(&["ключ".as_bytes()], Err(()));
        check(&[b"a\tb"], Err(()));
        check(&[b"one", b"two"], Err(()));
    }

    #[test]
    fn another_byte_is_another_body() {
        let hash = |body: &[u8]| {
            once(1, "POST", "/x", Some("k".into()), body)
                .unwrap()
                .body_hash
        };
        assert_eq!(hash(b"{}"), hash(b"{}"));
        assert_ne!(hash(b"{}"), hash(b"{ }"));
        assert!(once(1, "POST", "/x", None, b"{}").is_none());
    }

    #[test]
    fn only_repetitions_are_marked() {
        let answer = |replayed| Answer {
            status: 201,
            body: b"{}".to_vec(),
            replayed,
        };
        let first = respond(answer(false));
        assert_eq!(first.status(), StatusCode::CREATED);
        assert!(!first.headers().contains_key(REPLAYED));
        assert_eq!(respond(answer(true)).headers()[REPLAYED], "true");
    }
}
