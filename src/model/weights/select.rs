//! Which of a file's tensors are the network: whatever wrapper it was trained in put a prefix before the names and
//! other things beside them. Found by matching, not by a list of wrappers: a family is known by the tensor of its
//! first convolution, see [`names::mark`], and what stands before that tensor's name is the prefix.

use std::collections::{BTreeMap, BTreeSet};

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
        if let Some(prefix) = prefix(candidate) {
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
    let (group, prefix) = networks.swap_remove(0).0;
    Ok(within(candidates, &group, &prefix, warnings))
}

/// The tensors below a prefix, and the head where a wrapper keeps it beside the backbone.
fn within(
    candidates: &[Candidate<'_>],
    group: &str,
    prefix: &str,
    warnings: Vec<String>,
) -> Selection {
    let mut selection = Selection {
        tensors: Vec::new(),
        warnings,
    };
    let mut others = Vec::new();
    for (i, candidate) in candidates.iter().enumerate() {
        if candidate.group != group {
            continue;
        }
        match candidate.name.strip_prefix(prefix) {
            Some(name) => selection.tensors.push((i, name.to_owned())),
            None => others.push((i, candidate)),
        }
    }
    let has_head = selection
        .tensors
        .iter()
        .any(|(_, name)| head_of(name).is_some());
    // Beside `backbone.` in the same wrapper: `head.weight`; the wrapper's own prefix goes.
    let wrapper = prefix
        .trim_end_matches('.')
        .rsplit_once('.')
        .map_or("", |(outer, _)| outer);
    let heads: BTreeSet<&str> = others
        .iter()
        .filter_map(|(_, candidate)| head_of(below(candidate.name, wrapper)?))
        .collect();
    if let (false, 1) = (has_head, heads.len()) {
        others.retain(|(i, candidate)| {
            let name = below(candidate.name, wrapper);
            let is_head = name.is_some_and(|name| head_of(name).is_some());
            if let (true, Some(name)) = (is_head, name) {
                selection.tensors.push((*i, name.to_owned()));
            }
            !is_head
        });
    }
    let passed: Vec<&str> = others
        .iter()
        .filter(|(_, candidate)| !candidate.shape.is_empty() && !is_counter(candidate.name))
        .map(|(_, candidate)| candidate.name)
        .collect();
    if !passed.is_empty() {
        selection.warnings.push(format!(
            "holds tensors outside {prefix} that are passed over: {}",
            first_few(&passed, 3)
        ));
    }
    selection
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

/// What stands before the name, if this is the first convolution of a family: it is the one on three channels.
fn prefix<'a>(candidate: &Candidate<'a>) -> Option<&'a str> {
    let &[_, 3, _, _] = candidate.shape else {
        return None;
    };
    let known = Family::ALL
        .map(names::mark)
        .into_iter()
        .chain(names::OTHER_MARKS);
    // The longest: `features.0.0.weight` ends in `0.0.weight` too.
    known
        .filter_map(|mark| {
            let prefix = candidate.name.strip_suffix(mark)?;
            (prefix.is_empty() || prefix.ends_with('.')).then_some(prefix)
        })
        .min_by_key(|prefix| prefix.len())
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
