//! AMD's compiler without a card: Mesa's driver RADV takes a chip's name for a chip, compiles for it, and says what
//! came out through `VK_KHR_pipeline_executable_properties`.

use std::ffi::{CStr, CString, c_char};
use std::path::Path;

use ash::ext::robustness2;
use ash::khr::pipeline_executable_properties as executable;
use ash::vk;
use ash::{Entry, Instance};

/// The chip compiled for: Navi 21 of 2020, RDNA2, as in the Radeon RX 6800.
const CHIP: &str = "navi21";

/// Where distributions describe their drivers.
const DRIVERS: &str = "/usr/share/vulkan/icd.d";

/// More bindings than any kernel has; what a kernel does not bind is ignored.
const BINDINGS: u32 = 12;

/// A compiler for one chip. It is not destroyed: the process ends with the tests.
pub struct Radv {
    device: ash::Device,
    properties: executable::Device,
    layout: vk::PipelineLayout,
    /// Mesa's version.
    pub mesa: String,
}

/// What became of a kernel.
pub struct Compiled {
    /// Vector registers of an invocation.
    pub vgprs: u64,
    /// Registers that did not fit and went to memory.
    pub spilled: u64,
    /// Bytes of memory that an invocation has for itself, as its arrays or registers did not fit.
    pub scratch: u64,
    /// Bytes of workgroup memory.
    pub shared: u64,
    /// Waves that a SIMD can hold at a time.
    pub waves: u64,
    /// The assembly, a block of instructions after another.
    pub assembly: String,
}

impl Radv {
    /// # Errors
    /// If the driver is not installed, or is none that can do this.
    pub fn start() -> Result<Self, String> {
        let drivers = Path::new(DRIVERS).read_dir().into_iter().flatten();
        let mut drivers = drivers.filter_map(|entry| Some(entry.ok()?.path()));
        let Some(driver) = drivers.find(|path| path.to_string_lossy().contains("/radeon_icd"))
        else {
            return Err(format!(
                "there is no radeon_icd in {DRIVERS}: AMD's compiler comes with Debian's package mesa-vulkan-drivers"
            ));
        };
        // SAFETY: one test is in this process and no thread besides it.
        unsafe {
            std::env::set_var("VK_DRIVER_FILES", &driver);
            std::env::set_var("VK_ICD_FILENAMES", &driver); // before loader 1.3.207
            std::env::set_var("RADV_FORCE_FAMILY", CHIP);
        }
        // SAFETY: what Vulkan asks for is kept to below: structs as its specification says, objects of one device.
        unsafe { Self::open() }
    }

    unsafe fn open() -> Result<Self, String> {
        let failed = |what: &'static str| move |e: vk::Result| format!("{what}: {e}");
        let entry = unsafe { Entry::load() }.map_err(|e| format!("no Vulkan loader: {e}"))?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        let instance = unsafe { entry.create_instance(&info, None) };
        let instance = instance.map_err(failed("RADV does not start"))?;
        let physical = unsafe { instance.enumerate_physical_devices() };
        let physical = physical.map_err(failed("RADV's devices"))?;
        let Some(&physical) = physical.first() else {
            return Err("RADV offers no device".to_owned());
        };
        let (name, mesa) = unsafe { described(&instance, physical) };
        if !name.to_lowercase().contains(CHIP) {
            return Err(format!("RADV compiles for {name}, not for {CHIP}"));
        }

        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
        // As wgpu opens it: the driver then knows that a read past a buffer's end must give zero.
        let extensions = [executable::NAME.as_ptr(), robustness2::NAME.as_ptr()];
        let core = vk::PhysicalDeviceFeatures::default().robust_buffer_access(true);
        let mut robust = vk::PhysicalDeviceRobustness2FeaturesEXT::default()
            .robust_buffer_access2(true)
            .robust_image_access2(true);
        let mut statistics = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        let mut memory = vk::PhysicalDeviceVulkan12Features::default()
            .vulkan_memory_model(true)
            .vulkan_memory_model_device_scope(true);
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&extensions)
            .enabled_features(&core)
            .push_next(&mut robust)
            .push_next(&mut statistics)
            .push_next(&mut memory);
        let device = unsafe { instance.create_device(physical, &info, None) };
        let device = device.map_err(failed("RADV opens no device"))?;
        let properties = executable::Device::new(&instance, &device);

        let bindings: Vec<_> = (0..BINDINGS)
            .map(|binding| {
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding)
                    .descriptor_type(vk::DescriptorType::STORAGE_BUFFER)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        let sets = unsafe { device.create_descriptor_set_layout(&info, None) };
        let sets = [sets.map_err(failed("a layout of buffers"))?];
        let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
        let layout = unsafe { device.create_pipeline_layout(&info, None) };
        let layout = layout.map_err(failed("a pipeline's layout"))?;
        Ok(Self {
            device,
            properties,
            layout,
            mesa,
        })
    }

