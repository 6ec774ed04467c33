//! Steps of whole modules on flat buffers against the same steps of burn's ops.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use retune::config::{OptimizerKind, TrainConfig};
use retune::kernels::gpu::launch::Gpu;
use retune::train::average::Average;
use retune::train::optimizer::Optimizer;
use retune::train::parameters::{collect, replace};
use retune::weights::Checkpoint;

use crate::gpu::{open, random};
use crate::{checkpoint, difference};

/// Parameters of odd sizes and every rank that a network has.
#[derive(Module, Debug)]
struct Few {
    conv: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
    /// Statistics: changed from outside, never with a gradient.
    running: Param<Tensor<1>>,
    linear: Param<Tensor<2>>,
    one: Param<Tensor<1>>,
    /// Has a gradient in some steps only.
    sometimes: Param<Tensor<2>>,
    long: Param<Tensor<1>>,
    last: Param<Tensor<4>>,
}

/// Rates over the head's, in the order of the fields.
const RATES: [f64; 8] = [0.25, 0.25, 1.0, 0.5, 0.5, 1.0, 1.0, 0.125];

fn tensor<const D: usize>(device: &Device, seed: u64, dims: [usize; D]) -> Tensor<D> {
    let values = random(seed, "few", dims.iter().product());
    Tensor::from_data(TensorData::new(values, dims), device)
}

impl Few {
    fn new(device: &Device) -> Self {
        fn param<const D: usize>(device: &Device, seed: u64, dims: [usize; D]) -> Param<Tensor<D>> {
            Param::from_tensor(tensor(device, seed, dims))
        }
        let running = tensor(device, 3, [5]).set_require_grad(false);
        Self {
            conv: param(device, 1, [5, 3, 3, 3]),
            bias: param(device, 2, [5]),
            running: Param::from_tensor(running).no_grad(),
            linear: param(device, 4, [13, 11]),
            one: param(device, 5, [1]),
            sometimes: param(device, 6, [3, 100]),
            long: param(device, 7, [257]),
            last: param(device, 8, [4, 16, 2, 2]),
        }
    }

    /// What a forward pass changes.
    fn forward(&mut self, step: u64) {
        let old = self.running.val();
        let new = tensor::<1>(&old.device().inner(), 100 + step, [5]);
        let new = new.autodiff().set_require_grad(false);
        self.running = Param::initialized(self.running.id, new);
    }

    fn gradients(&self, step: u64) -> GradientsParams {
        let device = self.bias.val().device().inner();
        let mut gradients = GradientsParams::new();
        let seed = |n: u64| 1000 * (step + 1) + n;
        let ids = [&self.bias, &self.one, &self.long];
        for (n, param) in (0..).zip(ids) {
            gradients.register(param.id, tensor::<1>(&device, seed(n), param.dims()));
        }
        let (conv, last) = (&self.conv, &self.last);
        gradients.register(conv.id, tensor::<4>(&device, seed(3), conv.dims()));
        // As a convolution that works channels last gives it.
        let [o, c, h, w] = last.dims();
        let laid = tensor::<4>(&device, seed(4), [o, h, w, c]).permute([0, 3, 1, 2]);
        gradients.register(last.id, laid);
        gradients.register(self.linear.id, tensor::<2>(&device, seed(5), [13, 11]));
        if [0, 1, 4].contains(&(step % 7)) {
            let sometimes = tensor::<2>(&device, seed(6), self.sometimes.dims());
            gradients.register(self.sometimes.id, sometimes);
        }
        gradients
    }
}

struct Case {
    name: &'static str,
    rule: OptimizerKind,
    momentum: f64,
    decay: f64,
    clip: f64,
}

impl Case {
    const fn new(name: &'static str, rule: OptimizerKind) -> Self {
        Self {
            name,
            rule,
            momentum: 0.9,
            decay: 0.0,
            clip: 0.0,
        }
    }

    fn optimizer(&self) -> Optimizer {
        let config = TrainConfig {
            optimizer: self.rule,
            momentum: self.momentum,
            weight_decay: self.decay,
            clip_norm: self.clip,
            ..TrainConfig::default()
        };
        Optimizer::new(&config, RATES)
    }
}

