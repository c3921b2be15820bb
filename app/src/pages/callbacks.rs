//! Callbacks, `/app/callbacks`: where they go, how they are signed, and a test (ux §1.10).

use domain::view::dashboard::Frame;
use domain::view::developers::CallbacksView;
use leptos::prelude::*;

use super::charge::delivery;
use super::frame::{DashboardPage, Section};
use crate::ui::TextField;

const PATH: &str = "/app/callbacks";

const PHP: &str = r"$body = file_get_contents('php://input');
$expected = hash_hmac('sha512', $body, $privateKey);
$given = $_SERVER['HTTP_X_PROCESSING_SIGNATURE'] ?? '';
if (!hash_equals($expected, $given)) {
    http_response_code(401);
    exit;
}";

const PYTHON: &str = r"expected = hmac.new(private_key.encode(), body, hashlib.sha512).hexdigest()
if not hmac.compare_digest(expected, headers['X-Processing-Signature']):
    return 401";

const JAVASCRIPT: &str = r"const expected = crypto.createHmac('sha512', privateKey).update(body).digest();
const given = Buffer.from(headers['x-processing-signature'] ?? '', 'hex');
if (given.length !== expected.length || !crypto.timingSafeEqual(given, expected)) {
  return 401;
}";

const SHELL: &str = r#"openssl dgst -sha512 -hmac "$PRIVATE_KEY" body.json"#;

/// The address, the test with its last results, and what the receiver has to check.
#[component]
pub fn CallbacksPage(frame: Frame, view: CallbacksView) -> impl IntoView {
    let CallbacksView {
        url,
        has_url,
        signed_by,
        webhook_secret,
        tests,
        notice,
    } = view;
    let wrong = notice
        .clone()
        .filter(|notice| notice.field.as_deref() == Some("url"))
        .map(|notice| notice.text);
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    let test = test(has_url, signed_by.is_some());
    let results = (!tests.is_empty()).then(|| {
        let rows = tests.into_iter().map(delivery).collect_view();
        view! {
            <section>
                <h2>"Latest tests"</h2>
                {rows}
                <p>
                    <a href="/app/deliveries?event=webhook.test">"All tests in the delivery log"</a>
                </p>
            </section>
        }
    });
    view! {
        <DashboardPage frame=frame title="Callbacks" section=Section::Callbacks>
            <p class="under-title">
                "Deposits, withdrawals, exchanges and invoices are reported to one address of yours."
            </p>
            <div class="columns">
                <section>
                    <h2>"Address"</h2>
                    <form method="post" action=PATH novalidate class="card">
                        <TextField
                            name="url"
                            label="Callback URL"
                            kind="url"
                            value=url
                            inputmode="url"
                            hint="Leave it empty to receive no callbacks"
                            error=wrong
                            mono=true
                        />
                        <button class="btn">"Save"</button>
                    </form>
                </section>
                <section>
                    <h2>"Test"</h2>
                    {test}
                </section>
            </div>
            {results}
            {signing(signed_by, webhook_secret)}
            <section>
                <h2>"When your server does not answer"</h2>
                <p>
                    "An answer from 200 to 299 within 10 seconds is a success; redirects are not \
                    followed. Otherwise we try again after 1, 5, 10, 15, 20, 30, 60, 90, 120, 150, \
                    180, 210 and 240 minutes. The same event always has the same id, so a repeated \
                    one can be told by it."
                </p>
                <p><a href="/app/deliveries">"Delivery log"</a></p>
            </section>
        </DashboardPage>
    }
}

/// The button, or what is missing for it.
fn test(has_url: bool, can_sign: bool) -> AnyView {
    match (has_url, can_sign) {
        (false, _) => {
            view! { <p class="quiet">"Save an address first; then a test can be sent to it."</p> }
                .into_any()
        }
        (true, false) => view! {
            <p>
                "There is no key pair to sign with, so no callback is sent. "
                <a href="/app/keys">"Make one"</a>
                "."
            </p>
        }
        .into_any(),
        (true, true) => view! {
            <form method="post" action="/app/callbacks/test" class="card">
                <p>"Sends a callback of type “test” to the saved address and shows the answer."</p>
                <button class="btn-2">"Send a test"</button>
            </form>
        }
        .into_any(),
    }
}

fn signing(signed_by: Option<(String, String)>, webhook_secret: Option<String>) -> AnyView {
    let pair = signed_by.map(|(name, prefix)| {
        view! {
            <p>
                "Yours are signed with the pair “" <bdi>{name}</bdi> "”, public key "
                <bdi dir="ltr" class="id">{prefix} "…"</bdi> ", the oldest one that is not revoked."
            </p>
        }
    });
    let secret = webhook_secret.map(|secret| {
        view! {
            <details class="more">
                <summary>"Show the secret of webhook-signature"</summary>
                <p><code class="key" dir="ltr" translate="no">{secret}</code></p>
            </details>
        }
    });
    let samples = [
        ("PHP", PHP),
        ("Python", PYTHON),
        ("JavaScript", JAVASCRIPT),
        ("Shell", SHELL),
    ]
    .into_iter()
    .map(|(language, code)| {
        view! {
            <details class="more">
                <summary>"Check it in " {language}</summary>
                <pre tabindex="0">{code}</pre>
            </details>
        }
    })
    .collect_view();
    view! {
        <section>
            <h2>"How they are signed"</h2>
            <p>
                <code>"X-Processing-Key"</code>
                " names the public key, and "
                <code>"X-Processing-Signature"</code>
                " is the HMAC-SHA512 of the raw body under its private key, as lower-case \
                hexadecimal digits. Check it before you read the body, and compare in constant time."
            </p>
            {pair}
            {samples}
            <p>
                "Beside it stand "
                <code>"webhook-id"</code>
                ", "
                <code>"webhook-timestamp"</code>
                " and "
                <code>"webhook-signature"</code>
                " of Standard Webhooks, which also cover the time: refuse what is older than five \
                minutes."
            </p>
            {secret}
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::frame::tests::frame;

    fn page(has_url: bool, signed_by: Option<(String, String)>) -> String {
        let view = CallbacksView {
            url: "https://shop.example/callback".to_owned(),
            has_url,
            signed_by,
            webhook_secret: None,
            tests: Vec::new(),
            notice: None,
        };
        crate::render(move || view! { <CallbacksPage frame=frame() view=view/> })
    }

    fn pair() -> Option<(String, String)> {
        Some(("Shop".to_owned(), "0123456789ab".to_owned()))
    }

    #[test]
    fn a_test_is_offered_when_it_can_be_sent() {
        let button = "action=\"/app/callbacks/test\"";
        assert!(page(true, pair()).contains(button));
        assert!(!page(false, pair()).contains(button));
        let unsigned = page(true, None);
        assert!(!unsigned.contains(button), "{unsigned}");
        assert!(unsigned.contains("href=\"/app/keys\""), "{unsigned}");
    }

    #[test]
    fn the_secret_is_there_only_for_those_who_may_see_it() {
        assert!(!page(true, pair()).contains("Show the secret"));
    }
}
