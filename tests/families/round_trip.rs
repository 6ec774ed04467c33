//! A file through the engine: imported, trained on, handed out, imported again.

use std::cell::RefCell;
use std::rc::Rc;

use retune::classes::INTEL;
use retune::config::{Arch, DeviceChoice, Scope, TrainConfig};
use retune::data::demo;
use retune::engine::{Desk, Engine, Order};
use retune::image::encode_png;
use retune::model::arch::tensors;
use retune::platform::files::InputFile;
use retune::protocol::{Command, DatasetSource, Event, ExportKind, FileRef};

use super::{file, timm_b0};

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
