//! The test images, measured between two trainings.

use super::JobContext;
use super::features::Pass;
use super::open_dataset::TEST;
use crate::error::Result;
use crate::infer::Classifier;
use crate::protocol::Proportion;
use crate::train::head::measure;

/// The accuracy of a head that was just trained on the backbone in use, on the test images; none where there are none.
pub(super) async fn test_accuracy(
    context: JobContext<'_>,
    trained: &Classifier,
) -> Result<Option<Proportion>> {
    let JobContext {
        mailbox,
        device,
        data,
        ..
    } = context;
    let (split, samples) = data.to_measure();
    if split != TEST {
        return Ok(None);
    }
    let mut pass = Pass {
        mailbox,
        backend: device.backend,
        classifier: trained,
    };
    data.fill(&mut pass, &samples).await?;
    let examples = data.examples(&samples);
    if examples.is_empty() {
        return Ok(None);
    }
    let tally = measure(&trained.head, &examples).await?;
    let report = tally.evaluation(split, &trained.classes, Vec::new());
    Ok(Some(report.accuracy))
}
