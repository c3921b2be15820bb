//! Outgoing mail, `/app/mailbox`, in test mode only: nothing leaves the machine.

use domain::view::dashboard::{Frame, MailRow, MailboxView};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::ui::{EmptyState, PageLinks, Timestamp};

/// Newest first.
#[component]
pub fn MailboxPage(frame: Frame, view: MailboxView) -> impl IntoView {
    let MailboxView { rows, paging } = view;
    let content = if rows.is_empty() {
        view! { <EmptyState text="No mail yet. What would be sent to people appears here."/> }
            .into_any()
    } else {
        let mails = rows.into_iter().map(mail).collect_view();
        view! { {mails} <PageLinks of=paging what="mails"/> }.into_any()
    };
    view! {
        <DashboardPage frame=frame title="Mailbox" section=Section::Mailbox>
            {content}
        </DashboardPage>
    }
}

fn mail(mail: MailRow) -> AnyView {
    let MailRow {
        id,
        at,
        to,
        subject,
        text,
    } = mail;
    let anchor = format!("mail-{id}");
    view! {
        <article class="mail" id=anchor>
            <h2><bdi>{subject}</bdi></h2>
            <p class="quiet">"To " <bdi>{to}</bdi> ", " <Timestamp at=at/></p>
            <pre tabindex="0">{text}</pre>
        </article>
    }
    .into_any()
}
