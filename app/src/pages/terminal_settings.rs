//! Settings of the payment terminal, `/app/terminal`: who may frame it, and how a link is made.

use domain::view::dashboard::Frame;
use domain::view::terminal_settings::{TerminalExample, TerminalSettingsView};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::ui::TextArea;

const PATH: &str = "/app/terminal";

/// Form field of the origins; also the id that an error summary links to.
const FIELD: &str = "origins";

/// The form, and a link to try.
#[component]
pub fn TerminalSettingsPage(frame: Frame, view: TerminalSettingsView) -> impl IntoView {
    let TerminalSettingsView {
        origins,
        test_mode,
        example,
        notice,
    } = view;
    let wrong = notice
        .clone()
        .filter(|notice| notice.field.as_deref() == Some(FIELD))
        .map(|notice| notice.text);
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    let hint = if test_mode {
        "One a line: https:// and the host, such as https://shop.example, in test mode also \
         http://localhost. Without any, no other site can frame the terminal."
    } else {
        "One a line: https:// and the host, such as https://shop.example. Without any, no other site \
         can frame the terminal."
    };
    let example = match example {
        Some(example) => worked(example),
        None => view! {
            <p>
                "A link is signed with a private key. You have no active key pair yet: make one \
                 under key pairs, then an example stands here."
            </p>
        }
        .into_any(),
    };
    view! {
        <DashboardPage frame=frame title="Payment terminal" section=Section::Terminal>
            <p class="under-title">
                "A page that shows a payer one deposit address. You make its links yourself and sign \
                 them."
            </p>
            <section>
                <h2>"Sites that may show it in a frame"</h2>
                <form method="post" action=PATH novalidate class="card">
                    <TextArea
                        name=FIELD
                        label="Allowed origins"
                        value=origins
                        hint=hint
                        error=wrong
                        class="origins"
                    />
                    <button class="btn">"Save"</button>
                </form>
            </section>
            <section>
                <h2>"A link to try"</h2>
                {example}
            </section>
        </DashboardPage>
    }
}

fn worked(example: TerminalExample) -> AnyView {
    let TerminalExample {
        json,
        url,
        signed_by,
    } = example;
    let href = url.clone();
    view! {
        <p>"This JSON text …"</p>
        <pre tabindex="0">{json}</pre>
        <p>
            "… as base64 in " <code>"data"</code> ", and its HMAC-SHA512 in hex, made with the private \
             key of the pair " <code dir="ltr">{signed_by}</code> ", in " <code>"signature"</code>
            ", are the link:"
        </p>
        <pre tabindex="0">{url}</pre>
        <p>
            <a class="btn-2" href=href target="_blank" rel="noopener noreferrer">
                "Open it in a new tab"
            </a>
        </p>
        <p>
            "Opening it takes the address of the reference " <code>"example"</code>
            "; the same reference always has the same address. Set " <code>"is_iframe"</code>
            " to true in links for a frame. Make links on your server: whoever has the private key can \
             sign anything."
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::view::checkout::Notice;

    fn page(example: Option<TerminalExample>, notice: Option<Notice>) -> String {
        let frame = Frame {
            user_email: "a@shop.example".to_owned(),
            role: "merchant".to_owned(),
            merchant_name: None,
            test_mode: true,
            inbox_count: 0,
            notice: None,
        };
        let view = TerminalSettingsView {
            origins: "https://shop.example\n<b>".to_owned(),
            test_mode: true,
            example,
            notice,
        };
        crate::render(move || view! { <TerminalSettingsPage frame=frame view=view/> })
    }

    #[test]
    fn what_was_typed_stays_and_the_error_is_tied_to_it() {
        let html = page(
            None,
            Some(Notice {
                is_error: true,
                text: "Allowed origins must be https://.".to_owned(),
                field: Some("origins".to_owned()),
            }),
        );
        for text in [
            "https://shop.example\n&lt;b>",
            "aria-invalid=\"true\"",
            "origins-hint origins-error",
            "href=\"#origins\"",
            "no active key pair",
        ] {
            assert!(html.contains(text), "{text}: {html}");
        }
    }

    #[test]
    fn the_example_is_shown_and_can_be_opened() {
        let html = page(
            Some(TerminalExample {
                json: r#"{"client_id":1000}"#.to_owned(),
                url: "https://pay.example/terminal?data=e30%3D&signature=ab".to_owned(),
                signed_by: "pub".to_owned(),
            }),
            None,
        );
        assert!(
            html.contains("href=\"https://pay.example/terminal?data=e30%3D&amp;signature=ab\""),
            "{html}"
        );
        assert!(html.contains("rel=\"noopener noreferrer\""), "{html}");
    }
}
