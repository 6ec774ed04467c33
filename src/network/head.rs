//! What a head is made of: a few linear layers, with what goes between them.

use crate::config::HeadKind;

/// One step of a head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// `[N,input] -> [N,output]`.
    Linear {
        /// Width in.
        input: usize,
        /// Width out.
        output: usize,
    },
    /// `max(x, 0)`.
    Relu,
    /// In training, each value is zeroed with this probability and the others scaled up.
    Dropout(f64),
    /// Normalises each of the `n` columns over the batch.
    BatchNorm(usize),
}

/// The steps of a head, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadSpec {
    /// They.
    pub steps: Vec<Step>,
}

/// Dropout of the course work's heads.
const DROPOUT: f64 = 0.2;

impl HeadSpec {
    /// A preset for `features` inputs (C) and `classes` outputs (K).
    #[must_use]
    pub fn of(kind: HeadKind, features: usize, classes: usize) -> Self {
        use Step::{BatchNorm, Dropout, Relu};
        // What follows each hidden layer; after the last layer comes nothing.
        let norm = |n| vec![Relu, BatchNorm(n)];
        let drop_norm = |n| vec![Relu, Dropout(DROPOUT), BatchNorm(n)];
        let hidden: Vec<(usize, Vec<Step>)> = match kind {
            HeadKind::Linear => vec![],
            HeadKind::Mlp1 => vec![(128, vec![Relu])],
            HeadKind::Mlp3 => vec![
                (1024, vec![Relu, Dropout(DROPOUT)]),
                (256, vec![Relu]),
                (64, vec![Relu]),
            ],
            HeadKind::MlpBn => vec![
                (1024, drop_norm(1024)),
                (512, norm(512)),
                (256, drop_norm(256)),
                (128, drop_norm(128)),
                (64, vec![Relu]),
            ],
        };
        Self::new(features, hidden, classes)
    }

    /// One hidden layer with ReLU and dropout, the head that the peers are timed with.
    #[must_use]
    pub fn one_hidden(features: usize, hidden: usize, classes: usize) -> Self {
        let after = vec![Step::Relu, Step::Dropout(DROPOUT)];
        Self::new(features, vec![(hidden, after)], classes)
    }

    fn new(features: usize, hidden: Vec<(usize, Vec<Step>)>, classes: usize) -> Self {
        let mut steps = Vec::new();
        let mut input = features;
        for (output, after) in hidden {
            steps.push(Step::Linear { input, output });
            steps.extend(after);
            input = output;
        }
        steps.push(Step::Linear {
            input,
            output: classes,
        });
        Self { steps }
    }

    /// Names and shapes of the float tensors, as PyTorch has them (a linear weight is `[out,in]`).
    #[must_use]
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let mut out = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let name = self.name(index);
            match *step {
                Step::Linear { input, output } => {
                    out.push((format!("{name}.weight"), vec![output, input]));
                    out.push((format!("{name}.bias"), vec![output]));
                }
                Step::BatchNorm(n) => {
                    for part in ["weight", "bias", "running_mean", "running_var"] {
                        out.push((format!("{name}.{part}"), vec![n]));
                    }
                }
                Step::Relu | Step::Dropout(_) => {}
            }
        }
        out
    }

    /// The preset, and the number of classes, whose tensors are just these.
    #[must_use]
    pub fn recognise(found: &[(String, Vec<usize>)], features: usize) -> Option<(HeadKind, usize)> {
        HeadKind::ALL.into_iter().find_map(|kind| {
            // The last bias says how many classes there are.
            let last = Self::of(kind, features, 1).tensors().pop()?.0;
            let classes = *found.iter().find(|(name, _)| *name == last)?.1.first()?;
            let mut expected = Self::of(kind, features, classes).tensors();
            let mut found = found.to_vec();
            expected.sort();
            found.sort();
            (expected == found).then_some((kind, classes))
        })
    }

    /// Name of a step in a checkpoint.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        if self.steps.len() == 1 {
            "fc".to_string()
        } else {
            format!("fc.{index}")
        }
    }
}
