//! The model in use as a file to take away.

use crate::config::Scope;
use crate::engine::active_model::ActiveModel;
use crate::engine::mailbox::Mailbox;
use crate::error::Result;
use crate::protocol::{Event, ExportKind};
use crate::weights::SaveAs;

/// Hands out the head or the whole model as safetensors.
pub(in crate::engine) async fn export(
    mailbox: &Mailbox,
    model: &ActiveModel,
    what: ExportKind,
) -> Result<()> {
    let what = match what {
        ExportKind::Head if model.classifier.tuned != Scope::Head => {
            mailbox.warn(
                "The convolutions of this model were trained too, and its head is of no use without \
                 them: this is the whole model.",
            );
            ExportKind::Model
        }
        what => what,
    };
    let bytes = match what {
        ExportKind::Head => model.head_file().await?,
        ExportKind::Model => model.file(None).await?,
        ExportKind::HalfModel => model.file(Some(SaveAs::F16)).await?,
    };
    let arch = model.classifier.backbone.arch().name();
    let name = match what {
        ExportKind::Head => format!("{arch}-head.safetensors"),
        ExportKind::Model | ExportKind::HalfModel => format!("{arch}-retuned.safetensors"),
    };
    mailbox.emit_with(Event::Exported { name }, vec![bytes]);
    Ok(())
}
