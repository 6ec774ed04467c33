//! The settings table: one row a setting, beside its field in `train.rs` and `augment.rs`.
//!
//! From the row follow the field and its default, the check of its range, the command line's flag and help, the page's
//! input and hint, and the tests that go over every row. When these were lists of their own they disagreed: some settings
//! had no flag, others no input, and one had two limits.

use super::train::{SEEDS, TRAIN};
use super::value::number;
use super::{Input, TrainConfig, TrainRequest, Value, augment::AUGMENT, within};
use crate::error::{Error, Result};

/// A setting of a training.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Its path in run files and reports.
    pub key: &'static str,
    /// What it does.
    help: &'static str,
    /// Its name in messages.
    pub name: &'static str,
    label: Option<&'static str>,
    flag: Option<&'static str>,
    /// What the flag is given, where that is not just its own name.
    pub value_name: Option<&'static str>,
    range: Option<(f64, f64)>,
    /// Unit, special values: what the range does not say.
    pub note: &'static str,
    /// The heading it stands under; none for what is always in sight.
    pub group: &'static str,
    /// Whether the page has an input for it.
    pub on_page: bool,
    used: fn(&TrainConfig) -> bool,
    value: Access,
}

/// The way to a setting's value. Where it is part of something that is off there is none, unless that is to be put on.
type Access = fn(&mut TrainRequest, on: bool) -> Option<&mut dyn Value>;

/// A row, by its name in messages.
pub(super) const fn setting(name: &'static str) -> Setting {
    Setting {
        key: "",
        help: "",
        name,
        label: None,
        flag: None,
        value_name: None,
        range: None,
        note: "",
        group: "",
        on_page: true,
        used: |_| true,
        value: |_, _| None,
    }
}

// What a row says.
impl Setting {
    /// Its label, where that is not its name.
    pub(super) const fn label(mut self, label: &'static str) -> Self {
        self.label = Some(label);
        self
    }

    /// Its flag, where that does not follow from its key.
    pub(super) const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    pub(super) const fn value_name(mut self, name: &'static str) -> Self {
        self.value_name = Some(name);
        self
    }

    /// The smallest and the largest valid number.
    pub(super) const fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// The unit, special values: what the range does not say.
    pub(super) const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    pub(super) const fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    pub(super) const fn not_on_page(mut self) -> Self {
        self.on_page = false;
        self
    }

    /// When it has an effect.
    pub(super) const fn used(mut self, used: fn(&TrainConfig) -> bool) -> Self {
        self.used = used;
        self
    }

    /// Its key, what it does, and where its value is.
    pub(super) const fn at(self, key: &'static str, help: &'static str, value: Access) -> Self {
        Self {
            key,
            help,
            value,
            ..self
        }
    }
}

