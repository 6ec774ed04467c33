//! The training settings as they stand in the inputs: text, until it is a valid [`TrainConfig`].
//! Ranges come from `config`, and so do the messages.

use crate::{
    config::{HeadKind, Scope, TrainConfig},
    error::{Error, Result},
};

/// A setting that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Adam's learning rate.
    LearningRate,
    /// The convolutions' learning rate over the head's.
    BackboneFactor,
    /// Passes over the training images.
    Epochs,
    /// Images a step.
    Batch,
    /// Seed of everything random.
    Seed,
    /// Share held out for validation.
    ValFraction,
}

impl Field {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 6] = [
        Self::LearningRate,
        Self::BackboneFactor,
        Self::Epochs,
        Self::Batch,
        Self::Seed,
        Self::ValFraction,
    ];

    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LearningRate => "learning rate",
            Self::BackboneFactor => "backbone rate factor",
            Self::Epochs => "epochs",
            Self::Batch => "batch",
            Self::Seed => "seed",
            Self::ValFraction => "validation fraction",
        }
    }

    /// Its label.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::LearningRate => "Learning rate",
            Self::BackboneFactor => "Backbone rate factor",
            Self::Epochs => "Epochs",
            Self::Batch => "Batch",
            Self::Seed => "Seed",
            Self::ValFraction => "Validation fraction",
        }
    }

    /// Its `data-testid`.
    #[must_use]
    pub const fn test_id(self) -> &'static str {
        match self {
            Self::LearningRate => "lr-input",
            Self::BackboneFactor => "factor-input",
            Self::Epochs => "epochs-input",
            Self::Batch => "batch-input",
            Self::Seed => "seed-input",
            Self::ValFraction => "val-input",
        }
    }

    /// What may be typed, in words.
    #[must_use]
    pub fn hint(self) -> String {
        match self {
            Self::LearningRate => {
                let (lo, hi) = TrainConfig::LEARNING_RATE;
                format!("{lo:e} to {hi}")
            }
            Self::BackboneFactor => {
                let (lo, hi) = TrainConfig::BACKBONE_LR_FACTOR;
                format!("{lo} to {hi}, times the learning rate: for convolutions")
            }
            Self::Epochs => {
                let (lo, hi) = TrainConfig::EPOCHS;
                format!("{lo} to {hi}")
            }
            Self::Batch => {
                let (lo, hi) = TrainConfig::BATCH;
                format!("{lo} to {hi} images")
            }
            Self::Seed => "any whole number".to_owned(),
            Self::ValFraction => {
                let (lo, hi) = TrainConfig::VAL_FRACTION;
                format!("{lo} to {hi}")
            }
        }
    }
}

/// The settings as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainForm {
    /// The head, chosen from a list.
    pub head: HeadKind,
    /// What is trained, chosen from a list.
    pub scope: Scope,
    typed: [String; 6],
}

impl Default for TrainForm {
    fn default() -> Self {
        let config = TrainConfig::default();
        Self {
            head: config.head,
            scope: config.scope,
            typed: [
                config.learning_rate.to_string(),
                config.backbone_lr_factor.to_string(),
                config.epochs.to_string(),
                config.batch.to_string(),
                config.seed.to_string(),
                config.val_fraction.to_string(),
            ],
        }
    }
}

impl TrainForm {
    /// What stands in the input.
    #[must_use]
    pub fn typed(&self, field: Field) -> &str {
        &self.typed[field as usize]
    }

    /// Notes what was typed.
    pub fn type_in(&mut self, field: Field, text: String) {
        self.typed[field as usize] = text;
    }

    /// Whether a setting means anything with the others as they are.
    #[must_use]
    pub fn is_used(&self, field: Field) -> bool {
        field != Field::BackboneFactor || self.scope != Scope::Head
    }

    /// What is wrong with one setting, if anything is.
    #[must_use]
    pub fn problem(&self, field: Field) -> Option<String> {
        if !self.is_used(field) {
            return None;
        }
        let mut config = TrainConfig::default();
        let checked = self.read(field, &mut config).and_then(|()| config.check());
        checked.err().map(|e| e.to_string())
    }

    /// The settings, if all are valid.
    ///
    /// # Errors
    /// [`Error::Shape`] naming the first setting that is not.
    pub fn config(&self) -> Result<TrainConfig> {
        let mut config = TrainConfig {
            head: self.head,
            scope: self.scope,
            ..TrainConfig::default()
        };
        for field in Field::ALL.into_iter().filter(|field| self.is_used(*field)) {
            self.read(field, &mut config)?;
        }
        config.check()?;
        Ok(config)
    }

    fn read(&self, field: Field, config: &mut TrainConfig) -> Result<()> {
        let text = self.typed(field).trim();
        let whole = || Error::shape(field.name(), format!("“{text}” is not a whole number"));
        let number = || Error::shape(field.name(), format!("“{text}” is not a number"));
        match field {
            Field::LearningRate => config.learning_rate = text.parse().map_err(|_| number())?,
            Field::BackboneFactor => {
                config.backbone_lr_factor = text.parse().map_err(|_| number())?;
            }
            Field::Epochs => config.epochs = text.parse().map_err(|_| whole())?,
            Field::Batch => config.batch = text.parse().map_err(|_| whole())?,
            Field::Seed => config.seed = text.parse().map_err(|_| whole())?,
            Field::ValFraction => config.val_fraction = text.parse().map_err(|_| number())?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_settings_defaults() {
        assert_eq!(TrainForm::default().config(), Ok(TrainConfig::default()));
    }

    #[test]
    fn what_is_typed_arrives_in_its_own_setting() {
        let mut form = TrainForm {
            head: HeadKind::Mlp3,
            scope: Scope::LastStage,
            ..TrainForm::default()
        };
        for (field, text) in Field::ALL
            .into_iter()
            .zip(["1e-2", "0.5", "3", " 16 ", "99", "0.25"])
        {
            form.type_in(field, text.to_owned());
        }
        let expected = TrainConfig {
            head: HeadKind::Mlp3,
            scope: Scope::LastStage,
            learning_rate: 0.01,
            backbone_lr_factor: 0.5,
            epochs: 3,
            batch: 16,
            seed: 99,
            val_fraction: 0.25,
            ..TrainConfig::default()
        };
        assert_eq!(form.config(), Ok(expected));
    }

    #[test]
    fn a_bad_setting_is_named_and_only_that_one_is_marked() {
        for (field, text) in [
            (Field::LearningRate, "0"),
            (Field::LearningRate, "NaN"),
            (Field::BackboneFactor, "2"),
            (Field::Epochs, "0"),
            (Field::Epochs, "2.5"),
            (Field::Batch, ""),
            (Field::Batch, "99999999999999999999999"),
            (Field::Seed, "-1"),
            (Field::ValFraction, "0.9"),
        ] {
            let mut form = TrainForm {
                scope: Scope::All,
                ..TrainForm::default()
            };
            form.type_in(field, text.to_owned());
            for other in Field::ALL {
                assert_eq!(
                    form.problem(other).is_some(),
                    other == field,
                    "{field:?} {text}"
                );
            }
            let error = form.config().map_err(|e| e.to_string());
            let error = error.expect_err("the setting is bad");
            assert!(error.starts_with(field.name()), "{error}");
        }
    }
}
