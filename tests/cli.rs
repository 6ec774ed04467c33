//! Promise: the command line does what its help says, with the exit codes it names, and one bad file
//! costs nothing but itself. Runs the real program on generated images.

mod program;

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use program::{Folder, draw, program, text};
use retune::classes::INTEL;
use serde_json::Value;

fn retune(args: &[&str], folder: &Folder) -> Output {
    program(folder, args).output().unwrap()
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// A data set of generated scenes: so many images a class to train on, a third as many to test on.
fn dataset(folder: &Folder, classes: &[usize], per_class: usize) -> PathBuf {
    let root = folder.join("scenes");
    for &class in classes {
        for index in 0..per_class {
            let file = format!("seg_train/{}/{index}.png", INTEL[class]);
            draw(&root.join(file), class, index);
        }
        for index in 0..per_class / 3 {
            let file = format!("seg_test/{}/{index}.png", INTEL[class]);
            draw(&root.join(file), class, 1000 + index);
        }
    }
    root
}

#[test]
fn classify_prints_a_line_for_each_file_and_goes_on_after_a_bad_one() {
    let folder = Folder::new("classify");
    let (good, bad) = (folder.join("forest.png"), folder.join("broken.jpg"));
    draw(&good, 1, 0);
    fs::write(&bad, b"no image at all").unwrap();
    let args = [
        bad.to_str().unwrap(),
        "/no/such/file.png",
        good.to_str().unwrap(),
    ];

    let mut with_json = vec!["classify", "--device", "cpu", "--json"];
    with_json.extend(args);
    let output = retune(&with_json, &folder);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let lines: Vec<Value> = text(&output.stdout).lines().map(json).collect();
    assert_eq!(lines.len(), 3);
    for (line, file) in lines.iter().zip(args) {
        assert_eq!(line["file"], file);
    }
    assert!(lines[0]["error"].is_string() && lines[1]["error"].is_string());
    let found = &lines[2];
    assert_eq!(found["label"], "forest", "{found}");
    let sum: f64 = INTEL
        .iter()
        .map(|class| found["probabilities"][class].as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-5, "{found}");
    assert_eq!(found["probability"], found["probabilities"]["forest"]);
    assert!(found["milliseconds"].as_f64().unwrap() > 0.0);

    let output = retune(
        &["classify", "--device", "cpu", good.to_str().unwrap()],
        &folder,
    );
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stdout).contains("forest.png: forest"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn train_writes_a_model_that_classify_and_evaluate_can_use() {
    let folder = Folder::new("train");
    // Two classes only: the head is a new one, of another width than the bundled model's.
    let root = dataset(&folder, &[1, 4], 12);
    fs::write(root.join("seg_train/sea/notes.txt"), "no image").unwrap();
    let (root, out) = (root.to_str().unwrap(), folder.join("out"));
    let train = [
        "train",
        root,
        "--device",
        "cpu",
        "--head",
        "mlp-1",
        "--epochs",
        "8",
        "--batch",
        "8",
        "--seed",
        "3",
        "--val-fraction",
        "0.25",
        "--out",
        out.to_str().unwrap(),
        "--json",
    ];
    let output = retune(&train, &folder);
    // The stray text file is named; it is no image that failed.
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("notes.txt"),
        "{}",
        text(&output.stderr)
    );
    let report = json(&text(&output.stdout));
    let file = json(&fs::read_to_string(out.join("report.json")).unwrap());
    assert_eq!(report, file);
    assert_eq!(report["epochs"].as_array().unwrap().len(), 8);
    // 24 to train and validate on, 8 to test on.
    assert_eq!(report["features"]["images"], 32);
    assert_eq!(report["test"]["accuracy"]["of"], 8);
    assert_eq!(report["test"]["accuracy"]["value"], 1.0, "{report}");
    let confusion = &report["test"]["confusion"];
    assert_eq!(
        (&confusion[0][0], &confusion[1][1]),
        (&json("4"), &json("4"))
    );

    let model = out.join("model.safetensors");
    let model = model.to_str().unwrap();
    let evaluate = [
        "evaluate", root, "--model", model, "--device", "cpu", "--json",
    ];
    let output = retune(&evaluate, &folder);
    let again = json(&text(&output.stdout));
    assert_eq!(again["confusion"], report["test"]["confusion"]);
    assert_eq!(
        again["loss"], report["test"]["loss"],
        "the model came back to the last bit"
    );

    let image = folder.join("scenes/seg_test/sea/0.png");
    let classify = [
        "classify",
        "--model",
        model,
        "--device",
        "cpu",
        "--json",
        image.to_str().unwrap(),
    ];
    let line = json(&text(&retune(&classify, &folder).stdout));
    assert_eq!(line["label"], "sea");
    assert_eq!(line["probabilities"].as_object().unwrap().len(), 2);
}

#[test]
fn train_goes_down_to_the_last_stage_and_its_model_comes_back() {
    let folder = Folder::new("tune");
    let root = dataset(&folder, &[1, 4], 6);
    let (root, out) = (root.to_str().unwrap(), folder.join("out"));
    let train = [
        "train",
        root,
        "--device",
        "cpu",
        "--train",
        "last-stage",
        "--backbone-lr-factor",
        "0.2",
        "--epochs",
        "1",
        "--out",
        out.to_str().unwrap(),
        "--json",
    ];
    let output = retune(&train, &folder);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains("kept in memory"), "{said}");
    let report = json(&text(&output.stdout));
    assert_eq!(report["config"]["scope"], "last-stage");
    assert_eq!(report["config"]["backbone_lr_factor"], 0.2);

    let model = out.join("model.safetensors");
    let model = model.to_str().unwrap();
    let evaluate = [
        "evaluate", root, "--model", model, "--device", "cpu", "--json",
    ];
    let again = json(&text(&retune(&evaluate, &folder).stdout));
    assert_eq!(
        again["loss"], report["test"]["loss"],
        "the model came back to the last bit"
    );
}

#[test]
fn exit_codes_tell_usage_from_input() {
    let folder = Folder::new("codes");
    let one_class = dataset(&folder, &[2], 3);
    let (root, out) = (one_class.to_str().unwrap(), folder.join("out"));
    let out = out.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 11] = [
        // Said before anything is loaded: there is no such data set.
        (
            &["train", "/no/such", "--out", out, "--seeds", "25"],
            2,
            "1 to 20",
        ),
        (
            &[
                "train",
                "/no/such",
                "--out",
                out,
                "--weights",
                "imagenet",
                "--arch",
                "plain34",
            ],
            2,
            "plain34 has none that can be downloaded",
        ),
        (&["classify"], 2, "IMAGE"),
        (
            &["train", root, "--out", out, "--head", "conv"],
            2,
            "mlp-bn",
        ),
        (
            &["train", root, "--out", out, "--train", "stem"],
            2,
            "last-stage",
        ),
        (
            &["train", root, "--out", out, "--backbone-lr-factor", "5"],
            2,
            "backbone rate factor",
        ),
        (
            &["train", root, "--out", out, "--lr", "-1"],
            2,
            "learning rate",
        ),
        (
            &["train", root, "--out", out, "--arch", "resnet50"],
            2,
            "--weights",
        ),
        (&["inspect", "convnext_tiny"], 2, "resnet18"),
        (
            &["train", root, "--out", out, "--device", "cpu"],
            1,
            "one class",
        ),
        (
            &["evaluate", "/no/such/folder", "--device", "cpu"],
            1,
            "/no/such/folder",
        ),
    ];
    for (args, code, word) in cases {
        let output = retune(args, &folder);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(word), "{args:?}: {said}");
    }
}
