//! The payment terminal, `/terminal` (`30-processing-api.md`): whoever holds a key pair of a merchant
//! signs what the page asks for; nothing in the address is believed without.

use app::pages::{ErrorPage, ErrorView, TerminalPage};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::view::terminal::TerminalStatus;
use gateway::addresses::{DepositAddressView, NewAddress};
use gateway::terminal::TerminalRequest;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;
use url::form_urlencoded;

use super::document::document;
use super::errors::Refusal;
use super::feed::{self, Watched};
use super::streams::Streams;
use crate::dialects::processing::is_signed;
use crate::http::Problems;
use crate::http::client::ClientAddress;
use crate::http::json::{self, Fields, Value};
use crate::http::security_headers::CONTENT_SECURITY_POLICY;
use crate::shutdown::Shutdown;
use crate::state::AppState;

/// Longest `data`, characters of base64.
const DATA_CHARS_MAX: usize = 8_192;
/// Characters of a text at most, as in the API.
const TEXT_CHARS_MAX: usize = 255;
const URL_CHARS_MAX: usize = 2_048;

/// Either alphabet of base64, with or without padding (`80`, Processing).
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Link {
    data: String,
    signature: String,
}

/// Why a link opens nothing.
#[derive(Debug)]
enum Wrong {
    /// Nobody of the merchant's signed this.
    Unsigned,
    /// Signed, but it asks for something that cannot be: `field message`.
    Meaningless(String),
    Other(Refusal),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(fields) => {
                let first = fields.first();
                Self::Meaningless(
                    first.map_or_else(String::new, |f| format!("{} {}", f.field, f.message)),
                )
            }
            error => Self::Other(error.into()),
        }
    }
}

/// The page.
pub(super) async fn show(
    State(state): State<AppState>,
    Query(link): Query<Link>,
) -> Result<Response, Refusal> {
    let gateway = &state.gateway;
    let opened = async {
        let request = read(gateway, &link).await?;
        let origins = gateway.frame_origins(request.address.merchant_id).await?;
        Ok::<_, Wrong>((gateway.terminal(request).await?, origins))
    };
    match opened.await {
        Ok((view, origins)) => {
            let framed = view.framed;
            let page = document(StatusCode::OK, move || view! { <TerminalPage view=view/> });
            Ok(framed_by(page, if framed { &origins } else { &[] }))
        }
        Err(wrong) => refuse(gateway, wrong),
    }
}

/// What has come so far, for pages whose stream is down.
pub(super) async fn status(
    State(state): State<AppState>,
    Query(link): Query<Link>,
) -> Result<Response, Refusal> {
    match follow(state.gateway, &link).await {
        Ok(page) => Ok(Json(page.read().await?).into_response()),
        Err(wrong) => Err(bare(wrong)),
    }
}

/// The same as a stream of events.
pub(super) async fn events(
    State(state): State<AppState>,
    Extension(shutdown): Extension<Shutdown>,
    Extension(streams): Extension<Streams>,
    client: ClientAddress,
    Query(link): Query<Link>,
) -> Result<Response, Refusal> {
    let place = streams.take(client.0).ok_or(Refusal::Unavailable)?;
    let page = follow(state.gateway, &link).await.map_err(bare)?;
    feed::stream(page, shutdown, place).await
}

async fn follow(gateway: Gateway, link: &Link) -> Result<OpenTerminal, Wrong> {
    let request = read(&gateway, link).await?;
    let address = gateway.terminal_address(&request.address).await?;
    Ok(OpenTerminal {
        topic: gateway.terminal_topic(&address),
        address,
        gateway,
    })
}

/// An open page of the terminal.
struct OpenTerminal {
    gateway: Gateway,
    address: DepositAddressView,
    topic: String,
}

impl Watched for OpenTerminal {
    type View = TerminalStatus;

    fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    fn topic(&self) -> &str {
        &self.topic
    }

    async fn read(&self) -> Result<TerminalStatus, Error> {
        self.gateway.terminal_status(&self.address).await
    }

    fn is_news(sent: &TerminalStatus, view: &TerminalStatus) -> bool {
        sent != view
    }
}

