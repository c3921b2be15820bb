//! What people do with the account that pays on the EVM chain.

use clap::Subcommand;

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum TreasuryCommand {
    /// Show the account that pays, and the withdrawals that wait for coins, a signature, a block or a person.
    List,
    /// Print the unsigned transaction of a withdrawal as JSON, for the wallet that has the key.
    Unsigned {
        /// Number of the withdrawal.
        withdrawal: i64,
    },
    /// Bring the signed transaction back, as hexadecimal on the standard input; it is sent by the server.
    Signed {
        /// Number of the withdrawal.
        withdrawal: i64,
    },
    /// Make a replacement with a higher fee for a transaction that waits.
    Bump {
        /// Number of the withdrawal.
        withdrawal: i64,
    },
    /// Go on paying after somebody else has used the key.
    Resume {
        /// ETH or USDT: the account is the same.
        coin: String,
        /// The address of a deposit, if it is that key which was used elsewhere.
        #[arg(long)]
        address: Option<String>,
        /// Why that is safe; kept in the audit log.
        #[arg(long)]
        reason: String,
    },
}
