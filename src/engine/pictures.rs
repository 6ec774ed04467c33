//! Images of the data set as a training wants them: decoded, augmented, normalised, on all processors.

use crate::config::{Augment, Preprocess};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::image::{self, augment::View};
use crate::platform::parallel;
use crate::train::feature_source::{ImageLoader, Request};

/// A way to the images of a data set.
pub(super) fn pictures<'a>(
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
    // An archive is read by one, decoding is what takes time.
    let mut files = Vec::with_capacity(requests.len());
    for request in requests {
        let path = set.samples.get(request.sample).map(|s| s.path.clone());
        let bytes = match set.read(request.sample) {
            Ok(bytes) => Ok(image::transcode(bytes).await),
            Err(error) => Err(error),
        };
        files.push((*request, path.unwrap_or_default(), bytes));
    }
    parallel::map(
        files,
        |(request, path, bytes): (Request, String, Result<Vec<u8>>)| {
            one(&path, &bytes?, request, settings, augment, seed)
        },
    )
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
