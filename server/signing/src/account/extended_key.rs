//! Extended keys with the version bytes that tell the kind of script (SLIP 132), made into those of
//! BIP 32.

use bitcoin::bip32::{Xpriv, Xpub};
use bitcoin::{NetworkKind, base58};

use super::AccountError;
use crate::chain::ChainParams;
use crate::script_kind::ScriptKind;

/// Bytes of an extended key.
const LENGTH: usize = 78;

/// Most base58 characters of that and its checksum.
const TEXT_LENGTH_MAX: usize = 113;

/// What the first four bytes of an extended key say.
struct Version {
    public: [u8; 4],
    private: [u8; 4],
    network: NetworkKind,
    script: Said,
}

/// What an extended key says it locks.
#[derive(Clone, Copy)]
enum Said {
    /// Nothing: wallets write these for every kind of script.
    Nothing,
    One(ScriptKind),
    SeveralSigners,
}

/// SLIP 132, the rows of Bitcoin and Litecoin. Litecoin's wallets write Bitcoin's as well.
static VERSIONS: [Version; 13] = {
    use NetworkKind::{Main, Test};
    use Said::{Nothing, One, SeveralSigners};
    use ScriptKind::{P2pkh, P2shP2wpkh, P2wpkh};
    [
        // xpub, ypub, zpub, Ypub, Zpub
        version(0x0488_b21e, 0x0488_ade4, Main, Nothing),
        version(0x049d_7cb2, 0x049d_7878, Main, One(P2shP2wpkh)),
        version(0x04b2_4746, 0x04b2_430c, Main, One(P2wpkh)),
        version(0x0295_b43f, 0x0295_b005, Main, SeveralSigners),
        version(0x02aa_7ed3, 0x02aa_7a99, Main, SeveralSigners),
        // tpub, upub, vpub, Upub, Vpub
        version(0x0435_87cf, 0x0435_8394, Test, Nothing),
        version(0x044a_5262, 0x044a_4e28, Test, One(P2shP2wpkh)),
        version(0x045f_1cf6, 0x045f_18bc, Test, One(P2wpkh)),
        version(0x0242_89ef, 0x0242_85b5, Test, SeveralSigners),
        version(0x0257_5483, 0x0257_5048, Test, SeveralSigners),
        // Ltub, Mtub, ttub
        version(0x019d_a462, 0x019d_9cfe, Main, One(P2pkh)),
        version(0x01b2_6ef6, 0x01b2_6792, Main, One(P2shP2wpkh)),
        version(0x0436_f6e1, 0x0436_ef7d, Test, Nothing),
    ]
};

const fn version(public: u32, private: u32, network: NetworkKind, script: Said) -> Version {
    Version {
        public: public.to_be_bytes(),
        private: private.to_be_bytes(),
        network,
        script,
    }
}

/// BIP 32's own version bytes: public and private.
const fn plain(network: NetworkKind) -> ([u8; 4], [u8; 4]) {
    match network {
        NetworkKind::Main => ([0x04, 0x88, 0xb2, 0x1e], [0x04, 0x88, 0xad, 0xe4]),
        NetworkKind::Test => ([0x04, 0x35, 0x87, 0xcf], [0x04, 0x35, 0x83, 0x94]),
    }
}

/// An extended key with its version taken off.
struct Decoded {
    is_private: bool,
    said: Said,
    /// With the version bytes of BIP 32.
    bytes: Vec<u8>,
}

/// Reads a public key, and the kind of script it says it is for.
///
/// # Errors
/// See [`AccountError`]; [`AccountError::Private`] before anything else is looked at.
pub(super) fn public_key(
    text: &str,
    chain: &ChainParams,
) -> Result<(Xpub, Option<ScriptKind>), AccountError> {
    let decoded = decode(text, chain, false)?;
    let key = Xpub::decode(&decoded.bytes).map_err(|_| AccountError::Malformed)?;
    Ok((key, kind(decoded.said)?))
}

/// Reads a private key, and the kind of script it says it is for.
///
/// # Errors
/// See [`AccountError`]; a public key is [`AccountError::Malformed`].
pub(crate) fn private_key(
    text: &str,
    chain: &ChainParams,
) -> Result<(Xpriv, Option<ScriptKind>), AccountError> {
    let decoded = decode(text, chain, true)?;
    if !decoded.is_private {
        return Err(AccountError::Malformed);
    }
    let key = Xpriv::decode(&decoded.bytes).map_err(|_| AccountError::Malformed)?;
    Ok((key, kind(decoded.said)?))
}

fn kind(said: Said) -> Result<Option<ScriptKind>, AccountError> {
    match said {
        Said::Nothing => Ok(None),
        Said::One(kind) => Ok(Some(kind)),
        Said::SeveralSigners => Err(AccountError::SeveralSigners),
    }
}

fn decode(text: &str, chain: &ChainParams, allow_private: bool) -> Result<Decoded, AccountError> {
    // Decoding takes quadratic time, so longer texts are not tried.
    if text.len() > TEXT_LENGTH_MAX {
        return Err(AccountError::Malformed);
    }
    let mut bytes = base58::decode_check(text).map_err(|error| {
        // Only a text that looks like a key has a checksum to be wrong.
        match error {
            base58::Error::IncorrectChecksum(_) if looks_like_key(text) => AccountError::Checksum,
            _ => AccountError::Malformed,
        }
    })?;
    if bytes.len() != LENGTH {
        return Err(AccountError::Malformed);
    }
    let found = VERSIONS
        .iter()
        .find_map(|row| {
            let is_private = bytes.starts_with(&row.private);
            (is_private || bytes.starts_with(&row.public)).then_some((row, is_private))
        })
        .ok_or(AccountError::Malformed)?;
    let (row, is_private) = found;
    if is_private && !allow_private {
        return Err(AccountError::Private);
    }
    if row.network != chain.keys {
        return Err(AccountError::OtherNetwork {
            found: match row.network {
                NetworkKind::Main => "a main network",
                NetworkKind::Test => "a test network",
            },
            chain: chain.name,
        });
    }
    let (public, private) = plain(row.network);
    let version = if is_private { private } else { public };
    for (byte, plain) in bytes.iter_mut().zip(version) {
        *byte = plain;
    }
    Ok(Decoded {
        is_private,
        said: row.script,
        bytes,
    })
}

fn looks_like_key(text: &str) -> bool {
    text.get(1..4)
        .is_some_and(|letters| matches!(letters, "pub" | "prv" | "tub" | "tpv"))
}
