use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::config::{Augment, OptimizerKind, Schedule, Scope};

/// Settings in which this one has an effect, and the text of another value for it.
pub(crate) fn sample(setting: &Setting) -> (TrainRequest, String) {
    let mut base = TrainRequest::default();
    let c = &mut base.config;
    (c.optimizer, c.schedule) = (OptimizerKind::Sgd, Schedule::Step);
    if setting.key != "augment.views" {
        c.scope = Scope::All;
    }
    let before = setting.default_text();
    setting.read(&mut base, &before).expect("the default");
    assert!(setting.is_used(&mut base), "{}", setting.key);

    let texts: Vec<String> = match setting.input() {
        Input::Switch => vec![(before != "true").to_string()],
        Input::Words(words) => words.iter().rev().map(|word| word.0.to_owned()).collect(),
        Input::Text => {
            let (low, high) = setting.range.unwrap_or((0.0, 100.0));
            let middle = (low + high) / 2.0;
            let numbers = [middle, middle.floor(), 0.9, 3.0].map(|number| number.to_string());
            numbers.into_iter().chain(["1:96".to_owned()]).collect()
        }
    };
    let is_other = |text: &String| {
        let mut other = base.clone();
        setting.read(&mut other, text).is_ok() && other.check().is_ok() && other != base
    };
    let text = texts.into_iter().find(is_other);
    (
        base,
        text.unwrap_or_else(|| panic!("no value for {}", setting.key)),
    )
}

/// Every value of the settings as they stand in a file, under its key.
fn leaves(request: &TrainRequest) -> BTreeMap<String, serde_json::Value> {
    fn collect(
        key: &str,
        value: serde_json::Value,
        leaves: &mut BTreeMap<String, serde_json::Value>,
    ) {
        match value {
            serde_json::Value::Object(map) => {
                for (name, value) in map {
                    collect(&format!("{key}.{name}"), value, leaves);
                }
            }
            value => _ = leaves.insert(key.trim_start_matches('.').to_owned(), value),
        }
    }
    let mut leaves = BTreeMap::from([("seeds".to_owned(), request.seeds.into())]);
    let config = serde_json::to_value(&request.config).expect("plain data");
    collect("", config, &mut leaves);
    leaves
}

#[test]
fn no_two_rows_have_anything_in_common() {
    let count = Setting::all().count();
    let of = |what: fn(&Setting) -> String| Setting::all().map(what).collect::<BTreeSet<_>>();
    assert_eq!(of(|s| s.key.to_owned()).len(), count);
    assert_eq!(of(|s| s.name.to_owned()).len(), count);
    assert_eq!(of(Setting::title).len(), count);
    assert_eq!(of(Setting::flag_name).len(), count);
    assert_eq!(of(Setting::test_id).len(), count);
}

#[test]
fn a_row_changes_what_its_key_says_and_together_they_change_everything() {
    let mut reached = BTreeSet::new();
    for setting in Setting::all() {
        let (base, text) = sample(setting);
        let mut other = base.clone();
        setting.read(&mut other, &text).expect("a good value");
        let (before, after) = (leaves(&base), leaves(&other));
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for name in names
            .into_iter()
            .filter(|n| before.get(*n) != after.get(*n))
        {
            // Parts appear with what they are parts of; two rows stand for the ends of a range.
            let is_its_own = name.starts_with(setting.key) || setting.key.starts_with(name);
            assert!(is_its_own, "{} changes {name}", setting.key);
            reached.insert(name.clone());
        }
    }
    let mut all = TrainRequest::default();
    let mut every: BTreeSet<String> = leaves(&all).into_keys().collect();
    for part in [
        "augment.crop.padding",
        "augment.rotation.edges",
        "augment.jitter.hue",
    ] {
        let setting = Setting::find(part).expect("a row");
        setting
            .read(&mut all, &setting.default_text())
            .expect("the default");
        every.extend(leaves(&all).into_keys());
    }
    let setting = Setting::find("augment.crop.ratio.most").expect("a row");
    setting.read(&mut all, "2").expect("a ratio");
    every.extend(leaves(&all).into_keys());
    let missed: Vec<_> = every.difference(&reached).collect();
    assert!(missed.is_empty(), "no row for {missed:?}");
}

