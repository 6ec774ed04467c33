//! What a checkpoint says about itself beside its tensors, and the names of its outputs.

use super::timm;
use crate::config::{BundledModel, Preprocess, Scope, Transparency};
use crate::error::{Error, Result};
use crate::network::Arch;
use crate::weights::{Bundled, Checkpoint, NAMED, first_few};

/// Names of outputs in one sentence.
const NAMES_SHOWN: usize = 10;

/// What a checkpoint says about itself, as far as it does.
pub(super) struct About {
    pub arch: Option<Arch>,
    pub classes: Option<Vec<String>>,
    /// Edge of its input, in pixels.
    pub size: Option<usize>,
    /// Mean and standard deviation of red, green, blue, in 0..1.
    pub mean_std: Option<([f32; 3], [f32; 3])>,
    pub transparency: Option<Transparency>,
    pub tuned: Scope,
    /// The bundled model whose images its backbone has seen.
    pub seen: Option<BundledModel>,
    /// Whether its head was never trained.
    pub untrained: bool,
    /// What it says in a way that is not understood, a sentence each.
    pub warnings: Vec<String>,
}

impl About {
    /// Reads the metadata. Other programs use the same words for other things, so what is not understood is
    /// passed over with a warning.
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let get = |key: &str| checkpoint.metadata.get(key).map(String::as_str);
        let file = &checkpoint.file;
        let mut warnings = Vec::new();
        let mut passed_over = |key: &str, value: &str| {
            let value: String = value.chars().take(80).collect();
            warnings.push(format!(
                "{file}: its metadata {key:?} is {value:?}, which is not understood and passed over"
            ));
        };
        let arch = get("arch").and_then(|name| {
            let arch = timm::member(name);
            // "resnet18.a1_in1k" is how timm writes it; the tensors say which one it is.
            if arch.is_none() && timm::member(name.split('.').next().unwrap_or(name)).is_none() {
                passed_over("arch", name);
            }
            arch
        });
        let mut triple = |key: &str, largest: f32| {
            let text = get(key)?;
            let values: Vec<f32> = text
                .split(',')
                .filter_map(|v| v.trim().parse().ok())
                .collect();
            // Some programs count from 0 to 255.
            let triple = <[f32; 3]>::try_from(values).ok();
            let triple = triple.filter(|v| v.iter().all(|v| (0.0..=largest).contains(v)));
            if triple.is_none() {
                passed_over(key, text);
            }
            triple
        };
        let (mean, std) = (triple("mean", 1.0), triple("std", 1.0));
        let mean_std = mean.zip(std);
        let transparency = get("transparency").and_then(Transparency::from_name);
        let size = get("input").and_then(|text| {
            let (low, high) = Preprocess::SIZE;
            let size = text.parse().ok().filter(|size| (low..=high).contains(size));
            if size.is_none() {
                passed_over("input", text);
            }
            size
        });
        if let Some(named) = get(NAMED)
            && is_other_member(named)
        {
            let named: String = named.chars().take(80).collect();
            warnings.push(format!(
                "{file} calls its network {named:?}, which is none of the backbones here: it is read as the one that its \
                 tensors fit, and if it computes otherwise, its answers are wrong."
            ));
        }
        // What timm and OpenMMLab build otherwise on request; the tensors do not show it.
        for (key, ours) in [
            ("global_pool", &["", "avg", "fast"][..]),
            ("act_layer", &["", "relu"]),
            ("style", &["", "pytorch"]),
        ] {
            if let Some(other) = get(key).filter(|value| !ours.contains(value)) {
                let other: String = other.chars().take(80).collect();
                warnings.push(format!(
                    "{file} notes {key} = {other:?}, by which its network may compute otherwise than the one here; then its \
                     answers are wrong."
                ));
            }
        }
        if let Some(temperature) = get("temperature")
            && temperature.parse().is_ok_and(|t: f32| t != 1.0)
        {
            warnings.push(format!(
                "{file} notes a temperature of {temperature}. If its outputs were calibrated by it, its probabilities are \
                 wrong: nothing is divided by it. The order of the classes stays."
            ));
        }
        Self {
            arch,
            classes: checkpoint.classes.clone(),
            size,
            mean_std,
            transparency,
            tuned: get("tuned").and_then(Scope::from_name).unwrap_or_default(),
            // A model that was trained from a bundled one before this was written names its file.
            seen: get("seen")
                .and_then(BundledModel::from_name)
                .or_else(|| Bundled::seen_by(get("backbone")?)),
            untrained: get("untrained") == Some("true"),
            warnings,
        }
    }
}

