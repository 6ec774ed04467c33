//! The heads on offer, by name.

use serde::{Deserialize, Serialize};

use super::value::words;

/// The heads on offer. C is what the backbone gives (512 to 2048), K the number of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// C->K.
    #[default]
    Linear,
    /// C->1024->256->64->K, ReLU between, dropout 0.2 after the first.
    #[serde(rename = "mlp-3")]
    Mlp3,
    /// C->128->K, ReLU between.
    #[serde(rename = "mlp-1")]
    Mlp1,
    /// C->1024->512->256->128->64->K with ReLU, dropout 0.2 and batch norm (the course's ResNet-34 head).
    #[serde(rename = "mlp-bn")]
    MlpBn,
}

words!(HeadKind {
    Linear = "linear", "linear (one linear layer)";
    Mlp3 = "mlp-3", "mlp-3 (1024, 256, 64; dropout 0.2)";
    Mlp1 = "mlp-1", "mlp-1 (128)";
    MlpBn = "mlp-bn", "mlp-bn (1024, 512, 256, 128, 64; dropout 0.2, batch norm)";
});
