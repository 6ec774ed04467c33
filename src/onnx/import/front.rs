//! What stands before the first layer: images on their way to the tensor that a network takes. Each channel is a
//! channel of the image times a number, plus a number; that is read as the network's normalisation.

use super::constant::Const;
use super::node::{Fault, View, counted, unknown};

/// What an axis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Batch,
    Channel,
    Height,
    Width,
}

/// A channel: a channel of the image, times, plus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Affine {
    pub source: usize,
    pub times: f64,
    pub plus: f64,
}

/// Images, somehow normalised.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Front {
    pub axes: Vec<Axis>,
    pub channels: Vec<Affine>,
    /// Rows and columns, where they are known.
    pub size: [Option<usize>; 2],
    /// Images in the batch.
    pub batch: usize,
    /// Whether they were resized within the network.
    pub resized: bool,
}

/// What a channel that was normalised is hardly added or multiplied by.
const FAR: f64 = 10.0;

/// Most rows and columns of an image.
pub(super) const MOST_SIZE: usize = 4096;

impl Front {
    /// What goes into a network, by its sizes; those of any number are none.
    ///
    /// # Errors
    /// The reason, if it is no image of three channels.
    pub fn new(sizes: &[Option<i64>]) -> Result<Self, String> {
        use Axis::{Batch, Channel, Height, Width};
        let three = |at: usize| sizes[at] == Some(3);
        let axes = match sizes.len() {
            4 if three(1) || (sizes[1].is_none() && !three(3)) => {
                [Batch, Channel, Height, Width].to_vec()
            }
            4 if three(3) => [Batch, Height, Width, Channel].to_vec(),
            3 if three(2) => [Height, Width, Channel].to_vec(),
            3 if three(0) => [Channel, Height, Width].to_vec(),
            _ => {
                let shown: Vec<String> = sizes
                    .iter()
                    .take(8)
                    .map(|n| n.map_or_else(|| "?".into(), |n| n.to_string()))
                    .collect();
                return Err(format!(
                    "takes [{}], and here networks take images of three channels",
                    shown.join(",")
                ));
            }
        };
        let size = |axis: Axis| {
            let at = axes.iter().position(|a| *a == axis)?;
            let size = usize::try_from(sizes[at]?).ok()?;
            (1..=MOST_SIZE).contains(&size).then_some(size)
        };
        let channel = |source| Affine {
            source,
            times: 1.0,
            plus: 0.0,
        };
        Ok(Self {
            size: [size(Height), size(Width)],
            batch: size(Batch).unwrap_or(1),
            channels: (0..3).map(channel).collect(),
            axes,
            resized: false,
        })
    }

    /// The sizes of its axes, as far as all of them are known.
    pub fn sizes(&self) -> Option<Vec<usize>> {
        let size = |axis: &Axis| match axis {
            Axis::Batch => Some(self.batch),
            Axis::Channel => Some(self.channels.len()),
            Axis::Height => self.size[0],
            Axis::Width => self.size[1],
        };
        self.axes.iter().map(size).collect()
    }

    fn place(&self, axis: Axis) -> Option<usize> {
        self.axes.iter().position(|a| *a == axis)
    }

    /// What a node makes of it, if that is still an image; nothing if a layer of the network begins here.
    ///
    /// # Errors
    /// If it is neither.
    pub fn after(&self, view: &View<'_>) -> Result<Option<Self>, Fault> {
        let mut out = self.clone();
        let rank = self.axes.len();
        match view.op() {
            "Identity" | "Cast" | "Dropout" => {}
            "Transpose" => {
                let order = view
                    .ints("perm")
                    .unwrap_or(&[])
                    .iter()
                    .map(|axis| counted(*axis, rank));
                let order: Option<Vec<usize>> = order.collect();
                let mut sorted = order.clone().unwrap_or_default();
                sorted.sort_unstable();
                let Some(order) = order.filter(|_| sorted == (0..rank).collect::<Vec<_>>()) else {
                    return unknown("of images");
                };
                out.axes = order.iter().map(|at| self.axes[*at]).collect();
            }
            "Unsqueeze" => {
                let new = [Axis::Batch, Axis::Channel]
                    .into_iter()
                    .find(|axis| self.place(*axis).is_none());
                let (Some(new), [at]) = (new, &view.new_axes(rank)?[..]) else {
                    return unknown("of images");
                };
                out.axes.insert(*at, new);
            }
            "Squeeze" if view.axes(1, rank)? == self.place(Axis::Batch).map(|at| vec![at]) => {
                out.axes.retain(|axis| *axis != Axis::Batch);
            }
            "Gather" => {
                let axis = counted(view.int("axis", 0), rank);
                let index = view
                    .constant(1)
                    .filter(|c| c.shape.is_empty())
                    .and_then(Const::as_ints);
                let at = index.and_then(|index| counted(*index.first()?, self.channels.len()));
                let (Some(at), true) = (at, axis.is_some() && axis == self.place(Axis::Channel))
                else {
                    return unknown("of images");
                };
                out.channels = vec![self.channels[at]];
                out.axes.retain(|axis| *axis != Axis::Channel);
            }
            "Resize" => out.resize(view)?,
            "Add" | "Sub" | "Mul" | "Div" => {
                let first = view.constant(0);
                let Some(other) = first.or(view.constant(1)) else {
                    return Ok(None);
                };
                out.arithmetic(view.op(), other, first.is_some())?;
            }
            _ => return Ok(None),
        }
        Ok(Some(out))
    }

