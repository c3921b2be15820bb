//! Options of the menus that filter a list. The first is empty: it asks for everything.

/// `any`, then each code.
pub(super) fn codes(any: &str, codes: Vec<String>) -> Vec<(String, String)> {
    let codes = codes.into_iter().map(|code| (code.clone(), code));
    first(any).chain(codes).collect()
}

/// `any`, then each stored word with what people call it.
pub(super) fn words(any: &str, words: &[(&str, &str)]) -> Vec<(String, String)> {
    let words = words
        .iter()
        .map(|(word, said)| ((*word).to_owned(), (*said).to_owned()));
    first(any).chain(words).collect()
}

fn first(any: &str) -> std::iter::Once<(String, String)> {
    std::iter::once((String::new(), any.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_asked_for_first() {
        let pair = |value: &str, text: &str| (value.to_owned(), text.to_owned());
        assert_eq!(
            codes("Any coin", vec!["BTC".to_owned()]),
            [pair("", "Any coin"), pair("BTC", "BTC")]
        );
        assert_eq!(
            words("Any status", &[("drafted", "unsigned")]),
            [pair("", "Any status"), pair("drafted", "unsigned")]
        );
    }
}
