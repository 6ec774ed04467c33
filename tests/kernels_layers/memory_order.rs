//! What stands between two layers: whether it leaves images channels last, and the same values.

use burn::tensor::activation::{relu, sigmoid, tanh};
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor};
use retune::kernels;
use retune::kernels::gpu::launch::{Layout, layout_of};
use retune::kernels::memory_order::{self, in_memory_order};
use retune::kernels::silu::silu;
use retune::random::Random;

use super::{assert_same_bits, images, noise, numbers, open, primitive};

const DIMS: [usize; 4] = [2, 8, 5, 7];

/// An op on images, with another like them and one value a channel.
type Op = fn([Tensor<4>; 3]) -> Tensor<4>;

fn scale(by: &Tensor<4>) -> Tensor<4> {
    by.clone().slice([0..2, 0..8, 0..1, 0..1])
}

/// What burn's ops do by themselves: its sums, products, activations and average pools keep the order, as do their
/// gradients.
const KEPT: [(&str, Op); 9] = [
    ("sum", |[x, other, _]| x + other),
    ("product", |[x, other, _]| x * other),
    ("scale", |[x, _, scale]| x * scale),
    ("factor", |[x, ..]| x * 0.5),
    ("sigmoid", |[x, ..]| sigmoid(x)),
    ("tanh", |[x, ..]| tanh(x)),
    ("silu", |[x, ..]| silu(x)),
    ("scale and shift", |[x, _, scale]| x * scale.clone() + scale),
    ("average pool", |[x, ..]| {
        avg_pool2d(x, AvgPoolOptions::new([2, 2]).with_stride([1, 1]))
    }),
];

/// What burn's ops do not keep, and ours instead.
const OURS: [(&str, Op, Op); 4] = [
    ("relu", |[x, ..]| relu(x), |[x, ..]| kernels::relu::relu(x)),
    (
        "relu6",
        |[x, ..]| x.clamp(0.0, 0.5),
        |[x, ..]| in_memory_order(x, |x| x.clamp(0.0, 0.5)),
    ),
    (
        "concat",
        |[x, other, _]| Tensor::cat(vec![x, other], 1),
        |[x, other, _]| memory_order::concat(vec![x, other]),
    ),
    (
        "pad",
        |[x, ..]| x.pad([(1, 0), (0, 2)], -0.5),
        |[x, ..]| memory_order::pad(x, [[1, 0], [0, 2]], -0.5),
    ),
];

/// Whether channels are innermost, then columns, rows and images; with gaps, as a part of a concatenation has.
fn in_order(images: Tensor<4>) -> bool {
    let [_, c, h, w] = images.dims();
    let images = primitive(images);
    let [image, channel, row, column] = images.meta.strides()[..] else {
        unreachable!("of rank 4")
    };
    channel == 1 && column >= c && row >= w * column && image >= h * row
}

struct Ran {
    /// Whether the result and the gradients of the first two images, if it has any, are [`in_order`].
    in_order: Vec<bool>,
    /// The same, as `[N,C,H,W]`.
    values: Vec<Vec<f32>>,
}

/// Runs an op on images that lie so, and its gradient from one that lies as its result should.
fn run(device: &Device, layout: Layout, op: Op) -> Ran {
    let mut random = Random::new(21);
    let n = DIMS.iter().product();
    let [x, other] = [(), ()].map(|()| images(device, &noise(&mut random, n), DIMS, layout));
    let (x, other) = (x.require_grad(), other.require_grad());
    // Of one pixel, so that it lies both ways.
    let by = images(device, &noise(&mut random, n), DIMS, Layout::ChannelsFirst);
    let y = op([x.clone(), other.clone(), scale(&by)]);
    let dims = y.dims();
    let dy = noise(&mut random, dims.iter().product());
    // The gradient of a product with `dy` lies as `dy` does where the product is taken in that order: burn makes
    // that of the sum behind it contiguous.
    let order = match layout {
        Layout::ChannelsFirst => [0, 1, 2, 3],
        Layout::ChannelsLast => [0, 2, 3, 1],
    };
    let dy = images(device, &dy, dims, layout).permute(order);
    let gradients = (y.clone().permute(order) * dy).sum().backward();
    let all = [Some(y.inner()), x.grad(&gradients), other.grad(&gradients)];
    let all: Vec<_> = all.into_iter().flatten().collect();
    Ran {
        in_order: all.iter().cloned().map(in_order).collect(),
        values: (all.into_iter())
            .map(|tensor| tensor.into_data().try_into_vec().expect("f32"))
            .collect(),
    }
}

#[track_caller]
fn assert_equal(what: &str, one: &Ran, other: &Ran) {
    assert_eq!(one.values.len(), other.values.len(), "{what}");
    for (one, other) in one.values.iter().zip(&other.values) {
        assert_same_bits(what, one, other);
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn burns_sums_and_products_keep_the_order() {
    let device = open().autodiff();
    for (name, op) in KEPT {
        let last = run(&device, Layout::ChannelsLast, op);
        assert!(
            !last.in_order.contains(&false),
            "{name}: {:?}",
            last.in_order
        );
        assert_equal(name, &last, &run(&device, Layout::ChannelsFirst, op));
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn ours_keep_the_order_where_burns_do_not() {
    let device = open().autodiff();
    for (name, burns, ours) in OURS {
        let kept = run(&device, Layout::ChannelsLast, ours);
        assert!(
            !kept.in_order.contains(&false),
            "{name}: {:?}",
            kept.in_order
        );
        let lost = run(&device, Layout::ChannelsLast, burns);
        println!("burn's {name}: {:?}", lost.in_order);
        assert!(
            lost.in_order.contains(&false),
            "burn's {name} keeps it by itself now"
        );
        assert_equal(name, &kept, &lost);
        assert_equal(name, &kept, &run(&device, Layout::ChannelsFirst, ours));
    }
}

/// Where images lie plane after plane nothing is permuted, and of several the order of any that is channels last wins.
#[test]
#[ignore = "needs a Vulkan driver"]
fn images_that_lie_otherwise_stay_so() {
    let device = open();
    let values = noise(&mut Random::new(2), DIMS.iter().product());
    let [first, last] = [Layout::ChannelsFirst, Layout::ChannelsLast]
        .map(|layout| images(&device, &values, DIMS, layout));
    let layout = |images: Tensor<4>| layout_of(&primitive(images));
    let relu = kernels::relu::relu(first.clone());
    assert_eq!(layout(relu), Some(Layout::ChannelsFirst));
    let both = memory_order::concat(vec![first.clone(), last]);
    assert_eq!(layout(both.clone()), Some(Layout::ChannelsLast));
    let twice = memory_order::concat(vec![first.clone(), first]);
    assert_eq!(layout(twice.clone()), Some(Layout::ChannelsFirst));
    let [both, twice] = [both, twice].map(|images| numbers::<4>(primitive(images)));
    assert_same_bits("concat", &both, &twice);
}

/// What is no number stays so, and what is infinite, whichever way it is computed.
#[test]
#[ignore = "needs a Vulkan driver"]
fn relu_of_extremes_is_burns() {
    let device = open();
    let dims = [1, 4, 1, 2];
    let values = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        -0.0,
        1e-30,
        -1e-30,
    ];
    let images = images(&device, &values, dims, Layout::ChannelsLast);
    let ours = numbers::<4>(primitive(kernels::relu::relu(images.clone())));
    let burns = numbers::<4>(primitive(relu(images)));
    let plain = |values: &[f32]| -> Vec<f32> { values.iter().map(|v| v + 0.0).collect() };
    assert_same_bits("extremes", &plain(&ours), &plain(&burns));
}
