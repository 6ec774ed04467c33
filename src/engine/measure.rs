//! Measurements for `cargo xtask bench`: the real code paths on generated input.

use burn::tensor::{Tensor, TensorData};

use super::Engine;
use crate::config::{HeadKind, Scope, TrainConfig};
use crate::error::{Error, Result};
use crate::model::arch::{check_scope, features};
use crate::model::head::{HeadSpec, read};
use crate::model::tune::input_shape;
use crate::platform::time;
use crate::protocol::{Event, JobId};
use crate::random::Random;
use crate::train::run::{Examples, Trainer};
use crate::train::tune::Tuner;

/// Classes of the generated task.
const CLASSES: usize = 6;

/// Images or samples that a measurement may ask for; more would only fill the memory.
const MOST: usize = 1 << 16;

impl Engine {
    /// Times whole passes, from a normalised image on the host to logits on the host.
    pub(super) async fn measure_forward(
        &mut self,
        job: JobId,
        size: usize,
        batch: usize,
        runs: usize,
    ) -> Result<()> {
        if !(32..=512).contains(&size) || !(1..=64).contains(&batch) || runs > MOST {
            return Err(Error::shape(
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
            let classifier = &self.model()?.classifier;
            read(classifier.logits(pixels.clone(), size)).await?;
            // The first one warms up: caches, pipelines.
            if run > 0 {
                milliseconds.push(time::now() - start);
            }
            self.desk.look_up(job, None).await?;
        }
        self.desk.tell(Event::Measured { job, milliseconds });
        Ok(())
    }

    /// Times steps of fine-tuning the last stage, each from the cached input on the host to its loss on the
    /// host.
    pub(super) async fn measure_fine_tune(
        &mut self,
        job: JobId,
        size: usize,
        batch: usize,
        steps: usize,
    ) -> Result<()> {
        if !(32..=512).contains(&size) || !(1..=64).contains(&batch) || steps > MOST {
            return Err(Error::shape(
                "measurement",
                format!("{batch} images of {size}, {steps} steps"),
            ));
        }
        let config = TrainConfig {
            scope: Scope::LastStage,
            ..TrainConfig::default()
        };
        let backbone = &self.model()?.classifier.backbone;
        let device = backbone.device().clone();
        let arch = backbone.arch();
        check_scope(arch, config.scope)?;
        let spec = HeadSpec::of(HeadKind::Linear, features(arch), CLASSES);
        let mut tuner = Tuner::new(&config, spec, backbone);
        let [c, h, w] = input_shape(arch, Scope::LastStage, size);
        let mut random = Random::for_purpose(0, "measure");
        // After a ReLU nothing is negative.
        let values: Vec<f32> = (0..batch * c * h * w)
            .map(|_| random.uniform() as f32)
            .collect();
        let labels: Vec<usize> = (0..batch).map(|_| random.below(CLASSES)).collect();
        let mut milliseconds = Vec::with_capacity(steps);
        for step in 0..=steps {
            let start = time::now();
            let input = TensorData::new(values.clone(), [batch, c, h, w]);
            tuner.step(Tensor::from_data(input, &device), &labels);
            tuner.sums().await?;
            if step > 0 {
                milliseconds.push(time::now() - start);
            }
            self.desk.look_up(job, None).await?;
        }
        self.desk.tell(Event::Measured { job, milliseconds });
        Ok(())
    }

    /// Times epochs of head training at batch 32 with Adam, from the shuffle to the loss on the host.
    pub(super) async fn measure_head(
        &mut self,
        job: JobId,
        [samples, features]: [usize; 2],
        hidden: Option<usize>,
        epochs: usize,
    ) -> Result<()> {
        if !(2..=MOST).contains(&samples) || !(1..=4096).contains(&features) || epochs > MOST {
            return Err(Error::shape(
                "measurement",
                format!("{samples} samples of {features} features"),
            ));
        }
        let mut random = Random::for_purpose(0, "measure");
        let mut examples = Examples::default();
        for _ in 0..samples {
            let label = random.below(CLASSES);
            let row: Vec<f32> = (0..features)
                .map(|i| (random.uniform() + f64::from(u8::from(i % CLASSES == label))) as f32)
                .collect();
            examples.push(&row, label);
        }
        let spec = match hidden {
            None => HeadSpec::of(HeadKind::Linear, features, CLASSES),
            Some(hidden) => HeadSpec::one_hidden(features, hidden, CLASSES),
        };
        let device = self.opened()?.device.clone();
        let mut trainer = Trainer::new(&TrainConfig::default(), spec, &device);
        let mut milliseconds = Vec::with_capacity(epochs);
        for epoch in 0..=epochs {
            let start = time::now();
            for batch in trainer.order(&examples) {
                trainer.step(&examples, &batch);
            }
            trainer.sums().await?;
            if epoch > 0 {
                milliseconds.push(time::now() - start);
            }
            self.desk.look_up(job, None).await?;
        }
        self.desk.tell(Event::Measured { job, milliseconds });
        Ok(())
    }
}
