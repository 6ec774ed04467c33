//! Promise: data sets and models as people have them are read right by the command line, or it says in words what it
//! wants to know, and what makes a figure wrong is said before anything is trained.

mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use program::{Folder, draw, program, text};
use retune::classes::INTEL;
use retune::weights::{self, SaveAs};
use serde_json::Value;

/// Trains for an epoch, with these flags.
fn train(folder: &Folder, dataset: &Path, flags: &[&str]) -> Output {
    let out = folder.join("out");
    let (dataset, out) = (dataset.to_str().unwrap(), out.to_str().unwrap());
    let mut arguments = vec!["train", dataset, "--device", "cpu", "--head", "linear"];
    arguments.extend(["--epochs", "1", "--batch", "4", "--json", "--out", out]);
    arguments.extend(flags);
    program(folder, &arguments).output().unwrap()
}

fn report(output: &Output) -> Value {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out} {err}"))
}

/// Names of the classes, with their numbers of images to train and to test on.
fn classes(report: &Value) -> Vec<(String, u64, u64)> {
    let list = report["classes"].as_array().unwrap().iter();
    list.map(|class| {
        let number = |key: &str| class[key].as_u64().unwrap();
        let name = class["name"].as_str().unwrap().to_string();
        (name, number("train"), number("test"))
    })
    .collect()
}

fn found(list: &[(&str, u64, u64)]) -> Vec<(String, u64, u64)> {
    let own = |&(name, train, test): &(&str, u64, u64)| (name.to_string(), train, test);
    list.iter().map(own).collect()
}

/// Scenes of class `class` in a folder, numbered from `first`.
fn scenes(folder: &Path, class: usize, first: usize, count: usize) {
    for index in first..first + count {
        draw(&folder.join(format!("{index}.png")), class, index);
    }
}

