//! What the GPU is capable of, measured: multiply-adds a second in f32, and bytes a second.

use burn::tensor::{Device, Tensor};
use retune::error::{Error, Result};
use retune::kernels::gpu::launch::{Buffer, Gpu, MAX_WORKGROUPS};
use retune::kernels::gpu::peak::{self, PeakCopyParams, PeakFmaParams};
use retune::kernels::to_host;

use crate::measure::{Times, device_ms, repeats};

/// As in both kernels.
const WORKGROUP: usize = 256;
/// Multiply-adds of a round of `peak_fma.wgsl`.
const ROUND: f64 = 128.0;
/// A measurement lasts about so long, in milliseconds.
const AIM: f64 = 10.0;

/// The figures.
#[derive(Debug, Clone, Copy)]
pub struct Peaks {
    /// Multiply-adds of f32, two operations each.
    pub tflops: f64,
    /// How the faster kernel spells one.
    pub spelling: &'static str,
    /// Bytes read and written, of buffers larger than any cache.
    pub gb_s: f64,
}

impl Peaks {
    /// What keeps a kernel of so many operations, bytes and milliseconds from being faster: the roofline
    /// (<https://doi.org/10.1145/1498765.1498785>), or that a launch alone takes as long.
    pub fn limit(&self, flops: f64, bytes: f64, ms: f64) -> &'static str {
        /// Milliseconds.
        const LAUNCH: f64 = 0.01;

        if ms < LAUNCH {
            "launch"
        } else if bytes / (self.gb_s * 1e9) > flops / (self.tflops * 1e12) {
            "memory"
        } else {
            "compute"
        }
    }
}

/// The fastest of `runs`.
pub async fn measure(gpu: &Gpu, device: &Device, software: bool, runs: u32) -> Result<Peaks> {
    let (plain, fused) = (
        multiply_adds(gpu, false, software, runs).await?,
        multiply_adds(gpu, true, software, runs).await?,
    );
    let (tflops, spelling) = if fused > plain {
        (fused, "fma()")
    } else {
        (plain, "x * a + b")
    };
    Ok(Peaks {
        tflops,
        spelling,
        gb_s: copy(gpu, device, software, runs).await?,
    })
}

/// TFLOP/s.
async fn multiply_adds(gpu: &Gpu, fused: bool, software: bool, runs: u32) -> Result<f64> {
    let kernel = if fused { &peak::FUSED } else { &peak::PLAIN };
    let workgroups = if software { 64 } else { 4096 };
    let invocations = workgroups * WORKGROUP;
    let y = gpu.empty(&[invocations]);
    let params = |rounds: u32| PeakFmaParams {
        invocations: invocations as u32,
        rounds,
        factor: 0.999,
        addend: 0.01,
    };
    let launch = |rounds: u32| {
        let words = params(rounds).words();
        gpu.launch(kernel, [workgroups, 1, 1], &[], &y, &words);
    };

    // Few rounds first: they compile the kernel and show that it computes what it says.
    launch(2);
    check(&params(2), &to_host(y.clone().into_tensor::<1>()).await?)?;
    let mut rounds = 16;
    while device_ms(gpu, 1, &|| launch(rounds)).await? < AIM && rounds < 1 << 24 {
        rounds *= 2;
    }
    let mut times = Times::default();
    for _ in 0..runs {
        times.push(device_ms(gpu, 1, &|| launch(rounds)).await?);
    }
    let flops = 2.0 * ROUND * f64::from(rounds) * invocations as f64;
    Ok(flops / times.min() / 1e9)
}

/// The twin of `peak_fma.wgsl`, in f64.
fn check(params: &PeakFmaParams, y: &[f32]) -> Result<()> {
    for (i, &y) in y.iter().enumerate() {
        let chain = |c: usize| {
            let steps = 0..8 * params.rounds;
            steps.fold((i % 64 + c) as f64, |x, _| {
                x * f64::from(params.factor) + f64::from(params.addend)
            })
        };
        let expected: f64 = (0..16).map(chain).sum();
        // 16 roundings a chain and 16 of the sum, of values that do not cancel: 1e-5 is ample. NaN fails.
        if (f64::from(y) - expected).abs() <= 1e-5 * expected {
            continue;
        }
        return Err(Error::Gpu(format!(
            "peak_fma.wgsl is wrong here: y[{i}] is {y}, not {expected}"
        )));
    }
    Ok(())
}

/// GB/s, read and written.
async fn copy(gpu: &Gpu, device: &Device, software: bool, runs: u32) -> Result<f64> {
    let wanted: u64 = if software { 32 << 20 } else { 512 << 20 };
    let elements = (gpu.max_binding().min(wanted) / 16) as usize;
    let lost = || Error::Gpu("the tensors are not on the GPU".to_string());
    let x = Buffer::of(&Tensor::<1>::full([4 * elements], 1.25, device)).ok_or_else(lost)?;
    let y = gpu.empty(&[4 * elements]);
    let groups = elements.div_ceil(WORKGROUP);
    let across = groups.min(MAX_WORKGROUPS);
    let params = PeakCopyParams {
        elements: elements as u32,
    };
    let launch = || {
        let workgroups = [across, groups.div_ceil(across), 1];
        gpu.launch(&peak::COPYING, workgroups, &[&x], &y, &params.words());
    };
    launch();
    let count = repeats(device_ms(gpu, 1, &launch).await?, AIM, 64);
    let mut times = Times::default();
    for _ in 0..runs {
        times.push(device_ms(gpu, count, &launch).await?);
    }
    let last = y.into_tensor::<1>().narrow(0, 4 * elements - 4, 4);
    if to_host(last).await? != [1.25; 4] {
        return Err(Error::Gpu("peak_copy.wgsl is wrong here".to_string()));
    }
    Ok(32.0 * elements as f64 / times.min() / 1e6)
}
