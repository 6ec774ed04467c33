//! The kernels against their CPU twins.

use std::sync::Arc;

use burn::tensor::Device;
use retune::kernels::gpu::launch::{Buffer, Gpu};
use retune::kernels::optimizer::reference as twin;
use retune::kernels::optimizer::segments::{BLOCK, Segments};
use retune::kernels::optimizer::{
    Flat, Gradient, Rule, SegmentStep, average, clip_scale, self_test, update, usable,
};
use retune::kernels::reference::compare::{Tolerance, compare};

use crate::gpu::{download, open, poison, random, upload};

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Ends of blocks and of fours, a single value, more than one launch gathers, more blocks than a cell of the table.
const LENGTHS: [usize; 9] = [1, 255, 256, 257, 3, 1024, 50_000, 7, 64];

/// Values of a flat buffer: [`LENGTHS`] in two buffers, so that the second one's places are tested too.
const MOST: usize = 51_000_usize.next_multiple_of(BLOCK);

fn segments() -> Arc<Segments> {
    let segments = Segments::new(LENGTHS, MOST).expect("short enough");
    assert_eq!(segments.chunks().len(), 2);
    Arc::new(segments)
}

/// A tensor's values for each of [`LENGTHS`].
fn lists(purpose: &str) -> Vec<Vec<f32>> {
    let lists = (0..).zip(LENGTHS);
    lists.map(|(seed, n)| random(seed, purpose, n)).collect()
}

/// Flat, in memory that held NaN.
fn flat(device: &Device, segments: &Arc<Segments>, lists: &[Vec<f32>]) -> Flat {
    for &values in segments.chunks() {
        poison(device, values);
    }
    let gpu = Gpu::of(device).expect("a GPU");
    let mut flat = Flat::empty(&gpu, segments);
    let tensors = lists.iter().map(|list| upload(device, list, [list.len()]));
    flat.gather(&tensors.enumerate().collect::<Vec<_>>());
    flat
}

fn parts(flat: &Flat) -> Vec<Vec<f32>> {
    let places = 0..flat.segments().all().len();
    places
        .map(|place| download::<1>(flat.part(place)))
        .collect()
}

/// How far a value may be off that took a few roundings of numbers of this size, or a few units of its own last place: the
/// driver may contract a product and a sum, divides to 2.5 units of the last place and takes roots as inverse ones
/// (WGSL's table of accuracies).
fn roundings(size: f64) -> Tolerance {
    Tolerance {
        absolute: 8.0 * f64::from(f32::EPSILON) * size,
        relative: 8.0 * f64::from(f32::EPSILON),
    }
}

