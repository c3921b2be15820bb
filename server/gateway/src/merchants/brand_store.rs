//! The SQL behind a merchant's looks and its settings.

use domain::view::settings::SettingsForm;
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;

use super::logo::Logo;
use crate::Result;

/// What a merchant has chosen.
#[derive(Debug, Clone, FromRow)]
pub(super) struct FaceRow {
    pub(super) name: String,
    /// `#RRGGBB`, not guarded yet.
    pub(super) accent: Option<String>,
    pub(super) support_email: Option<String>,
    /// Of the logo that pages show, as are its sides; all three or none.
    pub(super) sha256: Option<Vec<u8>>,
    pub(super) width: Option<i32>,
    pub(super) height: Option<i32>,
}

/// `None` = there is no such merchant.
pub(super) async fn face(pool: &PgPool, merchant_id: i64) -> Result<Option<FaceRow>> {
    Ok(sqlx::query_as(
        "SELECT m.name, m.accent, m.support_email, l.sha256, l.width, l.height
         FROM merchants m LEFT JOIN merchant_logos l ON l.merchant_id = m.id
         WHERE m.id = $1",
    )
    .bind(merchant_id)
    .fetch_optional(pool)
    .await?)
}

/// The logo of pages with its SHA-256.
pub(super) async fn screen_logo(
    pool: &PgPool,
    merchant_id: i64,
) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    Ok(
        sqlx::query_as("SELECT content, sha256 FROM merchant_logos WHERE merchant_id = $1")
            .bind(merchant_id)
            .fetch_optional(pool)
            .await?,
    )
}

/// The logo of documents.
pub(super) async fn print_logo(pool: &PgPool, merchant_id: i64) -> Result<Option<Vec<u8>>> {
    Ok(
        sqlx::query_scalar("SELECT print FROM merchant_logos WHERE merchant_id = $1")
            .bind(merchant_id)
            .fetch_optional(pool)
            .await?,
    )
}

/// The fields of the form as they are stored, held until the transaction ends.
pub(super) async fn lock_settings(
    conn: &mut PgConnection,
    merchant_id: i64,
) -> Result<Option<SettingsForm>> {
    let row: Option<(String, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT name, support_email, accent FROM merchants WHERE id = $1 FOR NO KEY UPDATE",
    )
    .bind(merchant_id)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(name, support_email, accent)| SettingsForm {
        name,
        support_email: support_email.unwrap_or_default(),
        accent: accent.unwrap_or_default(),
    }))
}

/// Stores checked fields; empty ones as NULL.
pub(super) async fn update_settings(
    conn: &mut PgConnection,
    merchant_id: i64,
    form: &SettingsForm,
) -> Result<()> {
    sqlx::query(
        "UPDATE merchants SET name = $2, support_email = nullif($3, ''), accent = nullif($4, '')
         WHERE id = $1",
    )
    .bind(merchant_id)
    .bind(&form.name)
    .bind(&form.support_email)
    .bind(&form.accent)
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts a logo in the place of the one before.
pub(super) async fn put_logo(
    conn: &mut PgConnection,
    merchant_id: i64,
    logo: &Logo,
    sha256: [u8; 32],
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO merchant_logos (merchant_id, content, width, height, sha256, print, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (merchant_id) DO UPDATE SET content = EXCLUDED.content,
             width = EXCLUDED.width, height = EXCLUDED.height, sha256 = EXCLUDED.sha256,
             print = EXCLUDED.print, updated_at = EXCLUDED.updated_at",
    )
    .bind(merchant_id)
    .bind(logo.screen.png.as_slice())
    .bind(i32::try_from(logo.screen.width)?)
    .bind(i32::try_from(logo.screen.height)?)
    .bind(sha256.as_slice())
    .bind(logo.print.png.as_slice())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The SHA-256 of what was removed; `None` when there was nothing.
pub(super) async fn delete_logo(
    conn: &mut PgConnection,
    merchant_id: i64,
) -> Result<Option<Vec<u8>>> {
    Ok(
        sqlx::query_scalar("DELETE FROM merchant_logos WHERE merchant_id = $1 RETURNING sha256")
            .bind(merchant_id)
            .fetch_optional(conn)
            .await?,
    )
}
