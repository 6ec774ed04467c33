//! Trainings that go on.

use super::*;
use crate::config::{Augment, DemoConfig, DeviceChoice, OptimizerKind, Scope, TrainConfig};

/// What it was begun with.
fn settings() -> TrainConfig {
    TrainConfig {
        scope: Scope::LastStage,
        optimizer: OptimizerKind::Sgd,
        learning_rate: 3e-3,
        augment: Augment::preset("light").unwrap_or_default(),
        seed: 9,
        ..TrainConfig::default()
    }
}

fn interrupted(demo: Option<DemoConfig>, dataset: &str) -> Event {
    let reports = [1, 2, 3].map(|n| match epoch(0, n).body {
        Event::Training(TrainEvent::Epoch { report }) => report,
        _ => unreachable!("an epoch"),
    });
    let run = Interrupted {
        dataset: dataset.into(),
        demo,
        arch: Arch::ResNet18,
        config: settings(),
        epochs: reports.to_vec(),
        seeds: 2,
    };
    Event::Interrupted { run: Some(run) }
}

/// A data set is open, and a training has done two epochs and a half.
fn training() -> State {
    let pulse = |epoch| {
        of(
            2,
            TrainEvent::LiveMetrics {
                epoch,
                loss: 1.0,
                learning_rate: 1e-3,
                images_per_second: 9.0,
            },
        )
    };
    after([
        ready(),
        Action::JobStarted(1, OTHER(JobKind::Dataset)),
        worker([dataset(1)]),
        Action::JobStarted(2, JobStarted::Train(10)),
        Action::JobStarted(3, files(&["a.png"])),
        worker([
            Event::State {
                state: EngineState::Training,
            }
            .into(),
            begun(2),
            epoch(2, 1),
            epoch(2, 2),
            pulse(1.5),
            pulse(2.5),
        ]),
    ])
}

/// The last of three trainings, seed 9.
fn begun(job: JobId) -> Message<Event> {
    of(
        job,
        TrainEvent::Begun {
            number: 3,
            of: 3,
            seed: 9,
        },
    )
}

fn lost() -> Action {
    worker([of(
        2,
        Event::DeviceLost {
            reason: "out of memory.".into(),
        },
    )])
}

fn task(state: &State) -> Option<EffectKind> {
    state.effects.last().map(|effect| effect.kind)
}

#[test]
fn an_interrupted_training_is_offered_and_goes_on_from_its_epoch() {
    let state = after([ready(), worker([interrupted(None, "demo set")])]);
    assert_eq!(state.continuation(), Some(Continuation::NeedsData));
    let open = then(
        state,
        [
            Action::JobStarted(1, OTHER(JobKind::Dataset)),
            worker([dataset(1)]),
        ],
    );
    assert_eq!(
        (open.continuation(), task(&open)),
        (Some(Continuation::Now), None)
    );
    let other = then(open.clone(), [worker([interrupted(None, "holidays")])]);
    assert_eq!(other.continuation(), Some(Continuation::Perhaps));
    // It may be refused, and then the settings are still those that were typed.
    let perhaps = then(other, [Action::JobStarted(2, JobStarted::Continue)]);
    assert_eq!(perhaps.form, open.form);

    let going = then(open, [Action::JobStarted(2, JobStarted::Continue)]);
    assert_eq!(going.continuation(), None);
    let run = going.training.as_ref().expect("taken up");
    assert_eq!((run.reports.len(), run.epochs), (3, 10));
    let request = going.form.request().expect("valid");
    assert_eq!((request.config, request.seeds), (settings(), 2));
    assert_eq!(going.job(JobKind::Train).map(|j| j.id), Some(2));
    // Its own seed, said again, clears nothing.
    let said = of(
        2,
        TrainEvent::Begun {
            number: 1,
            of: 1,
            seed: 7,
        },
    );
    let trained = of(
        2,
        TrainEvent::Trained {
            best_epoch: 4,
            stopped: false,
        },
    );
    let done = then(going, [worker([said, epoch(2, 4), trained])]);
    assert_eq!(done.training.as_ref().map(|r| r.reports.len()), Some(4));
    assert!(done.interrupted.is_none() && done.jobs.is_empty());
}

