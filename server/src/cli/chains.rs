//! Settings of the chains: which coins have a node, and whose addresses they give out.

use clap::Args;

use super::payouts::PayoutArgs;

/// The settings of every chain, as they were written.
#[derive(Clone, Default, Args)]
#[command(next_help_heading = "Chains")]
pub struct ChainArgs {
    /// What stands behind Bitcoin: a Bitcoin Core node, or a simulated chain. [default: simulated in test
    /// mode; in live mode the coin is not offered]
    #[arg(
        long = "chain-btc",
        env = "EXCHEQUER_CHAIN_BTC",
        global = true,
        value_name = "bitcoin-core|simulated"
    )]
    pub btc: Option<String>,

    /// Where the Bitcoin node answers, such as http://127.0.0.1:8332, without user and password.
    /// [default: none]
    #[arg(
        long = "chain-btc-url",
        env = "EXCHEQUER_CHAIN_BTC_URL",
        global = true,
        value_name = "URL"
    )]
    #[arg(hide_env_values = true)]
    pub btc_url: Option<String>,

    /// Cookie file of the Bitcoin node, unless it has user and password. [default: none]
    #[arg(
        long = "chain-btc-cookie",
        env = "EXCHEQUER_CHAIN_BTC_COOKIE",
        global = true,
        value_name = "FILE"
    )]
    pub btc_cookie: Option<String>,

    /// User of the Bitcoin node's RPC. [default: none]
    #[arg(
        long = "chain-btc-user",
        env = "EXCHEQUER_CHAIN_BTC_USER",
        global = true,
        value_name = "NAME"
    )]
    pub btc_user: Option<String>,

    /// Password of the Bitcoin node's RPC. [default: none]
    #[arg(
        long = "chain-btc-password",
        env = "EXCHEQUER_CHAIN_BTC_PASSWORD",
        global = true,
        value_name = "PASSWORD"
    )]
    #[arg(hide_env_values = true)]
    pub btc_password: Option<String>,

    /// Network the Bitcoin node must be on; live mode takes mainnet alone, test mode all others.
    /// [default: none]
    #[arg(
        long = "chain-btc-network",
        env = "EXCHEQUER_CHAIN_BTC_NETWORK",
        global = true,
        value_name = "mainnet|testnet4|signet|regtest"
    )]
    pub btc_network: Option<String>,

    /// Where the Bitcoin node announces what is new (-zmqpubsequence, -zmqpubhashblock), so that it is
    /// noticed at once. [default: none, it is asked again and again]
    #[arg(
        long = "chain-btc-zmq",
        env = "EXCHEQUER_CHAIN_BTC_ZMQ",
        global = true,
        value_name = "tcp://HOST:PORT"
    )]
    pub btc_zmq: Option<String>,

    /// Extended public key (xpub, ypub, zpub and their like) or output descriptor of the account
    /// that payments come to; never a private key. Needed in live mode. [default: in test mode one of the
    /// database's own seed]
    #[arg(
        long = "chain-btc-account",
        env = "EXCHEQUER_CHAIN_BTC_ACCOUNT",
        global = true,
        value_name = "KEY"
    )]
    #[arg(hide_env_values = true)]
    pub btc_account: Option<String>,

    /// Block from which on the account may have been paid, for keys that were used before.
    /// [default: ten blocks below the node's tip when it is first asked]
    #[arg(
        long = "chain-btc-birthday",
        env = "EXCHEQUER_CHAIN_BTC_BIRTHDAY",
        global = true,
        value_name = "HEIGHT"
    )]
    pub btc_birthday: Option<String>,

    /// What stands behind Litecoin: a Litecoin Core node, or a simulated chain. [default: simulated in test
    /// mode; in live mode the coin is not offered]
    #[arg(
        long = "chain-ltc",
        env = "EXCHEQUER_CHAIN_LTC",
        global = true,
        value_name = "bitcoin-core|simulated"
    )]
    pub ltc: Option<String>,

    /// Where the Litecoin node answers, such as http://127.0.0.1:9332, without user and password.
    /// [default: none]
    #[arg(
        long = "chain-ltc-url",
        env = "EXCHEQUER_CHAIN_LTC_URL",
        global = true,
        value_name = "URL"
    )]
    #[arg(hide_env_values = true)]
    pub ltc_url: Option<String>,

    /// Cookie file of the Litecoin node, unless it has user and password. [default: none]
    #[arg(
        long = "chain-ltc-cookie",
        env = "EXCHEQUER_CHAIN_LTC_COOKIE",
        global = true,
        value_name = "FILE"
    )]
    pub ltc_cookie: Option<String>,

    /// User of the Litecoin node's RPC. [default: none]
    #[arg(
        long = "chain-ltc-user",
        env = "EXCHEQUER_CHAIN_LTC_USER",
        global = true,
        value_name = "NAME"
    )]
    pub ltc_user: Option<String>,

    /// Password of the Litecoin node's RPC. [default: none]
    #[arg(
        long = "chain-ltc-password",
        env = "EXCHEQUER_CHAIN_LTC_PASSWORD",
        global = true,
        value_name = "PASSWORD"
    )]
    #[arg(hide_env_values = true)]
    pub ltc_password: Option<String>,

    /// Network the Litecoin node must be on; live mode takes mainnet alone, test mode all others.
    /// [default: none]
    #[arg(
        long = "chain-ltc-network",
        env = "EXCHEQUER_CHAIN_LTC_NETWORK",
        global = true,
        value_name = "mainnet|testnet|regtest"
    )]
    pub ltc_network: Option<String>,

    /// Where the Litecoin node announces what is new (-zmqpubsequence, -zmqpubhashblock), so that it is
    /// noticed at once. [default: none, it is asked again and again]
    #[arg(
        long = "chain-ltc-zmq",
        env = "EXCHEQUER_CHAIN_LTC_ZMQ",
        global = true,
        value_name = "tcp://HOST:PORT"
    )]
    pub ltc_zmq: Option<String>,

    /// Extended public key (xpub, ypub, zpub and their like) or output descriptor of the account
    /// that payments come to; never a private key. Needed in live mode. [default: in test mode one of the
    /// database's own seed]
    #[arg(
        long = "chain-ltc-account",
        env = "EXCHEQUER_CHAIN_LTC_ACCOUNT",
        global = true,
        value_name = "KEY"
    )]
    #[arg(hide_env_values = true)]
    pub ltc_account: Option<String>,

    /// Block from which on the account may have been paid, for keys that were used before.
    /// [default: ten blocks below the node's tip when it is first asked]
    #[arg(
        long = "chain-ltc-birthday",
        env = "EXCHEQUER_CHAIN_LTC_BIRTHDAY",
        global = true,
        value_name = "HEIGHT"
    )]
    pub ltc_birthday: Option<String>,

    /// What stands behind Ether and USDT: a node with Ethereum's JSON-RPC, or a simulated chain.
    /// [default: simulated in test mode; in live mode they are not offered]
    #[arg(
        long = "chain-eth",
        env = "EXCHEQUER_CHAIN_ETH",
        global = true,
        value_name = "evm|simulated"
    )]
    pub eth: Option<String>,

    /// Where the Ethereum node answers, with whatever key it needs. [default: none]
    #[arg(
        long = "chain-eth-url",
        env = "EXCHEQUER_CHAIN_ETH_URL",
        global = true,
        value_name = "URL"
    )]
    #[arg(hide_env_values = true)]
    pub eth_url: Option<String>,

    /// Network the Ethereum node must be on; live mode takes mainnet alone, test mode all others.
    /// [default: none]
    #[arg(
        long = "chain-eth-network",
        env = "EXCHEQUER_CHAIN_ETH_NETWORK",
        global = true,
        value_name = "mainnet|sepolia|NUMBER"
    )]
    pub eth_network: Option<String>,

    /// Contract of USDT on that network. [default: none, and no USDT on this chain]
    #[arg(
        long = "chain-eth-token-usdt",
        env = "EXCHEQUER_CHAIN_ETH_TOKEN_USDT",
        global = true,
        value_name = "CONTRACT"
    )]
    pub eth_token_usdt: Option<String>,

    /// Extended public key (xpub) of the account that Ether comes to, usually m/44'/60'/0'. Needed in
    /// live mode. [default: in test mode one of the database's own seed]
    #[arg(
        long = "chain-eth-account",
        env = "EXCHEQUER_CHAIN_ETH_ACCOUNT",
        global = true,
        value_name = "KEY"
    )]
    #[arg(hide_env_values = true)]
    pub eth_account: Option<String>,

    /// The same for USDT, another account, usually m/44'/60'/1'. Needed in live mode with USDT.
    /// [default: in test mode one of the database's own seed]
    #[arg(
        long = "chain-eth-account-usdt",
        env = "EXCHEQUER_CHAIN_ETH_ACCOUNT_USDT",
        global = true,
        value_name = "KEY"
    )]
    #[arg(hide_env_values = true)]
    pub eth_account_usdt: Option<String>,

    /// Block from which on the accounts may have been paid. [default: ten blocks below the node's tip
    /// when it is first asked]
    #[arg(
        long = "chain-eth-birthday",
        env = "EXCHEQUER_CHAIN_ETH_BIRTHDAY",
        global = true,
        value_name = "HEIGHT"
    )]
    pub eth_birthday: Option<String>,

    #[command(flatten)]
    pub payouts: PayoutArgs,
}

