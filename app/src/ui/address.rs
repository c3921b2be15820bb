//! Chain addresses and transaction ids.

use leptos::prelude::*;

/// Characters of a hash shown at its start and end in lists.
const HEAD: usize = 8;
const TAIL: usize = 6;

/// An address in full, in groups of four made by margins, so that what is selected has no spaces.
#[component]
pub fn Address(#[prop(into)] value: String) -> impl IntoView {
    let groups = fours(&value);
    view! {
        <bdi dir="ltr" class="addr" translate="no" data-copy=value>
            {groups.into_iter().map(|group| view! { <span>{group}</span> }).collect_view()}
        </bdi>
    }
}

/// First eight and last six characters; the whole is its title and its accessible name.
#[component]
pub fn ShortHash(#[prop(into)] value: String) -> impl IntoView {
    let short = shortened(&value);
    let title = value.clone();
    view! {
        <bdi dir="ltr" class="hash" translate="no" title=title>
            <span aria-hidden="true">{short}</span>
            <span class="vh">{value}</span>
        </bdi>
    }
}

fn fours(value: &str) -> Vec<String> {
    let mut groups = Vec::with_capacity(value.len() / 4 + 1);
    let mut group = String::new();
    for (at, letter) in value.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            groups.push(std::mem::take(&mut group));
        }
        group.push(letter);
    }
    groups.push(group);
    groups
}

fn shortened(value: &str) -> String {
    let length = value.chars().count();
    if length <= HEAD + TAIL + 1 {
        return value.to_owned();
    }
    let head: String = value.chars().take(HEAD).collect();
    let tail: String = value.chars().skip(length - TAIL).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_four_join_to_the_address() {
        let address = "bc1qufgy354j3kmvuch987xe4s40836x3h0lg8f5nq";
        let groups = fours(address);
        assert_eq!(groups[0], "bc1q");
        assert_eq!(groups.last().map(String::as_str), Some("nq"));
        assert_eq!(groups.concat(), address);
    }

    #[test]
    fn long_hashes_are_cut_in_the_middle() {
        assert_eq!(
            shortened("bc1qufgy354j3kmvuch987xe4s40836x3h0lg8f5nq"),
            "bc1qufgy…g8f5nq"
        );
        assert_eq!(shortened("123456789012345"), "123456789012345");
    }
}
