//! From box to box of a drawing by keyboard, as in any tree (<https://www.w3.org/WAI/ARIA/apg/patterns/treeview/>).
//!
//! The way is that of the order in which the network runs, not that of the picture: of branches side by side none is
//! passed over.

use super::scene::{Key, Look, Scene};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Press {
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    Toggle,
}

impl Press {
    /// That of a key, by the name that a browser gives it.
    #[must_use]
    pub fn of(key: &str) -> Option<Self> {
        Some(match key {
            "ArrowUp" => Self::Up,
            "ArrowDown" => Self::Down,
            "ArrowLeft" => Self::Left,
            "ArrowRight" => Self::Right,
            "Home" => Self::Home,
            "End" => Self::End,
            "Enter" | " " => Self::Toggle,
            _ => return None,
        })
    }
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The box opens or closes.
    Toggle,
    /// The focus goes to this one.
    To(Key),
}

impl Scene {
    /// What a key does on a box; nothing at the ends and on a layer that does not open.
    #[must_use]
    pub fn step(&self, from: Key, press: Press) -> Option<Step> {
        let at = self.shapes.iter().position(|shape| shape.key == from)?;
        let shape = &self.shapes[at];
        let to = match (press, shape.look) {
            (Press::Toggle | Press::Right, Look::Closed)
            | (Press::Toggle | Press::Left, Look::Open) => {
                return Some(Step::Toggle);
            }
            (Press::Toggle | Press::Right, Look::Node) => None,
            (Press::Left, _) => {
                let before = self.shapes[..at].iter().rev();
                before.into_iter().find(|other| other.depth < shape.depth)
            }
            (Press::Up, _) => at.checked_sub(1).map(|before| &self.shapes[before]),
            // What is in a frame follows it.
            (Press::Down | Press::Right, _) => self.shapes.get(at + 1),
            (Press::Home, _) => self.shapes.first(),
            (Press::End, _) => self.shapes.last(),
        };
        to.map(|shape| Step::To(shape.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Arch;
    use crate::ui::anatomy::Anatomy;

    #[test]
    fn keys_do_what_they_do_in_a_tree() {
        let anatomy = Anatomy::of(Arch::ResNet18, 224).unwrap();
        let closed = Scene::of(&anatomy, &[]);
        let keys: Vec<Key> = closed.shapes.iter().map(|shape| shape.key).collect();
        let [first, second, .., last] = keys[..] else {
            panic!("{keys:?}")
        };
        let step = |from, press| closed.step(from, press);
        assert_eq!(step(first, Press::Down), Some(Step::To(second)));
        assert_eq!(step(second, Press::Up), Some(Step::To(first)));
        assert_eq!(step(first, Press::Up), None);
        assert_eq!(step(last, Press::Down), None);
        assert_eq!(step(second, Press::Home), Some(Step::To(first)));
        assert_eq!(step(second, Press::End), Some(Step::To(last)));
        assert_eq!(step(second, Press::Right), Some(Step::Toggle));
        assert_eq!(step(second, Press::Left), None);
        for press in [Press::Left, Press::Right, Press::Toggle] {
            assert_eq!(step(last, press), None, "the pool does not open");
        }

        let open = Scene::of(&anatomy, &[second]);
        let child = open.shapes[2];
        assert_eq!(child.depth, 1);
        assert_eq!(open.step(second, Press::Right), Some(Step::To(child.key)));
        assert_eq!(open.step(second, Press::Left), Some(Step::Toggle));
        assert_eq!(open.step(second, Press::Toggle), Some(Step::Toggle));
        let other = open.shapes[3];
        assert_eq!(other.depth, 1);
        assert_eq!(open.step(other.key, Press::Left), Some(Step::To(second)));
    }

    #[test]
    fn every_box_is_reached_from_either_end() {
        for arch in [Arch::InceptionV3, Arch::ResNet50] {
            let anatomy = Anatomy::of(arch, arch.row().size).unwrap();
            let open = anatomy.stages.iter().map(|g| (g.nodes.start, g.nodes.end));
            let scene = Scene::of(&anatomy, &open.collect::<Vec<_>>());
            let shapes = &scene.shapes;
            for (press, first) in [(Press::Down, shapes.first()), (Press::Up, shapes.last())] {
                let mut reached = vec![first.unwrap().key];
                while let Some(Step::To(key)) = scene.step(reached[reached.len() - 1], press) {
                    assert!(!reached.contains(&key), "{arch} {key:?}");
                    reached.push(key);
                }
                assert_eq!(reached.len(), shapes.len(), "{arch}");
            }
        }
    }

    #[test]
    fn keys_are_known_by_their_names() {
        assert_eq!(Press::of("Home"), Some(Press::Home));
        assert_eq!(Press::of(" "), Some(Press::Toggle));
        assert_eq!(Press::of("Tab"), None);
    }
}
