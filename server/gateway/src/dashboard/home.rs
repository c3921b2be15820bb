use domain::money::Currency;
use domain::view::dashboard::{AttentionItem, HomeView};
use time::Duration;

use super::selection::{Cursor, Selection};
use super::store;
use super::wallets::{distinct_codes, wallet_row};
use crate::{Error, Gateway, Result};

/// Charges shown on the home page.
const LATEST: i64 = 10;

/// Inbox charges are counted up to here; more are not told apart at a glance.
const ATTENTION_MAX: i64 = 1_000;

/// For how long a delivery that was given up is worth mentioning.
const GIVEN_UP_FOR: Duration = Duration::days(7);

impl Gateway {
    /// The home page: what needs a person, balances, what came in, the latest charges.
    ///
    /// `code` picks the currency of the chart and `days` its length: 7, 30 or 90; anything else is
    /// replaced by the currency of the newest charge and 30 days.
    pub async fn home(&self, merchant_id: i64, code: Option<&str>, days: u32) -> Result<HomeView> {
        let newest = store::newest_charge_currency(self.pool(), merchant_id).await?;
        let wallets = self.list_wallets(merchant_id).await?;
        let codes = distinct_codes(&wallets);
        let picked = code.filter(|code| codes.iter().any(|known| known == code));
        let currency = match (picked, newest, wallets.first()) {
            (Some(code), _, _) => self.currencies().by_code(code),
            (None, Some(id), _) => self.currencies().by_id(id),
            (None, None, Some(wallet)) => Some(wallet.currency),
            (None, None, None) => self.currencies().by_code("EUR"),
        };
        let currency =
            currency.ok_or_else(|| Error::Internal("no currency to chart".to_owned()))?;
        let everything = Selection::default();
        let latest = self
            .charge_page(merchant_id, &everything, &Cursor::Newest, LATEST)
            .await?;
        let latest = latest
            .records
            .into_iter()
            .map(|record| record.into_row(self.currencies()))
            .collect::<Result<_>>()?;
        Ok(HomeView {
            attention: self.attention(merchant_id).await?,
            chart: self
                .received_chart(merchant_id, currency, &codes, days)
                .await?,
            wallets: wallets.iter().map(wallet_row).collect(),
            latest,
            first_order_curl: match newest {
                Some(_) => None,
                None => Some(self.first_order(currency)),
            },
        })
    }

    /// Charges in the exceptions inbox, up to a thousand.
    pub async fn inbox_count(&self, merchant_id: i64) -> Result<u64> {
        let count = store::count_attention(self.pool(), merchant_id, ATTENTION_MAX).await?;
        Ok(u64::try_from(count)?)
    }

    async fn attention(&self, merchant_id: i64) -> Result<Vec<AttentionItem>> {
        let mut items = Vec::new();
        let inbox = self.inbox_count(merchant_id).await?;
        if inbox > 0 {
            let text = match inbox {
                1 => "charge needs a decision of yours",
                _ => "charges need a decision of yours",
            };
            items.push(AttentionItem {
                text: text.to_owned(),
                count: inbox,
                href: "/app/inbox".to_owned(),
            });
        }
        let since = self.clock().now() - GIVEN_UP_FOR;
        let (failed, charge) = store::given_up_deliveries(self.pool(), merchant_id, since).await?;
        if let (failed @ 1.., Some(public_id)) = (u64::try_from(failed)?, charge) {
            let text = match failed {
                1 => "webhook was given up in the last 7 days",
                _ => "webhooks were given up in the last 7 days",
            };
            items.push(AttentionItem {
                text: text.to_owned(),
                count: failed,
                href: format!("/app/charges/{public_id}"),
            });
        }
        Ok(items)
    }

    fn first_order(&self, currency: Currency) -> String {
        let body = format!(
            "{{\"amount\": \"10\", \"currency\": \"{}\", \"redirect_url\": \"https://example.com/\", \
             \"customer_details\": {{\"name\": \"Anna\", \"surname\": \"Example\", \
             \"email\": \"anna@example.com\", \"phone\": \"+37120000000\"}}}}",
            currency.code
        );
        format!(
            "curl {}/api/orders \\\n  -H 'Authorization: Bearer YOUR_EX_PK_KEY' \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{body}'",
            self.settings().public_url
        )
    }
}
