//! Settings of a merchant, `/app/settings`: name, support address, colour, logo (ux §1.13, §1.14b).

use domain::view::LogoFile;
use domain::view::dashboard::Frame;
use domain::view::settings::{AccentPreview, RatioTexts, SettingsForm, SettingsView};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use super::shop_header::logo as picture;
use crate::ui::TextField;

const PATH: &str = "/app/settings";

/// Two forms and what the checkout makes of them.
#[component]
pub fn SettingsPage(frame: Frame, view: SettingsView) -> impl IntoView {
    let SettingsView {
        form,
        logo,
        preview,
        notice,
    } = view;
    let wrong = |field: &str| {
        let notice = notice.as_ref().filter(|notice| notice.is_error)?;
        (notice.field.as_deref() == Some(field)).then(|| notice.text.clone())
    };
    let [name, support_email, accent, file] =
        ["name", "support_email", "accent", "logo"].map(wrong);
    let shop = form.name.clone();
    let words = words(form, [name, support_email, accent]);
    let shown = show(shop, logo.clone(), preview);
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    view! {
        <DashboardPage frame=frame title="Settings" section=Section::Settings>
            <p class="under-title">
                "How payers see you: on the checkout, on invoices and on receipts."
            </p>
            <div class="columns">
                {words}
                <div>{logo_form(logo, file)}</div>
            </div>
            {shown}
        </DashboardPage>
    }
}

