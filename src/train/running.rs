//! Loss and hits over an epoch's steps, left on the device until they are shown.

use burn::tensor::{Int, Tensor, TensorData};

use super::metrics::argmax;
use crate::error::{Error, Result};
use crate::model::head::to_host;

/// The sums since they were last taken, and the losses since they were last looked at.
#[derive(Default)]
pub struct RunningMetrics {
    loss: Option<Tensor<1>>,
    hits: Option<Tensor<1, Int>>,
    seen: usize,
    lately: Option<Tensor<1>>,
    seen_lately: usize,
}

impl RunningMetrics {
    /// Counts a batch in: its mean loss `[1]`, logits `[N,K]`, targets `[N,K]`.
    pub fn add(&mut self, loss: &Tensor<1>, logits: Tensor<2>, targets: &[f32]) {
        let [n, k] = logits.dims();
        let logits = logits.inner();
        let labels: Vec<i32> = targets
            .chunks_exact(k)
            .map(|row| argmax(row) as i32)
            .collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [n]), &logits.device());
        let hits = logits.argmax(1).squeeze_dim::<1>(1);
        let hits = hits.equal(labels).int().sum();
        let sum = loss.clone().inner() * n as f32;
        let more = |old: Option<Tensor<1>>| match old {
            Some(old) => old + sum.clone(),
            None => sum.clone(),
        };
        self.loss = Some(more(self.loss.take()));
        self.lately = Some(more(self.lately.take()));
        self.hits = Some(match self.hits.take() {
            Some(old) => old + hits,
            None => hits,
        });
        self.seen += n;
        self.seen_lately += n;
    }

    /// Waits until the device has done all that was asked of it so far.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails.
    pub async fn wait(&self) -> Result<()> {
        if let Some(loss) = &self.loss {
            to_host(loss.clone()).await?;
        }
        Ok(())
    }

    /// Examples since the last call of [`Self::take`].
    pub const fn seen(&self) -> usize {
        self.seen
    }

    /// Mean loss since this was last asked for, and over how many examples; none of none.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails.
    pub async fn lately(&mut self) -> Result<Option<(f64, usize)>> {
        let seen = std::mem::take(&mut self.seen_lately);
        let Some(loss) = self.lately.take() else {
            return Ok(None);
        };
        let loss = f64::from(to_host(loss).await?[0]);
        Ok(Some((loss / seen.max(1) as f64, seen)))
    }

    /// Mean loss and accuracy over the examples since the last call.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails, [`Error::Diverged`] if the loss is not finite.
    pub async fn take(&mut self) -> Result<(f64, f64)> {
        let seen = std::mem::take(&mut self.seen).max(1) as f64;
        let (loss, hits) = match (self.loss.take(), self.hits.take()) {
            (Some(loss), Some(hits)) => (to_host(loss).await?[0], to_host(hits.float()).await?[0]),
            _ => (0.0, 0.0),
        };
        if !loss.is_finite() {
            return Err(Error::Diverged(
                "learning rate: the loss is no longer a number; try a smaller one".to_string(),
            ));
        }
        Ok((f64::from(loss) / seen, f64::from(hits) / seen))
    }
}
