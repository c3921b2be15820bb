//! What the settings page of a merchant shows (ux §1.13, §1.14b).

use super::LogoFile;
use super::checkout::Notice;

/// The fields of the form, as typed or as stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsForm {
    pub name: String,
    pub support_email: String,
    /// `#RRGGBB`; empty = house colours.
    pub accent: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsView {
    pub form: SettingsForm,
    pub logo: Option<LogoFile>,
    pub preview: AccentPreview,
    pub notice: Option<Notice>,
}

/// How the checkout looks in the colour of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccentPreview {
    /// Path of the style sheet of `.preview-light` and `.preview-dark`.
    pub stylesheet: String,
    /// What was changed so that text stays readable.
    pub sentences: Vec<String>,
    pub light: RatioTexts,
    pub dark: RatioTexts,
}

/// Contrast ratios as text, e.g. `5.31:1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatioTexts {
    /// `#RRGGBB` as it is shown in this theme.
    pub accent: String,
    pub paper: String,
    pub surface: String,
    pub sunken: String,
    /// Words on a button.
    pub button: String,
}
