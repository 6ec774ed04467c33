//! What the page says besides, and where.

use super::*;

#[test]
fn messages_are_dismissed_one_by_one_and_do_not_pile_up() {
    let warn = |text: &str| worker([Event::Warning { text: text.into() }]);
    let state = after(["1", "2", "3"].map(warn));
    let second = state.notices[1].id;
    let state = then(state, [Action::Dismiss(second)]);
    assert_eq!(
        notices(&state).iter().map(|n| n.2).collect::<Vec<_>>(),
        ["1", "3"]
    );
    let state = then(state, (0..20).map(|i| warn(&i.to_string())));
    assert_eq!(state.notices.len(), State::NOTICES);
    assert_eq!(notices(&state).last(), Some(&(Section::Page, false, "19")));
}

fn warning(job: JobId, text: &str) -> Message<Event> {
    of(job, Event::Warning { text: text.into() })
}

#[test]
fn a_warning_is_shown_where_its_job_is() {
    let state = after([ready()]);
    for (kind, section) in [
        (JobKind::Import, Section::Model),
        (JobKind::Download, Section::Model),
        (JobKind::RandomInit, Section::Model),
        (JobKind::UseBundled, Section::Model),
        (JobKind::Train, Section::Train),
        (JobKind::Dataset, Section::Data),
        (JobKind::Classify, Section::Classify),
        (JobKind::Evaluate, Section::Evaluate),
    ] {
        let state = then(
            state.clone(),
            [
                Action::JobStarted(1, OTHER(kind)),
                worker([warning(1, "first"), of(1, Event::Finished)]),
                worker([warning(1, "after its end")]),
            ],
        );
        let said = [(section, false, "first"), (section, false, "after its end")];
        assert_eq!(notices(&state), said, "{kind:?}");
    }
    let start = then(state, [worker([warning(START, "no GPU")])]);
    assert_eq!(notices(&start), [(Section::Page, false, "no GPU")]);
}

#[test]
fn a_warning_about_a_model_goes_with_it_and_not_before() {
    let other = |job| of(job, Event::Model { model: model() });
    let imported = after([
        ready(),
        Action::JobStarted(1, OTHER(JobKind::Import)),
        worker([warning(1, "not kept"), other(1), warning(1, "no names")]),
        worker([of(1, Event::Finished)]),
    ]);
    let said = [
        (Section::Model, false, "not kept"),
        (Section::Model, false, "no names"),
    ];
    assert_eq!(notices(&imported), said);
    // Neither an export nor an import that fails puts another model in use.
    let same = then(
        imported.clone(),
        [
            Action::JobStarted(2, OTHER(JobKind::Export)),
            worker([of(2, Event::Finished)]),
            Action::JobStarted(3, OTHER(JobKind::Import)),
            worker([failed(3)]),
        ],
    );
    assert_eq!(notices(&same)[..2], said);
    for kind in [JobKind::Import, JobKind::NameOutputs, JobKind::Train] {
        let another = [Action::JobStarted(4, OTHER(kind)), worker([other(4)])];
        assert_eq!(notices(&then(imported.clone(), another)), [], "{kind:?}");
    }
    let reset = Event::Model { model: model() };
    assert_eq!(notices(&then(imported, [worker([reset])])), []);
}

#[test]
fn an_imported_model_can_be_imported_again_until_another_one_is_in_use() {
    let other = |job| worker([of(job, Event::Model { model: model() })]);
    let begun = |job, kind| Action::JobStarted(job, OTHER(kind));
    let imported = after([ready(), begun(1, JobKind::Import), other(1)]);
    assert_eq!(imported.imported, Some(1));
    let over = worker([of(1, Event::Finished)]);
    let imported = then(imported, [over]);
    for (kind, by) in [
        (JobKind::SetInput, Some(1)),
        (JobKind::NameOutputs, Some(1)),
        (JobKind::Train, None),
        (JobKind::Download, None),
    ] {
        let state = then(imported.clone(), [begun(2, kind), other(2)]);
        assert_eq!(state.imported, by, "{kind:?}");
    }
    let refused = then(imported, [begun(2, JobKind::Import), worker([failed(2)])]);
    assert_eq!(refused.imported, Some(1));
}

#[test]
fn the_same_sentence_stands_once() {
    let said = |section| Action::Notify(section, "labels.csv: is a table.".into());
    let state = after([said(Section::Page), said(Section::Data)]);
    assert_eq!(
        notices(&state),
        [(Section::Data, false, "labels.csv: is a table.")]
    );
}
