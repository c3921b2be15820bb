//! The head of pages about a merchant: its logo and its name (`60-pages.md`, checkout).

use domain::view::{Brand, LogoFile};
use leptos::prelude::*;

/// The whole header, with the bar of test mode.
pub(super) fn shop_header(brand: &Brand, test_mode: bool) -> AnyView {
    let test_bar = test_mode
        .then(|| view! { <p class="test-bar"><strong>"Test mode."</strong> " No real money."</p> });
    let logo = brand.files.logo.clone().map(logo);
    let name = brand.name.clone();
    view! {
        <header class="pay-top">
            {test_bar}
            <p class="shop" dir="auto">{logo} {name}</p>
        </header>
    }
    .into_any()
}

/// The name stands beside it, so to a screen reader the picture adds nothing. Its size is given, so
/// that nothing moves when it arrives.
pub(super) fn logo(file: LogoFile) -> AnyView {
    let LogoFile {
        path,
        width,
        height,
    } = file;
    view! {
        <img class="logo" src=path width=width.to_string() height=height.to_string() alt=""/>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::view::BrandFiles;

    fn header(logo: Option<LogoFile>) -> String {
        let brand = Brand {
            name: "Café <b> Riga".to_owned(),
            accent: None,
            support_email: None,
            files: BrandFiles {
                logo,
                stylesheet: None,
            },
        };
        crate::render(move || shop_header(&brand, false))
    }

    #[test]
    fn the_logo_stands_before_the_name() {
        let html = header(Some(LogoFile {
            path: "/brand/1000/0011223344556677.png".to_owned(),
            width: 160,
            height: 48,
        }));
        let logo = html.find("src=\"/brand/1000/0011223344556677.png\"");
        assert!(logo.is_some() && logo < html.find("Café"), "{html}");
        for text in ["width=\"160\"", "height=\"48\"", "alt", "Café &lt;b"] {
            assert!(html.contains(text), "{text}: {html}");
        }
        assert!(!html.contains(" style="), "{html}");
    }

    #[test]
    fn without_a_logo_the_name_stands_alone() {
        assert!(!header(None).contains("<img"));
    }
}
