//! What stands on the backbone: a few linear layers, with what goes between them.
//!
//! What it is made of is [`HeadSpec`]. A head's weights have the names that `torch.nn` gives them when the
//! head replaces `fc`: a lone linear layer is `fc.weight`, `fc.bias`; in a sequence, layer i is `fc.i.weight`, and so on. A head
//! trained here therefore loads in PyTorch, and the other way round. Families that call their last layer
//! something else are translated at the file: [`names`](crate::weights::names).

use burn::module::{Module, Param, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, Relu};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::{Error, Result};
pub use crate::kernels::to_host;
pub use crate::network::head::{HeadSpec, Step};
use crate::random::Random;

/// A tensor on its way to or from a file: name, shape, values.
pub type Named = (String, Vec<usize>, Vec<f32>);

/// One step of a head, with its weights.
#[derive(Module, Debug)]
enum Layer {
    Linear(Linear),
    BatchNorm(BatchNorm),
    Relu(Relu),
    Dropout(Dropout),
}

/// A head with weights on a device.
#[derive(Module, Debug)]
pub struct Head {
    layers: Vec<Layer>,
    #[module(skip)]
    spec: HeadSpec,
}

impl Head {
    /// Fresh weights, uniform in `±1/sqrt(fan_in)` as `torch.nn.Linear` draws them, from our own
    /// generator: the same seed gives the same head on every device.
    #[must_use]
    pub fn init(spec: HeadSpec, seed: u64, device: &Device) -> Self {
        let mut random = Random::new(seed);
        let mut bound = 0.0;
        let draw = |_: &str, shape: &[usize], part| {
            let n = shape.iter().product();
            match part {
                Part::LinearWeight => bound = (shape[1] as f64).sqrt().recip(),
                Part::LinearBias => {}
                Part::NormOne => return Ok(vec![1.0; n]),
                Part::NormZero => return Ok(vec![0.0; n]),
            }
            let draw = |_| (bound * (2.0 * random.uniform() - 1.0)) as f32;
            Ok((0..n).map(draw).collect())
        };
        Self::build(spec, device, draw).expect("drawing numbers does not fail")
    }

    /// Weights from a file; `take` gives the values of a tensor by name and shape, or says why not.
    ///
    /// # Errors
    /// What `take` says.
    pub fn load(
        spec: HeadSpec,
        device: &Device,
        mut take: impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        Self::build(spec, device, |name, shape, _| take(name, shape))
    }

    fn build(
        spec: HeadSpec,
        device: &Device,
        mut value: impl FnMut(&str, &[usize], Part) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        let mut layers = Vec::new();
        for (index, step) in spec.steps.iter().enumerate() {
            let name = spec.name(index);
            layers.push(match *step {
                Step::Linear { input, output } => {
                    let shape = [output, input];
                    let weight = value(&format!("{name}.weight"), &shape, Part::LinearWeight)?;
                    // [out,in] in files, [in,out] in burn.
                    let weight =
                        TensorData::new(transpose(&weight, output, input), [input, output]);
                    let bias = value(&format!("{name}.bias"), &[output], Part::LinearBias)?;
                    Layer::Linear(Linear {
                        weight: Param::from_data(weight, device),
                        bias: Some(Param::from_data(TensorData::new(bias, [output]), device)),
                    })
                }
                Step::BatchNorm(n) => {
                    let mut vector = |part: &str, kind| {
                        let values = value(&format!("{name}.{part}"), &[n], kind)?;
                        Ok::<_, Error>(Tensor::<1>::from_data(TensorData::new(values, [n]), device))
                    };
                    let mut norm = BatchNormConfig::new(n).init(device);
                    norm.gamma = Param::from_tensor(vector("weight", Part::NormOne)?);
                    norm.beta = Param::from_tensor(vector("bias", Part::NormZero)?);
                    norm.running_mean = RunningState::new(vector("running_mean", Part::NormZero)?);
                    norm.running_var = RunningState::new(vector("running_var", Part::NormOne)?);
                    Layer::BatchNorm(norm)
                }
                Step::Relu => Layer::Relu(Relu),
                Step::Dropout(p) => Layer::Dropout(DropoutConfig::new(p).init()),
            });
        }
        Ok(Self { layers, spec })
    }

    /// The steps.
    #[must_use]
    pub fn spec(&self) -> &HeadSpec {
        &self.spec
    }

    /// Width of the logits, K.
    #[must_use]
    pub fn classes(&self) -> usize {
        match self.spec.steps.last() {
            Some(Step::Linear { output, .. }) => *output,
            _ => 0,
        }
    }

    /// Where the weights are.
    #[must_use]
    pub fn device(&self) -> Device {
        self.devices().into_iter().next().unwrap_or_default()
    }

    /// Features `[N,C]` to logits `[N,K]`, without dropout.
    #[must_use]
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.run(features, |x, _| x)
    }

    /// The same in training. The masks come from `random`, not from the device's generator, so that a
    /// run gives the same numbers in the page and natively.
    #[must_use]
    pub fn forward_train(&self, features: Tensor<2>, random: &mut Random) -> Tensor<2> {
        self.run(features, |x, p| {
            let [rows, columns] = x.dims();
            let scale = (1.0 - p).recip() as f32;
            let keep = |_| if random.uniform() < p { 0.0 } else { scale };
            let mask: Vec<f32> = (0..rows * columns).map(keep).collect();
            let mask = Tensor::from_data(TensorData::new(mask, [rows, columns]), &x.device());
            x * mask
        })
    }

    fn run(
        &self,
        features: Tensor<2>,
        mut drop: impl FnMut(Tensor<2>, f64) -> Tensor<2>,
    ) -> Tensor<2> {
        self.layers.iter().fold(features, |x, layer| match layer {
            Layer::Linear(linear) => linear.forward(x),
            Layer::BatchNorm(norm) => norm.forward(x),
            Layer::Relu(_) => relu(x),
            Layer::Dropout(dropout) => drop(x, dropout.prob),
        })
    }

    /// The weights, read from the device, under PyTorch's names.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device does not give them.
    pub async fn state(&self) -> Result<Vec<Named>> {
        let mut values = Vec::new();
        for layer in &self.layers {
            match layer {
                Layer::Linear(linear) => {
                    let [input, output] = linear.weight.val().dims();
                    let weight = to_host(linear.weight.val()).await?;
                    values.push(transpose(&weight, input, output));
                    if let Some(bias) = &linear.bias {
                        values.push(to_host(bias.val()).await?);
                    }
                }
                Layer::BatchNorm(norm) => {
                    values.push(to_host(norm.gamma.val()).await?);
                    values.push(to_host(norm.beta.val()).await?);
                    values.push(to_host(norm.running_mean.value_sync()).await?);
                    values.push(to_host(norm.running_var.value_sync()).await?);
                }
                Layer::Relu(_) | Layer::Dropout(_) => {}
            }
        }
        let names = self.spec.tensors().into_iter();
        Ok(names
            .zip(values)
            .map(|((name, shape), value)| (name, shape, value))
            .collect())
    }
}

/// Which fresh value a tensor gets.
#[derive(Clone, Copy)]
enum Part {
    LinearWeight,
    LinearBias,
    NormOne,
    NormZero,
}

/// `[rows,columns]` to `[columns,rows]`.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for column in 0..columns {
        out.extend((0..rows).map(|row| values[row * columns + column]));
    }
    out
}
