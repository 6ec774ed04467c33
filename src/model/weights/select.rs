//! Which of a file's tensors are the network: whatever wrapper it was trained in put a prefix before the names and
//! other things beside them. Found by matching, not by a list of wrappers: a family is known by the tensor of its
//! first convolution, see [`names::mark`], and what stands before that tensor's name is the prefix.

use std::collections::BTreeMap;

use super::convert::is_counter;
use super::{first_few, names};
use crate::config::Family;

/// A tensor by name and shape.
pub(super) struct Candidate<'a> {
    /// Where its dict lies in the file: `state_dict`; empty at the top.
    pub group: &'a str,
    pub name: &'a str,
    pub shape: &'a [usize],
}

/// What was chosen.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Numbers of the tensors that belong to the network, with their names in it.
    pub tensors: Vec<(usize, String)>,
    /// What the user should know, a sentence each, to follow the file's name.
    pub warnings: Vec<String>,
}

/// Words in the place of weights that are a copy made for another purpose.
const COPIES: [&str; 9] = [
    "ema", "swa", "teacher", "target", "momentum", "shadow", "average", "averaged", "avg",
];

/// Names of the last layer, as wrappers call it.
const HEADS: [&str; 9] = [
    "fc",
    "classifier",
    "head",
    "heads",
    "linear",
    "last_linear",
    "cls_head",
    "classification_head",
    "output",
];

/// Fewer tensors than any backbone has: a ResNet-18 has 100.
const SMALLEST: usize = 20;

/// Most networks that a file is searched for.
const MOST: usize = 64;

/// A network in the file: its group, and the prefix of its names there.
type Place = (String, String);

/// Chooses the network.
///
/// # Errors
/// The reason, to follow the file's name: there are two networks in it.
pub(super) fn select(candidates: &[Candidate<'_>]) -> Result<Selection, String> {
    let mut places: BTreeMap<Place, usize> = BTreeMap::new();
    for candidate in candidates {
        if let Some((prefix, _)) = prefix(candidate) {
            places.insert((candidate.group.to_owned(), prefix.to_owned()), 0);
        }
    }
    if places.len() > MOST {
        return Err(format!(
            "holds {} networks, and it is unclear which one is meant",
            places.len()
        ));
    }
    for ((group, prefix), count) in &mut places {
        let within = candidates.iter();
        *count = within
            .filter(|c| c.group == group && c.name.starts_with(prefix.as_str()))
            .count();
    }
    let mut found: Vec<(Place, usize)> = places.into_iter().collect();
    let Some(most) = found.iter().map(|(_, count)| *count).max() else {
        return Ok(without_backbone(candidates));
    };
    // A detail that looks like a first convolution is far smaller than any network.
    found.retain(|(_, count)| *count >= SMALLEST.min(most));
    let all: Vec<Place> = found.iter().map(|(place, _)| place.clone()).collect();
    let (copies, mut networks): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(place, _)| is_copy(place));
    let mut warnings = Vec::new();
    if networks.is_empty() {
        networks.clone_from(&copies);
        if networks.len() == 1 {
            warnings.push(format!(
                "holds averaged weights only ({})",
                shown(&networks[0].0)
            ));
        }
    } else if !copies.is_empty() {
        let others: Vec<_> = copies.iter().map(|(place, _)| shown(place)).collect();
        warnings.push(format!(
            "also holds {}, which is passed over for {}",
            others.join(", "),
            shown(&networks[0].0)
        ));
    }
    if networks.len() > 1 {
        let list: Vec<_> = networks.iter().map(|(place, _)| shown(place)).collect();
        return Err(format!(
            "holds {} networks ({}), and it is unclear which one is meant; in Python, save the one: \
             torch.save(model.state_dict(), 'weights.pth')",
            networks.len(),
            list.join(", ")
        ));
    }
    let place = networks.swap_remove(0).0;
    Ok(within(candidates, &place, &all, warnings))
}

