//! Which of a file's tensors are the network: whatever wrapper it was trained in put a prefix before the names and
//! other things beside them. Found by matching, not by a list of wrappers: a family is known by the tensor of its
//! first convolution, see [`names::marks`], and what stands before that tensor's name is the prefix.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::Candidate;
use super::places::{BOOKKEEPING, words};
use super::{first_few, foreign, heads, names, normalization};

/// All of them, under the names that they have.
pub(super) fn everything(candidates: &[Candidate<'_>]) -> Selection {
    let all = candidates.iter().enumerate();
    Selection {
        tensors: all.map(|(i, tensor)| (i, tensor.name.to_owned())).collect(),
        ..Selection::default()
    }
}

/// What was chosen.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Numbers of the tensors that belong to the network, with their names in it.
    pub tensors: Vec<(usize, String)>,
    /// Why there is no last layer among them though the file has what may be one; to follow the file's name.
    pub no_head: Option<String>,
    /// The tensors with the mean and the deviation of images, and where they lie.
    pub normalization: Option<(usize, usize, String)>,
    /// What the user should know, a sentence each, to follow the file's name.
    pub warnings: Vec<String>,
}

/// Words in the place of weights that are a copy made for another purpose.
const COPIES: [&str; 9] = [
    "ema", "swa", "teacher", "target", "momentum", "shadow", "average", "averaged", "avg",
];

/// Fewer tensors than any backbone has: a ResNet-18 has 100.
const SMALLEST: usize = 20;

/// Most networks that a file is searched for.
const MOST: usize = 64;

/// A network in the file: its group, and the prefix of its names there.
type Network = (String, String);

