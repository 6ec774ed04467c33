//! Measuring the model in use on the data set in use.

use super::{Data, Engine};
use crate::data::Subset;
use crate::error::{Error, Result};
use crate::protocol::{Event, Phase};
use crate::train::head::measure;

/// Name of the split that is all there is.
const ALL: &str = "all";

/// Name of the split that no training sees.
const TEST: &str = "test";

impl Engine {
    /// Measures the model in use on the test images; where there are none, on the validation images; where
    /// no training has held out any either, on all of them, with a warning.
    pub(super) async fn evaluate(&mut self) -> Result<()> {
        let model = self.model()?;
        model.classifier.check_trained(&model.source)?;
        let classes = model.classifier.classes.clone();
        let (split, samples) = self.data()?.to_measure();
        let translate = translation(&self.data()?.set.classes, &classes)?;
        if split == ALL {
            self.mailbox.warn(
                "This data set has no test images and nothing was held out: measured on all its images, \
                 some of which the model may have been trained on.",
            );
        }
        let skipped = self.featurise(&samples).await?;
        let mut examples = self.examples(&samples);
        for label in &mut examples.labels {
            *label = translate[*label];
        }
        if examples.is_empty() {
            return Err(Error::Dataset(format!(
                "there is no readable {split} image"
            )));
        }
        let total = examples.len() as u64;
        self.mailbox.progress(Phase::Evaluating, 0, total);
        let tally = measure(&self.model()?.classifier.head, &examples).await?;
        self.mailbox.progress(Phase::Evaluating, total, total);
        let report = tally.evaluation(split, &classes, skipped);
        if let (TEST, Some(run)) = (split, self.model()?.run) {
            self.test_run(run, report.accuracy).await;
        }
        self.mailbox.emit(Event::Evaluated { report });
        Ok(())
    }
}

impl Data {
    /// Which images an evaluation is on, by name and number.
    fn to_measure(&self) -> (&'static str, Vec<usize>) {
        let test: Vec<usize> = self.set.subset(Subset::Test).collect();
        if !test.is_empty() {
            return (TEST, test);
        }
        let own: Vec<usize> = self.set.subset(Subset::Validation).collect();
        if !own.is_empty() {
            return ("validation", own);
        }
        if !self.validation.is_empty() {
            return ("validation", self.validation.clone());
        }
        (ALL, self.set.subset(Subset::Train).collect())
    }
}

/// The model's number for each class of the data set.
fn translation(data: &[String], model: &[String]) -> Result<Vec<usize>> {
    let number = |name: &String| {
        model.iter().position(|known| known == name).ok_or_else(|| {
            Error::Dataset(format!(
                "the model does not know the class \u{201c}{name}\u{201d}; it knows {}",
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
            error.contains("moon") && error.contains("street"),
            "{error}"
        );
    }
}
