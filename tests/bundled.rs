//! Promise: the models that come with the program are at hand by their names, answer as those who made them say, and a
//! training on classes of one's own begins from the one that suits.
//!
//! The pictures in fixtures/things and what timm says of them are made by its make.py.

mod program;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use program::{Folder, draw, program, text};
use retune::config::BundledModel;
use retune::infer::Classifier;
use serde_json::Value;

const THINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/things");

/// What timm says of a picture: labels and probabilities, the best first.
fn timm(picture: &str) -> Vec<(String, f64)> {
    let text = fs::read_to_string(Path::new(THINGS).join("timm.json")).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(all[picture].take()).unwrap()
}

#[test]
fn a_thousand_things_are_told_apart_as_timm_tells_them() {
    let folder = Folder::new("things");
    for picture in ["wall_clock.png", "traffic_light.png"] {
        let file = format!("{THINGS}/{picture}");
        let args = [
            "classify", "--device", "cpu", "--json", "--model", "things", &file,
        ];
        let output = program(&folder, &args).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let line: Value = serde_json::from_str(text(&output.stdout).trim()).unwrap();
        let probabilities = &line["probabilities"];
        assert_eq!(line["label"], timm(picture)[0].0.as_str());
        for (label, probability) in timm(picture) {
            let ours = probabilities[&label].as_f64().unwrap();
            assert!(
                (ours - probability).abs() < 0.05,
                "{label}: {ours}, {probability}"
            );
        }
    }
}

#[test]
fn the_general_model_has_nothing_to_answer_with() {
    let folder = Folder::new("general");
    let picture = format!("{THINGS}/wall_clock.png");
    let args = [
        "classify", "--device", "cpu", "--model", "general", &picture,
    ];
    let output = program(&folder, &args).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(
        text(&output.stderr).contains("train"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(text(&output.stdout), "");
}

/// Drawn scenes under other names, so that they are classes of one's own.
fn pets(folder: &Folder) -> String {
    let root = folder.join("pets");
    for (class, name) in ["cats", "dogs"].into_iter().enumerate() {
        for index in 0..6 {
            draw(&root.join(format!("{name}/{index}.png")), class, index);
        }
    }
    root.to_string_lossy().into_owned()
}

fn train(folder: &Folder, images: &str, more: &[&str]) -> (Value, String) {
    let out = folder.join("run");
    let mut args = vec!["train", images, "--device", "cpu", "--epochs", "1", "--out"];
    args.push(out.to_str().unwrap());
    args.extend(more);
    let output = program(folder, &args).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = fs::read_to_string(out.join("report.json")).unwrap();
    (serde_json::from_str(&report).unwrap(), text(&output.stderr))
}

#[test]
fn classes_of_ones_own_begin_from_the_general_model_unless_another_is_named() {
    let folder = Folder::new("own");
    let pets = pets(&folder);
    let (report, said) = train(&folder, &pets, &[]);
    assert_eq!(report["arch"], "resnet_2223");
    assert!(said.contains("begins from the General ResNet"), "{said}");
    let (report, said) = train(&folder, &pets, &["--weights", "scenes"]);
    assert_eq!(report["arch"], "resnet18");
    assert!(!said.contains("begins from"), "{said}");
    let (report, _) = train(&folder, &pets, &["--weights", "things"]);
    assert_eq!(report["arch"], "efficientnet_lite0");
}

#[test]
fn the_six_scenes_begin_from_the_model_that_knows_them() {
    let folder = Folder::new("six");
    let root = folder.join("six");
    for (class, name) in retune::classes::INTEL.into_iter().enumerate() {
        for index in 0..3 {
            draw(&root.join(format!("{name}/{index}.png")), class, index);
        }
    }
    let (report, said) = train(&folder, root.to_str().unwrap(), &[]);
    assert_eq!(report["arch"], "resnet18");
    assert!(!said.contains("begins from"), "{said}");
}

#[test]
fn weights_and_backbone_that_do_not_go_together_are_refused() {
    let folder = Folder::new("mismatch");
    let pets = pets(&folder);
    let out = folder.join("run");
    let args = [
        "train",
        &pets,
        "--arch",
        "resnet50",
        "--weights",
        "general",
        "--out",
    ];
    let args: Vec<&str> = args.into_iter().chain(out.to_str()).collect();
    let output = program(&folder, &args).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("general is a resnet_2223, not a resnet50"),
        "{said}"
    );
}

#[test]
fn the_library_has_the_scenes_model() {
    let scenes = pollster::block_on(Classifier::bundled(&Device::flex())).unwrap();
    assert_eq!(scenes.classes, retune::classes::intel());
    assert!(!scenes.untrained);
    assert_eq!(BundledModel::default(), BundledModel::Scenes);
}

/// The folder `seg_train` of Intel Image, which is not in the repository.
const INTEL_TRAIN: &str = "RETUNE_INTEL_TRAIN";

#[test]
#[ignore = "needs Intel Image: the folder seg_train in RETUNE_INTEL_TRAIN"]
fn images_that_the_scenes_model_has_seen_are_told_and_not_held_out_first() {
    let folder = Folder::new("seen");
    let from = std::env::var(INTEL_TRAIN).expect(INTEL_TRAIN);
    let held_out = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/configs/intel-validation.txt"
    ))
    .unwrap();
    let root = folder.join("scenes");
    for class in retune::classes::INTEL {
        let unseen: Vec<String> = held_out
            .lines()
            .filter_map(|line| line.strip_prefix(&format!("seg_train/{class}/")))
            .map(str::to_owned)
            .collect();
        let mut all: Vec<String> = fs::read_dir(Path::new(&from).join(class))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        all.sort();
        let seen = all.iter().filter(|name| !unseen.contains(name)).take(12);
        fs::create_dir_all(root.join(class)).unwrap();
        for name in seen.chain(unseen.iter().take(4)) {
            let [from, to] = [Path::new(&from), &root].map(|root| root.join(class).join(name));
            fs::copy(from, to).unwrap();
        }
    }
    let (report, said) = train(&folder, root.to_str().unwrap(), &[]);
    let seen = &report["runs"][0]["seen"];
    assert_eq!(seen["model"], "scenes");
    // Nearly the same photos may be among those that were held out.
    assert!(seen["train"].as_u64().unwrap() >= 70, "{seen}");
    assert!(seen["validation"].as_u64().unwrap() <= 2, "{seen}");
    assert!(said.contains("was trained on"), "{said}");
    let (report, said) = train(&folder, root.to_str().unwrap(), &["--weights", "general"]);
    assert!(report["runs"][0]["seen"].is_null() && !said.contains("was trained on"));
}
