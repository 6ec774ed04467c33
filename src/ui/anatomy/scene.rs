//! A network as it is drawn: boxes with words, frames round what is opened, and lines.

use std::fmt::Write as _;
use std::ops::Range;

use super::Anatomy;
use super::fold::{Group, Part};
use super::layout::{Layout, Link, Rect, layered};
use crate::network::graph::NodeId;

/// What a box is known by: the first of its nodes, and the one behind the last; for a single node itself twice.
pub type Key = (NodeId, NodeId);

/// Width and height of the box of a node.
const NODE: [f64; 2] = [168.0, 40.0];
/// Those of one to open.
const CLOSED: [f64; 2] = [216.0, 48.0];
/// Where what is in a frame begins, below its top.
pub const HEADER: f64 = 48.0;
/// Room left and right in a frame.
const SIDE: f64 = 10.0;
/// Round the whole drawing.
const MARGIN: f64 = 2.0;

/// What a box looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A layer.
    Node,
    /// Several, to be opened.
    Closed,
    /// A frame round several.
    Open,
}

/// A box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Of what.
    pub key: Key,
    /// How it looks.
    pub look: Look,
    /// Where it is.
    pub rect: Rect,
    /// In how many frames it is.
    pub depth: usize,
}

impl Shape {
    /// Its nodes.
    #[must_use]
    pub const fn nodes(&self) -> Range<NodeId> {
        let (start, end) = self.key;
        match self.look {
            Look::Node => start..start + 1,
            _ => start..end,
        }
    }
}

/// A drawing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scene {
    /// The boxes in the order in which the network runs, a frame before what is in it.
    pub shapes: Vec<Shape>,
    /// The lines, as the `d` of a path.
    pub lines: Vec<String>,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

impl Scene {
    /// The drawing of a network with these boxes open.
    #[must_use]
    pub fn of(anatomy: &Anatomy, open: &[Key]) -> Self {
        let nodes = &anatomy.graph.nodes;
        let mut last_use = vec![0; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            node.inputs.iter().for_each(|input| last_use[*input] = id);
        }
        if let Some(last) = last_use.last_mut() {
            *last = usize::MAX;
        }
        let parts: Vec<Part> = (anatomy.stages.iter())
            .map(|stage| match stage.nodes.len() {
                1 => Part::Node(stage.nodes.start),
                _ => Part::Group(stage.clone()),
            })
            .collect();
        let drawer = Drawer {
            anatomy,
            open,
            last_use,
        };
        let placed = drawer.place(0..nodes.len(), &parts, true);
        let mut scene = Self {
            width: placed.layout.width + 2.0 * MARGIN,
            height: placed.layout.height + 2.0 * MARGIN,
            ..Self::default()
        };
        scene.put(&placed, [MARGIN; 2], 0);
        scene
    }

    fn put(&mut self, placed: &Placed, [dx, dy]: [f64; 2], depth: usize) {
        for (at, piece) in placed.pieces.iter().enumerate() {
            let [x, y, width, height] = placed.layout.boxes[placed.ports.len() + at];
            let rect = [x + dx, y + dy, width, height];
            self.shapes.push(Shape {
                key: piece.key,
                look: piece.look,
                rect,
                depth,
            });
            if let Some(inner) = &piece.inner {
                let corner = [rect[0] + inner.left, rect[1] + HEADER];
                self.put(inner, corner, depth + 1);
            }
        }
        let lines = placed.layout.lines.iter();
        self.lines.extend(lines.map(|line| path(line, [dx, dy])));
    }
}

/// A straight piece down each layer, a curve between two.
fn path(line: &[[f64; 2]], [dx, dy]: [f64; 2]) -> String {
    let mut d = String::new();
    let mut last = [0.0; 2];
    for (at, [x, y]) in line.iter().enumerate() {
        let (x, y) = (x + dx, y + dy);
        // Writing to a `String` cannot fail.
        let _ = match at {
            0 => write!(d, "M{x:.1} {y:.1}"),
            _ if at % 2 == 1 => write!(d, "V{y:.1}"),
            _ => {
                let half = f64::midpoint(last[1], y);
                write!(
                    d,
                    "C{:.1} {half:.1} {x:.1} {half:.1} {x:.1} {y:.1}",
                    last[0]
                )
            }
        };
        last = [x, y];
    }
    d
}

