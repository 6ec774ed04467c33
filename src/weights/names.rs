//! The spellings that one tensor goes by. Inside, a backbone's tensors have torchvision's present names
//! and the head is `fc`, as in a `ResNet`; what else a file may say is translated when it is read, and
//! the head's names when it is written.
//!
//! - `DenseNet` checkpoints from before torchvision 0.3 write `norm.1` for `norm1`.
//! - timm has names of its own for an `EfficientNet` (`timm/models/_efficientnet_blocks.py`). The layout is
//!   the same otherwise: torchvision's `IMAGENET1K_V1` of b0 to b4 are timm's files, renamed.
//! - torchvision calls the last layer `classifier` in a `DenseNet`, and `classifier.1`, after a dropout, in
//!   an `EfficientNet`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::network::Arch;
use crate::network::graph::{Graph, HeadName};

/// Name of the head inside.
pub const HEAD: &str = "fc";

/// Names of the last layer, as wrappers call it.
const HEADS: [&str; 10] = [
    "fc",
    "classifier",
    "classif",
    "head",
    "heads",
    "linear",
    "last_linear",
    "cls_head",
    "classification_head",
    "output",
];

/// Whether a module of this name is a head.
pub(super) fn is_head(module: &str) -> bool {
    HEADS.contains(&module)
}

/// Whether a module of this name is a second head, which a `GoogLeNet` and an Inception-v3 have in training only.
pub(super) fn is_auxiliary(module: &str) -> bool {
    matches!(module, "aux1" | "aux2" | "AuxLogits")
}

/// The module of the last layer that a tensor belongs to, if it does.
fn head_of(name: &str) -> Option<&str> {
    let (module, _) = name.split_once('.')?;
    is_head(module).then_some(module)
}

/// Name of the head in torchvision's `DenseNet` and `EfficientNet`.
const CLASSIFIER: &str = "classifier";

/// What several networks have in common: the name of the first convolution's weight.
struct Kind {
    mark: String,
    /// The modules at their top, the heads left out.
    modules: BTreeSet<String>,
}

/// The networks known here by their first convolution.
fn kinds() -> &'static [Kind] {
    static KINDS: OnceLock<Vec<Kind>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let mut kinds: Vec<Kind> = Vec::new();
        for graph in Arch::ALL.iter().map(|arch| arch.graph()) {
            let Some(mark) = graph.mark() else { continue };
            let at = kinds.iter().position(|kind| kind.mark == mark);
            let at = at.unwrap_or_else(|| {
                kinds.push(Kind {
                    mark,
                    modules: BTreeSet::new(),
                });
                kinds.len() - 1
            });
            kinds[at].modules.extend(top_modules_of(&graph));
        }
        kinds
    })
}

fn top_modules_of(graph: &Graph) -> impl Iterator<Item = String> {
    let names = graph.nodes.iter().filter(|node| !node.tensors().is_empty());
    names.filter_map(|node| node.name.split('.').next().map(str::to_owned))
}

/// The tensors by which networks are known, in the spelling used here.
pub fn marks() -> impl Iterator<Item = &'static str> {
    kinds().iter().map(|kind| kind.mark.as_str())
}

const RESNET: &str = "conv1.weight";
const DENSENET: &str = "features.conv0.weight";
/// A `MobileNetV2`'s too.
const EFFICIENTNET: &str = "features.0.0.weight";
/// A VGG's and an `AlexNet`'s.
const VGG: &str = "features.0.weight";
/// Their last layer.
const VGG_HEAD: &str = "classifier.6";

/// The same tensor under names that other programs give it: a `ResNet`'s where its children were put into a `Sequential`, as fastai does and self-supervised trainings do; a `ResNet`'s of Hugging Face's
/// transformers; and those of a `DenseNet`'s and an `EfficientNet`'s `features` alone.
pub(super) const OTHER_MARKS: [&str; 4] =
    ["0.weight", TRANSFORMERS, DENSE_FEATURES, EFFICIENT_FEATURES];

/// An `EfficientNet`'s and a `MobileNetV2`'s first convolution in timm, whose names those without squeeze and excitation
/// have here too.
const TIMM: &str = "conv_stem.weight";

/// A `DenseNet`'s first convolution below `features`.
const DENSE_FEATURES: &str = "conv0.weight";

