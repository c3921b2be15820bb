//! Recursive length prefix, as far as transactions need it. Reading is strict: one value, one encoding.

/// The longest length that is part of the first byte.
const SHORT_MAX: usize = 55;
const STRING: u8 = 0x80;
const LIST: u8 = 0xc0;

pub(super) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes {
        [byte] if *byte < STRING => out.push(*byte),
        _ => {
            push_head(out, STRING, bytes.len());
            out.extend_from_slice(bytes);
        }
    }
}

/// A number is its bytes without leading zeros, so zero is the empty string.
pub(super) fn push_number(out: &mut Vec<u8>, big_endian: &[u8]) {
    push_bytes(out, significant(big_endian));
}

/// What is in the list, with its head.
pub(super) fn list(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 9);
    push_head(&mut out, LIST, content.len());
    out.extend_from_slice(content);
    out
}

/// The content of each item of a list; `None` when it is not exactly one list.
pub(super) fn items(encoded: &[u8]) -> Option<Vec<&[u8]>> {
    let (content, rest) = take(encoded, true)?;
    if !rest.is_empty() {
        return None;
    }
    let mut items = Vec::new();
    let mut left = content;
    while let Some(first) = left.first() {
        let (item, rest) = take(left, *first >= LIST)?;
        items.push(item);
        left = rest;
    }
    Some(items)
}

/// The first item's content, and what is behind it.
fn take(encoded: &[u8], is_list: bool) -> Option<(&[u8], &[u8])> {
    let (first, rest) = encoded.split_first()?;
    let base = if is_list { LIST } else { STRING };
    if *first < base {
        // A byte below 0x80 is itself.
        return (!is_list).then(|| encoded.split_at(1));
    }
    let short = usize::from(first - base);
    let (length, rest) = if short <= SHORT_MAX {
        (short, rest)
    } else {
        let digits = short - SHORT_MAX;
        if digits > 4 || rest.len() < digits {
            return None;
        }
        let (digits, rest) = rest.split_at(digits);
        let length = digits
            .iter()
            .fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
        if digits.first() == Some(&0) || length <= SHORT_MAX {
            return None;
        }
        (length, rest)
    };
    if rest.len() < length {
        return None;
    }
    let (content, rest) = rest.split_at(length);
    let is_padded = !is_list && matches!(content, [byte] if *byte < STRING);
    (!is_padded).then_some((content, rest))
}

fn push_head(out: &mut Vec<u8>, kind: u8, length: usize) {
    if length <= SHORT_MAX {
        out.push(kind + u8::try_from(length).unwrap_or(u8::MAX));
        return;
    }
    let bytes = length.to_be_bytes();
    let digits = significant(&bytes);
    let count = u8::try_from(digits.len()).unwrap_or(u8::MAX);
    out.push(kind + 55 + count);
    out.extend_from_slice(digits);
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

    #[test]
    fn the_documented_examples_come_out() {
        let mut content = Vec::new();
        push_bytes(&mut content, b"cat");
        push_bytes(&mut content, b"dog");
        assert_eq!(hex::encode(list(&content)), "c88363617483646f67");
        assert_eq!(hex::encode(list(&[])), "c0");
        for (number, expected) in [(0_u64, "80"), (15, "0f"), (1024, "820400")] {
            let mut out = Vec::new();
            push_number(&mut out, &number.to_be_bytes());
            assert_eq!(hex::encode(out), expected);
        }
    }

    #[test]
    fn a_value_has_one_encoding() {
        // One byte with a head it does not need; a long head for a short list; a cut one; two lists.
        for wrong in ["c28105", "f80183", "c28363", "c0c0", "83636174", ""] {
            assert_eq!(items(&hex::decode(wrong).unwrap()), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6),
        ) {
            let mut content = Vec::new();
            for value in &values {
                push_bytes(&mut content, value);
            }
            let encoded = list(&content);
            let read: Vec<Vec<u8>> = items(&encoded).unwrap().into_iter().map(<[u8]>::to_vec).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn nothing_makes_the_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = items(&bytes);
        }
    }
}
