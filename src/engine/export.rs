//! The model in use as a file to take away.

use super::{Engine, Model};
use crate::config::Scope;
use crate::error::Result;
use crate::protocol::{Event, ExportKind};
use crate::weights::{self, SaveAs};

impl Engine {
    /// Hands out the head or the whole model as safetensors.
    pub(super) async fn export(&mut self, what: ExportKind) -> Result<()> {
        let tuned = self.model()?.classifier.tuned != Scope::Head;
        let what = match what {
            ExportKind::Head if tuned => {
                self.mailbox.warn(
                    "The convolutions of this model were trained too, and its head is of no use without \
                     them: this is the whole model.",
                );
                ExportKind::Model
            }
            what => what,
        };
        let bytes = match what {
            ExportKind::Head => self.head_file().await?,
            ExportKind::Model => self.model_file(None).await?,
            ExportKind::HalfModel => self.model_file(Some(SaveAs::F16)).await?,
        };
        let arch = self.model()?.classifier.backbone.arch().name();
        let name = match what {
            ExportKind::Head => format!("{arch}-head.safetensors"),
            ExportKind::Model | ExportKind::HalfModel => format!("{arch}-retuned.safetensors"),
        };
        self.mailbox
            .emit_with(Event::Exported { name }, vec![bytes]);
        Ok(())
    }

    /// The whole model. What comes back in computes the same to the last bit, unless all is rounded to one
    /// type.
    async fn model_file(&self, as_one: Option<SaveAs>) -> Result<Vec<u8>> {
        let checkpoint = self.backbone_in_use().await?;
        let Model {
            classifier, origin, ..
        } = self.model()?;
        let head = classifier.head_state().await?;
        let metadata = classifier.metadata(origin.sha256());
        weights::save_model(&checkpoint, &head, &metadata, as_one)
    }
}
