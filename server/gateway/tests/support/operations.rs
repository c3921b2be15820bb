//! Steps of the stories about deposits, withdrawals, exchanges and promises.
#![allow(dead_code, clippy::unwrap_used)]

use gateway::Error;
use gateway::addresses::NewAddress;
use gateway::exchange::{NewExchange, Pricing};
use gateway::operations::{OperationQuery, OperationView};
use gateway::withdrawals::NewWithdrawal;

use super::World;

/// A main-net address of nobody here.
pub const STRANGER: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

impl World {
    pub fn currency(&self, code: &str) -> domain::money::Currency {
        self.gateway.currencies().by_code(code).unwrap()
    }

    /// Text of the address these arguments name.
    pub async fn address(&self, coin: &str, convert_to: Option<&str>, foreign_id: &str) -> String {
        self.address_of(self.merchant, coin, convert_to, foreign_id)
            .await
    }

    pub async fn address_of(
        &self,
        merchant_id: i64,
        coin: &str,
        convert_to: Option<&str>,
        foreign_id: &str,
    ) -> String {
        let new = NewAddress {
            merchant_id,
            coin: self.currency(coin),
            convert_to: convert_to.map(|code| self.currency(code)),
            foreign_id: foreign_id.to_owned(),
        };
        let answer = self
            .gateway
            .take_deposit_address(new, None, |view, _| {
                (201, view.address.clone().into_bytes())
            })
            .await
            .unwrap();
        String::from_utf8(answer.body).unwrap()
    }

    /// Pays an address and mines one block.
    pub async fn deposit(&self, address: &str, coin: &str, amount: &str) -> String {
        let txid = self.send(address, coin, amount).await;
        self.mine(coin, 1).await;
        txid
    }

    /// Pays an address.
    pub async fn send(&self, address: &str, coin: &str, amount: &str) -> String {
        self.gateway
            .sandbox_pay(address, amount, Some(coin), None)
            .await
            .unwrap()
    }

    /// The merchant's operations, oldest first.
    pub async fn operations(&self) -> Vec<OperationView> {
        self.operations_of(self.merchant).await
    }

    pub async fn operations_of(&self, merchant_id: i64) -> Vec<OperationView> {
        let query = OperationQuery {
            merchant_id,
            page: 1,
            limit: 100,
            ..OperationQuery::default()
        };
        let (mut all, _) = self.gateway.list_operations(query).await.unwrap();
        all.reverse();
        all
    }

    /// `kind status` of each operation, oldest first.
    pub async fn told(&self) -> Vec<String> {
        self.operations()
            .await
            .iter()
            .map(|view| format!("{} {}", view.kind.word(), view.status.word()))
            .collect()
    }

    pub fn withdrawal(&self, amount: &str, code: &str, reference: &str) -> NewWithdrawal {
        NewWithdrawal {
            merchant_id: self.merchant,
            foreign_id: Some(reference.to_owned()),
            amount: self.money(amount, code),
            convert_to: None,
            address: STRANGER.to_owned(),
            tag: None,
            requested_by: "key pair".to_owned(),
            requested_user_id: None,
        }
    }

    pub async fn withdraw(&self, new: NewWithdrawal) -> Result<OperationView, Error> {
        let answer = self
            .gateway
            .request_withdrawal(new, None, |view| (201, serde_json::to_vec(view).unwrap()))
            .await?;
        Ok(serde_json::from_slice(&answer.body).unwrap())
    }

    pub async fn exchange(
        &self,
        amount: &str,
        from: &str,
        to: &str,
        pricing: Pricing,
        reference: &str,
    ) -> Result<OperationView, Error> {
        let new = NewExchange {
            merchant_id: self.merchant,
            sender_amount: self.money(amount, from),
            receiver: self.currency(to),
            pricing,
            foreign_id: Some(reference.to_owned()),
            requested_by: "key pair".to_owned(),
        };
        let answer = self
            .gateway
            .exchange(new, None, |view| (201, serde_json::to_vec(view).unwrap()))
            .await?;
        Ok(serde_json::from_slice(&answer.body).unwrap())
    }

    /// What counts by the day (UTC, instance clock) has some minutes of this one left.
    pub async fn well_before_midnight(&self) {
        let now = self.gateway.clock().now();
        let since = (now - now.date().midnight().assume_utc()).whole_seconds();
        let left = 86_400 - since;
        if left < 300 {
            self.gateway.advance(left).await.unwrap();
        }
    }

    /// Available and held of the merchant's primary wallet.
    pub async fn wallet(&self, code: &str) -> (String, String) {
        let wallets = self.gateway.list_wallets(self.merchant).await.unwrap();
        let wallet = wallets
            .iter()
            .find(|wallet| wallet.user_id.is_none() && wallet.currency.code.as_str() == code)
            .unwrap();
        (wallet.available.exact(), wallet.held.exact())
    }

    /// Types of the events about one operation, in order.
    pub async fn events(&self, id: i64) -> Vec<String> {
        sqlx::query_scalar("SELECT type FROM events WHERE object = $1 ORDER BY sequence")
            .bind(format!("operation:{id}"))
            .fetch_all(self.gateway.pool())
            .await
            .unwrap()
    }

    /// Balance of a house or suspense account, in ledger units.
    pub async fn account(&self, merchant_id: i64, kind: &str, code: &str) -> i128 {
        let posted: Option<rust_decimal::Decimal> = sqlx::query_scalar(
            "SELECT posted FROM accounts WHERE merchant_id = $1 AND kind = $2 AND currency_id = $3",
        )
        .bind(merchant_id)
        .bind(kind)
        .bind(self.currency(code).id)
        .fetch_optional(self.gateway.pool())
        .await
        .unwrap();
        posted.map_or(0, gateway::ledger::units)
    }
}

/// The first field an error blames, and why.
pub fn blamed(error: &Error) -> (&str, &str) {
    match error {
        Error::Invalid(fields) => fields.first().map_or(("", ""), |first| {
            (first.field.as_str(), first.message.as_str())
        }),
        _ => ("", "another error"),
    }
}
