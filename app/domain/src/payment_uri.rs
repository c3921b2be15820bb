//! Payment URIs: the link a payer clicks and the text inside the QR code.
//!
//! Two texts for two readers (`80-clarifications.md`, More). The link carries the payee's name and
//! the reference; the QR code carries address and amount only, and is upper-cased where the
//! address form allows it, because that makes the code smaller. What is written satisfies BIP 21
//! and its successor BIP 321 alike: plain decimals, lower-case keys, each key once, no `req-`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::money::parse_units;

/// Everything but the unreserved characters of RFC 3986; a space becomes `%20`, never `+`.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Digits after the point of one ether: its smallest unit is the wei.
const ETHER_DIGITS: u8 = 18;

/// A scheme with the keys of BIP 21, as data: a coin's own is one more of these, in the coin's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bip21 {
    /// Before the colon.
    pub name: &'static str,
    /// How addresses begin whose letters may all be upper case: bech32 (BIP 173) and CashAddr.
    /// Base58 and EIP-55 give case a meaning.
    pub caseless_starts: &'static [&'static str],
}

const BITCOIN: Bip21 = Bip21 {
    name: "bitcoin",
    caseless_starts: &["bc1", "tb1", "bcrt1"],
};

const LITECOIN: Bip21 = Bip21 {
    name: "litecoin",
    caseless_starts: &["ltc1", "tltc1", "rltc1"],
};

const BITCOIN_CASH: Bip21 = Bip21 {
    name: "bitcoincash",
    caseless_starts: &["q", "p"],
};

/// How a coin's payments are written as a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriScheme {
    /// `bitcoin:` (BIP 21, BIP 321), the test network included.
    Bitcoin,
    /// `litecoin:`, with the keys of BIP 21.
    Litecoin,
    /// `bitcoincash:`, with the keys of BIP 21. A CashAddr address already begins with it.
    BitcoinCash,
    /// Another coin's, with the keys of BIP 21.
    Bip21(&'static Bip21),
    /// `ethereum:` with the amount in wei (EIP-681). The scheme has no key for a name or a message.
    Ethereum,
    /// No URI, the bare address.
    ///
    /// For tokens: EIP-681 asks for `ethereum:<contract>/transfer?…`, which needs a token contract,
    /// and a simulated chain has none. `ethereum:<payee>` would make wallets send ether instead.
    AddressOnly,
}

impl UriScheme {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Bitcoin => Some(BITCOIN.name),
            Self::Litecoin => Some(LITECOIN.name),
            Self::BitcoinCash => Some(BITCOIN_CASH.name),
            Self::Bip21(scheme) => Some(scheme.name),
            Self::Ethereum => Some("ethereum"),
            Self::AddressOnly => None,
        }
    }

    /// The row of a scheme with the keys of BIP 21.
    const fn bip21(self) -> Option<&'static Bip21> {
        match self {
            Self::Bitcoin => Some(&BITCOIN),
            Self::Litecoin => Some(&LITECOIN),
            Self::BitcoinCash => Some(&BITCOIN_CASH),
            Self::Bip21(scheme) => Some(scheme),
            Self::Ethereum | Self::AddressOnly => None,
        }
    }

    fn caseless_starts(self) -> &'static [&'static str] {
        self.bip21()
            .map_or(&[][..], |scheme| scheme.caseless_starts)
    }

    const fn has_texts(self) -> bool {
        self.bip21().is_some()
    }
}

/// One payment to ask for.
#[derive(Debug, Clone, Copy)]
pub struct PaymentUri<'a> {
    pub scheme: UriScheme,
    /// The address as shown, in its canonical form.
    pub address: &'a str,
    /// Decimal amount of whole coins; trailing zeros are dropped.
    ///
    /// An amount outside the grammar of `80-clarifications.md` (an exponent, a comma, zero) is left
    /// out: a payer asked for the amount is better off than one whose wallet misreads it.
    pub amount: Option<&'a str>,
    /// Who is paid; left out when empty.
    pub label: Option<&'a str>,
    /// What for; left out when empty.
    pub message: Option<&'a str>,
}

