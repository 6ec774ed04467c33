//! How a WGSL kernel reaches the GPU: through burn's client, among burn's own kernels.
//!
//! Buffers come from and go back to burn's memory pool, so that a layer's output is reused two layers on;
//! launches go into burn's command encoder, so that a network is one submission. A tensor that is not on
//! wgpu has no [`Gpu`], and the caller falls back to burn's op.

use std::sync::{Arc, PoisonError};

use burn::backend::TensorMetadata;
use burn::tensor::{Bytes, DType, Device, Shape, Tensor};
use burn_cubecl::cubecl::client::Client;
use burn_cubecl::cubecl::prelude::{BufferIOAttr, CubeCount};
use burn_cubecl::cubecl::server::{Handle, KernelArguments};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::{permute_nchw_to_nhwc, permute_nhwc_to_nchw};
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeDevice};

pub use super::kernel::Kernel;
use super::state::LaunchState;
use crate::platform::device_state::DeviceState;

/// The order in which images lie in memory without a copy; of both, as images of one channel or one pixel
/// are, the first.
#[must_use]
pub fn layout_of(images: &CubeTensor) -> Option<Layout> {
    if images.is_contiguous() {
        return Some(Layout::ChannelsFirst);
    }
    let last = permute_nchw_to_nhwc(images.clone()).is_contiguous();
    last.then_some(Layout::ChannelsLast)
}

/// Most workgroups in one dimension of a dispatch, by WebGPU's default limits.
pub const MAX_WORKGROUPS: usize = 65_535;

/// Values: where the part of a buffer may begin that is bound to a kernel, by WebGPU's default limits (256 bytes).
pub const PART_ALIGNMENT: usize = 64;

/// How many workgroups of 64 are needed for one invocation an element, in two dimensions where one is too short.
#[must_use]
pub fn spread(elements: usize) -> Option<[usize; 3]> {
    let workgroups = elements.div_ceil(64);
    let x = workgroups.min(MAX_WORKGROUPS);
    let y = workgroups.div_ceil(x.max(1));
    (y <= MAX_WORKGROUPS).then_some([x, y, 1])
}

/// The device of a tensor that our kernels can work on.
#[derive(Clone)]
pub struct Gpu {
    client: Client,
    device: CubeDevice,
    state: Arc<DeviceState>,
}

/// As [`spread`], for the values of a tensor.
///
/// # Panics
/// If there are more of them than 2^38, which no memory holds.
#[must_use]
pub fn spread_tensor(elements: usize) -> [usize; 3] {
    spread(elements).unwrap_or_else(|| panic!("{elements} elements"))
}

/// The order of an image batch in memory. burn's tensors are `[N,C,H,W]` either way: the strides tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `[N,C,H,W]`, plane after plane.
    ChannelsFirst,
    /// `[N,H,W,C]`, the channels of a pixel side by side.
    ChannelsLast,
}

/// GPU memory that can be bound to a kernel.
pub trait Binding {
    /// The handle by which cubecl knows the memory.
    fn handle(&self) -> &Handle;
}

/// A tensor in GPU memory: contiguous `f32`.
#[derive(Debug, Clone)]
pub struct Buffer {
    tensor: CubeTensor,
    state: Arc<DeviceState>,
}

impl Binding for Buffer {
    fn handle(&self) -> &Handle {
        &self.tensor.handle
    }
}

/// GPU memory that is no tensor of burn's: pixels, tables, 16-bit weights.
#[derive(Debug, Clone)]
pub struct Raw {
    handle: Handle,
}

