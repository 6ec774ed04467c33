//! The part of a backbone that a training changes, and the frozen part before it, which stays a
//! [`Backbone`] on the inner device: its outputs are the inputs of the [`TrainableStages`].

mod layers;
mod random_init;
mod stages;

use burn::tensor::Tensor;

use super::backbone::Backbone;
use crate::config::Scope;
use crate::network::Graph;
use crate::network::shape::Shape;

pub use random_init::random_init;
pub use stages::TrainableStages;

/// Whole stages before what `scope` trains; none if the stem is trained as well.
#[must_use]
pub fn frozen_stages(graph: &Graph, scope: Scope) -> Option<usize> {
    let stages = graph.stage_count();
    match scope {
        Scope::Head => Some(stages),
        Scope::LastStage => Some(stages.saturating_sub(1)),
        Scope::LastTwo => Some(stages.saturating_sub(2)),
        Scope::All => None,
    }
}

/// Whether `scope` trains the nodes of a stage; the stem's is 0.
#[must_use]
pub fn trains(graph: &Graph, scope: Scope, stage: usize) -> bool {
    frozen_stages(graph, scope).is_none_or(|frozen| stage > frozen)
}

/// Shapes `[C,H,W]` of what goes into the trained part for an image of edge `size`; none if the image is too small for
/// the network.
#[must_use]
pub fn input_shapes(graph: &Graph, scope: Scope, size: usize) -> Vec<Shape> {
    let Ok(shapes) = graph.shapes([size; 2]) else {
        return Vec::new();
    };
    match frozen_stages(graph, scope) {
        Some(stages) => (graph.frontier(stages).into_iter())
            .map(|id| shapes[id])
            .collect(),
        None => vec![shapes[0]],
    }
}

/// Values that go into the trained part for an image of edge `size`, in all [`input_shapes`].
#[must_use]
pub fn input_values(graph: &Graph, scope: Scope, size: usize) -> usize {
    let shapes = input_shapes(graph, scope, size).into_iter();
    shapes.map(|shape| shape.iter().product::<usize>()).sum()
}

/// Normalised images `[N,3,S,S]` through what `scope` leaves frozen: `[N,C,H,W]` as [`input_shapes`] says.
#[must_use]
pub fn forward_frozen(backbone: &Backbone, images: Tensor<4>, scope: Scope) -> Vec<Tensor<4>> {
    match frozen_stages(backbone.graph(), scope) {
        Some(stages) => backbone.forward_until(images, stages),
        None => vec![images],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Arch;

    #[test]
    fn the_frozen_parts_output_is_as_torchvision_has_it() {
        let shape = |arch: Arch, scope, size| input_shapes(&arch.graph(), scope, size);
        use Arch::{ResNet18, ResNet50};
        assert_eq!(shape(ResNet18, Scope::LastStage, 224), [[256, 14, 14]]);
        assert_eq!(shape(ResNet18, Scope::LastStage, 150), [[256, 10, 10]]);
        assert_eq!(shape(ResNet50, Scope::LastStage, 224), [[1024, 14, 14]]);
        assert_eq!(shape(ResNet50, Scope::All, 96), [[3, 96, 96]]);
        assert_eq!(shape(ResNet50, Scope::All, 0), [[0; 3]; 0]);
    }
}
