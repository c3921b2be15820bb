use domain::ledger::WalletType;
use domain::view::dashboard::WalletRow;

use crate::wallets::WalletView;
use crate::{Gateway, Result};

impl Gateway {
    /// All wallets of a merchant as rows: primary ones first, then by id.
    pub async fn wallet_rows(&self, merchant_id: i64) -> Result<Vec<WalletRow>> {
        Ok(self
            .list_wallets(merchant_id)
            .await?
            .iter()
            .map(wallet_row)
            .collect())
    }

    /// Codes of the currencies the merchant has wallets in, in the order of its wallets.
    pub(super) async fn wallet_codes(&self, merchant_id: i64) -> Result<Vec<String>> {
        Ok(distinct_codes(&self.list_wallets(merchant_id).await?))
    }
}

/// Codes in the order they come first.
pub(super) fn distinct_codes(wallets: &[WalletView]) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for wallet in wallets {
        let code = wallet.currency.code.as_str();
        if !codes.iter().any(|known| known == code) {
            codes.push(code.to_owned());
        }
    }
    codes
}

/// A wallet with its three figures.
pub(super) fn wallet_row(wallet: &WalletView) -> WalletRow {
    let code = wallet.currency.code.to_string();
    let name = match (wallet.name.as_str(), wallet.user_id) {
        ("", None) => format!("{code} wallet"),
        ("", Some(user_id)) => format!("{code} wallet of customer {user_id}"),
        (name, _) => name.to_owned(),
    };
    WalletRow {
        id: wallet.id,
        name,
        code,
        kind: wallet.wallet_type.word().to_owned(),
        available: wallet.available.shown(),
        held: wallet.held.shown(),
        balance: wallet.balance.shown(),
        credit_limit: match wallet.wallet_type {
            WalletType::Prepaid => None,
            WalletType::Postpaid => Some(wallet.credit_limit.shown()),
        },
        user_id: wallet.user_id,
    }
}
