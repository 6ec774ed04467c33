//! The reducer, driven by the protocol's events as the worker sends them.

mod batch;
mod labels;
mod new_version;
mod notices;
mod recover;
mod training;

use super::*;
use crate::{
    config::{BundledModel, HeadKind},
    error::ErrorKind,
    protocol::{
        Backend, ClassCount, DatasetSummary, EpochReport, Event, Message, ModelSummary, Phase,
        Proportion, StageGradient, TrainEvent,
    },
    ui::predictions::{Outcome, Row},
};

/// Applies actions one after the other, as the page does.
fn after(actions: impl IntoIterator<Item = Action>) -> State {
    then(State::default(), actions)
}

fn then(state: State, actions: impl IntoIterator<Item = Action>) -> State {
    let state = actions
        .into_iter()
        .fold(Rc::new(state), |state, action| state.reduce(action));
    (*state).clone()
}

fn worker(said: impl IntoIterator<Item = impl Into<Message<Event>>>) -> Action {
    let bare = |message: Message<Event>| Incoming {
        message,
        urls: Vec::new(),
    };
    Action::Worker(said.into_iter().map(Into::into).map(bare).collect())
}

/// An event of a job.
fn of(job: JobId, event: impl Into<Event>) -> Message<Event> {
    Message {
        job: Some(job),
        body: event.into(),
    }
}

fn with_urls(message: impl Into<Message<Event>>, urls: &[&str]) -> Action {
    let urls = urls.iter().map(ToString::to_string).collect();
    let message = message.into();
    Action::Worker(vec![Incoming { message, urls }])
}

fn model() -> ModelSummary {
    ModelSummary {
        arch: Arch::ResNet18,
        head: Some(HeadKind::Linear),
        classes: vec!["sea".into(), "street".into()],
        size: 150,
        normalization: None,
        untrained: false,
        bundled: Some(BundledModel::Scenes),
        features: 512,
        parameters: 11_000_000,
        source: "scenes".into(),
        sha256: None,
    }
}

fn ready() -> Action {
    let state = EngineState::Ready;
    worker([Event::Model { model: model() }, Event::State { state }])
}

fn summary(problem: Option<&str>) -> DatasetSummary {
    let class = |name: &str, train, test| ClassCount {
        name: name.into(),
        train,
        test,
    };
    DatasetSummary {
        name: "demo set".into(),
        classes: vec![class("sea", 30, 10), class("street", 28, 12)],
        problem: problem.map(Into::into),
        thumbnails: Some(1),
        ..DatasetSummary::default()
    }
}

fn dataset(job: JobId) -> Message<Event> {
    of(
        job,
        Event::Dataset {
            summary: summary(None),
        },
    )
}

fn files(names: &[&str]) -> JobStarted {
    JobStarted::Classify(names.iter().map(|n| (n.to_string(), None)).collect())
}

fn classified(job: JobId, file: &str, probabilities: &[f32]) -> Message<Event> {
    of(
        job,
        Event::Classified {
            file: file.into(),
            probabilities: probabilities.to_vec(),
            milliseconds: 40.0,
        },
    )
}

fn epoch(job: JobId, epoch: usize) -> Message<Event> {
    let report = EpochReport {
        epoch,
        train_loss: 1.0 / epoch as f64,
        train_accuracy: 0.5,
        val_loss: 1.0,
        val_accuracy: 0.5,
        milliseconds: 100.0,
        learning_rate: 1e-3,
        images_per_second: 10.0,
        gradients: Vec::new(),
    };
    of(job, TrainEvent::Epoch { report })
}

fn evaluated(job: JobId) -> Message<Event> {
    let share = Proportion {
        hits: 1,
        of: 2,
        value: 0.5,
        low: 0.1,
        high: 0.9,
    };
    let report = Evaluation {
        split: "test".into(),
        classes: model().classes,
        accuracy: share,
        loss: 0.7,
        per_class: vec![share; 2],
        confusion: vec![vec![1, 0], vec![1, 0]],
        skipped: Vec::new(),
        seen: 0,
    };
    of(job, Event::Evaluated { report })
}