impl Binding for Raw {
    fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Buffer {
    /// The memory of a tensor that is on wgpu and `f32`; `None` for any other.
    #[must_use]
    pub fn of<const D: usize>(tensor: &Tensor<D>) -> Option<Self> {
        let tensor = tensor.clone().try_into_primitive::<CubeBackend>().ok()?;
        Self::of_primitive(tensor)
    }

    /// As [`Self::of`], from burn's own tensor type.
    #[must_use]
    pub fn of_primitive(tensor: CubeTensor) -> Option<Self> {
        let usable = tensor.dtype == DType::F32 && tensor.client.name().contains("wgpu");
        usable.then(|| Self {
            state: DeviceState::of(&Device::new(tensor.device.clone())),
            tensor: into_contiguous(tensor),
        })
    }

    /// The memory of images `[N,C,H,W]` in that order, with sizes in that order: as it stands where it is so
    /// already, else a copy.
    #[must_use]
    pub fn in_layout(images: CubeTensor, layout: Layout) -> Option<Self> {
        match layout {
            Layout::ChannelsFirst => Self::of_primitive(images),
            Layout::ChannelsLast => Self::of_primitive(permute_nchw_to_nhwc(images)),
        }
    }

    /// burn's tensor `[N,C,H,W]` of what [`Self::in_layout`] gave or a kernel wrote in that order.
    #[must_use]
    pub fn into_images(self, layout: Layout) -> CubeTensor {
        match layout {
            Layout::ChannelsFirst => self.tensor,
            Layout::ChannelsLast => permute_nhwc_to_nchw(self.tensor),
        }
    }

    /// A part of it as a tensor of its own, of these sizes, from value `start` on. It is no copy: the two share the
    /// memory, and for that reason no op of burn's writes to either in place.
    ///
    /// # Panics
    /// If it reaches beyond the end, or begins where a binding must not, at no multiple of [`PART_ALIGNMENT`]: a bug in
    /// the caller.
    #[must_use]
    pub fn part(&self, start: usize, dims: &[usize]) -> Self {
        let [whole, length] = [&self.dims()[..], dims].map(|dims| dims.iter().product::<usize>());
        assert!(
            start.is_multiple_of(PART_ALIGNMENT) && start + length <= whole,
            "{dims:?} from {start} on, of {whole} values"
        );
        let [before, own] = [start, length].map(|values| (values * size_of::<f32>()) as u64);
        let handle = self.tensor.handle.clone();
        let behind = handle.size_in_used() - before - own;
        Self {
            tensor: CubeTensor::new_contiguous(
                self.tensor.client.clone(),
                self.tensor.device.clone(),
                Shape::from(dims.to_vec()),
                handle.offset_start(before).offset_end(behind),
                DType::F32,
            ),
            state: self.state.clone(),
        }
    }

    /// Whether `part` is the [`Self::part`] of its size that begins at `start`: the same memory, not only the same values.
    #[must_use]
    pub fn has_part(&self, start: usize, part: &Self) -> bool {
        let place = |buffer: &Self| {
            let (memory, from, to) = buffer.handle().clone().binding().claim_key();
            (memory, from as usize, to as usize)
        };
        let (memory, begin, end) = place(self);
        let (other, from, to) = place(part);
        let length: usize = part.dims().iter().product();
        let from_here = begin + start * size_of::<f32>();
        memory == other
            && from == from_here
            && to == from_here + length * size_of::<f32>()
            && to <= end
    }

    /// Turns it into burn's tensor; `D` must be the rank it was made with.
    #[must_use]
    pub fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<CubeBackend>(self.tensor)
    }

    /// Turns it into burn's own tensor type.
    #[must_use]
    pub fn into_primitive(self) -> CubeTensor {
        self.tensor
    }

    /// Sizes, outermost first.
    #[must_use]
    pub fn dims(&self) -> Vec<usize> {
        self.tensor.shape().to_vec()
    }

    /// The GPU that holds it.
    #[must_use]
    pub fn gpu(&self) -> Gpu {
        Gpu {
            client: self.tensor.client.clone(),
            device: self.tensor.device.clone(),
            state: self.state.clone(),
        }
    }
}

impl Gpu {
    /// The GPU behind a device of burn's; `None` for the CPU and for a device with gradients.
    #[must_use]
    pub fn of(device: &Device) -> Option<Self> {
        Buffer::of(&Tensor::<1>::empty([1], device)).map(|buffer| buffer.gpu())
    }

    /// The GPU that holds a tensor of burn's own type; `None` where it is not `f32` on wgpu.
    #[must_use]
    pub fn behind(tensor: &CubeTensor) -> Option<Self> {
        let usable = tensor.dtype == DType::F32 && tensor.client.name().contains("wgpu");
        usable.then(|| Self {
            client: tensor.client.clone(),
            device: tensor.device.clone(),
            state: DeviceState::of(&Device::new(tensor.device.clone())),
        })
    }

    /// Allocates memory; its content is undefined.
    #[must_use]
    pub fn raw(&self, bytes: usize) -> Raw {
        Raw {
            handle: self.client.empty(bytes),
        }
    }

    /// Uploads words. A write ends the command encoder.
    #[must_use]
    pub fn upload(&self, words: impl Iterator<Item = u32>) -> Raw {
        self.upload_bytes(words.flat_map(u32::to_le_bytes).collect())
    }

    /// Uploads bytes, of which there must be a multiple of four.
    #[must_use]
    pub fn upload_bytes(&self, bytes: Vec<u8>) -> Raw {
        Raw {
            handle: self.client.create(Bytes::from_bytes_vec(bytes)),
        }
    }