#[track_caller]
fn check(what: &str, actual: &[Vec<f32>], expected: &[Vec<f64>], tolerance: Tolerance) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (place, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        if let Err(mismatch) = compare(actual, expected, tolerance) {
            panic!("{what}, tensor {place}: {mismatch}");
        }
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn tensors_are_gathered_and_their_padding_is_zero() {
    let device = open();
    let (segments, lists) = (segments(), lists("gather"));
    let flat = flat(&device, &segments, &lists);
    assert_eq!(parts(&flat), lists);
    for (chunk, buffer) in flat.chunks().iter().enumerate() {
        let mut values = download::<1>(buffer.clone());
        for (segment, list) in segments.all().iter().zip(&lists) {
            if segment.chunk == chunk {
                let own = &mut values[segment.start..segment.start + segment.length];
                assert_eq!(own, list);
                own.fill(0.0);
            }
        }
        assert!(values.iter().all(|&value| value == 0.0), "buffer {chunk}");
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn a_part_shares_the_memory_and_is_known_by_it() {
    let device = open();
    let values = random(1, "part", 1024);
    let whole = upload(&device, &values, [1024]);
    let part = whole.part(256, &[5, 3]);
    assert_eq!(download::<2>(part.clone()), values[256..271]);
    assert!(whole.has_part(256, &part));
    assert!(!whole.has_part(512, &part), "another place");
    assert!(whole.has_part(320, &whole.part(256, &[128]).part(64, &[9])));
    let copy = upload(&device, &values[256..271], [5, 3]);
    assert!(!whole.has_part(256, &copy), "equal values elsewhere");
    let other = upload(&device, &values, [1024]).part(256, &[5, 3]);
    assert!(!whole.has_part(256, &other), "the same place elsewhere");
    // burn's ops see the part's own values, and change a copy of them.
    let tensor = part.into_tensor::<2>();
    let more = (tensor + 1.0).into_data().try_into_vec::<f32>().unwrap();
    let expected: Vec<f32> = values[256..271].iter().map(|x| x + 1.0).collect();
    assert_eq!(more, expected);
    assert_eq!(download::<1>(whole), values);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn a_gradient_is_clipped_by_the_norm_of_all_of_it() {
    let device = open();
    let (segments, lists) = (segments(), lists("norm"));
    let flat = flat(&device, &segments, &lists);
    let all: Vec<&[f32]> = lists.iter().map(Vec::as_slice).collect();
    for limit in [1e-3, 1.0, 40.0, 1e6] {
        let expected = [twin::clip_scale(&all, limit)];
        poison(&device, 512);
        poison(&device, 1);
        let first = download::<1>(clip_scale(&flat, limit as f32));
        // Squares of one sign, and half their error in the root.
        let n: usize = LENGTHS.iter().sum();
        let tolerance = Tolerance {
            absolute: 0.0,
            ..Tolerance::sum_of(n)
        };
        if let Err(mismatch) = compare(&first, &expected, tolerance) {
            panic!("limit {limit}: {mismatch}");
        }
        let again = download::<1>(clip_scale(&flat, limit as f32));
        assert_eq!(bits(&first), bits(&again), "limit {limit}: two runs differ");
    }
}

/// Steps of different rates, one tensor in four without one.
fn steps() -> Vec<Option<SegmentStep>> {
    let step = |place: usize| SegmentStep {
        shrink: 1.0 - 0.01 * (place % 3) as f32,
        decay: 0.05 * (place % 2) as f32,
        rate: 0.1 / (1 + place) as f32,
        root: 0.3,
    };
    let places = 0..LENGTHS.len();
    places
        .map(|place| (place % 4 != 2).then(|| step(place)))
        .collect()
}

fn as_f64(lists: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let list = |list: &Vec<f32>| list.iter().map(|&x| f64::from(x)).collect();
    lists.iter().map(list).collect()
}

const SCALE: f32 = 0.75;

#[test]
#[ignore = "needs a Vulkan driver"]
fn a_step_of_adam() {
    let device = open();
    let segments = segments();
    let [values, gradients, firsts] = ["values", "gradient", "first"].map(lists);
    let square = |list: Vec<f32>| list.into_iter().map(|x| x * x + 1e-3).collect();
    let seconds: Vec<Vec<f32>> = lists("second").into_iter().map(square).collect();
    let common = twin::Adam {
        betas: [0.9, 0.999],
        epsilon: 1e-8,
    };
    let mut expected = [&values, &firsts, &seconds].map(|lists| as_f64(lists));
    for (place, step) in steps().into_iter().enumerate() {
        if let Some(step) = step {
            let lists = [&values, &gradients, &firsts, &seconds].map(|l| l[place].as_slice());
            let new = twin::adam(common, step, f64::from(SCALE), lists);
            for (expected, new) in expected.iter_mut().zip(new) {
                expected[place] = new;
            }
        }
    }
    let run = || {
        let old = flat(&device, &segments, &values);
        let gradient = flat(&device, &segments, &gradients);
        let mut first = flat(&device, &segments, &firsts);
        let mut second = flat(&device, &segments, &seconds);
        let rule = Rule::Adam {
            betas: common.betas,
            epsilon: common.epsilon,
            first: &mut first,
            second: &mut second,
        };
        let gradient = Gradient {
            values: &gradient,
            scale: &upload(&device, &[SCALE], [1]),
        };
        segments.chunks().iter().for_each(|&n| poison(&device, n));
        let new = update(rule, &old, &gradient, &steps());
        assert_eq!(parts(&old), values, "the old values");
        [&new, &first, &second].map(parts)
    };
    let actual = run();
    for (what, (actual, expected)) in ["values", "first", "second"]
        .into_iter()
        .zip(actual.iter().zip(&expected))
    {
        // Values of 8 at most, their squares 64.
        check(what, actual, expected, roundings(8.0));
    }
    assert_eq!(actual, run(), "two runs differ");
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn a_step_of_sgd() {
    let device = open();
    let segments = segments();
    let [values, gradients, velocities] = ["values", "gradient", "velocity"].map(lists);
    let momentum = 0.9;
    let mut expected = [&values, &velocities].map(|lists| as_f64(lists));
    for (place, step) in steps().into_iter().enumerate() {
        if let Some(step) = step {
            let lists = [&values, &gradients, &velocities].map(|l| l[place].as_slice());
            let new = twin::sgd(momentum, step, f64::from(SCALE), lists);
            for (expected, new) in expected.iter_mut().zip(new) {
                expected[place] = new;
            }
        }
    }
    let run = || {
        let old = flat(&device, &segments, &values);
        let gradient = flat(&device, &segments, &gradients);
        let mut velocity = flat(&device, &segments, &velocities);
        let rule = Rule::Sgd {
            momentum,
            velocity: &mut velocity,
        };
        let gradient = Gradient {
            values: &gradient,
            scale: &upload(&device, &[SCALE], [1]),
        };
        segments.chunks().iter().for_each(|&n| poison(&device, n));
        let new = update(rule, &old, &gradient, &steps());
        [&new, &velocity].map(parts)
    };
    let actual = run();
    for (what, (actual, expected)) in ["values", "velocity"]
        .into_iter()
        .zip(actual.iter().zip(&expected))
    {
        check(what, actual, expected, roundings(8.0));
    }
    assert_eq!(actual, run(), "two runs differ");
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn an_average_of_values_side_by_side_and_elsewhere() {
    let device = open();
    let segments = segments();
    let [means, values, elsewhere] = ["mean", "now", "elsewhere"].map(lists);
    let mean = flat(&device, &segments, &means);
    let now = flat(&device, &segments, &values);
    let decay = 0.99;
    for others in [&[][..], &[0], &[1, 2, 3, 5, 6, 7, 8]] {
        let of = |place: usize| match others.contains(&place) {
            true => &elsewhere[place],
            false => &values[place],
        };
        let places = means.iter().enumerate();
        let expected: Vec<Vec<f64>> = places
            .map(|(place, mean)| twin::average(decay, mean, of(place)))
            .collect();
        let tensors: Vec<(usize, Buffer)> = others
            .iter()
            .map(|&place| (place, upload(&device, &elsewhere[place], [LENGTHS[place]])))
            .collect();
        segments.chunks().iter().for_each(|&n| poison(&device, n));
        let new = parts(&average(&mean, &now, &tensors, decay));
        check(&format!("{others:?}"), &new, &expected, roundings(8.0));
        let again = parts(&average(&mean, &now, &tensors, decay));
        assert_eq!(new, again, "{others:?}: two runs differ");
        assert_eq!(parts(&mean), means, "the old average");
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn the_self_test_passes_and_leaves_the_kernels_in_use() {
    let device = open();
    assert_eq!(pollster::block_on(self_test(&device)), Ok(None));
    assert!(usable(&Gpu::of(&device).expect("a GPU")));
    assert_eq!(pollster::block_on(self_test(&Device::flex())), Ok(None));
}
