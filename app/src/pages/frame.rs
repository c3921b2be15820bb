//! The frame around every signed-in page (ux §0).

use domain::view::dashboard::Frame;
use leptos::prelude::*;

use crate::shell::{Shell, Stylesheet};
use crate::ui::{NoticeBanner, has_error};

/// Where in the navigation a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Home,
    Charges,
    Invoices,
    Inbox,
    Wallets,
    Addresses,
    Deposits,
    Withdrawals,
    Exchange,
    Futures,
    Rates,
    Keys,
    Callbacks,
    Deliveries,
    Terminal,
    Settings,
    House,
    Merchants,
    Suspense,
    Payouts,
    Treasury,
    Currencies,
    RateSources,
    Chains,
    AuditLog,
    System,
    Faucet,
    Mailbox,
}

/// A heading and its links: section, words, path.
type Group = (
    &'static str,
    &'static [(Section, &'static str, &'static str)],
);

/// The groups in the order of the navigation.
const GROUPS: [Group; 5] = [
    ("", &[(Section::Home, "Home", "/app")]),
    (
        "Get paid",
        &[
            (Section::Charges, "Charges", "/app/charges"),
            (Section::Invoices, "Invoices", "/app/invoices"),
            (Section::Inbox, "Inbox", "/app/inbox"),
            (Section::Addresses, "Addresses", "/app/addresses"),
            (Section::Deposits, "Deposits", "/app/deposits"),
        ],
    ),
    (
        "Money",
        &[
            (Section::Wallets, "Wallets", "/app/wallets"),
            (Section::Withdrawals, "Withdrawals", "/app/withdrawals"),
            (Section::Exchange, "Exchange", "/app/exchange"),
            (Section::Futures, "Futures", "/app/futures"),
            (Section::Rates, "Rates", "/app/rates"),
        ],
    ),
    (
        "Developers",
        &[
            (Section::Keys, "Key pairs", "/app/keys"),
            (Section::Callbacks, "Callbacks", "/app/callbacks"),
            (Section::Deliveries, "Deliveries", "/app/deliveries"),
            (Section::Terminal, "Terminal", "/app/terminal"),
        ],
    ),
    (
        "Settings",
        &[(Section::Settings, "Name and looks", "/app/settings")],
    ),
];

/// For admins alone.
const OPERATOR_GROUP: Group = (
    "Operator",
    &[
        (Section::House, "House accounts", "/app/operate/house"),
        (Section::Suspense, "Suspense", "/app/operate/suspense"),
        (Section::Payouts, "Payouts", "/app/operate/payouts"),
        (Section::Treasury, "EVM payments", "/app/operate/treasury"),
        (Section::Merchants, "Merchants", "/app/operate/merchants"),
        (
            Section::Currencies,
            "Currencies and fees",
            "/app/operate/currencies",
        ),
        (Section::RateSources, "Rate sources", "/app/operate/rates"),
        (Section::Chains, "Chains", "/app/operate/chains"),
        (Section::AuditLog, "Audit log", "/app/operate/audit"),
        (Section::System, "System", "/app/operate/system"),
    ],
);

const TEST_GROUP: Group = (
    "Test tools",
    &[
        (Section::Faucet, "Faucet", "/app/faucet"),
        (Section::Mailbox, "Mailbox", "/app/mailbox"),
    ],
);

