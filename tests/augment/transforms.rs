//! Each transform against its reference.

use std::collections::BTreeMap;

use retune::config::Edges;
use retune::image::Rgb;
use retune::image::augment::{
    Area, View, add_noise, crop, crop_padded, cutmix, erase, flip_horizontal, flip_vertical,
    grayscale, mixup, rotate, translate,
};

use super::{adjust, area, assert_close, assert_same, assert_tensor, file, floats, json, open};

#[test]
fn flips_are_torchvision_s() {
    let source = open("source");
    let got = flip_horizontal(&source).expect("an image");
    assert_same("flip_horizontal", &got, "flip-horizontal");
    let got = flip_vertical(&source).expect("an image");
    assert_same("flip_vertical", &got, "flip-vertical");
}

#[test]
fn rotation_is_scikit_image_s() {
    let source = open("source");
    for (edges, name) in [
        (Edges::Wrap, "wrap"),
        (Edges::Reflect, "reflect"),
        (Edges::Fill, "fill"),
    ] {
        for degrees in [-7, 45, 163] {
            let name = format!("rotate-{name}-{degrees}");
            let got = rotate(&source, f64::from(degrees), edges).expect("an image");
            assert_same(&name, &got, &name);
        }
        let same = rotate(&source, 0.0, edges).expect("an image");
        assert_close("rotate by nothing", &same, &source, 0, 0.0);
    }
    // 61 x 5 pixels upright again: every pixel comes from up to 28 rows beyond the edge.
    let area = Area {
        x: 0,
        y: 20,
        width: 61,
        height: 5,
    };
    let strip = crop(&source, area).expect("a strip");
    for (edges, name) in [(Edges::Wrap, "wrap"), (Edges::Reflect, "reflect")] {
        let name = format!("rotate-strip-{name}-90");
        let got = rotate(&strip, 90.0, edges).expect("an image");
        assert_same(&name, &got, &name);
    }
}

#[test]
fn shifts_and_padded_crops_are_torchvision_s() {
    let source = open("source");
    for (dx, dy) in [(5, 3), (-8, 11), (30, -23)] {
        let name = format!("translate-{dx}-{dy}");
        let got = translate(&source, dx, dy).expect("an image");
        assert_same(&name, &got, &name);
    }
    let got = crop_padded(&source, 6, 1, 11).expect("an image");
    assert_same("crop_padded", &got, "crop-padded-6-1-11");
    let middle = crop_padded(&source, 6, 6, 6).expect("an image");
    assert_close("crop_padded in the middle", &middle, &source, 0, 0.0);
}

/// `resize` goes down the columns first and Pillow along the rows: one of 255, in the share of values that
/// two roundings in another order make differ.
#[test]
fn crops_resized_are_torchvision_s_to_one_of_255() {
    let source = open("source");
    for (x, y, width, height, size) in [(3, 4, 40, 30, 32), (0, 0, 61, 47, 50), (11, 20, 9, 13, 48)]
    {
        let name = format!("crop-{x}-{y}-{width}-{height}-to-{size}");
        let area = Area {
            x,
            y,
            width,
            height,
        };
        let view = View {
            crop: Some(area),
            ..View::default()
        };
        let got = view.apply_rgb(&source, size).expect("an image");
        assert_close(&name, &got, &open(&name), 1, 0.1);
    }
}

#[test]
fn colours_are_torchvision_s_to_the_byte() {
    let source = open("source");
    for (kind, factors) in [
        ("brightness", &["0.35", "1.3", "2.7"][..]),
        ("contrast", &["0.2", "0.77", "1.9"]),
        ("saturation", &["0.0", "0.6", "2.2"]),
        ("hue", &["-0.5", "-0.13", "0.0", "0.2"]),
    ] {
        for text in factors {
            let name = format!("{kind}-{text}");
            let factor = text.parse().expect("a number");
            assert_same(&name, &adjust(kind, &source, factor), &name);
            let same = kind != "hue";
            let unchanged = adjust(kind, &source, 1.0);
            assert!(!same || unchanged == source, "{kind} by 1 changes nothing");
        }
    }
    assert_same("grayscale", &grayscale(&source), "grayscale");
}

/// No picture holds every colour; a checksum of all of them does.
#[test]
fn every_colour_there_is_becomes_torchvision_s() {
    let mut pixels = Vec::with_capacity(3 << 24);
    for i in 0..1_u32 << 24 {
        let [_, r, g, b] = i.to_be_bytes();
        pixels.extend([r, g, b]);
    }
    let every = Rgb {
        width: 4096,
        height: 4096,
        pixels,
    };
    let expected: BTreeMap<String, u32> =
        serde_json::from_slice(&file("crc.json")).expect("checksums");
    assert_eq!(expected.len(), 7);
    for (name, crc) in expected {
        let (kind, factor) = name.split_once(' ').expect("a transform and its factor");
        let got = adjust(kind, &every, factor.parse().expect("a number"));
        assert_eq!(crc32fast::hash(&got.pixels), crc, "{name}");
    }
}

#[test]
fn noise_is_added_as_scikit_image_does() {
    let noise: Vec<f32> = file("noise.f32")
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    let got = add_noise(&open("noise-source"), &noise).expect("noise for each byte");
    assert_same("add_noise", &got, "noise-0.04");
}

#[test]
fn erasing_and_mixing_are_torchvision_s_to_the_bit() {
    let file = json("tensors.json");
    let mut tensor = floats(&file["erase"]["input"]);
    erase(&mut tensor, 8, area(&file["erase"]["area"])).expect("a tensor [3,8,8]");
    assert_tensor("erase", &tensor, &floats(&file["erase"]["output"]));

    // There, the partner is the image before.
    let partner = [3, 0, 1, 2];
    let batch = || (floats(&file["pixels"]), floats(&file["targets"]));
    let (mut pixels, mut targets) = batch();
    let lambda = file["mixup"]["lambda"].as_f64().expect("a number");
    mixup(&mut pixels, &mut targets, lambda, &partner).expect("a batch of 4");
    assert_tensor("mixup pixels", &pixels, &floats(&file["mixup"]["pixels"]));
    assert_tensor(
        "mixup targets",
        &targets,
        &floats(&file["mixup"]["targets"]),
    );

    let (mut pixels, mut targets) = batch();
    let box_ = area(&file["cutmix"]["area"]);
    cutmix(&mut pixels, &mut targets, 6, box_, &partner).expect("a batch of 4");
    assert_tensor("cutmix pixels", &pixels, &floats(&file["cutmix"]["pixels"]));
    assert_tensor(
        "cutmix targets",
        &targets,
        &floats(&file["cutmix"]["targets"]),
    );
}

/// Partners in any order, some their own: every row from what its partner was before, none from a changed one.
#[test]
fn any_permutation_mixes_what_was_there_before() {
    let before: Vec<f32> = (0..5 * 12).map(|i| i as f32).collect();
    let partner = [2, 1, 4, 0, 3];
    let (mut pixels, mut targets) = (before.clone(), vec![1.0; 5]);
    mixup(&mut pixels, &mut targets, 0.25, &partner).expect("a batch of 5");
    for (i, got) in pixels.iter().enumerate() {
        let other = before[partner[i / 12] * 12 + i % 12];
        assert_eq!(*got, 0.25 * before[i] + 0.75 * other, "value {i}");
    }
    for wrong in [&[0, 0, 1, 2, 3][..], &[0, 1, 2, 3, 5], &[]] {
        assert!(mixup(&mut pixels, &mut targets, 0.5, wrong).is_err());
    }
}