impl About {
    /// Puts what it says of images in place of what was assumed.
    pub fn apply(&self, preprocess: &mut Preprocess) {
        preprocess.size = self.size.unwrap_or(preprocess.size);
        (preprocess.mean, preprocess.std) =
            self.mean_std.unwrap_or((preprocess.mean, preprocess.std));
        preprocess.transparency = self.transparency.unwrap_or(preprocess.transparency);
    }
}

/// Whether this is the name of a member of a family known here, which is not known itself: a `resnet50d`, a
/// `tf_efficientnet_b0`. A name of somebody's own says nothing.
fn is_other_member(named: &str) -> bool {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_', ' '], "");
    // What timm writes behind a dot says which weights they are.
    let name = plain(named.split('.').next().unwrap_or(named));
    let families = Arch::ALL.iter().map(|arch| plain(arch.family()));
    // Another word of the same construction.
    let mut families = families.chain(["resnext".to_owned()]);
    let of_family = families.any(|family| name.contains(&family) && name != family);
    let own = named.split('.').next().unwrap_or(named);
    let member = timm::member(&own.to_ascii_lowercase().replace('-', "_")).is_some();
    of_family && !member && !Arch::ALL.iter().any(|arch| plain(arch.name()) == name)
}

/// The names of so many outputs: those that were given, else those of the file, else "class 0" and so on, with
/// a warning. The names of other models or data sets are never borrowed: an equal number says nothing of the
/// order.
///
/// # Errors
/// [`Error::Weights`] if names were given and are not one for each output.
pub(super) fn names_of_outputs(
    file: &str,
    outputs: usize,
    given: Option<&[String]>,
    own: Option<Vec<String>>,
    warnings: &mut Vec<String>,
) -> Result<Vec<String>> {
    if let Some(given) = given {
        check_names(given, outputs).map_err(|reason| Error::weights(file, reason))?;
        let own = own.filter(|own| check_names(own, outputs).is_ok());
        warnings.extend(own.and_then(|own| renamed(file, &own, given)));
        return Ok(given.to_vec());
    }
    let why = match own {
        Some(own) => match check_names(&own, outputs) {
            Ok(()) => return Ok(own),
            Err(reason) => reason,
        },
        None => "does not say what its outputs are called".to_string(),
    };
    warnings.push(format!(
        "{file} {why}: they are called class 0 to class {}. Name them in their order (--classes, or in the \
         page under Model) before you believe a label.",
        outputs.saturating_sub(1)
    ));
    Ok(numbered(outputs))
}

/// A sentence about names that are given in place of the model's own; none if they are the same, or it had none.
#[must_use]
pub fn renamed(model: &str, own: &[String], given: &[String]) -> Option<String> {
    (own != given && own != numbered(own.len())).then(|| {
        format!(
            "{model} calls its outputs {}; they are called {} as you say.",
            first_few(own, NAMES_SHOWN),
            first_few(given, NAMES_SHOWN)
        )
    })
}

/// "class 0" and so on.
pub(super) fn numbered(outputs: usize) -> Vec<String> {
    (0..outputs).map(|i| format!("class {i}")).collect()
}

