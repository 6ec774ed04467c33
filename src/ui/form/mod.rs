//! The training settings as they stand in the inputs: a text for each row of the settings table, until all of them are a
//! valid [`TrainRequest`].

use std::collections::BTreeMap;

use crate::{
    config::{Augment, Input, Setting, TrainConfig, TrainRequest},
    error::{Error, Result},
};

/// The key of the augmentation's preset, whose parts are settings of their own.
const AUGMENT: &str = "augment";

/// The settings as typed and chosen, by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainForm(BTreeMap<&'static str, String>);

impl Default for TrainForm {
    fn default() -> Self {
        Self(Setting::all().map(|s| (s.key, s.default_text())).collect())
    }
}

impl TrainForm {
    /// Takes over the settings of a training; what is off there keeps its text.
    pub fn take(&mut self, request: &TrainRequest) {
        self.fill(request, |_| true);
    }

    /// What stands in the input.
    #[must_use]
    pub fn typed(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// Notes what was typed or chosen; a preset is filled in. A word that is not on offer changes nothing.
    pub fn type_in(&mut self, key: &str, text: String) {
        let Some(setting) = Setting::find(key) else {
            return;
        };
        if let Input::Words(words) = setting.input()
            && !words.iter().any(|word| word.0 == text)
        {
            return;
        }
        let preset = Augment::preset(&text).filter(|_| key == AUGMENT);
        self.0.insert(setting.key, text);
        if let Some(augment) = preset {
            let config = TrainConfig {
                augment,
                ..TrainConfig::default()
            };
            self.fill(&config.into(), Setting::is_augment);
        }
        if setting.is_augment() {
            let name = self.augment().ok().and_then(|augment| augment.name());
            let name = name.unwrap_or(Augment::CUSTOM).to_owned();
            self.0.insert(AUGMENT, name);
        }
    }

    /// The settings, at its default each that is not valid by itself.
    #[must_use]
    pub fn valid(&self) -> TrainRequest {
        self.sort_out().0
    }

    /// What is wrong, by the key of the setting that is to blame.
    #[must_use]
    pub fn problems(&self) -> BTreeMap<&'static str, String> {
        let (request, mut problems) = self.sort_out();
        if let Err(Error::Setting { name, reason }) = request.check() {
            let to_blame = Setting::all().find(|setting| setting.name == name);
            let problem = to_blame.map(|setting| (setting.key, format!("{name}: {reason}")));
            problems.extend(problem);
        }
        problems
    }

    /// The settings, if all are valid.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first setting that is not.
    pub fn request(&self) -> Result<TrainRequest> {
        let request = self.read(|_| true)?;
        request.check()?;
        Ok(request)
    }

    /// The augmentation, if it is valid.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first setting that is not.
    pub fn augment(&self) -> Result<Augment> {
        // What is trained decides which of its parts have an effect.
        let request = self.read(|s| s.is_augment() || s.key == "scope")?;
        request.config.augment.check()?;
        Ok(request.config.augment)
    }

    /// Those settings, as typed where they have an effect.
    fn read(&self, which: impl Fn(&Setting) -> bool) -> Result<TrainRequest> {
        let mut request = TrainRequest::default();
        for setting in Setting::all().filter(|s| which(s)) {
            if setting.is_used(&mut request) {
                setting.read(&mut request, self.typed(setting.key))?;
            }
        }
        Ok(request)
    }

    /// The settings, at its default each that is not valid by itself; and what is wrong with those, by key.
    fn sort_out(&self) -> (TrainRequest, BTreeMap<&'static str, String>) {
        let (mut request, mut problems) = (TrainRequest::default(), BTreeMap::new());
        for setting in Setting::all() {
            if !setting.is_used(&mut request) {
                continue;
            }
            let mut with = request.clone();
            let read = setting.read(&mut with, self.typed(setting.key));
            match read.and_then(|()| setting.check(&mut with)) {
                Ok(()) => request = with,
                Err(error) => _ = problems.insert(setting.key, error.to_string()),
            }
        }
        (request, problems)
    }

    fn fill(&mut self, request: &TrainRequest, which: impl Fn(&Setting) -> bool) {
        let mut request = request.clone();
        for setting in Setting::all().filter(|s| which(s)) {
            if let Some(text) = setting.text(&mut request) {
                self.0.insert(setting.key, text);
            }
        }
    }
}

#[cfg(test)]
mod tests;