    /// Compiles SPIR-V of one entry.
    ///
    /// # Errors
    /// If the driver refuses it, or does not say what came out.
    pub fn compile(&self, spirv: &[u32]) -> Result<Compiled, String> {
        // SAFETY: naga's SPIR-V is valid, and all that is made here is of this device.
        unsafe { self.compile_with(spirv) }.map_err(|e| format!("RADV: {e}"))
    }

    unsafe fn compile_with(&self, spirv: &[u32]) -> Result<Compiled, vk::Result> {
        let entry = entry(spirv).unwrap_or_default();
        let info = vk::ShaderModuleCreateInfo::default().code(spirv);
        let module = unsafe { self.device.create_shader_module(&info, None) }?;
        let stage = vk::PipelineShaderStageCreateInfo::default()
            .stage(vk::ShaderStageFlags::COMPUTE)
            .module(module)
            .name(&entry);
        let info = vk::ComputePipelineCreateInfo::default()
            .flags(
                vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                    | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR,
            )
            .stage(stage)
            .layout(self.layout);
        let pipeline = unsafe {
            self.device
                .create_compute_pipelines(vk::PipelineCache::null(), &[info], None)
        };
        unsafe { self.device.destroy_shader_module(module, None) };
        let pipeline = pipeline.map_err(|(_, e)| e)?[0];
        let compiled = unsafe { self.read(pipeline) };
        unsafe { self.device.destroy_pipeline(pipeline, None) };
        compiled
    }

    unsafe fn read(&self, pipeline: vk::Pipeline) -> Result<Compiled, vk::Result> {
        let info = vk::PipelineInfoKHR::default().pipeline(pipeline);
        let executables = unsafe { self.properties.get_pipeline_executable_properties(&info) }?;
        let wave = executables
            .first()
            .map_or(1, |e| u64::from(e.subgroup_size));
        let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline);
        let statistics = unsafe { self.properties.get_pipeline_executable_statistics(&info) }?;
        let statistic = |name: &str| {
            let found = statistics.iter().find(|s| text(&s.name) == name);
            // SAFETY: all that are asked for here are whole numbers of 64 bits.
            found.map_or(u64::MAX, |s| unsafe { s.value.u64 })
        };
        Ok(Compiled {
            vgprs: statistic("VGPRs"),
            spilled: statistic("Spilled VGPRs") + statistic("Spilled SGPRs"),
            scratch: statistic("Scratch size") / wave,
            shared: statistic("LDS size"),
            waves: statistic("Subgroups per SIMD"),
            assembly: unsafe { self.assembly(&info) }?,
        })
    }

    unsafe fn assembly(&self, info: &vk::PipelineExecutableInfoKHR) -> Result<String, vk::Result> {
        // ash has no call that fetches the texts, as there are two to make: sizes first, then memory for them.
        let ask = self
            .properties
            .fp()
            .get_pipeline_executable_internal_representations_khr;
        let device = self.device.handle();
        let mut count = 0;
        unsafe { ask(device, info, &raw mut count, std::ptr::null_mut()) }.result()?;
        let mut found =
            vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
        unsafe { ask(device, info, &raw mut count, found.as_mut_ptr()) }.result()?;
        let mut texts: Vec<Vec<u8>> = found.iter().map(|r| vec![0; r.data_size]).collect();
        for (representation, text) in found.iter_mut().zip(&mut texts) {
            representation.p_data = text.as_mut_ptr().cast();
        }
        unsafe { ask(device, info, &raw mut count, found.as_mut_ptr()) }.result()?;
        let assembly = found.iter().zip(texts);
        let mut assembly = assembly.filter(|(r, _)| text(&r.name) == "Assembly");
        let bytes = assembly.next().map(|(_, bytes)| bytes).unwrap_or_default();
        let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The device's name, and Mesa's version.
unsafe fn described(instance: &Instance, physical: vk::PhysicalDevice) -> (String, String) {
    let mut driver = vk::PhysicalDeviceDriverProperties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
    unsafe { instance.get_physical_device_properties2(physical, &mut properties) };
    let name = text(&properties.properties.device_name);
    // "Mesa 22.3.6"
    let info = text(&driver.driver_info);
    (name, info.trim_start_matches("Mesa ").to_owned())
}

/// The name in OpEntryPoint: behind the instruction's length and number, the stage and the function.
/// <https://registry.khronos.org/SPIR-V/specs/unified1/SPIRV.html#OpEntryPoint>
fn entry(spirv: &[u32]) -> Option<CString> {
    const HEADER: usize = 5;
    const OP_ENTRY_POINT: u32 = 15;
    let mut at = HEADER;
    while let Some(&word) = spirv.get(at) {
        let length = (word >> 16).max(1) as usize;
        if word & 0xFFFF == OP_ENTRY_POINT {
            let name = spirv.get(at + 3..at + length)?;
            let name = name.iter().flat_map(|word| word.to_le_bytes());
            return CString::new(name.take_while(|byte| *byte != 0).collect::<Vec<_>>()).ok();
        }
        at += length;
    }
    None
}

fn text(characters: &[c_char]) -> String {
    // SAFETY: Vulkan's names are terminated within their arrays.
    let text = unsafe { CStr::from_ptr(characters.as_ptr()) };
    text.to_string_lossy().into_owned()
}