/// An `EfficientNet`'s first convolution below `features`, of 3 x 3 pixels; a `ResNet` in a `Sequential` in another has
/// one of 7 x 7 there.
const EFFICIENT_FEATURES: &str = "0.0.weight";

/// Whether a mark can be of this kernel size, in pixels.
pub(super) fn mark_fits(mark: &str, kernel: [usize; 2]) -> bool {
    let efficient = mark == EFFICIENT_FEATURES || mark == EFFICIENTNET;
    !efficient || kernel == [3, 3]
}

/// A tensor that a network with this mark must have too, where the mark alone is that of many: the first layer of any
/// `Sequential` on three channels.
pub(super) fn needs(mark: &str) -> Option<&'static str> {
    (mark == "0.weight").then_some("4.0.conv1.weight")
}

/// A `ResNet`'s first convolution in transformers (`models/resnet/modeling_resnet.py`).
const TRANSFORMERS: &str = "embedder.embedder.convolution.weight";

/// The modules at the top of a network that has this mark, the head left out.
pub(super) fn top_modules(mark: &str) -> Vec<&'static str> {
    match mark {
        "0.weight" => vec!["0", "1", "4", "5", "6", "7"],
        TRANSFORMERS => vec!["embedder", "encoder"],
        DENSE_FEATURES => DENSE_MODULES.to_vec(),
        EFFICIENT_FEATURES => EFFICIENT_MODULES.to_vec(),
        _ => {
            let kind = kinds().iter().find(|kind| kind.mark == mark);
            let modules = kind.iter().flat_map(|kind| &kind.modules);
            let timms = (mark == VGG).then_some(TIMM_HIDDEN);
            modules.map(String::as_str).chain(timms).collect()
        }
    }
}

/// What is below `features` in a `DenseNet`.
const DENSE_MODULES: [&str; 10] = [
    "conv0",
    "norm0",
    "denseblock1",
    "transition1",
    "denseblock2",
    "transition2",
    "denseblock3",
    "transition3",
    "denseblock4",
    "norm5",
];

/// What is below `features` in an `EfficientNet`.
const EFFICIENT_MODULES: [&str; 9] = ["0", "1", "2", "3", "4", "5", "6", "7", "8"];

/// A `ResNet`'s children by their number; pools and activations have no tensors.
const CHILDREN: [(&str, &str); 7] = [
    ("0", "conv1"),
    ("1", "bn1"),
    ("4", "layer1"),
    ("5", "layer2"),
    ("6", "layer3"),
    ("7", "layer4"),
    ("9", "fc"),
];

/// timm's module of a VGG's hidden layers.
const TIMM_HIDDEN: &str = "pre_logits";

/// timm's modules behind a VGG's convolutions, and torchvision's; timm has the hidden layers as convolutions.
const TIMM_VGG: [(&str, &str); 3] = [
    ("pre_logits.fc1", "classifier.0"),
    ("pre_logits.fc2", "classifier.3"),
    ("head.fc", VGG_HEAD),
];

/// The first of torchvision's blocks in each of timm's stages of a `MobileNetV2`, in `features`.
const MOBILENET_STAGES: [usize; 7] = [1, 2, 4, 7, 11, 14, 17];

/// timm's modules before and after the blocks of a `MobileNetV2`, and torchvision's.
const TIMM_MOBILE_ENDS: [(&str, &str); 4] = [
    ("conv_stem", "features.0.0"),
    ("bn1", "features.0.1"),
    ("conv_head", "features.18.0"),
    ("bn2", "features.18.1"),
];

/// timm's modules in the first block of a `MobileNetV2` and torchvision's within `conv`.
const TIMM_MOBILE_FIRST: [(&str, &str); 4] = [
    ("conv_dw", "0.0"),
    ("bn1", "0.1"),
    ("conv_pw", "1"),
    ("bn2", "2"),
];

/// The same in the other blocks.
const TIMM_MOBILE_LATER: [(&str, &str); 6] = [
    ("conv_pw", "0.0"),
    ("bn1", "0.1"),
    ("conv_dw", "1.0"),
    ("bn2", "1.1"),
    ("conv_pwl", "2"),
    ("bn3", "3"),
];

/// timm's modules before and after the blocks, and torchvision's.
const TIMM_ENDS: [(&str, &str); 4] = [
    ("conv_stem", "features.0.0"),
    ("bn1", "features.0.1"),
    ("conv_head", "features.8.0"),
    ("bn2", "features.8.1"),
];