#[test]
fn one_on_the_demo_set_opens_it_first() {
    let demo = DemoConfig {
        per_class: 9,
        ..DemoConfig::default()
    };
    let state = after([
        ready(),
        worker([interrupted(Some(demo.clone()), "demo set")]),
    ]);
    assert_eq!(state.continuation(), Some(Continuation::Demo(demo)));
    let opening = then(
        state,
        [
            Action::JobStarted(1, OTHER(JobKind::Dataset)),
            Action::Resume,
        ],
    );
    assert_eq!((task(&opening), opening.continuation()), (None, None));
    let failed = then(opening.clone(), [worker([failed(1)])]);
    assert!(failed.resume.is_none() && task(&failed).is_none());
    assert!(failed.continuation().is_some());
    let open = then(opening, [worker([dataset(1)])]);
    assert_eq!(task(&open), Some(EffectKind::Continue));
    let going = then(open, [Action::JobStarted(2, JobStarted::Continue)]);
    assert!(going.resume.is_none());
    assert_eq!(going.training.as_ref().map(|t| t.reports.len()), Some(3));
    // Another data set opened later has nothing to do with it.
    let later = then(
        going.clone(),
        [
            Action::JobStarted(3, OTHER(JobKind::Dataset)),
            worker([dataset(3)]),
        ],
    );
    assert_eq!(later.effects, going.effects);
}

#[test]
fn a_dropped_interruption_is_no_longer_offered() {
    let state = after([ready(), worker([interrupted(None, "holidays")])]);
    let none = worker([Event::Interrupted { run: None }]);
    assert!(then(state.clone(), [none]).continuation().is_none());
    assert!(then(state, [Action::Discard]).continuation().is_none());
}

