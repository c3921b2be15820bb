//! What merchants do with their money, and what people decide about it.

use gateway::Error;
use gateway::exchange::{NewExchange, Pricing};
use gateway::futures::NewFutures;
use gateway::withdrawals::{Decider, NewWithdrawal, ReplacedOutcome};

use super::{BY, stranger};
use crate::commands::Command;
use crate::world::{Run, ids, nth};

const DEPOSITS: &str =
    "SELECT operation_id FROM deposits WHERE $1::bigint >= 0 ORDER BY operation_id";
const WITHDRAWALS: &str =
    "SELECT operation_id FROM withdrawals WHERE $1::bigint >= 0 ORDER BY operation_id";
const PENDING: &str = "SELECT operation_id FROM withdrawals
    WHERE state = 'pending' AND $1::bigint >= 0 ORDER BY operation_id";
const PROMISES: &str = "SELECT id FROM futures WHERE $1::bigint >= 0 ORDER BY id";
/// Stands for nobody in particular.
const EVERYBODY: i64 = 0;

fn decider() -> Decider {
    Decider {
        name: BY.to_owned(),
        user_id: None,
    }
}

impl Run {
    pub(super) async fn withdraw(
        &self,
        merchant: usize,
        from: &'static str,
        to: &'static str,
        parts: u32,
    ) -> Result<(), Error> {
        // Cents of fiat are worth little by the side of a coin's parts.
        let parts = if from == "EUR" { parts * 30 } else { parts };
        let new = NewWithdrawal {
            merchant_id: self.merchants[merchant],
            foreign_id: Some(self.reference()),
            amount: self.money(from, parts),
            convert_to: (from != to).then(|| self.currency(to)),
            address: stranger(to).to_owned(),
            tag: None,
            requested_by: BY.to_owned(),
            requested_user_id: None,
        };
        self.gateway()
            .request_withdrawal_by_reference(new, None, |_| (201, Vec::new()))
            .await
            .map(drop)
    }

    pub(super) async fn decide(&self, command: Command) -> Result<(), Error> {
        let gateway = self.gateway();
        let (question, which) = match command {
            Command::Release { deposit } | Command::SendBack { deposit } => (DEPOSITS, deposit),
            Command::Approve { withdrawal } | Command::Decline { withdrawal } => {
                (PENDING, withdrawal)
            }
            Command::EndReplaced { withdrawal, .. } => (WITHDRAWALS, withdrawal),
            _ => return Ok(()),
        };
        let all = ids(&self.pool, question, EVERYBODY).await;
        let Some(id) = nth(&all, which).copied() else {
            return Ok(());
        };
        let merchant: i64 = sqlx::query_scalar("SELECT merchant_id FROM operations WHERE id = $1")
            .bind(id)
            .fetch_one(&self.pool)
            .await?;
        match command {
            Command::Release { .. } => gateway.release_deposit(id, BY).await,
            Command::SendBack { .. } => {
                let code: String = sqlx::query_scalar(
                    "SELECT c.code FROM operations o JOIN currencies c ON c.id = o.sent_currency_id
                     WHERE o.id = $1",
                )
                .bind(id)
                .fetch_one(&self.pool)
                .await?;
                gateway.refund_deposit(id, stranger(&code), BY).await
            }
            Command::Approve { .. } => gateway.approve_withdrawal(merchant, id, decider()).await,
            Command::Decline { .. } => gateway.decline_withdrawal(merchant, id, decider()).await,
            Command::EndReplaced { paid, .. } => {
                let outcome = if paid {
                    ReplacedOutcome::Paid
                } else {
                    ReplacedOutcome::NotPaid
                };
                gateway.end_replaced(id, outcome, "looked at it", BY).await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn exchange(
        &self,
        merchant: usize,
        from: &'static str,
        to: &'static str,
        parts: u32,
    ) -> Result<(), Error> {
        let parts = if from == "EUR" { parts * 30 } else { parts };
        let new = NewExchange {
            merchant_id: self.merchants[merchant],
            sender_amount: self.money(from, parts),
            receiver: self.currency(to),
            pricing: Pricing::Now,
            foreign_id: Some(self.reference()),
            requested_by: BY.to_owned(),
        };
        self.gateway()
            .exchange(new, None, |_| (201, Vec::new()))
            .await
            .map(drop)
    }

    pub(super) async fn promise(&self, merchant: usize, cents: u32) -> Result<(), Error> {
        let merchant = self.merchants[merchant];
        let new = NewFutures {
            merchant_id: merchant,
            address: self.address(merchant, "BTC", true).await?,
            sender: self.currency("BTC"),
            receiver: self.currency("EUR"),
            receiver_amount: self.money("EUR", cents),
        };
        self.gateway()
            .confirm_futures(new, None, |_| (201, Vec::new()))
            .await
            .map(drop)
    }

    /// Pays exactly what a promise is about, whether it still stands or not.
    pub(super) async fn meet(&self, promise: u32) -> Result<(), Error> {
        let all = ids(&self.pool, PROMISES, EVERYBODY).await;
        let Some(id) = nth(&all, promise).copied() else {
            return Ok(());
        };
        let (merchant, units): (i64, rust_decimal::Decimal) =
            sqlx::query_as("SELECT merchant_id, sender_amount FROM futures WHERE id = $1")
                .bind(id)
                .fetch_one(&self.pool)
                .await?;
        let coin = self.currency("BTC");
        let amount = domain::money::Money::from_units(gateway::ledger::units(units), coin);
        let address = self.address(merchant, "BTC", true).await?;
        self.send_coins(&address, "BTC", &amount.shortest()).await
    }
}