fn cases() -> Vec<Case> {
    use OptimizerKind::{Adam, AdamW, Sgd};
    let decayed = |name, rule| Case {
        decay: 0.1,
        ..Case::new(name, rule)
    };
    vec![
        Case::new("Adam", Adam),
        decayed("Adam, decay", Adam),
        Case::new("AdamW", AdamW),
        decayed("AdamW, decay", AdamW),
        Case::new("SGD", Sgd),
        decayed("SGD, decay", Sgd),
        Case {
            momentum: 0.0,
            ..decayed("SGD, no momentum", Sgd)
        },
        Case {
            clip: 1.0,
            ..decayed("AdamW, clipped", AdamW)
        },
        Case {
            clip: 0.5,
            ..decayed("SGD, clipped", Sgd)
        },
        Case {
            clip: 1e6,
            ..decayed("Adam, not clipped after all", Adam)
        },
    ]
}

/// A training on its way.
struct Run {
    module: Few,
    optimizer: Optimizer,
    average: Average,
    step: u64,
}

impl Run {
    fn new(case: &Case, device: &Device) -> Self {
        let module = Few::new(&device.clone().autodiff());
        Self {
            optimizer: case.optimizer(),
            average: Average::new(0.9, collect(&module)),
            module,
            step: 0,
        }
    }

    fn step(&mut self) {
        self.module.forward(self.step);
        let gradients = self.module.gradients(self.step);
        // A rate that changes, as a schedule's does.
        let rate = 0.01 * (1.0 + self.step as f64 / 10.0);
        let module = self.module.clone();
        self.module = self.optimizer.step(rate, module, gradients);
        self.average.follow(&self.module, self.optimizer.flat());
        self.step += 1;
    }

    /// Values, averages, and the optimizer's state by name.
    fn numbers(&self) -> (Vec<Vec<f32>>, Vec<Vec<f32>>, Checkpoint) {
        (
            lists_of(collect(&self.module)),
            lists_of(self.average.numbers()),
            state(&self.optimizer),
        )
    }
}

fn lists_of(tensors: Vec<Tensor<1>>) -> Vec<Vec<f32>> {
    let list = |tensor: Tensor<1>| tensor.into_data().try_into_vec::<f32>().expect("f32");
    tensors.into_iter().map(list).collect()
}

fn state(optimizer: &Optimizer) -> Checkpoint {
    checkpoint(pollster::block_on(optimizer.state()).expect("a working GPU"))
}

/// A device on which our kernels are switched off.
fn without_kernels() -> Device {
    let device = open();
    Gpu::of(&device).expect("a GPU").set_enabled(false);
    device
}

/// Twenty steps, each of which rounds a value, a mean and an average a few times, and hands them on: 20 units of the
/// last place of the tensor's largest. Clipping adds the error of a norm that is summed in another order.
const TOLERANCE: f64 = 20.0 * f32::EPSILON as f64;

#[test]
#[ignore = "needs a Vulkan driver"]
fn twenty_steps_are_those_of_burns_ops() {
    let (ours, burns) = (open(), without_kernels());
    for case in cases() {
        let mut flat = Run::new(&case, &ours);
        let mut each = Run::new(&case, &burns);
        let mut again = Run::new(&case, &ours);
        for _ in 0..20 {
            flat.step();
            each.step();
            again.step();
        }
        assert!(flat.optimizer.flat().is_some(), "on flat buffers");
        assert!(each.optimizer.flat().is_none(), "not on flat buffers");
        let (values, averages, kept) = flat.numbers();
        let (expected, expected_averages, expected_kept) = each.numbers();
        let mut worst = 0.0_f64;
        for (place, (actual, expected)) in (values.iter().chain(&averages))
            .zip(expected.iter().chain(&expected_averages))
            .enumerate()
        {
            let off = difference(actual, expected);
            worst = worst.max(off);
            assert!(off <= TOLERANCE, "{}, list {place}: {off:e}", case.name);
        }
        let names = |kept: &Checkpoint| kept.tensors.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&kept), names(&expected_kept), "{}", case.name);
        for (name, expected) in &expected_kept.tensors {
            let actual = &kept.tensors[name];
            assert_eq!(actual.shape, expected.shape, "{}, {name}", case.name);
            let off = difference(&actual.data, &expected.data);
            worst = worst.max(off);
            assert!(off <= TOLERANCE, "{}, {name}: {off:e}", case.name);
        }
        println!("{:28} largest difference {worst:.1e}", case.name);
        let (values_again, averages_again, kept_again) = again.numbers();
        assert_eq!(values, values_again, "{}: two runs differ", case.name);
        assert_eq!(averages, averages_again, "{}: two runs differ", case.name);
        assert_eq!(
            kept.tensors, kept_again.tensors,
            "{}: two runs differ",
            case.name
        );
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn a_model_that_is_held_keeps_its_numbers() {
    let device = open();
    let case = &cases()[3];
    let mut run = Run::new(case, &device);
    for _ in 0..3 {
        run.step();
    }
    let (model, average) = (run.module.clone(), run.average.numbers());
    let (values, averages, _) = run.numbers();
    for _ in 0..3 {
        run.step();
    }
    assert_eq!(lists_of(collect(&model)), values);
    assert_eq!(lists_of(average), averages);
    assert_ne!(run.numbers().0, values, "it does learn");
    // Gradients are wanted as before.
    assert!(run.module.conv.val().is_require_grad());
    assert!(!run.module.running.val().is_require_grad());
}

