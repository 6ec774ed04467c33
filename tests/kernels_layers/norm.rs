//! Batch norm in training.

use burn::backend::Cube;
use burn::tensor::{Device, Tensor, TensorData};
use retune::kernels::gpu::launch::Layout;
use retune::kernels::norm::autodiff::{NormKernels, Saved};
use retune::kernels::norm::batch_norm_train_act;
use retune::kernels::norm::reference::{batch_norm, batch_norm_gradients};
use retune::kernels::reference::compare::Tolerance;
use retune::random::Random;

use super::gpu::poison;
use super::{
    assert_channels_last, assert_close, assert_same_bits, images, noise, numbers, open, primitive,
    wide,
};

const EPSILON: f64 = 1e-5;

/// Each value takes some ten roundings of 2^-24 of numbers up to 4, among them the mean's and the deviation's,
/// that is 2.4e-6 in all; granted four times.
const NORM: Tolerance = Tolerance {
    absolute: 1e-5,
    relative: 1e-5,
};

/// `[N,C,H,W]`: single pixels, less than a column tile and one more column than that, a block of rows and one
/// row more or less, several slabs and a last one that is shorter.
const BATCHES: [[usize; 4]; 9] = [
    [1, 4, 1, 1],
    [6, 8, 1, 1],
    [3, 4, 3, 2],
    [2, 36, 25, 27],
    [1, 64, 129, 1],
    [1, 32, 128, 1],
    [1, 12, 1, 127],
    [2, 8, 200, 181],
    [2, 260, 14, 13],
];

/// Whether a `ReLU` and whether a residual follows.
const ENDS: [(bool, bool); 4] = [(false, false), (true, false), (true, true), (false, true)];

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
    fn new(dims: [usize; 4], (relu, residual): (bool, bool)) -> Self {
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
    }

    fn name(&self, what: &str) -> String {
        let residual = self.residual.is_some();
        format!(
            "{what} {:?}, relu {}, residual {residual}",
            self.dims, self.relu
        )
    }

    fn sizes(&self) -> [usize; 3] {
        let [images, channels, height, width] = self.dims;
        [images, channels, height * width]
    }

    /// y, mean and variance, and the gradients of x, gamma, beta and the residual, where images lie so.
    fn on(&self, device: &Device, layout: Layout) -> [Vec<f32>; 7] {
        let laid_out = |values: &[f32]| primitive(images(device, values, self.dims, layout));
        let vector = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [values.len()]);
            primitive(Tensor::<1>::from_data(data, device))
        };
        let x = laid_out(&self.x);
        let (gamma, beta) = (vector(&self.gamma), vector(&self.beta));
        let residual = self.residual.as_deref().map(laid_out);
        let dy = laid_out(&self.dy);
        poison(device, self.x.len());
        poison(device, self.dims[1]);
        let relu = self.relu;
        let (y, mean, variance) =
            Cube::norm_forward(x.clone(), gamma.clone(), beta, residual, relu, EPSILON);
        assert_channels_last(&self.name("y"), &y, self.dims);
        let saved = Saved {
            x,
            gamma,
            mean: mean.clone(),
            variance: variance.clone(),
            y: relu.then(|| y.clone()),
            eps: EPSILON,
        };
        poison(device, self.x.len());
        let (dx, dgamma, dbeta, dresidual) =
            Cube::norm_backward(saved, dy, self.residual.is_some());
        assert_channels_last(&self.name("dx"), &dx, self.dims);
        assert_channels_last(&self.name("dresidual"), &dresidual, self.dims);
        [
            numbers::<4>(y),
            numbers::<1>(mean),
            numbers::<1>(variance),
            numbers::<4>(dx),
            numbers::<1>(dgamma),
            numbers::<1>(dbeta),
            numbers::<4>(dresidual),
        ]
    }

    /// The same of the twins. Where y is 0, which decides about dy, the kernel says, as it may round past it.
    fn twin(&self, y: &[f32]) -> [Vec<f64>; 7] {
        let (sizes, residual) = (self.sizes(), self.residual.as_deref());
        let parameters = [self.gamma.as_slice(), self.beta.as_slice()];
        let forward = batch_norm(sizes, &self.x, parameters, residual, self.relu, EPSILON);
        let y = self.relu.then_some(y);
        let pair = [self.x.as_slice(), self.dy.as_slice()];
        let gradients = batch_norm_gradients(sizes, pair, y, &self.gamma, EPSILON);
        let [y, mean, variance] = forward;
        let [dx, dgamma, dbeta, dresidual] = gradients;
        [y, mean, variance, dx, dgamma, dbeta, dresidual]
    }

    /// What is allowed for each: a sum over a channel, of terms up to 2, for gamma and beta.
    fn tolerances(&self) -> [Tolerance; 7] {
        let [images, _, area] = self.sizes();
        let sum = NORM + Tolerance::sum_of(images * area).scaled(2.0);
        [NORM, NORM, NORM, NORM, sum, sum, NORM]
    }
}

const NAMES: [&str; 7] = [
    "y",
    "mean",
    "variance",
    "dx",
    "dgamma",
    "dbeta",
    "dresidual",
];

