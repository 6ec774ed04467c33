//! The names of tensors, from whatever a file says to ours and back.

use std::collections::BTreeMap;

use retune::config::{Arch, HeadKind};

use retune::model::head::HeadSpec;
use retune::weights::{Checkpoint, TimmNames, names, read};

use super::{Shaped, file, fill, timm_b0};

fn shapes(checkpoint: &Checkpoint) -> BTreeMap<String, Vec<usize>> {
    let tensors = checkpoint.tensors.iter();
    tensors
        .map(|(name, entry)| (name.clone(), entry.shape.clone()))
        .collect()
}

/// The backbone's tensors and ImageNet's last layer, under the names used inside.
fn inside(arch: Arch) -> BTreeMap<String, Vec<usize>> {
    let head = HeadSpec::of(HeadKind::Linear, arch.graph().features(), 1000);
    arch.graph()
        .tensors()
        .into_iter()
        .chain(head.tensors())
        .collect()
}

#[test]
fn timms_efficientnet_is_torchvisions_by_other_names() {
    let checkpoint = read("timm", &file(&timm_b0())).unwrap();
    assert_eq!(shapes(&checkpoint), inside(Arch::EfficientNetB0));
    // The tf_ models have the same names and shapes.
    assert_eq!(checkpoint.timm, Some(TimmNames::EfficientNet));
    // Equal shapes could still be swapped: modules that do not stand in the same order in both.
    for (timm, ours) in [
        ("blocks.0.0.conv_pw.weight", "features.1.0.block.2.0.weight"),
        ("blocks.0.0.bn2.bias", "features.1.0.block.2.1.bias"),
        ("blocks.1.1.bn1.weight", "features.2.1.block.0.1.weight"),
        ("blocks.1.1.bn2.weight", "features.2.1.block.1.1.weight"),
        (
            "blocks.6.0.se.conv_reduce.bias",
            "features.7.0.block.2.fc1.bias",
        ),
        (
            "blocks.6.0.bn3.running_var",
            "features.7.0.block.3.1.running_var",
        ),
        ("bn1.running_mean", "features.0.1.running_mean"),
    ] {
        let entry = &checkpoint.tensors[ours];
        assert_eq!(entry.data, fill(timm, &entry.shape), "{ours}");
    }
}

/// A `ResNet`'s tensor as Hugging Face's transformers call it.
fn in_transformers(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let module = |part: &str| {
        let (kind, i) = part.split_at(part.len() - 1);
        let kind = if kind == "conv" {
            "convolution"
        } else {
            "normalization"
        };
        (kind, i.parse::<usize>().unwrap() - 1)
    };
    match parts[..] {
        ["fc", rest] => format!("classifier.1.{rest}"),
        [stem, rest] => format!("resnet.embedder.embedder.{}.{rest}", module(stem).0),
        [stage, block, "downsample", i, rest] => {
            let kind = ["convolution", "normalization"][i.parse::<usize>().unwrap()];
            let (_, stage) = module(stage);
            format!("resnet.encoder.stages.{stage}.layers.{block}.shortcut.{kind}.{rest}")
        }
        [stage, block, part, rest] => {
            let ((_, stage), (kind, i)) = (module(stage), module(part));
            format!("resnet.encoder.stages.{stage}.layers.{block}.layer.{i}.{kind}.{rest}")
        }
        _ => panic!("{name}"),
    }
}

#[test]
fn a_resnet_of_transformers_is_torchvisions_by_other_names() {
    for arch in [Arch::ResNet18, Arch::ResNet50] {
        let wanted = inside(arch);
        let theirs: Vec<Shaped> = wanted
            .iter()
            .map(|(name, shape)| (in_transformers(name), shape.clone()))
            .collect();
        let checkpoint = read("transformers", &file(&theirs)).unwrap();
        assert_eq!(shapes(&checkpoint), wanted, "{arch:?}");
        for (name, entry) in &checkpoint.tensors {
            assert_eq!(
                entry.data,
                fill(&in_transformers(name), &entry.shape),
                "{name}"
            );
        }
    }
}

