//! Key pairs, `/app/keys`: make one, see its private half once, give permissions, revoke (ux §1.9).

use domain::view::dashboard::{Frame, Paging};
use domain::view::developers::{
    KeyCreatedView, KeyForm, KeyPairItem, KeysView, PermissionChoice, PermissionGroup,
};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::islands::CopyButton;
use crate::ui::{
    Cell, EmptyState, HeadCell, PageLinks, RowHead, Status, TableFrame, TextField, Timestamp,
};

const PATH: &str = "/app/keys";

/// The live pairs, what can be done about each, the form that makes one, and the revoked ones.
#[component]
pub fn KeysPage(frame: Frame, view: KeysView) -> impl IntoView {
    let KeysView {
        live,
        live_max,
        revoked,
        paging,
        form,
        notice,
    } = view;
    let wrong_name = notice
        .clone()
        .filter(|notice| notice.field.as_deref() == Some("name"))
        .map(|notice| notice.text);
    let frame = Frame {
        notice: frame.notice.or(notice),
        ..frame
    };
    let count = format!("{} of {live_max} key pairs", live.len());
    let is_full = u32::try_from(live.len()).is_ok_and(|count| count >= live_max);
    let create = if is_full {
        view! {
            <p class="quiet">"No more can be made. Revoke one that you do not need first."</p>
        }
        .into_any()
    } else {
        create(form, wrong_name)
    };
    let nothing = live.is_empty() && revoked.is_empty();
    let list = if live.is_empty() {
        view! {
            <EmptyState text="A key pair lets a program of yours sign its calls to the Processing and Command APIs.">
                <p class="quiet">"Callbacks to you are signed with the oldest pair you have."</p>
            </EmptyState>
        }
        .into_any()
    } else {
        let changes = live.iter().cloned().map(change).collect_view();
        view! {
            {table(live, "Live key pairs, newest first")}
            <section>
                <h2>"Change or revoke"</h2>
                {changes}
            </section>
        }
        .into_any()
    };
    let export = (!nothing).then(
        || view! { <p><a href="/app/keys.csv" download="">"Export all key pairs (CSV)"</a></p> },
    );
    view! {
        <DashboardPage frame=frame title="Key pairs" section=Section::Keys>
            <p class="under-title">{count}</p>
            {list}
            <section>
                <h2>"Make a key pair"</h2>
                {create}
            </section>
            {past(revoked, paging)}
            {export}
        </DashboardPage>
    }
}

fn create(form: KeyForm, wrong_name: Option<String>) -> AnyView {
    let KeyForm { name, groups } = form;
    view! {
        <form method="post" action=PATH novalidate class="card">
            <TextField
                name="name"
                label="Name"
                value=name
                hint="Where it will be used, e.g. Web shop"
                error=wrong_name
                prose=true
            />
            {permissions(groups)}
            <button class="btn">"Make the pair"</button>
        </form>
    }
    .into_any()
}

/// A box for each command; without any a program may ask for rates and balances.
fn permissions(groups: Vec<PermissionGroup>) -> AnyView {
    let groups = groups
        .into_iter()
        .map(|PermissionGroup { name, choices }| {
            let boxes = choices.into_iter().map(choice).collect_view();
            view! {
                <fieldset class="permissions">
                    <legend>{name}</legend>
                    {boxes}
                </fieldset>
            }
        })
        .collect_view();
    view! {
        <p class="hint">
            "Rates and balances can be read with every pair. Switch on only what the program needs."
        </p>
        {groups}
    }
    .into_any()
}

fn choice(choice: PermissionChoice) -> AnyView {
    let PermissionChoice {
        word,
        text,
        checked,
    } = choice;
    view! {
        <label class="check">
            <input type="checkbox" name="permission" value=word.clone() checked=checked/>
            <span>{text} " " <code class="quiet">{word}</code></span>
        </label>
    }
    .into_any()
}

fn table(rows: Vec<KeyPairItem>, caption: &'static str) -> AnyView {
    let head = view! {
        <HeadCell label="Name"/>
        <HeadCell label="Public key"/>
        <HeadCell label="Permissions"/>
        <HeadCell label="Made"/>
        <HeadCell label="Last used"/>
        <HeadCell label="Status"/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption=caption head=head>{rows}</TableFrame> }.into_any()
}

