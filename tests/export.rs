//! Saved checkpoints: what is written is read back, by this crate and by others, and is the same file for
//! the same model.

#![cfg(feature = "data")]

use std::collections::BTreeMap;

use retune::weights::{NamedTensor, SaveAs, load_state, read, save};

fn sample() -> (Vec<NamedTensor>, BTreeMap<String, String>) {
    let tensors = vec![
        (
            "head.0.weight".into(),
            vec![2, 3],
            vec![0.1, -0.2, 65504.0, 6e-8, 0.0, 1.0],
        ),
        ("head.0.bias".into(), vec![2], vec![-1.5, 3.25]),
    ];
    let metadata = [("classes", "a,b"), ("arch", "resnet18"), ("size", "150")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    (tensors, metadata.into())
}

#[test]
fn what_is_saved_is_read_back() {
    let (tensors, metadata) = sample();
    let names: Vec<_> = tensors.iter().map(|t| (t.0.clone(), t.1.clone())).collect();

    let file = save(&tensors, &metadata, SaveAs::F32).unwrap();
    let back = read("saved", &file).unwrap();
    assert_eq!(back.metadata, metadata);
    assert_eq!(load_state(back, &names).unwrap(), tensors);

    let back = read("saved", &save(&tensors, &metadata, SaveAs::F16).unwrap()).unwrap();
    for ((name, _, data), (_, _, exact)) in load_state(back, &names).unwrap().iter().zip(&tensors) {
        for (value, exact) in data.iter().zip(exact) {
            // Half a unit in the last of eleven bits; below 2^-14, of the smallest subnormal.
            let tolerance = (exact.abs() / 2048.0).max(2f32.powi(-25));
            assert!(
                (value - exact).abs() <= tolerance,
                "{name}: {value} for {exact}"
            );
        }
    }
}

#[test]
fn a_saved_file_is_valid_to_the_safetensors_crate_and_always_the_same() {
    let (tensors, metadata) = sample();
    let file = save(&tensors, &metadata, SaveAs::F32).unwrap();
    let parsed = safetensors::SafeTensors::deserialize(&file).unwrap();
    assert_eq!(parsed.tensor("head.0.weight").unwrap().shape(), [2, 3]);
    assert_eq!(
        parsed.tensor("head.0.weight").unwrap().data()[..4],
        0.1f32.to_le_bytes()
    );
    assert_eq!(u64::from_le_bytes(*file.first_chunk().unwrap()) % 8, 0);
    for _ in 0..8 {
        // A new map each time: a hash map would order itself anew.
        let metadata: BTreeMap<_, _> = metadata.clone().into_iter().collect();
        assert_eq!(save(&tensors, &metadata, SaveAs::F32).unwrap(), file);
    }
}

#[test]
fn what_could_not_be_read_back_is_not_saved() {
    let none = BTreeMap::new();
    let cases: [(&str, Vec<usize>, Vec<f32>, SaveAs); 3] = [
        (
            "element 1 is NaN",
            vec![2],
            vec![0.0, f32::NAN],
            SaveAs::F32,
        ),
        ("beyond float16", vec![2], vec![1.0, 65520.0], SaveAs::F16),
        (
            "3 values for shape [2, 2]",
            vec![2, 2],
            vec![0.0; 3],
            SaveAs::F32,
        ),
    ];
    for (words, shape, data, dtype) in cases {
        let error = save(&[("head.bias".into(), shape, data)], &none, dtype)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("head.bias") && error.contains(words),
            "{error}"
        );
    }
    let twice = [
        ("w".into(), vec![1], vec![0.0]),
        ("w".into(), vec![1], vec![1.0]),
    ];
    assert!(
        save(&twice, &none, SaveAs::F32)
            .unwrap_err()
            .to_string()
            .contains("twice")
    );
}
