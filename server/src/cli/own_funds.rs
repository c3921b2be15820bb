//! Coins of the house's own.

use clap::Subcommand;

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum OwnFundsCommand {
    /// Show what came to accounts that no payer is given, booked or not.
    List {
        /// Code of the coin, such as ETH.
        coin: String,
    },
    /// Book a transaction that the house sent, or book it back when it has left the chain. Doing it twice
    /// books once; the amount is read from the chain.
    Book {
        /// Code of the coin, such as ETH.
        coin: String,
        /// Id of the transaction.
        txid: String,
        /// What it is for; kept in the audit log.
        #[arg(long)]
        reason: String,
    },
}
