//! What booking coins as taken out would mean, before anything is booked.

use domain::view::operate::{ChangeRow, ReviewView};

use super::found::{Step, asked, step};
use super::{amount, covered, left, parts_of};
use crate::own_funds::{canonical, refused};
use crate::{Error, Gateway, Result};

impl Gateway {
    /// What [`Self::book_own_funds_out`] would do; changes nothing.
    ///
    /// # Errors
    /// As [`Self::book_own_funds_out`]; [`Error::Invalid`] on `txid` also when there is nothing to do.
    pub async fn review_own_funds_out(
        &self,
        code: &str,
        txid: &str,
        is_loss: bool,
    ) -> Result<ReviewView> {
        let chain = self.chains().get(code).ok_or(Error::NotFound)?;
        let (code, txid) = (chain.params.code, canonical(txid));
        let sent = asked(chain, &txid).await?;
        let mut conn = self.pool().acquire().await?;
        let mut rows = Vec::new();
        match step(self, &mut conn, chain, &txid, sent.as_ref()).await? {
            Step::Nothing => return Err(refused("is booked already; nothing was changed")),
            Step::Book(taken, _) => {
                let left = left(&mut conn, &taken.parts()).await?;
                covered(&left, is_loss)?;
                for (part, has) in left {
                    rows.push(row(
                        &amount(part),
                        "On our accounts",
                        "Taken out of own funds",
                    ));
                    let after = has.checked_sub(part).ok_or_else(|| {
                        Error::Internal(format!("{} less {}", amount(has), amount(part)))
                    })?;
                    rows.push(row(
                        &format!("{} of the house", part.currency().code),
                        &amount(has),
                        &amount(after),
                    ));
                }
            }
            Step::TakeBack(booking) => {
                for part in parts_of(self, chain.coin, booking)? {
                    rows.push(row(
                        &amount(part),
                        "Taken out of own funds",
                        "On our accounts",
                    ));
                }
            }
        }
        drop(conn);
        let mut notes = vec![
            "Only for coins that the house took itself, with a wallet that has the key. Coins do not move; the books \
             alone change. If nobody of the house did it, somebody else has the key: move what is left, and book \
             this as a loss afterwards."
                .to_owned(),
        ];
        let mut hidden = vec![("txid".to_owned(), txid)];
        if is_loss {
            notes.push(
                "It is booked as a loss of the house where it is more than the house has: the chain has less then \
                 than others have in their wallets."
                    .to_owned(),
            );
            hidden.push(("loss".to_owned(), "yes".to_owned()));
        }
        Ok(ReviewView {
            title: "Review taking out".to_owned(),
            rows,
            notes,
            hidden,
            action: format!("/app/operate/chains/{code}/own-funds-out"),
            back: format!("/app/operate/chains/{code}"),
            reason: String::new(),
            notice: None,
        })
    }
}

fn row(label: &str, before: &str, after: &str) -> ChangeRow {
    ChangeRow {
        label: label.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}