impl PaymentUri<'_> {
    /// The clickable link with amount, label and message; `None` when the coin has no URI, for a
    /// bare address in a link would be read as a path on this site.
    pub fn link(&self) -> Option<String> {
        let name = self.scheme.name()?;
        let mut pairs: Vec<String> = self.amount_pair().into_iter().collect();
        if self.scheme.has_texts() {
            for (key, text) in [("label", self.label), ("message", self.message)] {
                let text = text.unwrap_or_default();
                if !text.is_empty() {
                    pairs.push(format!("{key}={}", utf8_percent_encode(text, QUERY_VALUE)));
                }
            }
        }
        let target = format!("{name}:{}", self.bare_address());
        Some(with_query(target, &pairs.join("&")))
    }

    /// The text to encode as a QR code: address and amount.
    ///
    /// Scheme and address are upper case where the address form has no case; keys stay lower case,
    /// since wallets following BIP 21 do not see `AMOUNT`.
    pub fn qr_text(&self) -> String {
        let Some(name) = self.scheme.name() else {
            return self.address.to_owned();
        };
        let address = self.bare_address();
        let mut target = format!("{name}:{address}");
        if self
            .scheme
            .caseless_starts()
            .iter()
            .any(|start| address.starts_with(*start))
        {
            target.make_ascii_uppercase();
        }
        with_query(target, &self.amount_pair().unwrap_or_default())
    }

    /// The address without a scheme of its own, so that `bitcoincash:` is never doubled.
    fn bare_address(&self) -> &str {
        match (self.address.split_once(':'), self.scheme.name()) {
            (Some((head, rest)), Some(name)) if head.eq_ignore_ascii_case(name) => rest,
            _ => self.address,
        }
    }

    fn amount_pair(&self) -> Option<String> {
        let amount = self.amount?;
        // No coin has more digits than ether, so this is also the grammar check for the others.
        let wei = parse_units(amount, ETHER_DIGITS, ETHER_DIGITS).ok()?;
        match self.scheme {
            UriScheme::Ethereum => Some(format!("value={wei}")),
            UriScheme::AddressOnly => None,
            UriScheme::Bitcoin
            | UriScheme::Litecoin
            | UriScheme::BitcoinCash
            | UriScheme::Bip21(_) => Some(format!("amount={}", shortest(amount))),
        }
    }
}

/// Drops the zeros that end a fraction, and the point when nothing is left of it.
fn shortest(amount: &str) -> &str {
    if amount.contains('.') {
        amount.trim_end_matches('0').trim_end_matches('.')
    } else {
        amount
    }
}

