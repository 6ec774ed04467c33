//! The stages of a network as the page shows them.
//!
//! A stage of the graph is what a training freezes or trains as a whole. So the pool behind the last block belongs to
//! the last stage there, and a stage is called by the first of its layers. Who looks for a `ResNet`'s 2048 planes of 7 by 7
//! pixels, or for `features.2`, finds neither. Here the pool stands by itself, and a name says what else is in the stage.

use std::ops::Range;

use super::fold::{Group, Part, parts};
use crate::network::Graph;
use crate::network::graph::{NodeId, Op};

/// The stem and the stages, in order; the image by itself where there is no stem, and each pool over whole planes at the
/// end of a stage.
#[must_use]
pub fn stages(graph: &Graph) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut start = 0;
    for run in graph.nodes.chunk_by(|a, b| a.stage == b.stage) {
        let end = start + run.len();
        let pool = run.len() > 1 && run[run.len() - 1].op == Op::GlobalAvgPool;
        let nodes = start..end - usize::from(pool);
        let stage = graph.stage_name(run[0].stage);
        groups.push(match &run[0].op {
            Op::Input(_) if run.len() == 1 => alone("image", start),
            _ => Group {
                name: name(graph, stage, nodes.clone()),
                parts: parts(graph, stage, nodes.clone()),
                nodes,
            },
        });
        if pool {
            groups.push(alone("average pool", end - 1));
        }
        start = end;
    }
    groups
}

/// A node by itself, which does not open.
fn alone(name: &str, id: NodeId) -> Group {
    Group {
        name: name.to_owned(),
        nodes: id..id + 1,
        parts: vec![Part::Node(id)],
    }
}

/// What a stage is called: `features.1 to 2` where it holds both, `denseblock1 and transition1`.
fn name(graph: &Graph, stage: &str, nodes: Range<NodeId>) -> String {
    let nodes = &graph.nodes[nodes];
    let names = || nodes.iter().map(|node| node.name.as_str());
    let Some(before) = names().find_map(|name| before(name, stage)) else {
        return stage.to_owned();
    };
    let components = stage.split('.').count();
    // First and last of those that are numbered on.
    let mut runs: Vec<[&str; 2]> = Vec::new();
    for name in names().filter(|name| !name.is_empty()) {
        let name = name.strip_prefix(before).unwrap_or(name);
        let owner = beginning(name, components);
        match runs.last_mut() {
            Some([_, last]) if *last == owner || goes_on(last, owner) => *last = owner,
            _ => runs.push([owner, owner]),
        }
    }
    let words = |[first, last]: &[&str; 2]| match numbered(last) {
        Some((_, number)) if first != last => format!("{first} to {number}"),
        _ => (*first).to_owned(),
    };
    match &runs[..] {
        [one] => words(one),
        [one, other] => format!("{} and {}", words(one), words(other)),
        many => {
            let own = many.iter().find(|run| run[0] == stage);
            format!("{} and more", own.map_or_else(|| stage.to_owned(), words))
        }
    }
}

/// What stands before a stage's name in that of a layer.
fn before<'a>(name: &'a str, stage: &str) -> Option<&'a str> {
    let (before, behind) = name.split_once(stage)?;
    let whole = (before.is_empty() || before.ends_with('.')) && behind.starts_with('.');
    whole.then_some(before)
}

/// So many components of a name.
fn beginning(name: &str, components: usize) -> &str {
    let end = name.match_indices('.').nth(components - 1);
    end.map_or(name, |(at, _)| &name[..at])
}

/// A name and the number at its end.
fn numbered(name: &str) -> Option<(&str, usize)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((stem, name[stem.len()..].parse().ok()?))
}

/// Whether a name has a higher number than the one before it, and nothing else tells them apart.
fn goes_on(last: &str, next: &str) -> bool {
    match (numbered(last), numbered(next)) {
        (Some((one, low)), Some((other, high))) => one == other && low < high,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Arch;
    use crate::ui::anatomy::Anatomy;

    fn names(arch: Arch) -> Vec<String> {
        let stages = stages(&arch.graph()).into_iter();
        stages.map(|stage| stage.name).collect()
    }

    #[test]
    fn a_stage_is_as_large_as_before_the_pool_over_all_of_it() {
        // As printed in table 1 of He et al. 2015, of Huang et al. 2016 and of Szegedy et al. 2015.
        for (arch, name, shape) in [
            (Arch::ResNet50, "layer4", [2048, 7, 7]),
            (Arch::Densenet121, "denseblock4 and norm5", [1024, 7, 7]),
            (Arch::InceptionV3, "Mixed_7", [2048, 8, 8]),
            (Arch::EfficientNetB0, "features.6 to 8", [1280, 7, 7]),
        ] {
            let anatomy = Anatomy::of(arch, arch.row().size).unwrap();
            let [.., stage, pool] = &anatomy.stages[..] else {
                panic!("{arch}");
            };
            let of = |group: &Group| anatomy.shapes[group.nodes.end - 1];
            assert_eq!((stage.name.as_str(), of(stage)), (name, shape), "{arch}");
            assert_eq!(pool.name, "average pool", "{arch}");
            assert_eq!(of(pool), [shape[0], 1, 1], "{arch}");
        }
    }

    #[test]
    fn a_name_says_what_is_in_the_stage() {
        assert_eq!(
            names(Arch::EfficientNetB0),
            [
                "stem",
                "features.1 to 2",
                "features.3",
                "features.4 to 5",
                "features.6 to 8",
                "average pool"
            ]
        );
        assert_eq!(
            names(Arch::ResNet18)[1..5],
            ["layer1", "layer2", "layer3", "layer4"]
        );
        assert_eq!(names(Arch::Densenet121)[1], "denseblock1 and transition1");
        assert_eq!(
            names(Arch::NasNetALarge)[3],
            "reduction_cell_0 and cell_6 to 11"
        );
        assert_eq!(names(Arch::Xception)[5], "block12 and more");
        assert_eq!(names(Arch::GoogLeNet)[1], "inception3");
    }

    #[test]
    fn where_there_is_no_stem_the_image_stands_by_itself() {
        assert_eq!(names(Arch::Vgg16)[..2], ["image", "block1"]);
        assert_eq!(
            names(Arch::LeNet5),
            ["image", "conv1", "conv2", "conv3", "average pool", "fc1"]
        );
        for arch in Arch::ALL {
            let stages = stages(&arch.graph());
            let image = &stages[0];
            assert_eq!(image.nodes.len() == 1, image.name == "image", "{arch}");
        }
    }

    #[test]
    fn what_excites_a_block_is_no_pool_of_its_own() {
        for arch in Arch::ALL {
            let names = names(*arch);
            let pools = names.iter().filter(|name| *name == "average pool");
            assert!(pools.count() <= 1, "{arch}: {names:?}");
        }
    }
}
