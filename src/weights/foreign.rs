//! Files that people take for a checkpoint, told by content, each with what to do instead.

use crate::config::Arch;

/// What PyTorch saves that is read here.
macro_rules! save {
    () => {
        "in Python: torch.save(model.state_dict(), 'weights.pth')"
    };
}

/// Why a `TorchScript` archive is not read.
pub(super) const TORCHSCRIPT: &str = "is a TorchScript program, which is not run; in Python: \
     torch.save(torch.jit.load('FILE').state_dict(), 'weights.pth')";

/// Why a state dict that was not saved by PyTorch is not read.
pub(super) const DUMPED: &str = "was written by pickle.dump, which packs each tensor as a program; in Python: \
     torch.save(pickle.load(open('FILE', 'rb')), 'weights.pth')";

/// Whether a pickle holds tensors as `pickle.dump` packs them.
pub(super) fn is_dumped(bytes: &[u8]) -> bool {
    const LOADER: &[u8] = b"_load_from_bytes";
    let head = &bytes[..bytes.len().min(1 << 16)];
    head.windows(LOADER.len()).any(|window| window == LOADER)
}

/// What is told by the end of a file's name, where its bytes say too little: protobuf messages begin alike.
fn by_name(file: &str) -> Option<&'static str> {
    const OTHERS: [(&str, &str); 8] = [
        (
            ".pb",
            "is a TensorFlow model, and PyTorch's weights are read (.safetensors, .pth); export those",
        ),
        (
            ".mlmodel",
            "is a Core ML model, and PyTorch's weights are read (.safetensors, .pth); use those it was made from",
        ),
        (
            ".caffemodel",
            "is a Caffe model, and PyTorch's weights are read (.safetensors, .pth); convert it first",
        ),
        (".msgpack", FLAX),
        (
            ".index",
            "is part of a TensorFlow checkpoint, and PyTorch's weights are read (.safetensors, .pth); export those",
        ),
        (".pte", EXECUTORCH),
        (".engine", TENSORRT),
        (".plan", TENSORRT),
    ];
    let file = file.to_ascii_lowercase();
    let known = OTHERS.iter().find(|(end, _)| file.ends_with(end));
    known.map(|(_, sentence)| *sentence)
}

const FLAX: &str = "is a Flax model (msgpack), and PyTorch's weights are read; in Python, load it by from_pretrained(..., \
     from_flax=True) and save that: torch.save(model.state_dict(), 'weights.pth')";
const EXECUTORCH: &str = concat!(
    "is an ExecuTorch program, which is not run; save the network that it was made from, ",
    save!()
);
const TENSORRT: &str = concat!(
    "is a TensorRT engine, which is not run; save the network that it was made from, ",
    save!()
);

/// Parts of the names of tensors that no network read here has, and whose they are.
const NETWORKS: [(&str, &str); 16] = [
    ("relative_position_bias_table", "a Swin Transformer"),
    ("cls_token", "a Vision Transformer"),
    ("class_token", "a Vision Transformer"),
    ("pos_embed", "a Vision Transformer"),
    ("Mixed_5b.", "an Inception"),
    ("inception3a.", "a GoogLeNet"),
    (".expand1x1.", "a SqueezeNet"),
    ("stage2.0.branch", "a ShuffleNet"),
    ("trunk_output.", "a RegNet"),
    ("layer_scale", "a ConvNeXt"),
    (".blocks.0.gamma", "a ConvNeXt"),
    ("layers.8.0.layers.", "an MNASNet"),
    ("features.1.conv.0.", "a MobileNetV2"),
    ("features.1.block.", "a MobileNetV3"),
    ("classifier.6.weight", "a VGG or an AlexNet"),
    ("grid_attn", "a MaxViT"),
];

/// Which network that is not read here has tensors of these names, as far as it is known.
pub(super) fn network<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<&'static str> {
    let has = |part: &str| names.clone().any(|name| name.contains(part));
    NETWORKS
        .iter()
        .find(|(part, _)| has(part))
        .map(|(_, whose)| *whose)
}

/// That a file is another network, to follow its name.
pub(super) fn is_another(whose: Option<&str>) -> String {
    let whose = whose.map_or_else(String::new, |whose| format!(" ({whose})"));
    let known: Vec<&str> = Arch::ALL.iter().map(|arch| arch.name()).collect();
    format!(
        "is another network{whose} than those that are read: {}",
        known.join(", ")
    )
}

