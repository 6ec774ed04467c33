//! The sizes of a network's outputs for images of a size.

use super::graph::{Conv, Graph, Node, Op, Padding, Pool};

/// Shape `[C,H,W]` of one image's output.
pub type Shape = [usize; 3];

impl Padding {
    /// Zeros before and after `size` pixels, for a window that reaches over `reach` of them.
    #[must_use]
    pub const fn around(self, axis: usize, size: usize, reach: usize, stride: usize) -> [usize; 2] {
        match self {
            Self::Each(each) => [each[axis]; 2],
            Self::Same => {
                let covered = (size.div_ceil(stride).saturating_sub(1)) * stride + reach;
                let zeros = covered.saturating_sub(size);
                [zeros / 2, zeros - zeros / 2]
            }
        }
    }
}

impl Conv {
    /// Pixels of the image under the kernel, rows and columns.
    #[must_use]
    pub const fn reach(&self) -> [usize; 2] {
        let [rows, columns] = self.kernel;
        [
            self.dilation * (rows - 1) + 1,
            self.dilation * (columns - 1) + 1,
        ]
    }

    /// Rows or columns of the output; none if nothing is left.
    fn output_size(&self, axis: usize, size: usize) -> Option<usize> {
        let reach = self.reach()[axis];
        let [before, after] = self.padding.around(axis, size, reach, self.stride);
        let free = (size + before + after).checked_sub(reach)?;
        Some(free / self.stride + 1)
    }
}

impl Pool {
    /// Rows or columns added before and after the image, and those of the output. What is added after counts a
    /// last window that reaches beyond.
    #[must_use]
    pub fn fit(&self, axis: usize, size: usize) -> Option<([usize; 2], usize)> {
        let Self { kernel, stride, .. } = *self;
        let [before, after] = self.padding.around(axis, size, kernel, stride);
        let free = (size + before + after).checked_sub(kernel)?;
        let floor = free / stride + 1;
        // torch's: a window begins within the image or the zeros before it.
        let one_more = self.ceil && !free.is_multiple_of(stride) && floor * stride < size + before;
        let outputs = floor + usize::from(one_more);
        let covered = (outputs - 1) * stride + kernel;
        Some((
            [before, covered.saturating_sub(size + before).max(after)],
            outputs,
        ))
    }

    /// Rows added above and below, columns left and right of an image of that size; none where no window fits.
    #[must_use]
    pub fn around(&self, size: [usize; 2]) -> [[usize; 2]; 2] {
        let fit = |axis: usize| self.fit(axis, size[axis]);
        [fit(0), fit(1)].map(|fit| fit.map_or([0; 2], |(around, _)| around))
    }
}

impl Graph {
    /// The shape of each node's output for images of that height and width.
    ///
    /// # Errors
    /// The reason, naming the node, where nothing is left or shapes do not fit.
    pub fn shapes(&self, [height, width]: [usize; 2]) -> Result<Vec<Shape>, String> {
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.nodes.len());
        for (id, node) in self.nodes.iter().enumerate() {
            let shape = match node.op {
                Op::Input(channels) => Some([channels, height, width]),
                _ if node.inputs.iter().any(|input| *input >= id) || node.inputs.is_empty() => None,
                _ => output(node, &shapes),
            };
            let fits = shape.filter(|shape| shape.iter().all(|n| *n > 0));
            shapes.push(fits.ok_or_else(|| {
                let takes = node.inputs.iter().filter_map(|input| shapes.get(*input));
                let takes: Vec<String> = takes.map(|shape| format!("{shape:?}")).collect();
                let what = if node.name.is_empty() {
                    format!("node {id}")
                } else {
                    node.name.clone()
                };
                format!("{what} gives nothing for {}", takes.join(" and "))
            })?);
        }
        Ok(shapes)
    }
}

/// The shape of a node's output, from those of the nodes before it; none where they do not fit.
pub(crate) fn output(node: &Node, shapes: &[Shape]) -> Option<Shape> {
    let x = shapes[node.inputs[0]];
    let [c, h, w] = x;
    let pooled = |pool: &Pool| Some([c, pool.fit(0, h)?.1, pool.fit(1, w)?.1]);
    match &node.op {
        Op::Input(_) => None,
        Op::Conv(conv) => {
            let fits = conv.groups > 0
                && conv.input == c
                && c.is_multiple_of(conv.groups)
                && conv.output.is_multiple_of(conv.groups)
                && conv.stride > 0
                && conv.dilation > 0
                && conv.kernel.iter().all(|n| *n > 0);
            let size = |axis| conv.output_size(axis, x[axis + 1]);
            fits.then(|| Some([conv.output, size(0)?, size(1)?]))?
        }
        Op::Norm(norm) => (norm.channels == c).then_some(x),
        Op::Activation(_)
        | Op::Multiply(_)
        | Op::Lrn(_)
        | Op::Dropout(_)
        | Op::StochasticDepth(_) => Some(x),
        Op::MaxPool(pool) | Op::AvgPool(pool) => {
            (pool.kernel > 0 && pool.stride > 0).then(|| pooled(pool))?
        }
        Op::AdaptiveAvgPool([rows, columns]) => Some([c, *rows, *columns]),
        Op::GlobalAvgPool => Some([c, 1, 1]),
        Op::Add => (node.inputs.len() == 2 && shapes[node.inputs[1]] == x).then_some(x),
        Op::Concat => {
            let all = || node.inputs.iter().map(|id| shapes[*id]);
            let fits = all().all(|shape| shape[1..] == x[1..]);
            fits.then(|| [all().map(|shape| shape[0]).sum(), h, w])
        }
        Op::Scale => {
            let factors = node.inputs.get(1).map(|id| shapes[*id]);
            (factors == Some([c, 1, 1])).then_some(x)
        }
        Op::Pad([top, left, bottom, right]) => {
            let size = |size: usize, before: &isize, after: &isize| {
                size.checked_add_signed(*before)?.checked_add_signed(*after)
            };
            Some([c, size(h, top, bottom)?, size(w, left, right)?])
        }
        Op::Flatten => Some([c * h * w, 1, 1]),
        Op::Linear(linear) => (x == [linear.input, 1, 1]).then_some([linear.output, 1, 1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_as_large_as_torchs() {
        // torch.nn.MaxPool2d(3, 2, padding, ceil_mode=ceil) on so many pixels.
        for (size, padding, ceil, expected) in [
            (112, 1, false, 56),
            (112, 0, true, 56),
            (112, 0, false, 55),
            (7, 0, true, 3),
            (6, 0, true, 3),
            (2, 1, true, 2),
        ] {
            let pool = Pool::new(3, 2, padding);
            let pool = if ceil { pool.ceil() } else { pool };
            assert_eq!(
                pool.fit(0, size).unwrap().1,
                expected,
                "{size} {padding} {ceil}"
            );
        }
    }

    #[test]
    fn same_padding_is_tensorflows() {
        let around = |size, reach, stride| Padding::Same.around(0, size, reach, stride);
        assert_eq!(around(224, 3, 2), [0, 1]);
        assert_eq!(around(225, 3, 2), [1, 1]);
        assert_eq!(around(112, 3, 1), [1, 1]);
        assert_eq!(around(56, 5, 2), [1, 2]);
        assert_eq!(around(7, 1, 2), [0, 0]);
    }
}
