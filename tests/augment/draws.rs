//! What a single draw is, and what becomes of it.

use retune::config::{Augment, Edges, Rotation, Turns};
use retune::image::augment::{
    Colour, Mix, Noise, Padded, Rotated, View, add_noise, adjust_hue, adjust_saturation, gaussian,
    rotate,
};
use retune::image::{load, resize};

use super::{assert_tensor, everything, file, open, settings};

/// What `a_seed_decides_every_byte` gave when it was written: the words and the checksum of a view, and the
/// checksum of twenty lambdas. Another platform's arithmetic would show here.
const GOLDEN: (&str, u32, u32) = (
    "cropped to 43 x 39, mirrored, upside down, rotated by 9°, shifted by -5 % and 9 %, contrast x 0.9, \
     hue turned by 9°, brightness x 0.8, saturation x 1.3, noise of 0.10, 25 % erased",
    1_034_342_830,
    1_302_187_399,
);

fn bytes(tensor: &[f32]) -> Vec<u8> {
    tensor.iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[test]
fn mixes_keep_the_sum_of_targets_and_take_turns() {
    let both = Augment {
        mixup: 0.2,
        cutmix: 1.0,
        ..Augment::default()
    };
    let (n, size, classes) = (6, 16, 4);
    let mut pasted = 0;
    for step in 0..400 {
        let mix = Mix::draw(&both, 3, 2, step, n, size).expect("a mix");
        let mut sorted = mix.partner.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..n).collect::<Vec<_>>());
        pasted += usize::from(mix.area.is_some());

        let mut pixels: Vec<f32> = (0..n)
            .flat_map(|i| vec![i as f32; 3 * size * size])
            .collect();
        let mut targets = vec![0.0; n * classes];
        for i in 0..n {
            targets[i * classes + i % classes] = 1.0;
        }
        mix.apply(&mut pixels, &mut targets).expect("a batch of 6");
        for (i, row) in targets.chunks_exact(classes).enumerate() {
            let sum: f32 = row.iter().sum();
            assert!((sum - 1.0).abs() < 1e-6, "step {step}, image {i}: {sum}");
            // The pixels of image i were all i: their mean tells the share that the targets must have.
            let mean: f32 = pixels[i * 3 * size * size..][..3 * size * size]
                .iter()
                .sum::<f32>()
                / (3 * size * size) as f32;
            let (own, other) = (i as f64, mix.partner[i] as f64);
            let expected = mix.lambda * own + (1.0 - mix.lambda) * other;
            assert!(
                (f64::from(mean) - expected).abs() < 1e-4,
                "step {step}, image {i}: {mean} instead of {expected}"
            );
        }
    }
    assert!(pasted.abs_diff(200) < 40, "{pasted} of 400 are cutmix");
    let none = Augment::default();
    assert_eq!(Mix::draw(&none, 3, 2, 0, n, size), None);
    assert_eq!(Mix::draw(&both, 3, 2, 0, 1, size), None);
}

#[test]
fn copies_begin_with_the_image_itself_and_take_the_transforms_in_turn() {
    let augment = Augment::preset("course-work-x4").expect("a preset");
    for (view, words) in [
        "as it is",
        "mirrored",
        "rotated by 45°",
        "noise of 0.20",
        "as it is",
        "mirrored",
    ]
    .into_iter()
    .enumerate()
    {
        let drawn = View::draw(&augment, 1, 2, view, 150, 150);
        assert_eq!(drawn.words(), words, "view {view}");
    }
    let rotated = View::draw(&augment, 1, 2, 2, 150, 150);
    assert_eq!(
        rotated.rotation.map(|r| (r.degrees, r.edges)),
        Some((45.0, Edges::Wrap))
    );

    // Two copies of five transforms: the changed ones go round all five. Without copies, so do all.
    let kinds = |copies: usize| -> Vec<String> {
        let augment = Augment {
            vertical_flip: 0.01,
            horizontal_flip: 0.01,
            grayscale: 0.01,
            rotation: Some(Rotation {
                degrees: 30.0,
                turns: Turns::Exact,
                edges: Edges::Fill,
            }),
            noise: 0.01,
            copies,
            one_by_one: true,
            ..Augment::default()
        };
        (0..10)
            .map(|view| View::draw(&augment, 9, 0, view, 20, 20).words())
            .collect()
    };
    let five = [
        "mirrored",
        "upside down",
        "rotated by 30°",
        "without colour",
        "noise of 0.10",
    ];
    assert_eq!(kinds(1), [five, five].concat());
    let two = five.map(|word| ["as it is", word]).concat();
    assert_eq!(kinds(2), two);

    // Nothing on: nothing to take turns at.
    let nothing = Augment {
        one_by_one: true,
        copies: 3,
        ..Augment::default()
    };
    assert_eq!(View::draw(&nothing, 1, 1, 1, 9, 9), View::default());
}

#[test]
fn words_name_what_is_done() {
    assert_eq!(View::default().words(), "as it is");
    let view = View {
        flip_horizontal: true,
        rotation: Some(Rotated {
            degrees: -7.2,
            edges: Edges::Reflect,
        }),
        translation: [0.05, -0.001],
        colours: vec![Colour::Brightness(1.23), Colour::Hue(-0.1)],
        ..View::default()
    };
    assert_eq!(
        view.words(),
        "mirrored, rotated by -7°, shifted by 5 % and 0 %, brightness x 1.2, hue turned by -36°"
    );
}

