use std::collections::BTreeSet;

use super::*;
use crate::{
    compare,
    config::{Edges, HeadKind, SizeFrom, Turns},
};

/// A form with everything on that gives its fields a meaning.
fn all_on(crop: &str) -> TrainForm {
    let mut form = TrainForm::default();
    form.choose(Choice::Scope, "all");
    form.choose(Choice::Optimizer, "sgd");
    form.choose(Choice::Schedule, "step");
    form.choose(Choice::Crop, crop);
    form.choose(Choice::Turns, "any");
    form.set(Flag::Jitter, true);
    form
}

/// A form in which the field means something.
fn on_for(field: Field) -> TrainForm {
    let mut form = all_on(if field == Field::CropPadding {
        "random"
    } else {
        "resized"
    });
    if field == Field::Views {
        form.choose(Choice::Scope, "head");
    }
    assert!(form.is_used(Item::F(field)), "{field:?}");
    form
}

/// The settings in which two forms differ, by name, with the second one's value.
fn difference(a: &TrainForm, b: &TrainForm) -> Vec<(String, String)> {
    let of = |form: &TrainForm| {
        let config = form.config().expect("valid");
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
    assert_eq!(TrainForm::default().config(), Ok(TrainConfig::default()));
    assert_eq!(TrainForm::default().seeds(), Ok(1));
    assert_eq!(TrainForm::default().chosen_name(Choice::Augment), "none");
}

#[test]
fn the_order_is_that_of_the_numbers() {
    for (i, field) in Field::ALL.into_iter().enumerate() {
        assert_eq!(field as usize, i);
    }
    for (i, choice) in Choice::ALL.into_iter().enumerate() {
        assert_eq!(choice as usize, i);
    }
    for (i, flag) in Flag::ALL.into_iter().enumerate() {
        assert_eq!(flag as usize, i);
    }
}

#[test]
fn what_is_typed_arrives_in_its_own_setting() {
    let expected = [
        (Field::LearningRate, "1e-2", "learning_rate", "0.01"),
        (Field::Epochs, "30", "epochs", "30"),
        (Field::Batch, " 16 ", "batch", "16"),
        (Field::Momentum, "0.5", "momentum", "0.5"),
        (Field::WeightDecay, "0.05", "weight_decay", "0.05"),
        (Field::ClipNorm, "2.5", "clip_norm", "2.5"),
        (Field::Warmup, "1.5", "warmup_epochs", "1.5"),
        (Field::StepEpochs, "3", "step_epochs", "3"),
        (Field::StepFactor, "0.3", "step_factor", "0.3"),
        (Field::LabelSmoothing, "0.12", "label_smoothing", "0.12"),
        (Field::Patience, "6", "patience", "6"),
        (Field::Ema, "0.99", "ema", "0.99"),
        (Field::BackboneFactor, "0.7", "backbone_lr_factor", "0.7"),
        (Field::StageDecay, "0.8", "stage_lr_decay", "0.8"),
        (Field::Sizes, "1:96 5:128", "sizes", "1:96 5:128"),
        (Field::Seed, "99", "seed", "99"),
        (Field::SplitSeed, "98", "split_seed", "98"),
        (Field::ValFraction, "0.25", "val_fraction", "0.25"),
        (Field::CropPadding, "0.2", "augment.crop.padding", "0.2"),
        (
            Field::CropLeast,
            "0.33",
            "augment.crop.scale",
            "0.33 to 1.0",
        ),
        (Field::CropMost, "0.9", "augment.crop.scale", "0.7 to 0.9"),
        (
            Field::RatioLeast,
            "0.5",
            "augment.crop.ratio",
            "0.5 to 1.3333",
        ),
        (Field::RatioMost, "3/2", "augment.crop.ratio", "0.75 to 1.5"),
        (
            Field::HorizontalFlip,
            "0.4",
            "augment.horizontal_flip",
            "0.4",
        ),
        (Field::VerticalFlip, "0.3", "augment.vertical_flip", "0.3"),
        (Field::Degrees, "15", "augment.rotation.degrees", "15.0"),
        (Field::Translation, "0.15", "augment.translation", "0.15"),
        (
            Field::Brightness,
            "0.11",
            "augment.jitter.brightness",
            "0.11",
        ),
        (Field::Contrast, "0.12", "augment.jitter.contrast", "0.12"),
        (
            Field::Saturation,
            "0.13",
            "augment.jitter.saturation",
            "0.13",
        ),
        (Field::Hue, "0.14", "augment.jitter.hue", "0.14"),
        (Field::Grayscale, "0.16", "augment.grayscale", "0.16"),
        (Field::Noise, "0.17", "augment.noise", "0.17"),
        (Field::Erasing, "0.18", "augment.erasing", "0.18"),
        (Field::Mixup, "0.19", "augment.mixup", "0.19"),
        (Field::Cutmix, "0.21", "augment.cutmix", "0.21"),
        (Field::Copies, "2", "augment.copies", "2"),
        (Field::Views, "9", "augment.views", "9"),
    ];
    for (field, text, name, value) in expected {
        let before = on_for(field);
        let mut after = before.clone();
        after.type_in(field, text.to_owned());
        let changed = difference(&before, &after);
        if field == Field::Sizes {
            let size = |epoch, size| SizeFrom { epoch, size };
            let sizes = after.config().expect("valid").sizes;
            assert_eq!(sizes, [size(1, 96), size(5, 128)]);
            assert!(
                changed.iter().all(|c| c.0.starts_with("sizes")),
                "{changed:?}"
            );
        } else {
            assert_eq!(changed, [(name.to_owned(), value.to_owned())], "{field:?}");
        }
    }
    // All of them but the number of trainings, which is no setting of one.
    assert_eq!(expected.len() + 1, Field::ALL.len());
    let mut form = TrainForm::default();
    form.type_in(Field::Seeds, "3".to_owned());
    assert_eq!(
        (form.seeds(), form.config()),
        (Ok(3), Ok(TrainConfig::default()))
    );
}

#[test]
fn what_is_chosen_arrives_in_its_own_setting() {
    for (choice, option, name) in [
        (Choice::Head, "mlp-bn", "head"),
        (Choice::Scope, "last-two", "scope"),
        (Choice::Optimizer, "adamw", "optimizer"),
        (Choice::Schedule, "cosine", "schedule"),
        (Choice::Norm, "trained", "norm"),
        (Choice::Edges, "wrap", "augment.rotation.edges"),
        (Choice::Turns, "exact", "augment.rotation.turns"),
    ] {
        let before = all_on("none");
        let mut after = before.clone();
        after.choose(choice, option);
        let changed = difference(&before, &after);
        assert!(
            changed.contains(&(name.to_owned(), option.to_owned())),
            "{choice:?} {changed:?}"
        );
        after.choose(choice, "no such option");
        assert_eq!(after.chosen_name(choice), option);
    }
    for (flag, name) in [
        (Flag::ResumeHead, "resume_head"),
        (Flag::ClassWeights, "class_weights"),
        (Flag::OneByOne, "augment.one_by_one"),
    ] {
        let mut form = TrainForm::default();
        form.set(flag, true);
        let changed = difference(&TrainForm::default(), &form);
        assert_eq!(changed, [(name.to_owned(), "true".to_owned())]);
    }
}

#[test]
fn a_bad_setting_is_named_and_only_that_one_is_marked() {
    for (field, text) in [
        (Field::LearningRate, "0"),
        (Field::LearningRate, "NaN"),
        (Field::BackboneFactor, "2"),
        (Field::Epochs, "0"),
        (Field::Epochs, "2.5"),
        (Field::Batch, ""),
        (Field::Batch, "99999999999999999999999"),
        (Field::Seed, "-1"),
        (Field::ValFraction, "0.9"),
        (Field::Momentum, "1"),
        (Field::Warmup, "11"),
        (Field::StepEpochs, "0"),
        (Field::StepFactor, "2"),
        (Field::StageDecay, "0"),
        (Field::Sizes, "96"),
        (Field::Sizes, "1:9"),
        (Field::WeightDecay, "-1"),
        (Field::LabelSmoothing, "0.9"),
        (Field::ClipNorm, "x"),
        (Field::Patience, "-2"),
        (Field::Ema, "1"),
        (Field::SplitSeed, "1.5"),
        (Field::CropLeast, "0"),
        (Field::CropMost, "0.1"),
        (Field::RatioMost, "4/0"),
        (Field::Degrees, "181"),
        (Field::Hue, "0.6"),
        (Field::Noise, "1.1"),
        (Field::Mixup, "5"),
        (Field::Copies, "0"),
        (Field::Views, "33"),
    ] {
        let mut form = on_for(field);
        form.type_in(field, text.to_owned());
        for other in Field::ALL {
            let marked = form.problem(other).is_some();
            assert_eq!(marked, other == field, "{field:?} {text}: {other:?}");
        }
        let error = form.config().map_err(|e| e.to_string());
        let error = error.expect_err("the setting is bad");
        assert!(error.starts_with(field.name()), "{error}");
    }
    let mut form = TrainForm::default();
    form.type_in(Field::Seeds, "21".to_owned());
    assert!(
        form.problem(Field::Seeds)
            .is_some_and(|p| p.contains("1 to 20"))
    );
}

#[test]
fn what_has_no_effect_is_off_and_its_text_does_not_matter() {
    let mut form = TrainForm::default();
    for field in [
        Field::Momentum,
        Field::StepEpochs,
        Field::StepFactor,
        Field::BackboneFactor,
        Field::StageDecay,
        Field::Sizes,
        Field::CropPadding,
        Field::CropLeast,
        Field::Degrees,
        Field::Hue,
    ] {
        assert!(!form.is_used(Item::F(field)), "{field:?}");
        form.type_in(field, "nonsense".to_owned());
        assert_eq!(form.problem(field), None);
    }
    assert!(!form.is_used(Item::C(Choice::Norm)) && !form.is_used(Item::C(Choice::Edges)));
    assert_eq!(form.config(), Ok(TrainConfig::default()));
    form.choose(Choice::Scope, "last-stage");
    assert!(!form.is_used(Item::F(Field::StageDecay)) && !form.is_used(Item::F(Field::Views)));
}

#[test]
fn a_preset_fills_its_parts_and_a_change_makes_it_custom() {
    for name in Augment::PRESETS {
        let mut form = TrainForm::default();
        form.choose(Choice::Augment, "strong");
        form.choose(Choice::Augment, name);
        assert_eq!(form.config().map(|c| c.augment).ok(), Augment::preset(name));
        assert_eq!(form.chosen_name(Choice::Augment), name);
        let before = form.typed(Field::Noise).to_owned();
        form.type_in(Field::Noise, "0.5".to_owned());
        assert_eq!(form.chosen_name(Choice::Augment), CUSTOM);
        form.type_in(Field::Noise, before);
        assert_eq!(form.chosen_name(Choice::Augment), name);
    }
    let mut form = TrainForm::default();
    form.choose(Choice::Augment, "course-work-x4");
    let rotation = form.augment().expect("valid").rotation.expect("on");
    assert_eq!(
        (rotation.turns, rotation.edges),
        (Turns::Exact, Edges::Wrap)
    );
    // Choosing "custom" changes nothing, and neither does a preset change what is not its own.
    form.choose(Choice::Head, "mlp-1");
    form.choose(Choice::Augment, "light");
    form.choose(Choice::Augment, "course-work-x4");
    form.choose(Choice::Augment, CUSTOM);
    let config = form.config().expect("valid");
    assert_eq!(config.head, HeadKind::Mlp1);
    assert_eq!(Some(config.augment), Augment::preset("course-work-x4"));
    assert_eq!(form.chosen_name(Choice::Augment), CUSTOM);
}

#[test]
fn every_hint_says_what_may_be_typed() {
    let form = TrainForm::default();
    for field in Field::ALL {
        let hint = form.hint(field);
        let free = matches!(field, Field::Seed | Field::SplitSeed | Field::Sizes);
        assert!(free || hint.contains(" to "), "{field:?}: {hint}");
    }
    assert_eq!(form.hint(Field::Degrees), "0 to 180; degrees");
    assert_eq!(form.hint(Field::CropMost), "0.01 to 1");
}

#[test]
fn every_setting_stands_in_one_place_under_its_own_test_id() {
    let groups = layout::MORE.iter().chain(layout::AUGMENT);
    let items: Vec<Item> = groups
        .flat_map(|(_, items)| items.iter())
        .chain(layout::FIRST)
        .copied()
        .collect();
    let all = Field::ALL.len() + Choice::ALL.len() + Flag::ALL.len();
    assert_eq!(items.len(), all);
    let ids: BTreeSet<&str> = items
        .iter()
        .map(|item| match item {
            Item::F(field) => field.test_id(),
            Item::C(choice) => choice.test_id(),
            Item::O(flag) => flag.test_id(),
        })
        .collect();
    assert_eq!(ids.len(), all);
}
