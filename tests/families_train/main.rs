//! Promise: every network of the table trains on the CPU. Cut anywhere, the frozen part and the trained one together
//! compute what the frozen network does; gradients are right in every stage; what was trained goes through a
//! checkpoint; five steps are PyTorch's.
//!
//! Weights and images are by formula (tests/formula). The largest members, which share their code with the others, are
//! left to `cargo test --release --test families_train -- --ignored large --test-threads 1`, the senets and nasnets
//! among them.

mod cut;
#[path = "../formula/mod.rs"]
mod formula;
mod gradients;
mod smoke;
mod state;
mod steps;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use formula::{fill, uniform};
use retune::error::Result;
use retune::model::backbone::Backbone;
use retune::model::head::to_host;
use retune::network::{Arch, Graph};

/// Classes of the images.
const CLASSES: usize = 6;

fn label(image: usize) -> usize {
    image * 5 % CLASSES
}

/// Normalised pixels `[3,S,S]`, by the formula of tests/fixtures/trajectory/make_families.py: blocks, which make the
/// images differ from one another, noise, and a wave.
fn image(i: usize, size: usize) -> Vec<f32> {
    let blocks: Vec<f64> = uniform(&format!("trajectory blocks {i}"), 3 * 4 * 4).collect();
    let noise = uniform(&format!("trajectory image {i}"), 3 * size * size);
    let wave = (label(i) + 1) as f64 * std::f64::consts::TAU / size as f64;
    let pixel = |(at, v): (usize, f64)| {
        let (channel, y, x) = (at / size / size, at / size % size, at % size);
        let u = blocks[(channel * 4 + y * 4 / size) * 4 + x * 4 / size];
        let value = (4.0 * u - 2.0) + (3.0 * v - 1.5) + (wave * x as f64).cos() / 2.0;
        value as f32
    };
    noise.enumerate().map(pixel).collect()
}

/// So many images `[N,3,S,S]`, from one of them on.
fn images(first: usize, n: usize, size: usize, device: &Device) -> Tensor<4> {
    let pixels: Vec<f32> = (first..first + n).flat_map(|i| image(i, size)).collect();
    Tensor::from_data(TensorData::new(pixels, [n, 3, size, size]), device)
}

/// The values of a backbone's tensor.
fn take(name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    Ok(fill(name, shape))
}

/// The smallest of a few edges, from `least` on, that a network takes.
fn edge(graph: &Graph, least: usize) -> usize {
    let mut edges = [32, 64, 96].into_iter();
    let fits = edges.find(|edge| *edge >= least && graph.shapes([*edge; 2]).is_ok());
    fits.expect("96 pixels are enough for all")
}

fn backbone(arch: Arch) -> Backbone {
    Backbone::load(arch, &Device::flex(), take).unwrap()
}

fn host<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    pollster::block_on(to_host(x)).unwrap()
}

/// The largest difference over the largest value, and where it is; fails if it is above the tolerance, or no number.
fn assert_close(what: &str, got: &[f32], want: &[f32], tolerance: f64) -> f64 {
    assert_eq!(got.len(), want.len(), "{what}: how many");
    let largest = want.iter().fold(0.0, |top, v| f64::from(v.abs()).max(top));
    let mut worst = (0, 0.0);
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        let difference = (f64::from(*got) - f64::from(*want)).abs() / largest;
        if difference.is_nan() || difference > worst.1 {
            worst = (at, difference);
        }
    }
    let (at, difference) = worst;
    assert!(
        difference <= tolerance && largest > 0.0,
        "{what}: at {at} {} against {}, a difference of {difference:.1e} of the largest value, {largest:.3}; \
         {tolerance:.0e} is allowed",
        got[at],
        want[at]
    );
    difference
}

/// Adds numbers to one parameter of a module, or to all.
struct Mover<F> {
    at: usize,
    /// The change of parameter i, of so many values.
    change: F,
}

impl<F: FnMut(usize, usize) -> Option<Vec<f32>>> ModuleMapper for Mover<F> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let at = self.at;
        self.at += 1;
        let dims = param.dims();
        let Some(change) = (self.change)(at, dims.iter().product()) else {
            return param;
        };
        let (id, old, _) = param.consume();
        let change = Tensor::from_data(TensorData::new(change, dims), &old.device());
        Param::initialized(id, old + change)
    }
}

/// A module without gradients whose parameters were changed: that of the number and the length, if any.
fn moved<M: Module>(module: M, change: impl FnMut(usize, usize) -> Option<Vec<f32>>) -> M {
    module.map(&mut Mover { at: 0, change })
}

/// A test for each group of networks, so that they run side by side.
macro_rules! for_every_family {
    ($run:ident) => {
        for_every_family! { $run:
            resnets: "ResNet" small,
            #[ignore = "large"] resnets_large: "ResNet" large,
            densenets: "DenseNet" small,
            #[ignore = "large"] densenets_large: "DenseNet" large,
            efficientnets: "EfficientNet" small,
            #[ignore = "large"] efficientnets_large: "EfficientNet" large,
            efficientnet_lites: "EfficientNet-Lite" small,
            mobilenets: "MobileNet" small,
            inceptions: "Inception" small,
            vggs: "VGG" small,
            #[ignore = "large"] vggs_large: "VGG" large,
            lenets: "LeNet" small,
            alexnets: "AlexNet" small,
            #[ignore = "large"] inception_v4_large: "Inception-v4" large,
            inception_resnets: "Inception-ResNet" small,
            xceptions: "Xception" small,
            #[ignore = "large"] senets_large: "SENet" large,
            #[ignore = "large"] nasnets_large: "NASNet" large,
            #[ignore = "large"] pnasnets_large: "PNASNet" large,
        }
    };
    ($run:ident: $($(#[$attribute:meta])* $name:ident: $family:literal $part:ident,)*) => {
        $(#[test] $(#[$attribute])* fn $name() {
            for arch in crate::members($family, stringify!($part) == "large") {
                $run(arch);
            }
        })*
    };
}
use for_every_family;

/// What takes too long or too much memory for every change.
const LARGE: [Arch; 18] = [
    Arch::ResNet101,
    Arch::ResNet152,
    Arch::WideResNet50,
    Arch::WideResNet101,
    Arch::ResNext101,
    Arch::ResNext101x64,
    Arch::Densenet201,
    Arch::Densenet264,
    Arch::EfficientNetB5,
    Arch::EfficientNetB6,
    Arch::EfficientNetB7,
    Arch::Vgg16,
    Arch::Vgg19,
    Arch::Vgg19Bn,
    Arch::InceptionV4,
    Arch::SeNet154,
    Arch::NasNetALarge,
    Arch::PNasNet5Large,
];

/// The members of a family that are large, or are not.
fn members(family: &str, large: bool) -> Vec<Arch> {
    let of_family = Arch::ALL.iter().filter(|arch| arch.family() == family);
    let members: Vec<Arch> = of_family
        .filter(|arch| LARGE.contains(arch) == large)
        .copied()
        .collect();
    assert!(!members.is_empty(), "{family}");
    members
}

#[test]
fn every_member_is_in_a_family_that_is_tested() {
    let families = [
        "ResNet",
        "DenseNet",
        "EfficientNet",
        "EfficientNet-Lite",
        "MobileNet",
        "Inception",
        "VGG",
        "LeNet",
        "AlexNet",
        "Inception-v4",
        "Inception-ResNet",
        "Xception",
        "SENet",
        "NASNet",
        "PNASNet",
    ];
    for arch in Arch::ALL {
        assert!(
            families.contains(&arch.family()),
            "{arch}: {}",
            arch.family()
        );
    }
}
