//! Opening the device that runs the model. wgpu covers browser and native alike, so there is one file.

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;
use burn::tensor::wgpu::{MemoryConfiguration, WgpuBackend, wgpu};

use crate::config::DeviceChoice;
use crate::error::{Error, Result};
use crate::platform::adapter::{self, Adapter};
use crate::platform::{fault, gpu};
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
    /// The adapter's name, or "CPU".
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
        DeviceChoice::Gpu => open_gpu().await.map(|(opened, _)| opened),
        DeviceChoice::Auto => Ok(match open_gpu().await {
            Ok((opened, false)) => opened,
            Ok((opened, true)) => {
                let name = opened.name;
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
    OpenDevice {
        device: Device::flex(),
        backend: Backend::Cpu,
        name: "CPU".to_string(),
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

/// The best adapter, and whether it is a software one. burn registers a GPU once a process, so the first
/// answer is kept.
async fn open_gpu() -> Result<(OpenDevice, bool)> {
    static FOUND: OnceLock<(OpenDevice, bool)> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return Ok(found.clone());
    }
    let found = find_gpu().await?;
    Ok(FOUND.get_or_init(|| found).clone())
}

async fn find_gpu() -> Result<(OpenDevice, bool)> {
    // A buffer a tensor: WebGPU lets a launch read and write two buffers, but not two parts of one.
    let mut options = Device::wgpu_options();
    if gpu::VULKAN_ALONE {
        options = options.graphics_api(WgpuBackend::Vulkan);
    }
    let options = options
        .memory_config(MemoryConfiguration::ExclusivePages)
        .tasks_max(LAUNCHES);
    let setup = options.init_with_setup_async().await;
    let (device, setup) = setup.map_err(|error| Error::Gpu(error.to_string()))?;
    // burn's runtime panics here, which in a worker is the end; ours fails the read that follows. A lost
    // device burn reports with every read.
    setup
        .device
        .on_uncaptured_error(Arc::new(|error| fault::report(error.to_string())));
    let info = setup.adapter.get_info();
    let software = info.device_type == wgpu::DeviceType::Cpu;
    adapter::set(if software {
        Adapter::Software
    } else {
        Adapter::Hardware
    });
    let mut name = gpu::name(&info.name).await;
    if name.is_empty() {
        name = "GPU".to_string();
    }
    Ok((
        OpenDevice {
            device,
            backend: Backend::Webgpu,
            name,
            note: software.then(|| "This is a software adapter: expect it to be slow.".to_string()),
        },
        software,
    ))
}
