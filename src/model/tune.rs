//! The part of a backbone that a training changes, on the autodiff device, and its way back.
//!
//! Batch norm stays frozen and folded: what is trained is each convolution's folded weight and bias. So a
//! step costs no statistics, a small batch does no harm, and what is trained is what will run. The frozen
//! part before it stays a [`Backbone`] on the inner device; its output is the input here.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::backbone::{Backbone, EPSILON, stem_pool};
use super::conv::conv_bias_act;
use super::head::read;
use super::resnet::{Conv, Layout, ResNetConfig, Residual, pooled_size};
use super::weights::NamedTensor;
use crate::config::{Arch, Scope};
use crate::error::Result;
use crate::kernels::ops::{Conv2d, global_avg_pool};

/// Stages of the family.
const STAGES: usize = 4;

/// Whole stages before what `scope` trains; none if the stem is trained as well.
#[must_use]
pub const fn frozen_stages(scope: Scope) -> Option<usize> {
    match scope {
        Scope::Head => Some(STAGES),
        Scope::LastStage => Some(STAGES - 1),
        Scope::LastTwo => Some(STAGES - 2),
        Scope::All => None,
    }
}

/// Whether `scope` trains the convolution of that name in a checkpoint.
#[must_use]
pub fn trains(scope: Scope, conv: &str) -> bool {
    match scope {
        Scope::Head => false,
        Scope::LastStage => conv.starts_with("layer4."),
        Scope::LastTwo => conv.starts_with("layer3.") || conv.starts_with("layer4."),
        Scope::All => true,
    }
}

/// Shape `[C,H,W]` of what goes into the trained part for an image of edge `size`.
#[must_use]
pub fn input_shape(arch: Arch, scope: Scope, size: usize) -> [usize; 3] {
    let Some(stages) = frozen_stages(scope) else {
        return [3, size, size];
    };
    let Layout { stem, stages: all } = ResNetConfig::of(arch).layout();
    let (mut channels, mut edge) = (stem.output, pooled_size(stem.output_size(size)));
    for conv in all.iter().take(stages).flatten().flat_map(|b| &b.convs) {
        (channels, edge) = (conv.output, conv.output_size(edge));
    }
    [channels, edge, edge]
}

/// Normalised images `[N,3,S,S]` through what `scope` leaves frozen: `[N,C,H,W]` as [`input_shape`] says.
#[must_use]
pub fn forward_frozen(backbone: &Backbone, images: Tensor<4>, scope: Scope) -> Tensor<4> {
    match frozen_stages(scope) {
        Some(stages) => backbone.forward_until(images, stages),
        None => images,
    }
}

/// A convolution's trained tensors.
#[derive(Module, Debug)]
struct TunedConv {
    /// `[output, input / groups, kernel, kernel]`.
    weight: Param<Tensor<4>>,
    /// `[output]`.
    bias: Param<Tensor<1>>,
}

/// The trained end of a backbone.
#[derive(Module, Debug)]
pub struct Tail {
    /// In the order of [`Layout::convs`], without the frozen ones.
    convs: Vec<TunedConv>,
    #[module(skip)]
    layout: Layout,
    #[module(skip)]
    scope: Scope,
}

impl Tail {
    /// What `scope` trains of a backbone, to begin with its weights; `device` has gradients or not.
    #[must_use]
    pub fn of(backbone: &Backbone, scope: Scope, device: &Device) -> Self {
        let layout = ResNetConfig::of(backbone.arch()).layout();
        let own = |x: Tensor<4>| Param::from_tensor(on(x, device));
        let convs = layout.convs().zip(backbone.convs());
        let convs = convs
            .filter(|(spec, _)| trains(scope, &spec.name))
            .map(|(_, conv)| TunedConv {
                weight: own(conv.weight().clone()),
                bias: Param::from_tensor(on(conv.bias().clone(), device)),
            })
            .collect();
        Self {
            convs,
            layout,
            scope,
        }
    }

    /// What is trained.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The weight `[output, input / groups, kernel, kernel]` of a trained convolution, by its name in a
    /// checkpoint.
    #[must_use]
    pub fn weight(&self, name: &str) -> Option<Tensor<4>> {
        let mut trained = self.trained().zip(&self.convs);
        let found = trained.find(|(spec, _)| spec.name == name);
        found.map(|(_, conv)| conv.weight.val())
    }