    /// Allocates a tensor; its content is undefined.
    #[must_use]
    pub fn empty(&self, dims: &[usize]) -> Buffer {
        let bytes = dims.iter().product::<usize>() * size_of::<f32>();
        let handle = self.client.empty(bytes);
        Buffer {
            tensor: CubeTensor::new_contiguous(
                self.client.clone(),
                self.device.clone(),
                Shape::from(dims.to_vec()),
                handle,
                DType::F32,
            ),
            state: self.state.clone(),
        }
    }

    /// The largest buffer that a kernel can bind, in bytes.
    #[must_use]
    pub fn max_binding(&self) -> u64 {
        self.client.properties().memory.max_page_size
    }

    /// What this process knows of it.
    #[must_use]
    pub fn state(&self) -> &DeviceState {
        &self.state
    }

    /// burn's client of this device.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Queues the kernel: the inputs in the order of the bindings, then the output, then the parameters.
    ///
    /// # Panics
    /// If a dimension has more than [`MAX_WORKGROUPS`]: a bug in the op's `can_apply`.
    pub fn launch(
        &self,
        kernel: &Kernel,
        workgroups: [usize; 3],
        inputs: &[&dyn Binding],
        output: &dyn Binding,
        params: &[u32],
    ) {
        self.launch_to(kernel, workgroups, inputs, &[output], params);
    }

    /// As [`Self::launch`], with several outputs.
    ///
    /// # Panics
    /// As [`Self::launch`].
    pub fn launch_to(
        &self,
        kernel: &Kernel,
        workgroups: [usize; 3],
        inputs: &[&dyn Binding],
        outputs: &[&dyn Binding],
        params: &[u32],
    ) {
        let output = BufferIOAttr::WriteOnly;
        self.queue(
            kernel,
            workgroups,
            inputs,
            (outputs, output),
            self.params(params),
        );
    }

    /// As [`Self::launch_to`], for outputs that the kernel reads as well or does not write whole. Nobody else may hold
    /// them: what was read from them before is read from the changed memory after.
    ///
    /// # Panics
    /// As [`Self::launch`].
    pub fn launch_in_place(
        &self,
        kernel: &Kernel,
        workgroups: [usize; 3],
        inputs: &[&dyn Binding],
        changed: &[&dyn Binding],
        params: &[u32],
    ) {
        let changed = (changed, BufferIOAttr::ReadWrite);
        self.queue(kernel, workgroups, inputs, changed, self.params(params));
    }

    /// As [`Self::launch`], for parameters that are not expected again, such as a photo's sizes. They are not
    /// cached: those of a thousand photos would push the network's out.
    ///
    /// # Panics
    /// As [`Self::launch`].
    pub fn launch_once(
        &self,
        kernel: &Kernel,
        workgroups: [usize; 3],
        inputs: &[&dyn Binding],
        output: &dyn Binding,
        params: &[u32],
    ) {
        let params = self.upload(params.iter().copied()).handle;
        let output: (&[&dyn Binding], _) = (&[output], BufferIOAttr::WriteOnly);
        self.queue(kernel, workgroups, inputs, output, params);
    }

    fn queue(
        &self,
        kernel: &Kernel,
        workgroups: [usize; 3],
        inputs: &[&dyn Binding],
        (outputs, output): (&[&dyn Binding], BufferIOAttr),
        params: Handle,
    ) {
        let [x, y, z] = workgroups.map(|n| {
            assert!(n <= MAX_WORKGROUPS, "{kernel}: {workgroups:?} workgroups");
            n as u32
        });
        if x == 0 || y == 0 || z == 0 {
            return;
        }
        let bound = inputs.iter().chain(outputs);
        self.bound(bound.map(|buffer| buffer.handle().size_in_used()).sum());
        let mut arguments = KernelArguments::new();
        for input in inputs {
            let binding = input.handle().clone().binding();
            arguments = arguments.with_buffer_io(binding, BufferIOAttr::ReadOnly);
        }
        for buffer in outputs {
            let binding = buffer.handle().clone().binding();
            arguments = arguments.with_buffer_io(binding, output);
        }
        arguments = arguments.with_buffer_io(params.binding(), BufferIOAttr::ReadOnly);
        let count = CubeCount::Static(x, y, z);
        self.client
            .launch(Box::new(kernel.clone()), count, arguments);
    }

    /// A buffer with the parameters, from the cache where they were uploaded before. A write ends the command
    /// encoder, so without the cache a network would be as many submissions as it has layers.
    fn params(&self, words: &[u32]) -> Handle {
        /// More than any network has; what is dropped here is written again.
        const MOST: usize = 4096;

        let state = self.part::<LaunchState>();
        let mut kept = state.params.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = kept.get(words) {
            return handle.clone();
        }
        if kept.len() >= MOST {
            kept.clear();
        }
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let handle = self.client.create_from_slice(&bytes);
        kept.insert(words.to_vec(), handle.clone());
        handle
    }
}
