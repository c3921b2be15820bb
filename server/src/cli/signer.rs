//! Settings of the signer, which is a process of its own and reads no other settings.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use signing::{ScriptKind, SignerConfig};

/// How the account of the signer locks its coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Script {
    /// `bc1q…` (BIP 84).
    P2wpkh,
    /// `3…` (BIP 49).
    #[value(name = "p2sh-p2wpkh")]
    P2shP2wpkh,
    /// `1…` (BIP 44).
    P2pkh,
}

/// Where the signer finds what it needs, and who may ask it.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct SignerArgs {
    /// Unix socket to answer on; it is made, and removed at the end.
    #[arg(long, env = "EXCHEQUER_SIGNER_SOCKET", value_name = "PATH")]
    pub socket: PathBuf,

    /// File with the seed of BIP 39 in hexadecimal, or an extended private key; for this user's eyes
    /// alone.
    #[arg(long, env = "EXCHEQUER_SIGNER_KEY_FILE", value_name = "FILE")]
    pub key_file: PathBuf,

    /// JSON file that says what may leave.
    #[arg(long, env = "EXCHEQUER_SIGNER_POLICY_FILE", value_name = "FILE")]
    pub policy_file: PathBuf,

    /// File in which the signer keeps what has left.
    #[arg(long, env = "EXCHEQUER_SIGNER_SPENT_FILE", value_name = "FILE")]
    pub spent_file: PathBuf,

    /// How the account locks its coins.
    #[arg(long, env = "EXCHEQUER_SIGNER_SCRIPT", default_value = "p2wpkh")]
    pub script: Script,

    /// Number of the account, when the key is a seed or a master key.
    #[arg(long, env = "EXCHEQUER_SIGNER_ACCOUNT", default_value_t = 0)]
    pub account: u32,

    /// Ids of the users that may ask, with commas between them. [default: the signer's own]
    #[arg(
        long = "peer",
        env = "EXCHEQUER_SIGNER_PEERS",
        value_delimiter = ',',
        value_name = "UID"
    )]
    pub peers: Vec<u32>,

    /// Group that may open the socket. [default: none]
    #[arg(long, env = "EXCHEQUER_SIGNER_GROUP", value_name = "GID")]
    pub group: Option<u32>,
}

impl SignerArgs {
    /// What the signer runs with.
    pub fn config(self) -> SignerConfig {
        SignerConfig {
            socket: self.socket,
            key_file: self.key_file,
            policy_file: self.policy_file,
            spent_file: self.spent_file,
            kind: match self.script {
                Script::P2wpkh => ScriptKind::P2wpkh,
                Script::P2shP2wpkh => ScriptKind::P2shP2wpkh,
                Script::P2pkh => ScriptKind::P2pkh,
            },
            account: self.account,
            peers: self.peers,
            group: self.group,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn a_signer_is_told_where_its_files_are() {
        let line = [
            "exchequer",
            "signer",
            "--socket=/run/signer/btc",
            "--key-file=/etc/signer/key",
            "--policy-file=/etc/signer/policy.json",
            "--spent-file=/var/lib/signer/spent.json",
            "--script=p2sh-p2wpkh",
            "--peer=1000,1001",
        ];
        let Some(Command::Signer(args)) = Cli::try_parse_from(line).unwrap().command else {
            panic!("another command");
        };
        let config = args.config();
        assert_eq!(config.kind, ScriptKind::P2shP2wpkh);
        assert_eq!(config.peers, [1_000, 1_001]);
        assert_eq!((config.account, config.group), (0, None));
        assert!(Cli::try_parse_from(["exchequer", "signer"]).is_err());
    }
}
