//! The model in use: what it is, where it came from, the files it makes, and where it is kept for the next start.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::mailbox::Mailbox;
use crate::config::BundledModel;
use crate::error::{Error, Result};
use crate::infer::Classifier;
use crate::model::head::HeadSpec;
use crate::model::inspect::inspect;
use crate::platform::{hash, store};
use crate::protocol::ModelSummary;
use crate::weights::{self, Bundled, Checkpoint, SaveAs};

/// The head in use is kept under this name, with its backbone's hash among its metadata.
const HEAD: &str = "head.safetensors";

/// The backbone in use, if it is not a bundled one, in whatever format it came.
const BACKBONE: &str = "backbone.checkpoint";

/// The file that the backbone came in.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// Bundled weights.
    Bundled(BundledModel),
    /// A file that is kept in the store.
    Kept {
        /// Its SHA-256, hexadecimal.
        sha256: String,
    },
    /// A file that could not be kept, so it stays in memory.
    Memory {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Their SHA-256, hexadecimal.
        sha256: String,
    },
}

impl Origin {
    pub fn sha256(&self) -> &str {
        match self {
            Self::Bundled(model) => Bundled::of(*model).asset.sha256,
            Self::Kept { sha256 } | Self::Memory { sha256, .. } => sha256,
        }
    }

    /// The bundled model whose file it is, if it is one's.
    pub const fn bundled(&self) -> Option<BundledModel> {
        match self {
            Self::Bundled(model) => Some(*model),
            Self::Kept { .. } | Self::Memory { .. } => None,
        }
    }
}

/// The model in use and where it came from.
#[derive(Clone)]
pub(super) struct ActiveModel {
    pub classifier: Classifier,
    pub origin: Origin,
    /// What the page calls it.
    pub source: String,
    /// The run that it is of.
    pub run: Option<u64>,
}

impl ActiveModel {
    /// A model of no run.
    pub fn new(classifier: Classifier, origin: Origin, source: &str) -> Self {
        Self {
            classifier,
            origin,
            source: source.to_string(),
            run: None,
        }
    }

    /// What is told about it.
    pub fn summary(&self) -> ModelSummary {
        let classifier = &self.classifier;
        let arch = classifier.backbone.arch();
        let features = classifier.features();
        let spec = HeadSpec::of(classifier.head_kind, features, classifier.classes.len());
        let table = inspect(
            arch,
            classifier.backbone.graph(),
            &spec,
            classifier.preprocess.size,
        );
        ModelSummary {
            arch,
            head: Some(classifier.head_kind),
            classes: classifier.classes.clone(),
            size: classifier.preprocess.size,
            normalization: classifier.preprocess.normalization(),
            untrained: classifier.untrained,
            features,
            parameters: table.map_or(0, |table| table.parameters),
            source: self.source.clone(),
            sha256: Some(self.origin.sha256().to_string()),
            bundled: self.origin.bundled(),
        }
    }

    /// The head as a file, with what the model is called.
    pub async fn head_file(&self) -> Result<Vec<u8>> {
        let mut metadata = self.classifier.metadata(self.origin.sha256());
        metadata.insert("source".to_string(), self.source.clone());
        let tensors = self.classifier.head_state().await?;
        weights::save(&tensors, &metadata, SaveAs::F32)
    }

    /// The whole model as a file. What comes back in computes the same to the last bit, unless all is rounded to
    /// one type.
    pub async fn file(&self, as_one: Option<SaveAs>) -> Result<Vec<u8>> {
        let checkpoint = self.backbone_file().await?;
        let head = self.classifier.head_state().await?;
        let metadata = self.classifier.metadata(self.origin.sha256());
        weights::save_model(&checkpoint, &head, &metadata, as_one)
    }

    /// The file that the backbone came in.
    pub async fn backbone_file(&self) -> Result<Checkpoint> {
        let bytes = match &self.origin {
            Origin::Bundled(model) => {
                let progress = &mut |_, _| ControlFlow::Continue(());
                Bundled::of(*model).load(progress).await?
            }
            Origin::Memory { bytes, .. } => Cow::Borrowed(bytes.as_slice()),
            Origin::Kept { sha256 } => {
                let bytes = store::read(BACKBONE).await?.unwrap_or_default();
                // Another tab may have put its own model there since.
                if hash::sha256(&bytes).await != *sha256 {
                    let reason = "the kept backbone is not this model's any more; import it again";
                    return Err(Error::Storage(reason.to_string()));
                }
                Cow::Owned(bytes)
            }
        };
        weights::read("the model in use", &bytes)
    }
}

/// Where the model in use is kept for the next start, if it is.
pub(super) struct ModelStore {
    pub persistent: bool,
}

impl ModelStore {
    /// The head kept from last time, if there is one. Storage that cannot be read keeps nothing.
    pub async fn head(&self) -> Option<Vec<u8>> {
        if !self.persistent {
            return None;
        }
        store::read(HEAD).await.ok().flatten()
    }

    /// The kept head, read.
    pub fn read_head(bytes: &[u8]) -> Result<Checkpoint> {
        weights::read(HEAD, bytes)
    }

    /// The kept backbone, if it is the one of that SHA-256.
    pub async fn backbone(sha256: &str) -> Result<Checkpoint> {
        let bytes = store::read(BACKBONE).await?;
        let bytes = bytes.ok_or_else(|| Error::Storage("its backbone is gone".into()))?;
        if hash::sha256(&bytes).await != sha256 {
            return Err(Error::Storage("its backbone is another one".into()));
        }
        weights::read(BACKBONE, &bytes)
    }

    /// Keeps a model's head. That it could not be kept is a warning: it is still in use.
    pub async fn write_head(&self, model: &ActiveModel, mailbox: &Mailbox) {
        if !self.persistent {
            return;
        }
        let written = match model.head_file().await {
            Ok(bytes) => store::write(HEAD, &bytes).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            not_kept(&error, mailbox);
        }
    }

    /// Keeps a backbone's file in the store, or else in memory.
    pub async fn write_backbone(&self, bytes: Vec<u8>, mailbox: &Mailbox) -> Origin {
        let sha256 = hash::sha256(&bytes).await;
        if !self.persistent {
            return Origin::Memory { bytes, sha256 };
        }
        match store::write(BACKBONE, &bytes).await {
            Ok(()) => Origin::Kept { sha256 },
            Err(error) => {
                not_kept(&error, mailbox);
                Origin::Memory { bytes, sha256 }
            }
        }
    }

    /// Forgets the kept model. That it could not be removed is a warning: another is in use all the same.
    pub async fn clear(&self, mailbox: &Mailbox) {
        if !self.persistent {
            return;
        }
        for key in [HEAD, BACKBONE] {
            if let Err(error) = store::remove(key).await {
                mailbox.warn(format!(
                    "The model kept before could not be forgotten and may be in use at the next start: {error}"
                ));
            }
        }
    }
}

fn not_kept(error: &Error, mailbox: &Mailbox) {
    mailbox.warn(format!(
        "The model is in use, but could not be kept for the next start: {error}"
    ));
}
