//! The training settings as they stand in the inputs: text, until it is a valid [`TrainConfig`].
//! Ranges come from `config`'s check, and so do the messages.

mod choice;
mod field;
pub mod layout;
mod slot;

pub use choice::{CUSTOM, Choice, Flag};
pub use field::Field;
pub use layout::Item;

use crate::{
    config::{Augment, Crop, Jitter, Optimizer, Rotation, Schedule, Scope, TrainConfig},
    error::{Error, Result},
};

/// The settings as typed and chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainForm {
    typed: [String; Field::ALL.len()],
    chosen: [usize; Choice::ALL.len()],
    flags: [bool; Flag::ALL.len()],
}

impl Default for TrainForm {
    fn default() -> Self {
        let mut form = Self {
            typed: std::array::from_fn(|_| String::new()),
            chosen: Default::default(),
            flags: Default::default(),
        };
        // What stands in the inputs of what is off, for when it is put on.
        let mut on = TrainConfig::default();
        on.augment.rotation = Some(Rotation::default());
        on.augment.jitter = Some(Jitter::default());
        for crop in [Crop::Random { padding: 0.125 }, Crop::resized(0.7)] {
            on.augment.crop = Some(crop);
            form.fill(&on, |_| true);
        }
        form.take(&TrainConfig::default(), TrainConfig::SEEDS.0);
        form
    }
}

impl TrainForm {
    /// Takes over the settings of a training.
    pub fn take(&mut self, config: &TrainConfig, seeds: usize) {
        self.fill(config, |_| true);
        self.type_in(Field::Seeds, seeds.to_string());
    }

    /// What stands in the input.
    #[must_use]
    pub fn typed(&self, field: Field) -> &str {
        &self.typed[field as usize]
    }

    /// Notes what was typed.
    pub fn type_in(&mut self, field: Field, text: String) {
        self.typed[field as usize] = text;
        self.name_augment(field.is_augment());
    }

    /// The number of the chosen option.
    #[must_use]
    pub const fn chosen(&self, choice: Choice) -> usize {
        self.chosen[choice as usize]
    }

