//! What a folder of the Hugging Face hub says of a checkpoint in files of its own: `config.json` (names of the outputs,
//! the network) and `preprocessor_config.json` (how images are prepared). Keys of transformers
//! (`models/resnet/configuration_resnet.py`, `image_processing_utils.py`) and of timm (`models/_hub.py`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::checkpoint::{Checkpoint, NAMED};
use super::outputs;

/// Largest of them: that of ImageNet-22k has two megabytes of names.
pub const MAX_BYTES: u64 = 8 << 20;

/// Adds what such a file says and the checkpoint itself does not, and a sentence about it. What is no JSON, or of another
/// program, says nothing.
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
    if checkpoint.classes.is_none()
        && let Some(names) = names(&file, checkpoint.outputs())
    {
        checkpoint.classes = Some(names);
        read.push("what its outputs are called");
    }
    let mut note = |key: &str, value: Option<String>, what: &'static str| {
        if let Some(value) = value
            && !checkpoint.metadata.contains_key(key)
        {
            checkpoint.metadata.insert(key.to_owned(), value);
            read.push(what);
        }
    };
    // timm keeps what it says of images in a dict of their own.
    let images = match file.get("pretrained_cfg") {
        Some(Value::Object(images)) => images,
        _ => &file,
    };
    let plain = images.get("do_normalize") == Some(&Value::Bool(false));
    let triple = |keys: [&str; 2], plain_value: &str| {
        let given = keys.iter().find_map(|key| numbers(images.get(*key)?));
        if plain && images.contains_key(keys[0]) {
            return Some(plain_value.to_owned());
        }
        given
    };
    let mean = triple(["image_mean", "mean"], "0,0,0");
    let std = triple(["image_std", "std"], "1,1,1");
    if mean.is_some() && std.is_some() {
        note("mean", mean, "the mean of its images");
        note("std", std, "their deviation");
    }
    let size = ["crop_size", "size", "input_size"];
    let size = size.iter().find_map(|key| edge(images.get(*key)?));
    note("input", size, "the size of its images");
    let word = |key: &str| file.get(key)?.as_str().map(str::to_owned);
    note(NAMED, word("architecture"), "its network's name");
    let act = word("hidden_act").filter(|act| act != "relu");
    note("act_layer", act, "its activation");
    // Then a block has its stride where Caffe has it.
    let caffe = file.get("downsample_in_bottleneck") == Some(&Value::Bool(true));
    note(
        "style",
        caffe.then(|| "caffe".to_owned()),
        "where its strides are",
    );
    if !read.is_empty() {
        let sentence = format!(
            "{}: read from {name} beside it: {}.",
            checkpoint.file,
            read.join(", ")
        );
        checkpoint.warnings.push(sentence);
    }
}

/// The names of the outputs. transformers writes `LABEL_0` ... where it knows none.
fn names(file: &serde_json::Map<String, Value>, outputs: Option<usize>) -> Option<Vec<String>> {
    let lists = ["id2label", "label2id", "label_names"];
    let lists = lists
        .iter()
        .filter_map(|key| Some((key.to_string(), file.get(*key)?.to_string())));
    let lists = outputs::of_metadata(&lists.collect::<BTreeMap<_, _>>());
    let (names, _) = outputs::choose(lists, outputs);
    names.filter(|names| !names.iter().all(|name| name.starts_with("LABEL_")))
}

/// Three numbers as the metadata has them.
fn numbers(value: &Value) -> Option<String> {
    let numbers = value.as_array().filter(|list| list.len() == 3)?;
    let numbers = numbers.iter().map(|n| n.as_f64().map(|n| n.to_string()));
    Some(numbers.collect::<Option<Vec<_>>>()?.join(","))
}

/// The edge of an image: a number, `[3, H, W]`, or a dict of one.
fn edge(value: &Value) -> Option<String> {
    let edge = match value {
        Value::Array(list) => list.last()?,
        Value::Object(sides) => {
            let mut sides = ["height", "shortest_edge"]
                .iter()
                .filter_map(|key| sides.get(*key));
            sides.next()?
        }
        edge => edge,
    };
    edge.as_u64().map(|edge| edge.to_string())
}
