//! The self-test: a driver that computes a step wrongly trains garbage, and nothing shows it.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::segments::Segments;
use super::{
    Flat, Gradient, Rule, SegmentStep, average, clip_scale, reference, set_broken, update, usable,
};
use crate::error::{Error, Result};
use crate::kernels::gpu::launch::{Buffer, Gpu};
use crate::kernels::reference::compare::{Tolerance, compare};
use crate::kernels::self_test::{Failure, is_there};
use crate::kernels::to_host;
use crate::random::Random;

/// A single value, ends of blocks, more tensors than a launch gathers.
const LENGTHS: [usize; 8] = [1, 257, 255, 256, 3, 700, 64, 9];

/// Values of a buffer: not all tensors fit one.
const MOST: usize = 1536;

/// What the tests need.
struct Bench {
    device: Device,
    gpu: Gpu,
    segments: Arc<Segments>,
}

/// Tests the kernels by two steps of each rule, with a clipped gradient and an average, and takes them out of use if they
/// fail; returns what is wrong, if anything is.
///
/// # Errors
/// [`Error::Gpu`] if the device fails, as opposed to a kernel.
pub async fn self_test(device: &Device) -> Result<Option<Failure>> {
    let gpu = Gpu::of(device).filter(usable);
    let segments = Segments::new(LENGTHS, MOST);
    let (Some(gpu), Some(segments)) = (gpu, segments) else {
        return Ok(None);
    };
    let bench = Bench {
        device: device.clone(),
        segments: Arc::new(segments),
        gpu,
    };
    let wrong = match bench.test().await {
        Ok(wrong) => wrong,
        // A kernel that the driver does not compile ends here; so does a device that is lost.
        Err(error) => match is_there(device).await {
            Ok(()) => Some(error.to_string()),
            Err(_) => return Err(error),
        },
    };
    set_broken(&bench.gpu, wrong.is_some());
    Ok(wrong.map(|reason| Failure {
        kernel: "optimizer".to_string(),
        reason,
    }))
}

impl Bench {
    async fn test(&self) -> Result<Option<String>> {
        for adam in [true, false] {
            if let Some(wrong) = self.test_rule(adam).await? {
                return Ok(Some(wrong));
            }
        }
        Ok(None)
    }

    /// Two steps, the second from the state that the first left.
    async fn test_rule(&self, adam: bool) -> Result<Option<String>> {
        let [start, gradients] = ["values", "gradient"].map(values);
        let zeros: Vec<Vec<f64>> = LENGTHS.map(|n| vec![0.0; n]).to_vec();
        let common = reference::Adam {
            betas: [0.9, 0.99],
            epsilon: 1e-8,
        };
        let limit = 2.0_f32;
        let all: Vec<&[f32]> = gradients.iter().map(Vec::as_slice).collect();
        let scale = reference::clip_scale(&all, f64::from(limit));
        // The twin.
        let mut expected = [as_f64(&start), zeros.clone(), zeros, as_f64(&start)];
        for _ in 0..2 {
            for (place, gradient) in gradients.iter().enumerate() {
                if let Some(step) = step(place) {
                    let gradient: Vec<f64> = gradient.iter().copied().map(f64::from).collect();
                    let [value, first, second, _] =
                        expected.each_mut().map(|lists| &mut lists[place]);
                    if adam {
                        let lists = [&value[..], &gradient, &first[..], &second[..]];
                        [*value, *first, *second] = reference::adam(common, step, scale, lists);
                    } else {
                        let lists = [&value[..], &gradient, &first[..]];
                        [*value, *first] = reference::sgd(0.9, step, scale, lists);
                    }
                }
                let mean = reference::average(0.8, &expected[3][place], &expected[0][place]);
                expected[3][place] = mean;
            }
        }
        // The kernels.
        let gradient = self.flat(&gradients)?;
        let [mut first, mut second] = [self.zeros()?, self.zeros()?];
        let (mut now, mut mean) = (self.flat(&start)?, self.flat(&start)?);
        let steps: Vec<_> = (0..LENGTHS.len()).map(step).collect();
        for _ in 0..2 {
            let rule = if adam {
                Rule::Adam {
                    betas: common.betas,
                    epsilon: common.epsilon,
                    first: &mut first,
                    second: &mut second,
                }
            } else {
                Rule::Sgd {
                    momentum: 0.9,
                    velocity: &mut first,
                }
            };
            let scale = clip_scale(&gradient, limit);
            let gradient = Gradient {
                values: &gradient,
                scale: &scale,
            };
            now = update(rule, &now, &gradient, &steps);
            // One of them as if it lay elsewhere.
            mean = average(&mean, &now, &[(1, now.part(1))], 0.8);
        }
        // Some ten roundings of numbers of size 1, and a division by a root.
        let tolerance = Tolerance::sum_of(32);
        let names = ["values", "first", "second", "average"];
        for ((name, flat), expected) in names.iter().zip([now, first, second, mean]).zip(&expected)
        {
            for (place, expected) in expected.iter().enumerate() {
                let actual = to_host(flat.part(place).into_tensor::<1>()).await?;
                if let Err(mismatch) = compare(&actual, expected, tolerance) {
                    let rule = if adam { "Adam" } else { "SGD" };
                    return Ok(Some(format!("{rule}, {name} {place}: {mismatch}")));
                }
            }
        }
        Ok(None)
    }

    fn flat(&self, lists: &[Vec<f32>]) -> Result<Flat> {
        let upload = |list: &Vec<f32>| {
            let data = TensorData::new(list.clone(), [list.len()]);
            Buffer::of(&Tensor::<1>::from_data(data, &self.device)).ok_or_else(lost)
        };
        let tensors = lists.iter().map(upload).collect::<Result<Vec<_>>>()?;
        // Padding that is not 0 would count in the norm.
        let mut flat = self.zeros()?;
        flat.gather(&tensors.into_iter().enumerate().collect::<Vec<_>>());
        Ok(flat)
    }

    fn zeros(&self) -> Result<Flat> {
        Flat::zeros(&self.device, &self.segments).ok_or_else(lost)
    }
}

fn lost() -> Error {
    Error::Gpu("the tensors of the self-test are not on the GPU".to_string())
}

/// A step of its own for each tensor, and none for one.
fn step(place: usize) -> Option<SegmentStep> {
    (place != 3).then(|| SegmentStep {
        shrink: 1.0 - 0.01 * (place % 2) as f32,
        decay: 0.1 * (place % 3) as f32,
        rate: 0.1 / (1 + place) as f32,
        root: 0.5,
    })
}

/// Of [-1,1), none of them near 0, where Adam's first steps follow the sign alone.
fn values(purpose: &str) -> Vec<Vec<f32>> {
    let mut random = Random::for_purpose(0, purpose);
    let mut value = |_| {
        let size = 0.1 + 0.9 * random.uniform();
        (if random.below(2) == 0 { size } else { -size }) as f32
    };
    LENGTHS.map(|n| (0..n).map(&mut value).collect()).to_vec()
}

fn as_f64(lists: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let list = |list: &Vec<f32>| list.iter().copied().map(f64::from).collect();
    lists.iter().map(list).collect()
}
