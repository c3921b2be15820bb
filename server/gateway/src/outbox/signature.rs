//! Signatures on outgoing webhooks.
//!
//! Every delivery carries the Standard Webhooks headers over the exact bytes that are sent
//! (contract 50); the `order.paid` body carries its older signature as well (contract 10).
//! Secrets have neither equality nor a telling `Debug`, so that they cannot be compared in
//! variable time or end in a log by accident.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What the text form of a webhook secret starts with.
pub const WEBHOOK_SECRET_PREFIX: &str = "whsec_";

/// Length in bytes of the secrets made here.
const GENERATED_BYTES: usize = 32;

/// Lengths in bytes that Standard Webhooks allows.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Standard base64 that takes the padding or its absence: secrets are pasted by people.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key of the `webhook-signature` MAC, 24 to 64 bytes.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

/// Why a text or a byte string is no webhook secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSecretRefusal {
    /// The text does not start with [`WEBHOOK_SECRET_PREFIX`].
    #[error("a webhook secret starts with whsec_")]
    Prefix,
    /// What follows the prefix is not standard base64.
    #[error("a webhook secret is base64 after its prefix")]
    Encoding,
    /// The key is shorter than 24 or longer than 64 bytes.
    #[error("a webhook secret has 24 to 64 bytes")]
    Length,
}

impl WebhookSecret {
    /// A fresh secret of 32 bytes.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0; GENERATED_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Takes key bytes that were stored or derived.
    ///
    /// # Errors
    /// [`WebhookSecretRefusal::Length`] outside 24 to 64 bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, WebhookSecretRefusal> {
        if SECRET_BYTES.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(WebhookSecretRefusal::Length)
        }
    }

    /// Reads `whsec_…`.
    ///
    /// # Errors
    /// [`WebhookSecretRefusal`] names what is wrong, never the text.
    pub fn parse(text: &str) -> Result<Self, WebhookSecretRefusal> {
        let encoded = text
            .strip_prefix(WEBHOOK_SECRET_PREFIX)
            .ok_or(WebhookSecretRefusal::Prefix)?;
        let bytes = LENIENT
            .decode(encoded)
            .map_err(|_| WebhookSecretRefusal::Encoding)?;
        Self::from_bytes(bytes)
    }

    /// The `whsec_…` text, for the one time it is shown and for sealed storage.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{WEBHOOK_SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The value of `webhook-signature`: one `v1,<base64>` for each valid secret, separated by spaces.
///
/// `timestamp` is in unix seconds and equals the `webhook-timestamp` header; `body` is what goes
/// over the wire, byte for byte. `id` holds no full stop, or two messages could share a MAC.
#[must_use]
pub fn sign(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let head = format!("{id}.{timestamp}.");
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| {
            let mac = hmac_sha256(&secret.0, &[head.as_bytes(), body]);
            format!("v1,{}", STANDARD.encode(mac))
        })
        .collect();
    signatures.join(" ")
}

/// The three Standard Webhooks headers of one attempt. A retry keeps the id and gets a new
/// timestamp and therefore a new signature.
#[must_use]
pub fn standard_headers(
    secrets: &[WebhookSecret],
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> Vec<(String, String)> {
    vec![
        ("webhook-id".to_owned(), id.to_owned()),
        ("webhook-timestamp".to_owned(), timestamp.to_string()),
        (
            "webhook-signature".to_owned(),
            sign(secrets, id, timestamp, body),
        ),
    ]
}

/// The `signature` member of `order.paid`: lower-case hex HMAC-SHA256 over `order_id ‖ amount`.
///
/// The key is the ASCII text of the merchant's app key as shown, and `amount` is exactly the
/// string in the payload (contracts 10 and 80).
#[must_use]
pub fn legacy_order_signature(app_key: &str, order_id: &str, amount: &str) -> String {
    hex::encode(hmac_sha256(
        app_key.as_bytes(),
        &[order_id.as_bytes(), amount.as_bytes()],
    ))
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes a key of any length");
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const TIMESTAMP: i64 = 1_649_367_553;
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
    /// The bytes 0 to 31.
    const OLD_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OLD_SIGNATURE: &str = "v1,H+RYDKli6ntvOIETWqflVRK+UIsRWejzXbFSJBJuEmc=";

    #[test]
    fn the_published_vector_holds() {
        let secret = WebhookSecret::parse(SECRET).unwrap();
        assert_eq!(sign(&[secret], ID, TIMESTAMP, BODY), SIGNATURE);
    }

    #[test]
    fn during_a_rotation_both_secrets_sign() {
        let secrets = [SECRET, OLD_SECRET].map(|text| WebhookSecret::parse(text).unwrap());
        let signed = sign(&secrets, ID, TIMESTAMP, BODY);
        assert_eq!(signed, format!("{SIGNATURE} {OLD_SIGNATURE}"));
    }

    #[test]
    fn the_body_need_not_be_text() {
        let secret = WebhookSecret::parse(OLD_SECRET).unwrap();
        let signed = sign(&[secret], "evt_1", -1, &[0xff, 0x00]);
        assert_eq!(signed, "v1,m7fWTy+UslAFSqlMA4vJAXUr7q/gb3+XFFUftm3ZKI0=");
    }

    #[test]
    fn the_headers_carry_what_was_signed() {
        let secret = WebhookSecret::parse(SECRET).unwrap();
        let headers = standard_headers(&[secret], ID, TIMESTAMP, BODY);
        let expected = [
            ("webhook-id", ID),
            ("webhook-timestamp", "1649367553"),
            ("webhook-signature", SIGNATURE),
        ];
        assert_eq!(
            headers,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn secrets_are_read_with_or_without_padding_and_shown_with_it() {
        for text in [OLD_SECRET, OLD_SECRET.trim_end_matches('=')] {
            assert_eq!(WebhookSecret::parse(text).unwrap().reveal(), OLD_SECRET);
        }
        let generated = WebhookSecret::generate().unwrap();
        assert_eq!(generated.0.len(), 32);
        assert_eq!(
            WebhookSecret::parse(&generated.reveal()).unwrap().0,
            generated.0
        );
        assert_ne!(generated.0, WebhookSecret::generate().unwrap().0);
    }

    #[test]
    fn what_is_no_secret_is_refused_by_name() {
        let bytes = |count: usize| format!("whsec_{}", STANDARD.encode(vec![7_u8; count]));
        let cases = [
            (
                "C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned(),
                Some(WebhookSecretRefusal::Prefix),
            ),
            (
                "whsec_C2FVsBQIhrscChlQIMV-b5sS".to_owned(),
                Some(WebhookSecretRefusal::Encoding),
            ),
            ("whsec_".to_owned(), Some(WebhookSecretRefusal::Length)),
            (bytes(23), Some(WebhookSecretRefusal::Length)),
            (bytes(24), None),
            (bytes(64), None),
            (bytes(65), Some(WebhookSecretRefusal::Length)),
        ];
        for (text, refusal) in cases {
            assert_eq!(WebhookSecret::parse(&text).err(), refusal, "{text}");
        }
    }

    #[test]
    fn debug_output_tells_nothing() {
        let secret = WebhookSecret::parse(SECRET).unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }

    #[test]
    fn the_order_signature_covers_id_and_amount_under_the_key_text() {
        assert_eq!(
            legacy_order_signature("app_key_for_tests", "EX-SVUGY4KYEF", "149.98"),
            "6fdb57ab47e340bdf4817246f61a9edc58db25ac504359fd260d4655833fa069",
        );
    }
}