/// timm's modules in a block of the first stage, which does not expand (`DepthwiseSeparableConv`), and
/// torchvision's within `block`.
const TIMM_FIRST: [(&str, &str); 6] = [
    ("conv_dw", "0.0"),
    ("bn1", "0.1"),
    ("se.conv_reduce", "1.fc1"),
    ("se.conv_expand", "1.fc2"),
    ("conv_pw", "2.0"),
    ("bn2", "2.1"),
];

/// The same in a block of the other stages (`InvertedResidual`).
const TIMM_LATER: [(&str, &str); 8] = [
    ("conv_pw", "0.0"),
    ("bn1", "0.1"),
    ("conv_dw", "1.0"),
    ("bn2", "1.1"),
    ("se.conv_reduce", "2.fc1"),
    ("se.conv_expand", "2.fc2"),
    ("conv_pwl", "3.0"),
    ("bn3", "3.1"),
];

/// Whether the tensors have timm's names of an `EfficientNet` with squeeze and excitation; those without, the `Lite`
/// ones, have timm's names here too.
fn is_timm_efficientnet<T>(tensors: &BTreeMap<String, T>) -> bool {
    tensors.contains_key(TIMM) && tensors.keys().any(|name| name.contains(".se.conv_reduce."))
}

/// Whose names tensors have, where timm gives them to several networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimmNames {
    /// An `EfficientNet` with squeeze and excitation.
    EfficientNet,
    /// One without, of the Lite ones.
    Lite,
}

impl TimmNames {
    /// Those of these tensors.
    pub(super) fn of<T>(tensors: &BTreeMap<String, T>) -> Option<Self> {
        match (tensors.contains_key(TIMM), is_timm_efficientnet(tensors)) {
            (true, true) => Some(Self::EfficientNet),
            (true, false) if !is_mobilenet(tensors) => Some(Self::Lite),
            _ => None,
        }
    }
}

/// Whether timm's names are those of a `MobileNetV2`, which has four blocks where an `EfficientNet` without squeeze and
/// excitation has three, and three where that has four or more.
fn is_mobilenet<T>(tensors: &BTreeMap<String, T>) -> bool {
    let has = |block: &str| tensors.contains_key(&format!("blocks.{block}.conv_pw.weight"));
    has("3.3") && has("5.2") && !has("5.3")
}

/// Whether the tensors are a `DenseNet`'s `features` with a head that is not the `DenseNet`'s own, before they are
/// translated.
pub(super) fn is_densenet_s_features<T>(tensors: &BTreeMap<String, T>) -> bool {
    let own_head = |name: &String| name.starts_with("classifier.");
    let mut heads = tensors.keys().filter_map(|name| head_of(name)).peekable();
    let alone = tensors.contains_key(DENSE_FEATURES);
    let whole = tensors.contains_key(DENSENET);
    heads.peek().is_some() && (alone || (whole && !tensors.keys().any(own_head)))
}

