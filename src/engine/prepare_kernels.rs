//! Getting the GPU ready for the model in use: tuning where it pays, then the self-test, which also
//! compiles every pipeline before the first image needs it.

use std::iter::successors;

use super::features::batch_size;
use super::mailbox::Mailbox;
use crate::config::TrainConfig;
use crate::error::Result;
use crate::infer::Classifier;
use crate::kernels::autotune::{METHOD, Tuned, tune};
use crate::kernels::conv::Conv2d;
use crate::kernels::optimizer;
use crate::kernels::self_test::{
    Failure, self_test, self_test_gradients, self_test_norms_and_pools,
};
use crate::kernels::shape::ConvShape;
use crate::model::trainable::frozen_stages;
use crate::platform::device::OpenDevice;
use crate::platform::device_state::DeviceState;
use crate::platform::store;
use crate::protocol::{Backend, Phase};

/// Bound of the tuning, in seconds.
const TUNING: f64 = 2.0;

/// Tunes and tests the kernels that a model runs on, before it is put in use: for one image, for a batch
/// of features, and for what is left of one. What fails is replaced, and a warning says so.
pub(super) async fn prepare_kernels(
    mailbox: &mut Mailbox,
    opened: &OpenDevice,
    persistent: bool,
    classifier: &Classifier,
) -> Result<()> {
    if opened.backend != Backend::Webgpu {
        return Ok(());
    }
    let device = &opened.device;
    let size = classifier.preprocess.size;
    let layers = |images: &[usize]| -> Vec<_> {
        let of = |&n: &usize| classifier.backbone.layers(n, size);
        images.iter().flat_map(of).collect()
    };
    // A software adapter is as slow to tune as it is to run; its defaults were measured.
    if DeviceState::of(device).adapter().is_hardware() {
        let timed = layers(&[1, batch_size(Backend::Webgpu)]);
        tune_kernels(opened, persistent, &timed).await?;
    }
    let progress = |done: usize, total: usize| {
        mailbox.progress(Phase::PreparingGpu, done as u64, total as u64);
    };
    // The sizes between those tuned run on defaults, which change with the size.
    let failures = self_test(device, &layers(&[1, 2, 4, 8, 16, 32]), progress).await?;
    warn_of(mailbox, &failures);
    Ok(())
}

/// Tests the kernels that a training of the model runs on, forward and backward, before its first step. What fails is
/// replaced, and a warning says so.
pub(super) async fn prepare_training(
    mailbox: &Mailbox,
    opened: &OpenDevice,
    classifier: &Classifier,
    config: &TrainConfig,
) -> Result<()> {
    if opened.backend != Backend::Webgpu {
        return Ok(());
    }
    let backbone = &classifier.backbone;
    let sizes = config.sizes.iter().map(|from| from.size);
    let sizes = sizes.chain([classifier.preprocess.size]);
    let frozen = frozen_stages(backbone.graph(), config.scope);
    // The last batch of an epoch may be of any size: kernels are chosen by the order of magnitude.
    let batches = successors(Some(config.batch), |n| Some(n / 2).filter(|n| *n > 0));
    let batches: Vec<usize> = batches.collect();
    let layers: Vec<_> = sizes
        .flat_map(|size| batches.iter().map(move |n| (*n, size)))
        .flat_map(|(n, size)| backbone.layers_behind(frozen, n, size))
        .collect();
    let mut failures = self_test(&opened.device, &layers, |_, _| ()).await?;
    failures.extend(self_test_gradients(&opened.device, &layers).await?);
    failures.extend(self_test_norms_and_pools(&opened.device).await?);
    warn_of(mailbox, &failures);
    prepare_optimizer(mailbox, opened).await
}

/// Tests the kernels of the optimizer, which every training runs on, before its first step. If they fail, burn's ops take
/// their place, and a warning says so.
pub(super) async fn prepare_optimizer(mailbox: &Mailbox, opened: &OpenDevice) -> Result<()> {
    if opened.backend == Backend::Webgpu {
        let failure = optimizer::self_test(&opened.device).await?;
        warn_of(mailbox, failure.as_slice());
    }
    Ok(())
}

fn warn_of(mailbox: &Mailbox, failures: &[Failure]) {
    for failure in failures {
        mailbox.warn(format!(
            "This GPU's driver computes the kernel {} wrongly ({}); another one takes its place.",
            failure.kernel, failure.reason
        ));
    }
}

/// What was found at earlier starts, then what is missing, measured and kept.
async fn tune_kernels(
    opened: &OpenDevice,
    persistent: bool,
    layers: &[(&Conv2d, ConvShape)],
) -> Result<()> {
    let key = tuning_key(&opened.name);
    let kept = if persistent {
        store::read(&key).await.ok().flatten()
    } else {
        None
    };
    let kept = kept.and_then(|bytes| String::from_utf8(bytes).ok());
    let kept = Tuned::from_json(&kept.unwrap_or_default());
    if kept.apply(layers) {
        return Ok(());
    }
    let tuned = tune(&opened.device, layers, TUNING, kept).await?;
    if persistent {
        // Not kept, it is measured again at the next start: nothing is lost but two seconds.
        let _ = store::write(&key, tuned.to_json().as_bytes()).await;
    }
    Ok(())
}

/// Where the tuning of an adapter is kept. Another version has other kernels; another way to measure, other results.
fn tuning_key(adapter: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let adapter: String = adapter.chars().map(plain).collect();
    format!(
        "tuning-{}-{METHOD}-{adapter}.json",
        env!("CARGO_PKG_VERSION")
    )
}