    /// The name of the chosen option.
    #[must_use]
    pub fn chosen_name(&self, choice: Choice) -> &'static str {
        let names = choice.names();
        names.get(self.chosen(choice)).copied().unwrap_or_default()
    }

    /// Notes what was chosen, by name; a preset is filled in. An unknown name changes nothing.
    pub fn choose(&mut self, choice: Choice, name: &str) {
        let Some(index) = choice.names().into_iter().position(|n| n == name) else {
            return;
        };
        self.chosen[choice as usize] = index;
        if let (Choice::Augment, Some(augment)) = (choice, Augment::preset(name)) {
            let config = TrainConfig {
                augment,
                ..TrainConfig::default()
            };
            self.fill(&config, |item| match item {
                Item::F(field) => field.is_augment(),
                Item::C(choice) => choice.is_augment(),
                Item::O(flag) => flag.is_augment(),
            });
        }
        self.name_augment(choice.is_augment());
    }

    /// Whether a setting is on.
    #[must_use]
    pub const fn flag(&self, flag: Flag) -> bool {
        self.flags[flag as usize]
    }

    /// Puts a setting on or off.
    pub fn set(&mut self, flag: Flag, on: bool) {
        self.flags[flag as usize] = on;
        self.name_augment(flag.is_augment());
    }

    /// Whether a setting means anything with the others as they are.
    #[must_use]
    pub fn is_used(&self, item: Item) -> bool {
        let base = self.base();
        let tunes = base.scope != Scope::Head;
        match item {
            Item::F(field) => match field {
                Field::Seeds => true,
                Field::Momentum => base.optimizer == Optimizer::Sgd,
                Field::StepEpochs | Field::StepFactor => base.schedule == Schedule::Step,
                Field::BackboneFactor | Field::Sizes => tunes,
                Field::StageDecay => matches!(base.scope, Scope::LastTwo | Scope::All),
                Field::Views => !tunes,
                field => field.slot(&mut self.base()).is_some(),
            },
            Item::C(Choice::Norm) => tunes,
            Item::C(Choice::Edges) => base.augment.rotation.is_some(),
            Item::C(_) | Item::O(_) => true,
        }
    }

    /// What is wrong with one setting, if anything is.
    #[must_use]
    pub fn problem(&self, field: Field) -> Option<String> {
        if field == Field::Seeds {
            return self.seeds().err().map(|e| e.to_string());
        }
        if !self.is_used(Item::F(field)) {
            return None;
        }
        let mut config = self.base_for(field);
        let checked = self.read(field, &mut config).and_then(|()| config.check());
        checked.err().map(|e| e.to_string())
    }

    /// What may be typed, in words.
    #[must_use]
    pub fn hint(&self, field: Field) -> String {
        let range = match field {
            Field::LearningRate => {
                let (lo, hi) = TrainConfig::LEARNING_RATE;
                format!("{lo:e} to {hi}")
            }
            Field::Seeds => format!("{} to {}", TrainConfig::SEEDS.0, TrainConfig::SEEDS.1),
            _ => self.range(field).unwrap_or_default(),
        };
        match (range.as_str(), field.note()) {
            ("", note) => note.to_owned(),
            (_, "") => range,
            (_, note) => format!("{range}; {note}"),
        }
    }

    /// The settings, if all are valid.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first setting that is not.
    pub fn config(&self) -> Result<TrainConfig> {
        let mut config = self.base();
        let used = |field: &Field| self.is_used(Item::F(*field));
        for field in Field::ALL.into_iter().filter(used) {
            self.read(field, &mut config)?;
        }
        config.check()?;
        Ok(config)
    }

    /// The augmentation, if it is valid.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first setting that is not.
    pub fn augment(&self) -> Result<Augment> {
        let mut config = self.base();
        let used = |field: &Field| field.is_augment() && self.is_used(Item::F(*field));
        for field in Field::ALL.into_iter().filter(used) {
            self.read(field, &mut config)?;
        }
        config.augment.check()?;
        Ok(config.augment)
    }

    /// How many trainings that differ in their seed.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the setting.
    pub fn seeds(&self) -> Result<usize> {
        let text = self.typed(Field::Seeds).trim();
        let (lo, hi) = TrainConfig::SEEDS;
        let name = Field::Seeds.name();
        match text.parse::<usize>() {
            Ok(seeds) if (lo..=hi).contains(&seeds) => Ok(seeds),
            Ok(seeds) => Err(Error::setting(
                name,
                format!("{seeds} is outside {lo} to {hi}"),
            )),
            Err(_) => Err(Error::setting(
                name,
                format!("“{text}” is not a whole number"),
            )),
        }
    }

    /// What was chosen, every number at its default.
    fn base(&self) -> TrainConfig {
        let mut config = TrainConfig::default();
        for choice in Choice::ALL {
            choice.put(self.chosen(choice), &mut config);
        }
        for flag in Flag::ALL {
            flag.put(self.flag(flag), &mut config);
        }
        if config.scope == Scope::Head {
            config.norm = TrainConfig::default().norm;
        }
        config
    }

    /// The same with the number that limits a field's, if that one is valid.
    fn base_for(&self, field: Field) -> TrainConfig {
        let mut config = self.base();
        if let Some(other) = field.companion() {
            let mut with = config.clone();
            if self
                .read(other, &mut with)
                .and_then(|()| with.check())
                .is_ok()
            {
                config = with;
            }
        }
        config
    }

    fn read(&self, field: Field, config: &mut TrainConfig) -> Result<()> {
        match field.slot(config) {
            Some(slot) => slot.write(self.typed(field), field.name()),
            None => Ok(()),
        }
    }

    /// The range that the check names when it is left.
    fn range(&self, field: Field) -> Option<String> {
        let mut config = self.base_for(field);
        if field.slot(&mut config).is_none() {
            // Off now; what it would be were it on.
            let mut form = self.clone();
            form.set(Flag::Jitter, true);
            form.choose(Choice::Turns, "any");
            let crop = if field == Field::CropPadding {
                "random"
            } else {
                "resized"
            };
            form.choose(Choice::Crop, crop);
            config = form.base();
        }
        if !field.slot(&mut config)?.spoil() {
            return None;
        }
        let message = config.check().err()?.to_string();
        Some(message.split_once("is outside ")?.1.to_owned())
    }

    /// Takes over the settings of those `items`; what is off there keeps its text.
    fn fill(&mut self, config: &TrainConfig, items: impl Fn(Item) -> bool) {
        let mut config = config.clone();
        for choice in Choice::ALL.into_iter().filter(|c| items(Item::C(*c))) {
            if let Some(index) = choice.find(&config) {
                self.chosen[choice as usize] = index;
            }
        }
        for flag in Flag::ALL.into_iter().filter(|f| items(Item::O(*f))) {
            self.flags[flag as usize] = flag.find(&config);
        }
        for field in Field::ALL.into_iter().filter(|f| items(Item::F(*f))) {
            if let Some(slot) = field.slot(&mut config) {
                self.typed[field as usize] = slot.text();
            }
        }
    }

    /// After a change of the augmentation's parts: the preset that they are, or none.
    fn name_augment(&mut self, changed: bool) {
        if !changed {
            return;
        }
        let config = self.augment().map(|augment| TrainConfig {
            augment,
            ..TrainConfig::default()
        });
        let found = config.ok().and_then(|config| Choice::Augment.find(&config));
        let custom = Augment::PRESETS.len();
        self.chosen[Choice::Augment as usize] = found.unwrap_or(custom);
    }
}

#[cfg(test)]
mod tests;
