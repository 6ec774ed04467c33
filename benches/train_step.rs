//! A training step of a whole ResNet-18 on the CPU: every convolution with its batch norm in training mode,
//! a linear head, cross-entropy, all gradients. `benches/torch_step.py` times the same in PyTorch.
//!
//! `cargo bench --bench train_step -- --batch 64 --size 128 --steps 5 [--burn] [--layers]`: `--burn` makes
//! the same network of burn's own ops, `--layers` times the kernels of each layer alone.

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::module::{adaptive_avg_pool2d, conv2d as burn_conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use retune::config::Arch;
use retune::kernels::conv::conv2d;
use retune::kernels::conv::cpu::{gather, weight_gradient};
use retune::kernels::norm::{batch_norm_train_act, cpu as norm};
use retune::kernels::pool::max_pool;
use retune::kernels::shape;
use retune::kernels::simd::allocator;
use retune::model::resnet::{Conv, Layout, ResNetConfig, pooled_size};

const EPSILON: f64 = 1e-5;
const CLASSES: usize = 6;

struct Options {
    batch: usize,
    size: usize,
    steps: usize,
    burn: bool,
    layers: bool,
}

impl Options {
    fn read() -> Self {
        let args: Vec<String> = std::env::args().collect();
        let number = |name: &str, default| {
            let at = args.iter().position(|arg| arg == name);
            let value = at
                .and_then(|i| args.get(i + 1))
                .and_then(|v| v.parse().ok());
            value.unwrap_or(default)
        };
        let has = |name: &str| args.iter().any(|arg| arg == name);
        Self {
            batch: number("--batch", 64),
            size: number("--size", 128),
            steps: number("--steps", 5),
            burn: has("--burn"),
            layers: has("--layers"),
        }
    }
}

/// A convolution without bias and its batch norm.
struct Layer {
    weight: Tensor<4>,
    zeros: Tensor<1>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    geometry: shape::Geometry,
}

struct Network {
    layers: Vec<Layer>,
    head: Tensor<2>,
    layout: Layout,
    burn: bool,
}

impl Network {
    fn new(burn: bool, device: &Device) -> Self {
        let layout = ResNetConfig::of(Arch::ResNet18).layout();
        let layers = layout.convs().map(|conv| {
            let shape = conv.weight_shape();
            let bound = (6.0 / (shape[1] * shape[2] * shape[3]) as f64).sqrt();
            Layer {
                weight: Tensor::random(shape, Distribution::Uniform(-bound, bound), device)
                    .require_grad(),
                zeros: Tensor::zeros([conv.output], device),
                gamma: Tensor::ones([conv.output], device).require_grad(),
                beta: Tensor::zeros([conv.output], device).require_grad(),
                geometry: conv.geometry(),
            }
        });
        let layers = layers.collect();
        let head = Tensor::random([512, CLASSES], Distribution::Uniform(-0.05, 0.05), device);
        Self {
            layers,
            head: head.require_grad(),
            layout,
            burn,
        }
    }

    /// `act(norm(conv(x)) + residual)`.
    fn layer(
        &self,
        layer: &Layer,
        x: Tensor<4>,
        residual: Option<Tensor<4>>,
        act: bool,
    ) -> Tensor<4> {
        let (gamma, beta) = (layer.gamma.clone(), layer.beta.clone());
        if !self.burn {
            let y = conv2d(x, layer.weight.clone(), layer.zeros.clone(), layer.geometry);
            return batch_norm_train_act(y, gamma, beta, residual, act, EPSILON).0;
        }
        let g = layer.geometry;
        let options = ConvOptions::new([g.stride; 2], [g.padding; 2], [1; 2], g.groups);
        let y = burn_conv2d(x, layer.weight.clone(), None, options);
        let mean = y.clone().mean_dim(0).mean_dim(2).mean_dim(3);
        let y = y - mean;
        let variance = y.clone().square().mean_dim(0).mean_dim(2).mean_dim(3);
        let y = y / (variance + EPSILON).sqrt();
        let y = y * gamma.reshape([1, -1, 1, 1]) + beta.reshape([1, -1, 1, 1]);
        let y = match residual {
            Some(residual) => y + residual,
            None => y,
        };
        if act { relu(y) } else { y }
    }

    /// The loss of images `[N,3,S,S]` of these classes `[N,1]`.
    fn loss(&self, images: Tensor<4>, classes: Tensor<2, Int>) -> Tensor<1> {
        let mut layers = self.layers.iter();
        let mut next = || layers.next().expect("a layer for each convolution");
        let x = self.layer(next(), images, None, true);
        let pool = MaxPoolOptions::new([3; 2])
            .with_stride([2; 2])
            .with_padding([1; 2]);
        let mut x = if self.burn {
            max_pool2d(x, pool)
        } else {
            max_pool(x, 3, 2, 1)
        };
        for block in self.layout.stages.iter().flatten() {
            let (first, second) = (next(), next());
            let y = self.layer(first, x.clone(), None, true);
            if block.downsample.is_some() {
                x = self.layer(next(), x, None, false);
            }
            x = self.layer(second, y, Some(x), true);
        }
        let x: Tensor<2> = adaptive_avg_pool2d(x, [1, 1]).flatten(1, 3);
        let logits = log_softmax(x.matmul(self.head.clone()), 1);
        -logits.gather(1, classes).mean()
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Milliseconds of all threads so far: where others use the machine too, they tell more than the clock.
fn cpu_milliseconds() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call fills the one it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1000.0 + time.tv_nsec as f64 / 1e6
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

fn step(options: &Options) {
    let device = Device::flex().autodiff();
    let network = Network::new(options.burn, &device);
    let [n, s] = [options.batch, options.size];
    let images = Tensor::<4>::random([n, 3, s, s], Distribution::Normal(0.0, 1.0), &device);
    let classes: Vec<i32> = (0..n).map(|i| (i % CLASSES) as i32).collect();
    let classes = Tensor::<2, Int>::from_data(TensorData::new(classes, [n, 1]), &device);
    let mut times = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for index in 0..=options.steps {
        let (start, cpu) = (Instant::now(), cpu_milliseconds());
        let loss = network.loss(images.clone(), classes.clone());
        let forward = milliseconds(start);
        let gradients = loss.backward();
        black_box(network.layers[0].weight.grad(&gradients));
        drop(gradients);
        let total = milliseconds(start);
        // The first step fills caches and buffers.
        if index > 0 {
            let cpu = cpu_milliseconds() - cpu;
            for (times, time) in times.iter_mut().zip([forward, total - forward, total, cpu]) {
                times.push(time);
            }
        }
    }
    let [forward, backward, total, cpu] = times.map(median);
    println!(
        "{}: batch {n}, size {s}: {total:.0} ms a step ({forward:.0} forward, {backward:.0} backward), {:.1} images/s, {cpu:.0} ms of CPU",
        if options.burn { "burn" } else { "retune" },
        1000.0 * n as f64 / total
    );
}

/// The median CPU time of a few runs.
fn timed<T>(runs: usize, mut work: impl FnMut() -> T) -> f64 {
    drop(work());
    let run = |_| {
        let start = cpu_milliseconds();
        black_box(work());
        cpu_milliseconds() - start
    };
    median((0..runs).map(run).collect())
}

/// The kernels of each layer alone.
fn layers(options: &Options) {
    allocator::retain_freed_memory();
    let mut edge = options.size;
    let mut sums = [0.0; 5];
    println!(
        "layer: forward, input gradient, weight gradient (GFLOP/s); norm forward, backward (ms)"
    );
    let layout = ResNetConfig::of(Arch::ResNet18).layout();
    let mut layer = |spec: &Conv, edge: usize| {
        let x_dims = [options.batch, spec.input, edge, edge];
        let Some(sizes) = shape::ConvShape::of(x_dims, spec.weight_shape(), spec.geometry()) else {
            return;
        };
        let values = |n: usize| {
            (0..n)
                .map(|i| (i * 7 % 13) as f32 - 6.0)
                .collect::<Vec<f32>>()
        };
        let [x, w] = [
            values(x_dims.iter().product()),
            values(spec.weight_shape().iter().product()),
        ];
        let dy = values(sizes.out_dims().iter().product());
        let channels = vec![1.0; spec.output];
        let batch = norm::NormShape {
            images: options.batch,
            channels: spec.output,
            area: sizes.out_pixels(),
        };
        let one = channels.as_slice();
        let times = [
            timed(options.steps, || gather::forward(&sizes, &x, &w, one)),
            if spec.input == 3 {
                0.0
            } else {
                timed(options.steps, || gather::input_gradient(&sizes, &w, &dy))
            },
            timed(options.steps, || {
                weight_gradient::weight_gradient(&sizes, &x, &dy)
            }),
            timed(options.steps, || {
                norm::forward(batch, &dy, [one; 2], None, true, EPSILON)
            }),
            timed(options.steps, || {
                norm::backward(batch, [&dy; 2], Some(&dy), [one; 3], false, EPSILON)
            }),
        ];
        for (sum, time) in sums.iter_mut().zip(times) {
            *sum += time;
        }
        let rate = |ms: f64| sizes.flops() / ms / 1e6;
        println!(
            "{:24} {:5.1} ms {:4.0}  {:5.1} ms {:4.0}  {:5.1} ms {:4.0}   {:4.1} {:4.1}",
            spec.name,
            times[0],
            rate(times[0]),
            times[1],
            rate(times[1]),
            times[2],
            rate(times[2]),
            times[3],
            times[4]
        );
    };
    layer(&layout.stem, edge);
    edge = pooled_size(layout.stem.output_size(edge));
    for block in layout.stages.iter().flatten() {
        let input = edge;
        for spec in &block.convs {
            layer(spec, edge);
            edge = spec.output_size(edge);
        }
        if let Some(spec) = &block.downsample {
            layer(spec, input);
        }
    }
    println!("in all: {sums:.0?} ms");
    pools(options);
}

/// The pools, forward, and forward with backward.
fn pools(options: &Options) {
    let device = Device::flex().autodiff();
    let edge = options.size.div_ceil(2);
    let dims = [options.batch, 64, edge, edge];
    let x = Tensor::<4>::random(dims, Distribution::Default, &device).require_grad();
    let max = || max_pool(x.clone(), 3, 2, 1);
    let dims = [
        options.batch,
        512,
        options.size.div_ceil(32),
        options.size.div_ceil(32),
    ];
    let z = Tensor::<4>::random(dims, Distribution::Default, &device).require_grad();
    let average = || adaptive_avg_pool2d(z.clone(), [1, 1]);
    let runs = options.steps;
    println!(
        "max pool {:.1} ms, with gradient {:.1}; average pool {:.1} ms, with gradient {:.1}",
        timed(runs, max),
        timed(runs, || max().backward()),
        timed(runs, average),
        timed(runs, || average().backward()),
    );
}

fn main() {
    let options = Options::read();
    if options.layers {
        layers(&options);
    } else {
        step(&options);
    }
}
