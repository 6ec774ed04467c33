use std::collections::BTreeSet;

use super::*;
use crate::{
    compare,
    config::{Edges, HeadKind, Scope, SizeFrom, Turns, sample},
};

/// A form with everything on that gives its fields a meaning.
fn all_on(crop: &str) -> TrainForm {
    let mut form = TrainForm::default();
    form.type_in("scope", "all".to_owned());
    form.type_in("optimizer", "sgd".to_owned());
    form.type_in("schedule", "step".to_owned());
    form.type_in("augment.crop", crop.to_owned());
    form.type_in("augment.rotation", "any".to_owned());
    form.type_in("augment.jitter", "true".to_owned());
    form
}

/// A form in which the setting means something.
fn on_for(key: &str) -> TrainForm {
    let mut form = all_on(if key == "augment.crop.padding" {
        "random"
    } else {
        "resized"
    });
    if key == "augment.views" {
        form.type_in("scope", "head".to_owned());
    }
    assert!(is_used(&form, key), "{key}");
    form
}

fn is_used(form: &TrainForm, key: &str) -> bool {
    find(key).is_used(&mut form.valid())
}

fn find(key: &str) -> &'static Setting {
    Setting::find(key).expect("there is such a setting")
}

fn config(form: &TrainForm) -> Result<TrainConfig> {
    form.request().map(|request| request.config)
}

/// What is wrong with one setting, if anything is.
fn problem(form: &TrainForm, key: &str) -> Option<String> {
    form.problems().remove(key)
}

/// The settings that are typed.
fn typed() -> impl Iterator<Item = &'static Setting> {
    Setting::all().filter(|setting| setting.input() == Input::Text)
}

/// The settings in which two forms differ, by name, with the second one's value.
fn difference(a: &TrainForm, b: &TrainForm) -> Vec<(String, String)> {
    let of = |form: &TrainForm| {
        let config = config(form).expect("valid");
        compare::leaves(&serde_json::to_value(config).expect("plain data"))
    };
    let (a, b) = (of(a), of(b));
    let changed = b
        .into_iter()
        .filter(|(name, value)| a.get(name) != Some(value));
    changed.collect()
}

#[test]
fn the_defaults_are_the_settings_defaults() {
    assert_eq!(config(&TrainForm::default()), Ok(TrainConfig::default()));
    assert_eq!(TrainForm::default().request().map(|r| r.seeds), Ok(1));
    assert_eq!(TrainForm::default().typed("augment"), "none");
}

#[test]
fn what_is_typed_arrives_in_its_own_setting() {
    let expected = [
        ("learning_rate", "1e-2", "learning_rate", "0.01"),
        ("epochs", "30", "epochs", "30"),
        ("batch", " 16 ", "batch", "16"),
        ("momentum", "0.5", "momentum", "0.5"),
        ("weight_decay", "0.05", "weight_decay", "0.05"),
        ("clip_norm", "2.5", "clip_norm", "2.5"),
        ("warmup_epochs", "1.5", "warmup_epochs", "1.5"),
        ("step_epochs", "3", "step_epochs", "3"),
        ("step_factor", "0.3", "step_factor", "0.3"),
        ("label_smoothing", "0.12", "label_smoothing", "0.12"),
        ("patience", "6", "patience", "6"),
        ("ema", "0.99", "ema", "0.99"),
        ("backbone_lr_factor", "0.7", "backbone_lr_factor", "0.7"),
        ("stage_lr_decay", "0.8", "stage_lr_decay", "0.8"),
        ("sizes", "1:96 5:128", "sizes", "1:96 5:128"),
        ("input_size", "224", "input_size", "224"),
        ("distillation", "0.3", "distillation", "0.3"),
        ("seed", "99", "seed", "99"),
        ("split_seed", "98", "split_seed", "98"),
        ("val_fraction", "0.25", "val_fraction", "0.25"),
        ("images_per_class", "20", "images_per_class", "20"),
        ("augment.crop.padding", "0.2", "augment.crop.padding", "0.2"),
        (
            "augment.crop.scale.least",
            "0.33",
            "augment.crop.scale",
            "0.33 to 1.0",
        ),
        (
            "augment.crop.scale.most",
            "0.9",
            "augment.crop.scale",
            "0.7 to 0.9",
        ),
        (
            "augment.crop.ratio.least",
            "0.5",
            "augment.crop.ratio",
            "0.5 to 1.3333",
        ),
        (
            "augment.crop.ratio.most",
            "3/2",
            "augment.crop.ratio",
            "0.75 to 1.5",
        ),
        (
            "augment.horizontal_flip",
            "0.4",
            "augment.horizontal_flip",
            "0.4",
        ),
        (
            "augment.vertical_flip",
            "0.3",
            "augment.vertical_flip",
            "0.3",
        ),
        (
            "augment.rotation.degrees",
            "15",
            "augment.rotation.degrees",
            "15.0",
        ),
        ("augment.translation", "0.15", "augment.translation", "0.15"),
        (
            "augment.jitter.brightness",
            "0.11",
            "augment.jitter.brightness",
            "0.11",
        ),
        (
            "augment.jitter.contrast",
            "0.12",
            "augment.jitter.contrast",
            "0.12",
        ),
        (
            "augment.jitter.saturation",
            "0.13",
            "augment.jitter.saturation",
            "0.13",
        ),
        ("augment.jitter.hue", "0.14", "augment.jitter.hue", "0.14"),
        ("augment.grayscale", "0.16", "augment.grayscale", "0.16"),
        ("augment.noise", "0.17", "augment.noise", "0.17"),
        ("augment.erasing", "0.18", "augment.erasing", "0.18"),
        ("augment.mixup", "0.19", "augment.mixup", "0.19"),
        ("augment.cutmix", "0.21", "augment.cutmix", "0.21"),
        ("augment.copies", "2", "augment.copies", "2"),
        ("augment.views", "9", "augment.views", "9"),
    ];
    for (field, text, name, value) in expected {
        let before = on_for(field);
        let mut after = before.clone();
        after.type_in(field, text.to_owned());
        let changed = difference(&before, &after);
        if field == "sizes" {
            let size = |epoch, size| SizeFrom { epoch, size };
            let sizes = config(&after).expect("valid").sizes;
            assert_eq!(sizes, [size(1, 96), size(5, 128)]);
            assert!(
                changed.iter().all(|c| c.0.starts_with("sizes")),
                "{changed:?}"
            );
        } else {
            assert_eq!(changed, [(name.to_owned(), value.to_owned())], "{field:?}");
        }
    }
    let mut form = TrainForm::default();
    form.type_in("seeds", "3".to_owned());
    let config = TrainConfig::default();
    assert_eq!(form.request(), Ok(TrainRequest { config, seeds: 3 }));
}

