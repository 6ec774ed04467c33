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
