//! What is made small: cross-entropy against labels, shares of labels, smoothed labels, weighted classes, a
//! teacher's outputs.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};

use crate::config::TrainConfig;

/// Cross-entropy with its options.
#[derive(Debug, Clone)]
pub struct Objective {
    smoothing: f64,
    /// `[K]`.
    weights: Vec<f64>,
    /// The teacher's share.
    distillation: f64,
}

impl Objective {
    /// For training images of which class k has `counts[k]`. A class's weight is `n / (K counts[k])`, so that
    /// the mean over the images is 1; a class without images has none to weigh.
    #[must_use]
    pub fn new(config: &TrainConfig, counts: &[usize]) -> Self {
        let all = counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64;
        let weight = |&count: &usize| {
            if config.class_weights && count > 0 {
                all / count as f64
            } else {
                1.0
            }
        };
        Self {
            smoothing: config.label_smoothing,
            weights: counts.iter().map(weight).collect(),
            distillation: config.distillation,
        }
    }

    /// K.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.weights.len()
    }

    /// Targets `[N,K]` of labels `[N]`: 1 for the label, 0 for the others.
    #[must_use]
    pub fn one_hot(&self, labels: &[usize]) -> Vec<f32> {
        let mut targets = vec![0.0; labels.len() * self.classes()];
        for (row, &label) in targets.chunks_exact_mut(self.classes()).zip(labels) {
            row[label] = 1.0;
        }
        targets
    }

    /// What `-log softmax` of each output is multiplied by, `[N,K]`, so that the sum is the loss: with weights
    /// w, smoothing e and targets t it is `w_k ((1 - e) t_nk + e / K) / sum_nk(w_k t_nk)`. For labels that is
    /// PyTorch's `CrossEntropyLoss(weight, label_smoothing)`, for shares of labels without weights as well.
    ///
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
    #[must_use]
    pub fn coefficients(&self, targets: &[f32]) -> Vec<f32> {
        let k = self.classes();
        let rows = || targets.chunks_exact(k);
        let weighed = |row: &[f32]| -> f64 {
            let terms = row.iter().zip(&self.weights);
            terms.map(|(t, w)| f64::from(*t) * w).sum()
        };
        let total: f64 = rows().map(weighed).sum();
        let one = |(t, w): (&f32, &f64)| {
            let smooth = (1.0 - self.smoothing) * f64::from(*t) + self.smoothing / k as f64;
            (w * smooth / total) as f32
        };
        rows()
            .flat_map(|row| row.iter().zip(&self.weights).map(one))
            .collect()
    }

    /// The loss `[1]` of logits `[N,K]` against targets `[N,K]`, with gradients where the logits have them.
    /// With a teacher's probabilities p `[N,K]`, on the logits' device, the share a = `distillation` of it is
    /// `-1/N sum_nk(p_nk log softmax_nk)`: Hinton et al. 2015, arXiv:1503.02531, at temperature 1, where its
    /// gradient is that of the Kullback-Leibler divergence.
    #[must_use]
    pub fn loss(
        &self,
        logits: Tensor<2>,
        targets: &[f32],
        teacher: Option<Tensor<2>>,
    ) -> Tensor<1> {
        let shape = logits.dims();
        let coefficients = TensorData::new(self.coefficients(targets), shape);
        let mut coefficients = Tensor::<2>::from_data(coefficients, &logits.device());
        if let Some(teacher) = teacher {
            let share = self.distillation;
            let per_image = share / shape[0].max(1) as f64;
            coefficients = coefficients * (1.0 - share) + teacher * per_image;
        }
        -(log_softmax(logits, 1) * coefficients).sum()
    }
}