impl ChainArgs {
    /// What was given for a variable, by its name.
    pub fn value(&self, variable: &str) -> Option<String> {
        let value = match variable {
            "EXCHEQUER_CHAIN_BTC" => &self.btc,
            "EXCHEQUER_CHAIN_BTC_URL" => &self.btc_url,
            "EXCHEQUER_CHAIN_BTC_COOKIE" => &self.btc_cookie,
            "EXCHEQUER_CHAIN_BTC_USER" => &self.btc_user,
            "EXCHEQUER_CHAIN_BTC_PASSWORD" => &self.btc_password,
            "EXCHEQUER_CHAIN_BTC_NETWORK" => &self.btc_network,
            "EXCHEQUER_CHAIN_BTC_ZMQ" => &self.btc_zmq,
            "EXCHEQUER_CHAIN_BTC_ACCOUNT" => &self.btc_account,
            "EXCHEQUER_CHAIN_BTC_BIRTHDAY" => &self.btc_birthday,
            "EXCHEQUER_CHAIN_LTC" => &self.ltc,
            "EXCHEQUER_CHAIN_LTC_URL" => &self.ltc_url,
            "EXCHEQUER_CHAIN_LTC_COOKIE" => &self.ltc_cookie,
            "EXCHEQUER_CHAIN_LTC_USER" => &self.ltc_user,
            "EXCHEQUER_CHAIN_LTC_PASSWORD" => &self.ltc_password,
            "EXCHEQUER_CHAIN_LTC_NETWORK" => &self.ltc_network,
            "EXCHEQUER_CHAIN_LTC_ZMQ" => &self.ltc_zmq,
            "EXCHEQUER_CHAIN_LTC_ACCOUNT" => &self.ltc_account,
            "EXCHEQUER_CHAIN_LTC_BIRTHDAY" => &self.ltc_birthday,
            "EXCHEQUER_CHAIN_ETH" => &self.eth,
            "EXCHEQUER_CHAIN_ETH_URL" => &self.eth_url,
            "EXCHEQUER_CHAIN_ETH_NETWORK" => &self.eth_network,
            "EXCHEQUER_CHAIN_ETH_TOKEN_USDT" => &self.eth_token_usdt,
            "EXCHEQUER_CHAIN_ETH_ACCOUNT" => &self.eth_account,
            "EXCHEQUER_CHAIN_ETH_ACCOUNT_USDT" => &self.eth_account_usdt,
            "EXCHEQUER_CHAIN_ETH_BIRTHDAY" => &self.eth_birthday,
            _ => return self.payouts.value(variable),
        };
        value.clone()
    }
}

/// Never shows a value: several are secrets.
impl std::fmt::Debug for ChainArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChainArgs(..)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::{CommandFactory, Parser};
    use gateway::chain::ChainSettings;

    use crate::cli::Cli;

    #[test]
    fn every_variable_of_the_chains_can_be_given() {
        let command = Cli::command();
        for variable in ChainSettings::variables() {
            let argument = command
                .get_arguments()
                .find(|argument| argument.get_env().is_some_and(|env| *env == *variable));
            let name = argument.unwrap().get_long().unwrap();
            let line = ["exchequer".to_owned(), format!("--{name}=given")];
            let cli = Cli::try_parse_from(line).unwrap();
            let value = cli.settings.chains.value(&variable);
            assert_eq!(value.as_deref(), Some("given"), "{variable}");
        }
    }

    #[test]
    fn values_are_never_shown() {
        let line = ["exchequer", "--chain-btc-password=hunter2"];
        let cli = Cli::try_parse_from(line).unwrap();
        assert!(!format!("{cli:?}").contains("hunter2"));
    }
}
