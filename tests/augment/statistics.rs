//! Whether many draws are distributed as they should be. The seeds are fixed, so a test that passes once does.

use retune::config::{Augment, Crop, Jitter, Rotation};
use retune::image::augment::{Area, Colour, Mix, View, gaussian};
use serde_json::Value;

use super::json;

const DRAWS: usize = 20_000;

fn drawn(augment: &Augment, width: usize, height: usize) -> Vec<View> {
    (0..DRAWS)
        .map(|sample| View::draw(augment, 5, sample, 3, width, height))
        .collect()
}

/// The deciles of `values` against torchvision's.
#[track_caller]
fn assert_deciles(
    file: &Value,
    group: &str,
    name: &str,
    values: impl Iterator<Item = f64>,
    tolerance: f64,
) {
    let mut values: Vec<f64> = values.collect();
    assert_eq!(values.len(), DRAWS, "{group}, {name}");
    values.sort_by(f64::total_cmp);
    let expected = file[group][name].as_array().expect("deciles");
    assert_eq!(expected.len(), 9);
    for (i, expected) in expected.iter().enumerate() {
        let got = values[DRAWS * (i + 1) / 10];
        let expected = expected.as_f64().expect("a number");
        assert!(
            (got - expected).abs() <= tolerance,
            "{group}, {name}: {got} instead of {expected} at {} %, more than {tolerance} off",
            10 * (i + 1)
        );
    }
}

#[test]
fn draws_are_distributed_as_torchvision_s() {
    let file = json("draws.json");
    let crops = Augment {
        crop: Some(Crop::resized(0.3)),
        ..Augment::default()
    };
    let areas: Vec<Area> = drawn(&crops, 140, 90)
        .iter()
        .map(|view| view.crop.expect("a crop"))
        .collect();
    assert!(
        areas
            .iter()
            .all(|a| a.x + a.width <= 140 && a.y + a.height <= 90)
    );
    let erasing = Augment {
        erasing: 1.0,
        ..Augment::default()
    };
    let erased: Vec<Area> = drawn(&erasing, 150, 150)
        .iter()
        .map(|view| view.erased.expect("a rectangle").area(150))
        .collect();
    for (group, areas) in [("crop 140x90", &areas), ("erasing 150", &erased)] {
        for (name, value) in [
            ("x", (|a| a.x) as fn(&Area) -> usize),
            ("y", |a| a.y),
            ("width", |a| a.width),
            ("height", |a| a.height),
        ] {
            let values = areas.iter().map(|a| value(a) as f64);
            assert_deciles(&file, group, name, values, 2.0);
        }
    }

    let jitter = Augment {
        jitter: Some(Jitter {
            brightness: 0.3,
            contrast: 0.0,
            saturation: 1.5,
            hue: 0.2,
        }),
        ..Augment::default()
    };
    let views = drawn(&jitter, 150, 150);
    let factors = |pick: fn(&Colour) -> Option<f64>| {
        let colours = views.iter().flat_map(|view| view.colours.clone());
        colours.filter_map(move |colour| pick(&colour))
    };
    let brightness = factors(|c| match c {
        Colour::Brightness(x) => Some(*x),
        _ => None,
    });
    assert_deciles(&file, "jitter", "brightness", brightness, 0.01);
    let saturation = factors(|c| match c {
        Colour::Saturation(x) => Some(*x),
        _ => None,
    });
    assert_deciles(&file, "jitter", "saturation", saturation, 0.04);
    let hue = factors(|c| match c {
        Colour::Hue(x) => Some(*x),
        _ => None,
    });
    assert_deciles(&file, "jitter", "hue", hue, 0.007);
    // Each of the three is first in a third of the draws, within four standard errors; contrast is off.
    assert!(views.iter().all(|view| view.colours.len() == 3));
    let first = views
        .iter()
        .filter(|view| matches!(view.colours[0], Colour::Hue(_)))
        .count();
    assert!(
        first.abs_diff(DRAWS / 3) < 270,
        "hue is first {first} times"
    );

    let cutmix = Augment {
        cutmix: 1.0,
        ..Augment::default()
    };
    let lambda = (0..DRAWS).map(|step| {
        Mix::draw(&cutmix, 5, 1, step, 4, 150)
            .expect("a mix")
            .lambda
    });
    assert_deciles(&file, "cutmix 150", "lambda", lambda, 0.02);
}

