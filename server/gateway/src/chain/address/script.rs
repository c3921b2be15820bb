//! Output scripts of the addresses that name a hash.

const OP_DUP: u8 = 0x76;
const OP_EQUAL: u8 = 0x87;
const OP_EQUALVERIFY: u8 = 0x88;
const OP_HASH160: u8 = 0xa9;
const OP_HASH256: u8 = 0xaa;
const OP_CHECKSIG: u8 = 0xac;

/// What has to be shown to spend an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// A signature by the key with this HASH160 (P2PKH).
    PubkeyHash([u8; 20]),
    /// A script with this HASH160 (P2SH, BIP 16).
    ScriptHash([u8; 20]),
    /// A script with this double SHA-256 (P2SH32 of Bitcoin Cash, CHIP-2022-05).
    ScriptHash32([u8; 32]),
}

impl Lock {
    /// The lock of an output script; `None` for every other kind.
    pub(super) fn of_script(script: &[u8]) -> Option<Self> {
        match script {
            [
                OP_DUP,
                OP_HASH160,
                20,
                hash @ ..,
                OP_EQUALVERIFY,
                OP_CHECKSIG,
            ] => hash.try_into().ok().map(Self::PubkeyHash),
            [OP_HASH160, 20, hash @ .., OP_EQUAL] => hash.try_into().ok().map(Self::ScriptHash),
            [OP_HASH256, 32, hash @ .., OP_EQUAL] => hash.try_into().ok().map(Self::ScriptHash32),
            _ => None,
        }
    }

    pub(super) fn script_pubkey(&self) -> Vec<u8> {
        match self {
            Self::PubkeyHash(hash) => pushing(
                &[OP_DUP, OP_HASH160, 20],
                hash,
                &[OP_EQUALVERIFY, OP_CHECKSIG],
            ),
            Self::ScriptHash(hash) => pushing(&[OP_HASH160, 20], hash, &[OP_EQUAL]),
            Self::ScriptHash32(hash) => pushing(&[OP_HASH256, 32], hash, &[OP_EQUAL]),
        }
    }
}

/// A script around one hash; `before` ends with the length of the hash, which pushes it.
fn pushing(before: &[u8], hash: &[u8], after: &[u8]) -> Vec<u8> {
    [before, hash, after].concat()
}
