//! Checkpoints: what PyTorch writes is read exactly, and what a stranger made up is refused by name.
//! The files in fixtures/weights are made by its make.py, with PyTorch.

#![cfg(feature = "data")]

use retune::config::{Arch, BundledModel};
use retune::error::Error;
use retune::weights::{
    Bundled, Checkpoint, Dtype, SaveAs, hub, load_state, read, read_beside, save,
};

fn fixture(name: &str) -> Vec<u8> {
    let path = format!(
        "{}/tests/fixtures/weights/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn open(name: &str) -> Checkpoint {
    read(name, &fixture(name)).unwrap_or_else(|e| panic!("{e}"))
}

/// The error's text; a file that is read is a failure.
fn refusal(name: &str, bytes: &[u8]) -> String {
    match read(name, bytes) {
        Err(error @ Error::Weights { .. }) => error.to_string(),
        Err(other) => panic!("{name}: another kind of error: {other}"),
        Ok(found) => panic!("{name} was read: {:?}", found.tensors.keys()),
    }
}

fn assert_refused(name: &str, bytes: &[u8], words: &[&str]) {
    let text = refusal(name, bytes);
    for word in words.iter().chain([&name]) {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}

/// make.py's `ramp`.
fn ramp(n: usize) -> Vec<f32> {
    (0..n).map(|i| i as f32 / 4.0 - 1.0).collect()
}

/// What make.py's `state` holds, without the counter.
fn expected() -> Vec<(String, Vec<usize>)> {
    vec![
        ("conv.weight".into(), vec![2, 3, 2, 2]),
        ("bn.running_var".into(), vec![3]),
        ("fc.bias".into(), vec![5]),
    ]
}

fn assert_is_state(checkpoint: Checkpoint) {
    let file = checkpoint.file.clone();
    let tensors = load_state(checkpoint, &expected()).unwrap_or_else(|e| panic!("{e}"));
    for ((name, shape, data), (wanted, _)) in tensors.into_iter().zip(expected()) {
        assert_eq!(name, wanted, "{file}");
        assert_eq!(data, ramp(shape.iter().product()), "{file}: {name}");
    }
}

#[test]
fn every_float_type_is_read_exactly_from_both_formats() {
    let types = [
        ("f32", Dtype::F32),
        ("f16", Dtype::F16),
        ("bf16", Dtype::Bf16),
        ("f64", Dtype::F64),
    ];
    for (name, dtype) in types {
        for format in ["safetensors", "pth"] {
            let checkpoint = open(&format!("{name}.{format}"));
            assert_eq!(
                checkpoint.tensors["fc.bias"].dtype, dtype,
                "{name}.{format}"
            );
            assert_is_state(checkpoint);
        }
    }
}

#[test]
fn metadata_is_read() {
    let metadata = open("f32.safetensors").metadata;
    assert_eq!(metadata["classes"], "a,b");
}

#[test]
fn state_dicts_are_found_where_people_put_them() {
    for name in [
        "protocol4.pth",
        "parallel.pth",
        "nested.pth",
        "nested-model.pth",
    ] {
        assert_is_state(open(name));
    }
    let module = open("module.pth");
    assert_eq!(module.tensors["conv.weight"].data, ramp(24));
    assert_eq!(module.tensors["bn.running_var"].data, [1.0, 1.0]);
    assert!(!module.tensors.contains_key("bn.num_batches_tracked"));
}

#[test]
fn views_are_laid_out_in_row_major_order() {
    let found = open("views.pth").tensors;
    let whole = ramp(24);
    let at = |row: usize, column: usize| whole[row * 6 + column];
    let grid = |rows: usize, columns: usize, f: &dyn Fn(usize, usize) -> f32| -> Vec<f32> {
        (0..rows * columns)
            .map(|i| f(i / columns, i % columns))
            .collect()
    };
    assert_eq!(found["transposed"].shape, [6, 4]);
    assert_eq!(found["transposed"].data, grid(6, 4, &|r, c| at(c, r)));
    assert_eq!(found["window"].shape, [2, 3]);
    assert_eq!(found["window"].data, grid(2, 3, &|r, c| at(r + 1, c + 2)));
    assert_eq!(found["every-other"].data, grid(4, 3, &|r, c| at(r, 2 * c)));
    assert_eq!(found["parameter"].data, ramp(3));
    assert_eq!(
        (&found["scalar"].shape[..], &found["scalar"].data[..]),
        (&[][..], &[2.5][..])
    );
    assert_eq!(
        (&found["empty"].shape[..], found["empty"].data.len()),
        (&[0, 3][..], 0)
    );
}

#[test]
fn a_pickle_that_asks_for_more_than_tensors_is_refused_by_name() {
    // `os.system` is pickled under the module that defines it.
    assert_refused(
        "hostile-system.pth",
        &fixture("hostile-system.pth"),
        &["posix.system", "refused"],
    );
    assert_refused(
        "hostile-eval.pth",
        &fixture("hostile-eval.pth"),
        &["builtin", ".eval", "refused"],
    );
    assert_refused(
        "hostile-protocol4.pth",
        &fixture("hostile-protocol4.pth"),
        &["posix.system"],
    );
    assert_refused(
        "hostile-bare.pth",
        &fixture("hostile-bare.pth"),
        &["posix.system"],
    );
}

#[test]
fn a_whole_module_gives_its_tensors_and_runs_nothing() {
    let checkpoint = open("whole-module.pth");
    assert_eq!(checkpoint.shape("weight"), Some(&[2, 2][..]));
    assert_eq!(checkpoint.shape("bias"), Some(&[2][..]));
    let said = checkpoint.warnings.join(" ");
    assert!(
        said.contains("whole-module.pth is a whole module"),
        "{said}"
    );
}

#[test]
fn the_length_of_a_file_s_name_makes_no_difference() {
    assert_is_state(open("twenty-one-characters.pth"));
}

#[test]
fn the_format_before_1_6_is_read() {
    assert_is_state(open("legacy.pth"));
    // Cut anywhere it is an error, which names what is missing where that is known.
    let whole = fixture("legacy.pth");
    for end in (0..whole.len()).step_by(7) {
        assert!(
            read("legacy.pth", &whole[..end]).is_err(),
            "{end} of {}",
            whole.len()
        );
    }
    let text = refusal("legacy.pth", &whole[..whole.len() - 1]);
    assert!(text.contains("is cut short: storage"), "{text}");
}

#[test]
fn what_else_the_old_format_holds_is_passed_over() {
    assert_is_state(open("legacy-protocol1.pth"));
    for name in ["beside.pth", "legacy-beside.pth"] {
        assert_is_state(open(name));
    }
    let module = open("legacy-module.pth");
    assert_eq!(module.shape("weight"), Some(&[2, 2][..]));
}

#[test]
fn names_in_arrays_of_numpy_are_read() {
    let wanted = ["sea", "for\u{ea}t", "street"].map(String::from).to_vec();
    for name in [
        "numpy-names.pth",
        "numpy-objects.pth",
        "numpy-protocol5.pth",
        "numpy-scalars.pth",
        "numpy-keys.pth",
        "label-encoder.pth",
    ] {
        let checkpoint = open(name);
        assert_eq!(checkpoint.classes.as_ref(), Some(&wanted), "{name}");
        assert_is_state(checkpoint);
    }
}

#[test]
fn old_and_other_formats_are_named() {
    assert_refused("dumped.pkl", &fixture("dumped.pkl"), &["pickle.load(open("]);
    assert_refused(
        "protocol0.pth",
        &fixture("protocol0.pth"),
        &["pickle_protocol=0"],
    );
    assert_refused(
        "torchscript.pth",
        &fixture("torchscript.pth"),
        &["TorchScript"],
    );
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    assert_refused("old.pth", &tar, &["tar format"]);
    assert_refused("photo.pth", b"\xff\xd8\xff\xe0 a JPEG", &["JPEG"]);
    assert_refused("letter.pth", b"Dear network,", &["neither"]);
    assert_refused("none.safetensors", b"", &["empty"]);
}

#[test]
fn not_a_number_and_infinity_are_refused_by_tensor() {
    assert_refused(
        "nan.pth",
        &fixture("nan.pth"),
        &["tensor w", "element 1", "NaN"],
    );
    assert_refused(
        "infinite.safetensors",
        &fixture("infinite.safetensors"),
        &["tensor w", "element 2", "-inf"],
    );
}

#[test]
fn a_file_cut_anywhere_is_an_error_and_never_a_panic() {
    for name in [
        "f32.safetensors",
        "f16.safetensors",
        "f32.pth",
        "views.pth",
        "protocol4.pth",
    ] {
        let whole = fixture(name);
        for len in 0..whole.len() {
            assert!(
                read(name, &whole[..len]).is_err(),
                "{name} cut to {len} bytes was read"
            );
        }
    }
}

#[test]
fn a_damaged_byte_is_never_a_panic() {
    for name in [
        "f32.safetensors",
        "f32.pth",
        "views.pth",
        "protocol4.pth",
        "hostile-bare.pth",
    ] {
        let whole = fixture(name);
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                // Only the checksum of a zip's entry notices a changed weight; either answer is fine.
                let _ = read(name, &damaged);
            }
        }
    }
}

