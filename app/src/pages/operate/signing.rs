use leptos::prelude::*;

use crate::ui::TextArea;

/// How a transaction that waits for its signature is taken to where the key is, and brought back.
pub(super) struct Signing {
    /// Who is to sign it.
    pub who: &'static str,
    /// Path that gives the unsigned transaction.
    pub download: String,
    /// What is downloaded, and what becomes of it.
    pub unsigned: &'static str,
    pub download_button: &'static str,
    /// Path that takes the signed one.
    pub upload: String,
    pub file_label: &'static str,
    pub file_hint: &'static str,
    /// Name of the field for those who have the signed one as text.
    pub text_name: &'static str,
    pub text_hint: &'static str,
    /// What is wrong with what was uploaded before.
    pub wrong: Option<String>,
}

/// The form that downloads it beside the form that uploads it, as a section of its page.
pub(super) fn signing(of: Signing) -> AnyView {
    let invalid = of.wrong.as_ref().map(|_| "true");
    let described_by = if of.wrong.is_some() {
        "file-hint file-error"
    } else {
        "file-hint"
    };
    let error = of
        .wrong
        .clone()
        .map(|text| view! { <p class="field-error" id="file-error">{text}</p> });
    view! {
        <section>
            <h2>"Sign it"</h2>
            <p>{of.who}</p>
            <div class="columns">
                <form method="post" action=of.download class="card">
                    <p>{of.unsigned}</p>
                    <button class="btn">{of.download_button}</button>
                </form>
                <form method="post" action=of.upload enctype="multipart/form-data" class="card">
                    <div class="field">
                        <label for="file">{of.file_label}</label>
                        <p class="hint" id="file-hint">{of.file_hint}</p>
                        {error}
                        <input
                            type="file"
                            id="file"
                            name="file"
                            aria-invalid=invalid
                            aria-describedby=described_by
                        />
                    </div>
                    <TextArea
                        name=of.text_name
                        label="Or its text"
                        value=""
                        hint=of.text_hint
                        error=of.wrong
                    />
                    <button class="btn">"Upload and send"</button>
                </form>
            </div>
        </section>
    }
    .into_any()
}
