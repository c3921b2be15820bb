//! Orders and invoices, and what becomes of them.

use gateway::Error;
use gateway::charges::{ChargeView, Collection};
use gateway::idempotency::Once;
use gateway::invoices::NewInvoice;

use super::{BY, stranger};
use crate::commands::{Command, Part};
use crate::world::Run;

impl Run {
    pub(super) async fn order(
        &mut self,
        merchant: usize,
        cents: u32,
        told: bool,
    ) -> Result<(), Error> {
        let merchant = self.merchants[merchant];
        let url = told.then_some(self.orders_url.as_str());
        let mut new = self.world.new_charge("1.00", "EUR", url);
        new.merchant_id = merchant;
        new.amount = self.money("EUR", cents);
        let key = self.reference();
        new.metadata
            .insert("reference".to_owned(), key.clone().into());
        let once = Once {
            merchant_id: merchant,
            method: "POST",
            path: "/api/orders".to_owned(),
            key,
            body_hash: [0; 32],
        };
        let answer = self
            .gateway()
            .create_charge(new, Some(once), |view| {
                (201, view.public_id.clone().into_bytes())
            })
            .await?;
        let made = (String::from_utf8(answer.body).unwrap(), merchant);
        // Asked again it is the same order.
        if !self.charges.contains(&made) {
            self.charges.push(made);
        }
        Ok(())
    }

    pub(super) async fn invoice(
        &mut self,
        merchant: usize,
        cents: u32,
        timer: bool,
    ) -> Result<(), Error> {
        let merchant = self.merchants[merchant];
        let reference = self.reference();
        let new = NewInvoice {
            merchant_id: merchant,
            timer,
            title: "Simulated".to_owned(),
            description: String::new(),
            amount: self.money("EUR", cents),
            sender_currency: None,
            foreign_id: reference.clone(),
            foreign_json: serde_json::Value::String(reference),
            url_success: None,
            url_failed: None,
            email: None,
            collection: Collection::GoodUntilExpired,
            details: None,
            created_by: BY.to_owned(),
        };
        self.gateway()
            .create_invoice(new, None, |_| (201, Vec::new()))
            .await?;
        // Asked again it is the same invoice, so charges are read anew instead of added.
        let known: Vec<(String, i64)> =
            sqlx::query_as("SELECT public_id, merchant_id FROM charges ORDER BY id")
                .fetch_all(&self.pool)
                .await?;
        self.charges = known;
        Ok(())
    }

    pub(super) async fn act_on_charge(
        &self,
        command: Command,
        id: &str,
        merchant: i64,
    ) -> Result<(), Error> {
        let gateway = self.gateway();
        let nothing = |_: &ChargeView| (200_u16, Vec::<u8>::new());
        match command {
            Command::Pick { coin, .. } => gateway.choose_method(id, coin).await,
            Command::Pay { part, .. } => {
                let view = gateway.find_charge(merchant, id).await?;
                let Some(payment) = view.payment else {
                    return Ok(());
                };
                let due = payment.due.units();
                let units = match part {
                    Part::Exact => payment.left.units(),
                    Part::Half => due / 2,
                    Part::TooMuch => due + due / 3,
                };
                // What has digits nobody can pay is cut.
                let minor = payment.coin.units_per_minor();
                let amount = domain::money::Money::from_units(units / minor * minor, payment.coin);
                if !amount.is_positive() {
                    return Ok(());
                }
                let code = payment.coin.code.to_string();
                self.send_coins(&payment.address, &code, &amount.shortest())
                    .await
            }
            Command::Requote { .. } => gateway.requote(id).await,
            Command::Cancel { .. } => gateway
                .cancel_charge(merchant, id, BY.to_owned(), None, nothing)
                .await
                .map(drop),
            Command::Accept { .. } => gateway
                .accept_charge(merchant, id, BY.to_owned(), None, nothing)
                .await
                .map(drop),
            Command::Refund { .. } => {
                let view = gateway.find_charge(merchant, id).await?;
                let coin = view
                    .refundable
                    .map(|amount| amount.currency().code.to_string());
                let address = coin.map(|coin| stranger(&coin).to_owned());
                gateway
                    .request_refund(merchant, id, address, BY.to_owned(), None, nothing)
                    .await
                    .map(drop)
            }
            _ => Ok(()),
        }
    }
}