/// A file whose weights are rounded to 8 bits: two output channels of three, and a bias that is not.
fn rounded(scale: &str, metadata: &str) -> Vec<u8> {
    let header = format!(
        r#"{{"__metadata__":{{{metadata}}},"fc.weight":{{"dtype":"I8","shape":[2,3],"data_offsets":[0,6]}},
        {scale}"fc.bias":{{"dtype":"F32","shape":[2],"data_offsets":[14,22]}}}}"#
    );
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend([127, -127, 0, 1, -2, 3].map(|value: i8| value.cast_unsigned()));
    for value in [0.5_f32, 0.25, 1.0, 2.0] {
        file.extend(value.to_le_bytes());
    }
    file
}

#[test]
fn weights_of_8_bits_are_read_times_the_scale_of_their_output_channel() {
    let scale = r#""fc.weight.scale":{"dtype":"F32","shape":[2],"data_offsets":[6,14]},"#;
    let said = r#""quantization":"int8 per output channel""#;
    let mut checkpoint = read("int8", &rounded(scale, said)).unwrap();
    let names: Vec<_> = checkpoint.tensors.keys().cloned().collect();
    assert_eq!(names, ["fc.bias", "fc.weight"]);
    let weight = checkpoint.take_f32("fc.weight", &[2, 3]).unwrap();
    assert_eq!(weight, [63.5, -63.5, 0.0, 0.25, -0.5, 0.75]);
    assert_eq!(checkpoint.take_f32("fc.bias", &[2]).unwrap(), [1.0, 2.0]);

    // What its scales are nobody knows.
    let other = scale.replace("fc.weight.scale", "fc.other.scale");
    assert_refused("int8", &rounded(&other, said), &["fc.weight", "scale"]);
    let short = r#""fc.weight.scale":{"dtype":"F16","shape":[4],"data_offsets":[6,14]},"#;
    assert_refused("int8", &rounded(short, said), &["fc.weight", "[4]", "[2]"]);
    // In any other file whole numbers are no weights.
    assert_refused("int8", &rounded(scale, ""), &["fc.weight"]);
}