#[test]
fn two_readings_of_the_folders_are_a_question_with_its_answers() {
    let folder = Folder::new("question");
    let root = folder.join("set");
    for (nth, place) in ["garden", "harbour"].into_iter().enumerate() {
        scenes(&root.join(place).join("forest"), 1, 10 * nth, 4);
        scenes(&root.join(place).join("sea"), 4, 10 * nth, 4);
    }
    let asked = train(&folder, &root, &[]);
    let said = text(&asked.stderr);
    assert_ne!(asked.status.code(), Some(0), "{said}");
    for word in ["--class-level 1", "--class-level 2", "garden", "forest"] {
        assert!(said.contains(word), "no {word} in: {said}");
    }
    assert!(!folder.join("out/model.safetensors").exists());

    let outer = train(&folder, &root, &["--class-level", "1"]);
    let wanted = found(&[("garden", 8, 0), ("harbour", 8, 0)]);
    assert_eq!(classes(&report(&outer)), wanted, "{}", text(&outer.stderr));
    let inner = train(&folder, &root, &["--class-level", "2"]);
    let wanted = found(&[("forest", 8, 0), ("sea", 8, 0)]);
    assert_eq!(classes(&report(&inner)), wanted, "{}", text(&inner.stderr));

    let both = ["--class-level", "1", "--label-pattern", "{label}.png"];
    let output = train(&folder, &root, &both);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

#[test]
fn a_table_gives_the_labels_from_within_the_data_set_and_from_beside_it() {
    let folder = Folder::new("table");
    let root = folder.join("set/images");
    let mut table = String::from("id;scene\n");
    for index in 0..12 {
        let class = [1, 4][index % 2];
        draw(&root.join(format!("a{index}.png")), class, index);
        table.push_str(&format!("a{index};{}\n", INTEL[class]));
    }
    let root = folder.join("set");
    let wanted = found(&[("forest", 6, 0), ("sea", 6, 0)]);

    let beside = folder.join("elsewhere.csv");
    fs::write(&beside, &table).unwrap();
    let output = train(&folder, &root, &["--labels", beside.to_str().unwrap()]);
    assert_eq!(
        classes(&report(&output)),
        wanted,
        "{}",
        text(&output.stderr)
    );

    fs::write(root.join("labels.csv"), &table).unwrap();
    let output = train(&folder, &root, &[]);
    assert_eq!(
        classes(&report(&output)),
        wanted,
        "{}",
        text(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(0));
    let named = ["--labels", "labels.csv", "--label-column", "colour"];
    let output = train(&folder, &root, &named);
    assert_ne!(output.status.code(), Some(0));
    let said = text(&output.stderr);
    assert!(said.contains("colour") && said.contains("scene"), "{said}");
}

#[test]
fn the_same_image_to_train_and_to_test_on_is_said() {
    let folder = Folder::new("leak");
    let root = folder.join("set");
    for (class, name) in [(1, "forest"), (4, "sea")] {
        scenes(&root.join("train").join(name), class, 0, 4);
        scenes(&root.join("test").join(name), class, 3, 2);
    }
    let output = train(&folder, &root, &[]);
    let (report, said) = (report(&output), text(&output.stderr));
    assert_eq!(
        report["leaks"].as_array().map(Vec::len),
        Some(2),
        "{report}"
    );
    assert!(
        said.contains("train/sea/3.png") && said.contains("test/sea/3.png"),
        "{said}"
    );
    // It is a warning: the user may know.
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn outputs_without_names_are_numbered_until_they_are_named() {
    let folder = Folder::new("names");
    let photo = folder.join("photo.png");
    draw(&photo, 1, 0);
    let mut progress = |_, _| std::ops::ControlFlow::Continue(());
    let bytes = pollster::block_on(
        weights::Bundled::of(retune::config::BundledModel::Scenes).load(&mut progress),
    )
    .unwrap();
    let tensors = weights::read("bundled", &bytes).unwrap().tensors;
    let tensors: Vec<_> = tensors
        .into_iter()
        .map(|(name, entry)| (name, entry.shape, entry.data))
        .collect();
    let model = folder.join("theirs.safetensors");
    fs::write(
        &model,
        weights::save(&tensors, &BTreeMap::new(), SaveAs::F32).unwrap(),
    )
    .unwrap();

    let classify = |flags: &[&str]| {
        let mut arguments = vec![
            "classify",
            "--device",
            "cpu",
            "--model",
            model.to_str().unwrap(),
        ];
        arguments.extend(flags);
        arguments.push(photo.to_str().unwrap());
        program(&folder, &arguments).output().unwrap()
    };
    let output = classify(&[]);
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    assert!(out.contains("photo.png: class 1 "), "{out}");
    assert!(
        said.contains("theirs.safetensors") && said.contains("--classes"),
        "{said}"
    );
    // What is said needs no guess, and then nothing is left to warn of.
    assert!(said.contains("150 x 150 pixels"), "{said}");
    let all = ["--classes", "a,b,c,d,e,f", "--input-size", "160"];
    let output = classify(&all);
    assert!(text(&output.stdout).contains("photo.png: b "));
    let said = text(&output.stderr);
    assert!(
        said.contains("normalised") && said.contains("ImageNet's mean and deviation"),
        "{said}"
    );
    let output = classify(&[&all[..], &["--normalize", "imagenet"]].concat());
    assert!(
        text(&output.stdout).contains("photo.png: b "),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(text(&output.stderr), "");
    let output = classify(&["--input-size", "9000"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let list = folder.join("names.txt");
    fs::write(&list, "a\r\nwood\r\nc\r\nd\r\ne\r\nf\r\n").unwrap();
    let output = classify(&["--classes", list.to_str().unwrap()]);
    assert!(
        text(&output.stdout).contains("photo.png: wood "),
        "{}",
        text(&output.stdout)
    );
    let output = classify(&["--classes", "a,b"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("6 outputs"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn how_images_are_prepared_is_said_of_any_model() {
    let folder = Folder::new("prepared");
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/image");
    let photo = photo.join("transparent-expected.png");
    let answer = |flags: &[&str]| {
        let mut arguments = vec!["classify", "--device", "cpu", "--json"];
        arguments.extend(flags);
        arguments.push(photo.to_str().unwrap());
        let output = program(&folder, &arguments).output().unwrap();
        let line: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
        line["probabilities"].clone()
    };
    let usual = answer(&[]);
    assert_eq!(usual, answer(&["--normalize", "imagenet"]));
    assert_ne!(usual, answer(&["--normalize", "none"]));
    assert_ne!(usual, answer(&["--input-size", "96"]));
}

#[test]
fn a_backbone_without_its_head_does_not_answer() {
    let folder = Folder::new("untrained");
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/image");
    let photo = photo.join("transparent-expected.png");
    let mut progress = |_, _| std::ops::ControlFlow::Continue(());
    let bytes = pollster::block_on(
        weights::Bundled::of(retune::config::BundledModel::Scenes).load(&mut progress),
    )
    .unwrap();
    let tensors = weights::read("bundled", &bytes).unwrap().tensors;
    let tensors = tensors
        .into_iter()
        .filter(|(name, _)| !name.starts_with("fc."));
    let tensors: Vec<_> = tensors
        .map(|(name, entry)| (name, entry.shape, entry.data))
        .collect();
    let model = folder.join("backbone.safetensors");
    let file = weights::save(&tensors, &BTreeMap::new(), SaveAs::F32).unwrap();
    fs::write(&model, file).unwrap();
    let arguments = [
        "classify",
        "--device",
        "cpu",
        "--model",
        model.to_str().unwrap(),
        photo.to_str().unwrap(),
    ];
    let output = program(&folder, &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let said = text(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.contains("backbone.safetensors") && last.contains("train it"),
        "{said}"
    );
}

#[test]
fn a_class_without_an_image_stops_a_training() {
    let folder = Folder::new("empty-class");
    let root = folder.join("set");
    for (class, tint) in [("cat", 0), ("dog", 1)] {
        for i in 0..4 {
            draw(&root.join(class).join(format!("{i}.png")), tint, i);
        }
    }
    // A folder with nothing in it.
    fs::create_dir_all(root.join("emu")).unwrap();
    let output = train(&folder, &root, &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("emu"), "{said}");
    // One whose images are all damaged.
    for i in 0..4 {
        fs::write(
            root.join("emu").join(format!("{i}.png")),
            b"\x89PNG\r\n\x1a\nno",
        )
        .unwrap();
    }
    let output = train(&folder, &root, &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains("no training image of emu can be read"),
        "{said}"
    );
}

#[test]
fn a_test_set_that_cannot_be_measured_costs_no_training() {
    let folder = Folder::new("unmeasured");
    let root = folder.join("set");
    for part in ["train", "test"] {
        for (class, tint) in [("cat", 0), ("dog", 1)] {
            for i in 0..6 {
                let file = root.join(part).join(class).join(format!("{i}.png"));
                draw(&file, tint, i);
                if part == "test" {
                    let picture = fs::read(&file).unwrap();
                    fs::write(&file, &picture[..60]).unwrap();
                }
            }
        }
    }
    let output = train(&folder, &root, &[]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("could not be measured"), "{said}");
    assert!(folder.join("out/model.safetensors").is_file(), "{said}");
}

#[test]
fn a_validation_part_of_damaged_images_is_replaced_by_training_images_aloud() {
    let folder = Folder::new("validation-damaged");
    let root = folder.join("set");
    for part in ["train", "val"] {
        for (class, tint) in [("cat", 0), ("dog", 1)] {
            for i in 0..6 {
                let file = root.join(part).join(class).join(format!("{i}.png"));
                draw(&file, tint, i + if part == "val" { 10 } else { 0 });
                if part == "val" {
                    let picture = fs::read(&file).unwrap();
                    fs::write(&file, &picture[..60]).unwrap();
                }
            }
        }
    }
    for scope in ["head", "last-stage"] {
        let output = train(&folder, &root, &["--train", scope]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{scope}: {said}");
        assert!(said.contains("None of the 12 images of the validation part"));
        assert!(said.contains("val/cat/0.png"), "{said}");
        let report = report(&output);
        // A fifth of six images of each class is one.
        assert_eq!(
            report["runs"][0]["images"],
            serde_json::json!([10, 2]),
            "{report}"
        );
    }
}

#[test]
fn a_folder_of_what_is_not_opened_says_what_it_is() {
    let folder = Folder::new("videos");
    let root = folder.join("set");
    for class in ["cat", "dog"] {
        fs::create_dir_all(root.join(class)).unwrap();
        for i in 0..3 {
            let file = root.join(class).join(format!("{i}.psd"));
            fs::write(file, b"8BPS\0\x01\0\0\0\0\0\0").unwrap();
        }
    }
    let output = train(&folder, &root, &[]);
    let said = text(&output.stderr);
    assert_ne!(output.status.code(), Some(0), "{said}");
    let reason = said.lines().last().unwrap_or_default();
    assert!(
        reason.contains("Photoshop") && reason.contains('6'),
        "{said}"
    );
}

#[test]
fn transparency_is_over_white_unless_it_is_dropped() {
    let folder = Folder::new("transparency");
    let fixture = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/image");
        path.join(name).to_string_lossy().into_owned()
    };
    let (given, white) = (
        fixture("transparent.png"),
        fixture("transparent-expected.png"),
    );
    let answers = |flags: &[&str]| {
        let mut arguments = vec!["classify", "--device", "cpu", "--json"];
        arguments.extend(flags);
        arguments.extend([given.as_str(), white.as_str()]);
        let output = program(&folder, &arguments).output().unwrap();
        let lines = text(&output.stdout);
        let answer =
            |line: &str| serde_json::from_str::<Value>(line).unwrap()["probabilities"].clone();
        lines.lines().map(answer).collect::<Vec<_>>()
    };
    let over_white = answers(&[]);
    assert_eq!(over_white[0], over_white[1]);
    let dropped = answers(&["--transparency", "dropped"]);
    assert_eq!(dropped[1], over_white[1]);
    assert_ne!(dropped[0], dropped[1]);
}

/// Tensors by name, shape and values.
type Tensors = Vec<(String, Vec<usize>, Vec<f32>)>;

/// The bundled model's tensors, with a last layer of so many outputs in place of its own.
fn with_outputs(outputs: usize) -> Tensors {
    let mut progress = |_, _| std::ops::ControlFlow::Continue(());
    let bytes = pollster::block_on(
        weights::Bundled::of(retune::config::BundledModel::Scenes).load(&mut progress),
    )
    .unwrap();
    let tensors = weights::read("bundled", &bytes).unwrap().tensors;
    let mut tensors: Tensors = tensors
        .into_iter()
        .filter(|(name, _)| !name.starts_with("fc."))
        .map(|(name, entry)| (name, entry.shape, entry.data))
        .collect();
    tensors.extend(layer("fc.", outputs, 512));
    tensors
}

/// A linear layer that answers with output 1.
fn layer(name: &str, outputs: usize, inputs: usize) -> Tensors {
    let mut bias = vec![0.0; outputs];
    bias[1] = 9.0;
    let weight = vec![0.0; outputs * inputs];
    vec![
        (format!("{name}weight"), vec![outputs, inputs], weight),
        (format!("{name}bias"), vec![outputs], bias),
    ]
}

fn write(path: &Path, tensors: &Tensors, metadata: &[(&str, &str)]) {
    let metadata = metadata.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    let file = weights::save(tensors, &metadata.collect(), SaveAs::F32).unwrap();
    fs::write(path, file).unwrap();
}

/// Classifies a drawn photo with a model: what is answered, and what is said.
fn classify(folder: &Folder, model: &Path, flags: &[&str]) -> (Option<i32>, String, String) {
    let photo = folder.join("photo.png");
    draw(&photo, 1, 0);
    let mut arguments = vec!["classify", "--device", "cpu", "--model"];
    arguments.push(model.to_str().unwrap());
    arguments.extend(flags);
    arguments.push(photo.to_str().unwrap());
    let output = program(folder, &arguments).output().unwrap();
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    (output.status.code(), out, said)
}

#[test]
fn names_that_win_over_the_file_s_own_are_said() {
    let folder = Folder::new("renamed");
    let model = folder.join("theirs.safetensors");
    let own = [("classes", r#"["forest","sea","street"]"#)];
    write(&model, &with_outputs(3), &own);
    let (_, out, said) = classify(&folder, &model, &["--classes", "a,b,c"]);
    assert!(out.contains("photo.png: b "), "{out}");
    let wanted = "calls its outputs forest, sea, street; they are called a, b, c as you say.";
    assert!(said.contains(wanted), "{said}");
    let (_, _, said) = classify(&folder, &model, &["--classes", "forest,sea,street"]);
    assert!(!said.contains("as you say"), "{said}");
}

#[test]
fn a_thousand_outputs_are_used_once_they_have_names() {
    let folder = Folder::new("thousand");
    let model = folder.join("imagenet.safetensors");
    write(&model, &with_outputs(1000), &[]);
    let (code, _, said) = classify(&folder, &model, &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("--classes FILE"), "{said}");
    let names: Vec<String> = (0..1000).map(|i| format!("thing {i}\n")).collect();
    let list = folder.join("names.txt");
    fs::write(&list, names.concat()).unwrap();
    let (_, out, said) = classify(&folder, &model, &["--classes", list.to_str().unwrap()]);
    assert!(out.contains("photo.png: thing 1 "), "{out} {said}");
    // A file that is not there is not a single name.
    let (code, _, said) = classify(&folder, &model, &["--classes", "nosuch.txt"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no such file"), "{said}");
}

#[test]
fn a_head_alone_is_put_on_the_backbone_or_says_how_to_save_it() {
    let folder = Folder::new("head-alone");
    let model = folder.join("head.safetensors");
    for name in ["", "0.", "classifier."] {
        write(&model, &layer(name, 3, 512), &[]);
        let (_, out, said) = classify(&folder, &model, &["--classes", "a,b,c"]);
        assert!(out.contains("photo.png: b "), "{name}: {out} {said}");
        assert!(said.contains("is a head alone"), "{said}");
    }
    write(&model, &layer("", 3, 2048), &[]);
    let (code, _, said) = classify(&folder, &model, &[]);
    assert_eq!(code, Some(1));
    for word in [
        "for 2048 features",
        "resnet18, gives 512",
        "model.state_dict()",
    ] {
        assert!(said.contains(word), "no {word} in: {said}");
    }
    write(&model, &layer("", 3, 64), &[]);
    let (_, _, said) = classify(&folder, &model, &[]);
    assert!(said.contains("model.state_dict()"), "{said}");
}

#[test]
fn what_a_metric_counted_costs_no_head() {
    let folder = Folder::new("metric");
    let model = folder.join("lightning.safetensors");
    let network = with_outputs(3).into_iter();
    let mut tensors: Tensors = network
        .map(|(name, shape, values)| (format!("net.{name}"), shape, values))
        .collect();
    tensors.push(("val_cm.confmat".into(), vec![3, 3], vec![5.0; 9]));
    tensors.push(("train_acc.tp".into(), vec![3], vec![5.0; 3]));
    write(&model, &tensors, &[]);
    let (_, out, said) = classify(&folder, &model, &["--classes", "a,b,c"]);
    assert!(out.contains("photo.png: b "), "{out} {said}");
    // What may be a layer behind the head: it is not used, and that is one sentence.
    tensors.push(("calibrator.weight".into(), vec![3, 3], vec![5.0; 9]));
    write(&model, &tensors, &[]);
    let (code, _, said) = classify(&folder, &model, &[]);
    assert_eq!(code, Some(1));
    assert!(!said.contains("has no last layer"), "{said}");
    assert!(
        said.contains("its last layer is not used: the backbone is used"),
        "{said}"
    );
}

#[test]
fn a_training_says_what_becomes_of_the_file_s_own_head() {
    let folder = Folder::new("own-head");
    let model = folder.join("three.safetensors");
    write(&model, &with_outputs(3), &[]);
    let root = folder.join("set");
    for (class, name) in [(1, "forest"), (4, "sea")] {
        scenes(&root.join(name), class, 0, 4);
    }
    let output = train(&folder, &root, &["--weights", model.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("before you believe"), "{said}");
    let wanted = "its own head (3 outputs) is not used, a new one for the data set's classes takes its place.";
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn a_folder_is_classified_image_by_image() {
    let folder = Folder::new("folder");
    let root = folder.join("loose");
    for name in ["b.png", "a.png", "below/deeper/c.png"] {
        draw(&root.join(name), 1, 0);
    }
    fs::write(root.join("notes.txt"), "no image").unwrap();
    fs::create_dir(folder.join("empty")).unwrap();
    let run = |arguments: &[&str]| {
        let mut all = vec!["classify", "--device", "cpu"];
        all.extend(arguments);
        let output = program(&folder, &all).output().unwrap();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let root = root.to_str().unwrap();
    let (code, out, said) = run(&[root]);
    assert_eq!(code, Some(0), "{said}");
    let files: Vec<&str> = out.lines().map(|l| l.split(": ").next().unwrap()).collect();
    let wanted = ["a.png", "b.png", "below/deeper/c.png"].map(|name| format!("{root}/{name}"));
    assert_eq!(files, wanted);
    assert!(
        said.contains("1 file that is no image passed over"),
        "{said}"
    );
    let empty = folder.join("empty");
    let empty = empty.to_str().unwrap();
    let (code, _, said) = run(&[empty, "nosuch.jpg"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains(&format!("{empty}: is a folder without an image in it")),
        "{said}"
    );
    assert!(said.contains("nosuch.jpg: cannot be read"), "{said}");
    assert!(!said.contains("nosuch.jpg: nosuch.jpg"), "{said}");
}

#[test]
fn a_training_says_what_it_does_and_what_to_do_next() {
    let folder = Folder::new("announced");
    let root = folder.join("set");
    for (class, name) in [(1, "forest"), (4, "sea")] {
        scenes(&root.join("train").join(name), class, 0, 5);
    }
    scenes(&root.join("test/sea"), 4, 20, 2);
    let out = folder.join("out");
    let mut arguments = vec!["train", root.to_str().unwrap(), "--device", "cpu"];
    arguments.extend(["--head", "linear", "--epochs", "1"]);
    arguments.extend(["--out", out.to_str().unwrap()]);
    let output = program(&folder, &arguments).output().unwrap();
    let (shown, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}");
    for word in [
        "set: 2 classes",
        "forest                 4 to train       1 held out       0 to test",
        "sea                    4 to train       1 held out       2 to test",
        "held out: 20 %",
        "trained: the head of resnet_2223 (general); head linear, images of 160 x 160 pixels",
    ] {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
    let model = out.join("model.safetensors");
    let wanted = format!("retune classify --model {} IMAGE", model.display());
    assert!(shown.contains(&wanted), "{shown}");
    // Of the class without a test image nothing is measured.
    assert!(shown.contains("forest           no image"), "{shown}");
    let quiet = train(&folder, &root, &[]);
    assert!(
        !text(&quiet.stderr).contains("held out"),
        "{}",
        text(&quiet.stderr)
    );
}

#[test]
fn a_name_says_what_a_file_in_a_folder_was_meant_to_be() {
    let folder = Folder::new("meant");
    let root = folder.join("set");
    fs::create_dir(&root).unwrap();
    for name in ["a.png", "text.txt"] {
        draw(&root.join("drawn.png"), 1, 0);
        fs::rename(root.join("drawn.png"), root.join(name)).unwrap();
    }
    fs::write(root.join("empty.jpg"), "").unwrap();
    fs::write(root.join("page.jpg"), "<!doctype html><html></html>").unwrap();
    let arguments = ["classify", "--device", "cpu", root.to_str().unwrap()];
    let output = program(&folder, &arguments).output().unwrap();
    let (shown, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(shown.lines().count(), 1, "{shown}");
    for word in [
        "empty.jpg: ",
        "page.jpg: is a web page",
        "1 file that is no image",
    ] {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = Folder::new("pipe");
    let pipe = folder.join("p.jpg");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let arguments = ["classify", "--device", "cpu", pipe.to_str().unwrap()];
    let output = program(&folder, &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("p.jpg: is no ordinary file"), "{said}");
}
