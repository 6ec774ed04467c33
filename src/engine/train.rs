//! Training a head on the data set in use, and measuring the model in use on it.

use super::desk::Desk;
use super::{Data, Engine};
use crate::config::{Scope, TrainConfig};
use crate::data::{self, Subset};
use crate::error::{Error, Result};
use crate::infer::Classifier;
use crate::model::arch::check_scope;
use crate::model::head::HeadSpec;
use crate::protocol::{EngineState, EpochReport, Event, JobId, Phase};
use crate::train::run::{self, Examples, Flow, Observer, measure};

/// Name of the split that is all there is.
const ALL: &str = "all";

/// Shows a run on the desk.
pub(super) struct OnDesk<'a> {
    pub job: JobId,
    pub desk: &'a mut Desk,
    /// The model in use until the new one is.
    pub old: &'a Classifier,
}

impl Observer for OnDesk<'_> {
    async fn step(&mut self, done: usize, total: usize) -> Result<Flow> {
        let total = total as u64;
        self.desk
            .progress(self.job, Phase::Training, done as u64, total);
        self.desk.look_up(self.job, Some(self.old)).await
    }

    async fn validating(&mut self) -> Result<Flow> {
        self.desk.look_up(self.job, Some(self.old)).await
    }

    fn epoch(&mut self, report: EpochReport) {
        let job = self.job;
        self.desk.tell(Event::Epoch { job, report });
    }
}

impl Engine {
    /// Trains a fresh head, and convolutions if they are asked for; puts the best epoch's in use and keeps
    /// it.
    pub(super) async fn train(&mut self, job: JobId, config: &TrainConfig) -> Result<()> {
        config.check()?;
        check_scope(self.model()?.classifier.backbone.arch(), config.scope)?;
        let set = &self.data()?.set;
        if let Some(problem) = &set.problem {
            return Err(Error::Dataset(problem.clone()));
        }
        let classes = set.classes.clone();
        let split = data::split(set, config.val_fraction, config.seed);
        if config.scope != Scope::Head {
            return self.tune(job, config, classes, split).await;
        }
        let all: Vec<usize> = split
            .train
            .iter()
            .chain(&split.validation)
            .copied()
            .collect();
        self.featurise(job, &all).await?;
        let train = self.examples(&split.train);
        let validation = self.examples(&split.validation);

        self.desk.set_state(EngineState::Training);
        let Self { desk, model, .. } = self;
        let old = model.as_ref().map(|model| &model.classifier);
        let old = old.ok_or_else(|| Error::weights("model", "none is loaded yet"))?;
        let spec = HeadSpec::of(config.head, data_width(&train), classes.len());
        let device = old.backbone.device().clone();
        let mut observer = OnDesk { job, desk, old };
        let trained = run::run(config, spec, &train, &validation, &device, &mut observer).await?;
        let classifier = Classifier {
            backbone: old.backbone.clone(),
            head: trained.head,
            head_kind: config.head,
            classes,
            preprocess: old.preprocess.clone(),
            tuned: old.tuned,
        };
        self.adopt(classifier, "trained here").await?;
        // Only now: a run that was dropped held out nothing from the model in use.
        self.data()?.validation = split.validation;
        self.desk.tell(Event::Trained {
            job,
            best_epoch: trained.best_epoch,
            stopped: trained.stopped,
        });
        Ok(())
    }

    /// Measures the model in use on the test images; where there are none, on the validation images; where
    /// no training has held out any either, on all of them, with a warning.
    pub(super) async fn evaluate(&mut self, job: JobId) -> Result<()> {
        let classes = self.model()?.classifier.classes.clone();
        let (split, samples) = self.data()?.to_measure();
        let translate = translation(&self.data()?.set.classes, &classes)?;
        if split == ALL {
            self.desk.warn(
                "This data set has no test images and nothing was held out: measured on all its images, \
                 some of which the model may have been trained on.",
            );
        }
        let skipped = self.featurise(job, &samples).await?;
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
        self.desk.progress(job, Phase::Evaluating, 0, total);
        let tally = measure(&self.model()?.classifier.head, &examples).await?;
        self.desk.progress(job, Phase::Evaluating, total, total);
        let report = tally.evaluation(split, &classes, skipped);
        self.desk.tell(Event::Evaluated { job, report });
        Ok(())
    }
}

impl Data {
    /// Which images an evaluation is on, by name and number.
    fn to_measure(&self) -> (&'static str, Vec<usize>) {
        let test: Vec<usize> = self.set.subset(Subset::Test).collect();
        if !test.is_empty() {
            return ("test", test);
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

/// Width C of features `[N,C]`; 0 of none.
fn data_width(examples: &Examples) -> usize {
    examples.features.len() / examples.len().max(1)
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