#[test]
fn chances_and_ranges_are_as_set() {
    let augment = Augment {
        horizontal_flip: 0.3,
        vertical_flip: 0.5,
        grayscale: 0.1,
        erasing: 0.9,
        translation: 0.1,
        rotation: Some(Rotation {
            degrees: 20.0,
            ..Rotation::default()
        }),
        crop: Some(Crop::Random { padding: 0.1 }),
        ..Augment::default()
    };
    let views = drawn(&augment, 100, 80);
    let n = DRAWS as f64;
    for (name, chance, happened) in [
        ("mirror", 0.3, (|v| v.flip_horizontal) as fn(&View) -> bool),
        ("upside down", 0.5, |v| v.flip_vertical),
        ("grayscale", 0.1, |v| v.grayscale),
        // torchvision's ten tries all but always find a rectangle.
        ("erasing", 0.9, |v| v.erased.is_some()),
    ] {
        let rate = views.iter().filter(|view| happened(view)).count() as f64 / n;
        let error = (chance * (1.0 - chance) / n).sqrt();
        assert!(
            (rate - chance).abs() < 4.0 * error,
            "{name}: {rate} instead of {chance}"
        );
    }
    // Uniform between -1 and 1: mean 0, variance 1/3, and both ends come up.
    for (name, value) in [
        (
            "angle",
            (|v| v.rotation.expect("a turn").degrees / 20.0) as fn(&View) -> f64,
        ),
        ("shift right", |v| v.translation[0] / 0.1),
        ("shift down", |v| v.translation[1] / 0.1),
        ("crop's column", |v| {
            2.0 * v.padded.expect("a crop").at[0] - 1.0
        }),
        ("crop's row", |v| {
            2.0 * v.padded.expect("a crop").at[1] - 1.0
        }),
    ] {
        let values: Vec<f64> = views.iter().map(value).collect();
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| x * x).sum::<f64>() / n;
        let most = values.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
        assert!(mean.abs() < 4.0 * (1.0 / 3.0 / n).sqrt(), "{name}: {mean}");
        let error = (4.0 / 45.0 / n).sqrt();
        assert!(
            (variance - 1.0 / 3.0).abs() < 4.0 * error,
            "{name}: {variance}"
        );
        assert!((0.999..=1.0).contains(&most), "{name}: {most}");
    }
}

#[test]
fn noise_has_the_variance_that_is_set() {
    let n = 300_000;
    let noise = gaussian(77, n, 0.04);
    assert_eq!(noise.len(), n);
    let (mut sums, mut beyond) = ([0.0; 4], 0);
    for &x in &noise {
        let x = f64::from(x);
        for (power, sum) in (1..).zip(&mut sums) {
            *sum += x.powi(power) / n as f64;
        }
        beyond += usize::from(x.abs() > 0.4);
    }
    // Standard errors of a normal distribution's sample moments.
    let root = (n as f64).sqrt();
    assert!(sums[0].abs() < 4.0 * 0.2 / root, "mean {}", sums[0]);
    let off = (sums[1] - 0.04).abs();
    assert!(
        off < 4.0 * 0.04 * 2_f64.sqrt() / root,
        "variance {}",
        sums[1]
    );
    let skew = sums[2] / 0.008;
    assert!(skew.abs() < 4.0 * 15_f64.sqrt() / root, "skewness {skew}");
    let tails = sums[3] / 0.0016;
    assert!((tails - 3.0).abs() < 4.0 * 96_f64.sqrt() / root, "{tails}");
    let share = beyond as f64 / n as f64;
    assert!(
        (share - 0.0455).abs() < 0.0016,
        "{share} beyond two deviations"
    );
}

/// Mean and variance of `Beta(a, a)` are 1/2 and 1/(8a + 4); so are mixup's lambdas', within four standard errors.
#[test]
fn lambda_has_the_moments_of_the_beta_distribution() {
    let n = DRAWS as f64;
    let lambdas = |alpha: f64| -> Vec<f64> {
        let mixup = Augment {
            mixup: alpha,
            ..Augment::default()
        };
        let draw = |step| Mix::draw(&mixup, 21, 0, step, 2, 8).expect("a mix").lambda;
        (0..DRAWS).map(draw).collect()
    };
    for alpha in [0.05, 0.2, 1.0, 4.0] {
        let draws = lambdas(alpha);
        assert!(draws.iter().all(|x| (0.0..=1.0).contains(x)), "{alpha}");
        let moment = |power: i32| draws.iter().map(|x| (x - 0.5).powi(power)).sum::<f64>() / n;
        let expected = 1.0 / (8.0 * alpha + 4.0);
        let (mean, variance) = (moment(1), moment(2));
        assert!(
            mean.abs() < 4.0 * (expected / n).sqrt(),
            "{alpha}: mean {}",
            0.5 + mean
        );
        let error = ((moment(4) - variance * variance) / n).sqrt();
        assert!(
            (variance - expected).abs() < 4.0 * error,
            "{alpha}: variance {variance} instead of {expected}"
        );
    }
    // Next to 0 it is the toss of a coin, and no division of nothing by nothing.
    let coin = lambdas(1e-310);
    assert!(coin.iter().all(|x| *x == 0.0 || *x == 1.0));
    let heads = coin.iter().sum::<f64>() / n;
    assert!((heads - 0.5).abs() < 2.0 / n.sqrt(), "{heads}");
}
