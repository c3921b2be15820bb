//! Settings of a merchant: name, support address, colour, logo (ux §1.13, §1.14b). Every change
//! leaves a row in the audit log.

use domain::brand::{Accent, Ratios, Rgb, Theme};
use domain::text::one_line;
use domain::view::settings::{AccentPreview, RatioTexts, SettingsForm, SettingsView};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::brand::logo_file;
use super::logo::{self, Logo};
use super::{brand_store as store, field_error};
use crate::operator::audit_log;
use crate::{Error, Gateway, Result};

/// Longest name, characters: it stands in headings, mails and payment links.
pub const MERCHANT_NAME_CHARS_MAX: usize = 80;

/// Longest address (RFC 5321, path without its brackets).
const EMAIL_CHARS_MAX: usize = 254;

impl Gateway {
    /// The settings page; with `typed` its form as it was filled in.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown merchant.
    pub async fn merchant_settings(
        &self,
        merchant_id: i64,
        typed: Option<SettingsForm>,
    ) -> Result<SettingsView> {
        let face = store::face(self.pool(), merchant_id)
            .await?
            .ok_or(Error::NotFound)?;
        let logo = logo_file(merchant_id, &face);
        let form = typed.unwrap_or(SettingsForm {
            name: face.name,
            support_email: face.support_email.unwrap_or_default(),
            accent: face.accent.unwrap_or_default(),
        });
        Ok(SettingsView {
            preview: preview(form.accent.trim()),
            form,
            logo,
            notice: None,
        })
    }

