//! Image files to a batch of the network's input, where it is computed fastest: resized and normalised on
//! a GPU that is one, else here. Both give the same bits.

use burn::tensor::{Device, Tensor, TensorData};

use crate::config::Preprocess;
use crate::error::{Error, Result};
use crate::image::{Rgb, decode_for, load, resize};
use crate::kernels::gpu::launch::Buffer;
use crate::kernels::preprocess::Photos;
use crate::platform::device_state::DeviceState;
use crate::platform::parallel;

/// The name of a file and its bytes, or why they cannot be read.
pub type ImageFile = (String, Result<Vec<u8>>);

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
        let hardware = DeviceState::of(device).adapter().is_hardware();
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

    /// Adds the images in the bytes of files, in order, and says of each whether it was added. Decoding takes all
    /// processors; where a GPU resizes, no more images than processors are held at their full size.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device does not take an image. Of each file: why it could not be read, or as
    /// [`crate::image::load`].
    pub fn push(&mut self, files: Vec<ImageFile>) -> Result<Vec<Result<()>>> {
        let Self {
            settings, photos, ..
        } = self;
        let Some(photos) = photos else {
            let images = parallel::map(files, |(name, bytes)| load(&name, &bytes?, settings));
            let push = |image: Result<Vec<f32>>| image.map(|image| self.pixels.extend(image));
            return Ok(images.into_iter().map(push).collect());
        };
        let mut pushed = Vec::with_capacity(files.len());
        let mut files = files.into_iter();
        loop {
            let some: Vec<ImageFile> = files.by_ref().take(parallel::width()).collect();
            if some.is_empty() {
                return Ok(pushed);
            }
            let decode = |(name, bytes): ImageFile| {
                let image = decode_for(&name, &bytes?, settings);
                image.map(|image| (name, image))
            };
            for image in parallel::map(some, decode) {
                let sent = image.map(|(name, image)| send(photos, &name, &image, settings.size));
                pushed.push(match sent {
                    Ok(Err(error @ Error::Gpu(_))) => return Err(error),
                    Ok(sent) => sent,
                    Err(error) => Err(error),
                });
            }
        }
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

/// An image to the GPU. What is beyond its limits is resized here: to its own size a filter changes nothing.
fn send(photos: &mut Photos, name: &str, image: &Rgb, size: usize) -> Result<()> {
    if photos.push(image) || photos.push(&resize(image, size, size)?) {
        return Ok(());
    }
    Err(Error::Gpu(format!("{name} could not be sent to the GPU")))
}
