//! Table 2 of Tan and Le 2019, "`EfficientNet`: Rethinking Model Scaling for Convolutional Neural Networks"
//! (arXiv:1905.11946v5): `EfficientNet`s beside the networks before them.
//!
//! What the paper calls FLOPs are multiply-adds. It takes the figures of other networks from their papers, which count
//! them for images of different sizes.

use super::figure::Figure;
use super::{Compared, Row, Table, Why};
use crate::network::Arch;
use crate::network::families::resnet::ResNet;
use crate::network::graph::{Graph, Op};
use crate::network::inspect::Cost;

/// Name, network if it is here, edge of the images, printed top-1 accuracy, parameters and multiply-adds.
type Printed = (
    &'static str,
    Option<Arch>,
    usize,
    f64,
    &'static str,
    Option<&'static str>,
);

/// The table, in its order. The edges are those of the networks' own papers, and are not printed here; 0 where there is
/// nothing to compute.
const PRINTED: [Printed; 24] = [
    (
        "EfficientNet-B0",
        Some(Arch::EfficientNetB0),
        224,
        77.1,
        "5.3M",
        Some("0.39B"),
    ),
    (
        "ResNet-50",
        Some(Arch::ResNet50),
        224,
        76.0,
        "26M",
        Some("4.1B"),
    ),
    (
        "DenseNet-169",
        Some(Arch::Densenet169),
        224,
        76.2,
        "14M",
        Some("3.5B"),
    ),
    (
        "EfficientNet-B1",
        Some(Arch::EfficientNetB1),
        240,
        79.1,
        "7.8M",
        Some("0.70B"),
    ),
    (
        "ResNet-152",
        Some(Arch::ResNet152),
        224,
        77.8,
        "60M",
        Some("11B"),
    ),
    (
        "DenseNet-264",
        Some(Arch::Densenet264),
        224,
        77.9,
        "34M",
        Some("6.0B"),
    ),
    (
        "Inception-v3",
        Some(Arch::InceptionV3),
        299,
        78.8,
        "24M",
        Some("5.7B"),
    ),
    (
        "Xception",
        Some(Arch::Xception),
        299,
        79.0,
        "23M",
        Some("8.4B"),
    ),
    (
        "EfficientNet-B2",
        Some(Arch::EfficientNetB2),
        260,
        80.1,
        "9.2M",
        Some("1.0B"),
    ),
    (
        "Inception-v4",
        Some(Arch::InceptionV4),
        299,
        80.0,
        "48M",
        Some("13B"),
    ),
    (
        "Inception-ResNet-v2",
        Some(Arch::InceptionResNetV2),
        299,
        80.1,
        "56M",
        Some("13B"),
    ),
    (
        "EfficientNet-B3",
        Some(Arch::EfficientNetB3),
        300,
        81.6,
        "12M",
        Some("1.8B"),
    ),
    (
        "ResNeXt-101",
        Some(Arch::ResNext101x64),
        320,
        80.9,
        "84M",
        Some("32B"),
    ),
    ("PolyNet", None, 0, 81.3, "92M", Some("35B")),
    (
        "EfficientNet-B4",
        Some(Arch::EfficientNetB4),
        380,
        82.9,
        "19M",
        Some("4.2B"),
    ),
    (
        "SENet",
        Some(Arch::SeNet154),
        320,
        82.7,
        "146M",
        Some("42B"),
    ),
    (
        "NASNet-A",
        Some(Arch::NasNetALarge),
        331,
        82.7,
        "89M",
        Some("24B"),
    ),
    ("AmoebaNet-A", None, 0, 82.8, "87M", Some("23B")),
    (
        "PNASNet",
        Some(Arch::PNasNet5Large),
        331,
        82.9,
        "86M",
        Some("23B"),
    ),
    (
        "EfficientNet-B5",
        Some(Arch::EfficientNetB5),
        456,
        83.6,
        "30M",
        Some("9.9B"),
    ),
    ("AmoebaNet-C", None, 0, 83.5, "155M", Some("41B")),
    (
        "EfficientNet-B6",
        Some(Arch::EfficientNetB6),
        528,
        84.0,
        "43M",
        Some("19B"),
    ),
    (
        "EfficientNet-B7",
        Some(Arch::EfficientNetB7),
        600,
        84.3,
        "66M",
        Some("37B"),
    ),
    ("GPipe", None, 0, 84.3, "557M", None),
];

