//! From a seed to the numbers of a [`View`], distributed as in torchvision.

use super::{Area, Colour, Erased, Noise, Padded, Rotated, View};
use crate::config::{Augment, Crop, Jitter, Turns};
use crate::random::Random;

/// torchvision's defaults of `RandomErasing`: the share of the area, and height to width.
const ERASING_SCALE: [f64; 2] = [0.02, 0.33];
const ERASING_RATIO: [f64; 2] = [0.3, 3.3];
/// How often torchvision draws a rectangle until it fits.
const TRIES: usize = 10;

impl View {
    /// What is done to image number `sample`, `width` x `height` pixels, the `view`th time it is shown. Seed,
    /// sample, view and settings decide it alone.
    ///
    /// With `copies` above 1 the first of each `copies` is the image as it is. With `one_by_one` each other
    /// undergoes the next of the transforms that are on, with certainty.
    #[must_use]
    pub fn draw(
        augment: &Augment,
        seed: u64,
        sample: usize,
        view: usize,
        width: usize,
        height: usize,
    ) -> Self {
        let copies = augment.copies.max(1);
        if copies > 1 && view.is_multiple_of(copies) {
            return Self::default();
        }
        let mut random = Random::for_purpose(seed, &format!("augment {sample} {view}"));
        if !augment.one_by_one {
            return all(augment, &mut random, width, height);
        }
        let changed = match copies {
            1 => view,
            _ => view / copies * (copies - 1) + view % copies - 1,
        };
        let transforms = each(augment);
        match changed.checked_rem(transforms.len()) {
            Some(turn) => all(&transforms[turn], &mut random, width, height),
            None => Self::default(),
        }
    }
}

/// Each transform that is on, alone and certain, in the order of the fields.
fn each(augment: &Augment) -> Vec<Augment> {
    let none = Augment::default;
    let alone = [
        augment.crop.map(|crop| Augment {
            crop: Some(crop),
            ..none()
        }),
        (augment.horizontal_flip > 0.0).then(|| Augment {
            horizontal_flip: 1.0,
            ..none()
        }),
        (augment.vertical_flip > 0.0).then(|| Augment {
            vertical_flip: 1.0,
            ..none()
        }),
        augment.rotation.map(|rotation| Augment {
            rotation: Some(rotation),
            ..none()
        }),
        (augment.translation > 0.0).then(|| Augment {
            translation: augment.translation,
            ..none()
        }),
        augment.jitter.map(|jitter| Augment {
            jitter: Some(jitter),
            ..none()
        }),
        (augment.grayscale > 0.0).then(|| Augment {
            grayscale: 1.0,
            ..none()
        }),
        (augment.noise > 0.0).then(|| Augment {
            noise: augment.noise,
            ..none()
        }),
        (augment.erasing > 0.0).then(|| Augment {
            erasing: 1.0,
            ..none()
        }),
    ];
    alone.into_iter().flatten().collect()
}

/// Draws all transforms that are on, in the order of the fields.
fn all(augment: &Augment, random: &mut Random, width: usize, height: usize) -> View {
    let mut view = View::default();
    match augment.crop {
        None => {}
        Some(Crop::Random { padding }) => {
            let at = [random.uniform(), random.uniform()];
            view.padded = Some(Padded { padding, at });
        }
        Some(Crop::Resized { scale, ratio }) => {
            view.crop = resized_crop(random, scale, ratio, width, height);
        }
    }
    view.flip_horizontal = happens(random, augment.horizontal_flip);
    view.flip_vertical = happens(random, augment.vertical_flip);
    view.rotation = augment.rotation.map(|rotation| Rotated {
        degrees: match rotation.turns {
            Turns::Any => between(random, -rotation.degrees, rotation.degrees),
            Turns::Exact => rotation.degrees,
        },
        edges: rotation.edges,
    });
    if augment.translation > 0.0 {
        let most = augment.translation;
        view.translation = [between(random, -most, most), between(random, -most, most)];
    }
    if let Some(jitter) = &augment.jitter {
        view.colours = colours(random, jitter);
    }
    view.grayscale = happens(random, augment.grayscale);
    if augment.noise > 0.0 {
        view.noise = Some(Noise {
            variance: augment.noise,
            seed: random.bits(),
        });
    }
    if happens(random, augment.erasing) {
        view.erased = rectangle(random);
    }
    view
}

/// Whether an event of that probability happens. One that is off draws nothing.
fn happens(random: &mut Random, probability: f64) -> bool {
    probability > 0.0 && random.uniform() < probability
}

fn between(random: &mut Random, low: f64, high: f64) -> f64 {
    low + (high - low) * random.uniform()
}