    fn resize(&mut self, view: &View<'_>) -> Result<(), Fault> {
        let rank = self.axes.len();
        let axes = view
            .axes(usize::MAX, rank)?
            .unwrap_or_else(|| (0..rank).collect());
        let Some(sizes) = view
            .constant(3)
            .and_then(Const::as_ints)
            .filter(|s| s.len() == axes.len())
        else {
            return unknown("of images to what is no fixed size");
        };
        for (axis, size) in axes.into_iter().zip(sizes) {
            let size = usize::try_from(*size)
                .ok()
                .filter(|n| (1..=MOST_SIZE).contains(n));
            let Some(size) = size else {
                return unknown("of images to no size");
            };
            match self.axes[axis] {
                Axis::Height => self.size[0] = Some(size),
                Axis::Width => self.size[1] = Some(size),
                _ => {}
            }
        }
        self.resized = true;
        Ok(())
    }

    fn arithmetic(&mut self, op: &str, by: &Const, reversed: bool) -> Result<(), Fault> {
        let rank = self.axes.len();
        let channel = self.place(Axis::Channel);
        let each = by.len() > 1;
        // Lined up at the last axis.
        let along =
            |at: usize| at + rank == channel.unwrap_or(usize::MAX).saturating_add(by.shape.len());
        let fits = by.shape.len() <= rank
            && by
                .as_floats()
                .is_some_and(|values| values.iter().all(|v| v.is_finite()))
            && by
                .shape
                .iter()
                .enumerate()
                .all(|(at, n)| *n == 1 || (along(at) && *n == self.channels.len()));
        if !fits {
            return unknown("of images and another shape");
        }
        for (at, affine) in self.channels.iter_mut().enumerate() {
            let by = by.at(if each { at } else { 0 }).unwrap_or(0.0);
            let Affine { times, plus, .. } = *affine;
            [affine.times, affine.plus] = match (op, reversed) {
                ("Add", _) => [times, plus + by],
                ("Sub", false) => [times, plus - by],
                ("Sub", true) => [-times, by - plus],
                ("Mul", _) => [times * by, plus * by],
                ("Div", false) if by != 0.0 => [times / by, plus / by],
                _ => return unknown("of images"),
            };
        }
        Ok(())
    }

    /// Several, one behind the other along the channels.
    pub fn concat(parts: &[&Self], axis: i64) -> Result<Self, Fault> {
        let Some(first) = parts.first() else {
            return unknown("of nothing");
        };
        let mut out = (*first).clone();
        let alike = parts
            .iter()
            .all(|part| part.axes == first.axes && part.size == first.size);
        let along = counted(axis, first.axes.len());
        if !alike || along.is_none() || along != first.place(Axis::Channel) || parts.len() > 3 {
            return unknown("of images");
        }
        out.channels = parts
            .iter()
            .flat_map(|part| part.channels.iter().copied())
            .collect();
        if out.channels.len() > 3 {
            return unknown("of images");
        }
        Ok(out)
    }

    /// Whether these are images `[N,3,H,W]`, red first.
    pub fn is_planes(&self) -> bool {
        use Axis::{Batch, Channel, Height, Width};
        self.axes == [Batch, Channel, Height, Width]
            && self.channels.iter().map(|channel| channel.source).eq(0..3)
    }

    /// Mean and deviation of each channel in 0..1, by which the images are normalised. Numbers far below 1 are for
    /// samples up to 255, as `bytes` are for sure, and so is a mean that only those have. None if they are not normalised,
    /// or by numbers that no samples have: then they come normalised, and are brought to something else, as torchvision's
    /// GoogLeNet does.
    pub fn mean_std(&self, bytes: bool) -> Option<([f32; 3], [f32; 3])> {
        let surely = bytes;
        if self.is_plain() && !surely {
            return None;
        }
        if self.channels.len() != 3 || !self.channels.iter().all(|c| c.times > 0.0) {
            return None;
        }
        let small = self.channels.iter().all(|c| c.times < 0.1);
        let far = self.channels.iter().any(|c| c.plus.abs() > FAR);
        let mean_std = |scale: f64| {
            let std = |at: usize| 1.0 / (self.channels[at].times * scale);
            let mean = |at: usize| -self.channels[at].plus * std(at);
            (
                [0, 1, 2].map(|at| tidy(mean(at))),
                [0, 1, 2].map(|at| tidy(std(at))),
            )
        };
        let scales: &[f64] = match (surely || small, far) {
            (true, _) => &[255.0],
            // Caffe's networks take samples up to 255, less their mean.
            (false, true) => &[1.0, 255.0],
            (false, false) => &[1.0],
        };
        let mut found = scales.iter().map(|scale| mean_std(*scale));
        let likely = |(mean, std): &([f32; 3], [f32; 3])| {
            mean.iter().all(|m| (-0.1..1.1).contains(m))
                && std.iter().all(|s| (0.003..1.5).contains(s))
        };
        found.find(|found| surely || likely(found))
    }

    /// Whether they are brought to numbers that no network is given, if they come normalised: then they come as something
    /// that is not known here.
    pub fn is_out_of_range(&self) -> bool {
        self.channels
            .iter()
            .any(|c| c.plus.abs() > FAR || c.times.abs() > FAR)
    }

    /// Whether nothing was done to them.
    pub fn is_plain(&self) -> bool {
        self.channels
            .iter()
            .all(|c| (c.times, c.plus) == (1.0, 0.0))
    }
}

/// Without the noise of a division: six digits are more than anyone writes.
fn tidy(n: f64) -> f32 {
    let rounded = (n * 1e6).round() / 1e6;
    (if (rounded - n).abs() < 1e-6 * n.abs().max(0.1) {
        rounded
    } else {
        n
    }) as f32
}
