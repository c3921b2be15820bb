//! Outgoing mail. It is queued in the transaction of what it tells; in test mode the mailbox is
//! where it ends.
//!
//! Invariant: nothing somebody typed can become a header or a second recipient.

mod claims;
mod store;

use sqlx::PgConnection;
use time::OffsetDateTime;

pub(crate) use claims::{ClaimMail, ClaimReason, RefundLink, send_claim_mail};

use crate::ledger::Unit;
use crate::{Error, Gateway, Result};

/// Longest subject, characters; longer ones are cut.
const SUBJECT_CHARS_MAX: usize = 200;

/// Mails a page may ask for at once.
const PAGE_MAX: i64 = 100;

/// A mail that was sent, or waits to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub id: i64,
    pub at: OffsetDateTime,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Gateway {
    /// Mails older than the one with id `before`, newest first, 100 at most.
    ///
    /// # Errors
    /// [`Error::NotFound`] outside test mode: there, other people's mail is nobody's business.
    pub async fn list_mail(&self, before: Option<i64>, limit: i64) -> Result<Vec<Mail>> {
        if !self.settings().test_mode {
            return Err(Error::NotFound);
        }
        store::list(
            self.pool(),
            before.unwrap_or(i64::MAX),
            limit.clamp(0, PAGE_MAX),
        )
        .await
    }
}

/// Queues the same mail to every active administrator.
pub(crate) async fn tell_operators(unit: &mut Unit, subject: &str, text: &str) -> Result<()> {
    let at = unit.now();
    for email in store::operators(unit.conn()).await? {
        queue_mail(unit.conn(), at, None, &email, subject, text).await?;
    }
    Ok(())
}

/// Queues the same mail to everybody who acts for the merchant in the dashboard.
pub(crate) async fn tell_merchant(
    conn: &mut PgConnection,
    at: OffsetDateTime,
    merchant_id: i64,
    subject: &str,
    text: &str,
) -> Result<()> {
    for email in store::merchants(conn, merchant_id).await? {
        queue_mail(conn, at, Some(merchant_id), &email, subject, text).await?;
    }
    Ok(())
}

/// Queues a mail in the caller's transaction. Paragraphs of `text` are separated by empty lines; a
/// line that is nothing but a web address becomes a link. What is no single address gets no mail.
pub(crate) async fn queue_mail(
    conn: &mut PgConnection,
    at: OffsetDateTime,
    merchant_id: Option<i64>,
    to: &str,
    subject: &str,
    text: &str,
) -> Result<()> {
    let to = header_text(to);
    if !is_one_address(&to) {
        tracing::warn!(
            merchant_id,
            "mail not queued: the recipient is not one address"
        );
        return Ok(());
    }
    let subject: String = header_text(subject)
        .chars()
        .take(SUBJECT_CHARS_MAX)
        .collect();
    let text: String = text
        .chars()
        .filter(|c| *c == '\n' || *c == '\t' || !is_unprintable(*c))
        .collect();
    store::insert(conn, at, merchant_id, &to, &subject, &text, &html(&text)).await
}

/// On one line, whatever was in it.
fn header_text(text: &str) -> String {
    let line: String = text.chars().filter(|c| !is_unprintable(*c)).collect();
    line.trim().to_owned()
}

/// Control characters, line and paragraph separators, and those that turn the direction of text.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Not whether it is a good address, but that it is not several.
fn is_one_address(to: &str) -> bool {
    let separates = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '<' | '>' | '"');
    to.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    }) && !to.contains(separates)
}

fn html(text: &str) -> String {
    let paragraphs: String = text
        .split("\n\n")
        .map(|paragraph| {
            let lines: Vec<String> = paragraph.trim().lines().map(html_line).collect();
            format!("<p>{}</p>", lines.join("<br>"))
        })
        .collect();
    format!("<!DOCTYPE html><html><body>{paragraphs}</body></html>")
}

fn html_line(line: &str) -> String {
    let escaped = line
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    let is_link = (line.starts_with("https://") || line.starts_with("http://"))
        && !line.contains(char::is_whitespace);
    if is_link {
        format!(r#"<a href="{escaped}">{escaped}</a>"#)
    } else {
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_stays_one_line() {
        assert_eq!(
            header_text("Paid\r\nBcc: all@example.com"),
            "PaidBcc: all@example.com"
        );
        assert_eq!(header_text(" \u{2028}Paid\0\u{202E} "), "Paid");
    }

    #[test]
    fn a_mail_has_one_recipient() {
        assert!(is_one_address("anna.o'neill+shop@example.com"));
        for several in [
            "",
            "anna",
            "@example.com",
            "anna@",
            "a@example.com,b@example.com",
            "a@example.com b@example.com",
            "a@example.com;b@example.com",
            "a@b@example.com",
            "Anna <a@example.com>",
        ] {
            assert!(!is_one_address(several), "{several}");
        }
        assert!(!is_one_address(&header_text(
            "a@example.com\r\nBcc: b@example.com"
        )));
    }

    #[test]
    fn what_somebody_typed_is_not_markup() {
        assert_eq!(
            html("Hello <b>\"Tom & Co\"</b>\n\nhttps://pay.example/a?b=1&c=2\nbye"),
            "<!DOCTYPE html><html><body><p>Hello &lt;b&gt;&quot;Tom &amp; Co&quot;&lt;/b&gt;</p>\
             <p><a href=\"https://pay.example/a?b=1&amp;c=2\">https://pay.example/a?b=1&amp;c=2</a>\
             <br>bye</p></body></html>"
        );
    }

    #[test]
    fn only_a_line_of_its_own_is_a_link() {
        let inline = html_line("see https://pay.example or javascript:alert(1)");
        assert!(!inline.contains("<a "), "{inline}");
        assert!(!html_line("javascript:alert(1)").contains("<a "));
        assert!(!html_line("https://pay.example and more").contains("<a "));
    }
}
