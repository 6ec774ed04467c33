//! Images to labels: as a job of its own, or in between while a long job runs.

use super::active_model::ActiveModel;
use super::find;
use super::mailbox::Mailbox;
use crate::error::{Error, Result};
use crate::image;
use crate::infer::Classifier;
use crate::platform::files::InputFile;
use crate::platform::time;
use crate::protocol::{Event, FileRef, Phase};

/// Classifies files, one after the other; what is wrong with one stays with that one.
pub(super) async fn classify(
    mailbox: &mut Mailbox,
    model: &ActiveModel,
    named: &[FileRef],
    files: &[InputFile],
) -> Result<()> {
    model.classifier.check_trained(&model.source)?;
    let total = named.len() as u64;
    for (done, file) in (1..).zip(named) {
        one(mailbox, &model.classifier, file, files).await?;
        mailbox.progress(Phase::Classifying, done, total);
        mailbox.poll_commands(None).await?;
    }
    mailbox.emit(Event::Finished);
    Ok(())
}

/// Classifies a few files while another job waits; the mailbox is turned to their job.
pub(super) async fn few(
    mailbox: &Mailbox,
    classifier: &Classifier,
    named: &[FileRef],
    files: &[InputFile],
) {
    if let Err(error) = classifier.check_trained("the model in use") {
        return mailbox.fail(&error);
    }
    for file in named {
        if let Err(error) = one(mailbox, classifier, file, files).await {
            return mailbox.fail(&error);
        }
    }
    mailbox.emit(Event::Finished);
}

/// Classifies one file and tells what came of it. Only a failing device is an error here: the next file
/// would fail as well.
async fn one(
    mailbox: &Mailbox,
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
    mailbox.emit(match result {
        Ok(probabilities) => Event::Classified {
            file: path,
            probabilities,
            milliseconds: time::now() - start,
        },
        Err(error @ Error::Gpu(_)) => return Err(error),
        Err(error) => Event::FileError {
            reason: error.reason_of(&path),
            file: path,
        },
    });
    Ok(())
}