fn row(pair: KeyPairItem) -> AnyView {
    let by = pair.created_by.map(|by| view! { " by " <bdi>{by}</bdi> });
    let used = match pair.last_used_at {
        Some(at) => view! { <Timestamp at=at/> }.into_any(),
        None => view! { <span class="quiet">"never"</span> }.into_any(),
    };
    let revoked = pair.revoked_at.map(|at| view! { " " <Timestamp at=at/> });
    view! {
        <tr role="row">
            <RowHead label="Name"><bdi>{pair.name}</bdi></RowHead>
            <Cell label="Public key"><bdi dir="ltr" class="id">{pair.prefix} "…"</bdi></Cell>
            <Cell label="Permissions">{pair.summary}</Cell>
            <Cell label="Made"><Timestamp at=pair.created_at/> {by}</Cell>
            <Cell label="Last used">{used}</Cell>
            <Cell label="Status"><Status of=pair.status/> {revoked}</Cell>
        </tr>
    }
    .into_any()
}

/// What can be done about a live pair, each with a second step that says what will happen.
fn change(pair: KeyPairItem) -> AnyView {
    let grant = format!("{PATH}/{}/permissions", pair.id);
    let revoke = format!("{PATH}/{}/revoke", pair.id);
    let (of, to_revoke) = (format!(" of {}", pair.name), format!(" {}", pair.name));
    let yes = format!("Yes, revoke {}", pair.name);
    view! {
        <article class="delivery">
            <h3><bdi>{pair.name}</bdi></h3>
            <div class="actions">
                <details class="confirm">
                    <summary class="btn-2">"Edit permissions" <span class="vh">{of}</span></summary>
                    <form method="post" action=grant>
                        {permissions(pair.groups)}
                        <p>"The change holds from the program's next call on."</p>
                        <button class="btn">"Save the permissions"</button>
                    </form>
                </details>
                <details class="confirm">
                    <summary class="btn-2">"Revoke" <span class="vh">{to_revoke}</span></summary>
                    <form method="post" action=revoke>
                        <p>
                            "Calls signed with this pair are refused at once, and callbacks still to \
                            come are signed with the oldest pair that is left; without one none are \
                            sent. This cannot be undone."
                        </p>
                        <button class="btn-danger">{yes}</button>
                    </form>
                </details>
            </div>
        </article>
    }
    .into_any()
}

fn past(revoked: Vec<KeyPairItem>, paging: Paging) -> Option<AnyView> {
    if revoked.is_empty() && paging.previous.is_none() {
        return None;
    }
    let table = (!revoked.is_empty()).then(|| table(revoked, "Revoked key pairs, newest first"));
    Some(
        view! {
            <section>
                <h2>"Revoked"</h2>
                {table}
                <PageLinks of=paging what="revoked key pairs"/>
            </section>
        }
        .into_any(),
    )
}

/// The answer to the form: both keys, the private one for the only time.
#[component]
pub fn KeyCreatedPage(frame: Frame, view: KeyCreatedView) -> impl IntoView {
    let KeyCreatedView {
        name,
        public_key,
        private_key,
        summary,
    } = view;
    view! {
        <DashboardPage frame=frame title="Your new key pair" section=Section::Keys live=true>
            <p class="banner warn">
                "Store the private key now: it is shown on this page only, and nobody can read it \
                again. A lost one is replaced by a new pair."
            </p>
            <dl class="facts">
                <div><dt>"Name"</dt><dd><bdi>{name}</bdi></dd></div>
                <div><dt>"Permissions"</dt><dd>{summary}</dd></div>
                <div><dt>"Public key"</dt><dd>{key(public_key, "Public key", "public key")}</dd></div>
                <div>
                    <dt>"Private key"</dt>
                    <dd>{key(private_key, "Private key", "private key")}</dd>
                </div>
            </dl>
            <p class="actions"><a class="btn" href=PATH>"I have stored it"</a></p>
        </DashboardPage>
    }
}

fn key(value: String, what: &'static str, label: &'static str) -> AnyView {
    let (shown, marked) = (value.clone(), value.clone());
    view! {
        <code class="key" dir="ltr" translate="no" data-copy=marked>{shown}</code>
        <CopyButton value=value what=what.to_owned() label=label.to_owned()/>
    }
    .into_any()
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