#[test]
fn the_old_spelling_of_a_densenet_is_read() {
    let arch = Arch::Densenet121;
    let mut old = 0;
    let spelled: Vec<Shaped> = arch
        .graph()
        .tensors()
        .into_iter()
        .map(|(name, shape)| {
            let mut written = name.clone();
            if name.contains(".denselayer") {
                for module in ["norm", "conv"] {
                    for n in 1..=2 {
                        let from = format!(".{module}{n}.");
                        written = written.replace(&from, &format!(".{module}.{n}."));
                    }
                }
            }
            old += usize::from(written != name);
            (written, shape)
        })
        .chain([
            ("classifier.weight".into(), vec![1000, 1024]),
            ("classifier.bias".into(), vec![1000]),
        ])
        .collect();
    assert_eq!(old, 58 * 10);
    let checkpoint = read("old", &file(&spelled)).unwrap();
    assert_eq!(shapes(&checkpoint), inside(arch));
}

#[test]
fn the_features_of_a_network_are_read_without_their_module() {
    for arch in [Arch::Densenet121, Arch::EfficientNetB0] {
        // The state dict of model.features, the same in a Sequential and in a class, with a head beside it.
        for (prefix, head) in [
            ("", None),
            ("0.", Some("3")),
            ("backbone.", Some("classifier")),
        ] {
            let within = |name: &str| format!("{prefix}{}", name.replacen("features.", "", 1));
            let mut wanted: BTreeMap<String, Vec<usize>> =
                arch.graph().tensors().into_iter().collect();
            let mut written: Vec<Shaped> = wanted
                .iter()
                .map(|(name, shape)| (within(name), shape.clone()))
                .collect();
            if let Some(head) = head {
                for (part, shape) in [
                    ("weight", vec![6, arch.graph().features()]),
                    ("bias", vec![6]),
                ] {
                    written.push((format!("{head}.{part}"), shape.clone()));
                    wanted.insert(format!("fc.{part}"), shape);
                }
            }
            let checkpoint = read("features", &file(&written)).unwrap();
            assert_eq!(shapes(&checkpoint), wanted, "{arch:?} below {prefix:?}");
            // Nothing shows whether the ReLU is there that torchvision has behind a DenseNet's.
            let said = checkpoint.warnings.iter().any(|w| w.contains("ReLU"));
            assert_eq!(said, arch == Arch::Densenet121 && head.is_some());
        }
    }
}

#[test]
fn heads_are_written_as_torchvision_names_them_and_read_back() {
    for family in [Arch::ResNet18, Arch::Densenet121, Arch::EfficientNetB0] {
        let called = family.graph().head;
        for kind in HeadKind::ALL {
            let spec = HeadSpec::of(kind, 8, 3);
            let written: Vec<Shaped> = spec
                .tensors()
                .into_iter()
                .map(|(name, shape)| (names::of_head(&called, &name), shape))
                .collect();
            let first = match (family, kind) {
                (Arch::ResNet18, HeadKind::Linear) => "fc.weight",
                (Arch::ResNet18, _) => "fc.0.weight",
                (Arch::Densenet121, HeadKind::Linear) => "classifier.weight",
                (Arch::EfficientNetB0, HeadKind::Linear) => "classifier.1.weight",
                _ => "classifier.0.weight",
            };
            assert_eq!(written[0].0, first);
            let back = read("head", &file(&written)).unwrap();
            let wanted: BTreeMap<_, _> = spec.tensors().into_iter().collect();
            assert_eq!(shapes(&back), wanted, "{family:?} {kind:?}");
        }
    }
    // In place of the linear layer behind the dropout, and where the file says nothing of a backbone.
    let inner = ["classifier.1.0.weight", "classifier.1.2.weight"];
    let back = read("head", &file(&inner.map(|n| (n.to_string(), vec![2, 2])))).unwrap();
    assert_eq!(
        back.tensors.keys().collect::<Vec<_>>(),
        ["fc.0.weight", "fc.2.weight"]
    );
}

#[test]
fn others_classifiers_keep_their_names() {
    // features and classifier, but nothing that is known here.
    let vgg = ["features.1.weight", "classifier.0.weight"].map(|n| (n.to_string(), vec![2, 2]));
    let back = read("vgg", &file(&vgg)).unwrap();
    assert!(back.tensors.contains_key("classifier.0.weight"));
}
