//! Boxes and lines in layers from top to bottom: each box below all that lead to it, lines round the boxes between.
//!
//! After Sugiyama, Tagawa and Toda 1981: layers by the longest path, order by the mean of the neighbours, then places
//! as near to the neighbours as the order allows.

/// A box: left, top, width, height.
pub type Rect = [f64; 4];

/// Room between boxes side by side.
pub const GAP: f64 = 16.0;
/// Room between layers.
pub const ROW: f64 = 22.0;
/// Room for a line that passes a layer.
const LANE: f64 = 6.0;
/// How often order and places are improved.
const SWEEPS: usize = 8;

/// A line between two boxes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// The box above.
    pub from: usize,
    /// The one below, of a greater number.
    pub to: usize,
    /// Where it leaves, to the right of the middle.
    pub leaves: f64,
    /// Where it arrives, to the right of the middle.
    pub enters: f64,
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    /// The boxes in the given order.
    pub boxes: Vec<Rect>,
    /// The corners of the lines in the given order: pieces straight down, and between them those across.
    pub lines: Vec<Vec<[f64; 2]>>,
    /// Width of all.
    pub width: f64,
    /// Height of all.
    pub height: f64,
}

/// A box, or where a line passes a layer.
struct Cell {
    layer: usize,
    width: f64,
    /// Its middle.
    x: f64,
    above: Vec<usize>,
    below: Vec<usize>,
    lane: bool,
}

/// Places boxes of these widths and heights.
#[must_use]
pub fn layered(sizes: &[[f64; 2]], links: &[Link]) -> Layout {
    let mut layer = vec![0; sizes.len()];
    for to in 0..sizes.len() {
        let above = links.iter().filter(|link| link.to == to);
        let lowest = above.map(|link| layer[link.from] + 1).max();
        layer[to] = lowest.unwrap_or(0);
    }
    let mut cells: Vec<Cell> = (sizes.iter().zip(&layer))
        .map(|(size, layer)| Cell::new(*layer, size[0], false))
        .collect();
    let ways: Vec<Vec<usize>> = links.iter().map(|link| way(&mut cells, link)).collect();
    let mut rows = vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)];
    for (id, cell) in cells.iter().enumerate() {
        rows[cell.layer].push(id);
    }
    for row in &rows {
        settle(&mut cells, row, |_| 0.0);
    }
    for sweep in 0..2 * SWEEPS {
        let down = sweep % 2 == 0;
        let order: Vec<usize> = if down {
            (0..rows.len()).collect()
        } else {
            (0..rows.len()).rev().collect()
        };
        for at in order {
            let wished: Vec<f64> = (rows[at].iter())
                .map(|id| cells[*id].wish(&cells, down))
                .collect();
            if sweep < SWEEPS {
                let ranked = ranked(&wished, &rows[at]);
                rows[at] = ranked.iter().map(|(_, id)| *id).collect();
                settle(&mut cells, &rows[at], |place| ranked[place].0);
            } else {
                settle(&mut cells, &rows[at], |place| wished[place]);
            }
        }
    }
    finish(sizes, links, &cells, &rows, &ways)
}

impl Cell {
    const fn new(layer: usize, width: f64, lane: bool) -> Self {
        Self {
            layer,
            width,
            x: 0.0,
            above: Vec::new(),
            below: Vec::new(),
            lane,
        }
    }

    /// The mean of the neighbours on one side. What is straight stays so: boxes below boxes, lanes below lanes.
    fn wish(&self, cells: &[Self], down: bool) -> f64 {
        let near = if down { &self.above } else { &self.below };
        let weight = |other: &Self| if other.lane == self.lane { 32.0 } else { 1.0 };
        let (mut sum, mut total) = (0.0, 0.0);
        for other in near.iter().map(|id| &cells[*id]) {
            sum += weight(other) * other.x;
            total += weight(other);
        }
        if total > 0.0 { sum / total } else { self.x }
    }
}