/// A run goes on from what another kept, whichever kind of steps either takes.
#[test]
#[ignore = "needs a Vulkan driver"]
fn a_run_goes_on_from_its_state() {
    let (ours, burns) = (open(), without_kernels());
    for case in [&cases()[3], &cases()[8]] {
        for (from, to) in [(&ours, &ours), (&burns, &ours), (&ours, &burns)] {
            let mut whole = Run::new(case, from);
            for _ in 0..6 {
                whole.step();
            }
            let mut kept = state(&whole.optimizer);
            let (values, averages, _) = whole.numbers();
            let onto = |lists: Vec<Vec<f32>>| -> Vec<Tensor<1>> {
                let lists = lists.into_iter();
                let upload = |list: Vec<f32>| {
                    let n = list.len();
                    Tensor::from_data(TensorData::new(list, [n]), to)
                };
                lists.map(upload).collect()
            };
            let mut rest = Run::new(case, to);
            rest.step();
            rest.optimizer.restore(&mut kept, to).expect("fits");
            rest.module = replace(rest.module, onto(values));
            rest.average = Average::new(0.9, onto(averages));
            rest.step = 6;
            for _ in 0..6 {
                whole.step();
                rest.step();
            }
            let (values, averages, kept) = whole.numbers();
            let (values_rest, averages_rest, kept_rest) = rest.numbers();
            let pairs = values.iter().zip(&values_rest);
            for (expected, actual) in pairs.chain(averages.iter().zip(&averages_rest)) {
                let off = difference(actual, expected);
                assert!(off <= TOLERANCE, "{}: {off:e}", case.name);
            }
            if std::ptr::eq(from, to) {
                assert_eq!(values, values_rest, "{}: not the same bits", case.name);
                assert_eq!(kept.tensors, kept_rest.tensors, "{}", case.name);
            }
        }
    }
}

/// Kernels that are taken out of use in the middle of a run take nothing with them.
#[test]
#[ignore = "needs a Vulkan driver"]
fn a_run_outlives_its_kernels() {
    let device = open();
    let case = &cases()[3];
    let mut run = Run::new(case, &device);
    let mut expected = Run::new(case, &device);
    for step in 0..9 {
        let gpu = Gpu::of(&device).expect("a GPU");
        gpu.set_enabled(!(3..6).contains(&step));
        run.step();
        assert_eq!(run.optimizer.flat().is_some(), !(3..6).contains(&step));
        gpu.set_enabled(true);
        expected.step();
    }
    let (values, averages, kept) = run.numbers();
    let (expected, expected_averages, expected_kept) = expected.numbers();
    let kept = kept.tensors.values().map(|tensor| &tensor.data);
    let expected_kept = expected_kept.tensors.values().map(|tensor| &tensor.data);
    let pairs = values.iter().chain(&averages).chain(kept);
    let pairs = pairs.zip(
        expected
            .iter()
            .chain(&expected_averages)
            .chain(expected_kept),
    );
    for (place, (actual, expected)) in pairs.enumerate() {
        let off = difference(actual, expected);
        assert!(off <= TOLERANCE, "list {place}: {off:e}");
    }
}
