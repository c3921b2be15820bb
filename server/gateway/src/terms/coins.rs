//! The coins customers can pay with, as anybody may read them (`60-pages.md`, `/coins`).

use domain::money::Money;
use domain::view::AmountText;
use domain::view::coins::{CoinItem, CoinsView};

use super::Terms;
use crate::chain::address::{AddressForm, CoinParams};
use crate::{Gateway, Result};

/// Column names of the list of coins as CSV.
pub const COIN_COLUMNS: [&str; 9] = [
    "code",
    "name",
    "network",
    "minimum_deposit",
    "minimum_deposit_exchange",
    "confirmations",
    "confirmations_large",
    "large_from_euros",
    "address_form",
];

impl Gateway {
    /// Every coin that is switched on and has a chain here.
    pub async fn coins_view(&self) -> Result<CoinsView> {
        let terms = self.list_terms().await?;
        Ok(CoinsView {
            coins: terms
                .into_iter()
                .filter(|terms| terms.enabled)
                .filter_map(|terms| {
                    let params = self.chains().params(terms.currency.code.as_str())?;
                    Some(coin(terms, params))
                })
                .collect(),
            test_mode: self.settings().test_mode,
        })
    }
}

/// One coin as a row of a CSV file.
pub fn coin_cells(coin: CoinItem) -> Vec<String> {
    vec![
        coin.code,
        coin.name,
        coin.network,
        coin.minimum.amount,
        coin.minimum_exchange.amount,
        coin.confirmations.to_string(),
        coin.confirmations_large.to_string(),
        coin.large_from_euros,
        coin.address_form,
    ]
}

/// `params` is the coin on the network it is followed on here.
fn coin(terms: Terms, params: &CoinParams) -> CoinItem {
    CoinItem {
        code: terms.currency.code.to_string(),
        minimum: text(terms.minimum_deposit),
        minimum_exchange: text(terms.minimum_deposit_exchange),
        name: terms.name,
        network: terms.network.unwrap_or_default(),
        confirmations: terms.confirmations,
        confirmations_large: terms.confirmations_large,
        large_from_euros: terms.large_from_euros.to_string(),
        address_form: address_form(params),
    }
}

/// What an address that is given out begins with. Never a whole one: somebody would pay to it.
fn address_form(params: &CoinParams) -> String {
    match &params.form {
        AddressForm::Segwit { hrp, .. } => format!("{hrp}1q…"),
        AddressForm::CashAddr { prefix, .. } => format!("{prefix}:q…"),
        AddressForm::Base58(versions) => format!("{}…", versions.start()),
        AddressForm::Eip55 => "0x…".to_owned(),
    }
}

fn text(amount: Money) -> AmountText {
    AmountText {
        amount: amount.shown(),
        code: amount.currency().code.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::address::params;

    #[test]
    fn a_form_is_a_beginning_and_no_address() {
        let form = |code: &str| params(code).map(address_form);
        for (code, begins) in [
            ("BTC", "bc1q…"),
            ("tBTC", "tb1q…"),
            ("LTC", "ltc1q…"),
            ("BCH", "bitcoincash:q…"),
            ("ETH", "0x…"),
            ("USDT", "0x…"),
        ] {
            assert_eq!(form(code).as_deref(), Some(begins), "{code}");
        }
    }
}
