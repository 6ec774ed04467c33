//! The data set in use: opened, indexed, sent through the backbone once.

use std::collections::BTreeSet;

use super::features::Pass;
use super::{AtHand, Data, Engine, find};
use crate::config::DemoConfig;
use crate::data::{Dataset, DemoSource, FolderSource, Indexer, Source, Subset, ZipSource, demo};
use crate::error::{Error, Result};
use crate::image;
use crate::model::arch::features;
use crate::model::input::Batch;
use crate::platform::files::InputFile;
use crate::protocol::{DatasetSource, Event, FileRef, JobId, Phase, Skipped};
use crate::train::cache::FeatureCache;
use crate::train::run::Examples;

/// Edge of a class's thumbnail, in pixels.
const THUMBNAIL: usize = 72;

impl Data {
    /// Empties the cache, for a backbone with features of that width.
    pub(super) fn forget_features(&mut self, width: usize) {
        self.cache = FeatureCache::new(width);
        self.views = None;
    }
}

impl Engine {
    /// Three generated images to try.
    pub(super) fn samples(&mut self) -> Result<()> {
        let DemoConfig { size, seed, .. } = DemoConfig::default();
        let (mut names, mut blobs) = (Vec::new(), Vec::new());
        // A number past those of the demo set: nobody trains on the samples.
        const INDEX: usize = 10_000;
        for class in [1, 3, 4] {
            blobs.push(image::encode_png(&demo::draw(class, INDEX, size, seed))?);
            names.push(format!("sample-{}.png", crate::classes::INTEL[class]));
        }
        self.desk.hand(Event::Samples { names }, blobs);
        Ok(())
    }

    /// Opens and indexes a data set; the one in use stays until the new one is whole.
    pub(super) async fn open_dataset(
        &mut self,
        job: JobId,
        source: DatasetSource,
        files: &[InputFile],
    ) -> Result<()> {
        let demo = match &source {
            DatasetSource::Demo { config } => Some(config.clone()),
            _ => None,
        };
        let (name, source): (String, Box<dyn Source>) = match source {
            DatasetSource::Folder { files: named } => folder(&named, files)?,
            DatasetSource::Zip { file } => {
                let archive = ZipSource::open(find(&file, files)?)?;
                (file.path, Box::new(archive))
            }
            DatasetSource::Demo { config } => {
                ("demo set".to_string(), Box::new(DemoSource::new(config)))
            }
        };
        let mut indexer = Indexer::new(name, source);
        while !indexer.step() {
            let (done, total) = (indexer.done(), indexer.total());
            self.desk.progress(job, Phase::Indexing, done, total);
            self.desk.look_up(job, None).await?;
        }
        let mut set = indexer.finish()?;
        let mut summary = set.summary();
        let thumbnails = thumbnails(&mut set);
        summary.thumbnails = thumbnails.as_ref().map(|_| 0);
        // What is measured on other images says nothing of the run that the model is of.
        if let Some(model) = &mut self.model {
            model.run = None;
        }
        let arch = self.model()?.classifier.backbone.arch();
        self.data = Some(Data {
            set,
            cache: FeatureCache::new(features(arch)),
            validation: Vec::new(),
            views: None,
            demo,
        });
        let blobs = thumbnails.unwrap_or_default();
        self.desk.hand(Event::Dataset { job, summary }, blobs);
        Ok(())
    }

    /// Sends those samples through the backbone that have not been, and tells the unreadable ones.
    pub(super) async fn featurise(
        &mut self,
        job: JobId,
        samples: &[usize],
    ) -> Result<Vec<Skipped>> {
        let AtHand {
            desk,
            opened,
            classifier,
            data,
            ..
        } = self.at_hand()?;
        let Data { set, cache, .. } = data;
        let mut pass = Pass {
            job,
            desk,
            backend: opened.backend,
            classifier,
        };
        let missing: Vec<usize> = {
            let unknown = samples.iter().filter(|&&i| !cache.knows(i));
            unknown.copied().collect()
        };
        let load = |batch: &[usize], cache: &mut FeatureCache| {
            let mut good = Vec::new();
            let mut images = Batch::new(classifier.backbone.device(), &classifier.preprocess);
            for &sample in batch {
                let path = set.samples[sample].path.clone();
                let bytes = set.read(sample);
                match bytes.and_then(|bytes| images.push(&path, &bytes)) {
                    Ok(()) => good.push(sample),
                    Err(error @ Error::Gpu(_)) => return Err(error),
                    Err(error) => cache.insert_unreadable(sample, error.reason()),
                }
            }
            Ok(images.finish().map(|images| (good, images)))
        };
        let milliseconds = pass.fill(cache, &missing, load).await?;
        let readable = |sample: &&usize| cache.get(**sample).is_some();
        let images = missing.iter().filter(readable).count();
        pass.desk.tell(Event::Featurised {
            job,
            images,
            milliseconds,
        });
        Ok(pass.tell_unreadable(set, cache, samples))
    }

    /// The features of those samples that have any, with their labels in the data set's numbering.
    pub(super) fn examples(&self, samples: &[usize]) -> Examples {
        let mut examples = Examples::default();
        if let Some(data) = &self.data {
            for &sample in samples {
                let class = data.set.samples.get(sample).and_then(|sample| sample.class);
                if let (Some(features), Some(class)) = (data.cache.get(sample), class) {
                    examples.push(features, class);
                }
            }
        }
        examples
    }
}

/// The loose files of a folder, under the name of what they all lie in.
fn folder(named: &[FileRef], files: &[InputFile]) -> Result<(String, Box<dyn Source>)> {
    let with_handle = |file: &FileRef| Ok((file.path.clone(), find(file, files)?.clone()));
    let list: Vec<_> = named.iter().map(with_handle).collect::<Result<_>>()?;
    let roots: BTreeSet<&str> = named
        .iter()
        .map(|file| file.path.split('/').next().unwrap_or_default())
        .collect();
    let name = match roots.first() {
        Some(root) if roots.len() == 1 => (*root).to_string(),
        _ => "folder".to_string(),
    };
    Ok((name, Box::new(FolderSource::new(list))))
}

/// A small PNG of the first readable image of each class; none if a class has no such image among its
/// first few.
fn thumbnails(set: &mut Dataset) -> Option<Vec<Vec<u8>>> {
    const TRIES: usize = 5;
    let samples: Vec<usize> = set.subset(Subset::Train).collect();
    let mut out = Vec::new();
    for class in 0..set.classes.len() {
        let of_class = samples
            .iter()
            .filter(|&&i| set.samples[i].class == Some(class));
        let first: Vec<usize> = of_class.take(TRIES).copied().collect();
        out.push(
            first
                .into_iter()
                .find_map(|sample| thumbnail(set, sample).ok())?,
        );
    }
    Some(out)
}

fn thumbnail(set: &mut Dataset, sample: usize) -> Result<Vec<u8>> {
    let bytes = set.read(sample)?;
    let image = image::decode(&set.samples[sample].path, &bytes)?;
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
            folder(&named, &handles).map(|(name, _)| name)
        };
        assert_eq!(
            name(&["pets/cat/1.png", "pets/dog/2.png"]),
            Ok("pets".to_string())
        );
        assert_eq!(name(&["cat/1.png", "dog/2.png"]), Ok("folder".to_string()));
    }
}
