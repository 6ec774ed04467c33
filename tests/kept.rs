//! Promise: a model whose convolutions were trained is exported whole even where its head is asked for, and
//! is there again at the next start. One test, in a process of its own, because it has its own store.

use std::cell::RefCell;
use std::rc::Rc;

use retune::classes::INTEL;
use retune::config::{DeviceChoice, Scope, TrainConfig};
use retune::data::demo;
use retune::engine::{Desk, Engine, Order};
use retune::image::encode_png;
use retune::model::weights::{self, Checkpoint, bundled};
use retune::platform::files::InputFile;
use retune::protocol::{Command, DatasetSource, Event, ExportKind, FileRef};

const START: Command = Command::Start {
    device: DeviceChoice::Cpu,
    hub: None,
};

fn file(name: &str, bytes: &[u8]) -> (FileRef, Vec<InputFile>) {
    let path = name.to_string();
    let handle = InputFile::memory(name, bytes.to_vec());
    (FileRef { path, slot: 0 }, vec![handle])
}

fn order(command: Command) -> Order {
    let files = Vec::new();
    Order { command, files }
}

fn classify() -> Order {
    let photo = encode_png(&demo::draw(1, 0, 64, 9)).unwrap();
    let (file, files) = file("photo.png", &photo);
    let (job, named) = (90, vec![file]);
    let command = Command::Classify { job, files: named };
    Order { command, files }
}

/// A folder without test images: an evaluation is then on the validation images.
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
    let command = Command::OpenDataset { job: 1, source };
    Order { command, files }
}

fn export(what: ExportKind) -> Order {
    order(Command::Export { job: 91, what })
}

fn import(bytes: &[u8]) -> Order {
    let (file, files) = file("exported.safetensors", bytes);
    let (job, arch) = (92, None);
    let command = Command::Import { job, file, arch };
    Order { command, files }
}

type Said = Vec<(Event, Vec<Vec<u8>>)>;

/// Has an engine of its own obey, and says what it said.
fn obey(keeps: bool, orders: Vec<Order>) -> Said {
    let said: Rc<RefCell<Said>> = Rc::default();
    let heard = said.clone();
    // Nobody sends: an image that came during the training would be answered by the model before it.
    let (_, inbox) = async_channel::unbounded();
    let emit = move |event, blobs| heard.borrow_mut().push((event, blobs));
    let engine = Engine::new(Desk::new(inbox, Box::new(emit)));
    let mut engine = if keeps { engine } else { engine.forgetful() };
    for order in orders {
        pollster::block_on(engine.obey(order));
    }
    let said = said.take();
    for (event, _) in &said {
        assert!(!matches!(event, Event::Failed { .. }), "{event:?}");
    }
    said
}

fn probabilities(said: &Said) -> Vec<f32> {
    let found = said.iter().find_map(|(event, _)| match event {
        Event::Classified { probabilities, .. } => Some(probabilities.clone()),
        _ => None,
    });
    found.expect("a photo was classified")
}

fn exports(said: &Said) -> Vec<(String, Vec<u8>)> {
    let export = |(event, blobs): &(Event, Vec<Vec<u8>>)| match event {
        Event::Exported { name, .. } => Some((name.clone(), blobs[0].clone())),
        _ => None,
    };
    said.iter().filter_map(export).collect()
}

fn warns(said: &Said, of: &str) -> bool {
    let mut events = said.iter().map(|(event, _)| event);
    events.any(|event| matches!(event, Event::Warning { text } if text.contains(of)))
}

fn assert_close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

fn bundled() -> Checkpoint {
    let mut progress = |_, _| std::ops::ControlFlow::Continue(());
    let bytes = pollster::block_on(bundled::load(&mut progress)).unwrap();
    weights::read("bundled", &bytes).unwrap()
}

#[test]
fn tuned_convolutions_are_exported_and_kept() {
    let folder = std::env::temp_dir().join(format!("retune-kept-{}", std::process::id()));
    // SAFETY: this process runs one test, and nothing has begun a thread that reads the environment.
    unsafe { std::env::set_var("RETUNE_CACHE", &folder) };

    let config = TrainConfig {
        scope: Scope::LastStage,
        epochs: 2,
        batch: 9,
        val_fraction: 0.25,
        ..TrainConfig::default()
    };
    let said = obey(
        true,
        vec![
            order(START),
            data(),
            order(Command::Train {
                job: 2,
                config,
                seeds: 1,
            }),
            classify(),
            order(Command::Evaluate { job: 3 }),
            export(ExportKind::Head),
            export(ExportKind::Model),
        ],
    );
    let events = || said.iter().map(|(event, _)| event);
    assert!(events().any(|e| matches!(e, Event::Tuning { kept: true, .. })));
    let epochs: Vec<_> = events()
        .filter_map(|event| match event {
            Event::Epoch { report, .. } => Some(*report),
            _ => None,
        })
        .collect();
    assert_eq!(epochs.len(), 2);
    // Features of the untuned backbone are not used for the tuned one's head.
    let best = events().find_map(|event| match event {
        Event::Trained { best_epoch, .. } => Some(epochs[best_epoch - 1]),
        _ => None,
    });
    let evaluated = events().find_map(|event| match event {
        Event::Evaluated { report, .. } => Some(report.loss),
        _ => None,
    });
    let (best, evaluated) = (best.unwrap().val_loss, evaluated.unwrap());
    assert!((best - evaluated).abs() < 1e-5, "{best} {evaluated}");

    // Asked for the head, it gives the whole model, and says so.
    let exported = exports(&said);
    assert_eq!(exported[0].0, "resnet18-retuned.safetensors");
    assert_eq!(exported[0], exported[1]);
    assert!(warns(&said, "whole model"));
    // What was not trained is as it came, batch norm included; what was is another.
    let (before, after) = (bundled(), weights::read("export", &exported[1].1).unwrap());
    for (name, entry) in &before.tensors {
        let same = after.tensors.get(name) == Some(entry);
        let trained = name.starts_with("layer4.") || name.starts_with("fc.");
        assert_eq!(same, !trained, "{name}");
    }

    let photo = probabilities(&said);
    let said = obey(
        true,
        vec![order(START), classify(), export(ExportKind::Head)],
    );
    assert!(!warns(&said, "kept"), "{said:?}");
    assert_close(&photo, &probabilities(&said));
    assert_eq!(exports(&said)[0].0, "resnet18-retuned.safetensors");

    // And another engine takes the file in.
    let said = obey(
        false,
        vec![order(START), import(&exported[1].1), classify()],
    );
    assert_close(&photo, &probabilities(&said));
    std::fs::remove_dir_all(&folder).unwrap();
}
