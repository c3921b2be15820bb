//! Shapes of values people enter: e-mail addresses, links, countries.

use url::Url;

/// Characters of a link at most.
pub const URL_CHARS_MAX: usize = 2_000;

const EMAIL_LOCAL_CHARS_MAX: usize = 64;

/// ISO 3166-1 alpha-2, officially assigned codes, sorted.
#[rustfmt::skip]
const COUNTRIES: [&str; 249] = [
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ",
    "BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS",
    "BT", "BV", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN",
    "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE",
    "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF",
    "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM",
    "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM",
    "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC",
    "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK",
    "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA",
    "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG",
    "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW",
    "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS",
    "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO",
    "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI",
    "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

/// An assigned ISO 3166-1 alpha-2 code, in upper case.
pub fn is_country(code: &str) -> bool {
    COUNTRIES.binary_search(&code).is_ok()
}

/// Plausible, not proven: one `@`, no blanks, a host name with a dot. Only a mail that arrives
/// proves an address.
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else {
        return false;
    };
    let local_fits = !local.is_empty()
        && local.chars().count() <= EMAIL_LOCAL_CHARS_MAX
        && !local
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "<>,;:\"\\()[]".contains(c));
    let label_fits = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    local_fits && host.contains('.') && host.split('.').all(label_fits)
}

/// Why a text is not a link that a payer may be sent to; a sentence without the field's name.
///
/// Stricter than a browser, which reads `https:evil`, `\\evil` and links with line breaks too.
pub fn check_link(text: &str) -> Result<(), &'static str> {
    if text.chars().count() > URL_CHARS_MAX {
        return Err("must have at most 2000 characters");
    }
    let lower = text.to_ascii_lowercase();
    let schemed = lower.starts_with("https://") || lower.starts_with("http://");
    let blank = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if !schemed || text.contains(blank) {
        return Err("must be an http or https URL");
    }
    let Ok(url) = Url::parse(text) else {
        return Err("must be an http or https URL");
    };
    if !url.username().is_empty() || url.password().is_some() || has_userinfo(text) {
        return Err("must not contain a user name or password");
    }
    Ok(())
}

/// Also an empty one, which parsing drops: `https://@host`.
fn has_userinfo(text: &str) -> bool {
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = after_scheme
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default();
    authority.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_sorted_and_distinct() {
        assert!(COUNTRIES.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn only_assigned_upper_case_codes_are_countries() {
        for code in ["LV", "IN", "US", "AX", "ZW"] {
            assert!(is_country(code), "{code}");
        }
        for code in ["lv", "LVA", "XX", "EU", "UK", "", "L"] {
            assert!(!is_country(code), "{code}");
        }
    }

    #[test]
    fn plausible_addresses() {
        for text in [
            "inga@inbox.lv",
            "a.b+tag@mail.example.com",
            "o'brien@example.ie",
            "инга@почта.рф",
            "x@xn--e1aybc.example",
        ] {
            assert!(is_email(text), "{text}");
        }
        for text in [
            "inga",
            "inga@",
            "@inbox.lv",
            "inga@inbox",
            "inga@@inbox.lv",
            "inga@in box.lv",
            "in ga@inbox.lv",
            "inga@inbox..lv",
            "inga@-inbox.lv",
            "inga@inbox.lv\r\nBcc: x@y.zz",
            "inga\n@inbox.lv",
            "<inga@inbox.lv>",
            "a@b.c,d@e.f",
        ] {
            assert!(!is_email(text), "{text}");
        }
        assert!(!is_email(&format!("{}@inbox.lv", "x".repeat(65))));
    }

    #[test]
    fn links_a_payer_may_be_sent_to() {
        for text in [
            "https://example.com/success",
            "http://127.0.0.1:9000/a?b=c#d",
            "HTTPS://EXAMPLE.COM",
            "https://пример.рф/готово",
            "https://example.com/a@b?c=d@e",
        ] {
            assert_eq!(check_link(text), Ok(()), "{text}");
        }
        for text in [
            "",
            "example.com",
            "//evil.example",
            "https:evil.example",
            "https:/evil.example",
            "\\\\evil.example",
            "https:\\\\evil.example",
            "https://",
            "https://evil.example/\r\nSet-Cookie: x",
            " https://evil.example",
            "https://evil.example/a b",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://example.com",
            "https://ok.example@evil.example/",
            "https://user:secret@example.com/",
            "https://@example.com/",
        ] {
            assert!(check_link(text).is_err(), "{text}");
        }
        let long = format!("https://example.com/{}", "x".repeat(URL_CHARS_MAX));
        assert!(check_link(&long).is_err());
    }
}