/// Checks the signature, then reads what it covers.
async fn read(gateway: &Gateway, link: &Link) -> Result<TerminalRequest, Wrong> {
    let text = decode(&link.data).ok_or(Wrong::Unsigned)?;
    let value = json::parse(&text).map_err(|_| Wrong::Unsigned)?;
    let Value::Object(object) = &value else {
        return Err(Wrong::Unsigned);
    };
    let mut ignored = Problems::default();
    let client_id = Fields::new(object, &mut ignored)
        .optional_integer("client_id", 1..=i64::MAX)
        .ok_or(Wrong::Unsigned)?;
    let pairs = gateway.active_key_pairs(client_id).await?;
    // Every pair is tried, so the time does not tell which one it was.
    let signers = pairs
        .iter()
        .filter(|pair| is_signed(&pair.private_key, text.as_bytes(), &link.signature));
    if signers.count() == 0 {
        return Err(Wrong::Unsigned);
    }
    let mut problems = Problems::default();
    let mut fields = Fields::new(object, &mut problems);
    let coin = currency(gateway, &mut fields, "currency", true);
    let convert_to = currency(gateway, &mut fields, "convert_to", false);
    let amount = match fields.value("amount") {
        Some(_) => fields.required_amount("amount", coin),
        None => None,
    };
    let framed = fields.optional_bool("is_iframe").unwrap_or(false);
    let reference = fields.required_reference("foreign_id", TEXT_CHARS_MAX);
    let back = fields
        .optional_text("url_back", URL_CHARS_MAX)
        .filter(|text| !text.is_empty());
    if back.as_deref().is_some_and(|text| !is_web_address(text)) {
        fields.refuse("url_back", "must be an http or https address");
    }
    let (coin, (foreign_id, _)) = problems.require(coin.zip(reference))?;
    Ok(TerminalRequest {
        address: NewAddress {
            merchant_id: client_id,
            coin,
            convert_to: convert_to.filter(|target| target.id != coin.id),
            foreign_id,
        },
        amount,
        back,
        framed,
        urls: urls(link),
    })
}

fn currency(
    gateway: &Gateway,
    fields: &mut Fields<'_, '_>,
    name: &str,
    required: bool,
) -> Option<domain::money::Currency> {
    let Some(code) = fields.optional_text(name, TEXT_CHARS_MAX) else {
        if required {
            fields.refuse(name, "is required");
        }
        return None;
    };
    let known = gateway.currencies().enabled_by_code(&code);
    if known.is_none() {
        fields.refuse(name, "must be the code of a currency that is enabled here");
    }
    known
}

/// The JSON text. A `+` that was not escaped arrives as a space.
fn decode(data: &str) -> Option<String> {
    if data.is_empty() || data.len() > DATA_CHARS_MAX {
        return None;
    }
    let data = data.replace(' ', "+");
    let url_safe = data.contains(['-', '_']);
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    String::from_utf8(engine.decode(data).ok()?).ok()
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

/// The page, its status and its stream, each under the same signature.
fn urls(link: &Link) -> [String; 3] {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("data", &link.data)
        .append_pair("signature", &link.signature)
        .finish();
    ["", "/status", "/events"].map(|part| format!("/terminal{part}?{query}"))
}

/// Lets the origins of the merchant put the page into a frame; without any, nobody may.
fn framed_by(mut page: Response, origins: &[String]) -> Response {
    if origins.is_empty() {
        return page;
    }
    let ancestors = format!("frame-ancestors {}", origins.join(" "));
    let policy = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", &ancestors);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        let headers = page.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    page
}

/// For the shop's developer what is wrong, for the payer that nothing was taken.
fn refuse(gateway: &Gateway, wrong: Wrong) -> Result<Response, Refusal> {
    let (status, what_happened) = match wrong {
        Wrong::Unsigned => (
            StatusCode::FORBIDDEN,
            "This payment link is not signed by a shop of ours. For the shop: send client_id and \
             the rest as base64 of JSON in data, and the hex HMAC-SHA512 of the JSON text under a \
             private key in signature."
                .to_owned(),
        ),
        Wrong::Meaningless(what) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("This payment link asks for something that cannot be. For the shop: {what}."),
        ),
        Wrong::Other(refusal) => return Err(refusal),
    };
    let view = ErrorView {
        status: status.as_u16(),
        title: "This payment link does not work".to_owned(),
        what_happened,
        money: "Your money was not taken. Go back to the shop and ask for a new link.".to_owned(),
        request_id: String::new(),
        link: ("/".to_owned(), "Go to the front page".to_owned()),
        test_mode: gateway.settings().test_mode,
    };
    Ok(document(status, move || view! { <ErrorPage view=view/> }))
}

fn bare(wrong: Wrong) -> Refusal {
    match wrong {
        Wrong::Unsigned => Refusal::Forbidden,
        Wrong::Meaningless(_) => Refusal::Meaningless,
        Wrong::Other(refusal) => refusal,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use base64::engine::general_purpose;

    #[test]
    fn both_alphabets_are_read_padded_or_not() {
        let text = r#"{"foreign_id":"~~??>>"}"#;
        let standard = general_purpose::STANDARD.encode(text);
        let url_safe = general_purpose::URL_SAFE_NO_PAD.encode(text);
        assert_ne!(standard.trim_end_matches('='), url_safe);
        for data in [
            standard.clone(),
            standard.trim_end_matches('=').to_owned(),
            standard.replace('+', " "),
            url_safe,
        ] {
            assert_eq!(decode(&data).as_deref(), Some(text), "{data}");
        }
        for data in ["", "!", &"A".repeat(DATA_CHARS_MAX + 4)] {
            assert_eq!(decode(data), None);
        }
    }

    #[test]
    fn the_way_back_is_a_web_address() {
        assert!(is_web_address("https://shop.example/done?x=1"));
        for text in [
            "javascript:alert(1)",
            "/done",
            "https://a:b@shop.example",
            "data:,x",
        ] {
            assert!(!is_web_address(text), "{text}");
        }
    }
}
