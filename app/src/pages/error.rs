//! Error pages: what happened, whether money moved, the request's id, one link (ux §0).

use leptos::prelude::*;

use super::public::PublicPage;

/// What an error page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorView {
    /// HTTP status.
    pub status: u16,
    /// Heading, e.g. `Page not found`.
    pub title: String,
    /// One sentence.
    pub what_happened: String,
    /// One sentence; always said, also when the answer is no.
    pub money: String,
    pub request_id: String,
    /// The one link: path and text.
    pub link: (String, String),
    pub test_mode: bool,
}

impl ErrorView {
    /// Unknown and foreign codes give this same page.
    pub fn not_found(request_id: String, test_mode: bool) -> Self {
        Self {
            status: 404,
            title: "Page not found".to_owned(),
            what_happened: "There is nothing at this address. Check that it is complete."
                .to_owned(),
            money: "No money has moved.".to_owned(),
            request_id,
            link: ("/".to_owned(), "Go to the front page".to_owned()),
            test_mode,
        }
    }

    /// An error of ours.
    pub fn internal(request_id: String, test_mode: bool) -> Self {
        Self {
            status: 500,
            title: "Something went wrong on our side".to_owned(),
            what_happened: "The page could not be made. It has been written down.".to_owned(),
            money: "If you were paying, your payment is safe: reload to see it.".to_owned(),
            request_id,
            link: ("/".to_owned(), "Go to the front page".to_owned()),
            test_mode,
        }
    }
}

/// The page of an error.
#[component]
pub fn ErrorPage(view: ErrorView) -> impl IntoView {
    let ErrorView {
        status,
        title,
        what_happened,
        money,
        request_id,
        link,
        test_mode,
    } = view;
    let document_title = format!("{title} – Exchequer");
    let (href, text) = link;
    view! {
        <PublicPage title=document_title test_mode=test_mode>
            <p class="code">{status}</p>
            <h1>{title}</h1>
            <p>{what_happened}</p>
            <p>{money}</p>
            <p><a class="btn" href=href>{text}</a></p>
            <p class="quiet">"Request " <bdi dir="ltr" class="id">{request_id}</bdi></p>
        </PublicPage>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_whether_money_moved() {
        let view = ErrorView::not_found("01J".to_owned(), true);
        let html = crate::render(move || view! { <ErrorPage view=view/> });
        assert!(html.contains("No money has moved."), "{html}");
        assert!(html.contains(">01J<"), "{html}");
        assert!(html.contains("<title>TEST · Page not found"), "{html}");
    }
}
