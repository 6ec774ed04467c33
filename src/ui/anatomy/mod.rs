//! What an architecture is made of, for the page to show: its layers by stage with their sums, its drawing, and what it
//! becomes wider, deeper and on finer images.
//!
//! A network is a value without tensors (`crate::network`), so the page builds and measures any of them by itself.

pub mod explorer;
pub mod fold;
pub mod layout;
pub mod rows;
pub mod scaling;
pub mod scene;
pub mod stage;
pub mod walk;
pub mod words;

pub use explorer::{Explore, Explorer};

use std::ops::Range;

use self::fold::Group;
use crate::network::Arch;
use crate::network::graph::{Graph, NodeId, Op};
use crate::network::inspect;
use crate::network::shape::Shape;

/// A network taken apart.
#[derive(Debug, Clone)]
pub struct Anatomy {
    /// Which.
    pub arch: Arch,
    /// The network.
    pub graph: Graph,
    /// The shape of each node's output.
    pub shapes: Vec<Shape>,
    /// The stem, the stages and the pool behind them.
    pub stages: Vec<Group>,
    /// Of the whole.
    pub sums: Sums,
}

/// What several layers have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Rows of the table.
    pub layers: usize,
    /// Of them, convolutions and linear layers.
    pub products: usize,
    /// Of these, those that a shortcut passes through, which papers do not count.
    pub shortcuts: usize,
    /// Trainable values.
    pub parameters: u64,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
}

impl Anatomy {
    /// A network on square images of `size` pixels.
    ///
    /// # Errors
    /// Why there is none, in a sentence: the image is too small, or the network is made for another size.
    pub fn of(arch: Arch, size: usize) -> Result<Self, String> {
        let graph = arch.graph();
        inspect::check_size(&graph, arch.name(), size).map_err(|e| e.to_string())?;
        let mut anatomy = Self {
            arch,
            shapes: graph.shapes([size; 2])?,
            stages: stage::stages(&graph),
            graph,
            sums: Sums::default(),
        };
        anatomy.sums = anatomy.sum(0..anatomy.graph.nodes.len());
        Ok(anatomy)
    }

    /// What these nodes have together.
    #[must_use]
    pub fn sum(&self, nodes: Range<NodeId>) -> Sums {
        let mut sums = Sums::default();
        for (node, shape) in self.graph.nodes[nodes.clone()]
            .iter()
            .zip(&self.shapes[nodes])
        {
            sums.layers += usize::from(!node.name.is_empty());
            let product = matches!(node.op, Op::Conv(_) | Op::Linear(_));
            let shortcut = ["downsample", "skip"]
                .iter()
                .any(|part| node.name.contains(part));
            sums.products += usize::from(product);
            sums.shortcuts += usize::from(product && shortcut);
            sums.parameters += node.parameters();
            sums.multiply_adds += inspect::multiply_adds(&node.op, *shape);
        }
        sums
    }

    /// Their share of all multiply-adds, 0 to 1.
    #[must_use]
    pub fn share(&self, nodes: Range<NodeId>) -> f64 {
        self.sum(nodes).multiply_adds as f64 / self.sums.multiply_adds.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_hold_the_whole_table() {
        for arch in Arch::ALL {
            let anatomy = Anatomy::of(*arch, arch.row().size).unwrap();
            let rows = anatomy.stages.iter();
            let rows = rows.flat_map(|stage| anatomy.rows(stage.nodes.clone()));
            let rows: Vec<_> = rows.filter(|row| row.named).map(|row| row.layer).collect();
            let size = arch.row().size;
            let mut layers = inspect::layers(&anatomy.graph, arch.name(), size).unwrap();
            // A vector is drawn as planes of one pixel.
            layers
                .iter_mut()
                .for_each(|layer| layer.output.resize(3, 1));
            assert_eq!(rows, layers, "{arch}");
            let parameters: u64 = rows.iter().map(|row| row.parameters).sum();
            assert_eq!(parameters, anatomy.sums.parameters, "{arch}");
            let shares = anatomy
                .stages
                .iter()
                .map(|s| anatomy.share(s.nodes.clone()));
            assert!((shares.sum::<f64>() - 1.0).abs() < 1e-9, "{arch}");
        }
    }

    #[test]
    fn a_densenet_has_the_layers_of_its_name() {
        // torchvision.models.densenet121(): 7 978 856 parameters, of which 1 025 000 are the classifier's.
        let sums = Anatomy::of(Arch::Densenet121, 224).unwrap().sums;
        assert_eq!((sums.products, sums.parameters), (120, 6_953_856));
    }

    #[test]
    fn a_resnet_has_the_layers_of_its_name_beside_its_shortcuts_and_head() {
        for (arch, layers) in [
            (Arch::ResNet18, 18),
            (Arch::ResNet34, 34),
            (Arch::ResNet50, 50),
            (Arch::ResNet152, 152),
            (Arch::Plain34, 34),
        ] {
            let sums = Anatomy::of(arch, 224).unwrap().sums;
            assert_eq!(sums.products - sums.shortcuts + 1, layers, "{arch}");
        }
    }

    #[test]
    fn an_image_that_is_too_small_is_said() {
        let why = Anatomy::of(Arch::InceptionV3, 16).unwrap_err();
        assert!(why.contains("16 pixels"), "{why}");
    }
}
