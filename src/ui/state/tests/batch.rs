//! Images and their answers.

use super::*;

#[test]
fn each_image_gets_its_own_answer_in_the_order_given() {
    let state = after([
        ready(),
        Action::JobStarted(1, files(&["a.png", "b.txt", "c.png"])),
        worker([
            classified(1, "c.png", &[0.45, 0.44]),
            of(
                1,
                Event::FileError {
                    file: "b.txt".into(),
                    reason: "not an image".into(),
                },
            ),
            classified(1, "a.png", &[0.1, 0.9]),
            classified(1, "not asked for.png", &[0.1, 0.9]),
            of(1, Event::Finished),
        ]),
    ]);
    let names: Vec<_> = state.batch.rows.iter().map(|r| r.file.as_str()).collect();
    assert_eq!(names, ["a.png", "b.txt", "c.png"]);
    let Outcome::Classified(a) = outcome(&state, "a.png") else {
        panic!("a.png has an answer");
    };
    assert_eq!(
        (a.label().as_str(), a.probability(), a.unsure()),
        ("street", 0.9, false)
    );
    let Outcome::Classified(c) = outcome(&state, "c.png") else {
        panic!("c.png has an answer");
    };
    assert_eq!((c.label().as_str(), c.unsure()), ("sea", true));
    assert_eq!(
        *outcome(&state, "b.txt"),
        Outcome::Failed("not an image".into())
    );
    assert!(state.idle() && state.jobs.is_empty());
}

#[test]
fn an_answer_without_probabilities_is_a_failure_of_that_file() {
    let state = after([
        ready(),
        Action::JobStarted(1, files(&["a.png"])),
        worker([classified(1, "a.png", &[])]),
    ]);
    assert!(matches!(outcome(&state, "a.png"), Outcome::Failed(_)));
}

#[test]
fn an_image_keeps_the_labels_of_the_model_that_answered() {
    let other = ModelSummary {
        classes: vec!["cat".into(), "dog".into()],
        ..model()
    };
    let state = after([
        ready(),
        Action::JobStarted(1, files(&["a.png"])),
        worker([
            classified(1, "a.png", &[0.9, 0.1]),
            Event::Model { model: other }.into(),
        ]),
    ]);
    let Outcome::Classified(a) = outcome(&state, "a.png") else {
        panic!("a.png has an answer");
    };
    assert_eq!(a.label(), "sea");
}

#[test]
fn answers_of_a_replaced_batch_are_dropped() {
    let state = after([
        ready(),
        Action::JobStarted(1, files(&["a.png"])),
        Action::JobStarted(2, files(&["a.png"])),
        worker([
            classified(1, "a.png", &[0.9, 0.1]),
            progress(1, 50),
            failed(1),
            of(1, Event::Finished),
        ]),
    ]);
    assert_eq!(*outcome(&state, "a.png"), Outcome::Waiting);
    let job = state.job(JobKind::Classify).expect("the second one runs");
    assert_eq!((job.id, job.progress), (2, None));
    assert!(state.notices.is_empty());
}

#[test]
fn after_a_cancel_nothing_more_comes() {
    let state = after([
        ready(),
        Action::JobStarted(1, files(&["a.png", "b.png"])),
        worker([
            classified(1, "a.png", &[0.9, 0.1]),
            of(1, Event::Cancelled),
            classified(1, "b.png", &[0.9, 0.1]),
        ]),
    ]);
    assert!(matches!(outcome(&state, "a.png"), Outcome::Classified(_)));
    assert_eq!(*outcome(&state, "b.png"), Outcome::Waiting);
    assert!(state.jobs.is_empty());
}

#[test]
fn a_large_batch_is_answered_without_touching_its_other_rows() {
    let names: Vec<_> = (0..2000).map(|i| (format!("{i}.png"), None)).collect();
    let before = after([ready(), Action::JobStarted(1, JobStarted::Classify(names))]);
    let later = then(
        before.clone(),
        [
            worker([classified(1, "1999.png", &[0.9, 0.1])]),
            Action::Page(3),
        ],
    );
    assert!(later.batch.rows[0] == before.batch.rows[0]);
    assert!(later.batch.rows[1999] != before.batch.rows[1999]);
    assert_eq!((later.batch.page, before.batch.page), (3, 0));
    assert_eq!(Batch::cards(60), 60);
    assert_eq!(Batch::cards(61), Batch::FIRST_CARDS);
}

/// How many of the answers are not those of the model in use.
fn stale(state: &State) -> usize {
    state.batch.stale(state.model.as_ref()).count()
}

fn label(state: &State, file: &str) -> String {
    outcome(state, file).answer().expect("an answer").label()
}

fn of_source(source: &str) -> ModelSummary {
    ModelSummary {
        source: source.into(),
        ..model()
    }
}

fn answered() -> State {
    after([
        ready(),
        Action::JobStarted(1, files(&["a.png", "b.png"])),
        worker([classified(1, "a.png", &[0.9, 0.1])]),
    ])
}

#[test]
fn answers_of_the_model_before_are_told_from_those_of_the_one_in_use() {
    let state = answered();
    assert_eq!(stale(&state), 0);
    let imported = of_source("three.pth");
    let state = then(
        state,
        [
            Action::JobStarted(2, OTHER(JobKind::Import)),
            worker([of(2, Event::Model { model: imported })]),
            worker([of(2, Event::Finished), classified(1, "b.png", &[0.2, 0.8])]),
        ],
    );
    assert_eq!(stale(&state), 1);
    // The program's own model is the same one when it comes back.
    let back = Event::Model { model: model() };
    let state = then(state, [worker([back])]);
    assert_eq!(stale(&state), 1);
    let answer = outcome(&state, "b.png").answer().expect("an answer");
    assert!(!answer.is_by(state.model.as_ref()));
}

#[test]
fn two_trainings_are_two_models_though_their_summaries_are_equal() {
    let trained = || Event::Model {
        model: of_source("trained here"),
    };
    let state = after([
        ready(),
        worker([trained()]),
        Action::JobStarted(1, files(&["a.png"])),
        worker([classified(1, "a.png", &[0.9, 0.1])]),
        Action::JobStarted(2, JobStarted::Train(3)),
    ]);
    assert_eq!(stale(&state), 0);
    let state = then(state, [worker([of(2, trained())])]);
    assert_eq!(stale(&state), 1);
}

#[test]
fn answers_take_the_new_names_of_the_outputs_and_stay_the_models() {
    let named = |classes: [&str; 2]| Event::Model {
        model: ModelSummary {
            classes: classes.map(Into::into).to_vec(),
            ..model()
        },
    };
    let naming = |job| Action::JobStarted(job, OTHER(JobKind::NameOutputs));
    let state = then(
        answered(),
        [naming(2), worker([of(2, named(["heron", "kite"]))])],
    );
    assert_eq!((stale(&state), label(&state, "a.png")), (0, "heron".into()));
    // Those of a model before keep theirs, and stay marked.
    let other = Event::Model {
        model: of_source("three.pth"),
    };
    let state = then(
        state,
        [
            worker([other]),
            naming(3),
            worker([of(3, named(["owl", "gull"]))]),
        ],
    );
    assert_eq!((stale(&state), label(&state, "a.png")), (1, "heron".into()));
}
