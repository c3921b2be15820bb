//! Who is calling: a merchant, by a public key and a signature over the body.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName};
use gateway::Gateway;
use gateway::auth::KeyPairPrincipal;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;

use super::Error;

pub(super) const KEY: HeaderName = HeaderName::from_static("x-processing-key");
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("x-processing-signature");

/// Lower-case hex HMAC-SHA512 of `message` under the ASCII text of a private key.
pub fn sign(private_key: &str, message: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha512>::new_from_slice(private_key.as_bytes()).ok()?;
    mac.update(message);
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// Whether `signature` is that of `message`; takes the same time whatever is wrong.
pub fn is_signed(private_key: &str, message: &[u8], signature: &str) -> bool {
    let Ok(given) = hex::decode(signature) else {
        return false;
    };
    // Upper case is another text than the one the contract names.
    let lower = !signature.bytes().any(|byte| byte.is_ascii_uppercase());
    Hmac::<Sha512>::new_from_slice(private_key.as_bytes()).is_ok_and(|mut mac| {
        mac.update(message);
        mac.verify_slice(&given).is_ok()
    }) && lower
}

/// The pair whose public key is named. Its signature is not looked at yet.
pub(super) async fn identify(
    gateway: &Gateway,
    headers: &HeaderMap,
) -> Result<Arc<KeyPairPrincipal>, Error> {
    let key = single(headers, &KEY).ok_or_else(Error::bad_key)?;
    match gateway.key_pair(key).await {
        Ok(pair) => Ok(pair),
        Err(gateway::Error::Unauthorized) => Err(Error::bad_key()),
        Err(error) => Err(error.into()),
    }
}

/// The body must be signed by the pair.
pub(super) fn verify(
    pair: &KeyPairPrincipal,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(), Error> {
    let signature = single(headers, &SIGNATURE).ok_or_else(Error::bad_signature)?;
    if is_signed(&pair.private_key, body, signature) {
        Ok(())
    } else {
        Err(Error::bad_signature())
    }
}

/// A header that is there once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    value.to_str().ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SECRET: &str = "AbCdEfG123456";
    const BODY: &[u8] = br#"{"currency":"BTC","foreign_id":"123456"}"#;
    const SIGNED: &str = "03c25fcf7cd35e7d995e402cd5d51edd72d48e1471e865907967809a0c189ba55b90815f20e2bb10f82c7a9e9d865546fda58989c2ae9e8e2ff7bc29195fa1ec";

    #[test]
    fn the_published_vector_is_signed() {
        assert_eq!(sign(SECRET, BODY).unwrap(), SIGNED);
        assert!(is_signed(SECRET, BODY, SIGNED));
    }

    #[test]
    fn anything_else_is_not() {
        assert!(!is_signed(SECRET, b"{}", SIGNED));
        assert!(!is_signed("AbCdEfG123457", BODY, SIGNED));
        assert!(!is_signed(SECRET, BODY, &SIGNED.to_uppercase()));
        assert!(!is_signed(SECRET, BODY, &SIGNED[2..]));
        assert!(!is_signed(SECRET, BODY, "zz"));
        assert!(!is_signed(SECRET, BODY, ""));
    }

    #[test]
    fn a_header_given_twice_is_none() {
        let mut headers = HeaderMap::new();
        headers.append(KEY, "a".parse().unwrap());
        assert_eq!(single(&headers, &KEY), Some("a"));
        headers.append(KEY, "b".parse().unwrap());
        assert_eq!(single(&headers, &KEY), None);
    }
}
