//! Archives of torch.save made by hand, as a hostile writer would: every claim of a tensor is compared
//! with the storage that is there, and small files do not become large in memory.

#![cfg(feature = "data")]

use std::io::{Cursor, Write};

use retune::weights::{Checkpoint, read};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A pickle under construction.
#[derive(Default)]
struct Pickle(Vec<u8>);

impl Pickle {
    fn op(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.op(b"X")
            .op(&(text.len() as u32).to_le_bytes())
            .op(text.as_bytes())
    }

    fn int(self, n: i64) -> Self {
        self.op(&[0x8a, 8]).op(&n.to_le_bytes())
    }

    fn tuple(self, ints: &[i64]) -> Self {
        ints.iter().fold(self.op(b"("), |p, n| p.int(*n)).op(b"t")
    }

    /// A tensor on float storage "0" of `stored` elements.
    fn tensor(self, stored: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Self {
        self.op(b"ctorch._utils\n_rebuild_tensor_v2\n((")
            .text("storage")
            .op(b"ctorch\nFloatStorage\n")
            .text("0")
            .text("cpu")
            .int(stored)
            .op(b"tQ")
            .int(offset)
            .tuple(shape)
            .tuple(strides)
            .op(b"\x89}tR")
    }
}

/// The pickle of `{"w": tensor}`.
fn one(stored: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let dict = Pickle::default().op(b"\x80\x02}").text("w");
    dict.tensor(stored, offset, shape, strides).op(b"s.").0
}

fn archive(pickle: &[u8], storage: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in [("a/data.pkl", pickle), ("a/data/0", storage)] {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn open(pickle: &[u8], elements: usize) -> Result<Checkpoint, String> {
    let storage: Vec<u8> = (0..elements)
        .flat_map(|i| (i as f32).to_le_bytes())
        .collect();
    let file = archive(pickle, &storage, CompressionMethod::Stored);
    read("made.pth", &file).map_err(|e| e.to_string())
}

fn assert_refused(pickle: &[u8], elements: usize, words: &str) {
    match open(pickle, elements) {
        Ok(found) => panic!("read: {found:?}"),
        Err(text) => assert!(text.contains(words), "{words:?} is not in {text:?}"),
    }
}

#[test]
fn a_tensor_within_its_storage_is_read() {
    let found = open(&one(6, 1, &[2, 2], &[3, 1]), 6).unwrap();
    assert_eq!(found.tensors["w"].data, [1.0, 2.0, 4.0, 5.0]);
    // The stride of a dimension of size 1 is never used.
    let found = open(&one(6, 1, &[1, 2], &[i64::MAX, 3]), 6).unwrap();
    assert_eq!(found.tensors["w"].data, [1.0, 4.0]);
}

#[test]
fn a_tensor_outside_its_storage_is_refused_by_name() {
    // The same as above, one further: element 6 of 6.
    assert_refused(
        &one(6, 2, &[2, 2], &[3, 1]),
        6,
        "tensor w: shape [2, 2] with strides [3, 1] from 2",
    );
    assert_refused(&one(6, 6, &[1], &[1]), 6, "tensor w");
    assert_refused(&one(6, i64::MAX, &[2], &[i64::MAX]), 6, "tensor w");
    assert_refused(&one(6, 0, &[i64::MAX, i64::MAX], &[1, 1]), 6, "values");
    assert_refused(&one(6, -1, &[1], &[1]), 6, "-1");
    assert_refused(&one(6, 0, &[1], &[-1]), 6, "-1");
    assert_refused(&one(6, 0, &[1, 1], &[1]), 6, "sizes than strides");
    // More elements claimed than stored, and fewer.
    assert_refused(&one(7, 0, &[7], &[1]), 6, "tensor w: 7 elements declared");
    assert_refused(&one(5, 0, &[5], &[1]), 6, "tensor w: 5 elements declared");
}

#[test]
fn small_files_do_not_become_large() {
    // One element repeated a billion times over by strides of zero is no network's, and never laid out.
    assert_refused(&one(6, 0, &[1 << 30], &[0]), 6, "no floating-point tensors");
    assert_refused(
        &one(6, 0, &[1 << 20], &[1]),
        6,
        "more values than its storage",
    );
    assert_refused(&one(6, 0, &[1; 9], &[1; 9]), 6, "9 dimensions");
    // The same storage under very many names.
    let mut many = Pickle::default().op(b"\x80\x02}(");
    many = many
        .text("w0")
        .tensor(1 << 16, 0, &[1 << 16], &[1])
        .op(b"q\x01");
    for i in 1..=1 << 12 {
        many = many.text(&format!("w{i}")).op(b"h\x01");
    }
    assert_refused(&many.op(b"u.").0, 1 << 16, "values");
    // The same call again and again, five bytes each.
    let mut calls = Pickle::default().op(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x02");
    calls = calls
        .op(b"((")
        .text("storage")
        .op(b"ctorch\nFloatStorage\n")
        .text("0")
        .text("cpu")
        .int(6)
        .op(b"tQ")
        .int(0)
        .tuple(&[6])
        .tuple(&[1])
        .op(b"\x89}tq\x03R");
    for _ in 0..1 << 16 {
        calls = calls.op(b"h\x02h\x03R");
    }
    assert_refused(&calls.op(b".").0, 6, "more than 65536 tensors");
    let long = Pickle::default().op(b"\x80\x02}").text(&"w".repeat(300));
    assert_refused(&long.tensor(6, 0, &[6], &[1]).op(b"s.").0, 6, "300 bytes");
}

#[test]
fn what_is_no_state_dict_is_refused() {
    let start = || Pickle::default().op(b"\x80\x02");
    assert_refused(
        &start().tensor(6, 0, &[6], &[1]).op(b".").0,
        6,
        "holds a tensor, and no tensors under names",
    );
    assert_refused(
        &start().op(b"}").text("lr").int(3).op(b"s.").0,
        6,
        "holds a dict, and no tensors under names",
    );
    assert_refused(&start().op(b".").0, 6, "more than it has put down");
    assert_refused(&start().op(b"}u.").0, 6, "closes what it has not opened");
    assert_refused(&start().op(b"}(K\x01u.").0, 6, "key without a value");
    assert_refused(&start().op(b"h\x07.").0, 6, "not stored");
    assert_refused(
        &start().op(b"ccollections\nOrderedDict\n(K\x01tR.").0,
        6,
        "other arguments",
    );
    assert_refused(&start().op(b"K\x01)R.").0, 6, "calls an int");
    assert_refused(&start().op(b"K\x01}b.").0, 6, "the state a dict");
    assert_refused(&start().op(b"\x81.").0, 6, "more than it has put down");
    // Extensions are a registry of Python's, buffers lie outside the pickle.
    assert_refused(&start().op(b"\x82\x01.").0, 6, "operation 0x82");
    assert_refused(&start().op(b"\x97.").0, 6, "operation 0x97");
    // A dict within itself ends like any other.
    let within = start().op(b"}q\x01").text("w").op(b"h\x01s.").0;
    assert_refused(&within, 6, "no tensors under names");
}

#[test]
fn every_way_to_ask_for_what_runs_code_is_refused() {
    let start = || Pickle::default().op(b"\x80\x02}").text("w");
    let tensor = |p: Pickle| p.tensor(6, 0, &[6], &[1]).op(b"s");
    for hostile in [
        &b"cos\nsystem\n)R0."[..],
        b"(cos\nsystem\no0.",
        b"(ios\nsystem\n0.",
        b"cbuiltins\neval\n)\x81.",
        b"X\x02\0\0\0osX\x06\0\0\0system\x93)R.",
        b"c__builtin__\ncompile\n.",
        // A name of several parts: an attribute of an attribute.
        b"\x8c\x05torch\x8c\x17serialization.os.system\x93.",
        b"ctorch.hub\nload\n.",
        // The same step by step, by a function that most would call harmless.
        b"cbuiltins\ngetattr\nctorch\nserialization\nX\x02\0\0\0os\x86R.",
        b"c__builtin__\ngetattr\nctorch\nnn\nX\x0b\0\0\0__globals__\x86R.",
        b"cbuiltins\ngetattr\nctorch\nnn\nK\x01\x86R.",
        b"ctorch.serialization\nos\n.",
    ] {
        // Before the tensors, so that nothing is read of the file.
        let before = Pickle::default()
            .op(b"\x80\x02")
            .op(&hostile[..hostile.len() - 1]);
        let pickle = tensor(before.op(b"}").text("w")).op(b".").0;
        assert_refused(&pickle, 6, "Nothing of it was executed");
        let after = tensor(start()).op(hostile).0;
        assert_refused(&after, 6, "Nothing of it was executed");
    }
}

#[test]
fn objects_beside_the_weights_are_inert() {
    let inert: [&[u8]; 10] = [
        // A member of an enum.
        b"cbuiltins\ngetattr\nc__main__\nColour\nX\x03\0\0\0RED\x86R",
        b"c_codecs\nencode\nX\x01\0\0\0aX\x06\0\0\0latin1\x86R",
        b"cargparse\nNamespace\n)\x81}X\x02\0\0\0lrG?\xb9\x99\x99\x99\x99\x99\x9asb",
        b"ccollections\nCounter\n}K\x01K\x02s\x85R",
        b"ccollections\ndefaultdict\nc__builtin__\nlist\n\x85R",
        b"cpathlib\nPosixPath\nX\x04\0\0\0data\x85R",
        b"ctorch\ndevice\nX\x03\0\0\0cpu\x85R",
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\nX\x02\0\0\0f8K\0K\x01\x87RU\x08\0\0\0\0\0\0\xf0?tR",
        b"\x8f(X\x05\0\0\0conv1\x90",
        b"(I01\nF0.5\nS'text'\nL12L\nl",
    ];
    for object in inert {
        let dict = Pickle::default()
            .op(b"\x80\x02}")
            .text("args")
            .op(object)
            .op(b"s");
        let dict = dict.text("state_dict").op(b"}").text("w");
        let pickle = dict.tensor(6, 0, &[6], &[1]).op(b"ss.").0;
        let found = open(&pickle, 6).unwrap_or_else(|e| panic!("{e}: {object:?}"));
        assert_eq!(found.tensors["w"].data, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}

#[test]
fn names_of_the_outputs_are_found_beside_the_weights() {
    let of = |key: &str, value: &[u8]| {
        let dict = Pickle::default()
            .op(b"\x80\x02}")
            .text(key)
            .op(value)
            .op(b"s");
        let pickle = dict.text("w").tensor(6, 0, &[6], &[1]).op(b"s.").0;
        open(&pickle, 6).unwrap().classes
    };
    let wanted = Some(vec!["a".to_string(), "b".to_string()]);
    let (a, b) = (b"X\x01\0\0\0a", b"X\x01\0\0\0b");
    assert_eq!(of("classes", &[&b"]("[..], a, b, b"e"].concat()), wanted);
    let idx = [&b"}("[..], b, b"K\x01", a, b"K\0u"].concat();
    assert_eq!(of("class_to_idx", &idx), wanted);
    assert_eq!(
        of(
            "idx_to_class",
            &[&b"}(K\x01"[..], b, b"K\0", a, b"u"].concat()
        ),
        wanted
    );
    // A number of classes is no list of names, and a gap is no list of outputs.
    assert_eq!(of("classes", b"K\x06"), None);
    assert_eq!(
        of("class_to_idx", &[&b"}"[..], b, b"K\x01s"].concat()),
        None
    );
}

#[test]
fn the_archive_itself_is_checked() {
    let pickle = one(6, 0, &[6], &[1]);
    let text = |file: &[u8]| read("made.pth", file).unwrap_err().to_string();
    // Unpacked and packed again by an archiver.
    let packed = archive(&pickle, &[0; 24], CompressionMethod::Deflated);
    assert_eq!(
        read("made.pth", &packed).unwrap().tensors["w"].data,
        [0.0; 6]
    );
    let large = one(1 << 20, 0, &[1 << 20], &[1]);
    let bomb = archive(&large, &vec![0; 4 << 20], CompressionMethod::Deflated);
    assert!(text(&bomb).contains("64 times"), "{}", text(&bomb));

    let mut damaged = archive(&pickle, &[7; 24], CompressionMethod::Stored);
    let at = damaged.windows(24).position(|w| w == [7; 24]).unwrap();
    damaged[at] = 8;
    assert!(text(&damaged).contains("tensor w"), "{}", text(&damaged));

    let elsewhere: Vec<u8> = (pickle.iter())
        .map(|b| if *b == b'0' { b'9' } else { *b })
        .collect();
    let missing = archive(&elsewhere, &[0; 24], CompressionMethod::Stored);
    assert!(text(&missing).contains("data/9"), "{}", text(&missing));

    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("photo.jpg", SimpleFileOptions::default())
        .unwrap();
    let photos = zip.finish().unwrap().into_inner();
    assert!(
        text(&photos).contains("without data.pkl"),
        "{}",
        text(&photos)
    );
}

#[test]
fn classes_are_called_what_the_file_calls_their_folders() {
    let pair = |pickle: Pickle, key: &str, value: &str| pickle.text(key).text(value).op(b"s");
    let pickle = Pickle::default().op(b"\x80\x02}").text("w");
    let pickle = pickle.tensor(6, 0, &[2, 3], &[3, 1]).op(b"s");
    let pickle = pickle.text("class_to_idx").op(b"}");
    let pickle = pickle.text("1").int(0).op(b"s").text("10").int(1).op(b"ss");
    let pickle = pickle.text("cat_to_name").op(b"}");
    let pickle = pair(pickle, "10", "globe thistle");
    let pickle = pair(pickle, "1", "pink primrose").op(b"s.");
    let wanted = ["pink primrose", "globe thistle"]
        .map(String::from)
        .to_vec();
    assert_eq!(
        open(&pickle.0, 6).map(|found| found.classes),
        Ok(Some(wanted))
    );
}

#[test]
fn lists_and_means_of_something_else_are_not_believed() {
    let of = |place: &str, key: &str, value: Pickle| {
        let pickle = Pickle::default().op(b"\x80\x02}").text("w");
        let pickle = pickle.tensor(6, 0, &[2, 3], &[3, 1]).op(b"s");
        let pickle = pickle
            .text(place)
            .op(b"}")
            .text(key)
            .op(&value.0)
            .op(b"ss.");
        open(&pickle.0, 6).unwrap()
    };
    let list = |names: &[&str]| {
        names
            .iter()
            .fold(Pickle::default().op(b"]("), |p, n| p.text(n))
            .op(b"e")
    };
    let pair = |place| of(place, "names", list(&["a", "b"])).classes.is_some();
    assert!(pair("data") && pair("hyper_parameters"));
    assert!(!pair("optimizer") && !pair("metrics") && !pair("history"));
    assert_eq!(
        of("data", "labels", list(&["a.jpg", "b.jpg"])).classes,
        None
    );

    // Three halves, as text of an OpenMMLab config has them.
    let config =
        "img_norm_cfg = dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_rgb=False)";
    let found = of("meta", "config", Pickle::default().text(config));
    assert_eq!(found.metadata["mean"], "0.5,0.5,0.5");
    let said = found.warnings.join(" ");
    assert!(
        said.contains("blue, green, red") && said.contains("meta.config"),
        "{said}"
    );
    let found = of("history", "config", Pickle::default().text("x"));
    assert_eq!(found.metadata.len(), 0);

    // An array of NumPy beside another: float64, as protocol 2 writes it.
    let array = |n: &str| {
        let bytes: Vec<u8> = [0.5f64; 3].iter().flat_map(|n| n.to_le_bytes()).collect();
        let text: String = bytes.iter().map(|b| char::from(*b)).collect();
        let start = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85c_codecs\nencode\nX\x01\0\0\0bX\x06\0\0\0latin1\x86RtR(K\x01K\x03\x85cnumpy\ndtype\nX\x02\0\0\0f8K\0K\x01\x87R(K\x03X\x01\0\0\0<tb\x89c_codecs\nencode\n";
        let value = Pickle::default()
            .op(start)
            .text(&text)
            .text("latin1")
            .op(b"\x86Rtb");
        Pickle::default().text(n).op(&value.0).op(b"s")
    };
    let pickle = Pickle::default().op(b"\x80\x02}").text("w");
    let pickle = pickle.tensor(6, 0, &[2, 3], &[3, 1]).op(b"s");
    let pickle = pickle.op(&array("mean").0).op(&array("std").0).op(b".");
    let found = open(&pickle.0, 6).unwrap();
    assert_eq!(
        found.metadata.get("mean").map(String::as_str),
        Some("0.5,0.5,0.5")
    );
}
