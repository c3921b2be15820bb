use domain::view::dashboard::{MailRow, MailboxView, Paging};

use super::store;
use crate::{Gateway, Result};

/// Mails on a page.
const PAGE: i64 = 50;

impl Gateway {
    /// Outgoing mail of the whole instance, newest first, older than `before`. Test mode's mailbox
    /// is for whoever tries the instance; the caller sees to it that no other mode has it.
    pub async fn mailbox(&self, before: Option<i64>) -> Result<MailboxView> {
        let before = before.unwrap_or(i64::MAX);
        let mut mails = store::list_mails(self.pool(), before, PAGE + 1).await?;
        let older = i64::try_from(mails.len())? > PAGE;
        if older {
            mails.pop();
        }
        let next = mails
            .last()
            .filter(|_| older)
            .map(|mail| format!("?before={}", mail.id));
        let previous = (before != i64::MAX).then(|| "?".to_owned());
        let rows = mails
            .into_iter()
            .map(|mail| MailRow {
                id: mail.id,
                at: mail.at,
                to: mail.recipient,
                subject: mail.subject,
                text: mail.text,
            })
            .collect();
        Ok(MailboxView {
            rows,
            paging: Paging {
                previous,
                next,
                export: String::new(),
            },
        })
    }
}
