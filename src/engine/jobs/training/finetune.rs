//! Training convolutions: the images through the frozen part, and the run.

use super::checkpoint::CheckpointWriter;
use super::head::check_classes;
use super::observer::{EngineObserver, Outcome};
use crate::config::{NormMode, TrainConfig};
use crate::data::Split;
use crate::engine::JobContext;
use crate::engine::active_model::ActiveModel;
use crate::engine::features::batch_size;
use crate::engine::image_loader::image_loader;
use crate::engine::prepare_kernels::prepare_training;
use crate::error::Result;
use crate::model::head::HeadSpec;
use crate::model::trainable::TrainableStages;
use crate::platform::time;
use crate::protocol::{EngineState, Event, Phase, TrainEvent};
use crate::train::feature_source::{BUDGET, CachePlan, FeatureSource, Labelled};
use crate::train::finetune::{Images, run};
use crate::train::head::{Resume, Start};

/// Trains what `config.scope` says of the backbone in use, with a head.
pub(super) async fn finetune(
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
        teacher,
        data,
    } = context;
    let old = &model.classifier;
    prepare_training(mailbox, device, old, config).await?;
    let stages = trainable_stages(model, config).await?;
    let classes = data.set.classes.clone();
    let mut parts = [
        data.labelled(&split.train),
        data.labelled(&split.validation),
    ];
    let paths: Vec<String> = data.set.samples.iter().map(|s| s.path.clone()).collect();
    let images = image_loader(&mut data.set, &old.preprocess, &config.augment, config.seed);
    let size = old.preprocess.size;
    let counts = [parts[0].len(), parts[1].len()];
    let teacher = teacher.filter(|_| config.distillation > 0.0);
    let mut inputs = FeatureSource::new(&old.backbone, config, size, images, counts, BUDGET)
        .taught_by(teacher.map(|taught| &taught.teacher));
    let CachePlan {
        images, changes, ..
    } = *inputs.plan();
    mailbox.emit(TrainEvent::Tuning {
        kept: inputs.is_cached(),
        changes,
        bytes: inputs.plan().bytes(),
    });
    if inputs.is_cached() {
        mailbox.set_state(EngineState::Featurising);
        let (begun, mut done) = (time::now(), 0);
        let kept = parts.iter().skip(usize::from(changes)).flatten();
        let kept: Vec<usize> = kept.map(|l| l.sample).collect();
        for batch in kept.chunks(batch_size(device.backend)) {
            inputs.cache(batch).await?;
            done += batch.len() as u64;
            mailbox.progress(Phase::Featurising, done, images as u64);
            mailbox.poll_commands(Some(old)).await?;
        }
        inputs.settle().await?;
        mailbox.emit(Event::Featurised {
            images: images - inputs.unreadable().len(),
            milliseconds: time::now() - begun,
        });
        for part in &mut parts {
            part.retain(|l| !inputs.unreadable().contains_key(&l.sample));
        }
    }
    if inputs.is_cached() {
        let labels: Vec<usize> = parts[0].iter().map(|l| l.label).collect();
        check_classes(&labels, &classes)?;
    }
    mailbox.set_state(EngineState::Training);
    let spec = HeadSpec::of(config.head, old.features(), classes.len());
    let head = config.resume_head.then(|| old.head.clone());
    let mut observer = EngineObserver {
        mailbox: &mut *mailbox,
        old,
        writer,
    };
    let [train, validation] = &parts;
    let images = Images {
        inputs: &mut inputs,
        size,
        train,
        validation,
    };
    let start = Start { head, resume };
    let result = run(config, spec, stages, images, start, &mut observer).await;
    let unreadable = inputs.unreadable().clone();
    for (&sample, reason) in &unreadable {
        let (file, reason) = (paths[sample].clone(), reason.clone());
        mailbox.emit(Event::FileError { file, reason });
    }
    let readable = |part: &[Labelled]| {
        let read = part.iter().filter(|l| !unreadable.contains_key(&l.sample));
        read.count()
    };
    Ok(Outcome {
        images: [readable(train), readable(validation)],
        fit: result?,
    })
}

/// The trained end of the backbone in use, as a run begins with it.
pub(in crate::engine) async fn trainable_stages(
    model: &ActiveModel,
    config: &TrainConfig,
) -> Result<TrainableStages> {
    let backbone = &model.classifier.backbone;
    let device = backbone.device().clone().autodiff();
    match config.norm {
        NormMode::Frozen => Ok(TrainableStages::of(backbone, config.scope, &device)),
        NormMode::Trained => {
            let mut checkpoint = model.backbone_file().await?;
            let graph = backbone.graph();
            TrainableStages::with_norms(graph, config.scope, &device, |name, shape| {
                checkpoint.take_f32(name, shape)
            })
        }
    }
}
