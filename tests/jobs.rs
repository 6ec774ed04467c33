//! Promise: a running job listens. It can be held, stopped and cancelled, images dropped meanwhile are
//! answered at once, and a job that fails leaves in use what was in use.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use async_channel::Sender;
use retune::config::{DemoConfig, DeviceChoice, TrainConfig};
use retune::data::demo;
use retune::engine::{Desk, Engine, Order};
use retune::image::encode_png;
use retune::model::weights::{self, SaveAs};
use retune::platform::files::InputFile;
use retune::protocol::{Command, DatasetSource, EngineState, Event, FileRef, Labels};

const DATA: u32 = 1;
const TRAIN: u32 = 2;
const PHOTO: u32 = 3;

type Sent = Rc<RefCell<Vec<Event>>>;

fn order(command: Command) -> Order {
    Order {
        command,
        files: Vec::new(),
    }
}

fn photo() -> Order {
    let bytes = encode_png(&demo::draw(1, 0, 64, 9)).unwrap();
    let file = FileRef {
        path: "forest.png".to_string(),
        slot: 0,
    };
    Order {
        command: Command::Classify {
            job: PHOTO,
            files: vec![file],
        },
        files: vec![InputFile::memory("forest.png", bytes)],
    }
}

/// Runs an engine on the demo set until `react`, which sees every event and may send commands, lets its
/// sender go.
fn run(mut react: impl FnMut(&Event, &Sender<Order>) -> bool + 'static) -> Vec<Event> {
    let (sender, inbox) = async_channel::unbounded();
    let config = DemoConfig {
        per_class: 4,
        size: 48,
        seed: 1,
    };
    let begin = [
        Command::Start {
            device: DeviceChoice::Cpu,
            hub: None,
            transparency: None,
        },
        Command::OpenDataset {
            job: DATA,
            source: DatasetSource::Demo { config },
            beside: Vec::new(),
            labels: Labels::Auto,
        },
        Command::Train {
            job: TRAIN,
            config: TrainConfig {
                epochs: 1000,
                val_fraction: 0.25,
                ..TrainConfig::default()
            },
            seeds: 1,
        },
    ];
    for command in begin {
        sender.try_send(order(command)).unwrap();
    }
    let sent = Sent::default();
    let events = sent.clone();
    let sender = RefCell::new(Some(sender));
    let react = RefCell::new(move |event: &Event| {
        let mut sender = sender.borrow_mut();
        if sender.as_ref().is_some_and(|sender| !react(event, sender)) {
            *sender = None;
        }
    });
    let desk = Desk::new(
        inbox,
        Box::new(move |event, _| {
            (react.borrow_mut())(&event);
            events.borrow_mut().push(event);
        }),
    );
    pollster::block_on(Engine::new(desk).forgetful().run());
    sent.take()
}

fn place(events: &[Event], what: &str, is: impl Fn(&Event) -> bool) -> usize {
    let found = events.iter().position(is);
    found.unwrap_or_else(|| panic!("no {what} in {events:#?}"))
}

fn is_state(event: &Event, wanted: EngineState) -> bool {
    matches!(event, Event::State { state } if *state == wanted)
}

#[test]
fn a_training_is_held_answers_a_photo_goes_on_and_is_stopped() {
    let events = run(|event, sender| {
        let send = |command| sender.try_send(order(command)).unwrap();
        match event {
            Event::Epoch { report, .. } if report.epoch == 3 => send(Command::Pause { job: TRAIN }),
            Event::State {
                state: EngineState::Paused,
            } => sender.try_send(photo()).unwrap(),
            Event::Finished { job: PHOTO } => send(Command::Resume { job: TRAIN }),
            Event::Epoch { report, .. } if report.epoch == 6 => send(Command::Stop { job: TRAIN }),
            Event::Trained { .. } => return false,
            _ => {}
        }
        true
    });
    let paused = place(&events, "pause", |e| is_state(e, EngineState::Paused));
    let answered = place(&events, "answer", |e| matches!(e, Event::Classified { .. }));
    let trained = place(&events, "end", |e| {
        matches!(e, Event::Trained { stopped: true, .. })
    });
    assert!(paused < answered && answered < trained);
    let epochs = events.iter().filter(|e| matches!(e, Event::Epoch { .. }));
    assert!((6..20).contains(&epochs.count()));
    assert!(is_state(&events[events.len() - 1], EngineState::Ready));
    let models = events.iter().filter_map(|e| match e {
        Event::Model { model } => Some(model.source.as_str()),
        _ => None,
    });
    assert_eq!(models.collect::<Vec<_>>(), ["bundled", "trained here"]);
}

