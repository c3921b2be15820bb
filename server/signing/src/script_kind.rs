//! The scripts whose coins can be spent here, all of a single key, and what spending them weighs.

use bitcoin::{CompressedPublicKey, Script, ScriptBuf};
use serde::{Deserialize, Serialize};

/// Weight units of an outpoint and a sequence number: 36 and 4 bytes, none of them witness.
const OUTPOINT_AND_SEQUENCE: u64 = (36 + 4) * 4;

/// A DER signature with its hash type takes at most 72 bytes: nodes relay none with a high S, and
/// R may need a byte of sign.
const SIGNATURE_MAX: u64 = 72;

/// Bytes of a compressed public key.
const PUBLIC_KEY: u64 = 33;

/// How an account locks its coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScriptKind {
    /// Witness public key hash, `bc1q…` (BIP 84).
    P2wpkh,
    /// The same within a script hash, `3…` (BIP 49).
    #[serde(rename = "p2sh-p2wpkh")]
    P2shP2wpkh,
    /// Public key hash, `1…` (BIP 44).
    P2pkh,
}

impl ScriptKind {
    /// The kind a script to be spent has. A script hash is taken for the nested form, the only one
    /// here; that it is one shows when the key is derived.
    pub fn of(script: &Script) -> Option<Self> {
        if script.is_p2wpkh() {
            Some(Self::P2wpkh)
        } else if script.is_p2sh() {
            Some(Self::P2shP2wpkh)
        } else if script.is_p2pkh() {
            Some(Self::P2pkh)
        } else {
            None
        }
    }

    /// First level of the derivation path, hardened.
    pub const fn purpose(self) -> u32 {
        match self {
            Self::P2wpkh => 84,
            Self::P2shP2wpkh => 49,
            Self::P2pkh => 44,
        }
    }

    /// Whether the signature is in the witness.
    pub const fn is_segwit(self) -> bool {
        match self {
            Self::P2wpkh | Self::P2shP2wpkh => true,
            Self::P2pkh => false,
        }
    }

    /// Weight units of an input with the longest signature. The one unit more that a legacy input
    /// takes among others with a witness is counted with the transaction.
    pub const fn input_weight(self) -> u64 {
        // Number of elements, then each with its length before it.
        let witness = 1 + 1 + SIGNATURE_MAX + 1 + PUBLIC_KEY;
        match self {
            Self::P2wpkh => OUTPOINT_AND_SEQUENCE + 4 + witness,
            // The length of the script, its one push, and the 22 bytes pushed.
            Self::P2shP2wpkh => OUTPOINT_AND_SEQUENCE + (1 + 1 + 22) * 4 + witness,
            Self::P2pkh => OUTPOINT_AND_SEQUENCE + (1 + 1 + SIGNATURE_MAX + 1 + PUBLIC_KEY) * 4,
        }
    }

    /// The scriptPubkey of a key.
    pub fn script(self, key: &CompressedPublicKey) -> ScriptBuf {
        match self {
            Self::P2wpkh => ScriptBuf::new_p2wpkh(&key.wpubkey_hash()),
            Self::P2shP2wpkh => ScriptBuf::new_p2sh(&redeem_script(key).script_hash()),
            Self::P2pkh => ScriptBuf::new_p2pkh(&key.pubkey_hash()),
        }
    }
}

/// The witness program a nested script hash stands for.
pub fn redeem_script(key: &CompressedPublicKey) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&key.wpubkey_hash())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn weights_are_those_of_the_longest_signature() {
        // 68, 91 and 148 virtual bytes, as everybody counts them.
        assert_eq!(ScriptKind::P2wpkh.input_weight(), 272);
        assert_eq!(ScriptKind::P2shP2wpkh.input_weight(), 364);
        assert_eq!(ScriptKind::P2pkh.input_weight(), 592);
    }

    #[test]
    fn a_script_tells_its_kind() {
        for kind in [
            ScriptKind::P2wpkh,
            ScriptKind::P2shP2wpkh,
            ScriptKind::P2pkh,
        ] {
            let script = samples::account(kind)
                .script(crate::Branch::Receiving, 0)
                .unwrap();
            assert_eq!(ScriptKind::of(&script), Some(kind));
        }
        assert_eq!(ScriptKind::of(&samples::payee(0x51)), None);
    }
}