/// The tensors below a prefix, and the head where a wrapper keeps it beside the backbone. `networks` are the places of
/// all networks in the file.
fn within(
    candidates: &[Candidate<'_>],
    (group, prefix): &Place,
    networks: &[Place],
    warnings: Vec<String>,
) -> Selection {
    let mut selection = Selection {
        tensors: Vec::new(),
        warnings,
    };
    let other_network = |c: &Candidate<'_>| {
        let mut places = networks.iter();
        places.any(|place| place.0 == c.group && place.1 != *prefix && c.name.starts_with(&place.1))
    };
    let mut others = Vec::new();
    for (i, candidate) in candidates.iter().enumerate() {
        if candidate.group != *group {
            continue;
        }
        match candidate.name.strip_prefix(prefix.as_str()) {
            Some(name) if is_of_loss(name) => others.push((i, candidate)),
            Some(name) => selection.tensors.push((i, name.to_owned())),
            None => others.push((i, candidate)),
        }
    }
    let own = candidates.iter().find_map(|c| {
        let first = c.group == *group && self::prefix(c).is_some_and(|(found, _)| found == prefix);
        first.then(|| self::prefix(c))?
    });
    let modules = own.map_or(&[][..], |(_, mark)| names::top_modules(mark));
    let head = find_head(candidates, &mut selection, &others, modules, prefix);
    others.retain(|(i, _)| !head.contains(i));
    let passed = others
        .iter()
        .filter(|(_, candidate)| !candidate.shape.is_empty() && !is_counter(candidate.name));
    let passed: Vec<&Candidate<'_>> = passed.map(|(_, candidate)| *candidate).collect();
    if !passed.is_empty() {
        let names: Vec<&str> = passed.iter().map(|c| c.name).collect();
        selection.warnings.push(format!(
            "holds tensors beside the network that are passed over: {}",
            first_few(&names, 3)
        ));
    }
    let beside = passed.iter().filter(|c| !other_network(c));
    let shapes: Vec<&[usize]> = head.iter().map(|i| candidates[*i].shape).collect();
    let between: Vec<&str> = beside
        .filter(|c| may_join(c.shape, &shapes))
        .map(|c| c.name)
        .collect();
    if !between.is_empty() {
        selection.warnings.push(format!(
            "has tensors that by their shape may stand before or behind its last layer ({}), which is therefore \
             not used",
            first_few(&between, 3)
        ));
        selection.tensors.retain(|(i, _)| !head.contains(i));
    }
    selection
}