/// Cells in the order of where they wish to be. A row is short, and this is a fraction of the library's sort to load.
fn ranked(wished: &[f64], row: &[usize]) -> Vec<(f64, usize)> {
    let mut ranked: Vec<(f64, usize)> = Vec::with_capacity(row.len());
    for (wish, id) in wished.iter().zip(row) {
        let at = ranked.iter().rposition(|other| other.0 <= *wish);
        ranked.insert(at.map_or(0, |at| at + 1), (*wish, *id));
    }
    ranked
}

/// The cells that a line goes through, with those between its ends made anew.
fn way(cells: &mut Vec<Cell>, link: &Link) -> Vec<usize> {
    let mut way = vec![link.from];
    for layer in cells[link.from].layer + 1..cells[link.to].layer {
        way.push(cells.len());
        cells.push(Cell::new(layer, LANE, true));
    }
    way.push(link.to);
    for pair in way.windows(2) {
        cells[pair[0]].below.push(pair[1]);
        cells[pair[1]].above.push(pair[0]);
    }
    way
}

/// Puts the cells of a row as near to where they wish to be as their order and widths allow: least squares, by pooling
/// neighbours that are in each other's way. A lane gives way to a box.
fn settle(cells: &mut [Cell], row: &[usize], wish: impl Fn(usize) -> f64) {
    // Less the room that each needs from the first, places only have to rise.
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(row.len());
    // Place, weight and how many of each pool.
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(row.len());
    for (place, id) in row.iter().enumerate() {
        if place > 0 {
            offset += f64::midpoint(cells[row[place - 1]].width, cells[*id].width) + GAP;
        }
        offsets.push(offset);
        let weight = if cells[*id].lane { 1.0 } else { 32.0 };
        let mut pool = (wish(place) - offset, weight, 1);
        while let Some(last) = pools.pop_if(|last| last.0 > pool.0) {
            let weight = last.1 + pool.1;
            let x = (last.0 * last.1 + pool.0 * pool.1) / weight;
            pool = (x, weight, last.2 + pool.2);
        }
        pools.push(pool);
    }
    let places = (pools.iter()).flat_map(|(x, _, n)| std::iter::repeat_n(*x, *n));
    for ((id, x), offset) in row.iter().zip(places).zip(offsets) {
        cells[*id].x = x + offset;
    }
}