#[test]
fn a_lost_gpu_restarts_the_worker_and_the_training_goes_on() {
    let state = then(
        training(),
        [worker([interrupted(None, "demo set")]), lost()],
    );
    assert_eq!(task(&state), Some(EffectKind::Restart(None)));
    assert_eq!(state.engine, EngineState::Starting);
    let kinds: Vec<_> = state.jobs.iter().map(|j| j.kind).collect();
    assert_eq!(kinds, [JobKind::Train, JobKind::Start]);
    assert!(!state.idle() && state.interrupted_now().is_none());
    let said = "The GPU was lost (out of memory): the training goes on from its last epoch on a fresh one.";
    assert_eq!(notices(&state), [(Section::Train, false, said)]);

    let open = then(
        state,
        [
            Action::Restarted,
            Action::JobStarted(4, OTHER(JobKind::Dataset)),
            ready(),
            worker([dataset(4)]),
        ],
    );
    assert_eq!(task(&open), Some(EffectKind::Continue));
    let going = then(
        open,
        [
            Action::JobStarted(5, JobStarted::Continue),
            worker([begun(5), epoch(5, 3)]),
        ],
    );
    let run = going.training.as_ref().expect("shown");
    assert_eq!(
        run.reports.iter().map(|r| r.epoch).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(
        run.pulses.iter().map(|p| p.epoch).collect::<Vec<_>>(),
        [1.5]
    );
    assert_eq!(notices(&going).len(), 1);
}

#[test]
fn effects_are_done_in_their_order_and_none_is_lost() {
    let mut state = training();
    state.leave(EffectKind::Continue);
    state.leave(EffectKind::Restart(None));
    let kinds: Vec<_> = state.effects.iter().map(|effect| effect.kind).collect();
    assert_eq!(kinds, [EffectKind::Continue, EffectKind::Restart(None)]);
    // One that was left while the first two were carried out stays.
    let last = state.last_effect;
    state.leave(EffectKind::Continue);
    let state = then(state, [Action::EffectsTaken(last)]);
    let ids: Vec<_> = state.effects.iter().map(|effect| effect.id).collect();
    assert_eq!(ids, [last + 1]);
}

#[test]
fn the_third_loss_means_the_cpu_and_the_fourth_the_end() {
    let mut state = training();
    let mut tasks = Vec::new();
    for job in 10..13 {
        state = then(
            state,
            [worker([of(
                if job == 10 { 2 } else { job - 1 },
                Event::DeviceLost {
                    reason: "hung".into(),
                },
            )])],
        );
        tasks.push(task(&state).expect("to do"));
        state = then(
            state,
            [
                Action::Restarted,
                Action::JobStarted(job + 10, OTHER(JobKind::Dataset)),
                ready(),
                worker([dataset(job + 10)]),
                Action::JobStarted(job, JobStarted::Continue),
            ],
        );
    }
    let cpu = Some(DeviceChoice::Cpu);
    assert_eq!(
        tasks,
        [
            EffectKind::Restart(None),
            EffectKind::Restart(None),
            EffectKind::Restart(cpu)
        ]
    );
    assert!(
        notices(&state)
            .last()
            .is_some_and(|n| n.2.ends_with("on the CPU."))
    );
    let event = of(
        12,
        Event::DeviceLost {
            reason: "hung".into(),
        },
    );
    let state = then(state, [worker([event])]);
    assert_eq!(task(&state), Some(EffectKind::Restart(cpu)));
    assert!(state.job(JobKind::Train).is_none() && state.resume.is_none());
    assert!(notices(&state).last().is_some_and(|n| n.1));
    // A training that the user begins is counted anew.
    let state = then(
        state,
        [
            Action::Restarted,
            ready(),
            Action::JobStarted(40, JobStarted::Train(3)),
        ],
    );
    assert_eq!(state.engine, EngineState::Ready);
    assert_eq!((state.losses, state.deaths), (0, 0));
}

#[test]
fn a_worker_that_dies_in_a_training_is_started_again_once() {
    let dies = || Action::Broken("The engine stopped.".into());
    let state = then(training(), [dies()]);
    assert_eq!(task(&state), Some(EffectKind::Restart(None)));
    assert!(state.job(JobKind::Train).is_some() && state.usable());
    let reopened = |state, extra: Option<Event>| {
        let events = extra.map(Message::from).into_iter().chain([dataset(4)]);
        then(
            state,
            [
                Action::Restarted,
                Action::JobStarted(4, OTHER(JobKind::Dataset)),
                ready(),
                worker(events),
            ],
        )
    };
    let kept = reopened(state.clone(), Some(interrupted(None, "demo set")));
    assert_eq!(task(&kept), Some(EffectKind::Continue));
    let again = then(kept, [Action::JobStarted(5, JobStarted::Continue), dies()]);
    assert!(!again.usable() && again.jobs.is_empty());

    let not_kept = reopened(state, None);
    assert_eq!(task(&not_kept), Some(EffectKind::Restart(None)));
    assert!(not_kept.idle() && not_kept.resume.is_none());
    let last = notices(&not_kept).last().map(|n| (n.0, n.1));
    assert_eq!(last, Some((Section::Train, true)));
}

#[test]
fn a_training_that_cannot_go_on_ends() {
    let opening = then(
        training(),
        [
            lost(),
            Action::Restarted,
            Action::JobStarted(4, OTHER(JobKind::Dataset)),
        ],
    );
    let refused = then(opening.clone(), [worker([failed(4)])]);
    assert!(refused.job(JobKind::Train).is_none() && refused.resume.is_none());
    let given_up = then(opening.clone(), [Action::GiveUp, worker([dataset(4)])]);
    assert!(given_up.job(JobKind::Train).is_none());
    assert_eq!(task(&given_up), Some(EffectKind::Restart(None)));
    let state = EngineState::Failed;
    let no_start = then(
        opening,
        [worker([failed(START), Event::State { state }.into()])],
    );
    assert!(no_start.jobs.is_empty() && no_start.resume.is_none());
}

#[test]
fn what_the_old_worker_still_says_counts_no_more() {
    let failed = || {
        worker([
            Event::State {
                state: EngineState::Failed,
            }
            .into(),
            failed(2),
        ])
    };
    let late = then(
        training(),
        [lost(), failed(), Action::Broken("Gone.".into())],
    );
    assert_eq!(task(&late), Some(EffectKind::Restart(None)));
    assert!(late.job(JobKind::Train).is_some() && late.usable());
    assert_eq!(notices(&late).len(), 1);
    let heard = then(late, [Action::Restarted, failed()]);
    assert!(heard.jobs.is_empty() && !heard.usable());
}
