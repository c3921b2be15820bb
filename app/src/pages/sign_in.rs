//! Sign-in, `/sign-in` (ux §1.1).

use domain::view::checkout::Notice;
use domain::view::dashboard::SignInView;
use leptos::prelude::*;

use super::public::PublicPage;
use crate::ui::{HiddenField, NoticeBanner, TextField};

/// E-mail and password; in test mode the demo log-ins, one button each.
#[component]
pub fn SignInPage(view: SignInView) -> impl IntoView {
    let SignInView {
        email,
        error,
        demo,
        test_mode,
        next,
    } = view;
    let title = if error.is_some() {
        "Error: Sign in – Exchequer"
    } else {
        "Sign in – Exchequer"
    };
    let notice = error.map(|text| {
        let of = Notice {
            is_error: true,
            text,
            field: Some("email".to_owned()),
        };
        view! { <NoticeBanner of=of/> }
    });
    let demo = (!demo.is_empty()).then(|| demo_logins(demo, &next));
    view! {
        <PublicPage title=title test_mode=test_mode>
            {notice}
            <h1>"Sign in"</h1>
            <form method="post" action="/sign-in" novalidate class="card">
                <HiddenField name="next" value=next/>
                <TextField
                    name="email"
                    label="E-mail"
                    kind="email"
                    value=email
                    autocomplete="username"
                    inputmode="email"
                />
                <TextField
                    name="password"
                    label="Password"
                    kind="password"
                    value=""
                    autocomplete="current-password"
                />
                <button class="btn">"Sign in"</button>
            </form>
            {demo}
        </PublicPage>
    }
}

fn demo_logins(demo: Vec<(String, String, String)>, next: &str) -> impl IntoView + use<> {
    let forms = demo
        .into_iter()
        .map(|(role, email, password)| {
            let shown = email.clone();
            let button = format!("Sign in as {role}");
            let next = next.to_owned();
            view! {
                <li>
                    <form method="post" action="/sign-in">
                        <HiddenField name="next" value=next/>
                        <HiddenField name="email" value=email/>
                        <HiddenField name="password" value=password/>
                        <button class="btn-2">{button}</button>
                        <span class="quiet">{shown}</span>
                    </form>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="demo">
            <h2>"Demo log-ins"</h2>
            <ul>{forms}</ul>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_never_comes_back() {
        let view = SignInView {
            email: "a@b.example".to_owned(),
            error: Some("E-mail or password is wrong".to_owned()),
            next: "/app".to_owned(),
            ..SignInView::default()
        };
        let html = crate::render(move || view! { <SignInPage view=view/> });
        assert!(html.contains("<title>Error: Sign in"), "{html}");
        assert!(html.contains("value=\"a@b.example\""), "{html}");
        assert!(html.contains("type=\"password\" value=\"\""), "{html}");
        assert!(!html.contains("Demo log-ins"), "{html}");
    }
}