    /// The trained convolutions' descriptions.
    fn trained(&self) -> impl Iterator<Item = &Conv> {
        let all = self.layout.convs();
        all.filter(|spec| trains(self.scope, &spec.name))
    }

    /// The frozen part's output `[N,C,H,W]` to pooled features `[N,C]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        let mut rest = self.convs.as_slice();
        let mut x = input;
        let frozen = frozen_stages(self.scope);
        if frozen.is_none() {
            let stem = take(&mut rest, 1);
            x = stem_pool(stem[0].forward(&self.layout.stem, x, None, true));
        }
        let stages = self.layout.stages.iter().skip(frozen.unwrap_or(0));
        for block in stages.flatten() {
            let convs = take(
                &mut rest,
                block.convs.len() + usize::from(block.downsample.is_some()),
            );
            x = forward_block(block, convs, x);
        }
        global_avg_pool(x)
    }

    /// `frozen`, its trained convolutions replaced by these; without gradients.
    #[must_use]
    pub fn onto(&self, frozen: &Backbone) -> Backbone {
        let mut backbone = frozen.clone();
        let places = self.layout.convs().zip(backbone.convs_mut());
        let places = places.filter(|(spec, _)| trains(self.scope, &spec.name));
        for ((_, place), conv) in places.zip(&self.convs) {
            let (weight, bias) = (conv.weight.val().inner(), conv.bias.val().inner());
            *place = Conv2d::new(weight, bias, place.geometry());
        }
        backbone
    }
}

/// The first `n` of a list, which keeps the others.
fn take<'a>(rest: &mut &'a [TunedConv], n: usize) -> &'a [TunedConv] {
    let (first, others) = rest.split_at(n);
    *rest = others;
    first
}

/// A tensor on the same device with or without gradients, as `device` has them.
fn on<const D: usize>(x: Tensor<D>, device: &Device) -> Tensor<D> {
    if device.is_autodiff() {
        x.autodiff()
    } else {
        x
    }
}

impl TunedConv {
    fn forward(
        &self,
        spec: &Conv,
        x: Tensor<4>,
        residual: Option<Tensor<4>>,
        relu: bool,
    ) -> Tensor<4> {
        let (weight, bias) = (self.weight.val(), self.bias.val());
        conv_bias_act(x, weight, bias, residual, relu, spec.geometry())
    }
}

/// `relu(convs(x) + (downsample(x) or x))`, ReLU after every convolution; `convs` ends with the
/// projection where there is one.
fn forward_block(block: &Residual, convs: &[TunedConv], x: Tensor<4>) -> Tensor<4> {
    let main = block.convs.len();
    let mut shortcut = Some(match &block.downsample {
        Some(spec) => convs[main].forward(spec, x.clone(), None, false),
        None => x.clone(),
    });
    let mut x = x;
    for (index, (spec, conv)) in block.convs.iter().zip(convs).enumerate() {
        let residual = shortcut.take_if(|_| index + 1 == main);
        x = conv.forward(spec, x, residual, true);
    }
    x
}

/// What a checkpoint holds for the convolutions that `scope` trains, under torchvision's names.
///
/// A folded convolution becomes the convolution and a batch norm that does nothing but add the bias:
/// weight 1, mean 0, variance 1 - eps. The scale that our loader computes in f64 then lies within 1.5e-8
/// of 1, and rounding to f32 takes away what is below 3e-8: folding gives back each weight to the last bit.
///
/// # Errors
/// [`Error::Gpu`](crate::error::Error::Gpu) if the device does not give them.
pub async fn state(backbone: &Backbone, scope: Scope) -> Result<Vec<NamedTensor>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frozen_parts_output_is_as_torchvision_has_it() {
        let shape = |arch, scope, size| input_shape(arch, scope, size);
        use Arch::{ResNet18, ResNet50};
        assert_eq!(shape(ResNet18, Scope::LastStage, 224), [256, 14, 14]);
        assert_eq!(shape(ResNet18, Scope::LastStage, 150), [256, 10, 10]);
        assert_eq!(shape(ResNet50, Scope::LastStage, 224), [1024, 14, 14]);
        assert_eq!(shape(ResNet50, Scope::All, 96), [3, 96, 96]);
    }
}
