//! Recursive length prefix, the encoding transactions are hashed and sent in. Written only: nothing
//! here has to be read back.

/// The longest length that is part of the first byte.
const SHORT_MAX: u8 = 55;
const STRING: u8 = 0x80;
const LIST: u8 = 0xc0;

/// A list that is being written, item by item.
#[derive(Debug, Clone, Default)]
pub(super) struct List(Vec<u8>);

impl List {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        match bytes {
            [byte] if *byte < STRING => self.0.push(*byte),
            _ => {
                self.0.extend(head(STRING, bytes.len()));
                self.0.extend(bytes);
            }
        }
        self
    }

    /// A number is its bytes without leading zeros, so zero is the empty string.
    pub(super) fn number(self, number: u128) -> Self {
        self.big_endian(&number.to_be_bytes())
    }

    /// A number of more bytes than any type here holds.
    pub(super) fn big_endian(self, bytes: &[u8]) -> Self {
        self.bytes(significant(bytes))
    }

    pub(super) fn list(mut self, list: Self) -> Self {
        self.0.extend(list.finish());
        self
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut encoded = head(LIST, self.0.len());
        encoded.extend(self.0);
        encoded
    }
}

fn head(kind: u8, length: usize) -> Vec<u8> {
    if let Ok(length) = u8::try_from(length)
        && length <= SHORT_MAX
    {
        return vec![kind + length];
    }
    let bytes = length.to_be_bytes();
    let digits = significant(&bytes);
    let mut head = vec![kind + SHORT_MAX];
    for digit in digits {
        head[0] += 1;
        head.push(*digit);
    }
    head
}

fn significant(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a list may hold.
    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Item {
        Bytes(Vec<u8>),
        List(Vec<Item>),
    }

    fn write(items: &[Item]) -> List {
        items.iter().fold(List::new(), |list, item| match item {
            Item::Bytes(bytes) => list.bytes(bytes),
            Item::List(items) => list.list(write(items)),
        })
    }

    /// Reads one item as the yellow paper defines it; answers the rest. Strict: one value has one
    /// encoding.
    fn read(encoded: &[u8]) -> (Item, &[u8]) {
        let (first, rest) = encoded.split_first().unwrap();
        match *first {
            0x00..=0x7f => (Item::Bytes(vec![*first]), rest),
            0x80..=0xb7 => {
                let (bytes, rest) = rest.split_at(usize::from(first - 0x80));
                assert!(bytes.len() != 1 || bytes[0] >= 0x80);
                (Item::Bytes(bytes.to_vec()), rest)
            }
            0xb8..=0xbf => {
                let (bytes, rest) = read_long(rest, usize::from(first - 0xb7));
                (Item::Bytes(bytes.to_vec()), rest)
            }
            0xc0..=0xf7 => {
                let (content, rest) = rest.split_at(usize::from(first - 0xc0));
                (Item::List(read_all(content)), rest)
            }
            0xf8..=0xff => {
                let (content, rest) = read_long(rest, usize::from(first - 0xf7));
                (Item::List(read_all(content)), rest)
            }
        }
    }

    fn read_long(rest: &[u8], digits: usize) -> (&[u8], &[u8]) {
        let (length, rest) = rest.split_at(digits);
        assert_ne!(length[0], 0);
        let length = length
            .iter()
            .fold(0, |length, digit| length * 256 + usize::from(*digit));
        assert!(length > 55);
        rest.split_at(length)
    }

    fn read_all(mut content: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        while !content.is_empty() {
            let (item, rest) = read(content);
            items.push(item);
            content = rest;
        }
        items
    }

    fn item() -> impl Strategy<Value = Item> {
        let bytes = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..4),
            proptest::collection::vec(any::<u8>(), 50..60),
            proptest::collection::vec(any::<u8>(), 250..260),
        ];
        let leaf = bytes.prop_map(Item::Bytes);
        leaf.prop_recursive(4, 32, 6, |inner| {
            proptest::collection::vec(inner, 0..6).prop_map(Item::List)
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(items in proptest::collection::vec(item(), 0..6)) {
            let encoded = write(&items).finish();
            let (read, rest) = read(&encoded);
            prop_assert!(rest.is_empty());
            prop_assert_eq!(read, Item::List(items));
        }

        #[test]
        fn numbers_have_no_leading_zeros(number in any::<u128>()) {
            let encoded = List::new().number(number).finish();
            let (Item::List(items), _) = read(&encoded) else { unreachable!() };
            let [Item::Bytes(bytes)] = items.as_slice() else { unreachable!() };
            prop_assert_ne!(bytes.first(), Some(&0));
            let value = bytes.iter().fold(0_u128, |value, byte| value * 256 + u128::from(*byte));
            prop_assert_eq!(value, number);
        }
    }

    #[track_caller]
    fn check(list: List, expected: &str) {
        assert_eq!(hex::encode(list.finish()), expected);
    }

    #[test]
    fn the_documented_examples_come_out() {
        check(List::new(), "c0");
        check(
            List::new().bytes(b"cat").bytes(b"dog"),
            "c88363617483646f67",
        );
        check(List::new().number(0), "c180");
        check(List::new().number(15), "c10f");
        check(List::new().number(1024), "c3820400");
        let nested = List::new()
            .list(List::new())
            .list(List::new().list(List::new()))
            .list(
                List::new()
                    .list(List::new())
                    .list(List::new().list(List::new())),
            );
        check(nested, "c7c0c1c0c3c0c1c0");
    }

    #[test]
    fn a_string_of_56_bytes_has_its_length_in_front() {
        let text = b"Lorem ipsum dolor sit amet, consectetur adipisicing elit";
        let encoded = List::new().bytes(text).finish();
        assert_eq!(encoded[..4], [0xf8, 58, 0xb8, 56]);
        assert_eq!(&encoded[4..], text);
    }
}
