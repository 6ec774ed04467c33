//! Getting the GPU ready for the model in use: tuning where it pays, then the self-test, which also
//! compiles every pipeline before the first image needs it.

use super::Engine;
use super::data::batch_size;
use crate::error::Result;
use crate::kernels::check::self_test;
use crate::kernels::choice::{Adapter, adapter};
use crate::kernels::tune::{Tuned, tune};
use crate::platform::store;
use crate::protocol::{Backend, Phase};

/// Bound of the tuning, in seconds.
const TUNING: f64 = 2.0;

impl Engine {
    /// Tunes and tests the kernels that the model in use runs on, for one image and for a batch of
    /// features. What fails is replaced, and a warning says so.
    pub(super) async fn prepare_kernels(&mut self) -> Result<()> {
        let opened = self.opened()?;
        if opened.backend != Backend::Webgpu {
            return Ok(());
        }
        let (device, name) = (opened.device.clone(), opened.name.clone());
        let classifier = self.model()?.classifier.clone();
        let size = classifier.preprocess.size;
        let mut layers = classifier.backbone.layers(1, size);
        layers.extend(
            classifier
                .backbone
                .layers(batch_size(Backend::Webgpu), size),
        );
        // A software adapter is as slow to tune as it is to run; its defaults were measured.
        if adapter() == Adapter::Hardware {
            let key = tuning_key(&name);
            let kept = if self.keeps {
                store::read(&key).await.ok().flatten()
            } else {
                None
            };
            let kept = kept
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .unwrap_or_default();
            if !Tuned::from_json(&kept).apply(&layers) {
                let tuned = tune(&device, &layers, TUNING).await?;
                if self.keeps {
                    // Not kept, it is measured again at the next start: nothing is lost but two seconds.
                    let _ = store::write(&key, tuned.to_json().as_bytes()).await;
                }
            }
        }
        let desk = &mut self.desk;
        let progress = |done: usize, total: usize| {
            desk.progress(0, Phase::PreparingGpu, done as u64, total as u64);
        };
        let failures = self_test(&device, &layers, progress).await?;
        for failure in failures {
            self.desk.warn(format!(
                "This GPU's driver computes the kernel {} wrongly ({}); another one takes its place.",
                failure.kernel, failure.reason
            ));
        }
        Ok(())
    }
}

/// Where the tuning of an adapter is kept. Another version has other kernels.
fn tuning_key(adapter: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let adapter: String = adapter.chars().map(plain).collect();
    format!("tuning-{}-{adapter}.json", env!("CARGO_PKG_VERSION"))
}
