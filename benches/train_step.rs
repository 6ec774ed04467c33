//! A training step of a whole ResNet-18 on the CPU: every convolution with its batch norm in training mode,
//! a linear head, cross-entropy, all gradients. `benches/torch_step.py` times the same in PyTorch.
//!
//! `cargo bench --bench train_step -- --batch 64 --size 128 --steps 5 [--burn] [--layers]`: `--burn` makes
//! the same network of burn's own ops, `--layers` times the kernels of each layer alone.

use std::collections::BTreeMap;
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
use retune::network::graph::{Conv, Graph, NodeId, Op, Padding};
use retune::network::plan::{Mode, Plan, Run};

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

/// The convolutions, each with its node and name.
fn convs(graph: &Graph) -> impl Iterator<Item = (NodeId, &str, &Conv)> {
    let nodes = graph.nodes.iter().enumerate();
    nodes.filter_map(|(id, node)| match &node.op {
        Op::Conv(conv) => Some((id, node.name.as_str(), conv)),
        _ => None,
    })
}

fn geometry(conv: &Conv) -> shape::Geometry {
    let padding = match conv.padding {
        Padding::Each([rows, _]) => rows,
        Padding::Same => 0,
    };
    shape::Geometry {
        stride: conv.stride,
        padding,
        dilation: 1,
        groups: conv.groups,
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
    /// By node.
    layers: BTreeMap<NodeId, Layer>,
    head: Tensor<2>,
    plan: Plan,
    graph: Graph,
    burn: bool,
}

impl Network {
    fn new(burn: bool, device: &Device) -> Self {
        let graph = Arch::ResNet18.graph();
        let layers = convs(&graph).map(|(node, _, conv)| {
            let shape = conv.weight_shape();
            let bound = (6.0 / (shape[1] * shape[2] * shape[3]) as f64).sqrt();
            let layer = Layer {
                weight: Tensor::random(shape, Distribution::Uniform(-bound, bound), device)
                    .require_grad(),
                zeros: Tensor::zeros([conv.output], device),
                gamma: Tensor::ones([conv.output], device).require_grad(),
                beta: Tensor::zeros([conv.output], device).require_grad(),
                geometry: geometry(conv),
            };
            (node, layer)
        });
        let layers = layers.collect();
        let head = Tensor::random([512, CLASSES], Distribution::Uniform(-0.05, 0.05), device);
        Self {
            layers,
            head: head.require_grad(),
            plan: Plan::new(&graph, Mode::Training),
            graph,
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

    /// The stem's.
    fn pool(&self, x: Tensor<4>) -> Tensor<4> {
        if !self.burn {
            return max_pool(x, 3, 2, 1);
        }
        let pool = MaxPoolOptions::new([3; 2])
            .with_stride([2; 2])
            .with_padding([1; 2]);
        max_pool2d(x, pool)
    }

    /// The loss of images `[N,3,S,S]` of these classes `[N,1]`.
    fn loss(&self, images: Tensor<4>, classes: Tensor<2, Int>) -> Tensor<1> {
        let wanted = self.graph.frontier(usize::MAX);
        let given = vec![(0, images)];
        let outputs = self.plan.run(
            |_| true,
            given,
            &wanted,
            |step, mut inputs, residual| {
                let x = inputs.swap_remove(0);
                match step.run {
                    Run::Conv { conv, relu, .. } => {
                        self.layer(&self.layers[&conv], x, residual, relu)
                    }
                    Run::Node(id) if matches!(self.graph.nodes[id].op, Op::MaxPool(_)) => {
                        self.pool(x)
                    }
                    _ => adaptive_avg_pool2d(x, [1, 1]),
                }
            },
        );
        let x: Tensor<2> = outputs[0].clone().flatten(1, 3);
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
        black_box(network.layers[&1].weight.grad(&gradients));
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
    let mut sums = [0.0; 5];
    println!(
        "layer: forward, input gradient, weight gradient (GFLOP/s); norm forward, backward (ms)"
    );
    let mut layer = |name: &str, spec: &Conv, edge: usize| {
        let x_dims = [options.batch, spec.input, edge, edge];
        let Some(sizes) = shape::ConvShape::of(x_dims, spec.weight_shape(), geometry(spec)) else {
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
            name,
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
    let graph = Arch::ResNet18.graph();
    let shapes = graph.shapes([options.size; 2]).unwrap_or_default();
    for (id, name, conv) in convs(&graph) {
        let input = graph.nodes[id].inputs[0];
        if let Some([_, edge, _]) = shapes.get(input) {
            layer(name, conv, *edge);
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
