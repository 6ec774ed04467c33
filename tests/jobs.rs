//! Promise: a running job listens. It can be held, stopped and cancelled, images dropped meanwhile are
//! answered at once, and a job that fails leaves in use what was in use.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use async_channel::Sender;
use retune::config::{DemoConfig, DeviceChoice, StartFrom, TrainConfig};
use retune::data::demo;
use retune::engine::{Engine, Mailbox, Order};
use retune::image::encode_png;
use retune::platform::files::InputFile;
use retune::protocol::{
    Command, DatasetSource, EngineState, Event, FileRef, JobId, Labels, Message, START, TrainEvent,
};
use retune::weights::{self, SaveAs};

const DATA: u32 = 1;
const TRAIN: u32 = 2;
const PHOTO: u32 = 3;

type Sent = Rc<RefCell<Vec<Message<Event>>>>;

fn order(job: JobId, command: Command) -> Order {
    with_files(job, command, Vec::new())
}

fn with_files(job: JobId, body: Command, files: Vec<InputFile>) -> Order {
    let job = Some(job);
    let message = Message { job, body };
    Order { message, files }
}

fn photo() -> Order {
    let bytes = encode_png(&demo::draw(1, 0, 64, 9)).unwrap();
    let file = FileRef {
        path: "forest.png".to_string(),
        slot: 0,
    };
    let command = Command::Classify { files: vec![file] };
    with_files(PHOTO, command, vec![InputFile::memory("forest.png", bytes)])
}

/// Runs an engine on the demo set until `react`, which sees every event and may send commands, lets its
/// sender go.
fn run(
    mut react: impl FnMut(&Message<Event>, &Sender<Order>) -> bool + 'static,
) -> Vec<Message<Event>> {
    let (sender, inbox) = async_channel::unbounded();
    let config = DemoConfig {
        per_class: 4,
        size: 48,
        seed: 1,
    };
    let begin = [
        (
            START,
            Command::Start {
                device: DeviceChoice::Cpu,
                hub: None,
                transparency: None,
            },
        ),
        (
            DATA,
            Command::OpenDataset {
                source: DatasetSource::Demo { config },
                beside: Vec::new(),
                labels: Labels::Auto,
            },
        ),
        (
            TRAIN,
            Command::Train {
                config: TrainConfig {
                    epochs: 1000,
                    val_fraction: 0.25,
                    ..TrainConfig::default()
                },
                seeds: 1,
                start: StartFrom::InUse,
            },
        ),
    ];
    for (job, command) in begin {
        sender.try_send(order(job, command)).unwrap();
    }
    let sent = Sent::default();
    let events = sent.clone();
    let sender = RefCell::new(Some(sender));
    let react = RefCell::new(move |event: &Message<Event>| {
        let mut sender = sender.borrow_mut();
        if sender.as_ref().is_some_and(|sender| !react(event, sender)) {
            *sender = None;
        }
    });
    let mailbox = Mailbox::new(
        inbox,
        Box::new(move |event, _| {
            (react.borrow_mut())(&event);
            events.borrow_mut().push(event);
        }),
    );
    pollster::block_on(Engine::new(mailbox).ephemeral().run());
    sent.take()
}

fn place(events: &[Message<Event>], what: &str, is: impl Fn(&Message<Event>) -> bool) -> usize {
    let found = events.iter().position(is);
    found.unwrap_or_else(|| panic!("no {what} in {events:#?}"))
}

/// The number of the epoch that is over.
fn epoch(message: &Message<Event>) -> Option<usize> {
    match &message.body {
        Event::Training(TrainEvent::Epoch { report }) => Some(report.epoch),
        _ => None,
    }
}

fn is_trained(message: &Message<Event>) -> bool {
    matches!(&message.body, Event::Training(TrainEvent::Trained { .. }))
}

fn is_state(message: &Message<Event>, wanted: EngineState) -> bool {
    matches!(&message.body, Event::State { state } if *state == wanted)
}

