//! Which tensors are the last layers of a network, and whether they can be believed to be all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::Candidate;
use super::{first_few, names};

/// Beginnings of words in the names of layers that self-supervised trainings put in the place of a classifier, or beside
/// one.
const NO_CLASSIFIERS: [&str; 5] = ["proj", "queue", "prototype", "embed", "moco"];

/// Whether the tensor belongs to a loss: weights of classes, centres. A network's answer does not depend on it.
pub(super) fn is_of_loss(name: &str) -> bool {
    let module = name.split('.').next().unwrap_or(name);
    let module = module.to_ascii_lowercase();
    let mut words = module.split('_');
    words.any(|word| matches!(word, "criterion" | "loss"))
}

/// Names of what torchmetrics counts in, as its states are called (`torchmetrics/classification/*.py`, `aggregation.py`).
const COUNTS: [&str; 17] = [
    "confmat",
    "tp",
    "fp",
    "tn",
    "fn",
    "total",
    "correct",
    "measure",
    "mean_value",
    "sum_value",
    "min_value",
    "max_value",
    "value",
    "weight_sum",
    "num_obs",
    "sum_errors",
    "sum_squared_error",
];

/// Whether the tensor is what a metric has counted (`val_cm.confmat`, `train_acc.tp`): no layer, whatever its shape.
pub(super) fn is_of_metric(name: &str) -> bool {
    let mut parts = name.rsplit('.');
    let last = parts.next().unwrap_or(name);
    // At the top of a network of somebody's own `value` may be anything.
    parts.next().is_some() && COUNTS.contains(&last)
}

/// Finds the last layers: below the network's prefix, else in the wrappers around the backbone from the inside out, else
/// in another dict of the file; these join `chosen`. By the names that people give them, else by their shape: the only
/// module beside the backbone that is all matrices and vectors. Gives the numbers of its tensors. `modules` are those of
/// the backbone, `others` the tensors outside it.
pub(super) fn find(
    candidates: &[Candidate<'_>],
    chosen: &mut Vec<(usize, String)>,
    others: &[usize],
    modules: &[&str],
    (group, prefix): &(String, String),
) -> Vec<usize> {
    let inside: Vec<(usize, String)> = chosen
        .iter()
        .filter(|(_, name)| !modules.contains(&name.split('.').next().unwrap_or(name)))
        .cloned()
        .collect();
    let renamed = among(candidates, &inside);
    if !renamed.is_empty() {
        let found = renamed.iter().map(|(i, _)| *i).collect();
        let mut renamed: BTreeMap<usize, String> = renamed.into_iter().collect();
        for (i, name) in chosen {
            if let Some(new) = renamed.remove(i) {
                *name = new;
            }
        }
        return found;
    }
    if !inside.is_empty() {
        // Modules that are not known stand inside the network; the comparison with the model will name them.
        return Vec::new();
    }
    let mut take = |level: Vec<(usize, String)>| -> Option<Vec<usize>> {
        let found = among(candidates, &level);
        let numbers: Vec<usize> = found.iter().map(|(i, _)| *i).collect();
        chosen.extend(found);
        (!numbers.is_empty()).then_some(numbers)
    };
    let usable = || {
        let others = others.iter().map(|i| (*i, &candidates[*i]));
        others.filter(|(_, c)| c.real && !is_of_loss(c.name) && !is_of_metric(c.name))
    };
    let mut wrapper = prefix.trim_end_matches('.');
    while !wrapper.is_empty() {
        wrapper = wrapper.rsplit_once('.').map_or("", |(outer, _)| outer);
        let level = usable()
            .filter(|(_, c)| c.group == group)
            .filter_map(|(i, c)| Some((i, below(c.name, wrapper)?.to_owned())));
        if let Some(found) = take(level.collect()) {
            return found;
        }
    }
    // Another dict: `classifier` beside `encoder`, its tensors called `weight` and `bias`.
    let level = usable().filter(|(_, c)| c.group != group).map(|(i, c)| {
        let own = c.group.rsplit(['.', ']']).next().unwrap_or(c.group);
        (i, format!("{own}.{}", c.name))
    });
    take(level.collect()).unwrap_or_default()
}

/// The name below a wrapper.
fn below<'a>(name: &'a str, wrapper: &str) -> Option<&'a str> {
    if wrapper.is_empty() {
        return Some(name);
    }
    name.strip_prefix(wrapper)?.strip_prefix('.')
}