fn with_query(target: String, query: &str) -> String {
    if query.is_empty() {
        target
    } else {
        format!("{target}?{query}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const BASE58: &str = "175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W";
    const SEGWIT: &str = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";
    const CASH: &str = "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a";
    const ETHER: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";

    fn uri<'a>(scheme: UriScheme, address: &'a str, amount: &'a str) -> PaymentUri<'a> {
        PaymentUri {
            scheme,
            address,
            amount: Some(amount),
            label: None,
            message: None,
        }
    }

    #[test]
    fn examples_of_bip_321() {
        let mut uri = uri(UriScheme::Bitcoin, BASE58, "20.3");
        uri.amount = None;
        assert_eq!(
            uri.link().unwrap(),
            "bitcoin:175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W"
        );
        uri.label = Some("Luke-Jr");
        assert_eq!(
            uri.link().unwrap(),
            "bitcoin:175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W?label=Luke-Jr"
        );
        uri.amount = Some("50");
        uri.message = Some("Donation for project xyz");
        assert_eq!(
            uri.link().unwrap(),
            "bitcoin:175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W?amount=50&label=Luke-Jr\
             &message=Donation%20for%20project%20xyz"
        );
    }

    #[test]
    fn amounts_are_written_in_shortest_form() {
        for (given, written) in [
            ("20.30", "20.3"),
            ("0.00123456", "0.00123456"),
            ("0.00000001", "0.00000001"),
            ("100", "100"),
            ("100.00000000", "100"),
            ("10.10", "10.1"),
        ] {
            let link = uri(UriScheme::Bitcoin, SEGWIT, given).link().unwrap();
            assert_eq!(link, format!("bitcoin:{SEGWIT}?amount={written}"));
        }
    }

    #[test]
    fn an_amount_wallets_could_misread_is_left_out() {
        for amount in [
            "", "0", "0.00", "1e-3", "1,5", ".5", "5.", "+1", "-1", "01", " 1", "1&x=2",
        ] {
            for scheme in [UriScheme::Bitcoin, UriScheme::Ethereum] {
                let uri = uri(scheme, SEGWIT, amount);
                assert!(!uri.link().unwrap().contains('?'), "{amount:?}");
                assert!(!uri.qr_text().contains('?'), "{amount:?}");
            }
        }
    }

    #[test]
    fn texts_are_percent_encoded_and_never_open_a_new_key() {
        let uri = PaymentUri {
            scheme: UriScheme::Bitcoin,
            address: SEGWIT,
            amount: None,
            label: Some("Café & Söhne"),
            message: Some("a=b?c#d+e%20\"<>'\u{202e}"),
        };
        assert_eq!(
            uri.link().unwrap(),
            format!(
                "bitcoin:{SEGWIT}?label=Caf%C3%A9%20%26%20S%C3%B6hne\
                 &message=a%3Db%3Fc%23d%2Be%2520%22%3C%3E%27%E2%80%AE"
            )
        );
    }

    #[test]
    fn empty_texts_are_omitted() {
        let mut uri = uri(
            UriScheme::Litecoin,
            "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh",
            "1",
        );
        uri.label = Some("");
        uri.message = Some("");
        assert_eq!(
            uri.link().unwrap(),
            "litecoin:ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh?amount=1"
        );
    }

    #[test]
    fn qr_text_has_address_and_amount_only() {
        let mut uri = uri(UriScheme::Bitcoin, SEGWIT, "0.00123456");
        uri.label = Some("Shop");
        uri.message = Some("EX-ABCDEFGHIJ");
        assert_eq!(
            uri.qr_text(),
            "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU?amount=0.00123456"
        );
    }

    #[test]
    fn only_addresses_without_case_are_upper_cased() {
        for (scheme, address, qr_text) in [
            (
                UriScheme::Bitcoin,
                "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl",
                "BITCOIN:TB1Q6RZ28MCFAXTMD6V789L9RRLRUSDPRR9PQCPVKL?amount=1",
            ),
            (
                UriScheme::Litecoin,
                "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh",
                "LITECOIN:LTC1QJMXNZ78NMC8NQ77WUXH25N2ES7RZM5C2RKK4WH?amount=1",
            ),
            (
                UriScheme::BitcoinCash,
                CASH,
                "BITCOINCASH:QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A?amount=1",
            ),
            (
                UriScheme::Bitcoin,
                BASE58,
                "bitcoin:175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W?amount=1",
            ),
            (
                UriScheme::Litecoin,
                "LW3ByJXVHpiJsuy3u2sdieFQkXHtuk93Yi",
                "litecoin:LW3ByJXVHpiJsuy3u2sdieFQkXHtuk93Yi?amount=1",
            ),
            (
                UriScheme::Ethereum,
                ETHER,
                "ethereum:0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359?value=1000000000000000000",
            ),
        ] {
            assert_eq!(uri(scheme, address, "1.0").qr_text(), qr_text);
        }
    }

    #[test]
    fn cash_address_keeps_one_prefix() {
        let bare = CASH.trim_start_matches("bitcoincash:");
        for address in [CASH, bare] {
            let link = uri(UriScheme::BitcoinCash, address, "0.5").link().unwrap();
            assert_eq!(link, format!("{CASH}?amount=0.5"));
        }
    }

    #[test]
    fn ether_is_asked_for_in_wei_and_without_texts() {
        let mut uri = uri(UriScheme::Ethereum, ETHER, "2.014");
        uri.label = Some("Shop");
        assert_eq!(
            uri.link().unwrap(),
            "ethereum:0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359?value=2014000000000000000"
        );
        uri.amount = Some("0.000000000000000001");
        assert!(uri.link().unwrap().ends_with("?value=1"));
        uri.amount = Some("120000000");
        let link = uri.link().unwrap();
        assert!(link.ends_with("?value=120000000000000000000000000"));
    }

    #[test]
    fn a_token_has_no_link_and_shows_its_bare_address() {
        let uri = uri(UriScheme::AddressOnly, ETHER, "12.5");
        assert_eq!(uri.link(), None);
        assert_eq!(uri.qr_text(), ETHER);
    }
}
