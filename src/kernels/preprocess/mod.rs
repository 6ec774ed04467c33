//! Resizes and normalises photos on the GPU into a batch of the network's input; gives the same bits as
//! [`crate::image::resize()`] and [`crate::image::to_tensor`].
//!
//! The first pass runs when a photo is added, the second when it is known how many there are: between the
//! two a photo is only as high as the network's input, so that a batch of large ones fits the memory.

pub mod reference;

use burn::tensor::Device;

use super::gpu::kernel::kernels;
use super::gpu::launch::{Buffer, Gpu, Kernel, Raw, spread};
use super::gpu::params::params;
use super::gpu::source::{Shader, shader};
use super::taps::{Taps, levels};
use crate::config::Preprocess;
use crate::image::Rgb;

params! {
    /// `preprocess_vertical.wgsl`.
    pub struct PreprocessVerticalParams {
        /// W, of source and result.
        pub width: u32,
        /// OH.
        pub out_height: u32,
        /// Words of a row of the taps: start, length and the longest row's weights.
        pub row_length: u32,
        /// Bits after the point of a weight.
        pub shift: u32,
    }
}

params! {
    /// `preprocess_horizontal.wgsl`.
    pub struct PreprocessHorizontalParams {
        /// OH, of source and result.
        pub height: u32,
        /// W.
        pub width: u32,
        /// OW.
        pub out_width: u32,
        /// Words of a row of the taps: start, length and the longest row's weights.
        pub row_length: u32,
        /// Bits after the point of a weight.
        pub shift: u32,
        /// Which image of the batch is written.
        pub image: u32,
    }
}

/// The first pass: columns.
const VERTICAL: Shader = shader!("preprocess_vertical", [64, 1, 1], PreprocessVerticalParams);
/// The second pass: rows, and the network's value of every byte.
const HORIZONTAL: Shader = shader!(
    "preprocess_horizontal",
    [64, 1, 1],
    PreprocessHorizontalParams
);

/// The kernel files of this op.
pub const SHADERS: &[Shader] = &[HORIZONTAL, VERTICAL];

kernels! {
    VERTICAL_KERNEL = Kernel::of(&VERTICAL);
    HORIZONTAL_KERNEL = Kernel::of(&HORIZONTAL);
}

/// A photo between the passes.
#[derive(Debug)]
struct HalfResized {
    /// `[S,W]`.
    pixels: Raw,
    /// W.
    width: usize,
}

/// A batch in the making.
pub struct Photos {
    gpu: Gpu,
    settings: Preprocess,
    half_resized: Vec<HalfResized>,
}

impl Photos {
    /// An empty batch; `None` where the device is no GPU, or our kernels are switched off.
    #[must_use]
    pub fn new(device: &Device, settings: &Preprocess) -> Option<Self> {
        let gpu = Gpu::of(device).filter(Gpu::enabled)?;
        Some(Self {
            gpu,
            settings: settings.clone(),
            half_resized: Vec::new(),
        })
    }

    /// Adds a photo; false if it is beyond the GPU's limits, and then it is not added.
    #[must_use]
    pub fn push(&mut self, image: &Rgb) -> bool {
        self.try_push(image).is_some()
    }

    fn try_push(&mut self, image: &Rgb) -> Option<()> {
        let Rgb { width, height, .. } = *image;
        let size = self.settings.size;
        let most = usize::try_from(self.gpu.max_binding()).unwrap_or(usize::MAX);
        let sizes = [width, height, size];
        let words = height.max(size).checked_mul(width)?;
        let whole = image.pixels.len() == height.checked_mul(width)?.checked_mul(3)?;
        if sizes.contains(&0) || !whole || words.checked_mul(size_of::<u32>())? > most {
            return None;
        }
        let workgroups = spread(size * width)?;
        spread(size * size)?;
        let taps = Taps::bilinear(height, size);
        let params = PreprocessVerticalParams {
            width: width as u32,
            out_height: size as u32,
            row_length: taps.row_length as u32,
            shift: taps.shift,
        };
        let mut source = vec![255; width * height * size_of::<u32>()];
        for (to, from) in source.chunks_exact_mut(4).zip(image.pixels.chunks_exact(3)) {
            to[..3].copy_from_slice(from);
        }
        let source = self.gpu.upload_bytes(source);
        let pixels = self.gpu.raw(size * width * size_of::<u32>());
        let taps = upload(&self.gpu, &taps);
        self.gpu.launch_once(
            &VERTICAL_KERNEL,
            workgroups,
            &[&source, &taps],
            &pixels,
            &params.words(),
        );
        // The GPU starts while the next file is decoded.
        self.gpu.client().flush().ok()?;
        self.half_resized.push(HalfResized { pixels, width });
        Some(())
    }

    /// The batch `[N,3,S,S]` in the order of [`Self::push`]; nothing if it is empty.
    #[must_use]
    pub fn finish(self) -> Option<Buffer> {
        let Self {
            gpu,
            settings,
            half_resized,
        } = self;
        let size = settings.size;
        let workgroups = spread(size * size).filter(|_| !half_resized.is_empty())?;
        let result = gpu.empty(&[half_resized.len(), 3, size, size]);
        let levels = gpu.upload(levels(&settings).into_iter().map(f32::to_bits));
        for (image, half) in half_resized.iter().enumerate() {
            let taps = Taps::bilinear(half.width, size);
            let params = PreprocessHorizontalParams {
                height: size as u32,
                width: half.width as u32,
                out_width: size as u32,
                row_length: taps.row_length as u32,
                shift: taps.shift,
                image: image as u32,
            };
            let taps = upload(&gpu, &taps);
            gpu.launch_once(
                &HORIZONTAL_KERNEL,
                workgroups,
                &[&half.pixels, &taps, &levels],
                &result,
                &params.words(),
            );
        }
        Some(result)
    }
}

fn upload(gpu: &Gpu, taps: &Taps) -> Raw {
    gpu.upload(taps.words.iter().map(|word| word.cast_unsigned()))
}
