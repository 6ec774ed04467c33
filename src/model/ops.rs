//! What a node without weights does to tensors, with gradients where the device keeps them.

use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::module::{adaptive_avg_pool2d, avg_pool2d};
use burn::tensor::ops::AvgPoolOptions;

use crate::kernels::memory_order::{concat, in_memory_order, pad};
use crate::kernels::pool::{global_avg_pool, max_pool};
use crate::kernels::relu::relu;
use crate::kernels::shape::{ConvShape, Geometry};
use crate::kernels::silu::silu;
use crate::network::graph::{Activation, Conv, Graph, Lrn, NodeId, Op, Padding, Pool};
use crate::network::shape::Shape;

/// What is put round an image where a maximum is taken: it never wins, and unlike infinity it stays a number.
const LOWEST: f32 = f32::MIN;

/// The output of a node without weights; of dropout and the like as when nothing is trained.
pub fn apply(op: &Op, inputs: Vec<Tensor<4>>) -> Tensor<4> {
    if matches!(op, Op::Concat) {
        return concat(inputs);
    }
    let mut inputs = inputs.into_iter();
    let mut next = || inputs.next().expect("a node has its inputs");
    let x = next();
    match op {
        Op::Activation(activation) => activate(x, *activation),
        Op::MaxPool(pool) => windows_of_max(x, pool),
        Op::AvgPool(pool) => mean_of_windows(x, pool),
        Op::AdaptiveAvgPool(size) => adaptive_avg_pool2d(x, *size),
        Op::GlobalAvgPool => {
            let [n, c, ..] = x.dims();
            global_avg_pool(x).reshape([n, c, 1, 1])
        }
        Op::Add => x + next(),
        Op::Scale => x * next(),
        Op::Multiply(by) => x * *by,
        Op::Pad(pad) => pad_or_crop(x, *pad),
        Op::Lrn(lrn) => across_channels(x, lrn),
        Op::Flatten => {
            let [n, c, h, w] = x.dims();
            x.reshape([n, c * h * w, 1, 1])
        }
        Op::Dropout(_) | Op::StochasticDepth(_) => x,
        Op::Input(_) | Op::Conv(_) | Op::Norm(_) | Op::Linear(_) | Op::Concat => {
            unreachable!("{op:?} is computed elsewhere")
        }
    }
}

fn activate(x: Tensor<4>, activation: Activation) -> Tensor<4> {
    match activation {
        Activation::Relu => relu(x),
        Activation::Relu6 => in_memory_order(x, |x| x.clamp(0.0, 6.0)),
        Activation::Silu => silu(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => tanh(x),
    }
}

/// What a convolution is apart from its weights, and whether zeros are to be put round the image before it, because
/// the kernels take only as many on each side.
pub fn geometry(conv: &Conv) -> (Geometry, bool) {
    let same = conv.reach().map(|reach| (reach - 1) / 2);
    let each = match conv.padding {
        Padding::Each(each) => Some(each),
        // An odd kernel of stride 1 has as many on each side whatever the size.
        Padding::Same => {
            (conv.stride == 1 && conv.reach().iter().all(|n| n % 2 == 1)).then_some(same)
        }
    };
    let padding = each.filter(|[rows, columns]| rows == columns);
    let geometry = Geometry {
        stride: conv.stride,
        padding: padding.map_or(0, |[rows, _]| rows),
        dilation: conv.dilation,
        groups: conv.groups,
    };
    (geometry, padding.is_none())
}

/// The zeros that stand round an image of that size before a convolution whose kernel does not bring them: above and
/// below, left and right.
#[must_use]
pub fn zeros_around(conv: &Conv, size: [usize; 2]) -> [[usize; 2]; 2] {
    let reach = conv.reach();
    std::array::from_fn(|axis| (conv.padding).around(axis, size[axis], reach[axis], conv.stride))
}

/// A convolution as the kernels see it when `images` images of that shape come; `None` if they do not fit.
#[must_use]
pub fn conv_shape(
    conv: &Conv,
    images: usize,
    [channels, height, width]: Shape,
) -> Option<ConvShape> {
    let (geometry, zeros) = geometry(conv);
    let mut size = [height, width];
    if zeros {
        let around = zeros_around(conv, size);
        size = std::array::from_fn(|axis| size[axis] + around[axis].iter().sum::<usize>());
    }
    let dims = [images, channels, size[0], size[1]];
    ConvShape::of(dims, conv.weight_shape(), geometry)
}

/// Every convolution of a network in the order of its nodes, with its sizes when `images` images of `size` by `size` come;
/// none if that is too small for it.
#[must_use]
pub fn conv_shapes(graph: &Graph, images: usize, size: usize) -> Vec<(NodeId, ConvShape)> {
    let Ok(shapes) = graph.shapes([size; 2]) else {
        return Vec::new();
    };
    let nodes = graph.nodes.iter().enumerate();
    let convs = nodes.filter_map(|(id, node)| match &node.op {
        Op::Conv(conv) => Some((id, conv_shape(conv, images, shapes[node.inputs[0]])?)),
        _ => None,
    });
    convs.collect()
}

/// `[N,C,H,W]` with those zeros.
pub fn with_zeros(x: Tensor<4>, conv: &Conv) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    surrounded(x, zeros_around(conv, [height, width]), 0.0)
}

