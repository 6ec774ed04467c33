//! Promise: a `DenseNet` or an `EfficientNet` is read under every spelling of its tensors that is about,
//! trained on, handed out under torchvision's names, and read back; what cannot be done with it is refused.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use retune::classes::INTEL;
use retune::config::{Arch, DeviceChoice, Family, HeadKind, Scope, TrainConfig};
use retune::data::demo;
use retune::engine::{Desk, Engine, Order};
use retune::error::Error;
use retune::image::encode_png;
use retune::model::arch::{check_scope, features, tensors};
use retune::model::head::HeadSpec;
use retune::model::inspect::inspect;
use retune::model::weights::{Checkpoint, NamedTensor, SaveAs, hub, names, read, save};
use retune::platform::files::InputFile;
use retune::protocol::{Command, DatasetSource, Event, ExportKind, FileRef};

type Shaped = (String, Vec<usize>);

/// Values that keep the sums of a network finite: variances and scales about 1, the others about 0.
fn fill(name: &str, shape: &[usize]) -> Vec<f32> {
    let n: usize = shape.iter().product();
    let fan_in = shape.iter().skip(1).product::<usize>().max(1);
    let value = |i: usize| {
        let u = ((i * 7919 + name.len() * 104_729) % 2003) as f32 / 2003.0;
        if name.ends_with("running_var") || (shape.len() == 1 && name.ends_with("weight")) {
            0.5 + u
        } else {
            (2.0 * u - 1.0) * (3.0 / fan_in as f32).sqrt()
        }
    };
    (0..n).map(value).collect()
}

/// The bytes of a checkpoint with tensors of these names and shapes, for images of 32 x 32.
fn file(shapes: &[Shaped]) -> Vec<u8> {
    let tensors: Vec<NamedTensor> = shapes
        .iter()
        .map(|(name, shape)| (name.clone(), shape.clone(), fill(name, shape)))
        .collect();
    let metadata = [("input".to_string(), "32".to_string())].into();
    save(&tensors, &metadata, SaveAs::F32).unwrap()
}

fn shapes(checkpoint: &Checkpoint) -> BTreeMap<String, Vec<usize>> {
    let tensors = checkpoint.tensors.iter();
    tensors
        .map(|(name, entry)| (name.clone(), entry.shape.clone()))
        .collect()
}

/// The backbone's tensors and ImageNet's last layer, under the names used inside.
fn inside(arch: Arch) -> BTreeMap<String, Vec<usize>> {
    let head = HeadSpec::of(HeadKind::Linear, features(arch), 1000);
    tensors(arch).into_iter().chain(head.tensors()).collect()
}

/// timm's `efficientnet_b0`, from its own description: `ds_r1_k3_s1_e1_c16_se0.25`, `ir_r2_k3_s2_e6_c24_se0.25`
/// and so on (`_gen_efficientnet`), with the modules of `DepthwiseSeparableConv` and `InvertedResidual`.
fn timm_b0() -> Vec<Shaped> {
    let mut out: Vec<Shaped> = Vec::new();
    let mut conv =
        |name: String, shape: [usize; 4]| out.push((format!("{name}.weight"), shape.into()));
    let stages = [
        (1, 3, 16, 1),
        (2, 3, 24, 6),
        (2, 5, 40, 6),
        (3, 3, 80, 6),
        (3, 5, 112, 6),
        (4, 5, 192, 6),
        (1, 3, 320, 6),
    ];
    let mut norms = vec![("bn1".to_string(), 32), ("bn2".to_string(), 1280)];
    let mut biases = Vec::new();
    let mut channels = 32;
    conv("conv_stem".into(), [32, 3, 3, 3]);
    for (stage, (repeats, kernel, out, expansion)) in stages.into_iter().enumerate() {
        for repeat in 0..repeats {
            let at = |module: &str| format!("blocks.{stage}.{repeat}.{module}");
            let (mid, squeezed) = (channels * expansion, channels / 4);
            conv(at("conv_dw"), [mid, 1, kernel, kernel]);
            conv(at("se.conv_reduce"), [squeezed, mid, 1, 1]);
            conv(at("se.conv_expand"), [mid, squeezed, 1, 1]);
            biases.extend([
                (at("se.conv_reduce"), squeezed),
                (at("se.conv_expand"), mid),
            ]);
            if expansion == 1 {
                conv(at("conv_pw"), [out, mid, 1, 1]);
                norms.extend([(at("bn1"), mid), (at("bn2"), out)]);
            } else {
                conv(at("conv_pw"), [mid, channels, 1, 1]);
                conv(at("conv_pwl"), [out, mid, 1, 1]);
                norms.extend([(at("bn1"), mid), (at("bn2"), mid), (at("bn3"), out)]);
            }
            channels = out;
        }
    }
    conv("conv_head".into(), [1280, 320, 1, 1]);
    for (name, n) in norms {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            out.push((format!("{name}.{part}"), vec![n]));
        }
    }
    out.extend(
        biases
            .into_iter()
            .map(|(name, n)| (format!("{name}.bias"), vec![n])),
    );
    out.push(("classifier.weight".into(), vec![1000, 1280]));
    out.push(("classifier.bias".into(), vec![1000]));
    out
}

