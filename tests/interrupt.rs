//! Promise: a training whose process is killed goes on with `--resume` and ends with the numbers of one that was
//! left alone, model file included, one that learns from a teacher too; and a run file says all that flags do.
//! Runs the real program.

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::{Folder, draw, program, text};
use retune::classes::INTEL;
use serde_json::Value;

/// Generated scenes of three classes.
fn dataset(folder: &Folder) -> PathBuf {
    let root = folder.join("scenes");
    for class in [1, 3, 4] {
        for index in 0..14 {
            let file = format!("seg_train/{}/{index}.png", INTEL[class]);
            draw(&root.join(file), class, index);
        }
    }
    root
}

/// Everything that has a state from step to step: moments, an average, norms, dropout, chance of every kind.
const RUN: &str = r#"
dataset = "scenes"
device = "cpu"

[train]
scope = "last-stage"
norm = "trained"
head = "mlp-3"
optimizer = "adamw"
schedule = "cosine"
warmup_epochs = 1
weight_decay = 0.01
clip_norm = 1.0
ema = 0.9
epochs = 6
batch = 8
input_size = 64

[train.augment]
crop = { kind = "resized", scale = [0.5, 1.0], ratio = [0.75, 1.3333] }
horizontal_flip = 0.5
noise = 0.01
mixup = 0.2
cutmix = 1.0
"#;

