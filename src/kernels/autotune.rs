//! Autotuning: measures which of our kernels is fastest on this adapter, for each layer of a network.
//!
//! A table of defaults cannot know every GPU, and a wrong tile costs a factor of two. So each candidate is
//! run on the real shapes, within a bound on the whole; what is not reached in time keeps its default.
//! Results are text, so that they can be kept for the adapter and this version.

use std::collections::{BTreeMap, HashMap};

use burn::tensor::{Device, Distribution, Tensor};
use burn_cubecl::cubecl::profile::TimingMethod;

use super::conv::Algorithm;
use super::conv::Conv2d;
use super::conv::block::Block;
use super::conv::matmul::Epilogue;
use super::conv::model::Chip;
use super::conv::select;
use super::conv::weights::{Packing, Weights};
use super::gpu::launch::{Buffer, Gpu};
use super::quickest::{Stopwatch, Timed, clock_step, quickest};
use super::self_test::{self, Cases};
use super::shape::ConvShape;
use crate::error::{Error, Result};
use crate::platform::time;

/// The result of tuning: the name of the fastest kernel for each layer's sizes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tuned(BTreeMap<String, String>);

impl Tuned {
    /// The results as JSON, for [`Self::from_json`].
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Parses stored results. Entries that name no kernel of this version are left out.
    #[must_use]
    pub fn from_json(text: &str) -> Self {
        let entries: BTreeMap<String, String> = serde_json::from_str(text).unwrap_or_default();
        let known = |name: &String| Algorithm::from_name(name).is_some();
        Self(
            entries
                .into_iter()
                .filter(|(_, name)| known(name))
                .collect(),
        )
    }

    /// Puts the results in use; a layer without one keeps its default. Returns whether every layer has one.
    pub fn apply(&self, layers: &[(&Conv2d, ConvShape)]) -> bool {
        let mut complete = true;
        for (layer, conv) in layers {
            let name = self.0.get(&key(conv));
            let algorithm = name.and_then(|name| Algorithm::from_name(name));
            complete &= algorithm.is_some();
            if let Some((algorithm, (_, bias))) = algorithm.zip(layer.on_gpu()) {
                select::set_tuned(&bias.gpu(), *conv, algorithm);
            }
        }
        complete
    }
}

/// A layer's sizes as one string, the key of its result.
fn key(conv: &ConvShape) -> String {
    let ConvShape {
        images,
        channels,
        m,
        size: [height, width],
        kernel: [kernel_h, kernel_w],
        geometry,
    } = conv;
    format!(
        "n{images} c{channels} m{m} {height}x{width} k{kernel_h}x{kernel_w} s{} p{} d{} g{}",
        geometry.stride, geometry.padding, geometry.dilation, geometry.groups
    )
}

/// How candidates are measured and compared: results of another way are not to be used.
pub const METHOD: u32 = 4;

/// Measures the kernels of each layer that has no result in `found`, for at most `seconds`, and puts the
/// fastest in use: the layers first on which a network spends most. Returns `found` with the new results added. A kernel
/// that fails its self-test takes no part: one that the driver refuses would seem to take no time.
///
/// # Errors
/// [`Error::Gpu`] if the device fails, as opposed to a kernel.
pub async fn tune(
    device: &Device,
    layers: &[(&Conv2d, ConvShape)],
    seconds: f64,
    mut found: Tuned,
) -> Result<Tuned> {
    let end = time::now() + seconds * 1000.0;
    let (mut tested, cases) = (HashMap::new(), Cases::default());
    let mut step = None;
    for (layer, conv) in by_work(layers) {
        let key = key(&conv);
        let Some((weights, bias)) = layer.on_gpu() else {
            continue;
        };
        if found.0.contains_key(&key) {
            continue;
        }
        if time::now() > end {
            break;
        }
        let gpu = bias.gpu();
        let default = select::choose(&gpu, &conv, weights);
        let others = candidates(&gpu, &conv, weights);
        let others = others.into_iter().filter(|other| Some(*other) != default);
        let mut sound = Vec::new();
        for algorithm in default.into_iter().chain(others) {
            let verdict = tested.get(&algorithm).copied();
            let passes = match verdict {
                Some(passes) => passes,
                None => self_test::test(device, algorithm, &cases).await?.is_none(),
            };
            select::set_broken(&gpu, algorithm, !passes);
            tested.insert(algorithm, passes);
            if passes {
                sound.push(algorithm);
            }
        }
        if sound.is_empty() {
            continue;
        }
        // Any order of random values is as good as another: the same memory serves both layouts.
        let x = Tensor::<4>::random(conv.in_dims(), Distribution::Uniform(-1.0, 1.0), device);
        let Some(x) = Buffer::of(&x) else {
            continue;
        };
        let epilogue = Epilogue {
            bias: Some(bias),
            residual: None,
            relu: true,
        };
        let mut watch = Launches {
            gpu: &gpu,
            launch: |candidate: usize| {
                drop(sound[candidate].run(&gpu, &conv, &x, weights, epilogue));
            },
            end,
        };
        let step = match step {
            Some(step) => step,
            None => *step.insert(clock_step(&mut watch).await?),
        };
        if let Some(best) = quickest(&mut watch, sound.len(), step).await? {
            select::set_tuned(&gpu, conv, sound[best]);
            found.0.insert(key, sound[best].name());
        }
    }
    drop_unused_packings(layers);
    // The clock of a lost device says something, too.
    self_test::is_there(device).await?;
    Ok(found)
}

