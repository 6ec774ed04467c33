//! Which images of the data set the backbone in use was trained on: what is measured on those flatters it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::{JobContext, image_loader};
use crate::config::BundledModel;
use crate::data::seen::SeenImages;
use crate::data::{Split, Subset};
use crate::error::Result;
use crate::image::{self, phash::PHash};
use crate::platform::parallel;
use crate::protocol::{Phase, Seen};
use crate::weights::Bundled;

/// Images hashed between two looks at the mailbox, for each processor.
const AT_ONCE: usize = 8;

/// Marks them in the data set, once for each backbone that says what it was trained on.
pub(super) async fn mark_seen(context: &mut JobContext<'_>) -> Result<()> {
    let JobContext {
        mailbox,
        model,
        data,
        ..
    } = context;
    let classifier = &model.classifier;
    let list = classifier.seen.map(Bundled::of);
    let list = list.and_then(|bundled| Some((bundled.model, bundled.seen.as_ref()?)));
    if data.seen_by == list.map(|(model, _)| model) {
        return Ok(());
    }
    let Some((seen_by, asset)) = list else {
        data.set.mark_seen(BTreeSet::new());
        data.seen_by = None;
        return Ok(());
    };
    let mut progress = |done, total| {
        mailbox.progress(Phase::LoadingModel, done, total);
        ControlFlow::Continue(())
    };
    let bytes = Bundled::load_asset(asset, &mut progress).await?;
    let known = SeenImages::read(asset.path, &bytes)?;
    let samples: Vec<usize> = (0..data.set.samples.len())
        .filter(|&i| data.set.samples[i].subset != Subset::Unlabelled)
        .collect();
    let mut seen = BTreeSet::new();
    let mut done = 0;
    for some in samples.chunks(AT_ONCE * parallel::width()) {
        let files = image_loader::files(&mut data.set, some.iter().copied()).await;
        let settings = &classifier.preprocess;
        let found = parallel::map(files, |(path, bytes)| {
            // What cannot be read is told where it is used.
            let image = image::decode_for(&path, &bytes.ok()?, settings).ok()?;
            Some(known.contains(PHash::of(&image)?))
        });
        let found = some.iter().zip(found);
        seen.extend(
            found
                .filter(|(_, seen)| *seen == Some(true))
                .map(|(i, _)| *i),
        );
        done += some.len() as u64;
        mailbox.progress(Phase::Comparing, done, samples.len() as u64);
        mailbox.poll_commands(Some(classifier)).await?;
    }
    data.set.mark_seen(seen);
    data.seen_by = Some(seen_by);
    Ok(())
}

/// How many of each part the backbone was trained on; none if it was on no image of the data set, or does not say.
pub(super) fn count_seen(context: &JobContext<'_>, split: &Split) -> Option<Seen> {
    let (set, model) = (&context.data.set, context.data.seen_by?);
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
         {validation} held out, {test} to test on. {flatters} The general ResNet has seen none of Intel Image.",
        BundledModel::label(model),
        train + validation + test,
    )
}
