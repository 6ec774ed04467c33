//! Promise: `experiment` trains by every run file of a folder, and its tables say what the reports say: of no other
//! settings, with a row for what failed, and with names that are text. Runs the real program on the demo set.

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use program::{Folder, draw, program, text};
use retune::classes::INTEL;
use serde_json::Value;

const DEMO: &str = "demo = { per_class = 10, size = 64 }\ndevice = \"cpu\"\n";

/// A folder of run files, and one for what comes of them.
struct Experiments {
    folder: Folder,
}

impl Experiments {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        fs::create_dir_all(folder.join("runs")).unwrap();
        Self { folder }
    }

    fn put(&self, name: &str, settings: &str) {
        let file = self.folder.join("runs").join(format!("{name}.toml"));
        fs::write(file, format!("{DEMO}{settings}")).unwrap();
    }

    fn out(&self) -> PathBuf {
        self.folder.join("out")
    }

    fn command(&self, more: &[&str]) -> std::process::Command {
        let (runs, out) = (self.folder.join("runs"), self.out());
        let fixed = [
            "experiment",
            runs.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ];
        program(&self.folder, &[&fixed[..], more].concat())
    }

    /// What it said, on both ways, when it ended with that exit code.
    fn run(&self, more: &[&str], code: i32) -> String {
        let output = self.command(more).output().unwrap();
        let said = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    }

    fn report(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.out().join(name).join("report.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn page(&self, name: &str) -> String {
        fs::read_to_string(self.out().join(name)).unwrap()
    }

    /// The cells of a row of the Markdown table.
    fn row(&self, name: &str) -> Vec<String> {
        let page = self.page("report.md");
        let begin = format!("| {name} |");
        let row = page.lines().find(|line| line.starts_with(&begin));
        let row = row.unwrap_or_else(|| panic!("no {name} in {page}"));
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    }
}

/// Validation accuracy and test accuracy as a table shows them, from a report.
fn figures(report: &Value) -> [String; 2] {
    let percent = |value: &Value| 100.0 * value.as_f64().unwrap();
    let share = |share: &Value| {
        let [value, low, high] = ["value", "low", "high"].map(|name| percent(&share[name]));
        format!("{value:.2} % ({low:.2} to {high:.2})")
    };
    let runs = report["runs"].as_array().unwrap();
    let spread = |part: &str| {
        let [first, second] = [0, 1].map(|run| percent(&runs[run][part]["value"]));
        let mean = f64::midpoint(first, second);
        // Of two values, the sample's deviation is half their distance times the root of 2.
        format!("{mean:.2} ± {:.2} %", (first - second).abs() / 2_f64.sqrt())
    };
    let test = share(&report["test"]["accuracy"]);
    match runs.len() {
        1 => [share(&runs[0]["validation"]), test],
        2 => [
            spread("validation"),
            format!("{test}; all seeds {}", spread("test")),
        ],
        _ => panic!("{report}"),
    }
}