/// Uniform in the logarithm, so that 1:2 is as likely as 2:1.
fn ratio_between(random: &mut Random, [low, high]: [f64; 2]) -> f64 {
    libm::exp(between(random, libm::log(low), libm::log(high)))
}

/// torchvision's `RandomResizedCrop.get_params`. None for an image without pixels.
fn resized_crop(
    random: &mut Random,
    scale: [f64; 2],
    ratio: [f64; 2],
    width: usize,
    height: usize,
) -> Option<Area> {
    if width == 0 || height == 0 {
        return None;
    }
    let round = |x: f64| x.round_ties_even() as usize;
    let (columns, rows) = (width as f64, height as f64);
    for _ in 0..TRIES {
        let area = columns * rows * between(random, scale[0], scale[1]);
        let aspect = ratio_between(random, ratio);
        let (w, h) = (round((area * aspect).sqrt()), round((area / aspect).sqrt()));
        if (1..=width).contains(&w) && (1..=height).contains(&h) {
            // The row is drawn before the column, as there.
            let y = random.below(height - h + 1);
            let x = random.below(width - w + 1);
            return Some(Area {
                x,
                y,
                width: w,
                height: h,
            });
        }
    }
    // The middle, as much of it as the ratios allow; of a line of pixels at least one.
    let (w, h) = match columns / rows {
        is if is < ratio[0] => (width, round(columns / ratio[0]).clamp(1, height)),
        is if is > ratio[1] => (round(rows * ratio[1]).clamp(1, width), height),
        _ => (width, height),
    };
    Some(Area {
        x: (width - w) / 2,
        y: (height - h) / 2,
        width: w,
        height: h,
    })
}

/// torchvision's `ColorJitter.get_params`: a factor for each that is on, in any order.
fn colours(random: &mut Random, jitter: &Jitter) -> Vec<Colour> {
    let mut factor = |x: f64| between(random, (1.0 - x).max(0.0), 1.0 + x);
    let mut colours = Vec::new();
    if jitter.brightness > 0.0 {
        colours.push(Colour::Brightness(factor(jitter.brightness)));
    }
    if jitter.contrast > 0.0 {
        colours.push(Colour::Contrast(factor(jitter.contrast)));
    }
    if jitter.saturation > 0.0 {
        colours.push(Colour::Saturation(factor(jitter.saturation)));
    }
    if jitter.hue > 0.0 {
        colours.push(Colour::Hue(between(random, -jitter.hue, jitter.hue)));
    }
    random.shuffle(&mut colours);
    colours
}

/// torchvision's `RandomErasing.get_params`, in shares of the edge; none where no try fits.
fn rectangle(random: &mut Random) -> Option<Erased> {
    for _ in 0..TRIES {
        let area = between(random, ERASING_SCALE[0], ERASING_SCALE[1]);
        let aspect = ratio_between(random, ERASING_RATIO);
        let (height, width) = ((area * aspect).sqrt(), (area / aspect).sqrt());
        if width < 1.0 && height < 1.0 {
            let (y, x) = (random.uniform(), random.uniform());
            return Some(Erased {
                width,
                height,
                at: [x, y],
            });
        }
    }
    None
}

/// A number from `Beta(alpha, alpha)`: one gamma variate's share of the sum of two.
pub(super) fn beta(random: &mut Random, alpha: f64) -> f64 {
    let (a, b) = (log_gamma(random, alpha), log_gamma(random, alpha));
    // In logarithms, since with a small alpha both variates are smaller than any number that can be written.
    let share = 1.0 / (1.0 + libm::exp(b - a));
    if share.is_nan() {
        // Both logarithms endless: alpha is next to 0, where the distribution is the toss of a coin.
        return f64::from(u8::from(random.uniform() < 0.5));
    }
    share
}

/// The logarithm of a number from `Gamma(shape, 1)`: Marsaglia and Tsang 2000, "A Simple Method for Generating
/// Gamma Variables", with its section 6 for a shape below 1.
fn log_gamma(random: &mut Random, shape: f64) -> f64 {
    if shape < 1.0 {
        // Never the logarithm of 0.
        let power = libm::log(1.0 - random.uniform()) / shape;
        return log_gamma(random, shape + 1.0) + power;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        let log_v = libm::log(v);
        let u = 1.0 - random.uniform();
        if libm::log(u) < 0.5 * x * x + d - d * v + d * log_v {
            return libm::log(d) + log_v;
        }
    }
}

/// Of mean 0 and variance 1, by Box and Muller; the second of the pair is not kept.
fn normal(random: &mut Random) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - random.uniform())).sqrt();
    radius * libm::cos(std::f64::consts::TAU * random.uniform())
}