#[test]
#[ignore = "needs a Vulkan driver"]
fn batch_norm_is_its_twin_in_both_directions() {
    let device = open();
    for dims in BATCHES {
        for end in ENDS {
            let norm = Norm::new(dims, end);
            for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
                let ours = norm.on(&device, layout);
                let twin = norm.twin(&ours[0]);
                for (i, (ours, twin)) in ours.iter().zip(&twin).enumerate() {
                    // What is not asked for may be anything.
                    if norm.residual.is_none() && i == 6 {
                        continue;
                    }
                    let what = norm.name(&format!("{}, {layout:?}", NAMES[i]));
                    assert_close(&what, ours, twin, norm.tolerances()[i]);
                }
                for (i, again) in norm.on(&device, layout).iter().enumerate() {
                    assert_same_bits(&norm.name(NAMES[i]), &ours[i], again);
                }
            }
        }
    }
}

/// A mean of 1000 and a deviation of 1: squares of such values would take all digits from the variance.
#[test]
#[ignore = "needs a Vulkan driver"]
fn a_mean_far_from_zero_leaves_the_variance() {
    let device = open();
    let mut norm = Norm::new([4, 8, 64, 50], (false, false));
    let mut random = Random::new(3);
    for x in &mut norm.x {
        *x = (1000.0 + random.normal()) as f32;
    }
    let ours = norm.on(&device, Layout::ChannelsLast);
    let twin = norm.twin(&ours[0]);
    // The mean is rounded to 2^-15, which moves y and, times dy, the gradients by as much.
    let rounded = Tolerance {
        absolute: 1e-4,
        relative: 1e-5,
    };
    let sum = rounded + norm.tolerances()[4];
    let allowed = [rounded, rounded, NORM, rounded, sum, sum, NORM];
    for (i, (ours, twin)) in ours.iter().zip(&twin).enumerate() {
        assert_close(&norm.name(NAMES[i]), ours, twin, allowed[i]);
    }
}

/// What reaches the leaves of a graph, against the CPU's.
#[test]
#[ignore = "needs a Vulkan driver"]
fn batch_norm_through_the_graph_is_the_cpus() {
    let gpu = open().autodiff();
    let cpu = Device::flex().autodiff();
    for end in ENDS {
        let norm = Norm::new([3, 20, 9, 7], end);
        let run = |device: &Device| {
            let leaf = |values: &[f32]| {
                images(device, values, norm.dims, Layout::ChannelsFirst).require_grad()
            };
            let vector = |values: &[f32]| {
                let data = TensorData::new(values.to_vec(), [values.len()]);
                Tensor::<1>::from_data(data, device).require_grad()
            };
            let (x, gamma, beta) = (leaf(&norm.x), vector(&norm.gamma), vector(&norm.beta));
            let residual = norm.residual.as_deref().map(leaf);
            let (y, ..) = batch_norm_train_act(
                x.clone(),
                gamma.clone(),
                beta.clone(),
                residual.clone(),
                norm.relu,
                EPSILON,
            );
            let dy = images(device, &norm.dy, norm.dims, Layout::ChannelsFirst);
            let gradients = (y.clone() * dy).sum().backward();
            let values = |data: TensorData| data.try_into_vec::<f32>().expect("f32");
            let missing = "a gradient";
            let mut all = vec![
                values(y.into_data()),
                values(x.grad(&gradients).expect(missing).into_data()),
                values(gamma.grad(&gradients).expect(missing).into_data()),
                values(beta.grad(&gradients).expect(missing).into_data()),
            ];
            all.extend(residual.map(|r| values(r.grad(&gradients).expect(missing).into_data())));
            all
        };
        let sum = norm.tolerances()[4];
        let allowed = [NORM, NORM, sum, sum, NORM];
        let (ours, cpus) = (run(&gpu), run(&cpu));
        for (i, (ours, cpus)) in ours.iter().zip(&cpus).enumerate() {
            let one = allowed[i];
            assert_close(&norm.name(&format!("{i}")), ours, &wide(cpus), one + one);
        }
    }
}

/// The twin of the gradients against central differences of the forward twin.
#[test]
fn the_twins_gradients_are_slopes() {
    // Both round to 1e-16 / H = 1e-11 of the sum, and the method's own error is of the order of H^2.
    const H: f64 = 1e-5;
    for end in ENDS {
        let norm = Norm::new([3, 4, 3, 2], end);
        let residual = norm.residual.clone().unwrap_or_default();
        let inputs = [&norm.x, &norm.gamma, &norm.beta, &residual].map(|v| wide(v));
        let forward = |[x, gamma, beta, residual]: &[Vec<f64>; 4]| {
            let residual = norm.residual.as_ref().map(|_| residual.as_slice());
            let [y, ..] = batch_norm(norm.sizes(), x, [gamma, beta], residual, norm.relu, EPSILON);
            y
        };
        let (x, dy) = (wide(&norm.x), wide(&norm.dy));
        let y = norm.relu.then(|| forward(&inputs));
        let gradients =
            batch_norm_gradients(norm.sizes(), [&x, &dy], y.as_deref(), &inputs[1], EPSILON);
        for (i, gradient) in gradients.iter().enumerate().take(3 + usize::from(end.1)) {
            for (at, gradient) in gradient.iter().enumerate() {
                let step = |h: f64| {
                    let mut moved = inputs.clone();
                    moved[i][at] += h;
                    let y = forward(&moved);
                    y.iter().zip(&dy).map(|(y, dy)| y * dy).sum::<f64>()
                };
                let slope = (step(H) - step(-H)) / (2.0 * H);
                let what = norm.name(&format!("input {i} [{at}]"));
                assert!(
                    (gradient - slope).abs() < 1e-6,
                    "{what}: {gradient}, {slope}"
                );
            }
        }
    }
}
