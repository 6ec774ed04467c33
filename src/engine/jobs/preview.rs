//! What an augmentation makes of an image.

use crate::config::{Augment, DemoConfig, Preprocess};
use crate::data::{Subset, demo};
use crate::engine::find;
use crate::engine::mailbox::Mailbox;
use crate::engine::open_dataset::OpenDataset;
use crate::error::{Error, Result};
use crate::image::augment::View;
use crate::image::{self, Rgb};
use crate::platform::files::InputFile;
use crate::protocol::{Event, FileRef};

/// More pictures than a row shows.
const MOST: usize = 24;

/// Which pictures are wanted.
pub(in crate::engine) struct Asked {
    /// Which of the data set's training images, counted round and round.
    pub image: usize,
    pub augment: Augment,
    pub seed: u64,
    /// How many.
    pub views: usize,
}

/// Shows an image and some of its views.
pub(in crate::engine) async fn preview(
    mailbox: &Mailbox,
    settings: &Preprocess,
    data: Option<&mut OpenDataset>,
    file: Option<&FileRef>,
    files: &[InputFile],
    asked: &Asked,
) -> Result<()> {
    asked.augment.check()?;
    if asked.views > MOST {
        let reason = format!("{} are asked for, {MOST} at most", asked.views);
        return Err(Error::setting("views", reason));
    }
    let size = settings.size;
    let (name, image, sample) = match file {
        Some(file) => {
            let bytes = image::transcode(find(file, files)?.read()?).await;
            (
                file.path.clone(),
                image::decode_for(&file.path, &bytes, settings)?,
                0,
            )
        }
        None => some_image(data, asked.image, settings).await?,
    };
    let (mut names, mut blobs) = (vec![name], Vec::new());
    blobs.push(image::encode_png(&image::resize(&image, size, size)?)?);
    for view in 0..asked.views {
        let (width, height) = (image.width, image.height);
        let view = View::draw(&asked.augment, asked.seed, sample, view, width, height);
        blobs.push(image::encode_png(&view.apply_rgb(&image, size)?)?);
        names.push(view.words());
    }
    mailbox.emit_with(Event::Previews { names }, blobs);
    Ok(())
}

/// A training image of the data set in use, its name and number; a generated one where there is none.
async fn some_image(
    data: Option<&mut OpenDataset>,
    image: usize,
    settings: &Preprocess,
) -> Result<(String, Rgb, usize)> {
    let Some(data) = data else {
        let DemoConfig { size, seed, .. } = DemoConfig::default();
        let class = image % crate::classes::INTEL.len();
        let picture = demo::draw(class, image, size, seed);
        return Ok((
            format!("{} (drawn)", crate::classes::INTEL[class]),
            picture,
            image,
        ));
    };
    let samples: Vec<usize> = data.set.subset(Subset::Train).collect();
    let sample = samples.get(image % samples.len().max(1)).copied();
    let sample = sample.ok_or_else(|| Error::Dataset("there is no training image".into()))?;
    let path = data.set.samples[sample].path.clone();
    let bytes = image::transcode(data.set.read(sample)?).await;
    Ok((
        path.clone(),
        image::decode_for(&path, &bytes, settings)?,
        sample,
    ))
}