#[test]
fn a_training_is_held_answers_a_photo_goes_on_and_is_stopped() {
    let events = run(|message, sender| {
        let send = |command| sender.try_send(order(TRAIN, command)).unwrap();
        match (&message.body, message.job, epoch(message)) {
            (_, _, Some(3)) => send(Command::Pause),
            (_, _, Some(6)) => send(Command::Stop),
            (
                Event::State {
                    state: EngineState::Paused,
                },
                ..,
            ) => sender.try_send(photo()).unwrap(),
            (Event::Finished, Some(PHOTO), _) => send(Command::Resume),
            _ if is_trained(message) => return false,
            _ => {}
        }
        true
    });
    let paused = place(&events, "pause", |e| is_state(e, EngineState::Paused));
    let answered = place(&events, "answer", |e| {
        matches!(e.body, Event::Classified { .. })
    });
    let trained = place(&events, "end", |e| {
        matches!(
            e.body,
            Event::Training(TrainEvent::Trained { stopped: true, .. })
        )
    });
    assert!(paused < answered && answered < trained);
    let epochs = events.iter().filter(|e| epoch(e).is_some());
    assert!((6..20).contains(&epochs.count()));
    assert!(is_state(&events[events.len() - 1], EngineState::Ready));
    let models = events.iter().filter_map(|e| match &e.body {
        Event::Model { model } => Some(model.source.as_str()),
        _ => None,
    });
    assert_eq!(models.collect::<Vec<_>>(), ["scenes", "trained here"]);
}

#[test]
fn a_cancelled_training_leaves_the_model_in_use() {
    let events = run(|event, sender| {
        if epoch(event) == Some(2) {
            sender.try_send(order(TRAIN, Command::Cancel)).unwrap();
        }
        !(event.body == Event::Cancelled && event.job == Some(TRAIN))
    });
    place(&events, "cancel", |e| {
        e.body == Event::Cancelled && e.job == Some(TRAIN)
    });
    assert!(!events.iter().any(is_trained));
    let models = events
        .iter()
        .filter(|e| matches!(e.body, Event::Model { .. }));
    assert_eq!(models.count(), 1);
    assert!(is_state(&events[events.len() - 1], EngineState::Ready));
}

#[test]
fn a_checkpoint_that_is_none_leaves_the_model_in_use() {
    let events = run(|event, sender| {
        if matches!(event.body, Event::Dataset { .. }) {
            let file = FileRef {
                path: "letter.pth".to_string(),
                slot: 0,
            };
            let import = Command::Import {
                file,
                arch: None,
                classes: None,
                input: Default::default(),
                to_train: false,
                beside: Vec::new(),
            };
            let files = vec![InputFile::memory("letter.pth", b"Dear network".to_vec())];
            let command = with_files(9, import, files);
            sender.try_send(order(TRAIN, Command::Cancel)).unwrap();
            sender.try_send(command).unwrap();
        }
        !matches!(event.body, Event::Failed { .. })
    });
    let failed = events.iter().find_map(|event| match &event.body {
        Event::Failed { error, .. } if event.job == Some(9) => Some(error.as_str()),
        _ => None,
    });
    assert!(
        failed.is_some_and(|error| error.contains("letter.pth")),
        "{failed:?}"
    );
    let models = events
        .iter()
        .filter(|e| matches!(e.body, Event::Model { .. }));
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
        if matches!(event.body, Event::Dataset { .. }) {
            let file = FileRef {
                path: "huge.safetensors".to_string(),
                slot: 0,
            };
            let import = Command::Import {
                file,
                arch: None,
                classes: None,
                input: Default::default(),
                to_train: false,
                beside: Vec::new(),
            };
            let files = vec![InputFile::memory("huge.safetensors", bytes.clone())];
            let import = with_files(9, import, files);
            sender.try_send(order(TRAIN, Command::Cancel)).unwrap();
            sender.try_send(import).unwrap();
        }
        !(matches!(event.body, Event::Failed { .. })
            || event.body == Event::Finished && event.job == Some(9))
    });
    place(&events, "refusal", |e| {
        matches!(e.body, Event::Failed { .. }) && e.job == Some(9)
    });
    let models = events
        .iter()
        .filter(|e| matches!(e.body, Event::Model { .. }));
    assert_eq!(models.count(), 1);
}

#[test]
fn steps_of_fine_tuning_are_timed() {
    let sent = Sent::default();
    let events = sent.clone();
    let (_, inbox) = async_channel::unbounded();
    let emit = move |event, _| events.borrow_mut().push(event);
    let mut engine = Engine::new(Mailbox::new(inbox, Box::new(emit))).ephemeral();
    let measure = |size, steps| Command::MeasureFineTune {
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
        pollster::block_on(engine.handle(order(TRAIN, command)));
    }
    let sent = sent.take();
    let measured = place(&sent, "measurement", |event| {
        matches!(&event.body, Event::Measured { milliseconds }
            if milliseconds.len() == 3 && milliseconds.iter().all(|ms| *ms > 0.0))
    });
    let failed = place(
        &sent,
        "refusal",
        |event| matches!(&event.body, Event::Failed { error, .. } if error.starts_with("measurement")),
    );
    assert!(measured < failed);
}
