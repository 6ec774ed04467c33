//! Batch norm in training.

use burn::backend::Flex;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::activation::relu;
use burn::tensor::{Tensor, TensorData};
use retune::kernels::norm::autodiff::{Saved, composed_backward, composed_forward};
use retune::kernels::norm::reference::batch_norm;
use retune::kernels::norm::{batch_norm_train_act, cpu as norm};
use retune::kernels::reference::compare::Tolerance;
use retune::random::Random;

use super::{assert_close, noise, numbers, tensor, wide};

const EPSILON: f64 = 1e-5;

/// Each value takes some ten roundings of 2^-24 of numbers up to 4, among them the mean's and the deviation's,
/// that is 2.4e-6 in all; granted four times.
const NORM: Tolerance = Tolerance {
    absolute: 1e-5,
    relative: 1e-5,
};

/// `[N,C,H,W]`: less than a vector, more than one run of sums, a single pixel.
const BATCHES: [[usize; 4]; 4] = [[3, 4, 3, 2], [2, 3, 25, 27], [5, 2, 16, 16], [6, 5, 1, 1]];

struct Norm {
    dims: [usize; 4],
    x: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    residual: Option<Vec<f32>>,
    relu: bool,
    dy: Vec<f32>,
}

impl Norm {
    fn all() -> impl Iterator<Item = Self> {
        BATCHES.into_iter().flat_map(|dims| {
            [(false, false), (true, false), (true, true), (false, true)].map(|(relu, residual)| {
                let mut random = Random::new(11);
                let n = dims.iter().product();
                // A mean of 2 and a deviation of 0.6.
                let x = noise(&mut random, n).into_iter().map(|v| v + 2.0).collect();
                Self {
                    dims,
                    x,
                    gamma: noise(&mut random, dims[1]),
                    beta: noise(&mut random, dims[1]),
                    residual: residual.then(|| noise(&mut random, n)),
                    relu,
                    dy: noise(&mut random, n),
                }
            })
        })
    }

    fn batch(&self) -> norm::NormShape {
        let [images, channels, height, width] = self.dims;
        norm::NormShape {
            images,
            channels,
            area: height * width,
        }
    }

    fn name(&self, what: &str) -> String {
        format!(
            "{what} {:?}, relu {}, residual {}",
            self.dims,
            self.relu,
            self.residual.is_some()
        )
    }

    /// The twin on other inputs: x, gamma, beta, residual.
    fn twin(&self, [x, gamma, beta, residual]: &[Vec<f64>; 4]) -> [Vec<f64>; 3] {
        let batch = self.batch();
        let residual = self.residual.as_ref().map(|_| residual.as_slice());
        let dims = [batch.images, batch.channels, batch.area];
        batch_norm(dims, x, [gamma, beta], residual, self.relu, EPSILON)
    }

    fn inputs(&self) -> [Vec<f64>; 4] {
        let residual = self.residual.clone().unwrap_or_default();
        [
            wide(&self.x),
            wide(&self.gamma),
            wide(&self.beta),
            wide(&residual),
        ]
    }

    /// Values of a channel.
    fn count(&self) -> usize {
        self.dims[0] * self.dims[2] * self.dims[3]
    }

    /// y and the gradients of x, gamma, beta and residual through the graph, where `norm` makes y.
    fn through(
        &self,
        norm: impl FnOnce([Tensor<1>; 2], [Option<Tensor<4>>; 2]) -> Tensor<4>,
    ) -> Vec<Vec<f32>> {
        let x = tensor(&self.x, self.dims).require_grad();
        let [gamma, beta] = [&self.gamma, &self.beta].map(|v| tensor(v, [v.len()]).require_grad());
        let residual = self
            .residual
            .as_ref()
            .map(|v| tensor(v, self.dims).require_grad());
        let y = norm(
            [gamma.clone(), beta.clone()],
            [Some(x.clone()), residual.clone()],
        );
        let gradients = (y.clone() * tensor(&self.dy, self.dims)).sum().backward();
        let missing = "a gradient";
        let mut all = vec![
            numbers(y.inner()),
            numbers(x.grad(&gradients).expect(missing)),
            numbers(gamma.grad(&gradients).expect(missing)),
            numbers(beta.grad(&gradients).expect(missing)),
        ];
        all.extend(residual.map(|r| numbers(r.grad(&gradients).expect(missing))));
        all
    }

    fn ours(&self) -> Vec<Vec<f32>> {
        self.through(|[gamma, beta], [x, residual]| {
            let x = x.expect("x");
            let (y, mean, variance) =
                batch_norm_train_act(x, gamma, beta, residual, self.relu, EPSILON);
            let [_, means, variances] = self.twin(&self.inputs());
            assert_close(&self.name("mean"), &numbers(mean), &means, NORM);
            assert_close(&self.name("variance"), &numbers(variance), &variances, NORM);
            y
        })
    }

    /// The same of burn's ops, which burn differentiates.
    fn burns(&self) -> Vec<Vec<f32>> {
        self.through(|[gamma, beta], [x, residual]| {
            let x = x.expect("x");
            let mean = |x: Tensor<4>| x.mean_dim(0).mean_dim(2).mean_dim(3);
            let centred = x.clone() - mean(x);
            let deviation = (mean(centred.clone().square()) + EPSILON).sqrt();
            let wide = |v: Tensor<1>| v.reshape([1, -1, 1, 1]);
            let mut y = centred / deviation * wide(gamma) + wide(beta);
            if let Some(residual) = residual {
                y = y + residual;
            }
            if self.relu { relu(y) } else { y }
        })
    }

