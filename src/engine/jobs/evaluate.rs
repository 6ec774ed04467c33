//! Measuring the model in use on the data set in use.

use crate::engine::JobContext;
use crate::engine::features::Pass;
use crate::engine::open_dataset::{ALL, TEST};
use crate::engine::seen_images::mark_seen;
use crate::error::{Error, Result};
use crate::protocol::{Event, Phase, Proportion};
use crate::train::head::measure;

/// Measures the model in use on the test images; where there are none, on the validation images; where no training
/// has held out any either, on all of them, with a warning. Gives the accuracy on test images, for the run that the
/// model is of.
pub(in crate::engine) async fn evaluate(mut context: JobContext<'_>) -> Result<Option<Proportion>> {
    context
        .model
        .classifier
        .check_trained(&context.model.source)?;
    let (split, samples) = context.data.to_measure();
    let compared = match mark_seen(&mut context, &samples).await {
        // Whoever wants to stop says so here too, and a lost device is lost.
        Err(error @ (Error::Cancelled | Error::Gpu(_))) => return Err(error),
        compared => compared,
    };
    let JobContext {
        mailbox,
        device,
        model,
        data,
        ..
    } = context;
    let classifier = &model.classifier;
    if let Err(error) = compared {
        mailbox.warn(format!(
            "Whether the model's backbone was trained on these images cannot be said ({error})."
        ));
    }
    let translate = translation(&data.set.classes, &classifier.classes)?;
    if split == ALL {
        mailbox.warn(
            "This data set has no test images and nothing was held out: measured on all its images, \
             some of which the model may have been trained on.",
        );
    }
    let mut pass = Pass {
        mailbox,
        backend: device.backend,
        classifier,
    };
    let skipped = data.featurise(&mut pass, &samples).await?;
    let mut examples = data.examples(&samples);
    for label in &mut examples.labels {
        *label = translate[*label];
    }
    if examples.is_empty() {
        return Err(Error::Dataset(format!(
            "there is no readable {split} image"
        )));
    }
    let total = examples.len() as u64;
    mailbox.progress(Phase::Evaluating, 0, total);
    let tally = measure(&classifier.head, &examples).await?;
    mailbox.progress(Phase::Evaluating, total, total);
    let mut report = tally.evaluation(split, &classifier.classes, skipped);
    report.seen = samples.iter().filter(|i| data.set.is_seen(**i)).count();
    if report.seen > 0 {
        mailbox.warn(format!(
            "The model's backbone was trained on {} of these {} images, or on copies of them: the accuracy measured on them is \
             too high.",
            report.seen,
            samples.len()
        ));
    }
    let test = (split == TEST).then_some(report.accuracy);
    mailbox.emit(Event::Evaluated { report });
    Ok(test)
}

/// The model's number for each class of the data set.
fn translation(data: &[String], model: &[String]) -> Result<Vec<usize>> {
    let number = |name: &String| {
        model.iter().position(|known| known == name).ok_or_else(|| {
            Error::Dataset(format!(
                "the model does not know the class \u{201c}{name}\u{201d}; it knows {}. Train on this data set first, or load \
                 the model that belongs to it.",
                model.join(", ")
            ))
        })
    };
    data.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_translated_by_name() {
        let names = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let model = names(&["sea", "street", "forest"]);
        assert_eq!(
            translation(&names(&["forest", "sea"]), &model),
            Ok(vec![2, 0])
        );
        let error = translation(&names(&["moon"]), &model)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("moon") && error.contains("street") && error.contains("Train on this"),
            "{error}"
        );
    }
}
