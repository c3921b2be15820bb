//! The payment terminal: a page of a merchant's that shows one deposit address to a payer
//! (`30-processing-api.md`, Payment terminal). Whoever signed the link decides what it asks for.

mod store;

use domain::money::Money;
use domain::payment_uri::PaymentUri;
use domain::view::AmountText;
use domain::view::terminal::{TerminalPayment, TerminalState, TerminalStatus, TerminalView};
use serde_json::json;
use time::Duration;
use url::Url;

use crate::addresses::{self, DepositAddressView, NewAddress};
use crate::deposits::wake_name;
use crate::operator::audit_log;
use crate::{Error, Gateway, Result};

/// Payments shown on the page.
const SHOWN: i64 = 5;
/// A payment older than this belongs to another visit.
const VISIT: Duration = Duration::hours(1);
/// Origins a merchant may name.
const ORIGINS_MAX: usize = 20;

/// What a signed link asks for.
#[derive(Debug, Clone)]
pub struct TerminalRequest {
    pub address: NewAddress,
    /// In the coin.
    pub amount: Option<Money>,
    pub back: Option<String>,
    pub framed: bool,
    /// Path and query of the page, of its status and of its stream.
    pub urls: [String; 3],
}

impl Gateway {
    /// The page of a link whose signature was checked; takes the address the first time.
    ///
    /// # Errors
    /// As [`Gateway::take_deposit_address`].
    pub async fn terminal(&self, request: TerminalRequest) -> Result<TerminalView> {
        let address = self.terminal_address(&request.address).await?;
        let coin = address.coin;
        let mut conn = self.pool().acquire().await?;
        let now = self.clock().now();
        let pair = match address.convert_to {
            Some(target) => self
                .pair_rate(&mut conn, coin, target, now)
                .await?
                .map(|rate| (target, rate.price)),
            None => None,
        };
        let terms = self.terms_of(&mut conn, coin).await?;
        drop(conn);
        let minimum = match address.convert_to {
            Some(_) => terms.minimum_deposit_exchange,
            None => terms.minimum_deposit,
        };
        let brand = self.brand(address.merchant_id).await?;
        let amount_text = request.amount.map(|amount| amount.shortest());
        let uri = crate::chain::address::params(coin.code.as_str()).map(|params| PaymentUri {
            scheme: params.uri_scheme,
            address: &address.address,
            amount: amount_text.as_deref(),
            label: Some(&brand.name),
            message: Some(&address.foreign_id),
        });
        let (link, qr_text) = match uri {
            Some(uri) => (uri.link(), uri.qr_text()),
            None => (None, address.address.clone()),
        };
        let info = self.currencies().info(coin.id);
        let name = info.map_or_else(|| coin.code.to_string(), |info| info.name.clone());
        let network = info.and_then(|info| info.network.clone());
        let [self_url, status_url, events_url] = request.urls;
        Ok(TerminalView {
            test_mode: self.settings().test_mode,
            coin: coin.code.to_string(),
            network: network.unwrap_or_else(|| name.clone()),
            coin_name: name,
            convert_to: address.convert_to.map(|target| target.code.to_string()),
            amount: request.amount.map(text),
            approximately: request.amount.zip(pair).and_then(|(amount, (to, price))| {
                let deal = domain::exchange::Deal::sell(amount, price, to, 0)?;
                Some(text(deal.gross))
            }),
            rate: pair.map(|(to, price)| {
                let price = crate::exchange::price_text(price);
                format!("1 {} ≈ {price} {}", coin.code, to.code)
            }),
            minimum: text(minimum),
            uri: link,
            qr_text,
            status: self.terminal_status(&address).await?,
            back: request.back,
            framed: request.framed,
            self_url,
            status_url,
            events_url,
            address: address.address,
            brand,
        })
    }