#[test]
fn a_file_gives_what_is_typed() {
    for setting in Setting::all() {
        let (base, text) = sample(setting);
        let mut typed = base.clone();
        setting.read(&mut typed, &text).expect("a good value");
        assert_eq!(
            setting.text(&mut typed.clone()),
            Some(text),
            "{}",
            setting.key
        );
        let file = serde_json::to_string(&typed.config).expect("plain data");
        let read: TrainConfig = serde_json::from_str(&file).expect("a file of ours");
        assert_eq!(read, typed.config);
    }
    for name in Augment::PRESETS {
        let mut typed = TrainRequest::default();
        let augment = Setting::find("augment").expect("a row");
        augment.read(&mut typed, name).expect("a preset");
        let file = serde_json::json!({ "augment": name });
        assert_eq!(serde_json::from_value(file).ok(), Some(typed.config));
    }
}

#[test]
fn words_are_those_of_files() {
    for setting in Setting::all() {
        let Input::Words(words) = setting.input() else {
            continue;
        };
        for (word, _) in words {
            let (mut request, _) = sample(setting);
            setting.read(&mut request, word).expect("a word of its own");
            let parts = [".kind", ".turns"].map(|part| format!("{}{part}", setting.key));
            let leaves = leaves(&request);
            let mut keys = parts.iter().map(String::as_str).chain([setting.key]);
            match keys.find_map(|key| leaves.get(key)) {
                Some(serde_json::Value::Null) => assert_eq!(*word, "none"),
                Some(value) => assert_eq!(value, word, "{}", setting.key),
                None => assert_eq!(setting.key, "augment"),
            }
        }
    }
}

#[test]
fn defaults_are_those_of_an_empty_file() {
    let empty: TrainConfig = serde_json::from_str("{}").expect("an empty file");
    assert_eq!(empty, TrainConfig::default());
    let mut request = TrainRequest::from(empty);
    assert_eq!(request.check(), Ok(()));
    for setting in Setting::all() {
        if let Some(text) = setting.text(&mut request) {
            assert_eq!(text, setting.default_text(), "{}", setting.key);
        }
        setting
            .check(&mut sample(setting).0)
            .expect("a default is in range");
    }
}

#[test]
fn what_is_beyond_a_range_is_refused_by_name_and_its_ends_are_not() {
    for setting in Setting::all() {
        let (base, _) = sample(setting);
        let given = |text: &str| {
            let mut request = base.clone();
            let read = setting.read(&mut request, text);
            read.and_then(|()| setting.check(&mut request))
        };
        let refused = |text: &str| {
            let error = given(text).map_err(|error| error.to_string());
            let error = error.expect_err(setting.key);
            assert!(error.starts_with(&format!("{}: ", setting.name)), "{error}");
        };
        refused("nonsense");
        let Some((low, high)) = setting.range else {
            continue;
        };
        let text = |number: f64| match setting.key {
            "sizes" => format!("1:{number}"),
            _ => number.to_string(),
        };
        refused(&text(low - 1.0));
        refused(&text(high + 1.0));
        for end in [low, high] {
            assert_eq!(given(&text(end)), Ok(()), "{}", setting.key);
        }
        let range = format!("{} to {}", number(low), number(high));
        assert!(setting.hint().contains(&range) && setting.help().contains(&range));
    }
}

#[test]
fn what_does_not_fit_together_is_refused_by_the_name_of_a_row() {
    let refused = |keys: &[(&str, &str)], name: &str| {
        let mut request = TrainRequest::default();
        for (key, text) in keys {
            let setting = Setting::find(key).expect("a row");
            setting.read(&mut request, text).expect("a good value");
        }
        let error = request.check().expect_err("they do not fit").to_string();
        assert!(error.starts_with(&format!("{name}: ")), "{error}");
        assert!(Setting::all().any(|setting| setting.name == name), "{name}");
    };
    refused(&[("warmup_epochs", "11")], "warm-up");
    refused(&[("sizes", "1:96")], "training size");
    refused(&[("scope", "all"), ("sizes", "0:96")], "training size");
    refused(&[("distillation", "0.5")], "distillation");
    refused(&[("head", "mlp-bn"), ("batch", "1")], "batch");
    refused(&[("augment.crop.scale.most", "0.5")], "largest crop scale");
    refused(&[("augment.crop.ratio.least", "2")], "largest crop ratio");
    let augment = Augment {
        copies: 17,
        ..Augment::default()
    };
    assert!(augment.check().is_err());
}
