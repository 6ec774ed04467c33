//! Image files to a batch of the network's input, where it is computed fastest: resized and normalised on
//! a GPU that is one, else here. Both give the same bits.

use burn::tensor::{Device, Tensor, TensorData};

use crate::config::Preprocess;
use crate::error::{Error, Result};
use crate::image::{decode_for, resize, to_tensor};
use crate::kernels::gpu::launch::Buffer;
use crate::kernels::preprocess::Photos;
use crate::platform::device_state::{Adapter, DeviceState};

/// A batch in the making.
pub struct Batch<'a> {
    device: &'a Device,
    settings: &'a Preprocess,
    /// `[N,3,S,S]`, unless there are `photos`.
    pixels: Vec<f32>,
    photos: Option<Photos>,
}

impl<'a> Batch<'a> {
    /// An empty one for a model on that device. A software adapter shares its processor with the resizing
    /// of the CPU, which is the faster of the two.
    #[must_use]
    pub fn new(device: &'a Device, settings: &'a Preprocess) -> Self {
        let hardware = DeviceState::of(device).adapter() == Adapter::Hardware;
        Self {
            device,
            settings,
            pixels: Vec::new(),
            photos: hardware.then(|| Photos::new(device, settings)).flatten(),
        }
    }

    /// Whether images are resized on the GPU.
    #[must_use]
    pub const fn is_on_gpu(&self) -> bool {
        self.photos.is_some()
    }

    /// Adds the image in the bytes of a file.
    ///
    /// # Errors
    /// As [`crate::image::load`]; the batch is then what it was.
    pub fn push(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let image = decode_for(name, bytes, self.settings)?;
        let size = self.settings.size;
        match &mut self.photos {
            Some(photos) => {
                // What is beyond the GPU's limits is resized here: to its own size a filter changes nothing.
                if !photos.push(&image) && !photos.push(&resize(&image, size, size)?) {
                    return Err(Error::Gpu(format!("{name} could not be sent to the GPU")));
                }
            }
            None => {
                let image = resize(&image, size, size)?;
                self.pixels.extend(to_tensor(&image, self.settings));
            }
        }
        Ok(())
    }

    /// The batch `[N,3,S,S]`; nothing if it is empty.
    #[must_use]
    pub fn finish(self) -> Option<Tensor<4>> {
        if let Some(photos) = self.photos {
            return photos.finish().map(Buffer::into_tensor);
        }
        let size = self.settings.size;
        let n = self.pixels.len() / (3 * size * size);
        let data = TensorData::new(self.pixels, [n, 3, size, size]);
        (n > 0).then(|| Tensor::from_data(data, self.device))
    }
}