#[test]
fn tables_say_what_the_reports_say_and_what_failed() {
    let experiments = Experiments::new("experiment");
    let settings = "[train]\nepochs = 2\nbatch = 8\ninput_size = 64\n";
    let several = "seeds = 2\n[exercise]\nfigure = \"92 % (validation)\"\n";
    let general = format!("weights = \"general\"\n{several}{settings}augment = \"course-work\"\n");
    experiments.put("<b>", &format!("{general}head = \"mlp-1\"\n"));
    experiments.put("single", &format!("weights = \"scenes\"\n{settings}"));
    experiments.put("views", &general);
    // Not a server in sight.
    let far = format!("arch = \"resnet50\"\nweights = \"imagenet\"\n{settings}");
    experiments.put("far", &far);

    let said = experiments.run(&["--only", "single"], 0);
    assert!(said.contains("<b>: has not run yet"), "{said}");
    let said = experiments.run(&[], 1);
    assert!(said.contains("single: passed over"), "{said}");
    let failed = experiments.row("far").join(" ");
    assert!(
        failed.contains("failed: ") && failed.contains("127.0.0.1"),
        "{failed}"
    );
    let html = experiments.page("report.html");
    for (name, shown) in [
        ("<b>", "&lt;b&gt;"),
        ("single", "single"),
        ("views", "views"),
    ] {
        let row = experiments.row(shown);
        let report = experiments.report(name);
        let [validation, test] = figures(&report);
        assert_eq!([&row[9], &row[10]], [&validation, &test], "{row:?}");
        assert_eq!(
            row[11],
            format!("{:.4}", report["test"]["loss"].as_f64().unwrap())
        );
        for cell in [shown, &validation, &test] {
            assert!(
                html.contains(&format!(">{cell}<")),
                "{cell} is not in {html}"
            );
        }
        assert!(
            experiments
                .out()
                .join(name)
                .join("model.safetensors")
                .exists()
        );
        assert_eq!(
            report["runs"].as_array().unwrap().len(),
            row[7].parse::<usize>().unwrap()
        );
    }
    assert_eq!(experiments.row("views")[1], "resnet_2223, general");
    assert_eq!(experiments.row("views")[8], "92 % (validation)");
    assert!(!html.contains("<b>") && !html.contains("<script"), "{html}");
    // Two charts of each finished one; the seeds and their mean.
    assert_eq!(html.matches("<svg").count(), 6);
    assert_eq!(html.matches("<polyline").count(), 2 * (1 + 3 + 3));
    // What the first head's training has sent through the backbone serves the second's.
    assert!(experiments.report("<b>")["features"]["images"].as_u64() > Some(100));
    assert_eq!(experiments.report("views")["features"]["images"], 0);

    // All of them are there by now, but for the one that failed.
    fs::remove_file(experiments.folder.join("runs/far.toml")).unwrap();
    let said = experiments.run(&[], 0);
    assert_eq!(said.matches("passed over").count(), 3, "{said}");
    assert!(!said.contains("epoch "), "{said}");
    assert_eq!(
        html.matches("<svg").count(),
        experiments.page("report.html").matches("<svg").count()
    );

    // Alone, with nothing from an experiment before it, the numbers are the same.
    let (alone, file) = (
        experiments.folder.join("alone"),
        experiments.folder.join("runs/views.toml"),
    );
    let arguments = [
        "train",
        "--config",
        file.to_str().unwrap(),
        "--out",
        alone.to_str().unwrap(),
    ];
    let output = program(&experiments.folder, &arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let model = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(
        model(&alone) == model(&experiments.out().join("views")),
        "the model files differ"
    );
}

#[test]
fn results_of_other_settings_are_refused_by_name() {
    let experiments = Experiments::new("experiment-differs");
    let settings =
        |rate: &str| format!("[train]\nepochs = 1\ninput_size = 32\nlearning_rate = {rate}\n");
    experiments.put("one", &settings("0.001"));
    experiments.run(&[], 0);
    let report = experiments.out().join("one/report.json");
    let before = fs::read(&report).unwrap();
    let refused = |more: &[&str], words: &[&str]| {
        let said = experiments.run(more, 2);
        for word in [report.to_str().unwrap()].iter().chain(words) {
            assert!(said.contains(word), "{word} is not in {said}");
        }
        assert!(
            fs::read(&report).unwrap() == before,
            "the report was written anew"
        );
    };
    refused(&["--epochs", "2"], &["epochs: 1 there, 2 now"]);
    experiments.put("one", &settings("0.002"));
    refused(&[], &["one.toml: learning rate: 0.001 there, 0.002 now"]);
    experiments.put("one", &format!("seeds = 2\n{}", settings("0.001")));
    refused(&[], &["seeds: 1 there, 2 now"]);
    experiments.put(
        "one",
        &format!("weights = \"general\"\n{}", settings("0.001")),
    );
    refused(
        &[],
        &[
            "weights: scenes there, general now",
            "backbone: resnet18 there, resnet_2223 now",
        ],
    );
    let file = experiments.folder.join("runs/one.toml");
    fs::write(
        &file,
        format!("{}{}", DEMO.replace("10", "12"), settings("0.001")),
    )
    .unwrap();
    refused(&[], &["images of forest: "]);
    experiments.put("one", &settings("0.001"));
    assert!(experiments.run(&[], 0).contains("passed over"));

    // What is wrong on the command line or in a run file is told before anything is trained.
    assert!(
        experiments
            .run(&["--only", "two"], 2)
            .contains("two is none of one")
    );
    experiments.put("two", "[train]\nlerning_rate = 1\n");
    let said = experiments.run(&[], 2);
    assert!(
        said.contains("two.toml") && said.contains("lerning_rate"),
        "{said}"
    );
}

#[test]
fn an_interrupted_experiment_goes_on() {
    let experiments = Experiments::new("experiment-killed");
    let settings = "[train]\nscope = \"last-stage\"\nepochs = 30\nbatch = 8\ninput_size = 64\n";
    experiments.put("one", settings);
    // A data set on disk in place of the run file's own.
    let scenes = experiments.folder.join("scenes");
    for (class, index) in [1, 3, 4]
        .into_iter()
        .flat_map(|class| (0..14).map(move |i| (class, i)))
    {
        let part = if index < 12 { "seg_train" } else { "seg_test" };
        draw(
            &scenes.join(format!("{part}/{}/{index}.png", INTEL[class])),
            class,
            index,
        );
    }
    let scenes = scenes.to_str().unwrap();
    let quiet = |command: &mut std::process::Command| {
        command
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut running = quiet(&mut experiments.command(&[scenes]));
    let record = experiments.out().join("one/checkpoint/training.json");
    let read = || serde_json::from_str::<Value>(&fs::read_to_string(&record).ok()?).ok();
    let begun = Instant::now();
    while read().is_none_or(|record| record["progress"].is_null()) {
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "it was not kept"
        );
        assert!(running.try_wait().unwrap().is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(experiments.row("one")[9].contains("has not run yet"));

    let other = settings.replace("epochs = 30", "epochs = 31");
    experiments.put("one", &other);
    let said = experiments.run(&[scenes], 2);
    assert!(said.contains("epochs: 30 there, 31 now"), "{said}");
    experiments.put("one", settings);
    let said = experiments.run(&[scenes], 0);
    assert!(said.contains("going on after epoch"), "{said}");
    assert_eq!(experiments.report("one")["dataset"], "scenes");
    let run = &experiments.report("one")["runs"][0];
    assert_eq!(run["epochs"].as_array().unwrap().len(), 30);
    assert_eq!(
        experiments.row("one")[9],
        figures(&experiments.report("one"))[0]
    );
}