fn report(out: &Path) -> Value {
    let text = fs::read_to_string(out.join("report.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Losses and accuracies of each epoch; times differ.
fn curves(report: &Value) -> Vec<Vec<Value>> {
    let numbers = |epoch: &Value| {
        ["train_loss", "train_accuracy", "val_loss", "val_accuracy"]
            .map(|name| epoch[name].clone())
            .to_vec()
    };
    report["epochs"]
        .as_array()
        .unwrap()
        .iter()
        .map(numbers)
        .collect()
}

/// Trainings by [`RUN`] in one folder.
struct Trainings {
    folder: Folder,
}

impl Trainings {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        dataset(&folder);
        fs::write(folder.join("run.toml"), RUN).unwrap();
        Self { folder }
    }

    fn command(&self, out: &Path, more: &[&str]) -> Command {
        let config = self.folder.join("run.toml");
        let (config, out) = (config.to_str().unwrap(), out.to_str().unwrap());
        let fixed = ["train", "--config", config, "--out", out];
        program(&self.folder, &[&fixed[..], more].concat())
    }

    /// One that is left alone: what it said.
    fn whole(&self, out: &Path, more: &[&str]) -> String {
        let output = self.command(out, more).output().unwrap();
        let said = text(&output.stderr);
        assert!(output.status.success(), "{said}");
        said
    }

    /// One that ends with an exit code: what it said.
    fn refused(&self, out: &Path, more: &[&str], code: i32) -> String {
        let output = self.command(out, more).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    }

    /// One that is killed as soon as its record says so.
    fn killed(&self, out: &Path, more: &[&str], when: impl Fn(&Value) -> bool) {
        let mut running = self
            .command(out, more)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let record = out.join("checkpoint/training.json");
        let begun = Instant::now();
        let read = || serde_json::from_str(&fs::read_to_string(&record).ok()?).ok();
        while !read().is_some_and(|record| when(&record)) {
            assert!(
                begun.elapsed() < Duration::from_secs(300),
                "it was not kept"
            );
            assert!(
                running.try_wait().unwrap().is_none(),
                "it ended before it could be killed"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        running.kill().unwrap();
        running.wait().unwrap();
        assert!(!out.join("model.safetensors").exists());
    }
}

fn model(out: &Path) -> Vec<u8> {
    fs::read(out.join("model.safetensors")).unwrap()
}

#[test]
fn a_killed_process_goes_on_to_the_same_model() {
    let trainings = Trainings::new("interrupt");
    let out = |name| trainings.folder.join(name);
    let (whole, killed) = (out("whole"), out("killed"));
    trainings.whole(&whole, &[]);
    // With an epoch done and some to come.
    trainings.killed(&killed, &[], |record| !record["progress"].is_null());
    let said = trainings.whole(&killed, &["--resume"]);
    assert!(said.contains("going on after epoch"), "{said}");
    let (whole_report, resumed) = (report(&whole), report(&killed));
    assert_eq!(curves(&resumed).len(), 6);
    assert_eq!(curves(&resumed), curves(&whole_report));
    let run = &resumed["runs"][0];
    let epochs = run["epochs"].as_array().unwrap().iter();
    let worked: f64 = epochs
        .map(|epoch| epoch["milliseconds"].as_f64().unwrap())
        .sum();
    let all = run["milliseconds"].as_f64().unwrap();
    assert!(all >= worked, "{all} ms in all, {worked} in its epochs");
    assert_eq!(resumed["best_epoch"], whole_report["best_epoch"]);
    assert!(model(&whole) == model(&killed), "the model files differ");
    assert!(
        !killed.join("checkpoint").exists(),
        "the checkpoint was left behind"
    );
}

#[test]
fn the_best_seed_wins_although_the_process_was_killed_after_it() {
    let trainings = Trainings::new("seeds");
    let out = |name: &str| trainings.folder.join(name);
    // Two seeds of which the first one does better.
    let found = (7..27).map(|seed: u32| seed.to_string()).find(|seed| {
        let more = ["--epochs", "3", "--seed", seed, "--seeds", "2"];
        trainings.whole(&out(seed), &more);
        let report = report(&out(seed));
        let best = |run: &Value| {
            let epoch = run["best_epoch"].as_u64().unwrap() as usize;
            let epoch = &run["epochs"][epoch - 1];
            let number = |name: &str| epoch[name].as_f64().unwrap();
            (number("val_accuracy"), -number("val_loss"))
        };
        best(&report["runs"][0]) > best(&report["runs"][1])
    });
    let seed = found.expect("the first of two does better in some of twenty cases");
    let (whole, killed) = (out(&seed), out("killed"));
    let more = ["--epochs", "3", "--seed", &seed, "--seeds", "2"];
    trainings.killed(&killed, &more, |record| {
        !record["leader"].is_null() && !record["progress"].is_null()
    });
    trainings.whole(&killed, &["--resume"]);
    assert!(model(&whole) == model(&killed), "the model files differ");
    let (whole, resumed) = (report(&whole), report(&killed));
    assert_eq!(resumed["best_epoch"], whole["best_epoch"]);
    assert_eq!(curves(&resumed), curves(&whole));
    let runs = |report: &Value| report["runs"].as_array().unwrap().clone();
    assert_eq!(runs(&resumed).len(), 2);
    for (resumed, whole) in runs(&resumed).iter().zip(runs(&whole)) {
        assert_eq!(resumed["config"], whole["config"]);
        assert_eq!(curves(resumed), curves(&whole));
    }
}

/// The model file of a head trained for a moment, to teach.
fn teacher(trainings: &Trainings, name: &str, more: &[&str]) -> String {
    let out = trainings.folder.join(name);
    let head = ["--train", "head", "--head", "linear", "--epochs", "2"];
    trainings.whole(&out, &[&head[..], more].concat());
    out.join("model.safetensors").to_str().unwrap().to_string()
}

#[test]
fn a_teacher_is_learned_from_and_goes_on_with_the_training() {
    let trainings = Trainings::new("teacher");
    let out = |name: &str| trainings.folder.join(name);
    let [one, other] = [("one", "1"), ("other", "2")]
        .map(|(name, seed)| teacher(&trainings, name, &["--seed", seed]));
    let short = ["--epochs", "3"];
    let with = |teacher| [&short[..], &["--teacher", teacher, "--distillation", "0.7"]].concat();
    let (whole, killed, alone) = (out("whole"), out("killed"), out("alone"));
    trainings.whole(&whole, &with(&one));
    let report_of_whole = report(&whole);
    assert_eq!(report_of_whole["config"]["distillation"], 0.7);
    trainings.whole(&alone, &short);
    assert_ne!(curves(&report_of_whole), curves(&report(&alone)));
    trainings.killed(&killed, &with(&one), |record| !record["progress"].is_null());
    let go_on = |teacher| [&with(teacher)[..], &["--resume"]].concat();
    let said = trainings.refused(&killed, &go_on(&other), 1);
    assert!(said.contains("began with another one"), "{said}");
    let said = trainings.refused(&killed, &["--resume"], 2);
    assert!(said.contains("--teacher"), "{said}");
    trainings.whole(&killed, &["--teacher", &one, "--resume"]);
    assert!(model(&whole) == model(&killed), "the model files differ");
    assert_eq!(curves(&report(&killed)), curves(&report_of_whole));
}

#[test]
fn a_teacher_that_cannot_teach_is_named() {
    let trainings = Trainings::new("no-teacher");
    let out = trainings.folder.join("out");
    let refused = |more: &[&str], code, words: &[&str]| {
        let said = trainings.refused(&out, more, code);
        for word in words {
            assert!(said.contains(word), "{more:?}: {said}");
        }
    };
    refused(
        &["--distillation", "0.5"],
        2,
        &["distillation", "--teacher"],
    );
    let bundled = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/www/models/resnet18-scenes.safetensors"
    );
    refused(
        &["--train", "head", "--teacher", bundled],
        2,
        &["distillation", "features"],
    );
    let too_much = ["--teacher", bundled, "--distillation", "1.5"];
    refused(&too_much, 2, &["distillation", "1.5"]);
    let too_little = ["--teacher", bundled, "--distillation", "-0.5"];
    refused(&too_little, 2, &["distillation", "-0.5"]);
    // Six classes for three.
    refused(
        &["--teacher", bundled],
        1,
        &[bundled, "buildings", "glacier"],
    );
    let torn = trainings.folder.join("torn.safetensors");
    fs::write(&torn, &fs::read(bundled).unwrap()[..4096]).unwrap();
    refused(
        &["--teacher", torn.to_str().unwrap()],
        1,
        &["torn.safetensors"],
    );
    refused(
        &["--teacher", "nowhere.safetensors"],
        1,
        &["nowhere.safetensors"],
    );
}

#[test]
fn what_is_wrong_with_a_run_file_is_named() {
    let folder = Folder::new("run-file");
    dataset(&folder);
    let out = folder.join("out");
    let out = out.to_str().unwrap();
    for (written, word) in [
        ("[train]\nlerning_rate = 1", "lerning_rate"),
        ("[train]\naugment = \"hefty\"", "hefty"),
        ("[train]\nepochs = 0", "epochs"),
        ("[train.augment]\nnoise = 7", "noise"),
        ("arch = \"resnet19\"", "resnet19"),
        ("[train", "run.toml"),
    ] {
        let file = folder.join("run.toml");
        fs::write(&file, format!("dataset = \"scenes\"\n{written}")).unwrap();
        let arguments = ["train", "--config", file.to_str().unwrap(), "--out", out];
        let arguments = [&arguments[..], &["--device", "cpu"]].concat();
        // A key after the table's end belongs to the table: the arch goes first.
        if written.starts_with("arch") {
            fs::write(&file, format!("{written}\ndataset = \"scenes\"")).unwrap();
        }
        let output = program(&folder, &arguments).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{written}: {said}");
        assert!(said.contains(word), "{written}: {said}");
    }
}

#[test]
fn flags_win_over_the_file_and_runs_are_compared() {
    let folder = Folder::new("compare");
    dataset(&folder);
    let file = folder.join("run.toml");
    let settings = "dataset = \"scenes\"\n[train]\nepochs = 9\nhead = \"mlp-1\"\naugment = \"course-work-x4\"\n";
    fs::write(&file, settings).unwrap();
    let out = folder.join("out");
    let arguments = [
        "train",
        "--config",
        file.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--device",
        "cpu",
        "--epochs",
        "2",
        "--seeds",
        "2",
        "--input-size",
        "64",
    ];
    let output = program(&folder, &arguments).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("4 augmented views"), "{said}");
    let report = report(&out);
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    for (run, seed) in runs.iter().zip([7, 8]) {
        assert_eq!(run["config"]["seed"], seed);
        assert_eq!(run["config"]["head"], "mlp-1");
        assert_eq!(run["epochs"].as_array().unwrap().len(), 2);
        assert_eq!(run["size"], 64);
    }
    let output = program(&folder, &["compare", out.to_str().unwrap()])
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    assert!(shown.contains("2 seeds: validation accuracy"), "{shown}");
    assert!(shown.contains("seed: 7 | 8"), "{shown}");
}