/// Each size of layers once, with a layer of it, those first that are the most work in all.
fn by_work<'a>(layers: &[(&'a Conv2d, ConvShape)]) -> Vec<(&'a Conv2d, ConvShape)> {
    let mut sizes: Vec<(&Conv2d, ConvShape, f64)> = Vec::new();
    for (layer, conv) in layers {
        match sizes.iter_mut().find(|(_, other, _)| other == conv) {
            Some((_, _, flops)) => *flops += conv.flops(),
            None => sizes.push((layer, *conv, conv.flops())),
        }
    }
    sizes.sort_by(|a, b| b.2.total_cmp(&a.2));
    let sizes = sizes.into_iter();
    sizes.map(|(layer, conv, _)| (layer, conv)).collect()
}

/// Launches of a layer's kernels on a GPU.
struct Launches<'a, F> {
    gpu: &'a Gpu,
    launch: F,
    /// When the time is over, as [`time::now`] has it.
    end: f64,
}

/// Measurements that are waited for together. Metal has 32 places for timestamps on a device.
const MOST_WINDOWS: usize = 24;

impl<F: Fn(usize) + Send + Sync> Stopwatch for Launches<'_, F> {
    async fn time(&mut self, what: &[Timed]) -> Result<Vec<f64>> {
        let client = self.gpu.client();
        let launch = &self.launch;
        let work = |timed: &Timed| (0..timed.launches).for_each(|_| launch(timed.candidate));
        let mut readings = Vec::with_capacity(what.len());
        if client.properties().timing_method != TimingMethod::Device {
            for timed in what {
                readings.push(time_of(self.gpu, || work(timed)).await?);
            }
            return Ok(readings);
        }
        for part in what.chunks(MOST_WINDOWS) {
            let mut windows = Vec::with_capacity(part.len());
            for timed in part {
                let profile = client.profile(|| work(timed), "tune");
                windows.push(profile.map_err(|e| Error::Gpu(format!("{e:?}")))?.1);
            }
            for window in windows {
                let ticks = window.resolve().await;
                readings.push(ticks.map_or(f64::INFINITY, |t| t.duration().as_secs_f64() * 1000.0));
            }
        }
        Ok(readings)
    }

    fn is_over(&self) -> bool {
        time::now() > self.end
    }
}

/// Drops the packed copies of the weights that were made for measuring and that no chosen kernel reads.
fn drop_unused_packings(layers: &[(&Conv2d, ConvShape)]) {
    for (layer, _) in layers {
        let Some((weights, bias)) = layer.on_gpu() else {
            continue;
        };
        let same = layers
            .iter()
            .filter(|(other, _)| std::ptr::eq(*other, *layer));
        let wanted: Vec<Packing> = same
            .filter_map(|(_, conv)| select::choose(&bias.gpu(), conv, weights)?.packing(conv))
            .collect();
        weights.retain_packings(&wanted);
    }
}

/// Measures the work that `launch` queues, in milliseconds: by the device's own clock where it has one, else
/// by ours, from idle to idle.
///
/// # Errors
/// [`Error::Gpu`] if the device fails.
pub async fn time_of(gpu: &Gpu, launch: impl FnOnce() + Send) -> Result<f64> {
    let failed = |error: String| Error::Gpu(error);
    if gpu.client().properties().timing_method == TimingMethod::Device {
        let profile = gpu
            .client()
            .profile(launch, "tune")
            .map_err(|e| failed(format!("{e:?}")))?;
        if let Some(ticks) = profile.1.resolve().await {
            return Ok(ticks.duration().as_secs_f64() * 1000.0);
        }
        return Ok(f64::INFINITY);
    }
    gpu.client()
        .sync()
        .await
        .map_err(|e| failed(e.to_string()))?;
    let start = time::now();
    launch();
    gpu.client()
        .sync()
        .await
        .map_err(|e| failed(e.to_string()))?;
    Ok(time::now() - start)
}

/// How many algorithms are measured for a layer besides its default.
const MOST_CANDIDATES: usize = 4;

/// The algorithms worth measuring on a GPU: of those that apply, the fastest by the model, which may err among neighbours but
/// not by more. That is, of those with operands through workgroup memory and of those without: which is right is
/// a guess by the adapter's name, so the last place is for the fastest of the kind that has none.
fn candidates(gpu: &Gpu, conv: &ConvShape, weights: &Weights) -> Vec<Algorithm> {
    let (chip, max) = (Chip::of(gpu.adapter()), gpu.max_binding());
    let mut fitting = select::ranked(conv, &chip);
    fitting.retain(|algorithm| algorithm.can_apply(conv, weights, max));
    let mut rest = fitting.split_off(fitting.len().min(MOST_CANDIDATES));
    let shares = |algorithm: &Algorithm| algorithm.block().map(Block::shares);
    let missing = |algorithm: &Algorithm| {
        let kind = shares(algorithm);
        kind.is_some() && !fitting.iter().any(|other| shares(other) == kind)
    };
    if let Some(other) = rest.iter().position(missing) {
        fitting[MOST_CANDIDATES - 1] = rest.swap_remove(other);
    }
    fitting
}
