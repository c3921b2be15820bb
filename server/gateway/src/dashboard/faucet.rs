use domain::view::dashboard::{ChainRow, FaucetView, MempoolRow};

use crate::chain::ChainState;
use crate::{Gateway, Result};

/// Unconfirmed transactions shown of each chain, newest last.
const SHOWN_MAX: usize = 50;

impl Gateway {
    /// The simulated chains as they stand, and what the form is filled with.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] outside test mode.
    pub async fn faucet(
        &self,
        address: String,
        amount: String,
        currency: String,
    ) -> Result<FaucetView> {
        let states = self.chain_states().await?;
        let chains = states.into_iter().map(chain_row).collect::<Result<_>>()?;
        let now = self.clock().now();
        Ok(FaucetView {
            now,
            chains,
            address,
            amount,
            currency,
            result: None,
        })
    }
}

fn chain_row(state: ChainState) -> Result<ChainRow> {
    let skipped = state.mempool.len().saturating_sub(SHOWN_MAX);
    let mempool = state
        .mempool
        .into_iter()
        .skip(skipped)
        .map(|tx| MempoolRow {
            txid: tx.txid,
            outputs: tx.outputs,
        })
        .collect();
    Ok(ChainRow {
        code: state.code.to_owned(),
        height: u64::try_from(state.height)?,
        mempool,
    })
}