#[test]
fn a_view_that_changes_nothing_is_what_load_gives() {
    let settings = settings(48);
    let expected = load("source.png", &file("source.png"), &settings).expect("an image");
    let source = open("source");
    let got = View::default().apply(&source, &settings).expect("a tensor");
    assert_tensor("as it is", &got, &expected);
    let shown = View::default().apply_rgb(&source, 48).expect("a picture");
    assert_eq!(shown, resize(&source, 48, 48).expect("a picture"));

    // Changes of size nothing. The middle of a mirrored border is the image again.
    let still = View {
        padded: Some(Padded {
            padding: 0.1,
            at: [0.5; 2],
        }),
        rotation: Some(Rotated {
            degrees: 0.0,
            edges: Edges::Wrap,
        }),
        translation: [0.01, -0.01],
        colours: vec![Colour::Brightness(1.0), Colour::Saturation(1.0)],
        noise: Some(Noise {
            variance: 0.0,
            seed: 1,
        }),
        ..View::default()
    };
    let got = still.apply(&source, &settings).expect("a tensor");
    assert_tensor("nothing of everything", &got, &expected);
}

#[test]
fn the_picture_shown_is_the_tensor_trained_on() {
    let (source, settings) = (open("source"), settings(40));
    for sample in 0..20 {
        let view = View::draw(&everything(), 4, sample, 1, source.width, source.height);
        let tensor = view.apply(&source, &settings).expect("a tensor");
        let picture = view.apply_rgb(&source, 40).expect("a picture");
        for (i, x) in tensor.iter().enumerate() {
            let (channel, place) = (i / 1600, i % 1600);
            let value = 255.0 * (x * settings.std[channel] + settings.mean[channel]);
            let shown = f32::from(picture.pixels[3 * place + channel]);
            assert!(
                (value - shown).abs() <= 0.51,
                "sample {sample}, {}: {shown} shows {value} at {i}",
                view.words()
            );
        }
    }
}

#[test]
fn a_seed_decides_every_byte() {
    let (source, settings, augment) = (open("source"), settings(48), everything());
    let make = |seed, sample, view| {
        let view = View::draw(&augment, seed, sample, view, source.width, source.height);
        (view.apply(&source, &settings).expect("a tensor"), view)
    };
    let (tensor, view) = make(1, 2, 3);
    assert_eq!(make(1, 2, 3).0, tensor);
    for other in [make(2, 2, 3), make(1, 3, 3), make(1, 2, 4)] {
        assert_ne!(other.0, tensor);
    }
    let mix = |seed, epoch, step| Mix::draw(&augment, seed, epoch, step, 8, 32).expect("a mix");
    assert_eq!(mix(1, 2, 3), mix(1, 2, 3));
    for other in [mix(2, 2, 3), mix(1, 3, 3), mix(1, 2, 4)] {
        assert_ne!(other, mix(1, 2, 3));
    }
    let lambdas = (0..20).map(|step| mix(1, 2, step).lambda.to_le_bytes());
    let lambdas: Vec<u8> = lambdas.flatten().collect();
    let crc = (crc32fast::hash(&bytes(&tensor)), crc32fast::hash(&lambdas));
    assert_eq!((view.words().as_str(), crc.0, crc.1), GOLDEN);
}

/// `cargo test ... -- --ignored --nocapture time`
#[test]
#[ignore = "prints times"]
fn time_of_a_view() {
    let image = resize(&open("source"), 150, 150).expect("an image");
    let settings = settings(150);
    // The best of many, because other programs take their share of the rest.
    let each = |name: &str, work: &dyn Fn(usize)| {
        let best = (0..300).map(|i| {
            let start = std::time::Instant::now();
            work(i);
            start.elapsed().as_secs_f64()
        });
        let mut times: Vec<f64> = best.collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{name}: {:.3} ms at best, {:.3} ms in the middle",
            1e3 * times[0],
            1e3 * times[150]
        );
    };
    let view = |augment: Augment| {
        let image = &image;
        let settings = &settings;
        move |sample: usize| {
            let view = View::draw(&augment, 1, sample, 0, 150, 150);
            std::hint::black_box(view.apply(image, settings).expect("a tensor"));
        }
    };
    each("everything", &view(everything()));
    for preset in Augment::PRESETS {
        each(preset, &view(Augment::preset(preset).expect("a preset")));
    }
    each("rotation", &|i| {
        std::hint::black_box(rotate(&image, i as f64, Edges::Reflect).expect("an image"));
    });
    each("hue", &|_| {
        std::hint::black_box(adjust_hue(&image, 0.1));
    });
    each("saturation", &|_| {
        std::hint::black_box(adjust_saturation(&image, 1.1));
    });
    each("noise", &|i| {
        let noise = gaussian(i as u64, 67_500, 0.04);
        std::hint::black_box(add_noise(&image, &noise).expect("an image"));
    });
    each("crop and resize", &|_| {
        std::hint::black_box(resize(&image, 149, 148).expect("an image"));
    });
}