// What follows from it.
impl Setting {
    /// Every setting, those that others depend on before them.
    pub fn all() -> impl Iterator<Item = &'static Self> + Clone {
        TRAIN.iter().chain(AUGMENT).chain([&SEEDS])
    }

    /// The one of that key, if there is one.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        Self::all().find(|setting| setting.key == key)
    }

    /// Whether it is a part of the augmentation.
    #[must_use]
    pub fn is_augment(&self) -> bool {
        self.key.starts_with("augment.")
    }

    /// Its key as one word, without what all parts of the augmentation have in common.
    #[must_use]
    pub fn word(&self) -> String {
        let key = self.key.strip_prefix("augment.").unwrap_or(self.key);
        key.replace(['.', '_'], "-")
    }

    /// Its flag, without dashes in front.
    #[must_use]
    pub fn flag_name(&self) -> String {
        self.flag.map_or_else(|| self.word(), str::to_owned)
    }

    /// What its input on the page is called in tests.
    #[must_use]
    pub fn test_id(&self) -> String {
        let words = matches!(self.input(), Input::Words(_));
        format!("{}-{}", self.word(), if words { "select" } else { "input" })
    }

    /// What its input on the page is called.
    #[must_use]
    pub fn title(&self) -> String {
        self.label
            .map_or_else(|| upper_first(self.name), str::to_owned)
    }

    /// How it is given.
    #[must_use]
    pub fn input(&self) -> Input {
        let mut request = TrainRequest::default();
        let value = (self.value)(&mut request, true);
        value.map_or(Input::Text, |value| value.input())
    }

    /// The text of its default; of a part that is off, the one it has when that is put on.
    #[must_use]
    pub fn default_text(&self) -> String {
        let mut request = TrainRequest::default();
        let value = (self.value)(&mut request, true);
        value.map_or_else(String::new, |value| value.text())
    }

    /// What may be typed, in words.
    #[must_use]
    pub fn hint(&self) -> String {
        let range = self
            .range
            .map(|(low, high)| format!("{} to {}", number(low), number(high)));
        let note = (!self.note.is_empty()).then(|| self.note.to_owned());
        range.into_iter().chain(note).collect::<Vec<_>>().join("; ")
    }

    /// What it does and what it may be, for the command line.
    #[must_use]
    pub fn help(&self) -> String {
        let does = self.help.trim().trim_end_matches('.');
        let may_be = match self.input() {
            Input::Text => self.hint(),
            Input::Words(words) => {
                let names: Vec<_> = words.iter().map(|word| word.0).collect();
                names.join(", ")
            }
            Input::Switch => return does.to_owned(),
        };
        match self.default_text().as_str() {
            "" => format!("{does} ({may_be})"),
            default => format!("{does} ({may_be}; default {default})"),
        }
    }

    /// Whether it has an effect with the others as they are.
    #[must_use]
    pub fn is_used(&self, request: &mut TrainRequest) -> bool {
        (self.used)(&request.config) && (self.value)(request, false).is_some()
    }

    /// The text of its value; none where it is part of something that is off.
    #[must_use]
    pub fn text(&self, request: &mut TrainRequest) -> Option<String> {
        (self.value)(request, false).map(|value| value.text())
    }

    /// Takes over what was typed, and puts on what it is a part of.
    ///
    /// # Errors
    /// [`Error::Setting`] if the text means no such value; a range is left to [`Setting::check`].
    pub fn read(&self, request: &mut TrainRequest, text: &str) -> Result<()> {
        let text = text.trim();
        let Some(value) = (self.value)(request, true) else {
            return Ok(());
        };
        let read = value.read(text);
        read.map_err(|reason| Error::setting(self.name, format!("“{text}” {reason}")))
    }

    /// Checks the range.
    ///
    /// # Errors
    /// [`Error::Setting`] with its name.
    pub fn check(&self, request: &mut TrainRequest) -> Result<()> {
        let (Some((low, high)), Some(value)) = (self.range, (self.value)(request, false)) else {
            return Ok(());
        };
        let mut numbers = value.numbers().into_iter();
        numbers.try_for_each(|number| within(self.name, number, low, high))
    }
}

fn upper_first(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

/// A struct of settings: its fields with their defaults, and a row for each.
///
/// `/// help` and `field: Type = default => setting("name in messages")...;`, then in brackets the rows of what the field has
/// inside.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        pub struct $type:ident, $rows:ident: $prefix:literal in $request:ident => $place:expr;
        $(
            $(#[doc = $help:literal])+
            $(#[serde($($serde:tt)+)])?
            $field:ident: $value:ty = $default:expr => $row:expr $(, [$($part:expr),+ $(,)?])?;
        )+
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $type {
            $($(#[doc = $help])+ $(#[serde($($serde)+)])? pub $field: $value,)+
        }

        impl Default for $type {
            fn default() -> Self {
                Self {
                    $($field: $default,)+
                }
            }
        }

        /// The rows.
        pub(super) static $rows: &[$crate::config::Setting] = &[$(
            $row.at(
                concat!($prefix, stringify!($field)),
                concat!($($help),+),
                |$request, _| Some(&mut $place.$field),
            ),
            $($($part,)+)?
        )+];
    };
}
pub(super) use settings;

#[cfg(test)]
pub(crate) mod tests;
