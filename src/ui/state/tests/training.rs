//! Trainings, and what is asked beforehand.

use super::*;

#[test]
fn a_training_run_is_followed_to_its_end() {
    let started = after([
        ready(),
        Action::Typed("head", "mlp-3".into()),
        Action::JobStarted(1, JobStarted::Train(3)),
        worker([
            Event::State {
                state: EngineState::Featurising,
            }
            .into(),
            progress(1, 50),
            of(
                1,
                Event::FileError {
                    file: "sea/broken.jpg".into(),
                    reason: "truncated".into(),
                },
            ),
            of(
                1,
                Event::Featurised {
                    images: 58,
                    milliseconds: 900.0,
                },
            ),
            Event::State {
                state: EngineState::Training,
            }
            .into(),
            epoch(1, 1),
            epoch(1, 2),
        ]),
    ]);
    let run = started.training.as_ref().expect("running");
    assert_eq!(
        (run.epochs, run.featurised, run.result),
        (3, Some((58, 900.0)), None)
    );
    assert_eq!(
        run.reports.iter().map(|r| r.epoch).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(run.skipped[0].file, "sea/broken.jpg");
    assert!(!started.idle());

    let trained = of(
        1,
        TrainEvent::Trained {
            best_epoch: 2,
            stopped: true,
        },
    );
    let done = then(
        started,
        [worker([
            trained,
            Event::State {
                state: EngineState::Ready,
            }
            .into(),
            epoch(1, 3),
        ])],
    );
    let run = done.training.as_ref().expect("shown");
    assert_eq!((run.result, run.reports.len()), (Some((2, true)), 2));
    assert!(done.idle());
}

#[test]
fn an_epoch_that_comes_again_replaces_the_first() {
    let state = after([
        ready(),
        Action::JobStarted(1, JobStarted::Train(5)),
        worker([epoch(1, 1), epoch(1, 2), epoch(1, 3), epoch(1, 2)]),
    ]);
    let run = state.training.expect("running");
    assert_eq!(
        run.reports.iter().map(|r| r.epoch).collect::<Vec<_>>(),
        [1, 2]
    );
}

#[test]
fn a_cancelled_training_leaves_no_curve_and_a_failed_one_does() {
    let start = [
        ready(),
        Action::JobStarted(1, JobStarted::Train(5)),
        worker([epoch(1, 1)]),
    ];
    let running = after(start);
    let cancelled = then(running.clone(), [worker([of(1, Event::Cancelled)])]);
    assert!(cancelled.training.is_none() && cancelled.jobs.is_empty());
    let broken = then(running, [worker([failed(1)])]);
    assert_eq!(broken.training.as_ref().map(|r| r.reports.len()), Some(1));
    assert_eq!(broken.notices[0].section, Section::Train);
    assert!(broken.jobs.is_empty());
}

#[test]
fn training_says_what_it_needs() {
    let state = after([ready()]);
    assert!(
        state
            .training_needs()
            .is_some_and(|n| n.contains("data set"))
    );
    let problem = of(
        1,
        Event::Dataset {
            summary: summary(Some("Only one class.")),
        },
    );
    let state = then(
        state,
        [
            Action::JobStarted(1, OTHER(JobKind::Dataset)),
            worker([problem]),
        ],
    );
    assert_eq!(state.training_needs().as_deref(), Some("Only one class."));
    let state = then(
        state,
        [
            Action::JobStarted(2, OTHER(JobKind::Dataset)),
            worker([dataset(2)]),
        ],
    );
    assert_eq!(state.training_needs(), None);
    let state = then(state, [Action::Typed("epochs", "0".into())]);
    assert!(
        state
            .training_needs()
            .is_some_and(|n| n.starts_with("epochs"))
    );
}

fn pulse(job: JobId, epoch: f64) -> Message<Event> {
    of(
        job,
        TrainEvent::LiveMetrics {
            epoch,
            loss: 1.0,
            learning_rate: 1e-3,
            images_per_second: 200.0,
        },
    )
}

fn begun(job: JobId, number: usize) -> Message<Event> {
    of(
        job,
        TrainEvent::Begun {
            number,
            of: 3,
            seed: 6 + number as u64,
        },
    )
}

fn trained(job: JobId) -> Message<Event> {
    of(
        job,
        TrainEvent::Trained {
            best_epoch: 1,
            stopped: false,
        },
    )
}

#[test]
fn pulses_are_kept_up_to_a_number_and_the_last_always() {
    let start = [ready(), Action::JobStarted(1, JobStarted::Train(5))];
    let state = then(after(start), [worker([pulse(1, 0.1), pulse(2, 0.2)])]);
    let training = state.training.as_ref().expect("running");
    assert_eq!(training.pulses.len(), 1);
    let many = (1..=5000).map(|i| pulse(1, f64::from(i) / 1000.0));
    let state = then(state, [worker(many)]);
    let pulses = &state.training.as_ref().expect("running").pulses;
    let most = Training::PULSES;
    assert!(
        (most / 2..=most).contains(&pulses.len()),
        "{}",
        pulses.len()
    );
    assert_eq!(pulses.last().map(|p| p.epoch), Some(5.0));
    assert!(pulses.windows(2).all(|two| two[0].epoch < two[1].epoch));
}

#[test]
fn several_seeds_are_one_job_and_each_has_its_own_curves() {
    let state = after([
        ready(),
        Action::JobStarted(1, JobStarted::Train(5)),
        worker([
            begun(1, 1),
            pulse(1, 0.5),
            epoch(1, 1),
            trained(1),
            begun(1, 2),
            pulse(1, 0.5),
        ]),
    ]);
    let training = state.training.as_ref().expect("running");
    assert_eq!(
        training.turn.map(|t| (t.number, t.of, t.seed)),
        Some((2, 3, 8))
    );
    assert_eq!((training.reports.len(), training.pulses.len()), (0, 1));
    assert!(state.job(JobKind::Train).is_some() && training.result.is_none());
    let last = then(
        state.clone(),
        [worker([begun(1, 3), epoch(1, 1), trained(1)])],
    );
    assert!(last.jobs.is_empty());
    // Stopped in the second one: the engine rests, so no third one comes.
    let ready = Event::State {
        state: EngineState::Ready,
    };
    let stopped = then(state, [worker([epoch(1, 1), trained(1), ready.into()])]);
    assert!(stopped.jobs.is_empty() && stopped.idle());
}

#[test]
fn kept_views_are_noted() {
    let views = of(
        1,
        TrainEvent::Views {
            views: 4,
            images: 960,
        },
    );
    let state = after([
        ready(),
        Action::JobStarted(1, JobStarted::Train(5)),
        worker([views]),
    ]);
    assert_eq!(state.training.and_then(|t| t.views), Some((4, 960)));
}

#[test]
fn an_estimate_holds_until_a_setting_changes() {
    let estimate = crate::protocol::Estimate {
        steps: 6,
        step_milliseconds: 4.0,
        prepare_milliseconds: 900.0,
        epoch_milliseconds: 30.0,
        milliseconds: 1200.0,
        bytes: 9_000_000,
        views: 0,
    };
    let answer = |job| worker([of(job, Event::Estimated { estimate })]);
    let asked = after([
        ready(),
        Action::Typed("seeds", "2".into()),
        Action::JobStarted(1, OTHER(JobKind::Estimate)),
        answer(9),
    ]);
    assert!(asked.forecast.is_none() && !asked.idle());
    let state = then(asked, [answer(1)]);
    let forecast = state.forecast.as_ref().expect("answered");
    assert_eq!(
        (forecast.epochs, forecast.seeds, forecast.estimate),
        (10, 2, estimate)
    );
    assert!(state.idle());
    for change in [
        Action::Typed("epochs", "3".into()),
        Action::Typed("scope", "all".into()),
        Action::Typed("class_weights", "true".into()),
    ] {
        assert!(then(state.clone(), [change]).forecast.is_none());
    }
}

#[test]
fn previews_replace_the_ones_before_and_late_ones_are_given_back() {
    let previews = |job, urls: &[&str]| {
        let names = vec!["the image".into(), "mirror".into()];
        with_urls(of(job, Event::Previews { names }), urls)
    };
    let state = after([
        ready(),
        Action::JobStarted(1, JobStarted::Preview(4)),
        previews(1, &["blob:1", "blob:2"]),
    ]);
    assert_eq!(
        (state.previews[1].name.as_str(), state.preview),
        ("mirror", 4)
    );
    assert!(state.idle() && state.urls().any(|url| url == "blob:2"));
    let state = then(
        state,
        [
            Action::JobStarted(2, JobStarted::Preview(5)),
            previews(1, &["blob:3", "blob:4"]),
            previews(2, &["blob:5", "blob:6"]),
        ],
    );
    assert_eq!(state.previews[0].url, "blob:5");
    assert_eq!(*state.discarded, ["blob:3", "blob:4"]);
    assert!(!state.urls().any(|url| url == "blob:2"));
}

#[test]
fn six_runs_are_shown_and_keep_their_looks() {
    let runs: Vec<_> = (1..=8)
        .map(|id| crate::compare::tests::run(id, id, 0.9))
        .collect();
    let state = after([ready(), worker([Event::Runs { runs: runs.clone() }])]);
    let show = (1..=7).chain([99]).map(|id| Action::Show(id, true));
    let state = then(state, show);
    assert!(!state.runs.has_room());
    assert_eq!(
        state
            .runs
            .curves()
            .map(|(_, run)| run.id)
            .collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6]
    );
    let state = then(state, [Action::Show(2, false), Action::Show(8, true)]);
    assert_eq!(
        (state.runs.place(8), state.runs.place(3)),
        (Some(1), Some(2))
    );
    // A forgotten run makes room.
    let state = then(
        state,
        [worker([Event::Runs {
            runs: runs[3..].to_vec(),
        }])],
    );
    assert_eq!(
        state.runs.shown,
        [None, Some(8), None, Some(4), Some(5), Some(6)]
    );
}