#[test]
fn a_cancelled_training_leaves_the_model_in_use() {
    let events = run(|event, sender| {
        if matches!(event, Event::Epoch { report, .. } if report.epoch == 2) {
            let cancel = Command::Cancel { job: TRAIN };
            sender.try_send(order(cancel)).unwrap();
        }
        !matches!(event, Event::Cancelled { job: TRAIN })
    });
    place(&events, "cancel", |e| {
        matches!(e, Event::Cancelled { job: TRAIN })
    });
    assert!(!events.iter().any(|e| matches!(e, Event::Trained { .. })));
    let models = events.iter().filter(|e| matches!(e, Event::Model { .. }));
    assert_eq!(models.count(), 1);
    assert!(is_state(&events[events.len() - 1], EngineState::Ready));
}

#[test]
fn a_checkpoint_that_is_none_leaves_the_model_in_use() {
    let events = run(|event, sender| {
        if matches!(event, Event::Dataset { .. }) {
            let file = FileRef {
                path: "letter.pth".to_string(),
                slot: 0,
            };
            let import = Command::Import {
                job: 9,
                file,
                arch: None,
                classes: None,
                input: Default::default(),
            };
            let files = vec![InputFile::memory("letter.pth", b"Dear network".to_vec())];
            let command = Order {
                command: import,
                files,
            };
            sender
                .try_send(order(Command::Cancel { job: TRAIN }))
                .unwrap();
            sender.try_send(command).unwrap();
        }
        !matches!(event, Event::Failed { .. })
    });
    let failed = events.iter().find_map(|event| match event {
        Event::Failed { job: 9, error, .. } => Some(error.as_str()),
        _ => None,
    });
    assert!(
        failed.is_some_and(|error| error.contains("letter.pth")),
        "{failed:?}"
    );
    let models = events.iter().filter(|e| matches!(e, Event::Model { .. }));
    assert_eq!(models.count(), 1);
}

/// Each weight is a number, but what they add up to is not.
#[test]
fn a_head_that_overflows_leaves_the_model_in_use() {
    let tensors = [
        ("fc.weight".to_string(), vec![6, 512], vec![3e38; 6 * 512]),
        ("fc.bias".to_string(), vec![6], vec![0.0; 6]),
    ];
    let bytes = weights::save(&tensors, &BTreeMap::new(), SaveAs::F32).unwrap();
    let events = run(move |event, sender| {
        if matches!(event, Event::Dataset { .. }) {
            let file = FileRef {
                path: "huge.safetensors".to_string(),
                slot: 0,
            };
            let import = Order {
                command: Command::Import {
                    job: 9,
                    file,
                    arch: None,
                    classes: None,
                    input: Default::default(),
                },
                files: vec![InputFile::memory("huge.safetensors", bytes.clone())],
            };
            sender
                .try_send(order(Command::Cancel { job: TRAIN }))
                .unwrap();
            sender.try_send(import).unwrap();
        }
        !matches!(event, Event::Failed { .. } | Event::Finished { job: 9 })
    });
    place(&events, "refusal", |e| {
        matches!(e, Event::Failed { job: 9, .. })
    });
    let models = events.iter().filter(|e| matches!(e, Event::Model { .. }));
    assert_eq!(models.count(), 1);
}

#[test]
fn steps_of_fine_tuning_are_timed() {
    let sent = Sent::default();
    let events = sent.clone();
    let (_, inbox) = async_channel::unbounded();
    let emit = move |event, _| events.borrow_mut().push(event);
    let mut engine = Engine::new(Desk::new(inbox, Box::new(emit))).forgetful();
    let measure = |size, steps| Command::MeasureFineTune {
        job: TRAIN,
        size,
        batch: 2,
        steps,
    };
    let start = Command::Start {
        device: DeviceChoice::Cpu,
        hub: None,
        transparency: None,
    };
    for command in [start, measure(32, 3), measure(8, 1)] {
        pollster::block_on(engine.obey(order(command)));
    }
    let sent = sent.take();
    let measured = place(&sent, "measurement", |event| {
        matches!(event, Event::Measured { milliseconds, .. }
            if milliseconds.len() == 3 && milliseconds.iter().all(|ms| *ms > 0.0))
    });
    let failed = place(
        &sent,
        "refusal",
        |event| matches!(event, Event::Failed { error, .. } if error.starts_with("measurement")),
    );
    assert!(measured < failed);
}
