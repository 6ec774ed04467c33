//! The self-test of what a training runs backward: a driver that gets it wrong trains garbage, and nothing shows it.

use burn::tensor::{Device, Tensor};
use burn_cubecl::CubeBackend;

use super::cases::Cases;
use super::{Failure, not_there, wrong};
use crate::error::Result;
use crate::kernels::conv::Conv2d;
use crate::kernels::conv::gradient::{Gradient, Wanted};
use crate::kernels::conv::select;
use crate::kernels::conv::weights::Weights;
use crate::kernels::gpu::launch::Gpu;
use crate::kernels::reference::compare::Tolerance;
use crate::kernels::shape::ConvShape;

/// Tests every kernel that the gradients of these layers would be computed by, and takes those that fail out of use.
///
/// # Errors
/// [`Error::Gpu`](crate::error::Error::Gpu) if the device fails, as opposed to a kernel.
pub async fn self_test_gradients(
    device: &Device,
    layers: &[(&Conv2d, ConvShape)],
) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    let Some(gpu) = Gpu::of(device) else {
        return Ok(failures);
    };
    let cases = Cases::default();
    let mut tested = Vec::new();
    loop {
        let mut waiting = in_use(layers).into_iter();
        let Some(gradient) = waiting.find(|gradient| !tested.contains(gradient)) else {
            return Ok(failures);
        };
        if let Some(reason) = test(device, gradient, &cases).await? {
            select::set_gradient_broken(&gpu, gradient, true);
            failures.push(Failure {
                kernel: gradient.name(),
                reason,
            });
        }
        tested.push(gradient);
    }
}

/// The kernels by which the gradients of these layers are computed, each once.
fn in_use(layers: &[(&Conv2d, ConvShape)]) -> Vec<Gradient> {
    let mut found = Vec::new();
    for (layer, conv) in layers {
        let Some((weights, bias)) = layer.on_gpu() else {
            continue;
        };
        for wanted in Wanted::BOTH {
            if let Some(gradient) = select::gradient(&bias.gpu(), conv, weights, wanted)
                && !found.contains(&gradient)
            {
                found.push(gradient);
            }
        }
    }
    found
}

/// Tests a kernel; returns what is wrong, if anything is.
async fn test(device: &Device, gradient: Gradient, cases: &Cases) -> Result<Option<String>> {
    let gpu = Gpu::of(device).ok_or_else(not_there)?;
    let (layout, wanted) = (gradient.layout(), gradient.wanted());
    let can_apply =
        |conv: &ConvShape, weights: &Weights| gradient.can_apply(conv, weights, gpu.max_binding());
    for (case, weights) in cases.that(device, can_apply) {
        let uploaded = case.upload(device, weights, layout);
        let on_gpu = uploaded.ok_or_else(not_there)?;
        let (x, dy) = (&on_gpu.x, &on_gpu.residual);
        let result = gradient.run(&gpu, &case.conv, x, &on_gpu.weights, dy);
        let result = match wanted {
            Wanted::Input => result.into_images(layout),
            Wanted::Weight => result.into_primitive(),
        };
        let result = Tensor::<4>::from_primitive::<CubeBackend>(result);
        let tolerance = Tolerance::sum_of(case.terms(wanted)).scaled(gradient.error_factor());
        let wrong = wrong(device, result, case.gradient(wanted), tolerance).await?;
        if wrong.is_some() {
            return Ok(wrong);
        }
    }
    Ok(None)
}
