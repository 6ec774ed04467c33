//! Max pooling and the global average of images that lie channels last.

use burn::backend::Cube;
use burn::tensor::{Device, Tensor, TensorData};
use retune::kernels::gpu::launch::Layout;
use retune::kernels::pool::autodiff::{PoolKernels, Window, max_pool};
use retune::kernels::pool::average::{AverageKernels, global_average};
use retune::kernels::pool::reference as twin;
use retune::kernels::pool::{self, cpu};
use retune::kernels::reference::compare::Tolerance;
use retune::kernels::shape::PoolShape;
use retune::random::Random;

use super::gpu::poison;
use super::{
    assert_channels_last, assert_close, assert_same_bits, images, noise, numbers, open, primitive,
    wide,
};

/// Kernel, stride and padding: windows that overlap, that meet and that leave gaps.
const WINDOWS: [[usize; 3]; 7] = [
    [1, 1, 0],
    [2, 2, 0],
    [3, 2, 1],
    [3, 1, 1],
    [2, 3, 1],
    [5, 3, 2],
    [16, 5, 8],
];

fn window([kernel, stride, padding]: [usize; 3]) -> Window {
    Window {
        kernel,
        stride,
        padding,
    }
}

fn shape([n, c, h, w]: [usize; 4], [kernel, stride, padding]: [usize; 3]) -> PoolShape {
    PoolShape {
        planes: n * c,
        size: [h, w],
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
    }
}

/// Each result and each gradient to the bit, as both add in the order of the windows.
#[test]
#[ignore = "needs a Vulkan driver"]
fn max_pooling_and_its_gradient_are_the_cpus() {
    let device = open();
    let mut checked = 0;
    for [n, c] in [[1, 4], [3, 20]] {
        for [height, width] in [[2, 1], [1, 7], [5, 3], [9, 11], [16, 14]] {
            for sizes in WINDOWS {
                if sizes[0] > height.min(width) + 2 * sizes[2] {
                    continue;
                }
                checked += 1;
                let dims = [n, c, height, width];
                let what = format!("{dims:?}, window {sizes:?}");
                let shape = shape(dims, sizes);
                let mut random = Random::new(5);
                // Few different values, so that the first of several equals has to win; all negative, so that
                // padding that counted as 0 would.
                let x = noise(&mut random, dims.iter().product());
                let x: Vec<f32> = x.iter().map(|v| (v * 3.0).round() - 9.0).collect();
                let [out_height, out_width] = shape.out_size();
                let out = [n, c, out_height, out_width];
                let dy = noise(&mut random, out.iter().product());

                let (expected, indices) = cpu::forward(&shape, &x);
                let gradient = cpu::backward(&shape, &indices, &dy);
                let on_gpu = |values: &[f32], dims| {
                    primitive(images(&device, values, dims, Layout::ChannelsLast))
                };
                let x = on_gpu(&x, dims);
                let dy = on_gpu(&dy, out);
                let run = || {
                    poison(&device, expected.len());
                    let (y, places) = Cube::pool_forward(x.clone(), window(sizes));
                    assert_channels_last(&what, &y, out);
                    poison(&device, gradient.len());
                    let dx = Cube::pool_backward(x.clone(), places, dy.clone(), window(sizes));
                    assert_channels_last(&what, &dx, dims);
                    [numbers::<4>(y), numbers::<4>(dx)]
                };
                let first = run();
                assert_eq!(first[0], expected, "{what}");
                assert_eq!(first[1], gradient, "{what}: gradient");
                assert_same_bits(&what, &first.concat(), &run().concat());

                // Without a gradient to come.
                let [kernel, stride, padding] = sizes;
                poison(&device, expected.len());
                let x = Tensor::<4>::from_primitive::<Cube>(x.clone());
                let y = primitive(pool::max_pool(x, kernel, stride, padding));
                assert_channels_last(&what, &y, out);
                assert_eq!(numbers::<4>(y), expected, "{what}: without places");
            }
        }
    }
    assert!(checked > 50, "{checked} cases");
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn the_global_average_and_its_gradient_are_the_definitions() {
    let device = open();
    for [n, c] in [[1, 4], [3, 36], [2, 512]] {
        for [height, width] in [[1, 2], [4, 8], [3, 11], [7, 7], [20, 13]] {
            let dims = [n, c, height, width];
            let what = format!("{dims:?}");
            let area = height * width;
            let mut random = Random::new(7);
            let x = noise(&mut random, dims.iter().product());
            let dy = noise(&mut random, n * c);
            let expected = twin::global_avg_pool(n * c, &x);
            let gradient: Vec<f64> = (0..x.len())
                .map(|i| f64::from(dy[i / area]) / area as f64)
                .collect();
            let x = primitive(images(&device, &x, dims, Layout::ChannelsLast));
            let dy = TensorData::new(dy, [n, c]);
            let dy = primitive(Tensor::<2>::from_data(dy, &device));
            let run = || {
                poison(&device, expected.len());
                let y = Cube::average_forward(x.clone());
                poison(&device, gradient.len());
                let dx = Cube::average_backward(x.clone(), dy.clone());
                assert_channels_last(&what, &dx, dims);
                [numbers::<2>(y), numbers::<4>(dx)]
            };
            let first = run();
            let tolerance = Tolerance::sum_of(area).scaled(8.0 / area as f64);
            assert_close(&what, &first[0], &expected, tolerance);
            assert_close(&what, &first[1], &gradient, Tolerance::sum_of(2));
            assert_same_bits(&what, &first.concat(), &run().concat());
            let x = Tensor::<4>::from_primitive::<Cube>(x.clone());
            let y = numbers::<2>(primitive(pool::global_avg_pool(x)));
            assert_same_bits(&what, &first[0], &y);
        }
    }
}

/// What reaches the leaves of a graph, against the CPU's; also of images that lie plane after plane, or whose
/// channels are no whole fours.
#[test]
#[ignore = "needs a Vulkan driver"]
fn pools_through_the_graph_are_the_cpus() {
    let gpu = open().autodiff();
    let cpu = Device::flex().autodiff();
    for (channels, layout) in [
        (8, Layout::ChannelsLast),
        (8, Layout::ChannelsFirst),
        (7, Layout::ChannelsLast),
    ] {
        let dims = [2, channels, 9, 11];
        let mut random = Random::new(9);
        let values = noise(&mut random, dims.iter().product());
        let weights = noise(&mut random, 2 * channels * 5 * 6);
        let run = |device: &Device, layout| {
            let x = images(device, &values, dims, layout).require_grad();
            let y = max_pool(x.clone(), window([3, 2, 1]));
            let weights = images(device, &weights, y.dims(), layout);
            let means = global_average(y * weights);
            let gradients = (means.clone() * means.clone()).sum().backward();
            let dx = x.grad(&gradients).expect("a gradient").into_data();
            let values = |data: TensorData| data.try_into_vec::<f32>().expect("f32");
            [values(means.into_data()), values(dx)]
        };
        let ours = run(&gpu, layout);
        let cpus = run(&cpu, Layout::ChannelsFirst);
        for (ours, cpus) in ours.iter().zip(&cpus) {
            let what = format!("{channels} channels, {layout:?}");
            assert_close(&what, ours, &wide(cpus), Tolerance::sum_of(30));
        }
    }
}