fn progress(job: JobId, done: u64) -> Message<Event> {
    of(
        job,
        Event::Progress {
            phase: Phase::Featurising,
            done,
            total: 100,
            milliseconds: 10.0,
        },
    )
}

fn failed(job: JobId) -> Message<Event> {
    of(
        job,
        Event::Failed {
            kind: ErrorKind::Weights,
            error: "layer1.0.conv1.weight: missing".into(),
        },
    )
}

fn notices(state: &State) -> Vec<(Section, bool, &str)> {
    let notices = state.notices.iter();
    notices
        .map(|n| (n.section, n.error, n.text.as_str()))
        .collect()
}

fn outcome<'a>(state: &'a State, file: &str) -> &'a Outcome {
    let is = |r: &&Shared<Row>| r.file == file;
    &state
        .batch
        .rows
        .iter()
        .find(is)
        .expect("in the batch")
        .outcome
}

const OTHER: fn(JobKind) -> JobStarted = JobStarted::Other;

#[test]
fn the_start_is_a_job_until_the_engine_is_ready() {
    let loading = after([worker([progress(0, 40)])]);
    let start = loading.job(JobKind::Start).expect("starting");
    assert_eq!(start.progress.map(|p| p.done), Some(40));
    assert!(loading.model.is_none());

    let device = Event::Device {
        backend: Backend::Cpu,
        name: "CPU".into(),
        note: Some("no GPU".into()),
    };
    let ready = then(loading, [worker([device]), ready()]);
    assert_eq!(ready.engine, EngineState::Ready);
    assert!(ready.jobs.is_empty() && ready.idle());
    assert_eq!(ready.device.map(|d| d.backend), Some(Backend::Cpu));
    assert_eq!(ready.model.as_deref(), Some(&model()));
}

#[test]
fn a_failed_start_says_why_and_lets_nothing_begin() {
    let state = EngineState::Failed;
    let failed = after([worker([failed(0)])]);
    assert!(failed.jobs.is_empty());
    let failed = then(failed, [worker([Event::State { state }])]);
    assert_eq!(failed.engine, EngineState::Failed);
    assert!(failed.jobs.is_empty() && !failed.idle() && !failed.usable());
    assert_eq!(
        notices(&failed),
        [(Section::Page, true, "layer1.0.conv1.weight: missing")]
    );
}

#[test]
fn a_worker_that_dies_ends_every_job() {
    let state = after([
        ready(),
        Action::JobStarted(1, files(&["a.png"])),
        Action::Broken("The engine stopped.".into()),
    ]);
    assert_eq!(state.engine, EngineState::Failed);
    assert!(state.jobs.is_empty());
    assert_eq!(
        notices(&state),
        [(
            Section::Page,
            true,
            "The engine stopped. Reload the page; a trained model is kept."
        )]
    );
    // What it still says of its jobs comes too late.
    let late = then(state, [worker([classified(1, "a.png", &[0.9, 0.1])])]);
    assert_eq!(*outcome(&late, "a.png"), Outcome::Waiting);
}

#[test]
fn a_data_set_brings_its_thumbnails_and_makes_old_measurements_void() {
    let state = after([
        ready(),
        Action::JobStarted(1, OTHER(JobKind::Evaluate)),
        worker([evaluated(1)]),
    ]);
    assert!(state.evaluation.is_some());
    let opening = then(state, [Action::JobStarted(2, OTHER(JobKind::Dataset))]);
    assert!(!opening.idle());
    // The first blob is something else: the summary says where thumbnails begin.
    let open = then(
        opening,
        [with_urls(dataset(2), &["blob:x", "blob:a", "blob:b"])],
    );
    let set = open.dataset.as_ref().expect("open");
    assert_eq!(set.thumbnails, ["blob:a", "blob:b"]);
    assert_eq!(set.totals(), (58, 22));
    assert!(open.idle() && open.evaluation.is_none());
    assert_eq!(open.urls().collect::<Vec<_>>(), ["blob:a", "blob:b"]);
}

