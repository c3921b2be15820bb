//! Form fields: a visible label, one short hint, the error beside the input.

use leptos::prelude::*;

/// A single-line input.
#[component]
pub fn TextField(
    name: &'static str,
    /// Where two forms of a page share a name; otherwise the id is the name, so that an error
    /// summary can link to it.
    #[prop(optional)]
    id: Option<&'static str>,
    label: &'static str,
    #[prop(into)] value: String,
    /// `type` of the input; amounts stay `text` with `inputmode=decimal` (ux §0).
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(optional_no_strip)] error: Option<String>,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] inputmode: Option<&'static str>,
    /// Set for prose; addresses, e-mails and figures are not spell-checked.
    #[prop(optional)]
    prose: bool,
    /// For addresses and hashes.
    #[prop(optional)]
    mono: bool,
) -> impl IntoView {
    let id = id.unwrap_or(name);
    let hint_id = hint.map(|_| format!("{id}-hint"));
    let error_id = error.as_ref().map(|_| format!("{id}-error"));
    let described_by: Vec<String> = [hint_id.clone(), error_id.clone()]
        .into_iter()
        .flatten()
        .collect();
    let described_by = (!described_by.is_empty()).then(|| described_by.join(" "));
    let invalid = error.is_some().then_some("true");
    let class = if mono { "mono" } else { "plain" };
    let spellcheck = if prose { "true" } else { "false" };
    let hint = hint.map(|text| view! { <p class="hint" id=hint_id>{text}</p> });
    let error = error.map(|text| view! { <p class="field-error" id=error_id>{text}</p> });
    view! {
        <div class="field">
            <label for=id>{label}</label>
            {hint}
            {error}
            <input
                class=class
                id=id
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                autocapitalize="none"
                inputmode=inputmode
                spellcheck=spellcheck
                aria-invalid=invalid
                aria-describedby=described_by
            />
        </div>
    }
}

/// A menu; options are value and text.
#[component]
pub fn SelectField(
    name: &'static str,
    /// As for [`TextField`].
    #[prop(optional)]
    id: Option<&'static str>,
    label: &'static str,
    options: Vec<(String, String)>,
    #[prop(into)] selected: String,
) -> impl IntoView {
    let id = id.unwrap_or(name);
    let options = options
        .into_iter()
        .map(|(value, text)| {
            let is_selected = value == selected;
            view! { <option value=value selected=is_selected>{text}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select id=id name=name>{options}</select>
        </div>
    }
}

/// A value that goes along with a form.
#[component]
pub fn HiddenField(name: &'static str, #[prop(into)] value: String) -> impl IntoView {
    view! { <input type="hidden" name=name value=value/> }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_tied_to_the_input() {
        let html = crate::render(|| {
            view! {
                <TextField
                    name="refund_address"
                    label="Address"
                    value="abc"
                    hint="A BTC address"
                    error=Some("Not an address".to_string())
                />
            }
        });
        assert!(html.contains("aria-describedby=\"refund_address-hint refund_address-error\""));
        assert!(html.contains("aria-invalid=\"true\""), "{html}");
        assert!(html.contains("value=\"abc\""), "{html}");
    }

    #[test]
    fn the_selected_option_is_marked_once() {
        let options = vec![
            ("BTC".to_string(), "BTC".to_string()),
            ("LTC".into(), "LTC".into()),
        ];
        let html = crate::render(move || {
            view! { <SelectField name="currency" label="Coin" options=options selected="LTC"/> }
        });
        assert_eq!(html.matches(" selected").count(), 1, "{html}");
    }
}
