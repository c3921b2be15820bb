//! What a form post has to say when its page is shown again.

use domain::view::checkout::Notice;
use leptos::prelude::*;

/// A banner above the page's heading.
///
/// An error that belongs to a field links to it: the field's id is its form name. The banner is
/// there when the page loads, so `role=alert` is read once.
#[component]
pub fn NoticeBanner(of: Notice) -> impl IntoView {
    let class = if of.is_error {
        "banner danger"
    } else {
        "banner paid"
    };
    let title = of
        .is_error
        .then(|| view! { <p class="banner-title">"There is a problem"</p> });
    let text = match of.field {
        Some(field) => {
            let target = format!("#{field}");
            view! { <a href=target>{of.text}</a> }.into_any()
        }
        None => of.text.into_any(),
    };
    view! {
        <div class=class role="alert">
            {title}
            <p>{text}</p>
        </div>
    }
}

/// Whether the page has to say `Error:` first in its title.
pub fn has_error(notice: Option<&Notice>) -> bool {
    notice.is_some_and(|notice| notice.is_error)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn banner(is_error: bool, field: Option<&str>) -> String {
        let of = Notice {
            is_error,
            text: "Not an address".into(),
            field: field.map(str::to_owned),
        };
        crate::render(move || view! { <NoticeBanner of=of/> })
    }

    #[test]
    fn errors_link_to_their_field() {
        let html = banner(true, Some("refund_address"));
        assert!(html.contains("There is a problem"), "{html}");
        assert!(html.contains("href=\"#refund_address\""), "{html}");
    }

    #[test]
    fn good_news_is_not_a_problem() {
        assert!(!banner(false, None).contains("problem"));
    }
}