    /// What the page of an address is told when something changes, and under which name changes are
    /// announced.
    pub async fn terminal_status(&self, address: &DepositAddressView) -> Result<TerminalStatus> {
        let rows = store::payments(self.pool(), address.id, SHOWN).await?;
        let payments = rows
            .into_iter()
            .map(|row| {
                let coin = self.currencies().known(row.coin_id)?;
                let amount = Money::from_units(crate::ledger::units(row.amount), coin);
                let confirmations = u32::try_from(row.confirmations.unwrap_or(0).max(0))?;
                Ok(TerminalPayment {
                    amount: text(amount),
                    state: match row.state.as_str() {
                        "final" => TerminalState::Confirmed,
                        "dropped" | "reversed" => TerminalState::Cancelled,
                        _ if confirmations > 0 => TerminalState::Confirming,
                        _ => TerminalState::Seen,
                    },
                    confirmations,
                    confirmations_required: u32::try_from(row.confirmations_required)?,
                    at: row.first_seen_at,
                    txid: row.txid,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(TerminalStatus::of(payments, self.clock().now() - VISIT))
    }

    /// The address a link names; looked at before one is taken, for pages are opened more than once.
    pub async fn terminal_address(&self, new: &NewAddress) -> Result<DepositAddressView> {
        for taking in [false, true] {
            if taking {
                self.take_deposit_address(new.clone(), None, |_, _| (201, Vec::new()))
                    .await?;
            }
            let mut conn = self.pool().acquire().await?;
            let known = addresses::store::find_by_key(&mut conn, self.currencies(), new).await?;
            if let Some(known) = known {
                return Ok(known);
            }
        }
        Err(Error::NotFound)
    }

    /// The name under which changes of an address are announced.
    pub fn terminal_topic(&self, address: &DepositAddressView) -> String {
        wake_name(address.id)
    }

    /// Origins whose pages may show the merchant's terminal in a frame.
    pub async fn frame_origins(&self, merchant_id: i64) -> Result<Vec<String>> {
        store::frame_origins(self.pool(), merchant_id).await
    }

    /// Replaces them; each is reduced to scheme, host and port.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `frame_origins`: not an https origin (http on this machine is allowed in
    /// test mode), or more than 20.
    pub async fn set_frame_origins(
        &self,
        merchant_id: i64,
        origins: &[String],
        by: &str,
    ) -> Result<()> {
        let refuse = |message: String| Err(Error::invalid("frame_origins", message));
        if origins.len() > ORIGINS_MAX {
            return refuse(format!("must be at most {ORIGINS_MAX}"));
        }
        let mut kept: Vec<String> = Vec::new();
        for (at, origin) in origins.iter().enumerate() {
            let Some(origin) = checked_origin(origin, self.settings().test_mode) else {
                let line = at + 1;
                return refuse(format!(
                    "must be https:// and a host, nothing behind it; line {line} is not"
                ));
            };
            if !kept.contains(&origin) {
                kept.push(origin);
            }
        }
        let by = by.to_owned();
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    let before = store::replace_origins(unit.conn(), merchant_id, &kept).await?;
                    let subject = format!("merchant:{merchant_id}");
                    let data = json!({ "before": before, "after": kept });
                    let action = "merchant.frame_origins";
                    audit_log::record(unit.conn(), now, &by, action, &subject, &data).await
                })
            })
            .await
    }
}

fn text(money: Money) -> AmountText {
    AmountText {
        amount: money.shown(),
        code: money.currency().code.to_string(),
    }
}

/// `https://shop.example`, or `http://localhost:8000` in test mode. It goes into a header, so it is
/// what the parser made of it, not what was typed.
fn checked_origin(text: &str, test_mode: bool) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    let host = url.host_str()?;
    let local = test_mode && matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let harmless = host.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
    });
    let schemed = url.scheme() == "https" || (url.scheme() == "http" && local);
    (bare && schemed && harmless).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_https_origins_may_frame() {
        let checked = |text| checked_origin(text, false);
        assert_eq!(
            checked(" https://Shop.example/ ").as_deref(),
            Some("https://shop.example")
        );
        assert_eq!(
            checked("https://shop.example:8443").as_deref(),
            Some("https://shop.example:8443")
        );
        for text in [
            "",
            "*",
            "https://*.example",
            "shop.example",
            "http://shop.example",
            "http://localhost:3000",
            "https://shop.example/path",
            "https://shop.example?x=1",
            "https://user@shop.example",
            "https://shop.example; script-src *",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert_eq!(checked(text), None, "{text}");
        }
        assert!(checked_origin("http://localhost:3000", true).is_some());
        assert!(checked_origin("http://shop.example", true).is_none());
    }
}
