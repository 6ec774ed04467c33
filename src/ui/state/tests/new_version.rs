//! A new version of the page waits until nothing runs.

use super::*;

const READY: Action = Action::NewVersion(Some(NewVersion::Ready));

#[test]
fn nothing_is_said_without_a_new_version() {
    assert_eq!(after([ready()]).new_version, None);
}

#[test]
fn it_waits_for_a_training_and_for_a_classification() {
    let idle = after([ready(), READY]);
    assert_eq!(idle.new_version, Some(NewVersion::Ready));
    assert!(idle.rests());
    let kinds = [
        JobStarted::Train(3),
        JobStarted::Classify(vec![("a.jpg".into(), None)]),
        OTHER(JobKind::Dataset),
    ];
    for began in kinds {
        let busy = then(idle.clone(), [Action::JobStarted(1, began.clone())]);
        assert!(!busy.rests(), "{began:?}");
        let over = then(busy, [worker([of(1, Event::Finished)])]);
        assert!(over.rests(), "{began:?}");
    }
    let reading = then(idle, [Action::Reading(Some(3))]);
    assert!(!reading.rests());
}

#[test]
fn what_is_said_follows_what_runs() {
    let said = |version, idle| text::new_version(version, idle);
    assert_eq!(
        said(NewVersion::Ready, true),
        "A new version of Retune is ready. Reload to use it."
    );
    assert!(said(NewVersion::Ready, false).contains("waits"));
    assert!(said(NewVersion::HeldByTabs, true).contains("another tab"));
}

#[test]
fn the_screen_stays_on_while_images_are_worked_through() {
    let state = after([ready()]);
    assert!(!state.works());
    for began in [JobStarted::Train(3), OTHER(JobKind::Evaluate)] {
        let busy = then(state.clone(), [Action::JobStarted(1, began)]);
        assert!(busy.works());
        assert!(!then(busy, [worker([of(1, Event::Finished)])]).works());
    }
    let training = then(state, [Action::JobStarted(1, JobStarted::Train(3))]);
    let held = Event::State {
        state: EngineState::Paused,
    };
    assert!(!then(training, [worker([held])]).works());
}
