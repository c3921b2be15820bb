//! The demo set of test mode (`70-sandbox.md`): two merchants, their people, keys and wallets.
//!
//! Invariant: every secret derives from the instance's seed, so making the set again changes
//! nothing and gives the same answer.

mod secrets;
mod store;

use domain::ledger::template::test_funding;
use domain::ledger::{AccountKey, AccountKind};
use domain::money::{Currency, Money};
use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;

use self::secrets::Cast;
use self::store::NewMerchant;
use crate::auth::{Role, hash_new};
use crate::ledger::with_ids;
use crate::{Error, Gateway, Result, wallets};

/// Currencies both merchants have a wallet in.
const WALLETS: [&str; 10] = [
    "USD", "EUR", "INR", "JPY", "BTC", "LTC", "BCH", "ETH", "USDT", "tBTC",
];

/// What `merchant` starts with; `merchant2` starts with nothing.
const OPENING_BALANCES: [(&str, &str); 4] = [
    ("USD", "10000.00"),
    ("EUR", "10000.00"),
    ("INR", "1000000.00"),
    ("BTC", "1"),
];

/// Everything `demo --json` prints, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DemoSet {
    pub base_url: String,
    pub static_key: String,
    pub admin: DemoUser,
    pub manager: DemoUser,
    pub merchant: DemoMerchant,
    pub api_user: DemoUser,
    pub merchant2: DemoMerchant,
}

/// A dashboard login and its personal API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DemoUser {
    pub email: String,
    pub password: String,
    pub api_key: String,
}

/// A merchant with the login of its user and every key it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DemoMerchant {
    pub id: i64,
    pub email: String,
    pub password: String,
    pub ex_pk: String,
    pub app_key: String,
    pub api_key: String,
    pub ipn_secret: String,
    /// Every permission.
    pub key_pair: KeyPair,
    pub webhook_secret: String,
    /// No permission.
    pub key_pair_limited: KeyPair,
    /// Every permission; one to use nonces with, which a pair then has to have for ever.
    pub key_pair_nonce: KeyPair,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyPair {
    pub public: String,
    pub private: String,
}

/// The merchants as rows.
struct Ids {
    merchant: i64,
    merchant2: i64,
}

impl Gateway {
    /// Makes the demo set, or returns it as it was made. Safe in several processes at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] outside test mode.
    pub async fn demo(&self) -> Result<DemoSet> {
        if !self.settings().test_mode {
            return Err(Error::NotFound);
        }
        self.ensure_starting_rates().await?;
        let cast = self.cast();
        let ids = self.ensure_parties(&cast).await?;
        self.fund(ids.merchant).await?;
        Ok(DemoSet {
            base_url: self.settings().public_url.clone(),
            static_key: self.effective_static_key().ok_or(Error::NotFound)?,
            admin: cast.admin,
            manager: cast.manager,
            merchant: cast.merchant.with_id(ids.merchant),
            api_user: cast.api_user,
            merchant2: cast.merchant2.with_id(ids.merchant2),
        })
    }

    /// Role word, e-mail address and password of the demo users that exist, for the sign-in page.
    /// Empty outside test mode.
    pub async fn demo_logins(&self) -> Result<Vec<(String, String, String)>> {
        if !self.settings().test_mode {
            return Ok(Vec::new());
        }
        let users = self.cast().into_users();
        let emails: Vec<String> = users.iter().map(|user| user.email.clone()).collect();
        let known = store::roles(self.pool(), &emails).await?;
        Ok(users
            .into_iter()
            .filter_map(|user| {
                let (_, role) = known.iter().find(|(email, _)| *email == user.email)?;
                Some((role.clone(), user.email, user.password))
            })
            .collect())
    }

    fn cast(&self) -> Cast {
        Cast::of(&|purpose: &str| self.instance().derive(purpose))
    }

    async fn ensure_parties(&self, cast: &Cast) -> Result<Ids> {
        let now = self.clock().now();
        let mut tx = self.pool().begin().await?;
        // One at a time: whoever comes second finds everything made.
        store::lock(&mut tx).await?;
        let admin = ensure_user(&mut tx, &cast.admin, Role::Admin, None, None, now).await?;
        let manager = ensure_user(
            &mut tx,
            &cast.manager,
            Role::Manager,
            None,
            Some(admin),
            now,
        )
        .await?;
        let merchant = self
            .ensure_merchant(&mut tx, &cast.merchant, manager, now)
            .await?;
        store::give_to_manager(&mut tx, merchant.id, manager).await?;
        let (id, parent) = (Some(merchant.id), Some(merchant.user_id));
        ensure_user(&mut tx, &cast.api_user, Role::ApiUser, id, parent, now).await?;
        let merchant2 = self
            .ensure_merchant(&mut tx, &cast.merchant2, admin, now)
            .await?;
        tx.commit().await?;
        Ok(Ids {
            merchant: merchant.id,
            merchant2: merchant2.id,
        })
    }

    async fn ensure_merchant(
        &self,
        conn: &mut PgConnection,
        new: &NewMerchant,
        parent: i64,
        now: OffsetDateTime,
    ) -> Result<Made> {
        let id = match store::merchant_of(conn, &new.user.email).await? {
            Some(id) => id,
            None => store::insert_merchant(conn, new, now).await?,
        };
        let user_id =
            ensure_user(conn, &new.user, Role::Merchant, Some(id), Some(parent), now).await?;
        store::insert_keys(conn, id, new, now).await?;
        for code in WALLETS {
            let currency = self.listed(code)?;
            wallets::store::insert(conn, id, currency.id, 0, now).await?;
        }
        Ok(Made { id, user_id })
    }

    /// All opening balances are one unit of work, so that having one means having all.
    async fn fund(&self, merchant_id: i64) -> Result<()> {
        let amounts = OPENING_BALANCES
            .into_iter()
            .map(|(code, amount)| Money::parse(amount, self.listed(code)?).map_err(Error::internal))
            .collect::<Result<Vec<Money>>>()?;
        let funded = self
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    for amount in amounts {
                        let wallet = AccountKey {
                            merchant: merchant_id,
                            currency: amount.currency().id,
                            kind: AccountKind::Wallet,
                            user_id: 0,
                        };
                        unit.post(with_ids(|ids| test_funding(ids, wallet, amount)));
                    }
                    Ok(())
                })
            })
            .await;
        match funded {
            Err(Error::AlreadyBooked) => Ok(()),
            other => other,
        }
    }

    fn listed(&self, code: &str) -> Result<Currency> {
        self.currencies()
            .by_code(code)
            .ok_or_else(|| Error::Internal(format!("{code} is not listed")))
    }
}

/// A merchant and its user, as rows.
struct Made {
    id: i64,
    user_id: i64,
}

/// Hashing takes its time; a user that exists keeps the password it has.
async fn ensure_user(
    conn: &mut PgConnection,
    user: &DemoUser,
    role: Role,
    merchant_id: Option<i64>,
    parent_id: Option<i64>,
    now: OffsetDateTime,
) -> Result<i64> {
    if let Some(id) = store::find_user(conn, &user.email).await? {
        return Ok(id);
    }
    let hash = hash_new("password", &user.password).await?;
    store::insert_user(conn, user, &hash, role, merchant_id, parent_id, now).await
}
