//! The self-test of what runs between convolutions: the pools, and on hardware, on images that lie channels last, the
//! pools again and for trainings their gradients and the batch norm in both directions.

use burn::backend::Cube;
use burn::tensor::{Device, Tensor, TensorData};
use burn_cubecl::tensor::CubeTensor;

use super::cases::upload;
use super::{Failure, not_there, wrong};
use crate::error::Result;
use crate::kernels::gpu::launch::{Buffer, Gpu, Layout};
use crate::kernels::norm;
use crate::kernels::norm::autodiff::{NormKernels, Saved};
use crate::kernels::norm::reference::{batch_norm, batch_norm_gradients};
use crate::kernels::pool::autodiff::Window;
use crate::kernels::pool::{self, channels_last, cpu, reference};
use crate::kernels::reference::compare::Tolerance;
use crate::kernels::shape::PoolShape;
use crate::random::Random;

/// `[N,C,H,W]`: a second tile of columns, more than one block of rows.
const DIMS: [usize; 4] = [2, 36, 9, 11];
const WINDOW: Window = Window {
    kernel: 3,
    stride: 2,
    padding: 1,
};
const EPSILON: f64 = 1e-5;

/// A result, what it should be, and how far it may be off.
type Outcome = (Tensor<1>, Vec<f64>, Tolerance);