/// A safetensors file with any header.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(vec![0; data]);
    file
}

#[test]
fn a_lying_header_is_refused_by_tensor() {
    let tensor = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[{offsets}]}}"#)
    };
    let good = tensor("F32", "2", "0,8");
    let one = |lie: String| format!(r#"{{"lie.weight":{lie}}}"#);
    let two = |lie: String| format!(r#"{{"good":{good},"lie.weight":{lie}}}"#);
    assert!(read("good", &with_header(&one(good.clone()), 8)).is_ok());

    let cases = [
        ("beyond the file", one(tensor("F32", "4", "0,16")), 8),
        ("backwards", one(tensor("F32", "2", "8,0")), 8),
        ("too small for its shape", one(tensor("F32", "3", "0,8")), 8),
        ("overlapping", two(tensor("F32", "2", "4,12")), 12),
        ("after a gap", two(tensor("F32", "1", "12,16")), 16),
        (
            "huge",
            one(tensor("F32", "4294967296,4294967296,4", "0,8")),
            8,
        ),
        (
            "ends at the last integer",
            one(tensor("F32", "2", "0,18446744073709551615")),
            8,
        ),
        ("negative size", one(tensor("F32", "-2", "0,8")), 8),
        ("unknown type", one(tensor("F31", "2", "0,8")), 8),
        ("eight-bit floats", one(tensor("F8_E4M3", "8", "0,8")), 8),
        ("no object", one("7".into()), 8),
    ];
    for (what, header, data) in cases {
        assert_refused(what, &with_header(&header, data), &["lie.weight"]);
    }
    assert_refused(
        "tail",
        &with_header(&one(good.clone()), 12),
        &["8 bytes", "12"],
    );
    let integers = one(tensor("I32", "2", "0,8"));
    assert_refused(
        "integers",
        &with_header(&integers, 8),
        &["lie.weight", "integers"],
    );
    assert_refused("no JSON", &with_header("{\"a\":", 8), &["no JSON"]);
    assert_refused(
        "no tensors",
        &with_header("{}", 0),
        &["no floating-point tensors"],
    );
    let mut endless = with_header(&one(good), 8);
    endless[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_refused("endless header", &endless, &["18446744073709551615"]);
}

#[test]
fn all_that_differs_from_the_model_is_named_at_once() {
    let mut wanted = expected();
    wanted[0].1 = vec![2, 3, 3, 3];
    wanted[1].0 = "bn.running_mean".into();
    wanted.push(("bn.num_batches_tracked".into(), vec![]));
    let error = load_state(open("f32.pth"), &wanted)
        .unwrap_err()
        .to_string();
    for part in [
        "f32.pth",
        "1 tensor missing: bn.running_mean",
        "conv.weight ([2, 3, 2, 2], [2, 3, 3, 3] expected)",
        "1 tensor not part of the model: bn.running_var",
    ] {
        assert!(error.contains(part), "{part:?} is not in {error:?}");
    }
    assert!(
        !error.contains("fc.bias") && !error.contains("num_batches"),
        "{error}"
    );

    let many: Vec<_> = (0..9).map(|i| (format!("layer{i}"), vec![1])).collect();
    let error = load_state(open("f32.pth"), &many).unwrap_err().to_string();
    assert!(
        error.contains("9 tensors missing: layer0, layer1, layer2, layer3, layer4 and 4 more"),
        "{error}"
    );
}

#[test]
fn a_tensor_is_taken_once_and_only_in_its_shape() {
    let mut checkpoint = open("f32.pth");
    let error = checkpoint
        .take_f32("fc.bias", &[6])
        .unwrap_err()
        .to_string();
    assert!(error.contains("fc.bias is [5], [6] expected"), "{error}");
    assert_eq!(checkpoint.take_f32("fc.bias", &[5]), Ok(ramp(5)));
    assert!(checkpoint.take_f32("fc.bias", &[5]).is_err());
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_bundled_files_are_the_ones_the_page_expects() {
    // Outputs, features, edge of the input; values without those of the last layer.
    let facts = [
        (
            BundledModel::Scenes,
            Some(6),
            512,
            160,
            11_689_512 - 1000 * 513 + 9600,
        ),
        (
            BundledModel::Things,
            Some(1000),
            1280,
            224,
            4_652_008 - 1000 * 1281 + 2 * 21_008,
        ),
        (
            BundledModel::General,
            None,
            512,
            160,
            11_176_512 + 4_720_640 + 11_648,
        ),
    ];
    for (model, outputs, features, size, values) in facts {
        let bundled = Bundled::of(model);
        let path = bundled.asset.path;
        let bytes = std::fs::read(format!("{}/www/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert_eq!(bytes.len() as u64, bundled.asset.bytes, "{path}");
        let hex = sha256(&bytes);
        assert_eq!(hex, bundled.asset.sha256, "{path}");
        assert_eq!(Bundled::of_hash(&hex), Some(bundled));

        let checkpoint = read(path, &bytes).unwrap();
        let last = outputs.map(|outputs| vec![outputs, features]);
        assert_eq!(checkpoint.shape("fc.weight"), last.as_deref(), "{path}");
        assert_eq!(checkpoint.metadata["input"], size.to_string(), "{path}");
        assert_eq!(checkpoint.classes.as_ref().map(Vec::len), outputs, "{path}");
        if model == BundledModel::Scenes {
            assert_eq!(checkpoint.classes, Some(retune::classes::intel()));
        }
        if let Some(list) = bundled.seen {
            let path = list.path;
            let bytes =
                std::fs::read(format!("{}/www/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            assert_eq!(bytes.len() as u64, list.bytes, "{path}");
            assert_eq!(sha256(&bytes), list.sha256, "{path}");
            // 28 of its 12 637 images are as another one to the last bit.
            assert_eq!(
                retune::data::seen::SeenImages::read(path, &bytes)
                    .unwrap()
                    .len(),
                12_609
            );
        }
        let all: usize = checkpoint
            .tensors
            .values()
            .map(|entry| entry.data.len())
            .sum();
        let head = outputs.map_or(0, |outputs| outputs * (features + 1));
        assert_eq!(all - head, values, "{path}");
    }
}

#[test]
fn every_backbone_has_an_address_on_the_hub_or_a_mirror() {
    assert_eq!(
        hub::url(None, Arch::ResNet18).unwrap(),
        "https://huggingface.co/timm/resnet18.tv_in1k/resolve/main/model.safetensors"
    );
    assert_eq!(
        hub::pointer_url(Some("http://localhost:9/"), Arch::ResNext101).unwrap(),
        "http://localhost:9/timm/resnext101_32x8d.tv_in1k/raw/main/model.safetensors"
    );
    for &arch in Arch::ALL {
        let Some(weights) = arch.row().weights else {
            let error = hub::url(None, arch).unwrap_err().to_string();
            assert!(error.contains(arch.name()), "{error}");
            continue;
        };
        // torchvision's own, and what it took over from timm.
        let of_timm = weights.repository.strip_prefix("timm/");
        let name = of_timm.and_then(|name| name.split_once('.'));
        let (name, weights) = name.unwrap();
        assert!(name.ends_with(arch.name()), "{name} for {arch}");
        let from_torchvision = arch.row().weights.unwrap().licence == "BSD-3-Clause";
        assert_eq!(weights == "tv_in1k", from_torchvision, "{arch}");
    }
}

/// A safetensors file of ramps of these names and shapes, read.
fn made(list: &[(&str, &[usize])], metadata: &[(&str, &str)]) -> Checkpoint {
    let tensor = |(name, shape): &(&str, &[usize])| {
        let values = ramp(shape.iter().product());
        (name.to_string(), shape.to_vec(), values)
    };
    let tensors: Vec<_> = list.iter().map(tensor).collect();
    let metadata = metadata.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    let bytes = save(&tensors, &metadata.collect(), SaveAs::F32).unwrap();
    read("made.safetensors", &bytes).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_head_alone_is_one_under_any_name() {
    let names = |checkpoint: &Checkpoint| checkpoint.tensors.keys().cloned().collect::<Vec<_>>();
    for (weight, bias) in [
        ("weight", "bias"),
        ("0.weight", "0.bias"),
        ("1.weight", "1.bias"),
        ("fc.weight", "fc.bias"),
        ("classifier.weight", "classifier.bias"),
        ("model.cls.weight", "model.cls.bias"),
    ] {
        let metadata = [("classes", "a,b,c"), ("names", "x,y")];
        let head = made(&[(weight, &[3, 512]), (bias, &[3])], &metadata);
        assert_eq!(names(&head), ["fc.bias", "fc.weight"], "{weight}");
        assert_eq!(head.classes.map(|names| names.len()), Some(3));
    }
    let layers: [(&str, &[usize]); 4] = [
        ("0.weight", &[128, 512]),
        ("0.bias", &[128]),
        ("2.weight", &[3, 128]),
        ("2.bias", &[3]),
    ];
    let wanted = ["fc.0.bias", "fc.0.weight", "fc.2.bias", "fc.2.weight"];
    assert_eq!(names(&made(&layers, &[])), wanted);
    // Too narrow for any backbone, and more than layers.
    let list: [(&str, &[usize]); 2] = [("weight", &[3, 64]), ("bias", &[3])];
    assert_eq!(names(&made(&list, &[])), ["bias", "weight"]);
    let list: [(&str, &[usize]); 2] = [("a.weight", &[3, 512]), ("b.weight", &[8, 8, 3, 3])];
    assert_eq!(names(&made(&list, &[])), ["a.weight", "b.weight"]);
}

#[test]
fn what_lies_beside_a_checkpoint_of_the_hub_is_read() {
    let head: [(&str, &[usize]); 2] = [("weight", &[3, 512]), ("bias", &[3])];
    let config = br#"{"architectures":["ResNetForImageClassification"],"model_type":"resnet","hidden_act":"gelu",
        "id2label":{"0":"cat","1":"dog","2":"emu"},"downsample_in_bottleneck":false}"#;
    let processor =
        br#"{"do_normalize":true,"image_mean":[0.5,0.5,0.5],"image_std":[0.25,0.25,0.25],
        "size":{"shortest_edge":256},"crop_size":{"height":224,"width":224}}"#;
    let mut checkpoint = made(&head, &[("std", "1,1,1")]);
    let already = checkpoint.warnings.len();
    read_beside(&mut checkpoint, "config.json", config);
    read_beside(&mut checkpoint, "preprocessor_config.json", processor);
    let wanted = ["cat", "dog", "emu"].map(String::from).to_vec();
    assert_eq!(checkpoint.classes, Some(wanted));
    for (key, value) in [
        ("act_layer", "gelu"),
        ("mean", "0.5,0.5,0.5"),
        // The file's own.
        ("std", "1,1,1"),
        ("input", "224"),
    ] {
        assert_eq!(checkpoint.metadata[key], value, "{key}");
    }
    assert!(!checkpoint.metadata.contains_key("style"));
    let said = &checkpoint.warnings[already..];
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("read from config.json beside it: what its outputs are called"));

    // timm's, names that are none, and files of other programs.
    let timm = br#"{"architecture":"resnet18","pretrained_cfg":{"input_size":[3,288,288],"mean":[0,0,0],"std":[1,1,1]},
        "id2label":{"0":"LABEL_0","1":"LABEL_1","2":"LABEL_2"}}"#;
    let mut checkpoint = made(&head, &[]);
    for other in [&b"[1]"[..], b"{", br#"{"size":7,"labels":["a","b","c"]}"#] {
        read_beside(&mut checkpoint, "config.json", other);
        assert_eq!(
            (checkpoint.classes.is_none(), checkpoint.metadata.len()),
            (true, 0)
        );
    }
    read_beside(&mut checkpoint, "config.json", timm);
    assert_eq!(checkpoint.classes, None);
    assert_eq!(checkpoint.metadata["input"], "288");
    assert_eq!(checkpoint.metadata["mean"], "0,0,0");
}

/// What a file beside a checkpoint of three outputs adds to its metadata, and what is said.
fn beside(name: &str, json: &str) -> (Checkpoint, String) {
    let head: [(&str, &[usize]); 2] = [("weight", &[3, 512]), ("bias", &[3])];
    let mut checkpoint = made(&head, &[]);
    checkpoint.warnings.clear();
    read_beside(&mut checkpoint, name, json.as_bytes());
    let said = checkpoint.warnings.join(" ");
    (checkpoint, said)
}

#[test]
fn what_a_file_of_the_hub_says_of_another_network_is_not_passed_over() {
    let config = |more: &str| {
        beside(
            "config.json",
            &format!(r#"{{"architecture":"resnet18",{more}}}"#),
        )
    };
    for (json, key, value) in [
        (r#""global_pool":"max""#, "global_pool", "max"),
        (r#""global_pool":"avgmax""#, "global_pool", "avgmax"),
        (r#""model_args":{"act_layer":"silu"}"#, "act_layer", "silu"),
        (
            r#""model_args":{"global_pool":"max"}"#,
            "global_pool",
            "max",
        ),
        (r#""downsample_in_bottleneck":true"#, "style", "caffe"),
    ] {
        let (checkpoint, said) = config(json);
        assert_eq!(
            checkpoint.metadata.get(key).map(String::as_str),
            Some(value),
            "{json}"
        );
        assert!(said.contains(value), "{said}");
    }
    for json in [
        r#""global_pool":"avg""#,
        r#""hidden_act":"relu","global_pool":null"#,
        r#""model_args":{"act_layer":"nn.ReLU","drop_rate":0.1},"problem_type":null"#,
        r#""problem_type":"single_label_classification","downsample_in_first_stage":false"#,
    ] {
        let (checkpoint, said) = config(json);
        assert_eq!(checkpoint.metadata.len(), 1, "{json}");
        assert!(!said.contains("wrong"), "{json}: {said}");
    }
    for (json, words) in [
        (
            r#""problem_type":"multi_label_classification""#,
            "several labels",
        ),
        (
            r#""downsample_in_first_stage":true"#,
            "downsample_in_first_stage",
        ),
        (r#""model_args":{"output_stride":8}"#, "output_stride = 8"),
    ] {
        let (_, said) = config(json);
        assert!(
            said.contains(words) && said.contains("wrong"),
            "{json}: {said}"
        );
    }
    // A timm EfficientNet has this activation anyway.
    let json = r#"{"architecture":"efficientnet_b0","model_args":{"act_layer":"silu"}}"#;
    let (checkpoint, _) = beside("config.json", json);
    assert!(!checkpoint.metadata.contains_key("act_layer"));
}

#[test]
fn how_the_hub_scales_images_is_folded_into_their_mean_or_said() {
    let processor = |more: &str| {
        beside(
            "preprocessor_config.json",
            &format!(r#"{{"image_processor_type":"X",{more}}}"#),
        )
    };
    let imagenet = r#""image_mean":[0.485,0.456,0.406],"image_std":[0.229,0.224,0.225]"#;
    let bytes = r#""image_mean":[123.675,116.28,103.53],"image_std":[58.395,57.12,57.375]"#;
    let ones = r#""image_mean":[1,1,1],"image_std":[1,1,1]"#;
    for (json, mean, std) in [
        (
            format!(r#"{imagenet},"rescale_factor":0.00392156862745098"#),
            "0.485,0.456,0.406",
            "0.229,0.224,0.225",
        ),
        (
            format!(r#"{ones},"rescale_factor":0.00784313725490196"#),
            "0.5,0.5,0.5",
            "0.5,0.5,0.5",
        ),
        (
            format!(r#"{bytes},"do_rescale":false"#),
            "0.485,0.456,0.406",
            "0.229,0.224,0.225",
        ),
        (format!(r#"{bytes},"do_normalize":false"#), "0,0,0", "1,1,1"),
        (
            r#""image_mean":0.5,"image_std":0.5"#.into(),
            "0.5,0.5,0.5",
            "0.5,0.5,0.5",
        ),
    ] {
        let (checkpoint, said) = processor(&json);
        assert_eq!(checkpoint.metadata["mean"], mean, "{json}");
        assert_eq!(checkpoint.metadata["std"], std, "{json}");
        assert!(said.contains(mean) && !said.contains("not read"), "{said}");
    }
    for (json, words) in [
        (
            format!(r#"{imagenet},"do_rescale":false"#),
            "do_rescale = false",
        ),
        (
            format!(r#"{imagenet},"rescale_factor":1.0"#),
            "rescale_factor = 1",
        ),
        (
            format!(r#"{imagenet},"include_top":true"#),
            "include_top = true",
        ),
        (
            r#""image_mean":[0.5],"image_std":[0.5]"#.into(),
            "image_mean = [0.5]",
        ),
        (
            r#""image_mean":[0.5,0.5,0.5]"#.into(),
            "without a deviation",
        ),
    ] {
        let (checkpoint, said) = processor(&json);
        assert!(!checkpoint.metadata.contains_key("mean"), "{json}");
        assert!(
            said.contains(words) && said.contains("--normalize"),
            "{json}: {said}"
        );
    }
}

#[test]
fn images_that_are_no_squares_are_said_and_not_taken_for_one() {
    let processor = |more: &str| {
        beside(
            "preprocessor_config.json",
            &format!(r#"{{"image_processor_type":"X",{more}}}"#),
        )
    };
    for (json, edge) in [
        (r#""size":150"#, "150"),
        (r#""size":{"shortest_edge":150}"#, "150"),
        (r#""size":{"height":150,"width":150}"#, "150"),
        (
            r#""size":256,"crop_size":{"height":224,"width":224}"#,
            "224",
        ),
        (
            r#""size":256,"crop_size":224,"do_center_crop":false"#,
            "256",
        ),
        (r#""crop_size":null,"size":[150,150]"#, "150"),
        (r#""input_size":[3,288,288]"#, "288"),
    ] {
        let (checkpoint, said) = processor(json);
        assert_eq!(checkpoint.metadata["input"], edge, "{json}");
        assert!(!said.contains("square"), "{said}");
    }
    for json in [
        r#""size":{"height":150,"width":200}"#,
        r#""size":[150,200]"#,
        r#""input_size":[3,256,128]"#,
        r#""size":{"longest_edge":512}"#,
    ] {
        let (checkpoint, said) = processor(json);
        assert!(!checkpoint.metadata.contains_key("input"), "{json}");
        assert!(
            said.contains("no square") && said.contains("--input-size"),
            "{said}"
        );
    }
}

#[test]
fn a_checkpoint_that_disagrees_with_the_file_beside_it_is_said() {
    let head: [(&str, &[usize]); 2] = [("weight", &[3, 512]), ("bias", &[3])];
    let json = br#"{"image_mean":[0.5,0.5,0.5],"image_std":[0.5,0.5,0.5],"size":150}"#;
    let own = [
        ("mean", "[0.485, 0.456, 0.406]"),
        ("std", "0.5, 0.5, 0.50"),
        ("input", "150"),
    ];
    let mut checkpoint = made(&head, &own);
    checkpoint.warnings.clear();
    read_beside(&mut checkpoint, "preprocessor_config.json", json);
    let [said] = &checkpoint.warnings[..] else {
        panic!("{:?}", checkpoint.warnings);
    };
    assert!(
        said.contains("0.485,0.456,0.406, not 0.5,0.5,0.5"),
        "{said}"
    );
}

#[test]
fn a_normalisation_in_front_of_the_network_is_used() {
    let values = |n: usize, value: f32| vec![value; n];
    let list = |names: [&str; 2], value: f32| {
        let mut tensors = vec![(
            "1.conv1.weight".to_string(),
            vec![64, 3, 7, 7],
            values(64 * 147, 0.1),
        )];
        for name in names {
            tensors.push((name.to_string(), vec![1, 3, 1, 1], values(3, value)));
        }
        let bytes = save(&tensors, &Default::default(), SaveAs::F32).unwrap();
        read("made.safetensors", &bytes).unwrap()
    };
    for (names, value) in [
        (["0.mean", "0.std"], 0.5),
        (["data_preprocessor.mean", "data_preprocessor.std"], 127.5),
        (["1.mean", "1.std"], 0.5),
    ] {
        let checkpoint = list(names, value);
        assert_eq!(checkpoint.metadata["mean"], "0.5,0.5,0.5", "{names:?}");
        assert_eq!(checkpoint.metadata["std"], "0.5,0.5,0.5", "{names:?}");
        assert_eq!(checkpoint.tensors.len(), 1, "{names:?}");
        let said = checkpoint.warnings.join(" ");
        assert!(
            said.contains("are used") && !said.contains("passed over"),
            "{said}"
        );
    }
    let checkpoint = list(["0.mean", "2.mean"], 0.5);
    assert!(!checkpoint.metadata.contains_key("mean"));
    let said = checkpoint.warnings.join(" ");
    assert!(
        said.contains("0.mean, 2.mean") && said.contains("--normalize"),
        "{said}"
    );
    let checkpoint = list(["0.mean", "0.std"], 7.0);
    assert!(checkpoint.warnings.join(" ").contains("which is not read"));
}

#[test]
fn a_mean_in_brackets_is_one() {
    let head: [(&str, &[usize]); 2] = [("weight", &[3, 512]), ("bias", &[3])];
    let own = [
        ("mean", "[0.5, 0.5, 0.5]"),
        ("std", "[127.5, 127.5, 127.5]"),
    ];
    // Not of one scale: left as they are, for a word about them.
    assert_eq!(made(&head, &own).metadata["mean"], "[0.5, 0.5, 0.5]");
    let own = [("mean", "[0.5, 0.5, 0.5]"), ("std", "(0.25, 0.25, 0.25)")];
    let metadata = made(&head, &own).metadata;
    assert_eq!(
        (&*metadata["mean"], &*metadata["std"]),
        ("0.5,0.5,0.5", "0.25,0.25,0.25")
    );
    // What was written here stays to the last digit.
    let own = [("mean", "0.12345678,0.5,0.5"), ("std", "0.25,0.25,0.25")];
    assert_eq!(made(&head, &own).metadata["mean"], "0.12345678,0.5,0.5");
}

#[test]
fn what_tools_leave_in_a_network_is_no_weight() {
    let list: [(&str, &[usize]); 6] = [
        ("conv1.weight", &[64, 3, 7, 7]),
        ("total_ops", &[1]),
        ("layer1.0.conv1.total_params", &[1]),
        ("layer1._extra_state", &[2]),
        ("fc.weight", &[3, 512]),
        ("fc.total_ops", &[1]),
    ];
    let checkpoint = made(&list, &[]);
    let names: Vec<_> = checkpoint.tensors.keys().collect();
    assert_eq!(names, ["conv1.weight", "fc.bias", "fc.weight"]);
}
