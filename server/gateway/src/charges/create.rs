use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::text::one_line;
use time::Duration;

use super::create_store::{self, Made, NewRow, Texts};
use super::creating::{Rendering, ToMake};
use super::token::new_public_id;
use super::{ChargeView, NewCharge};
use crate::idempotency::{Answer, Once};
use crate::ledger::Unit;
use crate::wallets::{OfWallet, SeenWallets};
use crate::{Error, Gateway, Result, wallets};

/// How long a charge waits for somebody to pick a method (`80`, Charges).
const UNPICKED_LIFE: Duration = Duration::days(30);

impl Gateway {
    /// Makes a charge, together with others that are asked for at the same time. No address is taken
    /// and no clock of a rate started until a coin is picked.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `currency` without a wallet in it, on `webhook_url` that must not be
    /// called; [`Error::Overloaded`] when too many wait already.
    pub async fn create_charge(
        &self,
        mut new: NewCharge,
        once: Option<Once>,
        render: impl Fn(&ChargeView) -> (u16, Vec<u8>) + Send + Sync + 'static,
    ) -> Result<Answer> {
        self.check_new(&mut new)?;
        let render: Arc<Rendering> = Arc::new(render);
        let item = ToMake {
            public_id: new_public_id()?,
            texts: Texts::of(&new)?,
            new,
            once,
            render: render.clone(),
        };
        let done = self.charges_in_batches().submit(item).await?;
        Ok(done.into_answer(render.as_ref()))
    }

    /// Brings what people typed into the form it is kept in, and refuses what must not be called.
    pub(crate) fn check_new(&self, new: &mut NewCharge) -> Result<()> {
        if let Some(url) = &new.webhook_url {
            self.guard()
                .check_url(url)
                .map_err(|refusal| Error::invalid("webhook_url", refusal.to_string()))?;
        }
        new.customer = std::mem::take(&mut new.customer).on_one_line_each();
        for item in &mut new.items {
            item.name = one_line(&item.name);
        }
        Ok(())
    }

    /// Writes a charge that [`Self::check_new`] has seen; its first event is the caller's to stage.
    pub(crate) async fn insert_charge(
        &self,
        unit: &mut Unit,
        new: &NewCharge,
    ) -> Result<NewlyMade> {
        let (public_id, texts) = (new_public_id()?, Texts::of(new)?);
        let row = NewRow {
            public_id: &public_id,
            new,
            texts: &texts,
        };
        let mut written = write_each(unit, vec![row], &SeenWallets::default()).await?;
        let made = written.take(&public_id)?;
        Ok(NewlyMade {
            id: made.id,
            public_id,
        })
    }
}

/// A charge that was just written.
pub(crate) struct NewlyMade {
    pub(crate) id: i64,
    pub(crate) public_id: String,
}

/// What became of charges that were to be written, by public id.
#[derive(Default)]
pub(super) struct Written {
    made: HashMap<String, Made>,
    walletless: HashSet<String>,
}

impl Written {
    /// A charge, or why it was left out.
    pub(super) fn take(&mut self, public_id: &str) -> Result<Made> {
        match self.made.remove(public_id) {
            Some(made) => Ok(made),
            None if self.walletless.contains(public_id) => Err(Error::invalid(
                "currency",
                "must be a currency you have a wallet in",
            )),
            None => Err(Error::NotFound),
        }
    }
}

/// Writes charges that were checked, and the wallets they name. One whose merchant has no wallet in
/// its currency is left out.
pub(super) async fn write_each(
    unit: &mut Unit,
    rows: Vec<NewRow<'_>>,
    seen: &SeenWallets,
) -> Result<Written> {
    let now = unit.now();
    let pairs: BTreeSet<OfWallet> = rows.iter().map(|row| pair(row.new)).collect();
    let known = seen.among(unit, &pairs).await?;
    let (rows, others): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| known.contains(&pair(row.new)));
    let walletless = others.iter().map(|row| row.public_id.to_owned()).collect();
    // Whose wallet it is, is the merchant's business: nothing is looked up (80, Orders).
    let customers: BTreeSet<(i64, i16, i64)> = rows
        .iter()
        .filter(|row| row.new.wallet_user_id != 0)
        .map(|row| {
            let (merchant, currency) = pair(row.new);
            (merchant, currency, row.new.wallet_user_id)
        })
        .collect();
    if !customers.is_empty() {
        wallets::store::insert_each(unit.conn(), &customers, now).await?;
    }
    let made = if rows.is_empty() {
        HashMap::new()
    } else {
        create_store::insert_each(unit.conn(), &rows, now + UNPICKED_LIFE, now).await?
    };
    Ok(Written { made, walletless })
}

/// Merchant and currency of a charge.
fn pair(new: &NewCharge) -> OfWallet {
    (new.merchant_id, new.amount.currency().id)
}
