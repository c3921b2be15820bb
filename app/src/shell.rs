//! The document around every page.

use leptos::prelude::*;

/// Which of the two bundles a page links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stylesheet {
    /// Pages a customer sees: small, because it is part of the checkout's weight.
    Pay,
    /// Everything.
    App,
}

impl Stylesheet {
    fn href(self) -> &'static str {
        match self {
            Self::Pay => "/pkg/pay.css",
            Self::App => "/pkg/exchequer.css",
        }
    }
}

/// A complete document: head, one stylesheet, and the module that starts islands when the page has
/// any.
///
/// There is no inline script or style, so the pages stand under a policy without `unsafe-inline`.
#[component]
pub fn Shell(
    /// Text of `<title>`; `TEST · ` is put before it in test mode.
    #[prop(into)]
    title: String,
    stylesheet: Stylesheet,
    test_mode: bool,
    /// The page has islands.
    live: bool,
    /// BCP 47 tag of the page's language.
    #[prop(default = "en")]
    lang: &'static str,
    /// Path of a sheet with a merchant's accent, linked after ours.
    #[prop(optional_no_strip)]
    brand_stylesheet: Option<String>,
    children: Children,
) -> impl IntoView {
    let brand = brand_stylesheet.map(|href| view! { <link rel="stylesheet" href=href/> });
    view! {
        <!DOCTYPE html>
        <html lang=lang>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{document_title(&title, test_mode)}</title>
                <link rel="stylesheet" href=stylesheet.href()/>
                {brand}
                <link rel="icon" type="image/svg+xml" href="/favicon.svg"/>
                {live.then(|| view! { <script type="module" src="/boot.js"></script> })}
            </head>
            <body>{children()}</body>
        </html>
    }
}

fn document_title(title: &str, test_mode: bool) -> String {
    if test_mode {
        format!("TEST · {title}")
    } else {
        title.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(live: bool, test_mode: bool) -> String {
        crate::render(move || {
            view! {
                <Shell title="Charges" stylesheet=Stylesheet::App test_mode=test_mode live=live>
                    <main>"x"</main>
                </Shell>
            }
        })
    }

    #[test]
    fn a_plain_page_loads_no_script() {
        let html = document(false, false);
        assert!(
            html.starts_with("<!DOCTYPE html><html lang=\"en\">"),
            "{html}"
        );
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("<title>Charges</title>"), "{html}");
    }

    #[test]
    fn test_mode_shows_in_the_title() {
        assert!(document(true, true).contains("<title>TEST · Charges</title>"));
    }

    #[test]
    fn nothing_is_inline() {
        let html = document(true, false);
        assert!(html.contains("src=\"/boot.js\""), "{html}");
        assert!(
            !html.contains("<style") && !html.contains(" style="),
            "{html}"
        );
    }
}