/// Whether these are names for so many outputs.
///
/// # Errors
/// The reason, fit to follow the name of the model.
pub fn check_names(names: &[String], outputs: usize) -> std::result::Result<(), String> {
    if names.len() != outputs {
        return Err(format!(
            "has {outputs} outputs, and {} names are there for them",
            names.len()
        ));
    }
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if name.trim().is_empty() {
            return Err("has an output whose name is empty".to_string());
        }
        if !seen.insert(name.trim()) {
            return Err(format!(
                "has two outputs of the name \u{201c}{}\u{201d}",
                name.trim()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_not_known_are_told() {
        for other in [
            "resnet50d",
            "tf_efficientnet_b0_ns",
            "resnetblur18",
            "se_resnet50.a1",
        ] {
            assert!(is_other_member(other), "{other}");
        }
        for known in [
            "resnet18",
            "ResNet-18",
            "resnet18.a1_in1k",
            "wide_resnet50_2",
            "efficientnet_b0",
            "resnet",
            "Net",
        ] {
            assert!(!is_other_member(known), "{known}");
        }
    }

    #[test]
    fn images_are_prepared_as_the_file_says() {
        let with = |list: &[(&str, &str)]| {
            let metadata = list.iter().map(|(k, v)| (k.to_string(), v.to_string()));
            About::of(&Checkpoint {
                metadata: metadata.collect(),
                ..Checkpoint::default()
            })
        };
        let mut preprocess = Preprocess::default();
        with(&[("mean", "0.5,0.5,0.5"), ("std", "0.25,0.25,0.25")]).apply(&mut preprocess);
        assert_eq!((preprocess.size, preprocess.mean), (150, [0.5; 3]));
        // Counted to 255: not understood, and said.
        let about = with(&[
            ("input", "224"),
            ("mean", "123.7,116.3,103.5"),
            ("std", "58,57,57"),
        ]);
        assert_eq!((about.size, about.mean_std), (Some(224), None));
        assert_eq!(about.warnings.len(), 2);
        for (key, value, said) in [
            ("global_pool", "max", 1),
            ("global_pool", "avg", 0),
            ("act_layer", "silu", 1),
            ("style", "caffe", 1),
            ("style", "pytorch", 0),
        ] {
            assert_eq!(with(&[(key, value)]).warnings.len(), said, "{key} {value}");
        }
        for (temperature, said) in [("1.5", 1), ("1.0", 0), ("hot", 0)] {
            assert_eq!(with(&[("temperature", temperature)]).warnings.len(), said);
        }
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_are_given_or_the_file_s_or_numbers() {
        let mut warnings = Vec::new();
        let mut call = |given: Option<&[String]>, own| {
            let found = names_of_outputs("m.pth", 2, given, own, &mut warnings);
            (found, std::mem::take(&mut warnings).len())
        };
        let (cat, sea) = (names(&["cat", "dog"]), names(&["sea", "sky"]));
        assert_eq!(call(Some(&cat), Some(sea.clone())), (Ok(cat.clone()), 1));
        let said = "m.pth calls its outputs sea, sky; they are called cat, dog as you say.";
        assert_eq!(renamed("m.pth", &sea, &cat).as_deref(), Some(said));
        assert_eq!(renamed("m.pth", &numbered(2), &cat), None);
        assert_eq!(call(Some(&cat), Some(cat.clone())), (Ok(cat.clone()), 0));
        assert_eq!(call(None, Some(sea.clone())), (Ok(sea), 0));
        assert_eq!(call(None, None), (Ok(names(&["class 0", "class 1"])), 1));
        let (numbers, said) = call(None, Some(names(&["one"])));
        assert_eq!((numbers, said), (Ok(names(&["class 0", "class 1"])), 1));
        for wrong in [&["cat"][..], &["cat", " cat "], &["cat", ""]] {
            let (found, _) = call(Some(&names(wrong)), None);
            assert!(
                found.is_err_and(|e| e.to_string().starts_with("m.pth: has")),
                "{wrong:?}"
            );
        }
    }
}
