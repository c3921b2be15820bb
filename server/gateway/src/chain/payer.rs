//! Payments nobody can make yet: a chain with a node whose coins no signer is set up for.

use async_trait::async_trait;

use super::backend::{Payer, SignedTx};
use crate::{Error, Result};

/// Refuses every payment, so that withdrawals wait in the queue.
pub(super) struct NoPayer {
    pub(super) code: &'static str,
}

#[async_trait]
impl Payer for NoPayer {
    async fn build(&self, _reference: &str, _address: &str, _raw: u128) -> Result<SignedTx> {
        Err(Error::Internal(format!(
            "no signer is set up for {}: the payment waits until there is one",
            self.code
        )))
    }
}