/// A box of a level, and what is in it if it is open.
struct Piece {
    key: Key,
    look: Look,
    inner: Option<Placed>,
}

/// A level with its boxes placed: first ports, one for each output that comes from outside, then the pieces, then a
/// port for what goes on outside, if anything does.
struct Placed {
    layout: Layout,
    /// The outputs that come from outside.
    ports: Vec<NodeId>,
    pieces: Vec<Piece>,
    /// Where it begins in its frame.
    left: f64,
    /// Width and height of its frame.
    frame: [f64; 2],
}

impl Placed {
    /// Where a box of the level is, right of the middle of the frame.
    fn offset(&self, id: usize) -> f64 {
        let [x, _, width, _] = self.layout.boxes[id];
        self.left + x + width / 2.0 - self.frame[0] / 2.0
    }

    /// Where an output from outside comes in.
    fn enters(&self, source: NodeId) -> f64 {
        self.offset(port_of(&self.ports, source))
    }

    /// Where the outputs leave.
    fn leaves(&self) -> f64 {
        let exit = self.ports.len() + self.pieces.len();
        if exit < self.layout.boxes.len() {
            self.offset(exit)
        } else {
            0.0
        }
    }
}

/// The port of an output from outside.
fn port_of(ports: &[NodeId], source: NodeId) -> usize {
    let port = ports.iter().position(|port| *port == source);
    port.unwrap_or(0)
}

struct Drawer<'a> {
    anatomy: &'a Anatomy,
    open: &'a [Key],
    /// The last node that takes each one's output.
    last_use: Vec<NodeId>,
}

impl Drawer<'_> {
    fn place(&self, nodes: Range<NodeId>, parts: &[Part], top: bool) -> Placed {
        let graph = &self.anatomy.graph;
        let pieces: Vec<Piece> = parts.iter().map(|part| self.piece(part)).collect();
        let mut owner = vec![0; nodes.len()];
        for (at, part) in parts.iter().enumerate() {
            let range = part.nodes();
            owner[range.start - nodes.start..range.end - nodes.start].fill(at);
        }
        let inputs = || graph.nodes[nodes.clone()].iter().flat_map(|n| &n.inputs);
        let mut ports: Vec<NodeId> = Vec::new();
        for input in inputs().filter(|input| **input < nodes.start) {
            if !ports.contains(input) {
                ports.push(*input);
            }
        }
        let first = ports.len();
        let exit = first + pieces.len();
        // One between two boxes; more where the box at the end shows where each output comes in.
        let mut links: Vec<Link> = Vec::new();
        let mut add = |link: Link| {
            if link.from != link.to && !links.contains(&link) {
                links.push(link);
            }
        };
        for (id, node) in graph.nodes[nodes.clone()].iter().enumerate() {
            let to = owner[id];
            let inner = pieces[to].inner.as_ref();
            for input in &node.inputs {
                let (from, leaves) = match input.checked_sub(nodes.start) {
                    Some(input) => {
                        let from = owner[input];
                        let inner = pieces[from].inner.as_ref();
                        (first + from, inner.map_or(0.0, Placed::leaves))
                    }
                    None => (port_of(&ports, *input), 0.0),
                };
                add(Link {
                    from,
                    to: first + to,
                    leaves,
                    enters: inner.map_or(0.0, |inner| inner.enters(*input)),
                });
            }
            if !top && self.last_use[nodes.start + id] >= nodes.end {
                add(Link {
                    from: first + to,
                    to: exit,
                    leaves: inner.map_or(0.0, Placed::leaves),
                    enters: 0.0,
                });
            }
        }
        let port = || std::iter::repeat([8.0, 0.0]);
        let has_exit = links.iter().any(|link| link.to == exit);
        let sizes: Vec<[f64; 2]> = (port().take(first))
            .chain(pieces.iter().map(Piece::size))
            .chain(port().take(usize::from(has_exit)))
            .collect();
        let layout = layered(&sizes, &links);
        let width = (layout.width + 2.0 * SIDE).max(CLOSED[0]);
        Placed {
            left: (width - layout.width) / 2.0,
            frame: [
                width,
                HEADER + layout.height + if has_exit { 0.0 } else { SIDE },
            ],
            layout,
            ports,
            pieces,
        }
    }

    fn piece(&self, part: &Part) -> Piece {
        match part {
            Part::Node(id) => Piece {
                key: (*id, *id),
                look: Look::Node,
                inner: None,
            },
            Part::Group(Group { nodes, parts, .. }) => {
                let key = (nodes.start, nodes.end);
                let open = self.open.contains(&key);
                let inner = open.then(|| self.place(nodes.clone(), parts, false));
                let look = if open { Look::Open } else { Look::Closed };
                Piece { key, look, inner }
            }
        }
    }
}

