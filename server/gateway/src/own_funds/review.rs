//! What booking the house's own coins would mean, before anything is booked.

use domain::view::operate::{ChangeRow, ReviewView};

use super::{Step, amount, canonical, refused, steps, store};
use crate::{Error, Gateway, Result};

impl Gateway {
    /// What [`Self::book_own_funds`] would do; changes nothing.
    ///
    /// # Errors
    /// As [`Self::book_own_funds`]; [`Error::Invalid`] on `txid` also when there is nothing to do.
    pub async fn review_own_funds(&self, code: &str, txid: &str) -> Result<ReviewView> {
        let chain = self.chains().get(code).ok_or(Error::NotFound)?;
        let (code, txid) = (chain.params.code, canonical(txid));
        let mut conn = self.pool().acquire().await?;
        let depth = self.final_depth(&mut conn, chain.coin).await?;
        let arrived = store::arrived(&mut conn, code, &txid).await?;
        drop(conn);
        let mut rows = Vec::new();
        for (output, step) in arrived.iter().zip(steps(&arrived, depth)?) {
            let (before, after) = match step {
                Step::Nothing => continue,
                Step::Book => ("In no book", "Own funds of the house"),
                Step::TakeBack => ("Own funds of the house", "In no book"),
            };
            rows.push(ChangeRow {
                label: format!(
                    "{} {code} at {}",
                    amount(chain, output)?.shortest(),
                    output.address
                ),
                before: before.to_owned(),
                after: after.to_owned(),
            });
        }
        if rows.is_empty() {
            return Err(refused("is booked already; nothing was changed"));
        }
        Ok(ReviewView {
            title: "Review own funds".to_owned(),
            rows,
            notes: vec![
                "Only for coins that the house sent itself, to pay gas or withdrawals with: nobody's wallet gets \
                 them. Coins do not move; the books alone change."
                    .to_owned(),
            ],
            hidden: vec![("txid".to_owned(), txid)],
            action: format!("/app/operate/chains/{code}/own-funds"),
            back: format!("/app/operate/chains/{code}"),
            reason: String::new(),
            notice: None,
        })
    }
}