/// Translates the names of a file that was read, where it is known what they mean; the others stay.
pub(super) fn translate<T>(tensors: &mut BTreeMap<String, T>) {
    if is_timm_efficientnet(tensors) {
        rename(tensors, from_timm);
    }
    if tensors.contains_key(TIMM) && is_mobilenet(tensors) {
        rename(tensors, from_timms_mobilenet);
    }
    if tensors.contains_key(VGG) {
        for (timm, ours) in TIMM_VGG {
            rename(tensors, |name| swap_prefix(name, timm, ours));
        }
    }
    let below = if tensors.contains_key(DENSE_FEATURES) {
        &DENSE_MODULES[..]
    } else if tensors.contains_key(EFFICIENT_FEATURES)
        && tensors.contains_key("1.0.block.0.0.weight")
    {
        &EFFICIENT_MODULES[..]
    } else {
        &[]
    };
    rename(tensors, |name| {
        let (module, _) = name.split_once('.')?;
        below.contains(&module).then(|| format!("features.{name}"))
    });
    if tensors.contains_key(TRANSFORMERS) {
        rename(tensors, from_transformers);
    }
    if tensors.contains_key("0.weight") && tensors.contains_key("4.0.conv1.weight") {
        rename(tensors, |name| {
            let mut children = CHILDREN.iter();
            children.find_map(|(number, child)| swap_prefix(name, number, child))
        });
    }
    if tensors.contains_key(DENSENET) {
        rename(tensors, from_old);
    }
    if tensors.contains_key(VGG) {
        // Before it stand hidden layers, which are of the backbone.
        rename(tensors, |name| swap_prefix(name, VGG_HEAD, HEAD));
        return;
    }
    let known = marks().any(|mark| tensors.contains_key(mark));
    let own = |name: &String| name.starts_with("classifier.");
    // A wrapper's `head` on any of them; a ResNet's `classifier` too.
    let foreign = tensors.contains_key(RESNET) || !tensors.keys().any(own);
    if foreign && known && !tensors.keys().any(|n| n.starts_with("fc.")) {
        let head = tensors
            .keys()
            .find_map(|name| head_of(name))
            .map(str::to_owned);
        if let Some(head) = head {
            rename(tensors, |name| swap_prefix(name, &head, HEAD));
        }
    }
    let head = |name: &str| name.starts_with("classifier.");
    let whole = [DENSENET, EFFICIENTNET, TIMM].into_iter();
    let whole = whole.into_iter().any(|mark| tensors.contains_key(mark));
    if whole || tensors.keys().all(|name| head(name)) {
        // Behind a dropout all of it is in place 1; behind a VGG's hidden layers in place 6.
        let all = |from: &str| {
            let mut names = tensors.keys().filter(|name| head(name));
            names.all(|name| swap_prefix(name, from, HEAD).is_some())
        };
        let places = ["classifier.1", VGG_HEAD].into_iter();
        let from = places
            .into_iter()
            .find(|from| all(from))
            .unwrap_or(CLASSIFIER);
        rename(tensors, |name| swap_prefix(name, from, HEAD));
    }
}

/// Fewest features that any backbone here gives.
const FEWEST_FEATURES: usize = 512;

/// Gives the tensors of a head that was saved alone the name of a head, whatever its own is: `torch.save(model.fc.state_dict())`
/// writes `weight` and `bias`, or `0.weight`, `0.bias`, `2.weight` ... for a sequence; others write `cls.weight`. `shape`
/// says a tensor's. A file with anything but matrices and vectors, or with nothing that takes as much as a backbone gives, stays as
/// it is.
pub(super) fn name_head_alone<T>(
    tensors: &mut BTreeMap<String, T>,
    shape: impl Fn(&T) -> &[usize],
) {
    let small = tensors.values().all(|tensor| shape(tensor).len() <= 2);
    let fits = |(name, tensor): (&String, &T)| {
        let wide = matches!(shape(tensor), &[_, inputs] if inputs >= FEWEST_FEATURES);
        wide && (name == "weight" || name.ends_with(".weight"))
    };
    if !small || !tensors.iter().any(fits) {
        return;
    }
    let module = |name: &str| name.split_once('.').map(|(module, _)| module.to_owned());
    let modules: BTreeSet<_> = tensors.keys().map(|name| module(name)).collect();
    let modules: Vec<_> = modules.into_iter().collect();
    let numbered =
        |module: &Option<String>| module.as_ref().is_some_and(|m| m.parse::<usize>().is_ok());
    match &modules[..] {
        // One module of whatever name, `fc` too.
        [Some(own)] if !numbered(&modules[0]) => {
            rename(tensors, |name| swap_prefix(name, own, HEAD))
        }
        [None] => rename(tensors, |name| Some(format!("{HEAD}.{name}"))),
        all if all.iter().all(numbered) => rename(tensors, |name| Some(format!("{HEAD}.{name}"))),
        _ => {}
    }
}

/// The name under which a tensor of the head is written for PyTorch, and shown: for an `EfficientNet` `classifier.1`
/// for a lone linear layer, `classifier.i` for layer i of a sequence.
#[must_use]
pub fn of_head(called: &HeadName, name: &str) -> String {
    let alone = !name.strip_prefix(HEAD).is_some_and(has_number);
    let head = if alone {
        &called.alone
    } else {
        &called.sequence
    };
    swap_prefix(name, HEAD, head).unwrap_or_else(|| name.to_string())
}

/// Whether it is `.0` or `.0.weight`, not `.weight`.
fn has_number(rest: &str) -> bool {
    let step = rest.strip_prefix('.');
    step.is_some_and(|step| step.starts_with(|c: char| c.is_ascii_digit()))
}

/// `name` with the modules at its beginning, `from`, called `to`.
fn swap_prefix(name: &str, from: &str, to: &str) -> Option<String> {
    let rest = name.strip_prefix(from)?;
    (rest.is_empty() || rest.starts_with('.')).then(|| format!("{to}{rest}"))
}