/// The sentence for a file that is no checkpoint, to follow its name; none if it may be one.
pub(super) fn explain(file: &str, bytes: &[u8]) -> Option<&'static str> {
    const HDF5: &str = "is a Keras or HDF5 model, and PyTorch's weights are read; load the same network in PyTorch and \
                        save that: torch.save(model.state_dict(), 'weights.pth')";
    let starts: [(&[u8], &str); 13] = [
        (b"\x89HDF\r\n\x1a\n", HDF5),
        (
            b"version https://git-lfs",
            "is a Git LFS pointer, not the file itself; fetch that: git lfs pull",
        ),
        (
            b"\x93NUMPY",
            concat!("is an array of NumPy, not a checkpoint; ", save!()),
        ),
        (
            b"GGUF",
            "is a language model (GGUF); image networks of PyTorch are read",
        ),
        (b"Rar!", "is a RAR archive; unpack it first"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive; unpack it first"),
        (
            b"\x1f\x8b",
            "is packed by gzip; unpack it first: gunzip FILE",
        ),
        (b"BZh", "is packed by bzip2; unpack it first: bunzip2 FILE"),
        (b"\xfd7zXZ\0", "is packed by xz; unpack it first: unxz FILE"),
        (
            b"\x28\xb5\x2f\xfd",
            "is packed by Zstandard; unpack it first",
        ),
        (b"%PDF", "is a PDF, not a checkpoint"),
        (b"\xff\xd8\xff", "is a JPEG image, not a checkpoint"),
        (b"\x89PNG", "is a PNG image, not a checkpoint"),
    ];
    if let Some((_, sentence)) = starts.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(sentence);
    }
    if bytes.is_empty() {
        return Some("is empty");
    }
    if bytes.get(4..8) == Some(b"TFL3") {
        return Some(
            "is a TensorFlow Lite model, and PyTorch's weights are read (.safetensors, .pth); export those",
        );
    }
    if bytes.get(4..8) == Some(b"ET12") {
        return Some(EXECUTORCH);
    }
    if bytes.starts_with(b"ptrt") {
        return Some(TENSORRT);
    }
    if let Some(sentence) = by_name(file) {
        return Some(sentence);
    }
    if is_flax(bytes) {
        return Some(FLAX);
    }
    if is_onnx(bytes) {
        return Some(concat!(
            "is an ONNX graph, which is not read; save the network that it was exported from, ",
            save!()
        ));
    }
    // Protocols 0 and 1, which say no number: a class, or a dict.
    if is_dumped(bytes) {
        return Some(DUMPED);
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let has = |words: &[u8]| {
        text[..text.len().min(1 << 12)]
            .windows(words.len())
            .any(|window| window == words)
    };
    if (text.starts_with(b"<?xml") && has(b"<Error"))
        || (text.starts_with(b"{") && has(b"\"error\""))
    {
        return Some(
            "is what a server answered in place of the file, an error: download it again, in a browser",
        );
    }
    if text.trim_ascii_start().starts_with(b"<") {
        return Some(
            "is a web page, not a checkpoint: the download needed a login or a confirmation; open its address in \
             a browser",
        );
    }
    if text.starts_with(b"{") && text.windows(12).any(|window| window == b"\"weight_map\"") {
        return Some(
            "is the list of a checkpoint in several files, which is not read; in Python, load the model and save it in \
             one: torch.save(model.state_dict(), 'weights.pth')",
        );
    }
    if text.starts_with(b"{") {
        return Some("is JSON, not a checkpoint: a description without the weights");
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(explain_tar(bytes));
    }
    is_text(text).then_some(
        "is plain text, neither a safetensors file nor a PyTorch checkpoint: if it was downloaded, a server may have \
         answered with a message in its place",
    )
}

/// What a tar is: PyTorch's own old format has an entry of one of these names first.
fn explain_tar(bytes: &[u8]) -> &'static str {
    const OLD: [&[u8]; 4] = [b"sys_info", b"pickle", b"storages", b"tensors"];
    let name = bytes.split(|b| *b == 0).next().unwrap_or(bytes);
    let name = name.strip_prefix(b"./").unwrap_or(name);
    if name.is_empty() || OLD.contains(&name) {
        "is in PyTorch's tar format from before version 0.2; load it in PyTorch and save its state_dict again"
    } else {
        "is a tar archive; unpack it first (tar -xf FILE) and give the checkpoint in it"
    }
}

/// Whether a file begins as text does: letters, and no byte that text has not.
fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(512)];
    let printable = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | b' '..=b'~') || *b >= 0x80;
    std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true)
        && head.iter().all(printable)
}

