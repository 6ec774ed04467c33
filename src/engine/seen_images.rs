//! Which images of the data set the backbone in use was trained on: what is measured on those flatters it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::open_dataset::{Compared, OpenDataset};
use super::{JobContext, image_loader};
use crate::config::BundledModel;
use crate::data::seen::SeenImages;
use crate::data::{Split, Subset};
use crate::error::Result;
use crate::image::{self, phash::PHash};
use crate::infer::Classifier;
use crate::platform::{Asset, parallel};
use crate::protocol::{Phase, Seen};
use crate::weights::Bundled;

/// Images hashed between two looks at the mailbox, for each processor.
const AT_ONCE: usize = 8;

/// The list of what the backbone in use was trained on, if it says so.
pub(super) fn list_of(classifier: &Classifier) -> Option<(BundledModel, &'static Asset)> {
    let bundled = Bundled::of(classifier.seen?);
    Some((bundled.model, bundled.seen.as_ref()?))
}

/// Marks those of some samples that the backbone in use was trained on, each compared once.
///
/// # Errors
/// What [`Bundled::load_asset`] says if the list is not to be had: then nothing is marked.
pub(super) async fn mark_seen(context: &mut JobContext<'_>, samples: &[usize]) -> Result<()> {
    let JobContext {
        mailbox,
        model,
        data,
        ..
    } = context;
    let classifier = &model.classifier;
    let list = list_of(classifier);
    if data.compared.as_ref().map(|of| of.model) != list.map(|(model, _)| model) {
        forget_seen(data);
    }
    let Some((seen_by, asset)) = list else {
        return Ok(());
    };
    let known = data.compared.as_ref();
    let is_new = |i: &usize| known.is_none_or(|of| !of.samples.contains(i));
    let new: Vec<usize> = samples.iter().copied().filter(is_new).collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut progress = |done, total| {
        mailbox.progress(Phase::LoadingModel, done, total);
        ControlFlow::Continue(())
    };
    let bytes = Bundled::load_asset(asset, &mut progress).await?;
    let known = SeenImages::read(asset.path, &bytes)?;
    let mut done = 0;
    for some in new.chunks(AT_ONCE * parallel::width()) {
        let files = image_loader::files(&mut data.set, some.iter().copied()).await;
        let settings = &classifier.preprocess;
        let found = parallel::map(files, |(path, bytes)| {
            // What cannot be read is told where it is used.
            let image = image::decode_for(&path, &bytes.ok()?, settings).ok()?;
            Some(known.contains(PHash::of(&image)?))
        });
        for (sample, seen) in some.iter().zip(found) {
            if seen == Some(true) {
                data.set.mark_seen(*sample);
            }
        }
        done += some.len() as u64;
        mailbox.progress(Phase::Comparing, done, new.len() as u64);
        mailbox.poll_commands(Some(classifier)).await?;
    }
    let none = || Compared {
        model: seen_by,
        samples: BTreeSet::new(),
    };
    data.compared.get_or_insert_with(none).samples.extend(new);
    Ok(())
}

/// Takes all marks away.
pub(super) fn forget_seen(data: &mut OpenDataset) {
    data.set.forget_seen();
    data.compared = None;
}

/// How many of each part the backbone was trained on; none if it was on no image of the data set, or does not say.
pub(super) fn count_seen(context: &JobContext<'_>, split: &Split) -> Option<Seen> {
    let set = &context.data.set;
    let model = context.data.compared.as_ref()?.model;
    let count =
        |samples: &mut dyn Iterator<Item = usize>| samples.filter(|i| set.is_seen(*i)).count();
    let seen = Seen {
        model,
        train: count(&mut split.train.iter().copied()),
        validation: count(&mut split.validation.iter().copied()),
        test: count(&mut set.subset(Subset::Test)),
    };
    (seen.train + seen.validation + seen.test > 0).then_some(seen)
}

/// What is to be said of them before a training.
pub(super) fn warning(seen: &Seen, held_out: usize) -> String {
    let Seen {
        model,
        train,
        validation,
        test,
    } = *seen;
    let flatters = match (validation, test) {
        (0, 0) => {
            "The images held out are others, so the accuracies measured are fair.".to_string()
        }
        (0, _) => {
            "The images held out are others; the accuracy on the test images will be too high."
                .to_string()
        }
        (_, 0) => format!(
            "The accuracy on validation will be too high, as {validation} of the {held_out} held out are among them."
        ),
        (..) => format!(
            "The accuracies on validation and on the test images will be too high: {validation} of the {held_out} held out are \
             among them."
        ),
    };
    format!(
        "The backbone in use ({}) was trained on {} of these images, or on copies of them: {train} of those to train on, \
         {validation} held out, {test} to test on. {flatters}",
        BundledModel::label(model),
        train + validation + test,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_which_accuracy_flatters() {
        let text = |validation, test| {
            let seen = Seen {
                model: BundledModel::Scenes,
                train: 70,
                validation,
                test,
            };
            warning(&seen, 20)
        };
        assert!(text(0, 0).contains("70 of these"));
        assert!(text(0, 0).contains("fair") && !text(0, 0).contains("too high"));
        assert!(text(0, 5).contains("on the test images will be too high"));
        assert!(text(3, 0).contains("on validation will be too high, as 3 of the 20"));
        let both = text(3, 5);
        assert!(
            both.contains("78 of these") && both.contains("on validation and on the test images")
        );
    }
}