impl Piece {
    fn size(&self) -> [f64; 2] {
        match (&self.inner, self.look) {
            (Some(inner), _) => inner.frame,
            (None, Look::Node) => NODE,
            (None, _) => CLOSED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Arch;

    fn keys(parts: &[Part], keys: &mut Vec<Key>) {
        for part in parts {
            if let Part::Group(group) = part {
                keys.push((group.nodes.start, group.nodes.end));
                self::keys(&group.parts, keys);
            }
        }
    }

    fn apart(a: &Shape, b: &Shape) -> bool {
        let beside = |axis: usize| {
            a.rect[axis] + a.rect[axis + 2] <= b.rect[axis] + 1e-6
                || b.rect[axis] + b.rect[axis + 2] <= a.rect[axis] + 1e-6
        };
        beside(0) || beside(1)
    }

    #[test]
    fn closed_networks_are_a_row_of_stages() {
        for arch in Arch::ALL {
            let anatomy = Anatomy::of(*arch, arch.row().size).unwrap();
            let scene = Scene::of(&anatomy, &[]);
            assert_eq!(scene.shapes.len(), anatomy.stages.len(), "{arch}");
            assert!(scene.width < 300.0, "{arch} {}", scene.width);
            assert!(scene.lines.len() + 1 >= scene.shapes.len(), "{arch}");
        }
    }

    #[test]
    fn opened_all_the_way_nothing_overlaps() {
        for arch in [
            Arch::ResNet50,
            Arch::Densenet121,
            Arch::EfficientNetB0,
            Arch::InceptionV3,
            Arch::NasNetALarge,
            Arch::Vgg16,
        ] {
            let anatomy = Anatomy::of(arch, arch.row().size).unwrap();
            let mut open = Vec::new();
            for stage in &anatomy.stages {
                open.push((stage.nodes.start, stage.nodes.end));
                keys(&stage.parts, &mut open);
            }
            let scene = Scene::of(&anatomy, &open);
            let nodes: Vec<&Shape> = (scene.shapes.iter())
                .filter(|shape| shape.look == Look::Node)
                .collect();
            assert_eq!(nodes.len(), anatomy.graph.nodes.len(), "{arch}");
            for (at, a) in nodes.iter().enumerate() {
                let near = nodes[..at].iter().rev().take(400);
                assert!(near.into_iter().all(|b| apart(a, b)), "{arch}");
            }
            let edges = (anatomy.graph.nodes.iter()).map(|node| node.inputs.len());
            assert!(scene.lines.len() >= edges.sum::<usize>(), "{arch}");
            for frame in scene.shapes.iter().filter(|s| s.look == Look::Open) {
                let (start, end) = frame.key;
                let inside = nodes.iter().filter(|n| (start..end).contains(&n.key.0));
                for node in inside {
                    let [x, y, width, height] = frame.rect;
                    let [nx, ny, nwidth, nheight] = node.rect;
                    assert!(nx >= x && nx + nwidth <= x + width, "{arch}");
                    assert!(ny >= y + HEADER && ny + nheight <= y + height, "{arch}");
                }
            }
        }
    }

    #[test]
    fn a_residual_block_shows_its_shortcut() {
        let anatomy = Anatomy::of(Arch::ResNet18, 224).unwrap();
        let stage = &anatomy.stages[1];
        let Part::Group(block) = &stage.parts[0] else {
            panic!("a block")
        };
        let key = |group: &Group| (group.nodes.start, group.nodes.end);
        let closed = Scene::of(&anatomy, &[key(stage)]);
        let open = Scene::of(&anatomy, &[key(stage), key(block)]);
        assert_eq!(open.shapes.len(), closed.shapes.len() + 7);
        // In, six between seven nodes, the shortcut, out.
        assert_eq!(open.lines.len(), closed.lines.len() + 9);
    }
}
