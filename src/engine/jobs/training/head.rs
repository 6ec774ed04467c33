//! Training a head: every image, and every augmented view of it, through the backbone once.

use super::checkpoint::CheckpointWriter;
use super::observer::{EngineObserver, Outcome};
use crate::config::TrainConfig;
use crate::data::Split;
use crate::engine::JobContext;
use crate::engine::features::Pass;
use crate::engine::open_dataset::VIEWS_BUDGET;
use crate::engine::prepare_kernels::prepare_optimizer;
use crate::error::{Error, Result};
use crate::model::head::HeadSpec;
use crate::protocol::{EngineState, TrainEvent};
use crate::train::feature_source::{BUDGET, CachePlan};
use crate::train::head::{Features, Resume, Start, run};

/// Trains a head on the backbone in use.
pub(super) async fn train_head(
    context: JobContext<'_>,
    config: &TrainConfig,
    split: &Split,
    resume: Option<Resume>,
    writer: Option<CheckpointWriter>,
) -> Result<Outcome> {
    let JobContext {
        mailbox,
        device,
        model,
        data,
        ..
    } = context;
    let old = &model.classifier;
    let counts = [split.train.len(), split.validation.len()];
    let (graph, size) = (old.backbone.graph(), old.preprocess.size);
    let plan = CachePlan::new(graph, config, size, counts, BUDGET);
    let (views, bytes) = (plan.views, plan.bytes());
    if bytes > VIEWS_BUDGET {
        let reason = format!(
            "{views} of each of {} images take {} MB; {} at most",
            split.train.len(),
            bytes >> 20,
            VIEWS_BUDGET >> 20
        );
        return Err(Error::setting("views", reason));
    }
    prepare_optimizer(mailbox, device).await?;
    let mut pass = Pass {
        mailbox,
        backend: device.backend,
        classifier: old,
    };
    let train = if config.augment.changes_images() {
        let images = plan.images;
        pass.mailbox.emit(TrainEvent::Views { views, images });
        data.featurise(&mut pass, &split.validation).await?;
        data.featurise_views(&mut pass, config, &split.train, views)
            .await?;
        data.view_examples(&split.train, views)
    } else {
        let all: Vec<usize> = [&split.train[..], &split.validation].concat();
        data.featurise(&mut pass, &all).await?;
        data.examples(&split.train)
    };
    let validation = data.examples(&split.validation);
    let classes = &data.set.classes;
    check_classes(&train.labels, classes)?;
    mailbox.set_state(EngineState::Training);
    let spec = HeadSpec::of(config.head, old.features(), classes.len());
    let head = config.resume_head.then(|| old.head.clone());
    let device = old.backbone.device();
    let mut observer = EngineObserver {
        mailbox,
        old,
        writer,
    };
    let features = Features {
        train: &train,
        views,
        validation: &validation,
    };
    let start = Start { head, resume };
    let fit = run(config, spec, features, start, device, &mut observer).await?;
    Ok(Outcome {
        fit,
        images: [train.len() / views, validation.len()],
    })
}

/// Whether each class has a training image that could be read: a model would be written with a class it never saw.
///
/// # Errors
/// [`Error::Dataset`] naming the classes that have none.
pub(super) fn check_classes(labels: &[usize], classes: &[String]) -> Result<()> {
    let mut seen = vec![false; classes.len()];
    for &label in labels {
        seen[label] = true;
    }
    let unseen = classes.iter().zip(seen).filter(|(_, seen)| !seen);
    let unseen: Vec<&str> = unseen.map(|(class, _)| class.as_str()).collect();
    // That there is none at all is said better by the training itself.
    if unseen.is_empty() || labels.is_empty() {
        return Ok(());
    }
    Err(Error::Dataset(format!(
        "no training image of {} can be read",
        unseen.join(", ")
    )))
}