/// Whether it is a map of `MessagePack` with text as its first key.
fn is_flax(bytes: &[u8]) -> bool {
    match bytes {
        [0x81..=0x8f, length @ 0xa1..=0xbf, key @ ..] => {
            let key = key.get(..usize::from(length - 0xa0));
            key.is_some_and(|key| key.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_'))
        }
        _ => false,
    }
}

/// What a zip without a pickle of `torch.save` is, by the names of its entries.
pub(super) fn explain_zip<'a>(names: impl Iterator<Item = &'a str> + Clone) -> &'static str {
    let has = |wanted: fn(&str) -> bool| names.clone().any(wanted);
    if has(|name| name.ends_with("model.weights.h5") || name == "config.json") {
        "is a Keras model, and PyTorch's weights are read; load the same network in PyTorch and save that: \
         torch.save(model.state_dict(), 'weights.pth')"
    } else if has(|name| name.ends_with(".npy")) {
        concat!("is an archive of NumPy arrays, not a checkpoint; ", save!())
    } else if has(|name| {
        let name = name.to_ascii_lowercase();
        [".pth", ".pt", ".safetensors", ".ckpt"]
            .iter()
            .any(|e| name.ends_with(e))
    }) {
        "is a zip archive with a checkpoint in it; unpack it first"
    } else {
        concat!(
            "is a zip archive without data.pkl: no checkpoint of torch.save; ",
            save!()
        )
    }
}

/// An ONNX model is a protobuf message: field 1 (a small version number), then the name of its producer, its
/// opset or its graph.
fn is_onnx(bytes: &[u8]) -> bool {
    // A TensorFlow model has a message where the producer's name would be.
    let of_tensorflow = matches!(bytes, [0x08, 0x01, 0x12, ..]);
    matches!(bytes, [0x08, version, 0x12 | 0x1a | 0x3a | 0x42, ..] if *version < 0x20)
        && !of_tensorflow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_named() {
        let tar = |name: &str| {
            let mut tar = vec![0; 512];
            tar[..name.len()].copy_from_slice(name.as_bytes());
            tar[257..262].copy_from_slice(b"ustar");
            tar
        };
        for (file, bytes, words) in [
            ("a.pth.tar", tar("best/model.pth"), "unpack it first"),
            ("a.pth.tar", tar("./storages"), "before version 0.2"),
            (
                "saved_model.pb",
                b"\x08\x01\x12\x9a\x05\x0a".to_vec(),
                "TensorFlow",
            ),
            ("a.mlmodel", b"\x08\x04\x12\x05hello".to_vec(), "Core ML"),
            ("a.onnx", b"\x08\x07\x12\x07pytorch".to_vec(), "ONNX"),
            ("a.caffemodel", b"\x0a\x06ResNet".to_vec(), "Caffe"),
            ("a.bin", b"\x84\xa6params\x81".to_vec(), "Flax"),
            ("a.bin", b"\x1c\0\0\0ET12".to_vec(), "ExecuTorch"),
            ("a.bin", b"ptrt\0\0".to_vec(), "TensorRT"),
            ("a.pth", b"Entry not found".to_vec(), "plain text"),
            ("a.pth", b"import torch\nmodel = 1\n".to_vec(), "plain text"),
            (
                "a.pth",
                b"{\"error\":\"Repository not found\"}".to_vec(),
                "a server answered",
            ),
            (
                "a.pth",
                b"<?xml version=\"1.0\"?><Error>".to_vec(),
                "a server answered",
            ),
            ("a.pth", b"\n <html>".to_vec(), "web page"),
        ] {
            let said = explain(file, &bytes).unwrap_or_default();
            assert!(said.contains(words), "{file} {words}: {said}");
        }
        assert_eq!(explain("a.pth", b"\0\0\0\0"), None);
    }

    #[test]
    fn other_networks_are_known_by_the_names_of_their_tensors() {
        for (name, whose) in [
            ("features.1.0.attn.relative_position_bias_table", "Swin"),
            ("classifier.6.weight", "VGG"),
            ("features.1.conv.0.0.weight", "MobileNetV2"),
        ] {
            assert!(
                network([name].into_iter()).is_some_and(|n| n.contains(whose)),
                "{name}"
            );
        }
        let ours = [
            "layer1.0.conv1.weight",
            "features.1.0.block.0.0.weight",
            "classifier.1.weight",
        ];
        assert_eq!(network(ours.into_iter()), None);
    }
}
