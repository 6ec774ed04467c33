//! What stands in a box of the drawing, and what is said of it.

use super::Anatomy;
use super::fold::{Group, Part};
use super::scene::{Look, Shape};
use crate::network::graph::{NodeId, Op};
use crate::network::inspect::kind;
use crate::ui::text;

/// Letters that fit into the box of a node, and into one to open.
const FIT: [usize; 2] = [24, 31];

/// The words of a box.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// What it is, as long as it fits.
    pub title: String,
    /// The shape of its output.
    pub detail: String,
    /// Its share of the multiply-adds, if it has any.
    pub share: Option<f64>,
    /// All in a sentence, for who hears it.
    pub label: String,
}

/// The words of a box of the drawing.
#[must_use]
pub fn words(anatomy: &Anatomy, shape: &Shape) -> Words {
    let nodes = shape.nodes();
    let share = anatomy.share(nodes.clone());
    let detail = text::shape(&anatomy.shapes[nodes.end - 1]);
    let mut label = match shape.look {
        Look::Node => of_node(anatomy, nodes.start),
        _ => {
            let name = group(&anatomy.stages, shape).map_or("", |group| &group.name);
            let layers = anatomy.sum(nodes.clone()).layers;
            format!("{name}, {}", text::counted(layers, "layer", "layers"))
        }
    };
    let title = match shape.look {
        Look::Node => {
            let alone = anatomy.stages.iter().find(|stage| stage.nodes == nodes);
            let kind = kind(&anatomy.graph.nodes[nodes.start].op);
            begun(alone.map_or(&kind, |stage| &stage.name), FIT[0])
        }
        _ => ended(label.split(',').next().unwrap_or_default(), FIT[1]),
    };
    label = format!("{label}, output {detail}");
    if share > 0.0 {
        label = format!("{label}, {} of the multiply-adds", text::percent(share));
    }
    Words {
        title,
        detail,
        share: (share > 0.0).then_some(share),
        label,
    }
}

/// A layer, its name and, where several come together, which.
fn of_node(anatomy: &Anatomy, id: NodeId) -> String {
    let node = &anatomy.graph.nodes[id];
    let kind = kind(&node.op);
    let named = |id: NodeId| {
        let node = &anatomy.graph.nodes[id];
        if node.name.is_empty() {
            self::kind(&node.op)
        } else {
            node.name.clone()
        }
    };
    match node.op {
        Op::Add | Op::Concat | Op::Scale => {
            let inputs: Vec<String> = node.inputs.iter().map(|input| named(*input)).collect();
            format!("{kind} of {}", inputs.join(" and "))
        }
        _ if node.name.is_empty() => kind,
        _ => format!("{kind}, {}", node.name),
    }
}

/// The group that a box shows.
fn group<'a>(groups: impl IntoIterator<Item = &'a Group>, shape: &Shape) -> Option<&'a Group> {
    let (start, end) = shape.key;
    let around = |group: &&Group| group.nodes.start <= start && end <= group.nodes.end;
    let group = groups.into_iter().find(around)?;
    if group.nodes == (start..end) {
        return Some(group);
    }
    let inside = group.parts.iter().filter_map(|part| match part {
        Part::Group(group) => Some(group),
        Part::Node(_) => None,
    });
    self::group(inside.collect::<Vec<_>>(), shape)
}

/// The beginning of what is too long.
fn begun(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        None => text.to_owned(),
        Some(_) => format!("{}…", text.chars().take(letters - 1).collect::<String>()),
    }
}

/// The end of a name that is too long, which tells it from others: as many of its components as fit.
fn ended(name: &str, letters: usize) -> String {
    let mut rest = name;
    while rest.len() >= letters {
        let Some((_, end)) = rest.split_once('.') else {
            break;
        };
        rest = end;
    }
    if rest.len() == name.len() {
        begun(name, letters)
    } else {
        format!("…{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::Scene;
    use super::*;
    use crate::network::Arch;

    #[test]
    fn boxes_say_what_they_are() {
        let anatomy = Anatomy::of(Arch::ResNet18, 224).unwrap();
        let stage = &anatomy.stages[1];
        let Part::Group(block) = &stage.parts[0] else {
            panic!("a block")
        };
        let open = [stage, block].map(|g| (g.nodes.start, g.nodes.end));
        let scene = Scene::of(&anatomy, &open);
        let all: Vec<Words> = scene.shapes.iter().map(|s| words(&anatomy, s)).collect();
        assert_eq!(all[1].title, "layer1");
        assert_eq!(all[1].detail, "64\u{a0}×\u{a0}56\u{a0}×\u{a0}56");
        assert_eq!(all[2].title, "layer1.0");
        assert!(all[2].label.contains("4 layers, output 64"));
        assert!(all[3].label.starts_with("conv 3x3, layer1.0.conv1, output"));
        let sum = all.iter().find(|words| words.title == "sum").unwrap();
        assert!(
            sum.label.starts_with("sum of layer1.0.bn2 and maxpool"),
            "{}",
            sum.label
        );
        assert_eq!(sum.share, None);
    }

    #[test]
    fn the_pool_at_the_end_is_a_box_of_its_own() {
        let anatomy = Anatomy::of(Arch::ResNet50, 224).unwrap();
        let scene = Scene::of(&anatomy, &[]);
        let [.., stage, pool] = &scene.shapes[..] else {
            panic!("two boxes")
        };
        let [stage, pool] = [stage, pool].map(|shape| words(&anatomy, shape));
        assert_eq!(stage.title, "layer4");
        assert_eq!(stage.detail, "2048\u{a0}×\u{a0}7\u{a0}×\u{a0}7");
        assert_eq!(pool.title, "average pool");
        assert!(
            pool.label
                .starts_with("global average pool, avgpool, output 2048")
        );
    }

    #[test]
    fn long_names_keep_their_end_and_kinds_their_beginning() {
        assert_eq!(ended("layer1", 6), "layer1");
        assert_eq!(
            ended("features.denseblock1.denselayer1", 31),
            "…denseblock1.denselayer1"
        );
        assert_eq!(ended("reduction_cell_0 and cell_6", 10), "reduction…");
        assert_eq!(begun("conv 3x3", 8), "conv 3x3");
        assert_eq!(begun("conv 3x3, stride 2", 8), "conv 3x…");
    }

    #[test]
    fn every_box_of_every_network_has_words() {
        for arch in [Arch::NasNetALarge, Arch::Densenet121, Arch::LeNet5] {
            let anatomy = Anatomy::of(arch, arch.row().size).unwrap();
            let open = anatomy.stages.iter().map(|g| (g.nodes.start, g.nodes.end));
            let scene = Scene::of(&anatomy, &open.collect::<Vec<_>>());
            let words = scene.shapes.iter().map(|shape| words(&anatomy, shape));
            assert!(words.into_iter().all(|words| !words.title.is_empty()));
        }
    }
}