#[test]
fn timms_efficientnet_is_torchvisions_by_other_names() {
    let checkpoint = read("timm", &file(&timm_b0())).unwrap();
    assert_eq!(shapes(&checkpoint), inside(Arch::EfficientNetB0));
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

#[test]
fn the_old_spelling_of_a_densenet_is_read() {
    let arch = Arch::Densenet121;
    let mut old = 0;
    let spelled: Vec<Shaped> = tensors(arch)
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
fn heads_are_written_as_torchvision_names_them_and_read_back() {
    for family in [Family::ResNet, Family::DenseNet, Family::EfficientNet] {
        for kind in HeadKind::ALL {
            let spec = HeadSpec::of(kind, 8, 3);
            let written: Vec<Shaped> = spec
                .tensors()
                .into_iter()
                .map(|(name, shape)| (names::of_head(family, &name), shape))
                .collect();
            let first = match (family, kind) {
                (Family::ResNet, HeadKind::Linear) => "fc.weight",
                (Family::ResNet, _) => "fc.0.weight",
                (Family::DenseNet, HeadKind::Linear) => "classifier.weight",
                (Family::EfficientNet, HeadKind::Linear) => "classifier.1.weight",
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
    // VGG's: features and classifier, but nothing that is known here.
    let vgg = ["features.0.weight", "classifier.0.weight"].map(|n| (n.to_string(), vec![2, 2]));
    let back = read("vgg", &file(&vgg)).unwrap();
    assert!(back.tensors.contains_key("classifier.0.weight"));
}

#[test]
fn only_the_head_of_these_is_trained() {
    for arch in Arch::ALL {
        for scope in Scope::ALL {
            let checked = check_scope(arch, scope);
            if scope == Scope::Head || arch.family() == Family::ResNet {
                assert_eq!(checked, Ok(()));
            } else {
                let Err(error @ Error::Shape { .. }) = checked else {
                    panic!("{arch:?} {scope:?}: {checked:?}");
                };
                let text = error.to_string();
                assert!(
                    text.contains(scope.name()) && text.contains(arch.name()),
                    "{text}"
                );
                assert!(text.contains("only the head"), "{text}");
            }
        }
    }
}

#[test]
fn every_backbone_has_weights_for_its_family() {
    for arch in Arch::ALL {
        let known = hub::Pretrained::of(arch);
        assert!(known.repository.contains(arch.name()), "{arch:?}");
        assert_eq!(known.preprocess().check(), Ok(()));
    }
}

#[test]
fn an_image_too_small_for_the_pools_is_refused() {
    let table = |size| {
        let head = HeadSpec::of(HeadKind::Linear, 1024, 2);
        inspect(Arch::Densenet121, &head, size)
    };
    // torchvision documents 29 as the least.
    assert!(table(29).is_ok());
    assert!(table(28).unwrap_err().to_string().contains("28 pixels"));
}

type Said = Vec<(Event, Vec<Vec<u8>>)>;

/// A job for an engine.
fn order(command: Command) -> Order {
    let files = Vec::new();
    Order { command, files }
}

fn start() -> Order {
    let (device, hub) = (DeviceChoice::Cpu, None);
    order(Command::Start { device, hub })
}

/// One file, as an order carries it.
fn handed(name: &str, bytes: &[u8]) -> (FileRef, Vec<InputFile>) {
    let path = name.to_string();
    let handle = InputFile::memory(name, bytes.to_vec());
    (FileRef { path, slot: 0 }, vec![handle])
}

fn import(bytes: &[u8]) -> Order {
    let (file, files) = handed("model.safetensors", bytes);
    let (job, arch) = (1, None);
    let command = Command::Import { job, file, arch };
    Order { command, files }
}

fn classify() -> Order {
    let photo = encode_png(&demo::draw(1, 0, 64, 9)).unwrap();
    let (file, files) = handed("photo.png", &photo);
    let (job, named) = (2, vec![file]);
    let command = Command::Classify { job, files: named };
    Order { command, files }
}

fn data() -> Order {
    let (mut named, mut files) = (Vec::new(), Vec::new());
    for i in 0..24 {
        let (class, index) = (i % 6, i / 6);
        let path = format!("scenes/{}/{index}.png", INTEL[class]);
        let drawn = encode_png(&demo::draw(class, index, 48, 1)).unwrap();
        files.push(InputFile::memory(&path, drawn));
        let slot = i as u32;
        named.push(FileRef { path, slot });
    }
    let source = DatasetSource::Folder { files: named };
    let command = Command::OpenDataset { job: 3, source };
    Order { command, files }
}

fn train(scope: Scope) -> Order {
    let config = TrainConfig {
        scope,
        epochs: 2,
        batch: 9,
        ..TrainConfig::default()
    };
    let (job, seeds) = (4, 1);
    order(Command::Train { job, config, seeds })
}

fn export(what: ExportKind) -> Order {
    order(Command::Export { job: 5, what })
}

/// What an engine says to these orders.
fn obey(orders: Vec<Order>) -> Said {
    let said: Rc<RefCell<Said>> = Rc::default();
    let heard = said.clone();
    let (_, inbox) = async_channel::unbounded();
    let emit = move |event, blobs| heard.borrow_mut().push((event, blobs));
    let mut engine = Engine::new(Desk::new(inbox, Box::new(emit))).forgetful();
    for order in orders {
        pollster::block_on(engine.obey(order));
    }
    drop(engine);
    said.take()
}

fn failures(said: &Said) -> Vec<String> {
    let failure = |(event, _): &(Event, Vec<Vec<u8>>)| match event {
        Event::Failed { .. } => Some(format!("{event:?}")),
        _ => None,
    };
    said.iter().filter_map(failure).collect()
}

fn probabilities(said: &Said) -> Vec<f32> {
    let found = said.iter().find_map(|(event, _)| match event {
        Event::Classified { probabilities, .. } => Some(probabilities.clone()),
        _ => None,
    });
    found.expect("a photo was classified")
}

fn exports(said: &Said) -> Vec<Vec<u8>> {
    let exported = said.iter();
    exported
        .filter(|(event, _)| matches!(event, Event::Exported { .. }))
        .map(|(_, blobs)| blobs[0].clone())
        .collect()
}

/// Imports a file, trains a head on it, exports it, and has another engine take it in; gives the exported
/// head and model.
fn round_trip(original: &[u8]) -> [Vec<u8>; 2] {
    let said = obey(vec![
        start(),
        data(),
        import(original),
        train(Scope::LastStage),
        train(Scope::Head),
        classify(),
        export(ExportKind::Head),
        export(ExportKind::Model),
    ]);
    let failures = failures(&said);
    assert!(
        failures.len() == 1 && failures[0].contains("only the head can be trained"),
        "{failures:?}"
    );
    assert!(said.iter().any(|(e, _)| matches!(e, Event::Trained { .. })));
    let photo = probabilities(&said);
    assert_eq!(photo.len(), 6);
    let [head, model] = <[_; 2]>::try_from(exports(&said)).unwrap();
    let alone = obey(vec![start(), import(original), import(&head), classify()]);
    assert_eq!(probabilities(&alone), photo);
    let whole = obey(vec![start(), import(&model), classify()]);
    assert_eq!(probabilities(&whole), photo);
    [head, model]
}

/// Names in a file as they are written, shapes aside.
fn written(bytes: &[u8]) -> Vec<String> {
    let parsed = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let mut names: Vec<_> = parsed.names().iter().map(ToString::to_string).collect();
    names.sort();
    names
}

#[test]
fn an_efficientnet_from_timm_is_trained_on_and_handed_out_as_torchvisions() {
    let [head, model] = round_trip(&file(&timm_b0()));
    let own = ["classifier.1.bias", "classifier.1.weight"].map(str::to_string);
    assert_eq!(written(&head), own);
    let mut wanted: Vec<_> = tensors(Arch::EfficientNetB0)
        .into_iter()
        .map(|(name, _)| name)
        .chain(own)
        .collect();
    wanted.sort();
    assert_eq!(written(&model), wanted);
}

#[test]
fn a_densenet_is_trained_on_and_handed_out() {
    let mut whole = tensors(Arch::Densenet121);
    whole.push(("classifier.weight".into(), vec![1000, 1024]));
    whole.push(("classifier.bias".into(), vec![1000]));
    let [head, model] = round_trip(&file(&whole));
    let own = ["classifier.bias", "classifier.weight"].map(str::to_string);
    assert_eq!(written(&head), own);
    let mut wanted: Vec<_> = whole.into_iter().map(|(name, _)| name).collect();
    wanted.sort();
    assert_eq!(written(&model), wanted);
}