/// Boxes and lines from the places of the cells.
fn finish(
    sizes: &[[f64; 2]],
    links: &[Link],
    cells: &[Cell],
    rows: &[Vec<usize>],
    ways: &[Vec<usize>],
) -> Layout {
    let left = |cell: &Cell| cell.x - cell.width / 2.0;
    let least = cells.iter().map(left).fold(f64::INFINITY, f64::min);
    let least = if least.is_finite() { least } else { 0.0 };
    let right = |cell: &Cell| left(cell) + cell.width - least;
    let width = cells.iter().map(right).fold(0.0, f64::max);
    let (mut tops, mut bottoms) = (Vec::new(), Vec::new());
    let mut y = 0.0;
    for row in rows {
        let heights = row
            .iter()
            .filter_map(|id| sizes.get(*id))
            .map(|size| size[1]);
        tops.push(y);
        y += heights.fold(0.0, f64::max);
        bottoms.push(y);
        y += ROW;
    }
    let boxes = (sizes.iter().zip(cells))
        .map(|([width, height], cell)| [left(cell) - least, tops[cell.layer], *width, *height])
        .collect();
    let line = |(link, way): (&Link, &Vec<usize>)| {
        let mut corners = Vec::new();
        for (place, id) in way.iter().enumerate() {
            let cell = &cells[*id];
            let (x, top, bottom) = (cell.x - least, tops[cell.layer], bottoms[cell.layer]);
            if place == 0 {
                let x = x + link.leaves;
                corners.extend([[x, top + sizes[*id][1]], [x, bottom]]);
            } else if place + 1 == way.len() {
                corners.push([x + link.enters, top]);
            } else {
                corners.extend([[x, top], [x, bottom]]);
            }
        }
        corners
    };
    Layout {
        boxes,
        lines: links.iter().zip(ways).map(line).collect(),
        width,
        height: bottoms.last().copied().unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [f64; 2] = [100.0, 30.0];

    fn link(from: usize, to: usize) -> Link {
        Link {
            from,
            to,
            leaves: 0.0,
            enters: 0.0,
        }
    }

    fn check(sizes: &[[f64; 2]], links: &[Link]) -> Layout {
        let layout = layered(sizes, links);
        for (i, a) in layout.boxes.iter().enumerate() {
            assert!(a[0] >= -1e-9 && a[0] + a[2] <= layout.width + 1e-9);
            assert!(a[1] >= -1e-9 && a[1] + a[3] <= layout.height + 1e-9);
            for b in &layout.boxes[..i] {
                let apart = |axis: usize| {
                    a[axis] + a[axis + 2] <= b[axis] + 1e-9
                        || b[axis] + b[axis + 2] <= a[axis] + 1e-9
                };
                assert!(apart(0) || apart(1), "{a:?} lies over {b:?}");
            }
        }
        assert_eq!(layout.lines.len(), links.len());
        for (link, line) in links.iter().zip(&layout.lines) {
            let [from, to] = [layout.boxes[link.from], layout.boxes[link.to]];
            assert!(from[1] + from[3] < to[1], "order is kept");
            let (first, last) = (line[0], line[line.len() - 1]);
            assert!((first[1] - from[1] - from[3]).abs() < 1e-9);
            assert!((last[1] - to[1]).abs() < 1e-9);
            assert!(line.windows(2).all(|pair| pair[0][1] <= pair[1][1]));
            // Straight pieces, which pass a layer, touch no box.
            for pair in line.chunks_exact(2) {
                let x = pair[0][0];
                for (id, [left, top, width, height]) in layout.boxes.iter().copied().enumerate() {
                    let beside = x < left || x > left + width;
                    let apart = pair[1][1] <= top || pair[0][1] >= top + height;
                    assert!(id == link.from || beside || apart, "a line crosses a box");
                }
            }
        }
        layout
    }

    #[test]
    fn a_chain_stands_straight() {
        let layout = check(&[SIZE; 3], &[link(0, 1), link(1, 2)]);
        assert_eq!(layout.width, 100.0);
        assert_eq!(layout.height, 3.0 * 30.0 + 2.0 * ROW);
        assert_eq!(layout.lines[0], [[50.0, 30.0], [50.0, 30.0], [50.0, 52.0]]);
    }

    #[test]
    fn a_shortcut_goes_round_what_it_skips() {
        let links = [link(0, 1), link(1, 2), link(2, 3), link(0, 3)];
        let layout = check(&[SIZE; 4], &links);
        assert_eq!(layout.lines[3].len(), 7);
        let x = layout.boxes.iter().map(|rect| rect[0]);
        let (low, high) = x.fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
        assert!(high - low < 10.0, "the chain is bent by {}", high - low);
    }

    #[test]
    fn branches_stand_side_by_side() {
        let links = [
            link(0, 1),
            link(0, 2),
            link(2, 3),
            link(0, 4),
            link(1, 5),
            link(3, 5),
            link(4, 5),
        ];
        let layout = check(&[SIZE, SIZE, [40.0, 90.0], SIZE, SIZE, SIZE], &links);
        assert!(
            layout.boxes[1][1] == layout.boxes[2][1] && layout.boxes[2][1] == layout.boxes[4][1]
        );
    }

    #[test]
    fn nothing_has_no_size() {
        assert_eq!(layered(&[], &[]), Layout::default());
    }

    #[test]
    fn any_graph_is_drawn_without_overlaps() {
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        for _ in 0..40 {
            let count = 2 + random(18);
            let sizes: Vec<_> = (0..count)
                .map(|_| [random(200) as f64, random(90) as f64])
                .collect();
            let mut links = Vec::new();
            for to in 1..count {
                for _ in 0..=random(3) {
                    links.push(link(random(to), to));
                }
            }
            check(&sizes, &links);
        }
    }
}
