//! Opening a data set: indexed, shown in small pictures, put in use.

use std::collections::BTreeSet;

use crate::config::DemoConfig;
use crate::data::{
    Beside, Dataset, DemoSource, FolderSource, Indexer, Source, Subset, archive, demo,
};
use crate::engine::mailbox::Mailbox;
use crate::engine::open_dataset::OpenDataset;
use crate::engine::{Engine, find};
use crate::error::Result;
use crate::image;
use crate::platform::files::InputFile;
use crate::protocol::{DatasetSource, Event, FileRef, Labels, Phase, Skipped};

/// Edge of a class's thumbnail, in pixels.
const THUMBNAIL: usize = 72;

/// Three generated images to try.
pub(in crate::engine) fn samples(mailbox: &Mailbox) -> Result<()> {
    let DemoConfig { size, seed, .. } = DemoConfig::default();
    let (mut names, mut blobs) = (Vec::new(), Vec::new());
    // A number past those of the demo set: nobody trains on the samples.
    const INDEX: usize = 10_000;
    for class in [1, 3, 4] {
        blobs.push(image::encode_png(&demo::draw(class, INDEX, size, seed))?);
        names.push(format!("sample-{}.png", crate::classes::INTEL[class]));
    }
    mailbox.emit_with(Event::Samples { names }, blobs);
    Ok(())
}

impl Engine {
    /// Opens and indexes a data set; the one in use stays until the new one is whole.
    pub(in crate::engine) async fn open_dataset(
        &mut self,
        source: DatasetSource,
        beside: &[FileRef],
        labels: Labels,
        files: &[InputFile],
    ) -> Result<()> {
        let demo = match &source {
            DatasetSource::Demo { config } => Some(config.clone()),
            _ => None,
        };
        let is_folder = matches!(source, DatasetSource::Folder { .. });
        let (name, mut source): (String, Box<dyn Source>) = match source {
            DatasetSource::Folder {
                files: named,
                unread,
                empty,
            } => folder(&named, unread, empty, files)?,
            DatasetSource::Archive { file } => {
                let source = archive::open(find(&file, files)?)?;
                (file.path, source)
            }
            DatasetSource::Demo { config } => {
                ("demo set".to_string(), Box::new(DemoSource::new(config)))
            }
        };
        if !beside.is_empty() {
            let more = FolderSource::new(handles(beside, files)?);
            source = Box::new(Beside::new(source, more));
        }
        let mut indexer = Indexer::new(name, source).labels(labels);
        while !indexer.step() {
            let (done, total) = (indexer.done(), indexer.total());
            self.mailbox.progress(Phase::Indexing, done, total);
            self.mailbox.poll_commands(None).await?;
        }
        let mut set = indexer.finish()?;
        let mut summary = set.summary();
        if is_folder {
            summary.loose_images = set.loose_images();
        }
        let mut blobs = Vec::new();
        if let Some(thumbnails) = thumbnails(&mut set).await {
            summary.thumbnails = Some(0);
            blobs = thumbnails;
        }
        for (reading, shown) in summary.readings.iter_mut().zip(examples(&mut set).await) {
            reading.first_picture = blobs.len() as u32;
            reading.pictures = shown.len() as u32;
            blobs.extend(shown);
        }
        // What is measured on other images says nothing of the run that the model is of.
        if let Some(model) = &mut self.model {
            model.run = None;
        }
        let width = self.model()?.classifier.features();
        self.data = Some(OpenDataset::new(set, demo, width));
        self.mailbox.emit_with(Event::Dataset { summary }, blobs);
        Ok(())
    }
}

/// The loose files of a folder, under the name of what they all lie in.
fn folder(
    named: &[FileRef],
    unread: Vec<Skipped>,
    empty: Vec<String>,
    files: &[InputFile],
) -> Result<(String, Box<dyn Source>)> {
    let list = handles(named, files)?;
    let roots: BTreeSet<&str> = named
        .iter()
        .map(|file| file.path.split('/').next().unwrap_or_default())
        .collect();
    let name = match roots.first() {
        Some(root) if roots.len() == 1 => (*root).to_string(),
        _ => "folder".to_string(),
    };
    let source = FolderSource::with_refused(list, unread).with_empty_folders(empty);
    Ok((name, Box::new(source)))
}

/// The files, with their handles.
fn handles(named: &[FileRef], files: &[InputFile]) -> Result<Vec<(String, InputFile)>> {
    let with_handle = |file: &FileRef| Ok((file.path.clone(), find(file, files)?.clone()));
    named.iter().map(with_handle).collect()
}

/// A small PNG of the first readable image of each class; none if a class has no such image among its
/// first few.
async fn thumbnails(set: &mut Dataset) -> Option<Vec<Vec<u8>>> {
    const TRIES: usize = 5;
    let samples: Vec<usize> = set.subset(Subset::Train).collect();
    let mut out = Vec::new();
    for class in 0..set.classes.len() {
        let of_class = samples
            .iter()
            .filter(|&&i| set.samples[i].class == Some(class));
        let first: Vec<usize> = of_class.take(TRIES).copied().collect();
        let mut found = None;
        for sample in first {
            if let Ok(bytes) = set.read(sample) {
                found = thumbnail(bytes).await.ok();
            }
            if found.is_some() {
                break;
            }
        }
        out.push(found?);
    }
    Some(out)
}

/// Small PNGs of the examples of each reading, as far as they can be read.
async fn examples(set: &mut Dataset) -> Vec<Vec<Vec<u8>>> {
    let files: Vec<Vec<usize>> = set.readings.iter().map(|r| r.examples.clone()).collect();
    let mut out = Vec::new();
    for files in files {
        let mut shown = Vec::new();
        for file in files {
            if let Ok(bytes) = set.read_file(file)
                && let Ok(small) = thumbnail(bytes).await
            {
                shown.push(small);
            }
        }
        out.push(shown);
    }
    out
}

async fn thumbnail(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let image = image::decode("", &image::transcode(bytes).await)?;
    // The shorter edge fills the thumbnail; the page crops the rest.
    let shorter = image.width.min(image.height).max(1);
    let scale = |edge: usize| (edge * THUMBNAIL).div_ceil(shorter);
    let small = image::resize(&image, scale(image.width), scale(image.height))?;
    image::encode_png(&small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_called_what_its_files_lie_in() {
        let file = |path: &str| FileRef {
            path: path.to_string(),
            slot: 0,
        };
        let handles = [InputFile::memory("a.png", vec![1])];
        let name = |paths: &[&str]| {
            let named: Vec<_> = paths.iter().map(|path| file(path)).collect();
            folder(&named, Vec::new(), Vec::new(), &handles).map(|(name, _)| name)
        };
        assert_eq!(
            name(&["pets/cat/1.png", "pets/dog/2.png"]),
            Ok("pets".to_string())
        );
        assert_eq!(name(&["cat/1.png", "dog/2.png"]), Ok("folder".to_string()));
    }
}