/// The tensors of one module: their numbers, and their names in it.
type Module<'a> = Vec<(usize, &'a str)>;

/// The head among tensors of one level, with the names that it gets; empty if there is none, or no telling which.
fn among(candidates: &[Candidate<'_>], level: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut modules: BTreeMap<&str, Module<'_>> = BTreeMap::new();
    for (i, name) in level {
        if let Some((module, rest)) = name.split_once('.') {
            modules.entry(module).or_default().push((*i, rest));
        }
    }
    let known: Vec<&str> = modules
        .keys()
        .copied()
        .filter(|m| names::is_head(m))
        .collect();
    if let [module] = known[..] {
        let name = |(i, rest): &(usize, &str)| (*i, format!("{module}.{rest}"));
        return modules[module].iter().map(name).collect();
    }
    if !known.is_empty() {
        return Vec::new();
    }
    // Layers of a Sequential around the backbone: `1.weight`, `3.weight`.
    let numbers: BTreeMap<&str, usize> = modules
        .keys()
        .filter_map(|m| Some((*m, m.parse().ok()?)))
        .collect();
    if numbers.len() == modules.len() && !numbers.is_empty() {
        let small = |module| is_small(candidates, module);
        if !modules.values().all(small) || !modules.values().any(|m| is_linear(candidates, m)) {
            return Vec::new();
        }
        let first = numbers.values().min().copied().unwrap_or_default();
        let alone = numbers.len() == 1;
        let rename = |(module, tensors): (&&str, &Module<'_>)| {
            let head = if alone {
                names::HEAD.to_owned()
            } else {
                format!("{}.{}", names::HEAD, numbers[module] - first)
            };
            let renamed = tensors
                .iter()
                .map(|(i, rest)| (*i, format!("{head}.{rest}")));
            renamed.collect::<Vec<_>>()
        };
        return modules.iter().flat_map(rename).collect();
    }
    let classifier = |module: &str| {
        let module = module.to_ascii_lowercase();
        let mut words = module.split('_');
        !words.any(|word| NO_CLASSIFIERS.iter().any(|no| word.starts_with(no)))
    };
    let mut found = modules
        .iter()
        .filter(|(module, tensors)| classifier(module) && is_linear(candidates, tensors));
    match (found.next(), found.next()) {
        (Some((_, tensors)), None) => {
            let rename = |(i, rest): &(usize, &str)| (*i, format!("{}.{rest}", names::HEAD));
            tensors.iter().map(rename).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a module is all matrices and vectors.
fn is_small(candidates: &[Candidate<'_>], module: &Module<'_>) -> bool {
    module.iter().all(|(i, _)| candidates[*i].shape.len() <= 2)
}

/// Whether a module is made of linear layers. They have a bias; prototypes, centres and ArcFace's weights, which are used
/// otherwise, have none.
fn is_linear(candidates: &[Candidate<'_>], module: &Module<'_>) -> bool {
    let names: BTreeSet<&str> = module.iter().map(|(_, rest)| *rest).collect();
    let matrices = || {
        module
            .iter()
            .filter(|(i, _)| candidates[*i].shape.len() == 2)
    };
    let biased = |rest: &str| {
        let bias = rest
            .strip_suffix("weight")
            .map(|layer| format!("{layer}bias"));
        bias.is_some_and(|bias| names.contains(bias.as_str()))
    };
    is_small(candidates, module)
        && matrices().next().is_some()
        && matrices().all(|(_, rest)| biased(rest))
}

/// Why there is no head to be used, to follow the file's name: the one that was found cannot be believed to be all that
/// stands on the backbone, or what may be one is not known as such. `beside` are the tensors that are passed over. A layer
/// just before or behind the head has a shape that joins it; then the head alone would be given something else than in
/// its training.
pub(super) fn doubt(
    candidates: &[Candidate<'_>],
    chosen: &[(usize, String)],
    head: &[usize],
    beside: &[&Candidate<'_>],
    group: &str,
) -> Option<String> {
    let head: BTreeSet<usize> = head.iter().copied().collect();
    let mut layers: Vec<(Vec<usize>, [usize; 2])> = Vec::new();
    for (i, name) in chosen.iter().filter(|(i, _)| head.contains(i)) {
        let numbers = name
            .split('.')
            .filter_map(|part| part.parse().ok())
            .collect();
        if let &[outputs, inputs] = candidates[*i].shape {
            layers.push((numbers, [outputs, inputs]));
        }
    }
    layers.sort();
    let no_layer = |c: &Candidate<'_>| !c.real || is_of_loss(c.name) || is_of_metric(c.name);
    let (Some((_, [_, inputs])), Some((_, [outputs, _]))) = (layers.first(), layers.last()) else {
        let layer = |c: &&&Candidate<'_>| c.shape.len() == 2 && !no_layer(c);
        let names: Vec<String> = beside.iter().filter(layer).map(|c| c.full_name()).collect();
        return (head.is_empty() && !names.is_empty()).then(|| {
            format!(
                "has layers beside its backbone of which none is known to be the last one alone ({})",
                first_few(&names, 3)
            )
        });
    };
    // A queue of features beside an encoder (MoCo): its last layer is no classifier.
    let self_supervised = |name: &str| name.split('.').any(|part| part == "queue");
    let joins = |c: &&&Candidate<'_>| {
        let before = c.shape.first() == Some(inputs) && !c.is_scalar();
        let behind = c.shape.len() == 2 && c.shape.last() == Some(outputs);
        let elsewhere = c.group == group && is_in_front_or_between(c);
        !no_layer(c) && (before || behind || elsewhere) || self_supervised(c.name)
    };
    let names: Vec<String> = beside.iter().filter(joins).map(|c| c.full_name()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "has tensors that may belong to its last layer or change what goes into the network or comes out of it ({}), so \
             that its last layer is not used",
            first_few(&names, 3)
        )
    })
}

/// Whether the shape or the name is that of a layer in front of a backbone, which gives it three channels (a convolution
/// of one pixel, a batch norm), or of one between it and the head: attention over places or channels, whose convolution
/// has one output, and the power of GeM's pool.
fn is_in_front_or_between(candidate: &Candidate<'_>) -> bool {
    let last = candidate.name.rsplit('.').next().unwrap_or(candidate.name);
    match *candidate.shape {
        [3, 1..=4, _, _] | [1, 1..=2, _, _] | [1, 1, _] => true,
        [3] => matches!(last, "running_mean" | "running_var"),
        _ => candidate.is_scalar() && last == "p",
    }
}

/// Names of what lies beside a network and may be part of what it computes, though its shape joins nothing: a convolution,
/// three numbers for three channels, a number such as a temperature.
pub(super) fn may_be_used(beside: &[&Candidate<'_>], group: &str) -> Vec<String> {
    let may = |c: &&&Candidate<'_>| {
        let layer = c.real && !c.expanded && !is_of_loss(c.name) && !is_of_metric(c.name);
        let by_shape = c.shape.len() >= 3 || *c.shape == [3] || c.is_scalar();
        // Beside the state dict a number is an accuracy or a loss more often than not.
        let scale = ["temperature", "logit_scale"]
            .iter()
            .any(|word| c.name.contains(word));
        layer
            && (if c.group == group {
                by_shape
            } else {
                c.is_scalar() && scale
            })
    };
    beside.iter().filter(may).map(|c| c.full_name()).collect()
}
