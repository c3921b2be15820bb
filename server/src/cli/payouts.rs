//! Settings of payouts: who signs withdrawals, and what they may cost.

use clap::Args;

/// The settings of every chain's payouts, as they were written.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Payouts")]
pub struct PayoutArgs {
    /// Who signs Bitcoin withdrawals: `by-hand` (people, on the page of payouts), the full path of the
    /// signer's socket, or, in test mode alone, `in-process`. [default: by-hand]
    #[arg(
        long = "payout-btc-signer",
        env = "EXCHEQUER_PAYOUT_BTC_SIGNER",
        global = true,
        value_name = "by-hand|in-process|SOCKET"
    )]
    pub btc_signer: Option<String>,

    /// Blocks within which Bitcoin withdrawals should be mined, 1 to 1008. [default: 6]
    #[arg(
        long = "payout-btc-target-blocks",
        env = "EXCHEQUER_PAYOUT_BTC_TARGET_BLOCKS",
        global = true,
        value_name = "NUMBER"
    )]
    pub btc_target_blocks: Option<String>,

    /// Highest rate paid for Bitcoin transactions, in satoshi for 1 000 virtual bytes. [default: 500000]
    #[arg(
        long = "payout-btc-rate-max",
        env = "EXCHEQUER_PAYOUT_BTC_RATE_MAX",
        global = true,
        value_name = "SATOSHI"
    )]
    pub btc_rate_max: Option<String>,

    /// The rate while the Bitcoin node cannot say one. [default: none, withdrawals wait]
    #[arg(
        long = "payout-btc-rate-fallback",
        env = "EXCHEQUER_PAYOUT_BTC_RATE_FALLBACK",
        global = true,
        value_name = "SATOSHI"
    )]
    pub btc_rate_fallback: Option<String>,

    /// Highest fee of one Bitcoin transaction, in satoshi. [default: 200000]
    #[arg(
        long = "payout-btc-fee-max",
        env = "EXCHEQUER_PAYOUT_BTC_FEE_MAX",
        global = true,
        value_name = "SATOSHI"
    )]
    pub btc_fee_max: Option<String>,

    /// The same in millionths of what it pays. [default: 50000]
    #[arg(
        long = "payout-btc-fee-max-ppm",
        env = "EXCHEQUER_PAYOUT_BTC_FEE_MAX_PPM",
        global = true,
        value_name = "NUMBER"
    )]
    pub btc_fee_max_ppm: Option<String>,

    /// Bitcoin withdrawals that share a transaction at most, 1 to 100. [default: 50]
    #[arg(
        long = "payout-btc-batch-max",
        env = "EXCHEQUER_PAYOUT_BTC_BATCH_MAX",
        global = true,
        value_name = "NUMBER"
    )]
    pub btc_batch_max: Option<String>,

    /// Blocks after which a Bitcoin transaction that waits is replaced by itself. [default: never]
    #[arg(
        long = "payout-btc-bump-after-blocks",
        env = "EXCHEQUER_PAYOUT_BTC_BUMP_AFTER_BLOCKS",
        global = true,
        value_name = "NUMBER"
    )]
    pub btc_bump_after_blocks: Option<String>,

    /// Who signs Litecoin withdrawals: `by-hand` (people, on the page of payouts), the full path of the
    /// signer's socket, or, in test mode alone, `in-process`. [default: by-hand]
    #[arg(
        long = "payout-ltc-signer",
        env = "EXCHEQUER_PAYOUT_LTC_SIGNER",
        global = true,
        value_name = "by-hand|in-process|SOCKET"
    )]
    pub ltc_signer: Option<String>,

    /// Blocks within which Litecoin withdrawals should be mined, 1 to 1008. [default: 6]
    #[arg(
        long = "payout-ltc-target-blocks",
        env = "EXCHEQUER_PAYOUT_LTC_TARGET_BLOCKS",
        global = true,
        value_name = "NUMBER"
    )]
    pub ltc_target_blocks: Option<String>,

    /// Highest rate paid for Litecoin transactions, in satoshi for 1 000 virtual bytes. [default: 500000]
    #[arg(
        long = "payout-ltc-rate-max",
        env = "EXCHEQUER_PAYOUT_LTC_RATE_MAX",
        global = true,
        value_name = "SATOSHI"
    )]
    pub ltc_rate_max: Option<String>,

    /// The rate while the Litecoin node cannot say one. [default: none, withdrawals wait]
    #[arg(
        long = "payout-ltc-rate-fallback",
        env = "EXCHEQUER_PAYOUT_LTC_RATE_FALLBACK",
        global = true,
        value_name = "SATOSHI"
    )]
    pub ltc_rate_fallback: Option<String>,

    /// Highest fee of one Litecoin transaction, in satoshi. [default: 200000]
    #[arg(
        long = "payout-ltc-fee-max",
        env = "EXCHEQUER_PAYOUT_LTC_FEE_MAX",
        global = true,
        value_name = "SATOSHI"
    )]
    pub ltc_fee_max: Option<String>,

    /// The same in millionths of what it pays. [default: 50000]
    #[arg(
        long = "payout-ltc-fee-max-ppm",
        env = "EXCHEQUER_PAYOUT_LTC_FEE_MAX_PPM",
        global = true,
        value_name = "NUMBER"
    )]
    pub ltc_fee_max_ppm: Option<String>,

    /// Litecoin withdrawals that share a transaction at most, 1 to 100. [default: 50]
    #[arg(
        long = "payout-ltc-batch-max",
        env = "EXCHEQUER_PAYOUT_LTC_BATCH_MAX",
        global = true,
        value_name = "NUMBER"
    )]
    pub ltc_batch_max: Option<String>,

    /// Blocks after which a Litecoin transaction that waits is replaced by itself. [default: never]
    #[arg(
        long = "payout-ltc-bump-after-blocks",
        env = "EXCHEQUER_PAYOUT_LTC_BUMP_AFTER_BLOCKS",
        global = true,
        value_name = "NUMBER"
    )]
    pub ltc_bump_after_blocks: Option<String>,

    /// Who signs withdrawals of ether and tokens: `by-hand` (people, on the page of EVM payments or with
    /// `exchequer treasury`), the full path of the signer's socket, or, in test mode alone, `in-process`.
    /// [default: by-hand]
    #[arg(
        long = "payout-eth-signer",
        env = "EXCHEQUER_PAYOUT_ETH_SIGNER",
        global = true,
        value_name = "by-hand|in-process|SOCKET"
    )]
    pub eth_signer: Option<String>,

    /// Most that a unit of gas may cost, in gwei; withdrawals wait while it costs more. [default: 300]
    #[arg(
        long = "payout-eth-fee-max-gwei",
        env = "EXCHEQUER_PAYOUT_ETH_FEE_MAX_GWEI",
        global = true,
        value_name = "GWEI"
    )]
    pub eth_fee_max_gwei: Option<String>,

    /// Of that, most for whoever makes the block. [default: 5]
    #[arg(
        long = "payout-eth-tip-max-gwei",
        env = "EXCHEQUER_PAYOUT_ETH_TIP_MAX_GWEI",
        global = true,
        value_name = "GWEI"
    )]
    pub eth_tip_max_gwei: Option<String>,

    /// Blocks after which a transaction that waits is replaced by itself; 0 for never. [default: 10]
    #[arg(
        long = "payout-eth-bump-after-blocks",
        env = "EXCHEQUER_PAYOUT_ETH_BUMP_AFTER_BLOCKS",
        global = true,
        value_name = "NUMBER"
    )]
    pub eth_bump_after_blocks: Option<String>,

    /// Move final deposits of the EVM chain to the account that pays when they are worth as many times their
    /// gas; 0 for never. With `by-hand` people sign each of them. [default: 0]
    #[arg(
        long = "payout-eth-sweep-multiple",
        env = "EXCHEQUER_PAYOUT_ETH_SWEEP_MULTIPLE",
        global = true,
        value_name = "NUMBER"
    )]
    pub eth_sweep_multiple: Option<String>,
}

