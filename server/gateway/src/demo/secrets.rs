use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::store::{NewKeyPair, NewMerchant};
use super::{DemoMerchant, DemoUser, KeyPair};
use crate::auth::{alphanumeric, mint};
use crate::outbox::signature::WEBHOOK_SECRET_PREFIX;

/// Computes 32 bytes for a purpose, the same ones every time; the instance's, outside tests.
type Derive<'a> = &'a dyn Fn(&str) -> [u8; 32];

const PASSWORD_CHARS: usize = 20;

/// Commands a key pair may do nothing of until they are switched on (`40-command-api.md`).
const EVERY_COMMAND: [&str; 14] = [
    "get_deposit_address",
    "get_callback_address",
    "create_transaction",
    "get_tx_info",
    "get_tx_info_multi",
    "get_tx_ids",
    "create_withdrawal",
    "create_mass_withdrawal",
    "get_withdrawal_info",
    "get_withdrawal_history",
    "create_transfer",
    "convert",
    "convert_limits",
    "get_conversion_info",
];

/// Everybody of the demo set, before they are rows.
pub(super) struct Cast {
    pub(super) admin: DemoUser,
    pub(super) manager: DemoUser,
    pub(super) merchant: NewMerchant,
    pub(super) api_user: DemoUser,
    pub(super) merchant2: NewMerchant,
}

impl Cast {
    pub(super) fn of(derive: Derive<'_>) -> Self {
        Self {
            admin: user(derive, "admin"),
            manager: user(derive, "manager"),
            merchant: merchant(
                derive,
                "merchant",
                "Harbour Coffee Roasters",
                Some("#14532D"),
            ),
            api_user: user(derive, "api-user"),
            merchant2: merchant(derive, "merchant2", "Northlight Books", None),
        }
    }

    pub(super) fn into_users(self) -> Vec<DemoUser> {
        vec![
            self.admin,
            self.manager,
            self.merchant.user,
            self.api_user,
            self.merchant2.user,
        ]
    }
}

impl NewMerchant {
    pub(super) fn with_id(self, id: i64) -> DemoMerchant {
        let pair = |pair: NewKeyPair| KeyPair {
            public: pair.public,
            private: pair.private,
        };
        DemoMerchant {
            id,
            email: self.user.email,
            password: self.user.password,
            ex_pk: self.ex_pk,
            app_key: self.app_key,
            api_key: self.user.api_key,
            ipn_secret: self.ipn_secret,
            key_pair: pair(self.key_pair),
            webhook_secret: self.webhook_secret,
            key_pair_limited: pair(self.key_pair_limited),
            key_pair_nonce: pair(self.key_pair_nonce),
        }
    }
}

fn secret(derive: Derive<'_>, who: &str, what: &str) -> [u8; 32] {
    derive(&format!("demo {who} {what}"))
}

fn user(derive: Derive<'_>, who: &str) -> DemoUser {
    let password = alphanumeric(&secret(derive, who, "password"));
    DemoUser {
        email: format!("{who}@demo.example"),
        password: password.chars().take(PASSWORD_CHARS).collect(),
        api_key: mint("ex_ak_", &secret(derive, who, "api key")),
    }
}

fn merchant(
    derive: Derive<'_>,
    who: &str,
    name: &'static str,
    accent: Option<&'static str>,
) -> NewMerchant {
    let text = |what: &str| hex::encode(secret(derive, who, what));
    let pair = |label: &'static str, permissions: &'static [&'static str]| NewKeyPair {
        label,
        public: text(&format!("{label} pair, public")),
        private: text(&format!("{label} pair, private")),
        permissions,
    };
    let webhook_secret = STANDARD.encode(secret(derive, who, "webhook secret"));
    NewMerchant {
        name,
        accent,
        support_email: format!("support.{who}@demo.example"),
        user: user(derive, who),
        ex_pk: mint("ex_pk_", &secret(derive, who, "merchant key")),
        app_key: text("app key"),
        ipn_secret: text("ipn secret"),
        webhook_secret: format!("{WEBHOOK_SECRET_PREFIX}{webhook_secret}"),
        key_pair: pair("full", &EVERY_COMMAND),
        key_pair_limited: pair("limited", &[]),
        key_pair_nonce: pair("nonce", &EVERY_COMMAND),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sha2::{Digest, Sha256};

    use super::*;

    fn everything(cast: Cast) -> Vec<String> {
        let of_user = |user: DemoUser| [user.password, user.api_key];
        let of_merchant = |new: NewMerchant| {
            let all = new.with_id(1000);
            let pairs = [all.key_pair, all.key_pair_limited, all.key_pair_nonce];
            let keys = pairs
                .into_iter()
                .flat_map(|pair| [pair.public, pair.private]);
            let own = [
                all.password,
                all.ex_pk,
                all.app_key,
                all.api_key,
                all.ipn_secret,
                all.webhook_secret,
            ];
            keys.chain(own).collect::<Vec<String>>()
        };
        let users = [cast.admin, cast.manager, cast.api_user]
            .into_iter()
            .flat_map(of_user);
        users
            .chain(
                [cast.merchant, cast.merchant2]
                    .into_iter()
                    .flat_map(of_merchant),
            )
            .collect()
    }

    fn of_seed(seed: u8) -> Cast {
        Cast::of(&|purpose: &str| Sha256::digest(format!("{seed} {purpose}")).into())
    }

    #[test]
    fn secrets_follow_from_the_seed_and_differ_from_each_other() {
        let secrets = everything(of_seed(1));
        assert_eq!(secrets, everything(of_seed(1)));
        let all: BTreeSet<String> = secrets
            .iter()
            .cloned()
            .chain(everything(of_seed(2)))
            .collect();
        assert_eq!(all.len(), 2 * secrets.len());
    }

    #[test]
    fn a_demo_merchant_prints_what_the_contract_lists_in_its_order() {
        let merchant = of_seed(1).merchant.with_id(1000);
        let json = serde_json::to_string(&merchant).unwrap_or_default();
        let names = [
            "id",
            "email",
            "password",
            "ex_pk",
            "app_key",
            "api_key",
            "ipn_secret",
            "key_pair",
            "webhook_secret",
            "key_pair_limited",
            "key_pair_nonce",
        ];
        let places: Vec<Option<usize>> = names
            .iter()
            .map(|name| json.find(&format!("\"{name}\":")))
            .collect();
        assert!(places.iter().all(Option::is_some), "{json}");
        assert!(places.is_sorted(), "{json}");
        assert!(
            json.starts_with(r#"{"id":1000,"email":"merchant@demo.example","#),
            "{json}"
        );
        assert!(merchant.ex_pk.starts_with("ex_pk_") && merchant.ex_pk.len() >= 38);
        assert_eq!(merchant.app_key.len(), 64);
    }
}
