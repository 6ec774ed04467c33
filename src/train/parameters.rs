//! The numbers of a module as a list, in the order in which burn visits them.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// Every float tensor of a module, flat and without gradients.
pub fn collect(module: &impl Module) -> Vec<Tensor<1>> {
    let mut collector = Collector(Vec::new());
    module.visit(&mut collector);
    collector.0
}

struct Collector(Vec<Tensor<1>>);

impl ModuleVisitor for Collector {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(flat(param.val()));
    }
}

/// The module with other numbers: one flat tensor for each that [`collect`] gives, of as many values.
pub fn replace<M: Module>(module: M, values: Vec<Tensor<1>>) -> M {
    module.map(&mut Replacer(values.into_iter()))
}

struct Replacer(std::vec::IntoIter<Tensor<1>>);

impl ModuleMapper for Replacer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, old, _) = param.consume();
        let new = match self.0.next() {
            Some(values) => like(values, old),
            None => old,
        };
        Param::initialized(id, new)
    }
}

/// A tensor as a list, on the inner device.
pub fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let x = if x.device().is_autodiff() {
        x.inner()
    } else {
        x
    };
    let n = x.dims().iter().product::<usize>();
    x.reshape([n])
}

/// Values in the shape of a tensor, with a gradient of their own if it had one.
pub fn like<const D: usize>(values: Tensor<1>, old: Tensor<D>) -> Tensor<D> {
    let wanted = old.is_require_grad();
    let new = values.reshape(old.dims());
    if old.device().is_autodiff() {
        new.autodiff().set_require_grad(wanted)
    } else {
        new
    }
}
