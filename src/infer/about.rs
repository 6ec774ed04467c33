//! What a checkpoint says about itself beside its tensors, and the names of its outputs.

use crate::config::{Arch, Preprocess, Scope, Transparency};
use crate::error::{Error, Result};
use crate::model::weights::Checkpoint;

/// What a checkpoint says about itself, as far as it does.
pub(super) struct About {
    pub arch: Option<Arch>,
    pub classes: Option<Vec<String>>,
    pub preprocess: Option<Preprocess>,
    pub tuned: Scope,
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
            let arch = Arch::from_name(name);
            // "resnet18.a1_in1k" is how timm writes it; the tensors say which one it is.
            if arch.is_none() && Arch::from_name(name.split('.').next().unwrap_or(name)).is_none() {
                passed_over("arch", name);
            }
            arch
        });
        let default = Preprocess::default();
        let mut triple = |key: &str, otherwise: [f32; 3]| {
            let Some(text) = get(key) else {
                return otherwise;
            };
            let values: Vec<f32> = text
                .split(',')
                .filter_map(|v| v.trim().parse().ok())
                .collect();
            <[f32; 3]>::try_from(values).unwrap_or_else(|_| {
                passed_over(key, text);
                otherwise
            })
        };
        let (mean, std) = (triple("mean", default.mean), triple("std", default.std));
        let transparency = get("transparency").and_then(Transparency::from_name);
        let transparency = transparency.unwrap_or_default();
        let preprocess = get("input").and_then(|text| {
            let size = text.parse().unwrap_or_default();
            let settings = Preprocess {
                size,
                mean,
                std,
                transparency,
            };
            let sound = settings.check().is_ok();
            if !sound {
                passed_over("input", text);
            }
            sound.then_some(settings)
        });
        Self {
            arch,
            classes: checkpoint.classes.clone(),
            preprocess,
            tuned: get("tuned").and_then(Scope::from_name).unwrap_or_default(),
            untrained: get("untrained") == Some("true"),
            warnings,
        }
    }
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
        assert_eq!(call(Some(&cat), Some(sea.clone())), (Ok(cat.clone()), 0));
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
