//! A signed transaction, read back from its bytes (EIP-1559 in RLP).

use signing::evm::{Account, Transaction};

/// The fields of a signed transaction; whether it is one is for `check_signed`.
pub(super) fn read(raw: &[u8]) -> Option<Transaction> {
    let mut left = list(raw.strip_prefix(&[2])?)?;
    let mut next = || {
        let (item, rest) = item(left)?;
        left = rest;
        Some(item)
    };
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u128, |number, byte| number * 256 + u128::from(*byte))
    };
    let chain_id = u64::try_from(number(next()?)).ok()?;
    let nonce = u64::try_from(number(next()?)).ok()?;
    let max_priority_fee_per_gas = number(next()?);
    let max_fee_per_gas = number(next()?);
    let gas_limit = u64::try_from(number(next()?)).ok()?;
    let to = Account(next()?.try_into().ok()?);
    let value = number(next()?);
    let data = next()?.to_vec();
    Some(Transaction {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas,
        max_priority_fee_per_gas,
        to,
        value,
        data,
    })
}

fn list(encoded: &[u8]) -> Option<&[u8]> {
    let (first, rest) = encoded.split_first()?;
    match *first {
        0xc0..=0xf7 => Some(rest),
        0xf8..=0xff => rest.get(usize::from(*first - 0xf7)..),
        _ => None,
    }
}

fn item(encoded: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = encoded.split_first()?;
    match *first {
        0x00..=0x7f => Some(encoded.split_at(1)),
        0x80..=0xb7 => rest.split_at_checked(usize::from(*first - 0x80)),
        0xb8 => {
            let (length, rest) = rest.split_first()?;
            rest.split_at_checked(usize::from(*length))
        }
        _ => None,
    }
}
