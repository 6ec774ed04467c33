//! A file through the engine: imported, trained on, handed out, imported again.

use retune::config::{Arch, Scope, StartFrom, TrainConfig};
use retune::engine::Order;

use retune::protocol::{Command, Event, ExportKind, TrainEvent};

use super::orders::{
    classify, data, export, exports, failures, handle, import, order, probabilities, start,
};
use super::{file, timm_b0};

fn train(scope: Scope) -> Order {
    let config = TrainConfig {
        scope,
        epochs: 2,
        batch: 9,
        ..TrainConfig::default()
    };
    let (seeds, start) = (1, StartFrom::InUse);
    let train = Command::Train {
        config,
        seeds,
        start,
    };
    order(4, train)
}

/// Imports a file, trains a head on it, exports it, and has another engine take it in; then its last stage with the
/// head, and the same. Gives the exported head and model of the first.
fn round_trip(original: &[u8]) -> [Vec<u8>; 2] {
    let said = handle(
        false,
        vec![
            start(),
            data(),
            import(original),
            train(Scope::Head),
            classify(),
            export(ExportKind::Head),
            export(ExportKind::Model),
        ],
    );
    assert_eq!(failures(&said), [""; 0]);
    assert!(
        said.iter()
            .any(|(e, _)| matches!(e, Event::Training(TrainEvent::Trained { .. })))
    );
    let photo = probabilities(&said);
    assert_eq!(photo.len(), 6);
    let [(_, head), (_, model)] = <[_; 2]>::try_from(exports(&said)).unwrap();
    let alone = handle(
        false,
        vec![start(), import(original), import(&head), classify()],
    );
    assert_eq!(probabilities(&alone), photo);
    let whole = handle(false, vec![start(), import(&model), classify()]);
    assert_eq!(probabilities(&whole), photo);

    let orders = [start(), data(), import(original), train(Scope::LastStage)];
    let orders = orders
        .into_iter()
        .chain([classify(), export(ExportKind::Model)]);
    let said = handle(false, orders.collect());
    assert_eq!(failures(&said), [""; 0]);
    let [(_, tuned)] = <[_; 1]>::try_from(exports(&said)).unwrap();
    let again = handle(false, vec![start(), import(&tuned), classify()]);
    assert_eq!(probabilities(&again), probabilities(&said));
    assert_ne!(probabilities(&again), photo);
    assert_eq!(written(&tuned), written(&model));
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
    let mut wanted: Vec<_> = Arch::EfficientNetB0
        .graph()
        .tensors()
        .into_iter()
        .map(|(name, _)| name)
        .chain(own)
        .collect();
    wanted.sort();
    assert_eq!(written(&model), wanted);
}

#[test]
fn a_densenet_is_trained_on_and_handed_out() {
    let mut whole = Arch::Densenet121.graph().tensors();
    whole.push(("classifier.weight".into(), vec![1000, 1024]));
    whole.push(("classifier.bias".into(), vec![1000]));
    let [head, model] = round_trip(&file(&whole));
    let own = ["classifier.bias", "classifier.weight"].map(str::to_string);
    assert_eq!(written(&head), own);
    let mut wanted: Vec<_> = whole.into_iter().map(|(name, _)| name).collect();
    wanted.sort();
    assert_eq!(written(&model), wanted);
}
