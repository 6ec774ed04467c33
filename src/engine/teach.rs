//! The teacher of trainings with a `distillation`.

use super::{Engine, find};
use crate::config::{Preprocess, TrainConfig};
use crate::error::{Error, Result};
use crate::infer::{Classifier, Given, Loaded};
use crate::platform::files::InputFile;
use crate::platform::hash;
use crate::protocol::{Event, FileRef};
use crate::train::teacher::Teacher;
use crate::weights;

/// A teacher and where it came from.
pub(super) struct LoadedTeacher {
    pub teacher: Teacher,
    classes: Vec<String>,
    preprocess: Preprocess,
    file: String,
    sha256: String,
}

impl Engine {
    /// Puts a whole model aside as the teacher.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the file and what is wrong with it.
    pub(super) async fn teach(&mut self, file: &FileRef, files: &[InputFile]) -> Result<()> {
        let bytes = find(file, files)?.read()?;
        let checkpoint = weights::read(&file.path, &bytes)?;
        let given = Given::default();
        let Loaded {
            classifier,
            head_replaced,
            warnings,
        } = Classifier::load(checkpoint, None, given, &self.opened()?.device)?;
        if head_replaced {
            let reason = format!("cannot teach: {}", warnings.join(" "));
            return Err(Error::weights(&file.path, reason));
        }
        for warning in warnings {
            self.mailbox.warn(warning);
        }
        self.prepare_kernels(&classifier).await?;
        let tried = classifier.try_out().await;
        tried.map_err(|error| error.in_file(&file.path))?;
        self.teacher = Some(LoadedTeacher {
            teacher: Teacher {
                backbone: classifier.backbone,
                head: classifier.head,
            },
            classes: classifier.classes,
            preprocess: classifier.preprocess,
            file: file.path.clone(),
            sha256: hash::sha256(&bytes).await,
        });
        self.mailbox.emit(Event::Finished);
        Ok(())
    }

    /// SHA-256 of the teacher's file, for a training that wants one.
    ///
    /// # Errors
    /// [`Error::Setting`] if there is none, [`Error::Weights`] if it does not fit model and data set.
    pub(super) fn teacher_for(&self, config: &TrainConfig) -> Result<Option<String>> {
        if config.distillation <= 0.0 {
            return Ok(None);
        }
        let Some(taught) = &self.teacher else {
            let reason = "the training learns from a teacher, and none is loaded (--teacher FILE)";
            return Err(Error::setting("distillation", reason));
        };
        let classes = self.classes_wanted();
        if taught.classes != classes {
            let reason = format!(
                "teaches {}; the data set has {}",
                taught.classes.join(", "),
                classes.join(", ")
            );
            return Err(Error::weights(&taught.file, reason));
        }
        let [theirs, ours] = [&taught.preprocess, &self.model()?.classifier.preprocess];
        if (theirs.mean, theirs.std) != (ours.mean, ours.std) {
            let reason = format!(
                "takes images of mean {:?} and deviation {:?}; the model, of {:?} and {:?}",
                theirs.mean, theirs.std, ours.mean, ours.std
            );
            return Err(Error::weights(&taught.file, reason));
        }
        Ok(Some(taught.sha256.clone()))
    }
}
