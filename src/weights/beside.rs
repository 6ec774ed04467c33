//! What a folder of the Hugging Face hub says of a checkpoint in files of its own: `config.json` (names of the outputs,
//! the network) and `preprocessor_config.json` (how images are prepared). Keys of transformers
//! (`models/resnet/configuration_resnet.py`, `image_processing_utils.py`) and of timm (`models/_hub.py`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::checkpoint::{Checkpoint, NAMED};
use super::normalization::{MeanStd, listed, rounded};
use super::outputs;

/// Largest of them: that of ImageNet-22k has two megabytes of names.
pub const MAX_BYTES: u64 = 8 << 20;

type Object = serde_json::Map<String, Value>;

/// Adds what such a file says and the checkpoint itself does not, and a sentence about it; further sentences where it
/// says what is not read. What is no JSON, or of another program, says nothing.
pub fn read_beside(checkpoint: &mut Checkpoint, name: &str, bytes: &[u8]) {
    let Ok(Value::Object(file)) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let of_hub = ["architectures", "architecture", "model_type"];
    let of_processor = [
        "image_mean",
        "image_processor_type",
        "feature_extractor_type",
    ];
    let known = of_hub.iter().chain(&of_processor);
    if !known.into_iter().any(|key| file.contains_key(*key)) {
        return;
    }
    let mut read = Vec::new();
    let (mut kept, mut doubts) = (Vec::new(), Vec::new());
    if checkpoint.classes.is_none()
        && let Some(names) = names(&file, checkpoint.outputs())
    {
        checkpoint.classes = Some(names);
        read.push("what its outputs are called".to_owned());
    }
    let mut said = of_images(&file, &mut doubts);
    said.extend(of_network(&file, &mut doubts));
    for (key, value, what) in said {
        match checkpoint.metadata.get(key) {
            None => {
                read.push(format!("{what} ({value})"));
                checkpoint.metadata.insert(key.to_owned(), value);
            }
            // Where both say it, the checkpoint's own is believed.
            Some(own) if differs(own, &value) => kept.push(format!("{what} ({own}, not {value})")),
            Some(_) => {}
        }
    }
    let file = &checkpoint.file;
    let parts = [("read from", read), ("its own goes before that of", kept)];
    let parts = parts.into_iter().filter(|(_, list)| !list.is_empty());
    let parts = parts.map(|(how, list)| format!("{how} {name} beside it: {}", list.join(", ")));
    let parts: Vec<String> = parts.collect();
    if !parts.is_empty() {
        let sentence = format!("{file}: {}.", parts.join("; "));
        checkpoint.warnings.push(sentence);
    }
    let doubts = doubts
        .into_iter()
        .map(|doubt| format!("{file}: {name} beside it {doubt}."));
    checkpoint.warnings.extend(doubts.collect::<Vec<_>>());
}

/// A key of the metadata, its value, and what that is called in a sentence.
type Said = (&'static str, String, &'static str);

/// Whether two values of the metadata are different ones: `0.5, 0.5, 0.5` is `0.5,0.5,0.5`.
fn differs(one: &str, other: &str) -> bool {
    let parts = |text: &str| {
        let parts = text.split(',').map(|part| part.trim().to_owned());
        parts
            .map(|part| part.parse().map_or(part, |n: f32| n.to_string()))
            .collect::<Vec<_>>()
    };
    parts(one) != parts(other)
}

/// What it says of how images are prepared.
fn of_images(file: &Object, doubts: &mut Vec<String>) -> Vec<Said> {
    // timm keeps what it says of images in a dict of their own.
    let images = match file.get("pretrained_cfg") {
        Some(Value::Object(images)) => images,
        _ => file,
    };
    let mut said = Vec::new();
    match normalization(images) {
        Ok(Some([mean, std])) => {
            said.push(("mean", listed(mean), "the mean of its images"));
            said.push(("std", listed(std), "their deviation"));
        }
        Ok(None) => {}
        Err(what) => doubts.push(format!(
            "says of its images {what}, which is not read: say how they are normalised (--normalize, or in the page \
             under Model)"
        )),
    }
    let whole = |key: &str| {
        !(key == "crop_size" && images.get("do_center_crop") == Some(&Value::Bool(false)))
    };
    let sizes = ["crop_size", "size", "input_size"];
    let size = sizes
        .into_iter()
        .filter(|key| whole(key))
        .find_map(|key| Some((key, given(images, key)?)));
    if let Some((key, value)) = size {
        match edge(value) {
            Some(edge) => said.push(("input", edge, "the size of its images")),
            None => doubts.push(format!(
                "says {key} = {value} of its images, which is no square and not read: say their size (--input-size, or \
                 in the page under Model)"
            )),
        }
    }
    said
}