fn surrounded(x: Tensor<4>, [rows, columns]: [[usize; 2]; 2], value: f32) -> Tensor<4> {
    if [rows, columns] == [[0; 2]; 2] {
        return x;
    }
    pad(x, [rows, columns], value)
}

fn windows_of_max(x: Tensor<4>, pool: &Pool) -> Tensor<4> {
    let Pool { kernel, stride, .. } = *pool;
    if let (Padding::Each([rows, columns]), false) = (pool.padding, pool.ceil)
        && rows == columns
    {
        return max_pool(x, kernel, stride, rows);
    }
    let [_, _, height, width] = x.dims();
    let around = pool.around([height, width]);
    max_pool(surrounded(x, around, LOWEST), kernel, stride, 0)
}

fn mean_of_windows(x: Tensor<4>, pool: &Pool) -> Tensor<4> {
    let mut options = AvgPoolOptions::new([pool.kernel; 2]).with_stride([pool.stride; 2]);
    options.count_include_pad = pool.counts_padding;
    match pool.padding {
        Padding::Each(each) => {
            options.padding = each.map(|n| (n, n));
            options.ceil_mode = pool.ceil;
        }
        Padding::Same => {
            let [_, _, height, width] = x.dims();
            let around = pool.around([height, width]);
            options.padding = around.map(|[before, after]| (before, after));
        }
    }
    avg_pool2d(x, options)
}

fn pad_or_crop(x: Tensor<4>, [top, left, bottom, right]: [isize; 4]) -> Tensor<4> {
    let [n, c, height, width] = x.dims();
    let kept = |size: usize, before: isize, after: isize| {
        (-before).max(0) as usize..size - (-after).max(0) as usize
    };
    let x = x.slice([
        0..n,
        0..c,
        kept(height, top, bottom),
        kept(width, left, right),
    ]);
    let added = |before: isize, after: isize| [before.max(0) as usize, after.max(0) as usize];
    surrounded(x, [added(top, bottom), added(left, right)], 0.0)
}

/// `x / (k + alpha / size * sum of neighbours' squares) ^ beta`.
fn across_channels(x: Tensor<4>, lrn: &Lrn) -> Tensor<4> {
    let [n, c, h, w] = x.dims();
    let before = lrn.size / 2;
    let after = lrn.size - 1 - before;
    let squares = x.clone().powf_scalar(2.0).reshape([n, 1, c, h * w]);
    let squares = squares.pad([(before, after), (0, 0)], 0.0);
    let options = AvgPoolOptions::new([lrn.size, 1]).with_stride([1, 1]);
    let means = avg_pool2d(squares, options).reshape([n, c, h, w]);
    x / (means * lrn.alpha + lrn.k).powf_scalar(lrn.beta)
}