fn values(purpose: &str, n: usize) -> Vec<f32> {
    let mut random = Random::for_purpose(0, purpose);
    let value = |_| (2.0 * random.uniform() - 1.0) as f32;
    (0..n).map(value).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

fn flat<const D: usize>(tensor: CubeTensor) -> Tensor<1> {
    Tensor::<D>::from_primitive::<Cube>(tensor).flatten(0, D - 1)
}

fn on_gpu<const D: usize>(tensor: Tensor<D>) -> Result<CubeTensor> {
    tensor.try_into_primitive::<Cube>().map_err(|_| not_there())
}

/// Images `[N,C,H,W]` that lie channels last.
fn images(device: &Device, values: &[f32], dims: [usize; 4]) -> Result<CubeTensor> {
    let images = vector(device, values, dims)?;
    let last = Buffer::in_layout(images, Layout::ChannelsLast).ok_or_else(not_there)?;
    Ok(last.into_images(Layout::ChannelsLast))
}

fn vector<const D: usize>(device: &Device, values: &[f32], dims: [usize; D]) -> Result<CubeTensor> {
    on_gpu(Tensor::<D>::from_data(
        TensorData::new(values.to_vec(), dims),
        device,
    ))
}

/// Whether the kernels are in use on a GPU.
fn in_use(gpu: &Gpu) -> bool {
    gpu.enabled() && gpu.adapter().is_hardware()
}

/// Tests the pools and takes them out of use if they fail.
///
/// # Errors
/// [`Error::Gpu`](crate::error::Error::Gpu) if the device fails, as opposed to a kernel.
pub(super) async fn self_test_pools(device: &Device) -> Result<Vec<Failure>> {
    let Some(gpu) = Gpu::of(device) else {
        return Ok(Vec::new());
    };
    let set_broken = |broken| pool::gpu::set_broken(&gpu, broken);
    let mut failures = Vec::new();
    failures.extend(take_out(device, "pools", planes(device)?, set_broken).await?);
    if in_use(&gpu) {
        let pools = pools(device, false)?;
        failures.extend(take_out(device, "pools, channels last", pools, set_broken).await?);
    }
    Ok(failures)
}

/// Tests what only trainings use and takes out of use what fails.
///
/// # Errors
/// [`Error::Gpu`](crate::error::Error::Gpu) if the device fails, as opposed to a kernel.
pub async fn self_test_norms_and_pools(device: &Device) -> Result<Vec<Failure>> {
    let Some(gpu) = Gpu::of(device).filter(in_use) else {
        return Ok(Vec::new());
    };
    let pools = pools(device, true)?;
    let pools = take_out(device, "gradients of pools", pools, |broken| {
        pool::gpu::set_broken(&gpu, broken);
    });
    let norms = take_out(device, "batch norm", norms(device)?, |broken| {
        norm::cube::set_broken(&gpu, broken);
    });
    Ok([pools.await?, norms.await?].into_iter().flatten().collect())
}

async fn take_out(
    device: &Device,
    kernel: &str,
    outcomes: Vec<Outcome>,
    set_broken: impl Fn(bool),
) -> Result<Option<Failure>> {
    for (result, expected, tolerance) in outcomes {
        if let Some(reason) = wrong(device, result, &expected, tolerance).await? {
            set_broken(true);
            let kernel = kernel.to_string();
            return Ok(Some(Failure { kernel, reason }));
        }
    }
    Ok(None)
}

/// What the pools of planes give; nothing where they do not apply.
fn planes(device: &Device) -> Result<Vec<Outcome>> {
    let dims = [2, 3, 9, 11];
    let x = values("pools", dims.iter().product());
    let shape = PoolShape {
        planes: dims[0] * dims[1],
        size: [dims[2], dims[3]],
        kernel: [WINDOW.kernel; 2],
        stride: [WINDOW.stride; 2],
        padding: [WINDOW.padding; 2],
    };
    let on_gpu = upload(device, &x, dims).ok_or_else(not_there)?;
    let largest = pool::gpu::max_pool(&on_gpu, WINDOW.kernel, WINDOW.stride, WINDOW.padding);
    let (Some(largest), Some(mean)) = (largest, pool::gpu::global_avg_pool(&on_gpu)) else {
        return Ok(Vec::new());
    };
    let tolerance = Tolerance::sum_of(dims[2] * dims[3]);
    Ok(vec![
        (
            flat::<4>(largest.into_primitive()),
            reference::max_pool(&shape, &x),
            tolerance,
        ),
        (
            flat::<2>(mean.into_primitive()),
            reference::global_avg_pool(shape.planes, &x),
            tolerance,
        ),
    ])
}

/// What the pools channels last give, or their gradients; nothing where they do not apply.
fn pools(device: &Device, gradients: bool) -> Result<Vec<Outcome>> {
    let [n, c, h, w] = DIMS;
    let shape = PoolShape {
        planes: n * c,
        size: [h, w],
        kernel: [WINDOW.kernel; 2],
        stride: [WINDOW.stride; 2],
        padding: [WINDOW.padding; 2],
    };
    let x = values("pools", n * c * h * w);
    let mean = Tolerance::sum_of(h * w);
    let on_gpu = images(device, &x, DIMS)?;
    let mut outcomes = Vec::new();
    if !gradients {
        if let Some(y) = channels_last::max_pool(&on_gpu, WINDOW) {
            let expected = reference::max_pool(&shape, &x);
            outcomes.push((flat::<4>(y), expected, Tolerance::EXACT));
        }
        if let Some(y) = channels_last::global_avg_pool(&on_gpu) {
            outcomes.push((flat::<2>(y), reference::global_avg_pool(n * c, &x), mean));
        }
        return Ok(outcomes);
    }
    if let Some([_, places]) = channels_last::max_pool_with_places(&on_gpu, WINDOW) {
        let (_, indices) = cpu::forward(&shape, &x);
        let dy = values("gradient of pools", indices.len());
        let expected = wide(&cpu::backward(&shape, &indices, &dy));
        let [out_height, out_width] = shape.out_size();
        let dy = images(device, &dy, [n, c, out_height, out_width])?;
        if let Some(dx) = channels_last::max_pool_gradient(&on_gpu, &places, &dy, WINDOW) {
            outcomes.push((flat::<4>(dx), expected, Tolerance::sum_of(4)));
        }
    }
    let dy = values("gradient of averages", n * c);
    let share = |i: usize| f64::from(dy[i / (h * w)]) / (h * w) as f64;
    let expected = (0..x.len()).map(share).collect();
    let dy = vector(device, &dy, [n, c])?;
    if let Some(dx) = channels_last::global_avg_pool_gradient(&on_gpu, &dy) {
        outcomes.push((flat::<4>(dx), expected, mean));
    }
    Ok(outcomes)
}

/// What the batch norm gives in both directions.
fn norms(device: &Device) -> Result<Vec<Outcome>> {
    let [n, c, h, w] = DIMS;
    let sizes = [n, c, h * w];
    let [x, residual, dy] = ["x", "residual", "dy"].map(|name| values(name, n * c * h * w));
    let [gamma, beta] = ["gamma", "beta"].map(|name| values(name, c));
    let on_gpu = |values: &[f32]| images(device, values, DIMS);
    let x_on_gpu = on_gpu(&x)?;
    let gamma_on_gpu = vector(device, &gamma, [c])?;
    let (y, mean, variance) = Cube::norm_forward(
        x_on_gpu.clone(),
        gamma_on_gpu.clone(),
        vector(device, &beta, [c])?,
        Some(on_gpu(&residual)?),
        true,
        EPSILON,
    );
    let forward = batch_norm(sizes, &x, [&gamma, &beta], Some(&residual), true, EPSILON);
    // Where y is 0 the twin says, as a value near 0 may be rounded past it.
    let twins: Vec<f32> = forward[0].iter().map(|y| *y as f32).collect();
    let saved = Saved {
        x: x_on_gpu,
        gamma: gamma_on_gpu,
        mean: mean.clone(),
        variance: variance.clone(),
        y: Some(on_gpu(&twins)?),
        eps: EPSILON,
    };
    let (dx, dgamma, dbeta, dresidual) = Cube::norm_backward(saved, on_gpu(&dy)?, true);
    let gradients = batch_norm_gradients(sizes, [&x, &dy], Some(&twins), &gamma, EPSILON);
    let [expected_y, expected_mean, expected_variance] = forward;
    let [
        expected_dx,
        expected_dgamma,
        expected_dbeta,
        expected_dresidual,
    ] = gradients;
    let tolerance = Tolerance::sum_of(n * h * w);
    Ok(vec![
        (flat::<4>(y), expected_y, tolerance),
        (flat::<1>(mean), expected_mean, tolerance),
        (flat::<1>(variance), expected_variance, tolerance),
        (flat::<4>(dx), expected_dx, tolerance),
        (flat::<1>(dgamma), expected_dgamma, tolerance),
        (flat::<1>(dbeta), expected_dbeta, tolerance),
        (flat::<4>(dresidual), expected_dresidual, Tolerance::EXACT),
    ])
}