/// Chooses the network.
///
/// # Errors
/// The reason, to follow the file's name: there are two networks in it.
pub(super) fn select(candidates: &[Candidate<'_>]) -> Result<Selection, String> {
    let mut places: BTreeMap<Network, usize> = BTreeMap::new();
    for candidate in candidates {
        if let Some((prefix, mark)) = prefix(candidate).filter(|_| candidate.real)
            && has_needed(candidates, candidate.group, prefix, mark)
        {
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
    let mut found: Vec<(Network, usize)> = places.into_iter().collect();
    let Some(most) = found.iter().map(|(_, count)| *count).max() else {
        let layers = candidates.iter().any(|c| c.shape.len() > 2);
        let whose = foreign::network(candidates.iter().map(|c| c.name));
        return match whose.filter(|_| layers) {
            Some(whose) => Err(foreign::is_another(Some(whose))),
            None => Ok(without_backbone(candidates)),
        };
    };
    // A detail that looks like a first convolution is far smaller than any network.
    found.retain(|(_, count)| *count >= SMALLEST.min(most));
    // Of equal ones the model itself is left, not its average; of aliases the one whose names include the last layer's.
    found.sort_by_cached_key(|(place, _)| (is_copy(place), !has_head(candidates, place)));
    drop_aliases(candidates, &mut found);
    let all: Vec<Network> = found.iter().map(|(place, _)| place.clone()).collect();
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

/// Whether there is what a network with this mark must have too.
fn has_needed(candidates: &[Candidate<'_>], group: &str, prefix: &str, mark: &str) -> bool {
    let Some(needed) = names::needs(mark) else {
        return true;
    };
    let below = |c: &Candidate<'_>| c.group == group && c.name.strip_prefix(prefix) == Some(needed);
    candidates.iter().any(below)
}

/// Whether a last layer lies below the place of a network under a name that is known.
fn has_head(candidates: &[Candidate<'_>], (group, prefix): &Network) -> bool {
    let own = candidates
        .iter()
        .filter(|c| c.group == group && c.shape.len() == 2);
    let mut names = own.filter_map(|c| c.name.strip_prefix(prefix.as_str()));
    names.any(|name| {
        name.split_once('.')
            .is_some_and(|(module, _)| names::is_head(module))
    })
}

/// Of networks whose convolutions are the very same elements, one model under several names, the first is left.
fn drop_aliases(candidates: &[Candidate<'_>], found: &mut Vec<(Network, usize)>) {
    let mut seen: Vec<BTreeSet<(&str, usize)>> = Vec::new();
    found.retain(|((group, prefix), _)| {
        let own = candidates.iter().filter(|c| {
            c.group == group && c.shape.len() == 4 && c.name.starts_with(prefix.as_str())
        });
        let places: BTreeSet<_> = own.map(|c| c.place).collect();
        let known = seen.iter().any(|other| places.is_subset(other));
        seen.push(places);
        !known
    });
}

/// The tensors below a prefix, and the head where a wrapper keeps it beside the backbone or another dict of the file
/// does. `networks` are the places of all networks in the file. Whatever else there is is named.
fn within(
    candidates: &[Candidate<'_>],
    place: &Network,
    networks: &[Network],
    warnings: Vec<String>,
) -> Selection {
    let (group, prefix) = place;
    let mut selection = Selection {
        warnings,
        ..Selection::default()
    };
    let own =
        |c: &&Candidate<'_>| c.group == *group && self::prefix(c).is_some_and(|(p, _)| p == prefix);
    let mark = candidates.iter().find(own).and_then(self::prefix);
    let modules = mark.map_or_else(Vec::new, |(_, mark)| names::top_modules(mark));
    let modules = &modules[..];
    let mut others: Vec<usize> = Vec::new();
    for (i, candidate) in candidates.iter().enumerate() {
        if candidate.group != *group {
            let elsewhere = networks.iter().any(|(other, _)| other == candidate.group);
            if !elsewhere && !is_bookkeeping(candidate.group) {
                others.push(i);
            }
            continue;
        }
        let Some(name) = candidate.name.strip_prefix(prefix.as_str()) else {
            others.push(i);
            continue;
        };
        let module = name.split('.').next().unwrap_or(name);
        // A number, a vector or a table at the top of the network, and no layer of it: `pos_weight`.
        let loose = !name.contains('.') && candidate.shape.len() <= 2;
        if candidate.shape.contains(&0) || names::is_auxiliary(module) {
            // Without elements it computes nothing, wherever it lies; a second head is for training only.
        } else if modules.contains(&module) {
            // A mask of integers or a complex filter in a block is part of what the block does.
            if candidate.real || !candidate.is_scalar() {
                selection.tensors.push((i, name.to_owned()));
            }
        } else if !candidate.real
            || candidate.expanded
            || loose
            || normalization::is_named(candidate)
            || heads::is_of_loss(name)
            || heads::is_of_metric(name)
        {
            others.push(i);
        } else {
            selection.tensors.push((i, name.to_owned()));
        }
    }
    // Step counters tell nothing.
    others.retain(|i| candidates[*i].real || !candidates[*i].is_scalar());
    let head = heads::find(candidates, &mut selection.tensors, &others, modules, place);
    pass_over_layers(
        candidates,
        &mut selection.tensors,
        &mut others,
        modules,
        &head,
    );
    let chosen: BTreeSet<(&str, usize)> = selection
        .tensors
        .iter()
        .map(|(i, _)| candidates[*i].place)
        .collect();
    others.retain(|i| !chosen.contains(&candidates[*i].place));
    let other_network = |c: &Candidate<'_>| {
        let mut networks = networks.iter().filter(|other| *other != place);
        networks.any(|(group, prefix)| group == c.group && c.name.starts_with(prefix.as_str()))
    };
    others.retain(|i| !other_network(&candidates[*i]));
    let encoder = networks
        .iter()
        .any(|other| other != place && is_of_contrast(other));
    if encoder && !head.is_empty() {
        selection.no_head = Some(format!(
            "is the encoder of a self-supervised training ({} beside another), whose last layer is no classifier, so that \
             it is not used",
            shown(place)
        ));
    }
    take_normalization(candidates, &mut others, &mut selection);
    if others.is_empty() {
        selection
            .tensors
            .retain(|(i, _)| selection.no_head.is_none() || !head.contains(i));
        return selection;
    }
    let beside: Vec<&Candidate<'_>> = others.iter().map(|i| &candidates[*i]).collect();
    let doubt = heads::doubt(candidates, &selection.tensors, &head, &beside, group);
    selection.no_head = selection.no_head.or(doubt);
    if selection.no_head.is_some() {
        selection.tensors.retain(|(i, _)| !head.contains(i));
    }
    let passed: Vec<String> = beside.iter().map(|c| c.full_name()).collect();
    let mut said = format!(
        "holds tensors beside the network that are passed over: {}",
        first_few(&passed, 3)
    );
    let used = heads::may_be_used(&beside, group);
    if selection.no_head.is_none() && !used.is_empty() {
        said.push_str(&format!(
            ". If the network uses {} to answer, its answers are wrong here",
            first_few(&used, 3)
        ));
    }
    selection.warnings.push(said);
    selection
}

/// Passes over matrices and vectors that stand in the network itself and are neither of its backbone nor of its head, as it
/// is done where they stand in a wrapper around it. A convolution or a number in a layer stays: it is part of what the
/// network does, and the comparison with the model names it.
fn pass_over_layers(
    candidates: &[Candidate<'_>],
    chosen: &mut Vec<(usize, String)>,
    others: &mut Vec<usize>,
    modules: &[&str],
    head: &[usize],
) {
    let module = |name: &str| name.split('.').next().unwrap_or(name).to_owned();
    let matrices = chosen
        .iter()
        .filter(|(i, _)| candidates[*i].shape.len() == 2);
    let linear: BTreeSet<String> = matrices.map(|(_, name)| module(name)).collect();
    chosen.retain(|(i, name)| {
        let (candidate, module) = (&candidates[*i], module(name));
        let small = candidate.shape.len() <= 2 && !candidate.is_scalar();
        // Without a head, vectors alone may be any part of an unknown network.
        let layer = small && (!head.is_empty() || linear.contains(&module));
        let beside = layer && !modules.contains(&&*module) && !head.contains(i);
        if beside {
            others.push(*i);
        }
        !beside
    });
}

/// Takes the mean and the deviation of images out of what lies beside the network.
fn take_normalization(
    candidates: &[Candidate<'_>],
    others: &mut Vec<usize>,
    selection: &mut Selection,
) {
    let normalization::Stored { pair, unread } = normalization::find(candidates, others);
    if !unread.is_empty() {
        let names: Vec<String> = unread.iter().map(|i| candidates[*i].full_name()).collect();
        let said = normalization::unread(&first_few(&names, 3));
        selection.warnings.push(said);
    }
    let read = |i: &usize| {
        pair.as_ref()
            .is_some_and(|(mean, std, _)| i == mean || i == std)
    };
    others.retain(|i| !unread.contains(i) && !read(i));
    selection.normalization = pair;
}

/// Whether a dict's place says that it is an optimizer's or a copy of the weights.
fn is_bookkeeping(group: &str) -> bool {
    words(group).any(|word| BOOKKEEPING.contains(&word.as_str()) || COPIES.contains(&word.as_str()))
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
        .filter(|(_, c)| c.group == group && c.may_be_weights())
        .map(|(i, c)| (i, c.name))
        .collect();
    while let Some((first, _)) = chosen.first().and_then(|(_, name)| name.split_once('.')) {
        let shared = |name: &str| {
            let rest = name
                .strip_prefix(first)
                .and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| rest.contains('.'))
        };
        if names::is_head(first) || !chosen.iter().all(|(_, name)| shared(name)) {
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
        ..Selection::default()
    }
}

/// What stands before the name, and the name, if this is the first convolution of a family: the one on three channels.
fn prefix<'a>(candidate: &Candidate<'a>) -> Option<(&'a str, &'static str)> {
    let &[_, 3, height, width] = candidate.shape else {
        return None;
    };
    let known = names::marks().chain(names::OTHER_MARKS);
    // The longest name: `features.0.0.weight` ends in `0.0.weight` too.
    known
        .filter(|mark| names::mark_fits(mark, [height, width]))
        .filter_map(|mark| {
            let prefix = candidate.name.strip_suffix(mark)?;
            (prefix.is_empty() || prefix.ends_with('.')).then_some((prefix, mark))
        })
        .min_by_key(|(prefix, _)| prefix.len())
}

/// Whether the place is that of an average or of the teacher of a self-supervised training.
fn is_copy((group, prefix): &Network) -> bool {
    let mut words = words(group).chain(words(prefix));
    words.any(|word| COPIES.contains(&word.as_str()) || word == "k")
}

/// Whether the place is that of the second encoder of a self-supervised training (MoCo, BYOL), which follows the first: an
/// optimizer's momentum is another thing.
fn is_of_contrast((group, prefix): &Network) -> bool {
    const SECOND: [&str; 4] = ["k", "key", "momentum", "target"];
    let words: Vec<String> = words(group).chain(words(prefix)).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&&**word));
    has(&SECOND) && !has(&["buffer", "buffers"])
}

/// Where a network lies, for a message.
fn shown((group, prefix): &Network) -> String {
    match (group.as_str(), prefix.trim_end_matches('.')) {
        ("", "") => "the one at the top".to_owned(),
        ("", prefix) => prefix.to_owned(),
        (group, "") => group.to_owned(),
        (group, prefix) => format!("{group}: {prefix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::candidate::plain_name;
    use super::*;

    const FIRST: &[usize] = &[64, 3, 7, 7];
    const OTHER: &[usize] = &[64];

    /// Names of what is chosen of these groups and names.
    fn chosen(list: &[(&str, &str)]) -> Result<(Vec<String>, usize), String> {
        let candidate = |&(group, name): &(&'static str, &'static str)| Candidate {
            group,
            name,
            real: true,
            expanded: false,
            place: (name, group.len()),
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

    /// Everything that is said of a file.
    fn said(selection: &Selection) -> String {
        let said = selection.warnings.iter().chain(&selection.no_head);
        said.cloned().collect::<Vec<_>>().join(" ")
    }

    /// The names and warnings for a backbone under a prefix and these tensors beside it.
    fn beside(prefix: &str, list: &[(&str, &'static [usize])]) -> (Vec<String>, String) {
        let first = format!("{prefix}conv1.weight");
        let mut candidates = vec![Candidate {
            group: "",
            name: &first,
            shape: FIRST,
            real: true,
            expanded: false,
            place: (&first, 0),
        }];
        candidates.extend(list.iter().map(|(name, shape)| Candidate {
            group: "",
            name,
            shape,
            real: true,
            expanded: false,
            place: (name, 0),
        }));
        let selection = select(&candidates).expect("one network");
        let said = said(&selection);
        let names = selection.tensors.into_iter().skip(1).map(|(_, name)| name);
        (names.collect(), said)
    }

    #[test]
    fn a_head_is_found_under_any_name_and_around_any_wrapper() {
        let fc = ["fc.weight", "fc.bias"].map(String::from).to_vec();
        for (prefix, weight, bias) in [
            ("net.", "cls.weight", "cls.bias"),
            ("net.", "net.cls.weight", "net.cls.bias"),
            ("", "out_layer.weight", "out_layer.bias"),
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
    fn a_vgg_of_timm_s_is_whole() {
        let graph = crate::network::Arch::Vgg16.graph();
        let head = [("fc.weight", vec![6, 4096]), ("fc.bias", vec![6])];
        let head = head.map(|(name, shape)| (name.to_owned(), shape));
        let ours: BTreeMap<String, Vec<usize>> = graph.tensors().into_iter().chain(head).collect();
        let timms = |(name, shape): (&String, &Vec<usize>)| {
            let renamed = [
                ("classifier.0.", "pre_logits.fc1."),
                ("classifier.3.", "pre_logits.fc2."),
                ("fc.", "head.fc."),
            ];
            let mut renamed = renamed.into_iter();
            let renamed = renamed.find_map(|(ours, timm)| {
                let rest = name.strip_prefix(ours)?;
                Some(format!("{timm}{rest}"))
            });
            (renamed.unwrap_or_else(|| name.clone()), shape.clone())
        };
        let file: Vec<_> = ours.iter().map(timms).collect();
        let candidate = |(name, shape): &'static (String, Vec<usize>)| Candidate {
            group: "",
            name,
            shape,
            real: true,
            expanded: false,
            place: (name, 0),
        };
        let file: &'static [_] = file.leak();
        let selection = select(&file.iter().map(candidate).collect::<Vec<_>>()).unwrap();
        assert_eq!(said(&selection), "");
        let tensors = selection.tensors.into_iter();
        let mut tensors: BTreeMap<_, _> = tensors.map(|(_, name)| (name, ())).collect();
        names::translate(&mut tensors);
        assert!(tensors.keys().eq(ours.keys()), "{tensors:?}");
    }

    #[test]
    fn a_head_that_is_not_alone_is_not_used() {
        let head: [(&str, &[usize]); 2] = [("head.weight", &[6, 512]), ("head.bias", &[6])];
        for (name, shape) in [
            ("neck.weight", &[512, 512][..]),
            ("neck.bias", &[512]),
            ("reduce.weight", &[512, 2048, 1, 1]),
            ("last.weight", &[3, 6]),
            ("queue", &[128, 65536]),
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
        // An embedding of the features' own width, and what stands behind it.
        let (names, said) = beside(
            "net.",
            &[
                ("net.fc.weight", &[512, 512]),
                ("net.fc.bias", &[512]),
                ("out.weight", &[6, 512]),
            ],
        );
        assert!(
            names.is_empty() && said.contains("out.weight"),
            "{names:?} {said}"
        );
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
    fn a_layer_in_front_of_the_backbone_or_behind_it_is_a_doubt() {
        let head: [(&str, &[usize]); 2] = [("head.weight", &[6, 512]), ("head.bias", &[6])];
        for (name, shape) in [
            ("adapt.weight", &[3, 3, 1, 1][..]),
            ("bn_in.running_mean", &[3]),
            ("sa.conv1.weight", &[1, 2, 7, 7]),
            ("eca.conv.weight", &[1, 1, 3]),
            ("pool.p", &[1]),
        ] {
            let (names, said) = beside("net.", &[head[0], head[1], (name, shape)]);
            assert!(names.is_empty(), "{name}: {names:?}");
            assert!(said.contains("not used") && said.contains(name), "{said}");
        }
        for (name, shape) in [
            ("temperature", &[1][..]),
            ("logit_scale", &[]),
            ("shift.bias", &[3]),
            ("decoder.0.weight", &[64, 128, 3, 3]),
        ] {
            let (names, said) = beside("net.", &[head[0], head[1], (name, shape)]);
            assert_eq!(names, ["head.weight", "head.bias"], "{name}");
            assert!(
                said.contains("answers are wrong") && said.contains(name),
                "{said}"
            );
        }
        for (name, shape) in [
            ("loss.scale", &[1][..]),
            ("train_acc.tp", &[3]),
            ("class_weights", &[6]),
        ] {
            let (_, said) = beside("net.", &[head[0], head[1], (name, shape)]);
            assert!(!said.contains("answers are wrong"), "{said}");
        }
    }

    #[test]
    fn what_lies_beside_is_passed_over_with_a_prefix_and_without() {
        for prefix in ["", "net."] {
            let fc = [format!("{prefix}fc.weight"), format!("{prefix}fc.bias")];
            for (name, shape) in [
                ("bbox.weight", &[4, 512][..]),
                ("bbox.bias", &[4]),
                ("pos_weight", &[6]),
                ("temperature", &[1]),
                ("0.mean", &[1, 3, 1, 1]),
            ] {
                let list: [(&str, &[usize]); 3] =
                    [(&fc[0], &[6, 512]), (&fc[1], &[6]), (name, shape)];
                let (names, said) = beside(prefix, &list);
                assert_eq!(names, ["fc.weight", "fc.bias"], "{prefix} {name}");
                assert!(said.contains(name), "{said}");
            }
        }
        // Two heads and none known as the one.
        let two: [(&str, &[usize]); 4] = [
            ("age.weight", &[8, 512]),
            ("age.bias", &[8]),
            ("sex.weight", &[2, 512]),
            ("sex.bias", &[2]),
        ];
        for prefix in ["", "net."] {
            let (names, said) = beside(prefix, &two);
            assert!(
                names.is_empty() && said.contains("age.weight, sex.weight"),
                "{names:?} {said}"
            );
        }
        // A convolution in the network itself is no such thing: the comparison with the model names it.
        let (names, _) = beside(
            "",
            &[("fc.weight", &[6, 512]), ("sa.conv.weight", &[1, 2, 7, 7])],
        );
        assert!(names.contains(&"sa.conv.weight".to_owned()), "{names:?}");
    }

    #[test]
    fn an_encoder_beside_the_one_that_follows_it_has_no_classifier() {
        for (first, second) in [
            ("encoder_q.", "encoder_k."),
            ("base_encoder.", "momentum_encoder."),
            ("online_network.", "target_network."),
        ] {
            let names = [first, second].map(|p| {
                [
                    format!("{p}conv1.weight"),
                    format!("{p}fc.weight"),
                    format!("{p}fc.bias"),
                ]
            });
            let list: Vec<(&str, &str, &'static [usize], &str)> = names
                .iter()
                .flatten()
                .zip([FIRST, &[128, 512], &[128]].into_iter().cycle())
                .map(|(name, shape)| ("", name.as_str(), shape, name.as_str()))
                .collect();
            let (names, said) = grouped(&list).unwrap();
            assert_eq!(names, ["conv1.weight"], "{first}");
            assert!(
                said.contains("no classifier") && said.contains(first.trim_end_matches('.')),
                "{said}"
            );
        }
        // An average of a classifier is a classifier.
        let list = [
            ("model", "conv1.weight", FIRST, "0"),
            ("model", "fc.weight", &[6_usize, 512][..], "1"),
            ("model", "fc.bias", &[6], "2"),
            ("model_ema", "conv1.weight", FIRST, "3"),
            ("momentum_buffer", "conv1.weight", FIRST, "4"),
        ];
        assert_eq!(grouped(&list).unwrap().0.len(), 3);
    }

    #[test]
    fn of_aliases_the_one_with_the_head_is_left() {
        let list = [
            ("", "backbone.0.weight", FIRST, "0"),
            ("", "backbone.4.0.conv1.weight", &[64, 64, 3, 3], "4"),
            ("", "resnet.layer1.0.conv1.weight", &[64, 64, 3, 3], "4"),
            ("", "resnet.conv1.weight", FIRST, "0"),
            ("", "resnet.fc.weight", &[6_usize, 512][..], "1"),
            ("", "resnet.fc.bias", &[6], "2"),
        ];
        let (names, said) = grouped(&list).unwrap();
        let wanted = [
            "layer1.0.conv1.weight",
            "conv1.weight",
            "fc.weight",
            "fc.bias",
        ];
        assert_eq!(names, wanted);
        assert_eq!(said, "");
    }

    #[test]
    fn a_convolution_at_the_start_of_any_sequence_is_no_network() {
        let list: [(&str, &[usize]); 4] = [
            ("0.weight", &[3, 3, 1, 1]),
            ("0.bias", &[3]),
            ("1.fc.weight", &[6, 512]),
            ("1.fc.bias", &[6]),
        ];
        let (names, said) = beside("1.", &list);
        assert!(
            names.is_empty() && said.contains("0.weight"),
            "{names:?} {said}"
        );
        let swin = [
            ("", "features.0.0.weight", &[96_usize, 3, 4, 4][..], "0"),
            (
                "",
                "features.1.0.attn.relative_position_bias_table",
                &[169, 3],
                "1",
            ),
        ];
        assert!(grouped(&swin).is_err_and(|e| e.contains("Swin") && e.contains("resnet18")));
    }

    #[test]
    fn tensors_without_elements_are_passed_over() {
        let list: [(&str, &[usize]); 3] = [
            ("fc.weight", &[6, 512]),
            ("layer1.0.cache", &[0]),
            ("fc.bias", &[6]),
        ];
        assert_eq!(
            beside("", &list),
            (vec!["fc.weight".into(), "fc.bias".into()], String::new())
        );
    }

    #[test]
    fn what_a_metric_counted_is_no_layer() {
        let head: [(&str, &[usize]); 2] = [("net.fc.weight", &[3, 512]), ("net.fc.bias", &[3])];
        for (name, shape) in [
            ("val_cm.confmat", &[3, 3][..]),
            ("net.val_cm.confmat", &[3, 3]),
            ("train_acc.tp", &[3]),
            ("metrics.valid.Accuracy.fn", &[512]),
        ] {
            let (names, said) = beside("net.", &[head[0], head[1], (name, shape)]);
            assert_eq!(names, ["fc.weight", "fc.bias"], "{name}");
            assert!(
                said.contains("passed over") && !said.contains("not used"),
                "{said}"
            );
        }
        // Around a Sequential, and in a network without a wrapper.
        let list: [(&str, &[usize]); 3] = [
            ("2.weight", &[3, 512]),
            ("2.bias", &[3]),
            ("cm.confmat", &[3, 3]),
        ];
        assert_eq!(beside("0.", &list).0, ["fc.weight", "fc.bias"]);
        let list: [(&str, &[usize]); 3] = [
            ("fc.weight", &[3, 512]),
            ("fc.bias", &[3]),
            ("cm.confmat", &[3, 3]),
        ];
        assert_eq!(beside("", &list).0, ["fc.weight", "fc.bias"]);
    }

    #[test]
    fn a_head_that_is_not_used_is_not_one_that_is_not_there() {
        let list: [(&str, &[usize]); 3] = [
            ("head.weight", &[6, 512]),
            ("head.bias", &[6]),
            ("last.weight", &[3, 6]),
        ];
        let (_, said) = beside("net.", &list);
        assert!(
            said.contains("last.weight), so that its last layer is not used"),
            "{said}"
        );
        let list: [(&str, &[usize]); 2] = [("a.weight", &[6, 512]), ("b.weight", &[9, 512])];
        let (_, said) = beside("net.", &list);
        assert!(
            said.contains("none is known to be the last one alone (a.weight, b.weight)"),
            "{said}"
        );
    }

    /// The same with a group for each tensor.
    fn grouped(
        list: &[(&str, &str, &'static [usize], &str)],
    ) -> Result<(Vec<String>, String), String> {
        let candidates: Vec<_> = list
            .iter()
            .map(|&(group, name, shape, storage)| Candidate {
                group,
                name,
                shape,
                real: !name.ends_with("int"),
                expanded: name.ends_with("expanded"),
                place: (storage, 0),
            })
            .collect();
        let selection = select(&candidates)?;
        let said = said(&selection);
        let names = selection.tensors.into_iter().map(|(_, name)| name);
        Ok((names.collect(), said))
    }

    #[test]
    fn nothing_is_dropped_without_a_word() {
        let first = ("m", "conv1.weight", FIRST, "0");
        let fc = [
            ("m", "fc.weight", &[6_usize, 512][..], "1"),
            ("m", "fc.bias", &[6], "2"),
        ];
        for (group, name, shape) in [
            ("m", "temperature", &[][..]),
            ("", "temperature", &[1]),
            ("m", "class_order_int", &[6]),
            ("m", "table_expanded", &[9, 9]),
            ("vit", "blocks.0.weight", &[9, 9]),
        ] {
            let (names, said) = grouped(&[first, fc[0], fc[1], (group, name, shape, "3")]).unwrap();
            assert_eq!(names, ["conv1.weight", "fc.weight", "fc.bias"], "{name}");
            assert!(
                said.contains("passed over") && said.contains(name),
                "{name}: {said}"
            );
        }
        // Counters and what an optimizer keeps tell nothing.
        for (group, name, shape) in [
            ("m", "step_int", &[][..]),
            ("optimizer.state[0]", "exp_avg", &[6, 512]),
            ("state_dict_ema", "other.weight", &[6, 512]),
        ] {
            let (_, said) = grouped(&[first, fc[0], fc[1], (group, name, shape, "3")]).unwrap();
            assert_eq!(said, "", "{name}");
        }
        // In a block it is part of what the block does: the comparison with the model refuses it.
        for name in ["layer1.0.mask_int", "layer1.0.gate_expanded"] {
            let (names, _) = grouped(&[first, fc[0], ("m", name, &[64], "3")]).unwrap();
            assert!(names.contains(&name.to_string()), "{name}");
        }
        // A layer behind the head in a dict of its own.
        let calibrator = ("calibrator", "weight", &[6_usize, 6][..], "3");
        let (names, said) = grouped(&[first, fc[0], fc[1], calibrator]).unwrap();
        assert_eq!(names, ["conv1.weight"]);
        assert!(said.contains("not used"), "{said}");
    }

    #[test]
    fn a_head_in_a_dict_of_its_own_is_joined_and_an_alias_is_no_second_network() {
        let list = [
            ("encoder", "conv1.weight", FIRST, "0"),
            ("classifier", "weight", &[6, 512], "1"),
            ("classifier", "bias", &[6], "2"),
        ];
        let (names, said) = grouped(&list).unwrap();
        assert_eq!(
            names,
            ["conv1.weight", "classifier.weight", "classifier.bias"]
        );
        assert_eq!(said, "");
        let tied = [
            ("", "backbone.conv1.weight", FIRST, "0"),
            ("", "head.weight", &[6, 512], "1"),
            ("", "model.0.conv1.weight", FIRST, "0"),
            ("", "model.1.weight", &[6, 512], "1"),
        ];
        let (names, said) = grouped(&tied).unwrap();
        assert_eq!(
            (names, said),
            (
                vec!["conv1.weight".into(), "head.weight".into()],
                String::new()
            )
        );
    }

    #[test]
    fn wrappers_within_a_name_are_taken_out() {
        let plain = plain_name("layer1._orig_mod.0._checkpoint_wrapped_module.conv1.weight");
        assert_eq!(plain, "layer1.0.conv1.weight");
        assert_eq!(plain_name("a\u{1b}[2J.weight"), "a\\u{1b}[2J.weight");
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
