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
    /// Book a transaction with which the house took coins of its own out, past this instance, or book it back when
    /// it has left the chain. Doing it twice books once; the amounts are read from the chain.
    TakeOut {
        /// Code of the coin it moved, such as ETH; gas is booked with it.
        coin: String,
        /// Id of the transaction.
        txid: String,
        /// It is a loss where it is more than the house has of its own.
        #[arg(long)]
        loss: bool,
        /// What it was for; kept in the audit log.
        #[arg(long)]
        reason: String,
    },
}
