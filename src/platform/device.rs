//! Opening the device that runs the model. wgpu covers browser and native alike, so there is one file.

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;
use burn::tensor::wgpu::{MemoryConfiguration, WgpuOptions, WgpuSetup, wgpu};

use crate::config::DeviceChoice;
use crate::error::{Error, Result};
use crate::platform::device_state::{Adapter, DeviceState};
use crate::platform::{gpu, parallel};
use crate::protocol::Backend;

/// Launches in one submission: a whole network, with some to spare.
const LAUNCHES: usize = 512;

/// An open device.
#[derive(Debug, Clone)]
pub struct OpenDevice {
    /// For tensors without gradients.
    pub device: Device,
    /// What kind it is.
    pub backend: Backend,
    /// The adapter's name, or "CPU" with the number of threads.
    pub name: String,
    /// Why it is not the one hoped for, in a sentence.
    pub note: Option<String>,
}

/// Opens what was asked for. `Auto` falls back to the CPU and says why; a software adapter is slower
/// than the CPU path by far, so it counts as no GPU there.
///
/// # Errors
/// [`Error::Gpu`] if a GPU was demanded and there is none.
pub async fn open(choice: DeviceChoice) -> Result<OpenDevice> {
    match choice {
        DeviceChoice::Cpu => Ok(cpu(None)),
        DeviceChoice::Cuda => open_cuda(),
        DeviceChoice::Gpu => open_gpu().await.map(|found| found.opened),
        DeviceChoice::AsHardware => open_gpu().await.map(Found::taken_for_hardware),
        DeviceChoice::Auto => Ok(match open_gpu().await {
            Ok(found) if !found.software => found.opened,
            Ok(found) => {
                let name = found.opened.name;
                cpu(Some(format!(
                    "The only GPU here is a software one ({name}); the CPU is faster."
                )))
            }
            Err(error) => cpu(Some(format!(
                "No GPU could be used ({}); running on the CPU.",
                error.reason()
            ))),
        }),
    }
}

fn cpu(note: Option<String>) -> OpenDevice {
    let name = match parallel::width() {
        1 => "CPU, 1 thread".to_string(),
        threads => format!("CPU, {threads} threads"),
    };
    OpenDevice {
        device: Device::flex(),
        backend: Backend::Cpu,
        name,
        note,
    }
}

#[cfg(feature = "cuda")]
fn open_cuda() -> Result<OpenDevice> {
    use burn::tensor::{DeviceIndex, Tensor};

    // Without a driver cubecl panics, at the first use of the device and in its own words.
    let device = std::panic::catch_unwind(|| {
        let device = Device::cuda(DeviceIndex::Default);
        Tensor::<1>::zeros([1], &device).into_data();
        device
    });
    let device = device.map_err(|_| Error::Gpu("CUDA found no driver or no GPU".to_string()))?;
    Ok(OpenDevice {
        device,
        backend: Backend::Cuda,
        name: "CUDA".to_string(),
        note: None,
    })
}

#[cfg(not(feature = "cuda"))]
fn open_cuda() -> Result<OpenDevice> {
    Err(Error::Gpu(
        "this build has no CUDA; build it with --features cuda".to_string(),
    ))
}

/// A GPU that was opened.
#[derive(Debug, Clone)]
struct Found {
    opened: OpenDevice,
    software: bool,
    setup: WgpuSetup,
}

impl Found {
    /// The device, with a software adapter taken for hardware. Name and note say so, hence every report of a run, and
    /// what is tuned is kept apart.
    fn taken_for_hardware(self) -> OpenDevice {
        let mut opened = self.opened;
        if self.software {
            DeviceState::of(&opened.device).set_adapter(Adapter::Hardware);
            opened.name.push_str(" taken for hardware");
            opened.note = Some(
                "For a test this software adapter is taken for hardware: expect it to be very slow."
                    .to_string(),
            );
        }
        opened
    }
}

/// The best adapter. burn takes its options for a GPU once a process, so the first answer is kept.
async fn open_gpu() -> Result<Found> {
    static FOUND: OnceLock<Found> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return Ok(found.clone());
    }
    let options = options();
    let setup = options.init_with_setup_async().await;
    let (device, setup) = setup.map_err(|error| Error::Gpu(error.to_string()))?;
    let found = found(device, setup).await;
    Ok(FOUND.get_or_init(|| found).clone())
}

/// A further device of the adapter that [`open`] takes, which shares nothing with the others: for tests, so
/// that they can run at the same time.
///
/// # Errors
/// [`Error::Gpu`] if there is none.
pub async fn open_another() -> Result<OpenDevice> {
    another().await.map(|found| found.opened)
}

/// As [`open_another`], with a way to lose it, as a driver's reset or an unplugged GPU does.
///
/// # Errors
/// [`Error::Gpu`] if there is none.
pub async fn open_to_lose() -> Result<(OpenDevice, impl FnOnce() + Send + 'static)> {
    let Found { opened, setup, .. } = another().await?;
    Ok((opened, move || setup.device.destroy()))
}

async fn another() -> Result<Found> {
    let first = open_gpu().await?.setup;
    let request = wgpu::DeviceDescriptor {
        required_features: first.device.features(),
        required_limits: first.device.limits(),
        ..Default::default()
    };
    let made = first.adapter.request_device(&request).await;
    let (device, queue) = made.map_err(|error| Error::Gpu(error.to_string()))?;
    let setup = WgpuSetup {
        device,
        queue,
        ..first
    };
    let device = options().setup(setup.clone()).init();
    let device = device.map_err(|error| Error::Gpu(error.to_string()))?;
    Ok(found(device, setup).await)
}

fn options() -> WgpuOptions {
    // A buffer a tensor: WebGPU lets a launch read and write two buffers, but not two parts of one.
    Device::wgpu_options()
        .memory_config(MemoryConfiguration::ExclusivePages)
        .tasks_max(LAUNCHES)
}

/// Takes down what kind of GPU it is, and has its faults reported.
async fn found(device: Device, setup: WgpuSetup) -> Found {
    let state = DeviceState::of(&device);
    let reports = state.clone();
    // burn's runtime panics here, which in a worker is the end; ours fails the read that follows. A lost
    // device burn reports with every read.
    setup.device.on_uncaptured_error(Arc::new(move |error| {
        reports.report_fault(error.to_string())
    }));
    let info = setup.adapter.get_info();
    let software = info.device_type == wgpu::DeviceType::Cpu;
    let mut name = gpu::name(&info.name).await;
    if name.is_empty() {
        name = "GPU".to_string();
    }
    state.set_adapter(if software {
        Adapter::Software
    } else {
        Adapter::of_name(&name)
    });
    let opened = OpenDevice {
        device,
        backend: Backend::Webgpu,
        name,
        note: software.then(|| "This is a software adapter: expect it to be slow.".to_string()),
    };
    Found {
        opened,
        software,
        setup,
    }
}
