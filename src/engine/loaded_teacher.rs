//! The teacher of trainings with a `distillation`.

use super::find;
use super::mailbox::Mailbox;
use super::prepare_kernels::prepare_kernels;
use crate::config::{Preprocess, TrainConfig};
use crate::error::{Error, Result};
use crate::infer::{Classifier, Given, Loaded, read_model};
use crate::platform::device::OpenDevice;
use crate::platform::files::InputFile;
use crate::platform::hash;
use crate::protocol::FileRef;
use crate::train::teacher::Teacher;

/// A teacher and where it came from.
pub(super) struct LoadedTeacher {
    pub teacher: Teacher,
    classes: Vec<String>,
    preprocess: Preprocess,
    file: String,
    sha256: String,
}

impl LoadedTeacher {
    /// A whole model from a file, tried out on the device.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the file and what is wrong with it.
    pub async fn load(
        mailbox: &mut Mailbox,
        device: &OpenDevice,
        persistent: bool,
        file: &FileRef,
        files: &[InputFile],
    ) -> Result<Self> {
        let bytes = find(file, files)?.read()?;
        let (checkpoint, _) = read_model(&file.path, &bytes)?;
        let given = Given::default();
        let Loaded {
            classifier,
            head_replaced,
            warnings,
        } = Classifier::load(checkpoint, None, given, &device.device)?;
        if head_replaced {
            let reason = format!("cannot teach: {}", warnings.join(" "));
            return Err(Error::weights(&file.path, reason));
        }
        for warning in warnings {
            mailbox.warn(warning);
        }
        prepare_kernels(mailbox, device, persistent, &classifier).await?;
        let tried = classifier.try_out().await;
        tried.map_err(|error| error.in_file(&file.path))?;
        Ok(Self {
            teacher: Teacher {
                backbone: classifier.backbone,
                head: classifier.head,
            },
            classes: classifier.classes,
            preprocess: classifier.preprocess,
            file: file.path.clone(),
            sha256: hash::sha256(&bytes).await,
        })
    }

    /// SHA-256 of the file of the teacher that a training wants, if it wants one; `classes` and `preprocess` are those
    /// of the data set and the model.
    ///
    /// # Errors
    /// [`Error::Setting`] if there is none, [`Error::Weights`] if it does not fit model and data set.
    pub fn wanted(
        teacher: Option<&Self>,
        config: &TrainConfig,
        classes: &[String],
        preprocess: &Preprocess,
    ) -> Result<Option<String>> {
        if config.distillation <= 0.0 {
            return Ok(None);
        }
        let Some(taught) = teacher else {
            let reason = "the training learns from a teacher, and none is loaded (--teacher FILE)";
            return Err(Error::setting("distillation", reason));
        };
        if taught.classes != classes {
            let reason = format!(
                "teaches {}; the data set has {}",
                taught.classes.join(", "),
                classes.join(", ")
            );
            return Err(Error::weights(&taught.file, reason));
        }
        let [theirs, ours] = [&taught.preprocess, preprocess];
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
