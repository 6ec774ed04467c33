//! Images to labels: as a job of its own, or in between while a long job runs.

use super::desk::Desk;
use super::{Engine, find};
use crate::error::{Error, Result};
use crate::image;
use crate::infer::Classifier;
use crate::platform::files::InputFile;
use crate::platform::time;
use crate::protocol::{Event, FileRef, Phase};

impl Engine {
    /// Classifies files, one after the other; what is wrong with one stays with that one.
    pub(super) async fn classify(&mut self, named: &[FileRef], files: &[InputFile]) -> Result<()> {
        let Self { desk, model, .. } = self;
        let model = model
            .as_ref()
            .ok_or_else(|| Error::weights("model", "none is loaded yet"))?;
        model.classifier.check_trained(&model.source)?;
        let total = named.len() as u64;
        for (done, file) in (1..).zip(named) {
            one(desk, &model.classifier, file, files).await?;
            desk.progress(Phase::Classifying, done, total);
            desk.look_up(None).await?;
        }
        desk.tell(Event::Finished);
        Ok(())
    }
}

/// Classifies a few files while another job waits; the desk is set to the job that they are of.
pub(super) async fn few(
    desk: &Desk,
    classifier: &Classifier,
    named: &[FileRef],
    files: &[InputFile],
) {
    if let Err(error) = classifier.check_trained("the model in use") {
        return desk.fail(&error);
    }
    for file in named {
        if let Err(error) = one(desk, classifier, file, files).await {
            return desk.fail(&error);
        }
    }
    desk.tell(Event::Finished);
}

/// Classifies one file and tells what came of it. Only a failing device is an error here: the next file
/// would fail as well.
async fn one(
    desk: &Desk,
    classifier: &Classifier,
    file: &FileRef,
    files: &[InputFile],
) -> Result<()> {
    let start = time::now();
    let path = file.path.clone();
    let result = match find(file, files).and_then(InputFile::read) {
        Ok(bytes) => {
            let bytes = image::transcode(bytes).await;
            classifier.classify(&path, &bytes).await
        }
        Err(error) => Err(error),
    };
    desk.tell(match result {
        Ok(probabilities) => Event::Classified {
            file: path,
            probabilities,
            milliseconds: time::now() - start,
        },
        Err(error @ Error::Gpu(_)) => return Err(error),
        Err(error) => Event::FileError {
            file: path,
            reason: error.reason(),
        },
    });
    Ok(())
}
