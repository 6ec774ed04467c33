//! The self-test: each kernel in use against its CPU twin, on small random inputs, before it is trusted.
//! Drivers do get kernels wrong. A kernel that fails is taken out of use, and what takes its place is tested
//! in its turn. Each kernel's first launch is here, so this is also where its pipeline is compiled.

use burn::tensor::{Device, Tensor, TensorData};
use burn_cubecl::CubeBackend;

use super::conv::direct::Direct;
use super::conv::grouped::Groups;
use super::conv::matmul::Epilogue;
use super::conv::reference as conv_reference;
use super::conv::select;
use super::conv::weights::Weights;
use super::conv::winograd::Tile;
use super::conv::{Algorithm, Conv2d};
use super::gpu::launch::{Buffer, Gpu};
use super::pool;
use super::reference::compare::{Tolerance, compare};
use super::shape::{ConvShape, Geometry, PoolShape};
use super::to_host;
use crate::error::{Error, Result};
use crate::random::Random;

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
        if let Some(reason) = test(device, algorithm).await? {
            select::set_broken(&gpu, algorithm, true);
            failures.push(Failure {
                kernel: algorithm.name(),
                reason,
            });
        }
        tested.push(algorithm);
    }
    if !tested.is_empty()
        && let Some(reason) = test_pools(device).await?
    {
        pool::gpu::set_broken(&gpu, true);
        failures.push(Failure {
            kernel: "pools".to_string(),
            reason,
        });
    }
    Ok(failures)
}

/// Tests the pools; returns what is wrong, if anything is.
async fn test_pools(device: &Device) -> Result<Option<String>> {
    let dims = [2, 3, 9, 11];
    let mut random = Random::for_purpose(0, "pools");
    let n = dims.iter().product::<usize>();
    let x: Vec<f32> = (0..n)
        .map(|_| (2.0 * random.uniform() - 1.0) as f32)
        .collect();
    let shape = PoolShape {
        planes: dims[0] * dims[1],
        size: [dims[2], dims[3]],
        kernel: [3; 2],
        stride: [2; 2],
        padding: [1; 2],
    };
    let largest = pool::reference::max_pool(&shape, &x);
    let mean = pool::reference::global_avg_pool(shape.planes, &x);
    let lost = || Error::Gpu("the tensors of the self-test are not on the GPU".to_string());
    let x = upload(device, x, dims).ok_or_else(lost)?;
    let (Some(max_pool), Some(avg_pool)) = (
        pool::gpu::max_pool(&x, 3, 2, 1),
        pool::gpu::global_avg_pool(&x),
    ) else {
        return Ok(None);
    };
    let tolerance = Tolerance::sum_of(dims[2] * dims[3]);
    let max_pool = to_host(max_pool.into_tensor::<4>()).await;
    let avg_pool = to_host(avg_pool.into_tensor::<2>()).await;
    for (actual, expected) in [(max_pool, largest), (avg_pool, mean)] {
        let wrong = match actual {
            Ok(actual) => compare(&actual, &expected, tolerance)
                .err()
                .map(|e| e.to_string()),
            Err(error) => Some(kernels_own(device, error).await?),
        };
        if wrong.is_some() {
            return Ok(wrong);
        }
    }
    Ok(None)
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
pub(super) async fn test(device: &Device, algorithm: Algorithm) -> Result<Option<String>> {
    for conv in cases(algorithm) {
        let out = conv.out_dims();
        let weight = [out[1], conv.channels, conv.kernel[0], conv.kernel[1]];
        let values = |purpose: &str, n: usize| -> Vec<f32> {
            let mut random = Random::for_purpose(0, purpose);
            (0..n)
                .map(|_| (2.0 * random.uniform() - 1.0) as f32)
                .collect()
        };
        let x = values("input", conv.in_dims().iter().product());
        let w = values("weight", weight.iter().product());
        let bias = values("bias", out[1]);
        let residual = values("residual", out.iter().product());
        let epilogue = conv_reference::Epilogue {
            bias: Some(bias.as_slice()),
            residual: Some(residual.as_slice()),
            relu: true,
        };
        let expected = conv_reference::conv2d(&conv.reference(), &x, &w, epilogue);

        let lost = || Error::Gpu("the tensors of the self-test are not on the GPU".to_string());
        let layout = algorithm.layout();
        let laid_out = |values, dims| {
            let images = upload(device, values, dims)?.into_primitive();
            Buffer::in_layout(images, layout)
        };
        let x = laid_out(x, conv.in_dims()).ok_or_else(lost)?;
        let w = upload(device, w, weight).ok_or_else(lost)?;
        let bias = upload(device, bias, [out[1]]).ok_or_else(lost)?;
        let residual = laid_out(residual, out).ok_or_else(lost)?;
        let gpu = x.gpu();
        let weights = Weights::new(w, conv.geometry.groups);
        let epilogue = Epilogue {
            bias: Some(&bias),
            residual: Some(&residual),
            relu: true,
        };
        let y = algorithm.run(&gpu, &conv, &x, &weights, epilogue);
        let y = Tensor::<4>::from_primitive::<CubeBackend>(y.into_images(layout));
        let y = match to_host(y).await {
            Ok(y) => y,
            // A kernel that the driver does not compile ends here.
            Err(error) => return kernels_own(device, error).await.map(Some),
        };
        let tolerance = Tolerance::sum_of(conv.depth() + 2).scaled(algorithm.error_factor());
        if let Err(mismatch) = compare(&y, &expected, tolerance) {
            return Ok(Some(mismatch.to_string()));
        }
    }
    Ok(None)
}

/// What went wrong, where it is the kernel's own failure: the device still does what burn's ops say.
///
/// # Errors
/// The same, where the device is lost: then it says nothing about the kernel.
async fn kernels_own(device: &Device, error: Error) -> Result<String> {
    let sum = Tensor::<1>::ones([1], device) + 1.0;
    match to_host(sum).await {
        Ok(sum) if sum == [2.0] => Ok(error.to_string()),
        _ => Err(error),
    }
}

fn upload<const D: usize>(device: &Device, values: Vec<f32>, dims: [usize; D]) -> Option<Buffer> {
    Buffer::of(&Tensor::<D>::from_data(
        TensorData::new(values, dims),
        device,
    ))
}

/// Small convolutions with partial tiles in every direction.
fn cases(algorithm: Algorithm) -> Vec<ConvShape> {
    let case = |channels: usize, m: usize, kernel: usize, stride: usize, groups: usize| ConvShape {
        images: 2,
        channels,
        m,
        size: [9, 11],
        kernel: [kernel; 2],
        geometry: Geometry {
            stride,
            padding: kernel / 2,
            dilation: 1,
            groups,
        },
    };
    match algorithm {
        Algorithm::Winograd(Tile::Two | Tile::Four, _) => vec![case(7, 37, 3, 1, 1)],
        Algorithm::Direct(Direct::Depthwise) => vec![case(1, 1, 3, 2, 5)],
        Algorithm::Grouped(Groups::Depthwise) => {
            vec![case(1, 1, 3, 2, 20), case(1, 1, 5, 1, 12)]
        }
        Algorithm::Grouped(Groups::Fours) => {
            vec![case(8, 12, 3, 2, 3), case(4, 4, 3, 1, 9)]
        }
        _ => vec![case(7, 37, 3, 2, 1), case(19, 37, 1, 1, 1)],
    }
}
