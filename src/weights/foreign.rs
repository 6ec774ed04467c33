//! Files that people take for a checkpoint, told by content, each with what to do instead.

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

/// The sentence for a file that is no checkpoint, to follow its name; none if it may be one.
pub(super) fn explain(bytes: &[u8]) -> Option<&'static str> {
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
    (bytes.get(257..262) == Some(b"ustar")).then_some(
        "is in PyTorch's tar format from before version 0.2; load it in PyTorch and save its state_dict again",
    )
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
    matches!(bytes, [0x08, version, 0x12 | 0x1a | 0x3a | 0x42, ..] if *version < 0x20)
}
