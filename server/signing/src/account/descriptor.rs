//! Output descriptors of a single key (BIPs 380 to 382 and 389): their checksum, reading, writing.
//!
//! Only the three forms an account can have are read, so that nothing is accepted and then spent
//! from in another way than its wallet would.

use bitcoin::bip32::{DerivationPath, Fingerprint};

use super::{Account, AccountError, Origin, extended_key};
use crate::chain::ChainParams;
use crate::script_kind::ScriptKind;

/// Characters a descriptor may have, in the order the checksum numbers them.
const CHARACTERS: &str = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";

/// Characters of the checksum itself, those of bech32.
const CHECKSUM_CHARACTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

const CHECKSUM_LENGTH: usize = 8;

/// The polynomial of the code over GF(32), one coefficient for each bit.
const GENERATOR: [u64; 5] = [
    0xf5_dee5_1989,
    0xa9_fdca_3312,
    0x1b_ab10_e32d,
    0x37_06b1_677a,
    0x64_4d62_6ffd,
];

/// Reads a descriptor. One without a checksum is read too, as wallets show it.
pub(super) fn parse(text: &str, chain: &ChainParams) -> Result<Account, AccountError> {
    let body = match text.split_once('#') {
        Some((body, sum)) => {
            if checksum(body).as_deref() != Some(sum) {
                return Err(AccountError::Checksum);
            }
            body
        }
        None => text,
    };
    let (kind, expression) = split_script(body)?;
    let (origin, rest) = match expression.strip_prefix('[') {
        Some(rest) => {
            let (origin, rest) = rest.split_once(']').ok_or(AccountError::Origin)?;
            (Some(parse_origin(origin)?), rest)
        }
        None => (None, expression),
    };
    let (key, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (key, said) = extended_key::public_key(key, chain)?;
    if said.is_some_and(|said| said != kind) {
        return Err(AccountError::KindsDiffer);
    }
    match path {
        "0/*" | "<0;1>/*" => Ok(Account::new(kind, key, origin)),
        "" => Err(AccountError::Path("a single key".to_owned())),
        other => Err(AccountError::Path(format!("/{other}"))),
    }
}

/// The kind of script around a key, and the key with what belongs to it.
fn split_script(body: &str) -> Result<(ScriptKind, &str), AccountError> {
    let forms = [
        ("wpkh(", ")", ScriptKind::P2wpkh),
        ("sh(wpkh(", "))", ScriptKind::P2shP2wpkh),
        ("pkh(", ")", ScriptKind::P2pkh),
    ];
    for (head, tail, kind) in forms {
        let inner = body
            .strip_prefix(head)
            .and_then(|rest| rest.strip_suffix(tail));
        if let Some(inner) = inner {
            return Ok((kind, inner));
        }
    }
    if body.contains("multi") {
        return Err(AccountError::SeveralSigners);
    }
    let function = body.split_once('(').map_or(body, |(name, _)| name);
    Err(AccountError::Script(format!("{function}(…)")))
}

fn parse_origin(text: &str) -> Result<Origin, AccountError> {
    let (fingerprint, path) = text.split_once('/').unwrap_or((text, ""));
    let fingerprint = hex::decode(fingerprint)
        .ok()
        .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
        .map(Fingerprint::from)
        .ok_or(AccountError::Origin)?;
    // An empty path is that of the master key itself.
    let path: DerivationPath = if path.is_empty() {
        DerivationPath::master()
    } else {
        path.replace('H', "h")
            .parse()
            .map_err(|_| AccountError::Origin)?
    };
    Ok(Origin { fingerprint, path })
}

/// Writes the descriptor of both branches, with its checksum.
pub(super) fn write(account: &Account) -> String {
    let origin = match account.origin() {
        None => String::new(),
        Some(Origin { fingerprint, path }) if path.is_empty() => format!("[{fingerprint}]"),
        Some(Origin { fingerprint, path }) => format!("[{fingerprint}/{path}]"),
    };
    let key = format!("{origin}{}/<0;1>/*", account.key());
    let body = match account.kind() {
        ScriptKind::P2wpkh => format!("wpkh({key})"),
        ScriptKind::P2shP2wpkh => format!("sh(wpkh({key}))"),
        ScriptKind::P2pkh => format!("pkh({key})"),
    };
    match checksum(&body) {
        Some(sum) => format!("{body}#{sum}"),
        None => body,
    }
}

/// The checksum of BIP 380; `None` when a character cannot be in a descriptor.
fn checksum(body: &str) -> Option<String> {
    let mut state = 1;
    let mut group = 0;
    let mut grouped = 0_u8;
    for character in body.chars() {
        let position = u64::try_from(CHARACTERS.find(character)?).ok()?;
        state = advance(state, position & 31);
        // The upper parts of three characters make one more symbol.
        group = group * 3 + (position >> 5);
        grouped += 1;
        if grouped == 3 {
            state = advance(state, group);
            group = 0;
            grouped = 0;
        }
    }
    if grouped > 0 {
        state = advance(state, group);
    }
    for _ in 0..CHECKSUM_LENGTH {
        state = advance(state, 0);
    }
    state ^= 1;
    let mut text = String::with_capacity(CHECKSUM_LENGTH);
    for place in (0..CHECKSUM_LENGTH).rev() {
        let symbol = usize::try_from((state >> (5 * place)) & 31).ok()?;
        text.push(char::from(*CHECKSUM_CHARACTERS.get(symbol)?));
    }
    Some(text)
}

/// One step of the code: the state times x, plus a symbol, modulo the generator.
fn advance(state: u64, symbol: u64) -> u64 {
    let top = state >> 35;
    let mut next = ((state & 0x7_ffff_ffff) << 5) ^ symbol;
    for (bit, term) in GENERATOR.iter().enumerate() {
        if (top >> bit) & 1 == 1 {
            next ^= term;
        }
    }
    next
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// BIP 380's test vectors.
    #[test]
    fn the_checksum_is_that_of_bip_380() {
        assert_eq!(checksum("raw(deadbeef)").as_deref(), Some("89f8spxm"));
        assert_ne!(checksum("raw(deedbeef)").as_deref(), Some("89f8spxm"));
        assert_eq!(checksum("raw(Ü)"), None);
    }

    #[test]
    fn every_character_counts() {
        let body = "wpkh([73c5da0a/84'/0'/0']xpub/<0;1>/*)";
        let sum = checksum(body);
        for place in 0..body.len() {
            let mut changed = body.to_owned();
            changed.replace_range(place..=place, "~");
            assert_ne!(checksum(&changed), sum, "{changed}");
        }
    }
}
