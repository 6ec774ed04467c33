//! The self-test: each kernel in use against its CPU twin, on small random inputs, before it is trusted.
//! Drivers do get kernels wrong. A kernel that fails is taken out of use, and what takes its place is tested
//! in its turn. Each kernel's first launch is here, so this is also where its pipeline is compiled.

mod between;
mod cases;
mod gradients;

use burn::tensor::{Device, Tensor};
use burn_cubecl::CubeBackend;

use super::conv::matmul::Epilogue;
use super::conv::select;
use super::conv::weights::Weights;
use super::conv::{Algorithm, Conv2d};
use super::gpu::launch::Gpu;
use super::reference::compare::{Tolerance, compare};
use super::shape::ConvShape;
use super::to_host;
use crate::error::{Error, Result};

pub use between::self_test_norms_and_pools;
pub(super) use cases::Cases;
pub use gradients::self_test_gradients;

/// A kernel that gave wrong results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its name, as in `shaders/README.md`.
    pub kernel: String,
    /// What was wrong, with numbers.
    pub reason: String,
}

/// Tests every kernel that the layers would run on and takes those that fail out of use. Calls `progress` with
/// how many of how many are done.
///
/// # Errors
/// [`Error::Gpu`] if the device fails, as opposed to a kernel.
pub async fn self_test(
    device: &Device,
    layers: &[(&Conv2d, ConvShape)],
    mut progress: impl FnMut(usize, usize),
) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    let mut tested = Vec::new();
    let cases = Cases::default();
    // A network on the CPU has no kernels, hence no pools of ours.
    let Some(gpu) = Gpu::of(device) else {
        return Ok(failures);
    };
    loop {
        let waiting: Vec<_> = in_use(layers)
            .into_iter()
            .filter(|a| !tested.contains(a))
            .collect();
        let Some(&algorithm) = waiting.first() else {
            break;
        };
        progress(tested.len(), tested.len() + waiting.len());
        if let Some(reason) = test(device, algorithm, &cases).await? {
            select::set_broken(&gpu, algorithm, true);
            failures.push(Failure {
                kernel: algorithm.name(),
                reason,
            });
        }
        tested.push(algorithm);
    }
    if !tested.is_empty() {
        failures.extend(between::self_test_pools(device).await?);
    }
    Ok(failures)
}

/// The kernels that these layers run on, each once.
#[must_use]
pub fn in_use(layers: &[(&Conv2d, ConvShape)]) -> Vec<Algorithm> {
    let mut found = Vec::new();
    for (layer, conv) in layers {
        let Some((weights, bias)) = layer.on_gpu() else {
            continue;
        };
        if let Some(algorithm) = select::choose(&bias.gpu(), conv, weights)
            && !found.contains(&algorithm)
        {
            found.push(algorithm);
        }
    }
    found
}

/// Tests a kernel; returns what is wrong, if anything is.
pub(super) async fn test(
    device: &Device,
    algorithm: Algorithm,
    cases: &Cases,
) -> Result<Option<String>> {
    let gpu = Gpu::of(device).ok_or_else(not_there)?;
    let layout = algorithm.layout();
    let can_apply =
        |conv: &ConvShape, weights: &Weights| algorithm.can_apply(conv, weights, gpu.max_binding());
    for (case, weights) in cases.that(device, can_apply) {
        let uploaded = case.upload(device, weights, layout);
        let on_gpu = uploaded.ok_or_else(not_there)?;
        let epilogue = Epilogue {
            bias: Some(&on_gpu.bias),
            residual: Some(&on_gpu.residual),
            relu: true,
        };
        let y = algorithm.run(&gpu, &case.conv, &on_gpu.x, &on_gpu.weights, epilogue);
        let y = Tensor::<4>::from_primitive::<CubeBackend>(y.into_images(layout));
        let tolerance = Tolerance::sum_of(case.conv.depth() + 2).scaled(algorithm.error_factor());
        let wrong = wrong(device, y, case.forward(), tolerance).await?;
        if wrong.is_some() {
            return Ok(wrong);
        }
    }
    Ok(None)
}

/// What is wrong with a kernel's result, if anything is.
///
/// # Errors
/// [`Error::Gpu`] if the device fails, as opposed to the kernel.
async fn wrong<const D: usize>(
    device: &Device,
    result: Tensor<D>,
    expected: &[f64],
    tolerance: Tolerance,
) -> Result<Option<String>> {
    match to_host(result).await {
        Ok(values) => Ok(compare(&values, expected, tolerance)
            .err()
            .map(|mismatch| mismatch.to_string())),
        // A kernel that the driver does not compile ends here.
        Err(error) => kernels_own(device, error).await.map(Some),
    }
}

fn not_there() -> Error {
    Error::Gpu("the tensors of the self-test are not on the GPU".to_string())
}

/// What went wrong, where it is the kernel's own failure: the device still does what burn's ops say.
///
/// # Errors
/// The same, where the device is lost: then it says nothing about the kernel.
async fn kernels_own(device: &Device, error: Error) -> Result<String> {
    match is_there(device).await {
        Ok(()) => Ok(error.to_string()),
        Err(_) => Err(error),
    }
}

/// Whether the device still does what burn's ops say.
///
/// # Errors
/// [`Error::Gpu`] if it does not.
pub(super) async fn is_there(device: &Device) -> Result<()> {
    let sum = Tensor::<1>::ones([1], device) + 1.0;
    match to_host(sum).await? {
        sum if sum == [2.0] => Ok(()),
        sum => Err(Error::Gpu(format!("it says that 1 + 1 is {sum:?}"))),
    }
}