#[test]
fn another_backbone_keeps_how_much_is_trained() {
    let all = Action::Typed("scope", "all".into());
    let state = after([ready(), all]);
    assert_eq!(state.form.typed("scope"), "all");

    let resnet = then(state.clone(), [worker([Event::Model { model: model() }])]);
    assert_eq!(resnet.form.typed("scope"), "all");
    let model = ModelSummary {
        arch: Arch::Densenet121,
        ..model()
    };
    let densenet = then(state, [worker([Event::Model { model }])]);
    assert_eq!(densenet.form.typed("scope"), "all");
}

#[test]
fn recorded_gradients_are_curves_by_stage_and_come_and_go_with_their_epochs() {
    let recorded = |n: usize, norms: [f64; 2]| {
        let mut message = epoch(1, n);
        let Event::Training(TrainEvent::Epoch { report }) = &mut message.body else {
            unreachable!("an epoch");
        };
        let stages = ["stem", "head"].into_iter().zip(norms);
        report.gradients = stages
            .map(|(stage, norm)| StageGradient {
                stage: stage.into(),
                norm,
            })
            .collect();
        message
    };
    let plain = after([
        ready(),
        Action::JobStarted(1, JobStarted::Train(5)),
        worker([epoch(1, 1)]),
    ]);
    assert_eq!(plain.training.as_ref().map(|t| t.gradients()), Some(vec![]));
    // The second epoch comes again, as after a lost GPU.
    let state = then(
        plain,
        [worker([
            recorded(1, [0.1, 1.0]),
            recorded(2, [9.0, 9.0]),
            recorded(2, [0.2, 2.0]),
        ])],
    );
    let curves = state.training.as_ref().expect("running").gradients();
    let curves: Vec<_> = curves.iter().map(|c| (&*c.stage, &*c.norms)).collect();
    assert_eq!(
        curves,
        [
            ("stem", &[(1, 0.1), (2, 0.2)][..]),
            ("head", &[(1, 1.0), (2, 2.0)][..]),
        ]
    );
}

#[test]
fn an_epoch_of_an_older_version_has_no_gradients() {
    let old = r#"{"epoch":1,"train_loss":1.0,"train_accuracy":0.5,"val_loss":1.0,"val_accuracy":0.5,"milliseconds":1.0}"#;
    let report: EpochReport = serde_json::from_str(old).expect("an old report");
    assert!(report.gradients.is_empty());
    let text = serde_json::to_string(&report).expect("plain data");
    assert!(!text.contains("gradients"), "{text}");
}

#[test]
fn it_is_said_which_model_a_training_begins_from() {
    let open = after([
        ready(),
        Action::JobStarted(1, JobStarted::Other(JobKind::Dataset)),
        worker([dataset(1)]),
    ]);
    // Two classes, which are not the six scenes.
    let said = open.begins_from().expect("a data set is open");
    assert!(said.contains("General ResNet"), "{said}");
    let chosen = then(open, [Action::ChooseStart(StartFrom::InUse)]);
    let said = chosen.begins_from().expect("a data set is open");
    assert!(
        said.contains("resnet18") && !said.contains("General"),
        "{said}"
    );
    assert_eq!(after([ready()]).begins_from(), None);
}