    /// What is allowed for each: a sum over a channel, of terms up to 2, for gamma and beta.
    fn tolerances(&self) -> [Tolerance; 5] {
        let sum = NORM + Tolerance::sum_of(self.count()).scaled(2.0);
        [NORM, NORM, sum, sum, NORM]
    }
}

const NAMES: [&str; 5] = ["y", "dx", "dgamma", "dbeta", "dresidual"];

#[test]
fn batch_norm_is_its_twin_and_its_gradients_are_slopes() {
    // Both round to 1e-16 / H = 1e-11 of the sum, and the method's own error is of the order of H^2.
    const H: f64 = 1e-5;
    for norm in Norm::all() {
        let ours = norm.ours();
        let inputs = norm.inputs();
        assert_close(&norm.name("y"), &ours[0], &norm.twin(&inputs)[0], NORM);
        let loss = |inputs: &[Vec<f64>; 4]| -> f64 {
            let y = &norm.twin(inputs)[0];
            y.iter()
                .zip(&norm.dy)
                .map(|(y, dy)| y * f64::from(*dy))
                .sum()
        };
        for (i, gradient) in ours[1..].iter().enumerate() {
            for at in (0..gradient.len()).step_by(gradient.len() / 20 + 1) {
                let step = |h: f64| {
                    let mut moved = inputs.clone();
                    moved[i][at] += h;
                    loss(&moved)
                };
                let slope = (step(H) - step(-H)) / (2.0 * H);
                let what = norm.name(&format!("{} [{at}]", NAMES[i + 1]));
                assert_close(&what, &[gradient[at]], &[slope], norm.tolerances()[i + 1]);
            }
        }
    }
}

#[test]
fn batch_norm_through_the_graph_is_burns() {
    for norm in Norm::all() {
        let (ours, burns) = (norm.ours(), norm.burns());
        for (i, (ours, burns)) in ours.iter().zip(&burns).enumerate() {
            let one = norm.tolerances()[i];
            assert_close(&norm.name(NAMES[i]), ours, &wide(burns), one + one);
        }
    }
}

/// What a GPU runs, on the CPU.
#[test]
fn batch_norm_composed_of_burns_ops_is_the_fused_one() {
    for norm in Norm::all() {
        let ours = norm.ours();
        let device = Default::default();
        let flat = |values: &[f32], dims: &[usize]| {
            Flex::float_from_data(TensorData::new(values.to_vec(), dims.to_vec()), &device)
        };
        let [x, dy] = [&norm.x, &norm.dy].map(|v| flat(v, &norm.dims));
        let [gamma, beta] = [&norm.gamma, &norm.beta].map(|v| flat(v, &norm.dims[1..2]));
        let residual = norm.residual.as_ref().map(|v| flat(v, &norm.dims));
        let forward =
            composed_forward::<Flex>(x.clone(), gamma.clone(), beta, residual, norm.relu, EPSILON);
        let (y, mean, variance) = forward;
        let saved = Saved {
            x,
            gamma,
            mean,
            variance,
            y: norm.relu.then(|| y.clone()),
            eps: EPSILON,
        };
        let (dx, dgamma, dbeta, dresidual) = composed_backward::<Flex>(saved, dy);
        let composed = [y, dx, dgamma, dbeta, dresidual];
        for (i, (ours, composed)) in ours.iter().zip(composed).enumerate() {
            let composed: Vec<f32> = composed.into_data().try_into_vec().expect("f32");
            let one = norm.tolerances()[i];
            assert_close(&norm.name(NAMES[i]), &composed, &wide(ours), one + one);
        }
    }
}

/// Squares of values far from zero would take all digits from the variance.
#[test]
fn a_mean_far_from_zero_leaves_the_variance() {
    let mut random = Random::new(3);
    let x: Vec<f32> = noise(&mut random, 4096)
        .iter()
        .map(|v| 1000.0 + v)
        .collect();
    let batch = norm::NormShape {
        images: 2,
        channels: 1,
        area: 2048,
    };
    let normed = norm::forward(batch, &x, [&[1.0], &[0.0]], None, false, EPSILON);
    let [y, mean, variance] = batch_norm([2, 1, 2048], &x, [&[1.0], &[0.0]], None, false, EPSILON);
    assert_close("variance", &normed.variance, &variance, NORM);
    // The mean is rounded to 2^-15, which the deviation of 0.58 makes twice as much in y.
    let rounded = Tolerance {
        absolute: 1e-4,
        relative: 0.0,
    };
    assert_close("mean", &normed.mean, &mean, rounded);
    assert_close("y", &normed.y, &y, rounded);
}

#[test]
fn batch_norm_gives_the_same_bits_on_any_number_of_threads() {
    for norm in Norm::all() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("threads");
            let all = pool.install(|| norm.ours());
            all.into_iter()
                .flatten()
                .map(f32::to_bits)
                .collect::<Vec<_>>()
        };
        let first = run(1);
        for threads in [1, 2, 2, 3] {
            assert!(first == run(threads), "{}", norm.name("bits"));
        }
    }
}