/// `..denselayer1.norm.1.weight` to `..denselayer1.norm1.weight`.
fn from_old(name: &str) -> Option<String> {
    let (before, layer) = name.split_once(".denselayer")?;
    let (number, part) = layer.split_once('.')?;
    let (kind, rest) = part.split_once('.')?;
    let old = matches!(kind, "norm" | "conv") && rest.starts_with(|c: char| c.is_ascii_digit());
    old.then(|| format!("{before}.denselayer{number}.{kind}{rest}"))
}

/// transformers' name of a tensor of a `ResNet` to torchvision's: `encoder.stages.0.layers.1.layer.2.normalization.bias`
/// to `layer1.1.bn3.bias`.
fn from_transformers(name: &str) -> Option<String> {
    let kind = |part: &str| match part {
        "convolution" => Some("conv"),
        "normalization" => Some("bn"),
        _ => None,
    };
    if let Some(stem) = name.strip_prefix("embedder.embedder.") {
        let (part, rest) = stem.split_once('.')?;
        return Some(format!("{}1.{rest}", kind(part)?));
    }
    let parts: Vec<&str> = name.split('.').collect();
    let number = |part: &str| part.parse::<usize>().ok()?.checked_add(1);
    match parts[..] {
        [
            "encoder",
            "stages",
            stage,
            "layers",
            block,
            "layer",
            i,
            part,
            rest,
        ] => {
            let (stage, i) = (number(stage)?, number(i)?);
            Some(format!("layer{stage}.{block}.{}{i}.{rest}", kind(part)?))
        }
        [
            "encoder",
            "stages",
            stage,
            "layers",
            block,
            "shortcut",
            part,
            rest,
        ] => {
            let i = usize::from(kind(part)? == "bn");
            Some(format!(
                "layer{}.{block}.downsample.{i}.{rest}",
                number(stage)?
            ))
        }
        _ => None,
    }
}

/// timm's `blocks.3.1.conv_pw.weight`: stage 3, block 1 and what is in it.
fn timm_block(name: &str) -> Option<(usize, usize, &str)> {
    let (stage, rest) = name.strip_prefix("blocks.")?.split_once('.')?;
    let (block, rest) = rest.split_once('.')?;
    Some((stage.parse().ok()?, block.parse().ok()?, rest))
}

/// `name` with the first of these modules that it begins with called as beside it.
fn swap_first(name: &str, modules: &[(&str, &str)]) -> Option<String> {
    let mut modules = modules.iter();
    modules.find_map(|(from, to)| swap_prefix(name, from, to))
}

/// timm's name of a tensor of an `EfficientNet` to torchvision's.
fn from_timm(name: &str) -> Option<String> {
    if !name.starts_with("blocks.") {
        return swap_first(name, &TIMM_ENDS);
    }
    let (stage, block, rest) = timm_block(name)?;
    let modules = match stage {
        0 => TIMM_FIRST.as_slice(),
        _ => TIMM_LATER.as_slice(),
    };
    let within = swap_first(rest, modules)?;
    let stage = stage.checked_add(1)?;
    Some(format!("features.{stage}.{block}.block.{within}"))
}

/// timm's name of a tensor of a `MobileNetV2` to torchvision's.
fn from_timms_mobilenet(name: &str) -> Option<String> {
    if !name.starts_with("blocks.") {
        return swap_first(name, &TIMM_MOBILE_ENDS);
    }
    let (stage, block, rest) = timm_block(name)?;
    let modules = match stage {
        0 => TIMM_MOBILE_FIRST.as_slice(),
        _ => TIMM_MOBILE_LATER.as_slice(),
    };
    let within = swap_first(rest, modules)?;
    let number = MOBILENET_STAGES.get(stage)?.checked_add(block)?;
    Some(format!("features.{number}.conv.{within}"))
}

/// Gives each tensor its new name, unless another has it already: that is an error of the file, which the
/// comparison with the model will name.
fn rename<T>(tensors: &mut BTreeMap<String, T>, new: impl Fn(&str) -> Option<String>) {
    let old: Vec<String> = tensors.keys().cloned().collect();
    for name in old {
        let Some(to) = new(&name) else { continue };
        if !tensors.contains_key(&to)
            && let Some(tensor) = tensors.remove(&name)
        {
            tensors.insert(to, tensor);
        }
    }
}
