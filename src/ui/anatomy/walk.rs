//! From box to box of a drawing with the arrow keys.

use super::scene::{HEADER, Look, Scene, Shape};

/// Where an arrow key leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Way {
    Up,
    Down,
    Left,
    Right,
}

impl Scene {
    /// The box that an arrow key leads to from this one, if there is one.
    #[must_use]
    pub fn next(&self, from: &Shape, way: Way) -> Option<&Shape> {
        let [x, y] = middle(from);
        let (axis, sign) = match way {
            Way::Up => (1, -1.0),
            Way::Down => (1, 1.0),
            Way::Left => (0, -1.0),
            Way::Right => (0, 1.0),
        };
        let cost = |shape: &Shape| {
            let there = middle(shape);
            let away = [there[0] - x, there[1] - y];
            let along = away[axis] * sign;
            // Left and right stay in the row, as far as it goes.
            let across = away[1 - axis].abs() * if axis == 0 { 8.0 } else { 0.5 };
            (along > 1.0).then_some(along + across)
        };
        let costs = self.shapes.iter().filter_map(|s| Some((cost(s)?, s)));
        let nearest = costs.min_by(|a, b| a.0.total_cmp(&b.0))?.1;
        // A box far above or below is no neighbour to the left or right.
        let beside = (middle(nearest)[1] - y).abs() < 2.0 * HEADER;
        (axis == 1 || beside).then_some(nearest)
    }
}

/// The middle of a box, of a frame that of its header.
fn middle(shape: &Shape) -> [f64; 2] {
    let [x, y, width, height] = shape.rect;
    let height = if shape.look == Look::Open {
        HEADER
    } else {
        height
    };
    [x + width / 2.0, y + height / 2.0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Arch;
    use crate::ui::anatomy::Anatomy;

    #[test]
    fn arrows_lead_from_box_to_box() {
        let anatomy = Anatomy::of(Arch::ResNet18, 224).unwrap();
        let scene = Scene::of(&anatomy, &[]);
        let [first, second] = [&scene.shapes[0], &scene.shapes[1]];
        assert_eq!(scene.next(first, Way::Down), Some(second));
        assert_eq!(scene.next(second, Way::Up), Some(first));
        assert_eq!(scene.next(first, Way::Up), None);
        assert_eq!(scene.next(first, Way::Left), None);
        let open = Scene::of(&anatomy, &[first.key]);
        let inside = open.next(&open.shapes[0], Way::Down).unwrap();
        assert_eq!(inside.depth, 1);
    }

    #[test]
    fn every_box_is_reached() {
        for arch in [Arch::InceptionV3, Arch::ResNet50] {
            let anatomy = Anatomy::of(arch, arch.row().size).unwrap();
            let open = anatomy.stages.iter().map(|g| (g.nodes.start, g.nodes.end));
            let scene = Scene::of(&anatomy, &open.collect::<Vec<_>>());
            let mut reached = vec![scene.shapes[0].key];
            let mut at = 0;
            while let Some(key) = reached.get(at) {
                let shape = scene.shapes.iter().find(|s| s.key == *key).unwrap();
                for way in [Way::Up, Way::Down, Way::Left, Way::Right] {
                    let next = scene.next(shape, way).map(|next| next.key);
                    if let Some(next) = next.filter(|next| !reached.contains(next)) {
                        reached.push(next);
                    }
                }
                at += 1;
            }
            assert_eq!(reached.len(), scene.shapes.len(), "{arch}");
        }
    }
}
