//! Promise: a model whose convolutions were trained is exported whole even where its head is asked for, and
//! is there again at the next start. One test, in a process of its own, because it has its own store.

mod orders;

use orders::{
    Said, classify, data, export, exports, failures, import, order, probabilities, start,
};
use retune::config::{BundledModel, Scope, StartFrom, TrainConfig};
use retune::engine::Order;
use retune::protocol::{Command, Event, ExportKind, TrainEvent};
use retune::weights::{self, Bundled, Checkpoint};

/// Has an engine of its own handle, which fails at nothing.
fn handle(keeps: bool, orders: Vec<Order>) -> Said {
    let said = orders::handle(keeps, orders);
    assert_eq!(failures(&said), [""; 0]);
    said
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

fn train(config: TrainConfig) -> Command {
    Command::Train {
        config,
        seeds: 1,
        start: StartFrom::InUse,
    }
}

fn bundled() -> Checkpoint {
    let mut progress = |_, _| std::ops::ControlFlow::Continue(());
    let bytes = pollster::block_on(Bundled::of(BundledModel::Scenes).load(&mut progress)).unwrap();
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
    let said = handle(
        true,
        vec![
            start(),
            data(),
            order(2, train(config)),
            classify(),
            order(3, Command::Evaluate),
            export(ExportKind::Head),
            export(ExportKind::Model),
        ],
    );
    let events = || said.iter().map(|(event, _)| event);
    assert!(events().any(|e| matches!(e, Event::Training(TrainEvent::Tuning { kept: true, .. }))));
    let epochs: Vec<_> = events()
        .filter_map(|event| match event {
            Event::Training(TrainEvent::Epoch { report, .. }) => Some(report.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(epochs.len(), 2);
    // Features of the untuned backbone are not used for the tuned one's head.
    let best = events().find_map(|event| match event {
        Event::Training(TrainEvent::Trained { best_epoch, .. }) => {
            Some(epochs[best_epoch - 1].clone())
        }
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
    let said = handle(true, vec![start(), classify(), export(ExportKind::Head)]);
    assert!(!warns(&said, "kept"), "{said:?}");
    assert_close(&photo, &probabilities(&said));
    assert_eq!(exports(&said)[0].0, "resnet18-retuned.safetensors");

    // And another engine takes the file in.
    let said = handle(false, vec![start(), import(&exported[1].1), classify()]);
    assert_close(&photo, &probabilities(&said));
    std::fs::remove_dir_all(&folder).unwrap();
}
