use domain::text::one_line;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::token::new_public_id;
use super::transition::event_of;
use super::{ChargeView, NewCharge, store};
use crate::idempotency::{Answer, Once};
use crate::ledger::Unit;
use crate::{Error, Gateway, Result, wallets};

/// How long a charge waits for somebody to pick a method (`80`, Charges).
const UNPICKED_LIFE: Duration = Duration::days(30);

impl Gateway {
    /// Makes a charge. No address is taken and no clock of a rate started until a coin is picked.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `currency` without a wallet in it, on `webhook_url` that must not be called.
    pub async fn create_charge(
        &self,
        mut new: NewCharge,
        once: Option<Once>,
        render: impl FnOnce(&ChargeView) -> (u16, Vec<u8>) + Send + 'static,
    ) -> Result<Answer> {
        self.check_new(&mut new)?;
        let gateway = self.clone();
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    if let Some(first) = unit.claim(once.as_ref()).await? {
                        return Ok(first);
                    }
                    let made = gateway.insert_charge(unit, &new).await?;
                    let row =
                        store::find(unit.conn(), gateway.currencies(), &made.public_id).await?;
                    unit.emit(event_of(&row, &[], row.status));
                    let view = ChargeView::assemble(row, Vec::new());
                    let answer = Answer::fresh(render(&view));
                    unit.remember(once.as_ref(), &answer).await?;
                    Ok(answer)
                })
            })
            .await
    }

    /// Brings what people typed into the form it is kept in, and refuses what must not be called.
    pub(crate) fn check_new(&self, new: &mut NewCharge) -> Result<()> {
        if let Some(url) = &new.webhook_url {
            self.guard()
                .check_url(url)
                .map_err(|refusal| Error::invalid("webhook_url", refusal.to_string()))?;
        }
        new.customer = std::mem::take(&mut new.customer).on_one_line_each();
        for item in &mut new.items {
            item.name = one_line(&item.name);
        }
        Ok(())
    }

    /// Writes a charge that [`Self::check_new`] has seen; its first event is the caller's to stage.
    pub(crate) async fn insert_charge(&self, unit: &mut Unit, new: &NewCharge) -> Result<Made> {
        let now = unit.now();
        self.require_wallet(unit.conn(), new, now).await?;
        let public_id = new_public_id()?;
        let id = store::insert(unit.conn(), &public_id, new, now + UNPICKED_LIFE, now).await?;
        let data = json!({
            "amount": new.amount.truncated(),
            "currency": new.amount.currency().code.as_str(),
            "origin": new.origin.word(),
        });
        store::append_timeline(unit.conn(), id, now, "created", &data).await?;
        Ok(Made { id, public_id })
    }

    async fn require_wallet(
        &self,
        conn: &mut sqlx::PgConnection,
        new: &NewCharge,
        now: OffsetDateTime,
    ) -> Result<()> {
        let currency = new.amount.currency();
        if !wallets::store::has_currency(conn, new.merchant_id, currency.id).await? {
            return Err(Error::invalid(
                "currency",
                "must be a currency you have a wallet in",
            ));
        }
        // Whose wallet it is, is the merchant's business: nothing is looked up (80, Orders).
        if new.wallet_user_id != 0 {
            let (merchant, user) = (new.merchant_id, new.wallet_user_id);
            wallets::store::insert(conn, merchant, currency.id, user, now).await?;
        }
        Ok(())
    }
}

/// A charge that was just written.
pub(crate) struct Made {
    pub(crate) id: i64,
    pub(crate) public_id: String,
}
