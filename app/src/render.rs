//! From a page component to the bytes of a response.

use leptos::prelude::*;

/// Renders a page to a complete HTML document.
///
/// The reactive owner lives as long as the call: signals that islands create while rendering are
/// dropped with it, so nothing of one request can be seen by the next.
pub fn render<V>(page: impl FnOnce() -> V) -> String
where
    V: RenderHtml,
{
    let owner = Owner::new_root(None);
    let html = owner.with(|| page().to_html());
    owner.cleanup();
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let html = render(|| view! { <p>{"<b>&\"".to_string()}</p> });
        assert_eq!(html, "<p>&lt;b&gt;&amp;\"</p>");
    }
}