/// A dashboard page: banner, header, navigation, and the page's own content below its heading.
#[component]
pub fn DashboardPage(
    frame: Frame,
    /// Heading of the page and of the document.
    #[prop(into)]
    title: String,
    section: Section,
    /// The page has islands.
    #[prop(optional)]
    live: bool,
    children: Children,
) -> impl IntoView {
    let Frame {
        user_email,
        role,
        merchant_name,
        test_mode,
        inbox_count,
        notice,
    } = frame;
    let menu = Menu {
        current: section,
        test_mode,
        inbox_count,
        operates: role == "admin",
    };
    let error = if has_error(notice.as_ref()) {
        "Error: "
    } else {
        ""
    };
    let document_title = format!("{error}{title} – Exchequer");
    let whose = merchant_name.unwrap_or_else(|| "All merchants".to_owned());
    let notice = notice.map(|notice| view! { <NoticeBanner of=notice/> });
    let test_bar = test_mode.then(|| {
        view! {
            <p class="test-bar">
                <strong>"Test mode."</strong>
                " Coins, rates and the bank are simulated; nothing here has value."
            </p>
        }
    });
    view! {
        <Shell title=document_title stylesheet=Stylesheet::App test_mode=test_mode live=live>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="top">
                {test_bar}
                <div class="top-row">
                    <a class="mark" href="/app">"Exchequer"</a>
                    <p class="whose">
                        <bdi>{whose}</bdi>
                        <span>{user_email} " · " {role}</span>
                    </p>
                    <form method="post" action="/sign-out">
                        <button class="btn-2">"Sign out"</button>
                    </form>
                </div>
                <details class="menu">
                    <summary>"Menu"</summary>
                    <nav aria-label="Menu">{links(menu)}</nav>
                </details>
            </header>
            <div class="body">
                <nav class="side" aria-label="Main">{links(menu)}</nav>
                <main id="main" tabindex="-1">
                    {notice}
                    <h1>{title}</h1>
                    {children()}
                </main>
            </div>
            <footer class="foot">
                "Exchequer" {test_mode.then_some(" · test mode")} " · all times in UTC"
            </footer>
        </Shell>
    }
}

/// What the navigation depends on.
#[derive(Clone, Copy)]
struct Menu {
    current: Section,
    test_mode: bool,
    inbox_count: u64,
    /// The reader is the operator.
    operates: bool,
}

fn links(menu: Menu) -> AnyView {
    let Menu {
        current,
        test_mode,
        inbox_count,
        operates,
    } = menu;
    GROUPS
        .into_iter()
        .chain(operates.then_some(OPERATOR_GROUP))
        .chain(test_mode.then_some(TEST_GROUP))
        .map(|(name, entries)| {
            let name = (!name.is_empty()).then(|| view! { <p class="group">{name}</p> });
            let entries = entries
                .iter()
                .map(|&(section, text, href)| {
                    let count = if section == Section::Inbox {
                        inbox_count
                    } else {
                        0
                    };
                    link(text, href, section == current, count)
                })
                .collect_view();
            view! { {name} <ul>{entries}</ul> }
        })
        .collect_view()
        .into_any()
}

fn link(text: &'static str, href: &'static str, is_current: bool, count: u64) -> impl IntoView {
    let count = (count > 0).then(|| {
        view! { " " <span class="badge">{count} <span class="vh">" waiting"</span></span> }
    });
    let current = is_current.then_some("page");
    view! { <li><a href=href aria-current=current>{text} {count}</a></li> }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn frame() -> Frame {
        Frame {
            user_email: "merchant@demo.example".to_owned(),
            role: "merchant".to_owned(),
            merchant_name: Some("Café Riga".to_owned()),
            test_mode: true,
            inbox_count: 3,
            notice: None,
        }
    }

    fn page(frame: Frame) -> String {
        crate::render(move || {
            view! {
                <DashboardPage frame=frame title="Charges" section=Section::Charges>
                    <p>"x"</p>
                </DashboardPage>
            }
        })
    }

    #[test]
    fn the_current_page_is_marked_in_both_menus() {
        let html = page(frame());
        assert_eq!(
            html.matches("href=\"/app/charges\" aria-current=\"page\"")
                .count(),
            2,
            "{html}"
        );
        assert_eq!(html.matches("aria-current").count(), 2, "{html}");
        assert_eq!(html.matches("<h1>").count(), 1, "{html}");
    }

    #[test]
    fn the_operators_pages_are_for_the_operator_only() {
        let admin = Frame {
            role: "admin".to_owned(),
            ..frame()
        };
        assert!(page(admin).contains("/app/operate/suspense"));
        assert!(!page(frame()).contains("/app/operate"));
    }

    #[test]
    fn test_tools_are_for_test_mode_only() {
        let live = Frame {
            test_mode: false,
            ..frame()
        };
        assert!(page(frame()).contains("/app/faucet"));
        assert!(!page(live).contains("/app/faucet"));
    }
}