impl PayoutArgs {
    /// What was given for a variable, by its name.
    pub fn value(&self, variable: &str) -> Option<String> {
        let value = match variable {
            "EXCHEQUER_PAYOUT_BTC_SIGNER" => &self.btc_signer,
            "EXCHEQUER_PAYOUT_BTC_TARGET_BLOCKS" => &self.btc_target_blocks,
            "EXCHEQUER_PAYOUT_BTC_RATE_MAX" => &self.btc_rate_max,
            "EXCHEQUER_PAYOUT_BTC_RATE_FALLBACK" => &self.btc_rate_fallback,
            "EXCHEQUER_PAYOUT_BTC_FEE_MAX" => &self.btc_fee_max,
            "EXCHEQUER_PAYOUT_BTC_FEE_MAX_PPM" => &self.btc_fee_max_ppm,
            "EXCHEQUER_PAYOUT_BTC_BATCH_MAX" => &self.btc_batch_max,
            "EXCHEQUER_PAYOUT_BTC_BUMP_AFTER_BLOCKS" => &self.btc_bump_after_blocks,
            "EXCHEQUER_PAYOUT_LTC_SIGNER" => &self.ltc_signer,
            "EXCHEQUER_PAYOUT_LTC_TARGET_BLOCKS" => &self.ltc_target_blocks,
            "EXCHEQUER_PAYOUT_LTC_RATE_MAX" => &self.ltc_rate_max,
            "EXCHEQUER_PAYOUT_LTC_RATE_FALLBACK" => &self.ltc_rate_fallback,
            "EXCHEQUER_PAYOUT_LTC_FEE_MAX" => &self.ltc_fee_max,
            "EXCHEQUER_PAYOUT_LTC_FEE_MAX_PPM" => &self.ltc_fee_max_ppm,
            "EXCHEQUER_PAYOUT_LTC_BATCH_MAX" => &self.ltc_batch_max,
            "EXCHEQUER_PAYOUT_LTC_BUMP_AFTER_BLOCKS" => &self.ltc_bump_after_blocks,
            "EXCHEQUER_PAYOUT_ETH_SIGNER" => &self.eth_signer,
            "EXCHEQUER_PAYOUT_ETH_FEE_MAX_GWEI" => &self.eth_fee_max_gwei,
            "EXCHEQUER_PAYOUT_ETH_TIP_MAX_GWEI" => &self.eth_tip_max_gwei,
            "EXCHEQUER_PAYOUT_ETH_BUMP_AFTER_BLOCKS" => &self.eth_bump_after_blocks,
            "EXCHEQUER_PAYOUT_ETH_SWEEP_MULTIPLE" => &self.eth_sweep_multiple,
            _ => return None,
        };
        value.clone()
    }
}
