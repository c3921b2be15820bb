use leptos::prelude::*;

/// Text of several lines.
///
/// Leptos writes what is inside a `textarea` as it is, so it is escaped here: text that was typed must
/// not end the element.
#[component]
pub fn TextArea(
    name: &'static str,
    label: &'static str,
    #[prop(into)] value: String,
    #[prop(default = "5")] rows: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(optional_no_strip)] error: Option<String>,
    /// Set for prose; addresses, e-mails and figures are not spell-checked.
    #[prop(optional)]
    prose: bool,
    /// Class of the input.
    #[prop(default = "plain")]
    class: &'static str,
) -> impl IntoView {
    let hint_id = hint.map(|_| format!("{name}-hint"));
    let error_id = error.as_ref().map(|_| format!("{name}-error"));
    let described_by: Vec<String> = [hint_id.clone(), error_id.clone()]
        .into_iter()
        .flatten()
        .collect();
    let described_by = (!described_by.is_empty()).then(|| described_by.join(" "));
    let invalid = error.is_some().then_some("true");
    let spellcheck = if prose { "true" } else { "false" };
    let autocapitalize = if prose { "sentences" } else { "none" };
    let hint = hint.map(|text| view! { <p class="hint" id=hint_id>{text}</p> });
    let error = error.map(|text| view! { <p class="field-error" id=error_id>{text}</p> });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {hint}
            {error}
            <textarea
                class=class
                id=name
                name=name
                rows=rows
                autocomplete="off"
                autocapitalize=autocapitalize
                spellcheck=spellcheck
                aria-invalid=invalid
                aria-describedby=described_by
                inner_html=escaped(&value)
            ></textarea>
        </div>
    }
}

/// As the content of an element. A first line break would be taken for one of the markup.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("\n{text}")
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_does_not_end_the_element() {
        let typed = "\n</textarea><script>alert(1)</script> &amp;";
        let html = crate::render(move || {
            view! { <TextArea name="note" label="Note" value=typed hint="Yours"/> }
        });
        assert!(
            html.contains("\n\n&lt;/textarea>&lt;script>alert(1)&lt;/script> &amp;amp;</textarea>"),
            "{html}"
        );
        assert_eq!(html.matches("<script>alert").count(), 0);
        assert!(html.contains("aria-describedby=\"note-hint\""), "{html}");
    }
}
