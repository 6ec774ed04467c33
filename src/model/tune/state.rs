//! A tuned, folded backbone as a checkpoint's tensors.

use super::trains;
use crate::config::Scope;
use crate::error::Result;
use crate::model::backbone::{Backbone, EPSILON};
use crate::model::head::read;
use crate::model::resnet::ResNetConfig;
use crate::model::weights::NamedTensor;

/// What a checkpoint holds for the convolutions that `scope` trains, under torchvision's names.
///
/// A folded convolution becomes the convolution and a batch norm that does nothing but add the bias:
/// weight 1, mean 0, variance 1 - eps. The scale that our loader computes in f64 then lies within 1.5e-8
/// of 1, and rounding to f32 takes away what is below 3e-8: folding gives back each weight to the last bit.
///
/// # Errors
/// [`Error::Gpu`](crate::error::Error::Gpu) if the device does not give them.
pub async fn folded_state(backbone: &Backbone, scope: Scope) -> Result<Vec<NamedTensor>> {
    let layout = ResNetConfig::of(backbone.arch()).layout();
    let mut out = Vec::new();
    let convs = layout.convs().zip(backbone.convs());
    for (spec, conv) in convs.filter(|(spec, _)| trains(scope, &spec.name)) {
        let weight = read(conv.weight().clone()).await?;
        out.push((
            format!("{}.weight", spec.name),
            spec.weight_shape().to_vec(),
            weight,
        ));
        let n = spec.output;
        let variance = (1.0 - EPSILON) as f32;
        for (part, values) in [
            ("weight", vec![1.0; n]),
            ("bias", read(conv.bias().clone()).await?),
            ("running_mean", vec![0.0; n]),
            ("running_var", vec![variance; n]),
        ] {
            out.push((format!("{}.{part}", spec.norm), vec![n], values));
        }
    }
    Ok(out)
}
