//! Promise: `retune inspect` shows what is computed of each network, named or scaled, and what two papers print of it.

#[allow(dead_code)]
mod program;

use program::{Folder, program, text};
use serde_json::Value;

/// What `retune inspect` prints, and its exit code with what it says of an error.
fn inspect(args: &[&str]) -> Result<String, (i32, String)> {
    let folder = Folder::new(&format!("inspect{}", args.join("")));
    let all = [&["inspect"], args].concat();
    let output = program(&folder, &all).output().unwrap();
    match output.status.code() {
        Some(0) => Ok(text(&output.stdout)),
        code => Err((code.unwrap(), text(&output.stderr))),
    }
}

/// The same as JSON, an object a line.
fn json(args: &[&str]) -> Vec<Value> {
    let printed = inspect(&[args, &["--json"]].concat()).unwrap();
    let lines = printed.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

#[test]
fn a_named_network_has_torchvisions_totals() {
    let table = &json(&["resnext50_32x4d"])[0];
    // torchvision.models.resnext50_32x4d, 224 x 224, as in tests/fixtures/reference.
    assert_eq!(table["parameters"], 25_028_904);
    let layers = table["layers"].as_array().unwrap();
    let costs = layers.iter().map(|layer| layer["multiply_adds"].as_u64());
    assert_eq!(
        table["multiply_adds"],
        costs.map(Option::unwrap).sum::<u64>()
    );

    let shown = inspect(&["resnet18", "--input", "150", "--classes", "6"]).unwrap();
    assert!(
        shown.contains("layer4.1.conv2") && shown.contains("512 x 5 x 5"),
        "{shown}"
    );
    // Without --input, the size of its own images.
    assert_eq!(json(&["inception_v3"])[0]["input"][1], 299);
}

#[test]
fn a_name_almost_right_is_guessed_at_and_not_taken() {
    for (typed, meant) in [
        ("efficientnet-b0", "efficientnet_b0"),
        ("ResNet50", "resnet50"),
        ("vgg16bn", "vgg16_bn"),
    ] {
        let (code, said) = inspect(&[typed]).unwrap_err();
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(&format!("did you mean {meant}?")), "{said}");
    }
    let (_, said) = inspect(&["7"]).unwrap_err();
    assert!(!said.contains("did you mean"), "{said}");
}

#[test]
fn without_a_name_all_networks_are_listed() {
    let listed = json(&[]);
    let of = |name: &str| listed.iter().find(|row| row["arch"] == name).unwrap();
    let resnet = of("resnet50");
    assert_eq!(resnet["family"], "ResNet");
    assert_eq!(resnet["parameters"], 25_557_032);
    assert_eq!(resnet["multiply_adds"], 4_089_184_256_u64);
    assert_eq!(resnet["weights"], "timm/resnet50.tv_in1k");
    assert_eq!(of("plain34")["weights"], Value::Null);
    assert_eq!(of("pnasnet5large")["edge"], 331);
    let shown = inspect(&[]).unwrap();
    // A head line and one that tells what is counted.
    assert_eq!(shown.lines().count(), listed.len() + 2);
}

#[test]
fn a_scaled_network_is_shown_beside_its_base() {
    let table = &json(&["efficientnet", "--phi", "1.5"])[0];
    let scaling = &table["scaling"];
    assert_eq!(scaling["base"], "efficientnet_b0");
    assert_eq!(scaling["base_cost"]["parameters"], 5_288_548);
    assert_eq!(scaling["phi"], 1.5);
    for (what, base) in [("depth", 1.2_f64), ("width", 1.1), ("resolution", 1.15)] {
        let factor = scaling[what].as_f64().unwrap();
        assert!((factor - base.powf(1.5)).abs() < 1e-12, "{what}: {factor}");
    }
    // 224 * 1.15^1.5 = 276.2
    assert_eq!(
        (&scaling["edge"], &table["input"][1]),
        (&276.into(), &276.into())
    );
    let times = table["multiply_adds"].as_f64().unwrap()
        / scaling["base_cost"]["multiply_adds"].as_f64().unwrap();
    // 1.92^1.5 is 2.66; blocks are rounded up, of which b0 has one to four at a time.
    assert!((2.66..4.0).contains(&times), "{times}");

    // b2's own factors give b2.
    let factors = ["--width", "1.1", "--depth", "1.2", "--input", "260"];
    let b2 = &json(&[&["efficientnet"][..], &factors].concat())[0];
    assert_eq!(
        b2["parameters"],
        json(&["efficientnet_b2"])[0]["parameters"]
    );
    assert_eq!(b2["scaling"]["nearest"]["arch"], "efficientnet_b2");
    let shown = inspect(&[&["efficientnet"][..], &factors].concat()).unwrap();
    assert!(
        shown.contains("nearest published: efficientnet_b2"),
        "{shown}"
    );

    let shown = inspect(&["efficientnet", "--phi", "8"]).unwrap();
    assert!(
        shown.contains("nearest published: none, efficientnet_b7 is the largest"),
        "{shown}"
    );

    let shown = inspect(&["resnet50", "--width", "1.5"]).unwrap();
    assert!(
        shown.contains("width w = 1.5") && shown.contains("resnet50 x 1.5 wide"),
        "{shown}"
    );
    assert!(inspect(&["mobilenet_v2", "--phi", "-1", "--head", "mlp-3"]).is_ok());
    assert_eq!(json(&["efficientnet_b0"])[0]["parameters"], 5_288_548);
}

#[test]
fn the_papers_tables_stand_beside_what_is_computed() {
    let tables = json(&["--table"]);
    let [resnet, efficientnet] = &tables[..] else {
        panic!("{tables:?}");
    };
    assert_eq!(resnet["rows"].as_array().unwrap().len(), 5);
    let fifty = &resnet["rows"][2]["multiply_adds"];
    assert_eq!(fifty["printed"]["text"], "3.8B");
    assert_eq!(fifty["computed"], 4_089_184_256_u64);
    assert_eq!(fifty["why"]["instead"], 3_857_973_248_u64);
    let edges: Vec<_> = (resnet["stages"].as_array().unwrap().iter())
        .map(|stage| stage["edge"].as_u64().unwrap())
        .collect();
    assert_eq!(edges, [112, 56, 28, 14, 7, 1]);
    assert_eq!(efficientnet["rows"].as_array().unwrap().len(), 24);

    let shown = inspect(&["--table"]).unwrap();
    for said in [
        "3.86B",
        "GPipe",
        "printed only",
        "Inception-ResNet-v2",
        "11.28B",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
}

#[test]
fn what_cannot_be_shown_is_said() {
    let cases: [(&[&str], &str); 9] = [
        (&["vgg16", "--phi", "1"], "--phi: vgg16 does not scale"),
        (&["densenet121", "--depth", "2"], "--depth: densenet121"),
        (&["resnet18", "--phi", "11"], "phi: 11 is outside -2 to 10"),
        (
            &["resnet18", "--width", "-1"],
            "width: -1 is outside 0.1 to 10",
        ),
        (
            &["resnet18", "--resolution", "9"],
            "resolution: 2016 pixels",
        ),
        (&["resnet18", "--phi", "1", "--width", "2"], "--width"),
        (&["--phi", "1"], "NAME"),
        (&["resnet18", "--table"], "--table"),
        (&["resnet19"], "resnet18"),
    ];
    for (args, word) in cases {
        let (code, said) = inspect(args).unwrap_err();
        assert_eq!(code, 2, "{args:?}: {said}");
        assert!(said.contains(word), "{args:?}: {said}");
    }
}
