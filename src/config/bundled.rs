//! The models that come with the program, and which of them a training begins from.

use serde::{Deserialize, Serialize};

use super::TrainConfig;
use super::value::words;
use crate::classes;

/// A model that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BundledModel {
    /// A `ResNet-18` that tells six kinds of scenes apart. In use until another one is chosen.
    #[default]
    Scenes,
    /// `EfficientNet-Lite0` with `ImageNet`'s 1000 classes.
    Things,
    /// A `ResNet` trained on `ImageNet`, without a last layer: features for one's own classes.
    General,
}

words!(BundledModel {
    Scenes = "scenes", "Six scenes";
    Things = "things", "1000 things";
    General = "general", "General ResNet";
});

/// Which model a training begins from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartFrom {
    /// The one in use, or a bundled one that knows more: see [`StartFrom::instead`].
    #[default]
    Auto,
    /// The one in use, whatever it is.
    InUse,
}

words!(StartFrom {
    Auto = "auto", "automatic";
    InUse = "in-use", "the model in use";
});

impl StartFrom {
    /// The same for a training of those settings: one that goes on with the head in use goes on with its backbone too.
    #[must_use]
    pub const fn of(self, config: &TrainConfig) -> Self {
        if config.resume_head {
            Self::InUse
        } else {
            self
        }
    }

    /// The bundled model that a training for `classes` begins from in place of the one in use, whose backbone is that of
    /// `bundled`, if it is a bundled one's.
    ///
    /// The scenes' backbone has seen six kinds of scenes and nothing else; other classes begin from the one that has
    /// seen `ImageNet`.
    #[must_use]
    pub fn instead(
        self,
        bundled: Option<BundledModel>,
        classes: &[String],
    ) -> Option<BundledModel> {
        let narrow = bundled == Some(BundledModel::Scenes) && !classes::are_intel(classes);
        (self == Self::Auto && narrow).then_some(BundledModel::General)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_classes_than_the_six_scenes_begin_from_the_general_resnet() {
        let pets = ["cat".to_owned(), "dog".to_owned()];
        let mut scenes = classes::intel();
        scenes[0] = "Buildings".to_owned();
        scenes.reverse();
        let scenes_model = Some(BundledModel::Scenes);
        let instead =
            |start: StartFrom, bundled, classes: &[String]| start.instead(bundled, classes);
        assert_eq!(
            instead(StartFrom::Auto, scenes_model, &pets),
            Some(BundledModel::General)
        );
        assert_eq!(instead(StartFrom::Auto, scenes_model, &scenes), None);
        assert_eq!(instead(StartFrom::InUse, scenes_model, &pets), None);
        assert_eq!(
            instead(StartFrom::Auto, Some(BundledModel::Things), &pets),
            None
        );
        assert_eq!(instead(StartFrom::Auto, None, &pets), None);
    }
}
