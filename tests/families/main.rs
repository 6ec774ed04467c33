//! Promise: a `DenseNet` or an `EfficientNet` is read under every spelling of its tensors that is about,
//! trained on, handed out under torchvision's names, and read back; what cannot be done with it is refused.

mod names;
#[path = "../orders/mod.rs"]
mod orders;
mod round_trip;

use burn::tensor::Device;
use retune::config::{Arch, HeadKind, Preprocess};
use retune::model::backbone::Backbone;
use retune::model::head::{HeadSpec, to_host as values};
use retune::model::inspect::inspect;
use retune::weights::{NamedTensor, SaveAs, save};

type Shaped = (String, Vec<usize>);

/// Values that keep the sums of a network finite: variances and scales about 1, the others about 0.
fn fill(name: &str, shape: &[usize]) -> Vec<f32> {
    let n: usize = shape.iter().product();
    let fan_in = shape.iter().skip(1).product::<usize>().max(1);
    let value = |i: usize| {
        let u = ((i * 7919 + name.len() * 104_729) % 2003) as f32 / 2003.0;
        if name.ends_with("running_var") || (shape.len() == 1 && name.ends_with("weight")) {
            0.5 + u
        } else {
            (2.0 * u - 1.0) * (3.0 / fan_in as f32).sqrt()
        }
    };
    (0..n).map(value).collect()
}

/// The bytes of a checkpoint with tensors of these names and shapes, for images of 32 x 32.
fn file(shapes: &[Shaped]) -> Vec<u8> {
    let tensors: Vec<NamedTensor> = shapes
        .iter()
        .map(|(name, shape)| (name.clone(), shape.clone(), fill(name, shape)))
        .collect();
    let metadata = [("input".to_string(), "32".to_string())].into();
    save(&tensors, &metadata, SaveAs::F32).unwrap()
}

/// timm's `efficientnet_b0`, from its own description: `ds_r1_k3_s1_e1_c16_se0.25`, `ir_r2_k3_s2_e6_c24_se0.25`
/// and so on (`_gen_efficientnet`), with the modules of `DepthwiseSeparableConv` and `InvertedResidual`.
fn timm_b0() -> Vec<Shaped> {
    let mut out: Vec<Shaped> = Vec::new();
    let mut conv =
        |name: String, shape: [usize; 4]| out.push((format!("{name}.weight"), shape.into()));
    let stages = [
        (1, 3, 16, 1),
        (2, 3, 24, 6),
        (2, 5, 40, 6),
        (3, 3, 80, 6),
        (3, 5, 112, 6),
        (4, 5, 192, 6),
        (1, 3, 320, 6),
    ];
    let mut norms = vec![("bn1".to_string(), 32), ("bn2".to_string(), 1280)];
    let mut biases = Vec::new();
    let mut channels = 32;
    conv("conv_stem".into(), [32, 3, 3, 3]);
    for (stage, (repeats, kernel, out, expansion)) in stages.into_iter().enumerate() {
        for repeat in 0..repeats {
            let at = |module: &str| format!("blocks.{stage}.{repeat}.{module}");
            let (mid, squeezed) = (channels * expansion, channels / 4);
            conv(at("conv_dw"), [mid, 1, kernel, kernel]);
            conv(at("se.conv_reduce"), [squeezed, mid, 1, 1]);
            conv(at("se.conv_expand"), [mid, squeezed, 1, 1]);
            biases.extend([
                (at("se.conv_reduce"), squeezed),
                (at("se.conv_expand"), mid),
            ]);
            if expansion == 1 {
                conv(at("conv_pw"), [out, mid, 1, 1]);
                norms.extend([(at("bn1"), mid), (at("bn2"), out)]);
            } else {
                conv(at("conv_pw"), [mid, channels, 1, 1]);
                conv(at("conv_pwl"), [out, mid, 1, 1]);
                norms.extend([(at("bn1"), mid), (at("bn2"), mid), (at("bn3"), out)]);
            }
            channels = out;
        }
    }
    conv("conv_head".into(), [1280, 320, 1, 1]);
    for (name, n) in norms {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            out.push((format!("{name}.{part}"), vec![n]));
        }
    }
    out.extend(
        biases
            .into_iter()
            .map(|(name, n)| (format!("{name}.bias"), vec![n])),
    );
    out.push(("classifier.weight".into(), vec![1000, 1280]));
    out.push(("classifier.bias".into(), vec![1000]));
    out
}

#[test]
fn every_backbone_says_what_its_weights_were_measured_on() {
    for &arch in Arch::ALL {
        let preprocess = Preprocess::of(arch);
        assert_eq!(preprocess.check(), Ok(()), "{arch}");
        assert!(arch.graph().shapes([preprocess.size; 2]).is_ok(), "{arch}");
    }
}

#[test]
fn an_image_too_small_for_the_pools_is_refused() {
    let table = |size| {
        let head = HeadSpec::of(HeadKind::Linear, 1024, 2);
        inspect(Arch::Densenet121, &Arch::Densenet121.graph(), &head, size)
    };
    // torchvision documents 29 as the least.
    assert!(table(29).is_ok());
    assert!(table(28).unwrap_err().to_string().contains("28 pixels"));
}

/// At 512 x 512 a tensor of five images is more than a kernel may bind by default.
#[test]
fn a_batch_too_large_for_a_binding_goes_through_in_parts() {
    let (arch, size) = (Arch::EfficientNetB0, 512);
    let take = |name: &str, shape: &[usize]| Ok(fill(name, shape));
    let backbone = Backbone::load(arch, &Device::flex(), take).unwrap();
    let images = |n: usize| backbone.layers(n, size)[0].1.images;
    assert_eq!([images(1), images(4), images(5), images(64)], [1, 4, 4, 4]);

    let pixels: Vec<f32> = (0..5 * 3 * size * size)
        .map(|i| (i * 31 % 1009) as f32 / 500.0 - 1.0 + (i / (3 * size * size)) as f32)
        .collect();
    let values = |x| pollster::block_on(values(x)).unwrap();
    let batch = || backbone.batch(pixels.clone(), size);
    let whole = values(backbone.forward_observed(batch(), |_, _| {}));
    let parts = values(backbone.forward(batch()));
    let features = backbone.features();
    assert_eq!(parts.len(), 5 * features);
    let largest = whole.iter().fold(0.0f32, |top, v| top.max(v.abs()));
    for (part, whole) in parts.iter().zip(&whole) {
        assert!((part - whole).abs() <= 1e-5 * largest, "{part} {whole}");
    }
    // Each image has features of its own, so an order mixed up would be seen.
    let [first, last] = [0, 4].map(|i| &whole[i * features..][..features]);
    assert_ne!(first, last);
}
