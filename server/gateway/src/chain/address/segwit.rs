//! Segwit addresses: bech32 for witness version 0 (BIP 173), bech32m for the others (BIP 350).

use bech32::Hrp;
use bech32::primitives::decode::SegwitHrpstringError;
use bech32::segwit::{DecodeError, EncodeError};

use super::{Address, AddressError, is_mixed_case};

/// The opcode that pushes witness version `v` is this plus `v`, except for version 0.
const OP_VERSION_BASE: u8 = 0x50;

/// Writes the address of a version 0 witness program: a public key's HASH160 for P2WPKH.
pub(super) fn encode_v0(hrp: &str, program: &[u8]) -> Result<String, EncodeError> {
    bech32::segwit::encode_v0(Hrp::parse_unchecked(hrp), program)
}

/// Whether the text begins with the human-readable part and its separator, in any case.
pub(super) fn is_prefixed(text: &str, hrp: &str) -> bool {
    text.split_once('1')
        .is_some_and(|(head, _)| head.eq_ignore_ascii_case(hrp))
}

/// Reads an address of the network `hrp`.
///
/// Witness versions without a meaning yet are accepted, as BIP 350 asks, so that an upgrade of the
/// chain needs none of ours.
pub(super) fn parse(text: &str, hrp: &str) -> Result<Address, AddressError> {
    if is_mixed_case(text) {
        return Err(AddressError::MixedCase);
    }
    let (found, version, program) = bech32::segwit::decode(text).map_err(refusal)?;
    if found != Hrp::parse_unchecked(hrp) {
        return Err(AddressError::OtherCoin);
    }
    let version = match version.to_u8() {
        0 => 0,
        number => OP_VERSION_BASE + number,
    };
    let length = u8::try_from(program.len()).map_err(|_| AddressError::Malformed)?;
    let mut script = vec![version, length];
    script.extend_from_slice(&program);
    Ok(Address {
        canonical: text.to_ascii_lowercase(),
        script,
    })
}

fn refusal(error: DecodeError) -> AddressError {
    match error.0 {
        SegwitHrpstringError::Checksum(_) => AddressError::Checksum,
        _ => AddressError::Malformed,
    }
}