    /// Stores name, support address and colour. The address was judged by the edge. `by` is who
    /// asked, for the record.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming every wrong field; [`Error::NotFound`] for an unknown merchant.
    pub async fn change_merchant_settings(
        &self,
        merchant_id: i64,
        form: &SettingsForm,
        by: &str,
    ) -> Result<()> {
        let wanted = checked(form)?;
        let now = self.clock().now();
        let mut tx = self.pool().begin().await?;
        let before = store::lock_settings(&mut tx, merchant_id)
            .await?
            .ok_or(Error::NotFound)?;
        if before != wanted {
            store::update_settings(&mut tx, merchant_id, &wanted).await?;
            let data = json!({ "before": fields(&before), "after": fields(&wanted) });
            let action = "merchant.settings_changed";
            audit_log::record(&mut tx, now, by, action, &subject(merchant_id), &data).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Stores a logo: the pixels of a PNG of at most [`super::LOGO_UPLOAD_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `logo`; [`Error::NotFound`] for an unknown merchant.
    pub async fn set_merchant_logo(
        &self,
        merchant_id: i64,
        upload: Vec<u8>,
        by: &str,
    ) -> Result<()> {
        let upload_bytes = upload.len();
        let prepared = tokio::task::spawn_blocking(move || logo::prepare(&upload)).await;
        let logo: Logo = prepared
            .map_err(Error::internal)?
            .map_err(Error::internal)?
            .map_err(|refusal| Error::invalid("logo", refusal.message()))?;
        let sha256: [u8; 32] = Sha256::digest(&logo.screen.png).into();
        let now = self.clock().now();
        let mut tx = self.pool().begin().await?;
        store::lock_settings(&mut tx, merchant_id)
            .await?
            .ok_or(Error::NotFound)?;
        store::put_logo(&mut tx, merchant_id, &logo, sha256, now).await?;
        let data = json!({
            "upload_bytes": upload_bytes,
            "sha256": hex::encode(sha256),
            "width": logo.screen.width,
            "height": logo.screen.height,
        });
        let action = "merchant.logo_changed";
        audit_log::record(&mut tx, now, by, action, &subject(merchant_id), &data).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes the logo; false when there was none.
    pub async fn remove_merchant_logo(&self, merchant_id: i64, by: &str) -> Result<bool> {
        let now = self.clock().now();
        let mut tx = self.pool().begin().await?;
        let Some(sha256) = store::delete_logo(&mut tx, merchant_id).await? else {
            return Ok(false);
        };
        let data = json!({ "sha256": hex::encode(sha256) });
        let action = "merchant.logo_removed";
        audit_log::record(&mut tx, now, by, action, &subject(merchant_id), &data).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn subject(merchant_id: i64) -> String {
    format!("merchant:{merchant_id}")
}

fn fields(form: &SettingsForm) -> Value {
    json!({
        "name": form.name,
        "support_email": form.support_email,
        "accent": form.accent,
    })
}

/// The fields as they are stored; all are judged before one is refused.
fn checked(form: &SettingsForm) -> Result<SettingsForm> {
    let mut wrong = Vec::new();
    let name = one_line(&form.name);
    if name.is_empty() {
        wrong.push(field_error("name", "is needed: payers see it first"));
    } else if name.chars().count() > MERCHANT_NAME_CHARS_MAX {
        let message = format!("must be at most {MERCHANT_NAME_CHARS_MAX} characters long");
        wrong.push(field_error("name", message));
    }
    let support_email = form.support_email.trim().to_owned();
    if support_email.is_empty() {
        let message = "is needed: payers ask there when something goes wrong";
        wrong.push(field_error("support_email", message));
    } else if support_email.chars().count() > EMAIL_CHARS_MAX {
        let message = format!("must be at most {EMAIL_CHARS_MAX} characters long");
        wrong.push(field_error("support_email", message));
    }
    let accent = match form.accent.trim() {
        "" => Some(String::new()),
        text => Rgb::parse(text).map(|color| color.to_string()),
    };
    if accent.is_none() {
        let message = "must be # and six hexadecimal digits, such as #1D4C78";
        wrong.push(field_error("accent", message));
    }
    match accent {
        Some(accent) if wrong.is_empty() => Ok(SettingsForm {
            name,
            support_email,
            accent,
        }),
        _ => Err(Error::Invalid(wrong)),
    }
}

/// House colours for what is no colour.
fn preview(accent: &str) -> AccentPreview {
    let chosen = Rgb::parse(accent);
    let guarded = chosen.map_or_else(Accent::house, Accent::guard);
    let name = chosen.map_or_else(
        || "house".to_owned(),
        |chosen| chosen.to_string().trim_start_matches('#').to_owned(),
    );
    AccentPreview {
        stylesheet: format!("/brand/preview/{name}.css"),
        sentences: guarded.sentences(),
        light: ratio_texts(&guarded, Theme::Light),
        dark: ratio_texts(&guarded, Theme::Dark),
    }
}

fn ratio_texts(accent: &Accent, theme: Theme) -> RatioTexts {
    let Ratios {
        paper,
        surface,
        sunken,
        button,
    } = accent.ratios(theme);
    let text = |hundredths: u64| format!("{}.{:02}:1", hundredths / 100, hundredths % 100);
    RatioTexts {
        accent: accent.shades(theme).accent.to_string(),
        paper: text(paper),
        surface: text(surface),
        sunken: text(sunken),
        button: text(button),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(name: &str, support_email: &str, accent: &str) -> SettingsForm {
        SettingsForm {
            name: name.to_owned(),
            support_email: support_email.to_owned(),
            accent: accent.to_owned(),
        }
    }

    fn blamed(form: &SettingsForm) -> Vec<String> {
        match checked(form) {
            Err(Error::Invalid(wrong)) => wrong.into_iter().map(|error| error.field).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn fields_are_stored_in_one_form() {
        let typed = form(" Café\n Riga ", " help@riga.example ", " #f7931a ");
        let stored = form("Café Riga", "help@riga.example", "#F7931A");
        assert_eq!(checked(&typed).ok(), Some(stored));
        assert!(checked(&form("A", "a@b.example", "")).is_ok());
    }

    #[test]
    fn every_wrong_field_is_named() {
        let all = ["name", "support_email", "accent"];
        assert_eq!(blamed(&form(" \u{202E} ", " ", "red")), all);
        let long = form(
            &"x".repeat(MERCHANT_NAME_CHARS_MAX + 1),
            &"x".repeat(EMAIL_CHARS_MAX + 1),
            "#12345",
        );
        assert_eq!(blamed(&long), all);
    }

    #[test]
    fn a_preview_is_made_of_any_colour_and_of_none() {
        let orange = preview("#f7931a");
        assert_eq!(orange.stylesheet, "/brand/preview/F7931A.css");
        assert_eq!(orange.sentences.len(), 1, "{orange:?}");
        assert_ne!(orange.light.accent, "#F7931A");
        assert_eq!(orange.dark.accent, "#F7931A");
        let house = preview("red");
        assert_eq!(house.stylesheet, "/brand/preview/house.css");
        assert_eq!(house.light.paper, "8.58:1");
        assert!(house.sentences.is_empty());
    }
}
