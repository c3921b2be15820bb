//! The calls and the event of ERC-20 that are used here.

use super::account::Account;

/// Keccak-256 of `Transfer(address,address,uint256)`: the first topic of every transfer.
pub(super) const TRANSFER_TOPIC: &str =
    "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/// `transfer(address,uint256)`.
const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
/// `balanceOf(address)`.
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];
/// `decimals()`.
const DECIMALS: [u8; 4] = [0x31, 0x3c, 0xe5, 0x67];

pub(super) fn balance_of(account: Account) -> Vec<u8> {
    [&BALANCE_OF[..], &account.to_word()].concat()
}

pub(super) fn decimals() -> Vec<u8> {
    DECIMALS.to_vec()
}

/// Whether call data, as a node writes it, asks to move tokens of the sender.
pub(super) fn is_transfer(input: &str) -> bool {
    let digits = input.strip_prefix("0x").unwrap_or(input);
    digits
        .get(..8)
        .is_some_and(|selector| selector.eq_ignore_ascii_case(&hex::encode(TRANSFER)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sha3::{Digest, Keccak256};

    use super::*;

    #[test]
    fn selectors_and_topic_are_the_hashes_of_the_signatures() {
        for (signature, selector) in [
            ("transfer(address,uint256)", TRANSFER),
            ("balanceOf(address)", BALANCE_OF),
            ("decimals()", DECIMALS),
        ] {
            assert_eq!(Keccak256::digest(signature)[..4], selector, "{signature}");
        }
        let topic = Keccak256::digest("Transfer(address,address,uint256)");
        assert_eq!(TRANSFER_TOPIC, format!("0x{}", hex::encode(topic)));
    }

    #[test]
    fn a_transfer_is_its_selector_and_two_words() {
        // Made with ethers 6.
        let call = "a9059cbb00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8\
                    000000000000000000000000000000000000000000000000000000000016e360";
        let to = signing::evm::Account(
            "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
                .parse::<Account>()
                .unwrap()
                .0,
        );
        let ours = signing::evm::Transaction::transfer_data(to, 1_500_000);
        assert_eq!(hex::encode(ours), call);
        assert!(is_transfer(&format!("0x{call}")));
        assert!(!is_transfer("0x"));
        assert!(!is_transfer("0x095ea7b3"));
    }
}