#[test]
fn what_is_typed_is_what_is_read() {
    for setting in Setting::all() {
        let (base, text) = sample(setting);
        let mut expected = base.clone();
        setting.read(&mut expected, &text).expect("a good value");
        let mut form = TrainForm::default();
        form.take(&base);
        assert_eq!(form.request().as_ref(), Ok(&base), "{}", setting.key);
        form.type_in(setting.key, text);
        assert_eq!(form.request(), Ok(expected), "{}", setting.key);
    }
}

#[test]
fn what_is_chosen_arrives_in_its_own_setting() {
    for (choice, option, name) in [
        ("head", "mlp-bn", "head"),
        ("scope", "last-two", "scope"),
        ("optimizer", "adamw", "optimizer"),
        ("schedule", "cosine", "schedule"),
        ("norm", "trained", "norm"),
        ("augment.rotation.edges", "wrap", "augment.rotation.edges"),
        ("augment.rotation", "exact", "augment.rotation.turns"),
    ] {
        let before = all_on("none");
        let mut after = before.clone();
        after.type_in(choice, option.to_owned());
        let changed = difference(&before, &after);
        assert!(
            changed.contains(&(name.to_owned(), option.to_owned())),
            "{choice:?} {changed:?}"
        );
        after.type_in(choice, "no such option".to_owned());
        assert_eq!(after.typed(choice), option);
    }
    for (flag, name) in [
        ("resume_head", "resume_head"),
        ("class_weights", "class_weights"),
        ("augment.one_by_one", "augment.one_by_one"),
    ] {
        let mut form = TrainForm::default();
        form.type_in(flag, "true".to_owned());
        let changed = difference(&TrainForm::default(), &form);
        assert_eq!(changed, [(name.to_owned(), "true".to_owned())]);
    }
}

#[test]
fn a_bad_setting_is_named_and_only_that_one_is_marked() {
    for (field, text) in [
        ("learning_rate", "0"),
        ("learning_rate", "NaN"),
        ("backbone_lr_factor", "2"),
        ("epochs", "0"),
        ("epochs", "2.5"),
        ("batch", ""),
        ("batch", "99999999999999999999999"),
        ("seed", "-1"),
        ("val_fraction", "0.9"),
        ("momentum", "1"),
        ("warmup_epochs", "11"),
        ("step_epochs", "0"),
        ("step_factor", "2"),
        ("stage_lr_decay", "0"),
        ("sizes", "96"),
        ("sizes", "1:9"),
        ("input_size", "31"),
        ("input_size", "1.5"),
        ("sizes", "0:96"),
        ("distillation", "1.1"),
        ("weight_decay", "-1"),
        ("label_smoothing", "0.9"),
        ("clip_norm", "x"),
        ("patience", "-2"),
        ("ema", "1"),
        ("split_seed", "1.5"),
        ("augment.crop.scale.least", "0"),
        ("augment.crop.scale.most", "0.1"),
        ("augment.crop.ratio.most", "4/0"),
        ("augment.rotation.degrees", "181"),
        ("augment.jitter.hue", "0.6"),
        ("augment.noise", "1.1"),
        ("augment.mixup", "5"),
        ("augment.copies", "0"),
        ("augment.views", "33"),
    ] {
        let mut form = on_for(field);
        form.type_in(field, text.to_owned());
        let marked: Vec<_> = form.problems().into_keys().collect();
        assert_eq!(marked, [field], "{text}");
        let error = config(&form).map_err(|e| e.to_string());
        let error = error.expect_err("the setting is bad");
        assert!(error.starts_with(find(field).name), "{error}");
    }
    let mut form = TrainForm::default();
    form.type_in("seeds", "21".to_owned());
    assert!(problem(&form, "seeds").is_some_and(|p| p.contains("1 to 20")));
}