/// The table.
#[must_use]
pub fn table() -> Table {
    Table {
        source: "Tan and Le 2019, table 2 (arXiv:1905.11946v5)",
        stages: Vec::new(),
        rows: PRINTED.iter().map(row).collect(),
    }
}

fn row(&(name, arch, edge, top1, parameters, multiply_adds): &Printed) -> Row {
    let graph = arch.map(Arch::graph);
    let graph = graph.as_ref();
    let cost = graph.and_then(|graph| Cost::of(graph, name, edge).ok());
    Row {
        name,
        arch,
        edge: arch.map(|_| edge),
        computed: cost,
        top1: Some(top1),
        parameters: Some(Compared::new(
            parameters,
            cost.map(|cost| cost.parameters),
            arch.zip(graph)
                .and_then(|(arch, graph)| why_parameters(arch, graph)),
        )),
        multiply_adds: multiply_adds.map(|printed| {
            let computed = cost.map(|cost| cost.multiply_adds);
            Compared::new(printed, computed, arch.and_then(why_multiply_adds))
        }),
        note: match arch.zip(multiply_adds) {
            Some((arch, printed)) => larger_images(arch, edge, printed),
            None => Some("printed only: not built here".to_owned()),
        },
    }
}

/// Why the parameters are not those printed, for the networks of which they are not.
fn why_parameters(arch: Arch, graph: &Graph) -> Option<Why> {
    Some(match arch {
        Arch::EfficientNetB2 | Arch::Densenet264 | Arch::ResNext101x64 => {
            let cost = Cost::of(graph, arch.name(), arch.row().size).ok()?;
            Why::guessed(
                "the print fits if the norms' running means and variances, which are not trained, are counted",
                cost.parameters + running(graph),
            )
        }
        Arch::InceptionV4 => Why::unknown(
            "not explained; the network that its authors published, whose weights timm has, is the computed one",
        ),
        Arch::SeNet154 => Why::unknown(
            "not explained; SENet-154 as its authors published it, whose weights timm has, is the computed one, and \
             its multiply-adds are those printed",
        ),
        _ => return None,
    })
}

/// Why the multiply-adds are not those printed, for the networks of which they are not.
fn why_multiply_adds(arch: Arch) -> Option<Why> {
    Some(match arch {
        Arch::ResNet152 => {
            let v1 = ResNet::bottleneck([3, 8, 36, 3], 1, 64).v1().graph();
            let cost = Cost::of(&v1, arch.name(), 224).ok()?;
            Why::computed(
                "the print is He et al.'s, whose stride sits in the first 1x1 (V1)",
                cost.multiply_adds,
            )
        }
        Arch::Densenet169 | Arch::Densenet264 => {
            Why::unknown("not explained; the print is 4 % more for both DenseNets")
        }
        Arch::EfficientNetB1 => Why::unknown("not explained; torchvision documents 0.69B, too"),
        Arch::EfficientNetB4 => Why::unknown("not explained; torchvision documents 4.39B, too"),
        Arch::EfficientNetB5 => Why::unknown("not explained; torchvision documents 10.27B, too"),
        Arch::EfficientNetB7 => Why::unknown("not explained; torchvision documents 37.75B, too"),
        Arch::InceptionV4 => Why::unknown("not explained; see the parameters"),
        Arch::PNasNet5Large => Why::said(
            "the print's own ratio to EfficientNet-B4, 6.0, is that of 25.0B, and so much Real et al. 2018 \
             (arXiv:1802.01548, table 2) print for PNASNet-5; 23B is AmoebaNet-A's, in the row above",
        ),
        _ => return None,
    })
}

/// What is to be said of a network that others know at 224 pixels and this table at more.
fn larger_images(arch: Arch, edge: usize, printed: &'static str) -> Option<String> {
    let what = match arch {
        Arch::ResNext101x64 => "64 groups of 4 channels",
        Arch::SeNet154 => "SENet-154",
        _ => return None,
    };
    let usual = arch.row().size;
    let cost = Cost::of(&arch.graph(), arch.name(), usual).ok()?;
    let less = Figure::new(printed).like(cost.multiply_adds);
    Some(format!(
        "{what}, on images of {edge} pixels; on those of {usual} it has {less}"
    ))
}

/// Values that a network's norms keep without training them: a mean and a variance for each channel.
fn running(graph: &Graph) -> u64 {
    let of = |op: &Op| match op {
        Op::Norm(norm) => 2 * norm.channels as u64,
        _ => 0,
    };
    graph.nodes.iter().map(|node| of(&node.op)).sum()
}
