//! Wallets: the merchants' accounts as the APIs and pages show them.

mod seen;
pub(crate) mod store;

use domain::ledger::WalletType;
use domain::money::{Currency, Money};
use time::OffsetDateTime;

pub(crate) use seen::{OfWallet, SeenWallets};

use crate::idempotency::{Answer, Once};
use crate::{Error, Gateway, Result};

/// Largest customer number a merchant may use: exact in every JSON reader.
pub const USER_ID_MAX: i64 = 9_007_199_254_740_991;

/// A wallet and its balance at one instant.
#[derive(Debug, Clone)]
pub struct WalletView {
    pub id: i64,
    pub merchant_id: i64,
    /// The merchant's own customer number; `None` = primary wallet.
    pub user_id: Option<i64>,
    pub currency: Currency,
    pub wallet_type: WalletType,
    pub name: String,
    pub available: Money,
    pub held: Money,
    /// available + held.
    pub balance: Money,
    pub credit_limit: Money,
    /// Number of ledger lines so far.
    pub version: i64,
}

/// One line of a statement.
#[derive(Debug, Clone)]
pub struct StatementLine {
    pub version: i64,
    pub at: OffsetDateTime,
    pub entry_id: String,
    pub entry_kind: String,
    /// What the posting is within its entry, e.g. `fee`.
    pub label: String,
    pub subject: String,
    /// The charge it belongs to.
    pub charge_public_id: Option<String>,
    /// Signed change of the balance.
    pub amount: Money,
    pub balance_after: Money,
}

/// A page of lines, newest first.
#[derive(Debug, Clone)]
pub struct Statement {
    pub wallet: WalletView,
    pub lines: Vec<StatementLine>,
    pub as_of: OffsetDateTime,
}

impl Gateway {
    /// Makes the wallet of one of the merchant's customers; returns the existing one otherwise.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `currency` (unknown or switched off) or `user_id` (out of range).
    pub async fn create_wallet(
        &self,
        merchant_id: i64,
        user_id: i64,
        currency_code: &str,
        once: Option<Once>,
        render: impl FnOnce(&WalletView, bool) -> (u16, Vec<u8>) + Send + 'static,
    ) -> Result<Answer> {
        let currency = self
            .currencies()
            .enabled_by_code(currency_code)
            .ok_or_else(|| {
                Error::invalid("currency", "must be the code of a supported currency")
            })?;
        if !(1..=USER_ID_MAX).contains(&user_id) {
            return Err(Error::invalid(
                "user_id",
                "must be a whole number of at least 1",
            ));
        }
        let gateway = self.clone();
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    if let Some(first) = unit.claim(once.as_ref()).await? {
                        return Ok(first);
                    }
                    let now = unit.now();
                    let created =
                        store::insert(unit.conn(), merchant_id, currency.id, user_id, now).await?;
                    let row = store::find_by_key(unit.conn(), merchant_id, currency.id, user_id)
                        .await?
                        .ok_or(Error::NotFound)?;
                    let view = row.into_view(&gateway)?;
                    let answer = Answer::fresh(render(&view, created));
                    unit.remember(once.as_ref(), &answer).await?;
                    Ok(answer)
                })
            })
            .await
    }

    /// All wallets of a merchant: primary ones first, then by id.
    pub async fn list_wallets(&self, merchant_id: i64) -> Result<Vec<WalletView>> {
        let rows = store::list(self.pool(), merchant_id).await?;
        rows.into_iter().map(|row| row.into_view(self)).collect()
    }

    /// A wallet of this merchant; of another one it is [`Error::NotFound`].
    pub async fn find_wallet(&self, merchant_id: i64, id: i64) -> Result<WalletView> {
        let mut conn = self.pool().acquire().await?;
        let row = store::find(&mut conn, merchant_id, id)
            .await?
            .ok_or(Error::NotFound)?;
        row.into_view(self)
    }

    /// Up to `limit` lines below version `before`, newest first.
    pub async fn statement(
        &self,
        merchant_id: i64,
        wallet_id: i64,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Statement> {
        let wallet = self.find_wallet(merchant_id, wallet_id).await?;
        let before = before.unwrap_or(wallet.version.saturating_add(1));
        let lines = store::lines(self.pool(), &wallet, before, limit).await?;
        Ok(Statement {
            wallet,
            lines,
            as_of: self.clock().now(),
        })
    }
}
