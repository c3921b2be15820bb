//! The page about callbacks: where they go, what they are signed with, how the last tests went.

use domain::view::developers::CallbacksView;

use super::delivery_store;
use super::keys::prefix;
use crate::{Gateway, Result};

/// Test callbacks shown.
const TESTS: i64 = 5;

impl Gateway {
    /// Where the merchant's callbacks go. `typed` is what a form that was refused holds; secrets are
    /// told only to those who `may_see_secrets`.
    pub async fn callbacks_view(
        &self,
        merchant_id: i64,
        typed: Option<String>,
        may_see_secrets: bool,
    ) -> Result<CallbacksView> {
        let settings = self.callback_settings(merchant_id).await?;
        let pairs = self
            .key_pair_records(merchant_id, Some(false), None, i64::MAX)
            .await?;
        let tests = delivery_store::tests(self.pool(), merchant_id, TESTS).await?;
        Ok(CallbacksView {
            has_url: settings.url.is_some(),
            url: typed.or(settings.url).unwrap_or_default(),
            // The oldest live pair signs.
            signed_by: pairs
                .last()
                .map(|pair| (pair.label.clone(), prefix(&pair.public_key))),
            webhook_secret: may_see_secrets.then_some(settings.webhook_secret),
            tests: self.delivery_rows(tests).await?,
            notice: None,
        })
    }
}