fn words(form: SettingsForm, wrong: [Option<String>; 3]) -> AnyView {
    let SettingsForm {
        name,
        support_email,
        accent,
    } = form;
    let [wrong_name, wrong_email, wrong_accent] = wrong;
    view! {
        <section>
            <h2>"Name and colour"</h2>
            <form method="post" action=PATH novalidate class="card">
                <TextField
                    name="name"
                    label="Merchant name"
                    value=name
                    error=wrong_name
                    autocomplete="organization"
                    prose=true
                />
                <TextField
                    name="support_email"
                    label="Support e-mail"
                    value=support_email
                    kind="email"
                    hint="Payers ask there for help; it stands on every checkout and receipt."
                    error=wrong_email
                    autocomplete="email"
                />
                <TextField
                    name="accent"
                    label="Accent colour"
                    value=accent
                    hint="# and six hexadecimal digits, such as #1D4C78. Empty for our green."
                    error=wrong_accent
                    mono=true
                />
                <div class="row">
                    <button class="btn">"Save"</button>
                    <button class="btn-2" name="action" value="preview">"Preview"</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

fn logo_form(logo: Option<LogoFile>, wrong: Option<String>) -> AnyView {
    let (label, button) = if logo.is_some() {
        ("Another PNG file", "Replace the logo")
    } else {
        ("PNG file", "Upload the logo")
    };
    let now = match logo {
        Some(file) => view! {
            <div class="logo-now">{picture(file)}</div>
            <form method="post" action="/app/settings/logo/remove">
                <button class="btn-2">"Remove the logo"</button>
            </form>
        }
        .into_any(),
        None => view! { <p>"You have no logo yet; your name stands alone."</p> }.into_any(),
    };
    let invalid = wrong.is_some().then_some("true");
    let described_by = if wrong.is_some() {
        "logo-hint logo-error"
    } else {
        "logo-hint"
    };
    let error = wrong.map(|text| view! { <p class="field-error" id="logo-error">{text}</p> });
    view! {
        <section>
            <h2>"Logo"</h2>
            <div class="card">
                {now}
                <form
                    method="post"
                    action="/app/settings/logo"
                    enctype="multipart/form-data"
                    class="logo-form"
                >
                    <div class="field">
                        <label for="logo">{label}</label>
                        <p class="hint" id="logo-hint">
                            "At most 256 KB and 1024 pixels a side. We keep its pixels alone and \
                             make it small for the checkout."
                        </p>
                        {error}
                        <input
                            type="file"
                            id="logo"
                            name="logo"
                            accept="image/png"
                            aria-invalid=invalid
                            aria-describedby=described_by
                        />
                    </div>
                    <button class="btn">{button}</button>
                </form>
            </div>
        </section>
    }
    .into_any()
}

/// The checkout's head and buttons in both themes, whatever theme the visitor has.
fn show(shop: String, logo: Option<LogoFile>, preview: AccentPreview) -> AnyView {
    let AccentPreview {
        stylesheet,
        sentences,
        light,
        dark,
    } = preview;
    let said = sentences
        .into_iter()
        .map(|sentence| view! { <p class="advice-line">{sentence}</p> })
        .collect_view();
    view! {
        <section>
            <link rel="stylesheet" href=stylesheet/>
            <h2>"Preview"</h2>
            {said}
            <div class="columns">
                {theme("Light screens", "preview preview-light", shop.clone(), logo.clone(), light)}
                {theme("Dark screens", "preview preview-dark", shop, logo, dark)}
            </div>
        </section>
    }
    .into_any()
}

fn theme(
    label: &'static str,
    class: &'static str,
    shop: String,
    logo: Option<LogoFile>,
    ratios: RatioTexts,
) -> AnyView {
    let RatioTexts {
        accent,
        paper,
        surface,
        sunken,
        button,
    } = ratios;
    let fact = |label: &'static str, value: String| {
        view! { <div><dt>{label}</dt><dd><span class="num">{value}</span></dd></div> }
    };
    view! {
        <figure>
            <div class=class>
                <div class="preview-strip"></div>
                <p class="shop" dir="auto">{logo.map(picture)} {shop}</p>
                <div class="preview-body">
                    <p><span class="preview-link">"Ask for help"</span></p>
                    <p class="row">
                        <span class="btn">"Open in wallet"</span>
                        <span class="btn-2">"Copy address"</span>
                    </p>
                </div>
            </div>
            <figcaption>
                <h3>{label}</h3>
                <dl class="facts">
                    <div><dt>"Your colour is shown as"</dt><dd><code>{accent}</code></dd></div>
                    {fact("Contrast with the page", paper)}
                    {fact("with cards", surface)}
                    {fact("with boxes", sunken)}
                    {fact("of words on a button", button)}
                </dl>
            </figcaption>
        </figure>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::frame;
    use super::*;
    use domain::view::checkout::Notice;

    fn page(notice: Option<Notice>, logo: Option<LogoFile>) -> String {
        let ratios = RatioTexts {
            accent: "#9B5C10".to_owned(),
            paper: "5.07:1".to_owned(),
            surface: "5.33:1".to_owned(),
            sunken: "4.56:1".to_owned(),
            button: "5.38:1".to_owned(),
        };
        let view = SettingsView {
            form: SettingsForm {
                name: "Café <b> Riga".to_owned(),
                support_email: "help@riga.example".to_owned(),
                accent: "#F7931A".to_owned(),
            },
            logo,
            preview: AccentPreview {
                stylesheet: "/brand/preview/F7931A.css".to_owned(),
                sentences: vec!["We darkened your colour.".to_owned()],
                light: ratios.clone(),
                dark: ratios,
            },
            notice,
        };
        crate::render(move || view! { <SettingsPage frame=frame() view=view/> })
    }

    #[test]
    fn fields_are_filled_and_the_preview_has_a_sheet_of_its_own() {
        let html = page(None, None);
        for text in [
            "value=\"#F7931A\"",
            "value=\"help@riga.example\"",
            "href=\"/brand/preview/F7931A.css\"",
            "class=\"preview preview-light\"",
            "class=\"preview preview-dark\"",
            "We darkened your colour.",
            "4.56:1",
            "enctype=\"multipart/form-data\"",
            "You have no logo yet",
        ] {
            assert!(html.contains(text), "{text}: {html}");
        }
        assert!(
            !html.contains(" style=") && !html.contains("<img"),
            "{html}"
        );
        assert!(!html.contains("aria-invalid"), "{html}");
    }

    #[test]
    fn an_error_is_tied_to_its_field() {
        let notice = Notice {
            is_error: true,
            text: "Logo must be a PNG picture.".to_owned(),
            field: Some("logo".to_owned()),
        };
        let html = page(Some(notice), None);
        assert_eq!(html.matches("aria-invalid=\"true\"").count(), 1, "{html}");
        for text in ["logo-hint logo-error", "href=\"#logo\"", "Error: Settings"] {
            assert!(html.contains(text), "{text}: {html}");
        }
    }

    #[test]
    fn a_logo_is_shown_and_can_be_removed() {
        let logo = LogoFile {
            path: "/brand/1000/0011223344556677.png".to_owned(),
            width: 48,
            height: 48,
        };
        let html = page(None, Some(logo));
        assert_eq!(html.matches("<img").count(), 3, "{html}");
        assert!(
            html.contains("action=\"/app/settings/logo/remove\""),
            "{html}"
        );
    }
}
