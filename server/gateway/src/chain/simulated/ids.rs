use sha2::{Digest, Sha256};

use crate::chain::address::CoinFamily;

/// Bytes in every hash and id, on all chains we simulate.
const ID_BYTES: usize = 32;
/// `0x` and two digits a byte.
const ID_TEXT_MAX: usize = 2 + 2 * ID_BYTES;

/// Draws the hashes and ids of one chain: SHA-256 of a secret and a counter.
#[derive(Clone)]
pub(super) struct Ids {
    secret: [u8; 32],
    /// What the chain writes before the digits.
    prefix: &'static str,
    counter: i64,
}

impl Ids {
    pub(super) fn new(family: CoinFamily, secret: [u8; 32]) -> Self {
        let prefix = match family {
            CoinFamily::Bitcoin => "",
            CoinFamily::Evm => "0x",
        };
        Self {
            secret,
            prefix,
            counter: 0,
        }
    }

    /// The same ids, continuing after `counter` of them.
    pub(super) fn after(&self, counter: i64) -> Self {
        Self {
            counter,
            ..self.clone()
        }
    }

    /// How many were drawn so far.
    pub(super) fn counter(&self) -> i64 {
        self.counter
    }

    /// The next one, 64 hexadecimal digits after the prefix.
    pub(super) fn draw(&mut self) -> String {
        self.counter += 1;
        let hash = Sha256::new()
            .chain_update(self.secret)
            .chain_update(self.counter.to_be_bytes())
            .finalize();
        self.write(&hash)
    }

    /// The id of what this text names; never one that is drawn.
    pub(super) fn named(&self, name: &str) -> String {
        let hash = Sha256::new()
            .chain_update(self.secret)
            .chain_update(b"named ")
            .chain_update(name)
            .finalize();
        self.write(&hash)
    }

    /// All zeros: the parent of the first block.
    pub(super) fn none(&self) -> String {
        self.write(&[0; ID_BYTES])
    }

    /// Whether a text may be one of them at all, and may be asked for in the database.
    pub(super) fn is_shaped(text: &str) -> bool {
        text.len() <= ID_TEXT_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }

    fn write(&self, bytes: &[u8]) -> String {
        format!("{}{}", self.prefix, hex::encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_counter_gives_the_same_id() {
        let mut first = Ids::new(CoinFamily::Bitcoin, [7; 32]);
        let drawn: Vec<String> = (0..5).map(|_| first.draw()).collect();
        assert_eq!(first.counter(), 5);
        let mut again = first.after(3);
        assert_eq!(
            [again.draw(), again.draw()],
            [drawn[3].clone(), drawn[4].clone()]
        );
    }

    #[test]
    fn ids_differ_within_a_chain_and_between_chains() {
        let mut chains = [[1; 32], [2; 32]].map(|secret| Ids::new(CoinFamily::Bitcoin, secret));
        let drawn: BTreeSet<String> = chains
            .iter_mut()
            .flat_map(|ids| [ids.draw(), ids.draw(), ids.draw()])
            .collect();
        assert_eq!(drawn.len(), 6);
    }

    #[test]
    fn ids_are_64_digits_and_evm_ones_say_so() {
        let mut bitcoin = Ids::new(CoinFamily::Bitcoin, [0; 32]);
        let mut evm = Ids::new(CoinFamily::Evm, [0; 32]);
        let (plain, marked) = (bitcoin.draw(), evm.draw());
        assert_eq!(plain.len(), 64);
        assert_eq!(marked, format!("0x{plain}"));
        assert_eq!(bitcoin.none(), "0".repeat(64));
        assert!(Ids::is_shaped(&plain) && Ids::is_shaped(&marked));
    }

    #[test]
    fn other_texts_are_never_looked_up() {
        for text in ["a b", "a\0", "ä", &"a".repeat(67)] {
            assert!(!Ids::is_shaped(text), "{text:?}");
        }
    }
}