/// What it says of the network that its tensors do not show.
fn of_network(file: &Object, doubts: &mut Vec<String>) -> Vec<Said> {
    let arguments = match file.get("model_args") {
        Some(Value::Object(arguments)) => arguments,
        _ => &Object::new(),
    };
    let word = |key: &str| {
        let value = given(arguments, key).or_else(|| given(file, key))?;
        Some(
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
        )
    };
    let mut said = Vec::new();
    let name = word("architecture");
    let swish = name
        .as_ref()
        .is_some_and(|name| name.contains("efficientnet"));
    said.extend(name.map(|name| (NAMED, name, "its network's name")));
    let pool = word("global_pool").filter(|pool| !["", "avg", "fast"].contains(&pool.as_str()));
    said.extend(pool.map(|pool| ("global_pool", pool, "how it pools")));
    let usual = |act: &str| {
        let act = act.rsplit('.').next().unwrap_or(act).to_ascii_lowercase();
        if swish {
            matches!(&*act, "silu" | "swish")
        } else {
            act == "relu"
        }
    };
    let act = ["act_layer", "hidden_act"].iter().find_map(|key| word(key));
    said.extend(
        act.filter(|act| !usual(act))
            .map(|act| ("act_layer", act, "its activation")),
    );
    let is_set = |key: &str| file.get(key) == Some(&Value::Bool(true));
    // Then a block has its stride where Caffe has it.
    if is_set("downsample_in_bottleneck") {
        said.push(("style", "caffe".to_owned(), "where its strides are"));
    }
    if is_set("downsample_in_first_stage") {
        doubts.push(
            "says downsample_in_first_stage, a stride that the network here has not: its answers are wrong then".into(),
        );
    }
    if word("problem_type").is_some_and(|kind| kind == "multi_label_classification") {
        doubts.push(
            "says that an image may have several labels (multi_label_classification): the probabilities here are a \
             softmax's, as if it had one, and wrong for such a model; the order of the classes stays"
                .into(),
        );
    }
    let others: Vec<String> = OTHERWISE
        .iter()
        .filter_map(|key| Some(format!("{key} = {}", given(arguments, key)?)))
        .collect();
    if !others.is_empty() {
        doubts.push(format!(
            "says that the network was built with {}, by which it may compute otherwise than the one here; then its \
             answers are wrong",
            others.join(", ")
        ));
    }
    said
}

/// Arguments of timm's models that change what is computed and leave the tensors' shapes as they are.
const OTHERWISE: [&str; 8] = [
    "output_stride",
    "norm_layer",
    "norm_act_layer",
    "aa_layer",
    "pad_type",
    "bn_eps",
    "replace_stem_pool",
    "block_args",
];

/// The value under this key, unless there is none in it.
fn given<'a>(file: &'a Object, key: &str) -> Option<&'a Value> {
    file.get(key).filter(|value| !value.is_null())
}

/// The names of the outputs. transformers writes `LABEL_0` ... where it knows none.
fn names(file: &Object, outputs: Option<usize>) -> Option<Vec<String>> {
    let lists = ["id2label", "label2id", "label_names"];
    let lists = lists
        .iter()
        .filter_map(|key| Some((key.to_string(), file.get(*key)?.to_string())));
    let lists = outputs::of_metadata(&lists.collect::<BTreeMap<_, _>>());
    let (names, _) = outputs::choose(lists, outputs);
    names.filter(|names| !names.iter().all(|name| name.starts_with("LABEL_")))
}

/// Mean and deviation of images whose samples go from 0 to 1, as all here are: `(p * factor - mean) / std` of samples
/// from 0 to 255 is the same with both divided by `255 * factor`.
///
/// # Errors
/// What the file says that cannot be had so, to follow "says of its images".
fn normalization(images: &Object) -> Result<Option<MeanStd>, String> {
    let triple = |keys: [&str; 2]| {
        let value = keys
            .iter()
            .find_map(|key| Some((*key, given(images, key)?)));
        value
            .map(|(key, value)| numbers(value).ok_or_else(|| format!("{key} = {value}")))
            .transpose()
    };
    let (mean, std) = (
        triple(["image_mean", "mean"])?,
        triple(["image_std", "std"])?,
    );
    let flag = |key: &str| images.get(key).and_then(Value::as_bool);
    for key in ["rescale_offset", "include_top"] {
        if flag(key) == Some(true) {
            return Err(format!("{key} = true"));
        }
    }
    let plain = flag("do_normalize") == Some(false);
    let (mean, std) = match (mean, std) {
        _ if plain && images.contains_key("image_mean") => ([0.0; 3], [1.0; 3]),
        (Some(mean), Some(std)) => (mean, std),
        (None, None) => return Ok(None),
        (Some(_), None) => return Err("a mean without a deviation".into()),
        (None, Some(_)) => return Err("a deviation without a mean".into()),
    };
    let factor = given(images, "rescale_factor").and_then(Value::as_f64);
    let (factor, said) = match (flag("do_rescale"), factor) {
        (Some(false), _) => (1.0, "do_rescale = false".to_owned()),
        (_, Some(factor)) => (factor, format!("rescale_factor = {factor}")),
        (_, None) => return Ok(Some([mean, std])),
    };
    let scale = 255.0 * factor;
    // 1 / 255 is written with more or fewer digits.
    if (scale - 1.0).abs() < 1e-4 {
        return Ok(Some([mean, std]));
    }
    let [mean, std] = [mean, std].map(|triple| triple.map(|n| rounded(n / scale)));
    // Means of 0..1 and samples to 255 do not go together: then the scaling is somewhere else.
    let sound = mean.iter().all(|n| (0.0..=1.0).contains(n))
        && std.iter().all(|n| (0.05..=1.0).contains(n));
    sound.then_some(Some([mean, std])).ok_or(said)
}

/// Three numbers, or one for all.
fn numbers(value: &Value) -> Option<[f64; 3]> {
    match value {
        Value::Array(list) => {
            let numbers = list.iter().map(Value::as_f64);
            numbers.collect::<Option<Vec<_>>>()?.try_into().ok()
        }
        one => one.as_f64().map(|n| [n; 3]),
    }
}

/// The edge of a square image: a number, `[H, W]`, `[3, H, W]`, or a dict of them.
fn edge(value: &Value) -> Option<String> {
    let edge = match value {
        Value::Array(list) => match &list[..] {
            [edge] => edge,
            [height, width] | [_, height, width] if height == width => height,
            _ => return None,
        },
        Value::Object(sides) => match (sides.get("height"), sides.get("width")) {
            (Some(height), Some(width)) if height == width => height,
            (None, None) => sides.get("shortest_edge")?,
            _ => return None,
        },
        edge => edge,
    };
    edge.as_u64().map(|edge| edge.to_string())
}
