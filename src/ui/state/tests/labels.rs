//! Ways to read the labels of a data set, and a folder that has none.

use super::*;
use crate::protocol::{Labels, Leak, LeakKind, Reading};
use crate::ui::text;

fn reading(level: usize, first_picture: u32, pictures: u32) -> Reading {
    Reading {
        labels: Labels::Folders {
            level: Some(level),
            merge_similar: None,
            parts: Vec::new(),
        },
        text: format!("folders at level {level}"),
        flags: format!("--class-level {level}"),
        classes: Vec::new(),
        count: 2,
        first_picture,
        pictures,
    }
}

fn opened(summary: DatasetSummary, urls: &[&str]) -> State {
    after([
        ready(),
        Action::JobStarted(1, OTHER(JobKind::Dataset)),
        with_urls(of(1, Event::Dataset { summary }), urls),
    ])
}

#[test]
fn a_question_keeps_from_training_and_shows_the_pictures_of_each_answer() {
    let asked = DatasetSummary {
        readings: vec![reading(1, 1, 2), reading(2, 3, 1)],
        thumbnails: None,
        ..summary(Some("The folders can be read in two ways."))
    };
    assert!(text::asks(&asked));
    let said = text::contents(&asked);
    assert!(
        said.starts_with("80 images.") && !said.contains("2 classes"),
        "{said}"
    );
    let state = opened(asked, &["blob:x", "blob:a", "blob:b", "blob:c"]);
    let set = state.dataset.as_ref().expect("open");
    assert_eq!(set.pictures, [vec!["blob:a", "blob:b"], vec!["blob:c"]]);
    assert!(set.thumbnails.is_empty());
    let needs = state.training_needs();
    assert_eq!(
        needs.as_deref(),
        Some("The folders can be read in two ways.")
    );
    let needs = state.evaluation_needs();
    assert!(needs.is_some_and(|needs| needs.contains("Choose under Data")));
    // The browser must not be told to forget what is shown.
    assert_eq!(
        state.urls().collect::<Vec<_>>(),
        ["blob:a", "blob:b", "blob:c"]
    );
}

#[test]
fn an_answered_question_asks_no_longer() {
    let readings = vec![reading(1, 0, 0), reading(2, 0, 0)];
    let answered = DatasetSummary {
        labels: readings[1].labels.clone(),
        readings,
        ..summary(None)
    };
    assert!(!text::asks(&answered));
    assert!(text::contents(&answered).starts_with("2 classes, 58 images"));
    let state = opened(answered, &[]);
    assert_eq!(
        (state.training_needs(), state.evaluation_needs()),
        (None, None)
    );
}

#[test]
fn loose_photos_are_offered_until_they_are_classified() {
    let loose = DatasetSummary {
        loose_images: vec!["a.png".into(), "b.png".into()],
        ..summary(Some("no classes"))
    };
    let state = opened(loose, &[]);
    assert_eq!(state.loose_images(), 2);
    let state = then(state, [Action::JobStarted(2, files(&["a.png", "b.png"]))]);
    assert_eq!(state.loose_images(), 0);
    assert_eq!(opened(summary(None), &[]).loose_images(), 0);
}

#[test]
fn identical_images_that_make_a_figure_wrong_are_told_once() {
    let group = |files: [&str; 2]| files.map(String::from).to_vec();
    let (across, harmless) = (group(["train/a", "test/a"]), group(["train/b", "train/c"]));
    let set = DatasetSummary {
        duplicates: vec![across.clone(), harmless.clone()],
        leaks: vec![Leak {
            kind: LeakKind::BetweenParts,
            files: across,
        }],
        ..summary(None)
    };
    let state = opened(set, &[]);
    let set = state.dataset.as_ref().expect("open");
    assert_eq!(set.harmless_duplicates(), [&harmless]);
}