#[test]
fn a_cancelled_or_failed_opening_keeps_the_data_set_in_use() {
    let open = after([
        ready(),
        Action::JobStarted(1, OTHER(JobKind::Dataset)),
        worker([dataset(1)]),
        Action::JobStarted(2, OTHER(JobKind::Dataset)),
        worker([of(2, Event::Cancelled)]),
        with_urls(dataset(2), &["blob:late"]),
        Action::JobStarted(3, OTHER(JobKind::Dataset)),
        worker([failed(3)]),
    ]);
    assert!(open.dataset.as_ref().expect("kept").thumbnails.is_empty());
    assert_eq!(*open.discarded, ["blob:late"]);
    assert_eq!(notices(&open).len(), 1);
    assert_eq!(open.notices[0].section, Section::Data);
}

#[test]
fn another_model_makes_old_measurements_void() {
    let state = after([
        ready(),
        Action::JobStarted(1, OTHER(JobKind::Evaluate)),
        worker([evaluated(1), Event::Model { model: model() }.into()]),
    ]);
    assert!(state.evaluation.is_none());
}

#[test]
fn a_late_evaluation_is_not_shown() {
    let state = after([
        ready(),
        Action::JobStarted(1, OTHER(JobKind::Evaluate)),
        worker([of(1, Event::Cancelled), evaluated(1)]),
    ]);
    assert!(state.evaluation.is_none());
}

#[test]
fn a_failed_import_keeps_the_model_and_the_next_try_clears_the_message() {
    let state = after([
        ready(),
        Action::JobStarted(1, OTHER(JobKind::Import)),
        worker([failed(1)]),
    ]);
    assert_eq!(state.model.as_deref(), Some(&model()));
    assert_eq!(
        notices(&state),
        [(Section::Model, true, "layer1.0.conv1.weight: missing")]
    );
    let again = then(state, [Action::JobStarted(2, OTHER(JobKind::Import))]);
    assert!(again.notices.is_empty());
}

#[test]
fn only_classifying_leaves_room_for_another_job() {
    let classifying = after([ready(), Action::JobStarted(1, files(&["a.png"]))]);
    assert!(classifying.idle());
    let loading = then(
        classifying,
        [Action::JobStarted(2, OTHER(JobKind::Download))],
    );
    assert!(!loading.idle());
    let paused = after([
        ready(),
        worker([Event::State {
            state: EngineState::Paused,
        }]),
    ]);
    assert!(!paused.idle());
    // A folder dropped while the model loads is kept for it.
    assert!(State::default().idle());
}

#[test]
fn requests_are_counted_and_a_download_is_one() {
    let state = after([
        ready(),
        Action::Requests(2),
        Action::JobStarted(1, OTHER(JobKind::Download)),
        Action::JobStarted(2, OTHER(JobKind::Export)),
    ]);
    assert_eq!(state.requests, 3);
}

#[test]
fn an_export_is_said_once() {
    let exported = of(
        1,
        Event::Exported {
            name: "head.safetensors".into(),
            check: None,
        },
    );
    let state = after([
        ready(),
        Action::JobStarted(1, OTHER(JobKind::Export)),
        worker([exported.clone(), exported]),
    ]);
    assert_eq!(
        notices(&state),
        [(Section::Model, false, "Saved head.safetensors.")]
    );
}

#[test]
fn samples_come_with_their_pictures() {
    let names = vec!["sea.png".into(), "forest.png".into()];
    let state = after([with_urls(Event::Samples { names }, &["blob:1", "blob:2"])]);
    assert_eq!(state.samples[1].name, "forest.png");
    assert_eq!(state.urls().collect::<Vec<_>>(), ["blob:1", "blob:2"]);
}

#[test]
fn a_view_learns_by_pointer_that_nothing_changed_for_it() {
    let before = after([ready(), Action::JobStarted(1, files(&["a.png"]))]);
    let later = then(
        before.clone(),
        [Action::Dragging(true), Action::Reading(Some(9))],
    );
    assert!(later.batch == before.batch && later.form == before.form);
    assert_eq!((later.dragging, later.reading), (true, Some(9)));
    let answered = then(
        later.clone(),
        [worker([classified(1, "a.png", &[0.9, 0.1])])],
    );
    assert!(answered.batch != later.batch && answered.form == later.form);
}
