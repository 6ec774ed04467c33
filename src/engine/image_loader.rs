//! Images of the data set as a training wants them: decoded, augmented, normalised, on all processors.

use crate::config::{Augment, Preprocess};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::image::{self, augment::View};
use crate::model::input::ImageFile;
use crate::platform::parallel;
use crate::train::feature_source::{ImageLoader, Request};

/// A way to the images of a data set.
pub(super) fn image_loader<'a>(
    set: &'a mut Dataset,
    settings: &'a Preprocess,
    augment: &'a Augment,
    seed: u64,
) -> impl ImageLoader + 'a {
    async move |requests: &[Request]| load(set, requests, settings, augment, seed).await
}

/// The images of some requests, normalised `[3,S,S]` each, or why not.
pub(super) async fn load(
    set: &mut Dataset,
    requests: &[Request],
    settings: &Preprocess,
    augment: &Augment,
    seed: u64,
) -> Vec<Result<Vec<f32>>> {
    let files = files(set, requests.iter().map(|request| request.sample)).await;
    let files = requests.iter().copied().zip(files).collect();
    parallel::map(files, |(request, (path, bytes)): (Request, ImageFile)| {
        one(&path, &bytes?, request, settings, augment, seed)
    })
}

/// The files of some samples, one after the other: an archive has one reader, and decoding is what takes time.
pub(super) async fn files(
    set: &mut Dataset,
    samples: impl IntoIterator<Item = usize>,
) -> Vec<ImageFile> {
    let mut files = Vec::new();
    for sample in samples {
        let path = set.samples.get(sample).map(|s| s.path.clone());
        let path = path.unwrap_or_default();
        let bytes = match set.read(sample) {
            Ok(bytes) => Ok(image::transcode(bytes).await),
            Err(error) => Err(Error::decode(&path, error.reason_of(&path))),
        };
        files.push((path, bytes));
    }
    files
}

fn one(
    path: &str,
    bytes: &[u8],
    request: Request,
    settings: &Preprocess,
    augment: &Augment,
    seed: u64,
) -> Result<Vec<f32>> {
    let settings = Preprocess {
        size: request.size,
        ..settings.clone()
    };
    let Some(view) = request.view else {
        return image::load(path, bytes, &settings);
    };
    let image = image::decode_for(path, bytes, &settings)?;
    let (width, height) = (image.width, image.height);
    let view = View::draw(augment, seed, request.sample, view, width, height);
    view.apply(&image, &settings)
        .map_err(|error| Error::decode(path, error.reason()))
}