#[test]
fn what_has_no_effect_is_off_and_its_text_does_not_matter() {
    let mut form = TrainForm::default();
    for field in [
        "momentum",
        "step_epochs",
        "step_factor",
        "backbone_lr_factor",
        "stage_lr_decay",
        "sizes",
        "augment.crop.padding",
        "augment.crop.scale.least",
        "augment.rotation.degrees",
        "augment.jitter.hue",
    ] {
        assert!(!is_used(&form, field), "{field:?}");
        form.type_in(field, "nonsense".to_owned());
        assert_eq!(problem(&form, field), None);
    }
    assert!(!is_used(&form, "norm") && !is_used(&form, "augment.rotation.edges"));
    assert_eq!(config(&form), Ok(TrainConfig::default()));
    form.type_in("scope", "last-stage".to_owned());
    assert!(!is_used(&form, "stage_lr_decay") && !is_used(&form, "augment.views"));
}

#[test]
fn a_preset_fills_its_parts_and_a_change_makes_it_custom() {
    for name in Augment::PRESETS {
        let mut form = TrainForm::default();
        form.type_in("augment", "strong".to_owned());
        form.type_in("augment", name.to_owned());
        assert_eq!(config(&form).map(|c| c.augment).ok(), Augment::preset(name));
        assert_eq!(form.typed("augment"), name);
        let before = form.typed("augment.noise").to_owned();
        form.type_in("augment.noise", "0.5".to_owned());
        assert_eq!(form.typed("augment"), Augment::CUSTOM);
        form.type_in("augment.noise", before);
        assert_eq!(form.typed("augment"), name);
    }
    let mut form = TrainForm::default();
    form.type_in("augment", "course-work-x4".to_owned());
    let rotation = form.augment().expect("valid").rotation.expect("on");
    assert_eq!(
        (rotation.turns, rotation.edges),
        (Turns::Exact, Edges::Wrap)
    );
    // Choosing "custom" changes nothing, and neither does a preset change what is not its own.
    form.type_in("head", "mlp-1".to_owned());
    form.type_in("augment", "light".to_owned());
    form.type_in("augment", "course-work-x4".to_owned());
    form.type_in("augment", Augment::CUSTOM.to_owned());
    let config = config(&form).expect("valid");
    assert_eq!(config.head, HeadKind::Mlp1);
    assert_eq!(Some(config.augment), Augment::preset("course-work-x4"));
    assert_eq!(form.typed("augment"), Augment::CUSTOM);
}

#[test]
fn a_batch_norm_of_one_image_marks_the_batch() {
    let mut form = TrainForm::default();
    form.type_in("head", "mlp-bn".to_owned());
    form.type_in("batch", "1".to_owned());
    let marked: Vec<_> = form.problems().into_keys().collect();
    assert_eq!(marked, ["batch"]);
}

#[test]
fn every_hint_says_what_may_be_typed() {
    for setting in typed() {
        let (key, hint) = (setting.key, setting.hint());
        let free = matches!(key, "seed" | "split_seed");
        assert!(free || hint.contains(" to "), "{key}: {hint}");
    }
    assert_eq!(find("augment.rotation.degrees").hint(), "0 to 180; degrees");
    assert_eq!(find("augment.crop.scale.most").hint(), "0.01 to 1");
}

#[test]
fn every_setting_stands_in_one_place_under_its_own_test_id() {
    let ids: BTreeSet<String> = Setting::all().map(Setting::test_id).collect();
    assert_eq!(ids.len(), Setting::all().count());
    // A heading that comes twice would stand on the page twice.
    let all: Vec<_> = Setting::all().filter(|s| !s.group.is_empty()).collect();
    let runs: Vec<_> = all.chunk_by(|a, b| a.group == b.group).collect();
    let headings: BTreeSet<_> = all.iter().map(|s| s.group).collect();
    assert_eq!(runs.len(), headings.len());
}

#[test]
fn a_trainings_settings_go_into_the_form_and_out_of_it() {
    // Nothing on the page says what a teacher's share is; it is not lost.
    let config = TrainConfig {
        scope: Scope::All,
        distillation: 0.7,
        input_size: Some(96),
        sizes: vec![SizeFrom { epoch: 2, size: 64 }],
        resume_head: true,
        augment: Augment::preset("strong").expect("there is one"),
        ..TrainConfig::default()
    };
    let taken = TrainRequest { config, seeds: 4 };
    let mut form = all_on("random");
    form.take(&taken);
    assert_eq!(form.request(), Ok(taken));
    assert!(!find("distillation").on_page && find("input_size").on_page);
}