/// Finds the last layers: below the prefix, else in the wrappers around the backbone from the inside out, where
/// they join the selection. By the names that people give them, else by their shape: the only module beside the
/// backbone that is all matrices and vectors. Gives the numbers of its tensors.
fn find_head(
    candidates: &[Candidate<'_>],
    selection: &mut Selection,
    others: &[(usize, &Candidate<'_>)],
    modules: &[&str],
    prefix: &str,
) -> Vec<usize> {
    let inside: Vec<(usize, &str)> = selection
        .tensors
        .iter()
        .map(|(i, n)| (*i, n.as_str()))
        .collect();
    let inside = inside.into_iter().filter(|(_, name)| {
        let module = name.split('.').next().unwrap_or(name);
        !modules.contains(&module)
    });
    let inside: Vec<(usize, &str)> = inside.collect();
    let renamed = head_among(candidates, &inside);
    if !renamed.is_empty() {
        let found: Vec<usize> = renamed.iter().map(|(i, _)| *i).collect();
        for (i, name) in renamed {
            if let Some(tensor) = selection.tensors.iter_mut().find(|(at, _)| *at == i) {
                tensor.1 = name;
            }
        }
        return found;
    }
    if !inside.is_empty() {
        // Modules that are not known stand inside the network; the comparison with the model will name them.
        return Vec::new();
    }
    let mut wrapper = prefix.trim_end_matches('.');
    while !wrapper.is_empty() {
        wrapper = wrapper.rsplit_once('.').map_or("", |(outer, _)| outer);
        let level: Vec<(usize, &str)> = others
            .iter()
            .filter(|(_, c)| !is_of_loss(c.name))
            .filter_map(|(i, c)| Some((*i, below(c.name, wrapper)?)))
            .collect();
        let found = head_among(candidates, &level);
        if !found.is_empty() {
            let numbers = found.iter().map(|(i, _)| *i).collect();
            selection.tensors.extend(found);
            return numbers;
        }
    }
    Vec::new()
}

/// The head among tensors of one level, with the names that it gets; empty if there is none, or no telling which.
fn head_among(candidates: &[Candidate<'_>], level: &[(usize, &str)]) -> Vec<(usize, String)> {
    let mut modules: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for &(i, name) in level {
        if let Some((module, rest)) = name.split_once('.') {
            modules.entry(module).or_default().push((i, rest));
        }
    }
    let named = |(module, tensors): (&str, &Vec<(usize, &str)>)| {
        let name = |(i, rest): &(usize, &str)| (*i, format!("{module}.{rest}"));
        tensors.iter().map(name).collect::<Vec<_>>()
    };
    let known: Vec<&str> = modules
        .keys()
        .copied()
        .filter(|m| HEADS.contains(m))
        .collect();
    if let [module] = known[..] {
        return named((module, &modules[module]));
    }
    if !known.is_empty() {
        return Vec::new();
    }
    // Layers of a Sequential around the backbone: `1.weight`, `3.weight`.
    let number = |module: &str| module.parse::<usize>().ok();
    let numbers: Vec<usize> = modules.keys().filter_map(|m| number(m)).collect();
    let small = |tensors: &Vec<(usize, &str)>| {
        let mut tensors = tensors.iter();
        tensors.all(|(i, _)| candidates[*i].shape.len() <= 2)
    };
    // Linear layers have a bias; prototypes, centres and ArcFace's weights, which are used otherwise, have none.
    let linear = |tensors: &Vec<(usize, &str)>| {
        let biased = |rest: &str| {
            let bias = rest
                .strip_suffix("weight")
                .map(|module| format!("{module}bias"));
            bias.is_some_and(|bias| tensors.iter().any(|(_, other)| *other == bias))
        };
        let matrices = || {
            tensors
                .iter()
                .filter(|(i, _)| candidates[*i].shape.len() == 2)
        };
        small(tensors) && matrices().next().is_some() && matrices().all(|(_, rest)| biased(rest))
    };
    if numbers.len() == modules.len() && !numbers.is_empty() {
        if !modules.values().any(linear) || !modules.values().all(small) {
            return Vec::new();
        }
        let first = numbers.iter().min().copied().unwrap_or_default();
        let rename = |(module, tensors): (&&str, &Vec<(usize, &str)>)| {
            let at = number(module).unwrap_or_default() - first;
            let head = match numbers.len() {
                1 => names::HEAD.to_owned(),
                _ => format!("{}.{at}", names::HEAD),
            };
            let renamed = tensors
                .iter()
                .map(|(i, rest)| (*i, format!("{head}.{rest}")));
            renamed.collect::<Vec<_>>()
        };
        return modules.iter().flat_map(rename).collect();
    }
    let mut found = modules.iter().filter(|(_, tensors)| linear(tensors));
    match (found.next(), found.next()) {
        (Some((_, tensors)), None) => {
            let rename = |(i, rest): &(usize, &str)| (*i, format!("{}.{rest}", names::HEAD));
            tensors.iter().map(rename).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a tensor of this shape may be part of a layer just before or behind a head of these shapes: then the head
/// alone would be given something else than in its training.
fn may_join(shape: &[usize], head: &[&[usize]]) -> bool {
    let matrices = || {
        head.iter().filter_map(|shape| match shape {
            [outputs, inputs] => Some((*outputs, *inputs)),
            _ => None,
        })
    };
    // Inputs that no layer of the head gives, and outputs that none takes.
    let mut inputs = matrices().map(|(_, inputs)| inputs);
    let mut outputs = matrices().map(|(outputs, _)| outputs);
    let before = inputs.any(|n| !matrices().any(|(o, _)| o == n) && shape.first() == Some(&n));
    let behind = outputs
        .any(|n| !matrices().any(|(_, i)| i == n) && shape.len() == 2 && shape.last() == Some(&n));
    before || behind
}

/// Whether the tensor belongs to a loss: weights of classes, centres. A network's answer does not depend on it.
fn is_of_loss(name: &str) -> bool {
    let module = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let mut words = module.split('_');
    words.any(|word| matches!(word, "criterion" | "loss"))
}

/// A file without a backbone: a head alone, or nothing known. What all names share, they lose.
fn without_backbone(candidates: &[Candidate<'_>]) -> Selection {
    let largest = candidates
        .iter()
        .fold(BTreeMap::<&str, usize>::new(), |mut sizes, c| {
            *sizes.entry(c.group).or_default() += 1;
            sizes
        });
    let group = largest.into_iter().max_by_key(|(_, count)| *count);
    let group = group.map_or("", |(group, _)| group);
    let mut chosen: Vec<(usize, &str)> = candidates
        .iter()
        .enumerate()
        .filter(|(_, c)| c.group == group)
        .map(|(i, c)| (i, c.name))
        .collect();
    while let Some((first, _)) = chosen.first().and_then(|(_, name)| name.split_once('.')) {
        let shared = |name: &str| {
            let rest = name
                .strip_prefix(first)
                .and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| rest.contains('.'))
        };
        if HEADS.contains(&first) || !chosen.iter().all(|(_, name)| shared(name)) {
            break;
        }
        for (_, name) in &mut chosen {
            *name = &name[first.len() + 1..];
        }
    }
    let tensors = chosen
        .into_iter()
        .map(|(i, name)| (i, name.to_owned()))
        .collect();
    Selection {
        tensors,
        warnings: Vec::new(),
    }
}

/// What stands before the name, and the name, if this is the first convolution of a family: the one on three channels.
fn prefix<'a>(candidate: &Candidate<'a>) -> Option<(&'a str, &'static str)> {
    let &[_, 3, _, _] = candidate.shape else {
        return None;
    };
    let known = Family::ALL
        .map(names::mark)
        .into_iter()
        .chain(names::OTHER_MARKS);
    // The longest name: `features.0.0.weight` ends in `0.0.weight` too.
    known
        .filter_map(|mark| {
            let prefix = candidate.name.strip_suffix(mark)?;
            (prefix.is_empty() || prefix.ends_with('.')).then_some((prefix, mark))
        })
        .min_by_key(|(prefix, _)| prefix.len())
}

/// Whether the place is that of an average or of the teacher of a self-supervised training.
fn is_copy((group, prefix): &Place) -> bool {
    let words = [group, prefix].into_iter().flat_map(|text| {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .map(str::to_ascii_lowercase)
    });
    let mut words = words.filter(|word| !word.is_empty());
    words.any(|word| COPIES.contains(&word.as_str()) || word == "k")
}

/// Where a network lies, for a message.
fn shown((group, prefix): &Place) -> String {
    match (group.as_str(), prefix.trim_end_matches('.')) {
        ("", "") => "the one at the top".to_owned(),
        ("", prefix) => prefix.to_owned(),
        (group, "") => group.to_owned(),
        (group, prefix) => format!("{group}: {prefix}"),
    }
}

/// The name below a wrapper.
fn below<'a>(name: &'a str, wrapper: &str) -> Option<&'a str> {
    if wrapper.is_empty() {
        return Some(name);
    }
    name.strip_prefix(wrapper)?.strip_prefix('.')
}

/// The module of the last layer that a tensor belongs to, if it does.
pub(super) fn head_of(name: &str) -> Option<&str> {
    let (module, _) = name.split_once('.')?;
    HEADS.contains(&module).then_some(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[usize] = &[64, 3, 7, 7];
    const OTHER: &[usize] = &[64];

    /// Names of what is chosen of these groups and names.
    fn chosen(list: &[(&str, &str)]) -> Result<(Vec<String>, usize), String> {
        let candidate = |&(group, name): &(&'static str, &'static str)| Candidate {
            group,
            name,
            shape: if name.ends_with("conv1.weight") && !name.contains("layer") {
                FIRST
            } else {
                OTHER
            },
        };
        let candidates: Vec<_> = list
            .iter()
            .map(|&(group, name)| candidate(&(Box::leak(group.into()), Box::leak(name.into()))))
            .collect();
        let selection = select(&candidates)?;
        let names = selection.tensors.into_iter().map(|(_, name)| name);
        Ok((names.collect(), selection.warnings.len()))
    }

    #[test]
    fn any_prefix_is_taken_off() {
        for prefix in ["", "module.", "module._orig_mod.", "a.b.encoder.", "net."] {
            let names = ["conv1.weight", "layer1.0.conv1.weight", "fc.weight"];
            let names = names.map(|name| format!("{prefix}{name}"));
            let list: Vec<_> = names.iter().map(|name| ("x", name.as_str())).collect();
            let wanted = ["conv1.weight", "layer1.0.conv1.weight", "fc.weight"];
            assert_eq!(
                chosen(&list),
                Ok((wanted.map(String::from).to_vec(), 0)),
                "{prefix}"
            );
        }
    }

    #[test]
    fn what_lies_beside_the_network_is_passed_over_with_a_word() {
        let list = [
            ("", "model.conv1.weight"),
            ("", "model.fc.weight"),
            ("", "criterion.weight"),
        ];
        let wanted = ["conv1.weight", "fc.weight"].map(String::from).to_vec();
        assert_eq!(chosen(&list), Ok((wanted, 1)));
        // The head of a wrapper belongs to the network.
        let list = [("", "net.backbone.conv1.weight"), ("", "net.head.weight")];
        let wanted = ["conv1.weight", "head.weight"].map(String::from).to_vec();
        assert_eq!(chosen(&list), Ok((wanted, 0)));
    }

    /// The names and warnings for a backbone under a prefix and these tensors beside it.
    fn beside(prefix: &str, list: &[(&str, &'static [usize])]) -> (Vec<String>, String) {
        let first = format!("{prefix}conv1.weight");
        let mut candidates = vec![Candidate {
            group: "",
            name: &first,
            shape: FIRST,
        }];
        candidates.extend(list.iter().map(|(name, shape)| Candidate {
            group: "",
            name,
            shape,
        }));
        let Selection { tensors, warnings } = select(&candidates).expect("one network");
        let names = tensors.into_iter().skip(1).map(|(_, name)| name);
        (names.collect(), warnings.join(" "))
    }

    #[test]
    fn a_head_is_found_under_any_name_and_around_any_wrapper() {
        let fc = ["fc.weight", "fc.bias"].map(String::from).to_vec();
        for (prefix, weight, bias) in [
            ("net.", "cls.weight", "cls.bias"),
            ("net.", "net.cls.weight", "net.cls.bias"),
            ("", "out_proj.weight", "out_proj.bias"),
            ("0.", "1.weight", "1.bias"),
            ("0.", "2.weight", "2.bias"),
            ("a.b.net.", "a.top.weight", "a.top.bias"),
            ("a.b.net.", "top.weight", "top.bias"),
        ] {
            let (names, said) = beside(prefix, &[(weight, &[6, 512]), (bias, &[6])]);
            assert_eq!((names, said), (fc.clone(), String::new()), "{weight}");
        }
        let layers: [(&str, &[usize]); 4] = [
            ("2.weight", &[128, 512]),
            ("2.bias", &[128]),
            ("4.weight", &[6, 128]),
            ("4.bias", &[6]),
        ];
        let wanted = ["fc.0.weight", "fc.0.bias", "fc.2.weight", "fc.2.bias"];
        let (mut names, said) = beside("0.", &layers);
        names.sort_by_key(|name| wanted.iter().position(|w| w == name));
        assert_eq!(
            (names, said),
            (wanted.map(String::from).to_vec(), String::new())
        );
    }

    #[test]
    fn a_head_that_is_not_alone_is_not_used() {
        let head: [(&str, &[usize]); 2] = [("head.weight", &[6, 512]), ("head.bias", &[6])];
        for (name, shape) in [
            ("neck.weight", &[512, 512][..]),
            ("neck.bias", &[512]),
            ("reduce.weight", &[512, 2048, 1, 1]),
            ("last.weight", &[3, 6]),
        ] {
            let (names, said) = beside("net.", &[head[0], head[1], (name, shape)]);
            assert!(names.is_empty(), "{name}: {names:?}");
            assert!(said.contains("last layer") && said.contains(name), "{said}");
        }
        for (name, shape) in [
            ("criterion.weight", &[6][..]),
            ("loss.centers", &[6, 512]),
            ("arcface.weight", &[6, 512]),
            ("projector.weight", &[128, 512]),
        ] {
            let (names, said) = beside("net.", &[head[0], head[1], (name, shape)]);
            assert_eq!(names, ["head.weight", "head.bias"], "{name}");
            assert!(said.contains("passed over"), "{said}");
        }
        // No linear layer has these shapes alone: nothing is taken for a head.
        for list in [
            &[("arcface.weight", &[6, 512][..])][..],
            &[
                ("a.weight", &[6, 512]),
                ("a.bias", &[6]),
                ("b.weight", &[9, 512]),
                ("b.bias", &[9]),
            ],
        ] {
            let (names, said) = beside("net.", list);
            assert!(
                names.is_empty() && said.contains("passed over"),
                "{names:?} {said}"
            );
        }
        // Weights of a loss beside an unwrapped network are passed over too.
        let (names, said) = beside("", &[("fc.weight", &[6, 512]), ("criterion.weight", &[6])]);
        assert_eq!(names, ["fc.weight"]);
        assert!(said.contains("criterion.weight"), "{said}");
    }

    #[test]
    fn an_average_gives_way_and_two_networks_are_a_question() {
        // A teacher that is far larger than its student is a copy all the same.
        let teacher: Vec<String> = (0..60).map(|i| format!("layer{i}.weight")).collect();
        let mut list = vec![("student", "conv1.weight"), ("teacher", "conv1.weight")];
        list.extend(teacher.iter().map(|name| ("teacher", name.as_str())));
        let small: Vec<String> = (0..25).map(|i| format!("layer{i}.bias")).collect();
        list.extend(small.iter().map(|name| ("student", name.as_str())));
        assert_eq!(chosen(&list).map(|(names, _)| names.len()), Ok(26));
        let list: Vec<_> = list
            .iter()
            .map(|(group, name)| (group.replace("teacher", "other"), *name))
            .collect();
        let list: Vec<_> = list
            .iter()
            .map(|(group, name)| (group.as_str(), *name))
            .collect();
        assert!(chosen(&list).is_err_and(|e| e.contains("other")));
        let list = [("model", "conv1.weight"), ("model_ema", "conv1.weight")];
        assert_eq!(
            chosen(&list).map(|(names, said)| (names.len(), said)),
            Ok((1, 1))
        );
        assert_eq!(
            chosen(&list[1..]).map(|(names, said)| (names.len(), said)),
            Ok((1, 1))
        );
        let list = [("", "left.conv1.weight"), ("", "right.conv1.weight")];
        let error = chosen(&list).unwrap_err();
        assert!(error.contains("left") && error.contains("right"), "{error}");
    }

    #[test]
    fn a_head_alone_loses_what_its_names_share() {
        let list = [("", "model.fc.weight"), ("", "model.fc.bias")];
        let wanted = ["fc.weight", "fc.bias"].map(String::from).to_vec();
        assert_eq!(chosen(&list), Ok((wanted, 0)));
        let list = [("", "fc.0.weight"), ("", "fc.0.bias")];
        let wanted = ["fc.0.weight", "fc.0.bias"].map(String::from).to_vec();
        assert_eq!(chosen(&list), Ok((wanted, 0)));
    }
}
