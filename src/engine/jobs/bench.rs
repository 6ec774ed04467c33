//! Measurements for `cargo xtask bench`: the real code paths on generated input.

use burn::tensor::{Device, Tensor, TensorData};

use crate::config::{HeadKind, Scope, TrainConfig};
use crate::engine::mailbox::Mailbox;
use crate::error::{Error, Result};
use crate::infer::Classifier;
use crate::model::head::{HeadSpec, to_host};
use crate::model::trainable::{TrainableStages, input_values};
use crate::platform::time;
use crate::protocol::Event;
use crate::random::Random;
use crate::train::batches::BatchSampler;
use crate::train::learner::{Batch, Input, Learner, init_head};

/// Classes of the generated task.
const CLASSES: usize = 6;

/// Images or samples that a measurement may ask for; more would only fill the memory.
const MOST: usize = 1 << 16;

/// Times whole passes, from a normalised image on the host to logits on the host.
pub(in crate::engine) async fn forward(
    mailbox: &mut Mailbox,
    classifier: &Classifier,
    size: usize,
    batch: usize,
    runs: usize,
) -> Result<()> {
    if !(32..=512).contains(&size) || !(1..=64).contains(&batch) || runs > MOST {
        return Err(Error::setting(
            "measurement",
            format!("{batch} images of {size}, {runs} runs"),
        ));
    }
    let mut random = Random::for_purpose(0, "measure");
    let pixels = 3 * size * size * batch;
    let pixels: Vec<f32> = (0..pixels)
        .map(|_| (4.0 * random.uniform() - 2.0) as f32)
        .collect();
    let mut milliseconds = Vec::with_capacity(runs);
    for run in 0..=runs {
        let start = time::now();
        to_host(classifier.logits(pixels.clone(), size)).await?;
        // The first one warms up: caches, pipelines.
        if run > 0 {
            milliseconds.push(time::now() - start);
        }
        mailbox.poll_commands(None).await?;
    }
    mailbox.emit(Event::Measured { milliseconds });
    Ok(())
}

/// Times steps of fine-tuning the last stage, each from the cached input on the host to its loss on the
/// host.
pub(in crate::engine) async fn fine_tune(
    mailbox: &mut Mailbox,
    classifier: &Classifier,
    size: usize,
    batch: usize,
    steps: usize,
) -> Result<()> {
    if !(32..=512).contains(&size) || !(1..=64).contains(&batch) || steps > MOST {
        return Err(Error::setting(
            "measurement",
            format!("{batch} images of {size}, {steps} steps"),
        ));
    }
    let config = TrainConfig {
        scope: Scope::LastStage,
        ..TrainConfig::default()
    };
    let backbone = &classifier.backbone;
    let device = backbone.device().clone();
    let spec = HeadSpec::of(HeadKind::Linear, backbone.features(), CLASSES);
    let with_gradients = device.clone().autodiff();
    let tail = TrainableStages::of(backbone, config.scope, &with_gradients);
    let head = init_head(&config, spec, &with_gradients);
    let mut learner = Learner::new(&config, Some(tail), head, &[1; CLASSES]);
    let values = input_values(backbone.graph(), Scope::LastStage, size);
    let mut random = Random::for_purpose(0, "measure");
    // After a ReLU nothing is negative.
    let values: Vec<f32> = (0..batch * values)
        .map(|_| random.uniform() as f32)
        .collect();
    let labels: Vec<usize> = (0..batch).map(|_| random.below(CLASSES)).collect();
    let mut milliseconds = Vec::with_capacity(steps);
    for step in 0..=steps {
        let start = time::now();
        let input = Input::from_host(backbone, Scope::LastStage, size, values.clone());
        let targets = learner.objective().one_hot(&labels);
        learner.step(Batch::new(input, targets), 1.0);
        learner.sums().await?;
        if step > 0 {
            milliseconds.push(time::now() - start);
        }
        mailbox.poll_commands(None).await?;
    }
    mailbox.emit(Event::Measured { milliseconds });
    Ok(())
}

/// Times epochs of head training at batch 32 with Adam, from the shuffle to the loss on the host.
pub(in crate::engine) async fn head(
    mailbox: &mut Mailbox,
    device: &Device,
    [samples, features]: [usize; 2],
    hidden: Option<usize>,
    epochs: usize,
) -> Result<()> {
    if !(2..=MOST).contains(&samples) || !(1..=4096).contains(&features) || epochs > MOST {
        return Err(Error::setting(
            "measurement",
            format!("{samples} samples of {features} features"),
        ));
    }
    let mut random = Random::for_purpose(0, "measure");
    let (mut rows, mut labels) = (Vec::with_capacity(samples * features), Vec::new());
    for _ in 0..samples {
        let label = random.below(CLASSES);
        let value = |i| (random.uniform() + f64::from(u8::from(i % CLASSES == label))) as f32;
        rows.extend((0..features).map(value));
        labels.push(label);
    }
    let spec = match hidden {
        None => HeadSpec::of(HeadKind::Linear, features, CLASSES),
        Some(hidden) => HeadSpec::one_hidden(features, hidden, CLASSES),
    };
    let config = TrainConfig::default();
    let head = init_head(&config, spec, &device.clone().autodiff());
    let mut learner = Learner::new(&config, None, head, &[1; CLASSES]);
    let mut milliseconds = Vec::with_capacity(epochs);
    for epoch in 0..=epochs {
        let start = time::now();
        for batch in BatchSampler::new(&config).order(samples, epoch + 1) {
            let mut picked = Vec::with_capacity(batch.len() * features);
            for &i in &batch {
                picked.extend_from_slice(&rows[i * features..(i + 1) * features]);
            }
            let picked = TensorData::new(picked, [batch.len(), features]);
            let labels: Vec<usize> = batch.iter().map(|&i| labels[i]).collect();
            let targets = learner.objective().one_hot(&labels);
            let input = Input::Features(Tensor::from_data(picked, device));
            learner.step(Batch::new(input, targets), 1.0);
        }
        learner.sums().await?;
        if epoch > 0 {
            milliseconds.push(time::now() - start);
        }
        mailbox.poll_commands(None).await?;
    }
    mailbox.emit(Event::Measured { milliseconds });
    Ok(())
}
