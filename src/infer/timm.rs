//! `EfficientNet`s of timm: there the same names and sizes of tensors are several networks, which pad otherwise or have
//! norms with another epsilon. (timm 1.0, `timm/models/efficientnet.py`: `tf_*` pad as TensorFlow does and add 1e-3 to the
//! variance, the others pad evenly and add 1e-5.)

use crate::error::{Error, Result};
use crate::network::Arch;
use crate::weights::{Checkpoint, NAMED, TimmNames};

/// The way that always leads here: in ONNX a network is written out.
const AS_ONNX: &str = "export it as ONNX, in Python: torch.onnx.export(model.eval(), torch.zeros(1, 3, size, size), \
                       'model.onnx', external_data=False)";

/// The member that timm means by a name, where it is one here: its `tf_` of the Lite ones are those here.
pub(super) fn member(name: &str) -> Option<Arch> {
    let lite = name.strip_prefix("tf_");
    let lite = lite.filter(|name| name.starts_with("efficientnet_lite"));
    Arch::from_name(lite.unwrap_or(name))
}

/// What is not certain of a checkpoint with timm's names, read as this network, to tell the user.
///
/// # Errors
/// [`Error::Weights`] if it is certain to be another one.
pub(super) fn doubt(checkpoint: &Checkpoint, arch: Arch) -> Result<Option<String>> {
    let file = &checkpoint.file;
    // Written here, by a model that was in use.
    if checkpoint.metadata.contains_key("backbone") {
        return Ok(None);
    }
    let get = |key: &&str| checkpoint.metadata.get(*key);
    let named = ["arch", NAMED].iter().find_map(get).map(String::as_str);
    let of_tensorflow = named.is_some_and(|name| name.starts_with("tf_"));
    let refused = |what: &str| {
        let reason = format!("{what}, not as the {arch} here does; {AS_ONNX}");
        Err(Error::weights(file, reason))
    };
    match checkpoint.timm {
        Some(TimmNames::EfficientNet) if of_tensorflow => {
            refused("is one of timm's tf_ models, which pad their images as TensorFlow does")
        }
        Some(TimmNames::EfficientNet) if is_large(arch) => refused(
            "has timm's names, and timm's EfficientNets of this size pad or add to the variance of their norms",
        ),
        Some(TimmNames::EfficientNet) if named.is_none() => Ok(Some(format!(
            "{file} has timm's names for an EfficientNet and does not say for which one: if it is one of the tf_ models, \
             which pad their images otherwise, its answers are wrong."
        ))),
        Some(TimmNames::Lite) if !of_tensorflow => Ok(Some(format!(
            "{file} is read as timm's tf_{arch}. If it is timm's {arch}, without tf_, which pads its images otherwise, its \
             answers are wrong; then {AS_ONNX}."
        ))),
        _ => Ok(None),
    }
}

/// Those whose norms are torchvision's here, with 1e-3.
const fn is_large(arch: Arch) -> bool {
    matches!(
        arch,
        Arch::EfficientNetB5 | Arch::EfficientNetB6 | Arch::EfficientNetB7
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(timm: TimmNames, metadata: &[(&str, &str)]) -> Checkpoint {
        let metadata = metadata.iter();
        let metadata = metadata.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Checkpoint {
            file: "net.pth".to_owned(),
            metadata: metadata.collect(),
            timm: Some(timm),
            ..Checkpoint::default()
        }
    }

    #[test]
    fn a_network_of_the_same_tensors_is_refused_or_doubted() {
        use TimmNames::{EfficientNet, Lite};
        let said = |timm, metadata: &[(&str, &str)], arch| doubt(&file(timm, metadata), arch);
        let b0 = Arch::EfficientNetB0;
        assert!(said(EfficientNet, &[], b0).unwrap().is_some());
        let named = [("named", "efficientnet_b0.ra_in1k")];
        assert_eq!(said(EfficientNet, &named, b0).unwrap(), None);
        for (metadata, arch) in [
            (&[("named", "tf_efficientnet_b0.ns_jft_in1k")][..], b0),
            (&[("arch", "tf_efficientnet_b0")], b0),
            (&[("arch", "efficientnet_b5")], Arch::EfficientNetB5),
            (&[], Arch::EfficientNetB6),
        ] {
            let error = said(EfficientNet, metadata, arch).unwrap_err().to_string();
            assert!(
                error.starts_with("net.pth: ") && error.contains("ONNX"),
                "{error}"
            );
        }
        // What was saved here keeps timm's names and is what it says.
        let ours = [("arch", "efficientnet_lite0"), ("backbone", "0123")];
        let lite = Arch::EfficientNetLite0;
        assert_eq!(said(Lite, &ours, lite).unwrap(), None);
        assert_eq!(
            said(Lite, &[("named", "tf_efficientnet_lite0.in1k")], lite).unwrap(),
            None
        );
        assert!(
            said(Lite, &[("named", "efficientnet_lite0")], lite)
                .unwrap()
                .is_some()
        );
        assert!(said(Lite, &[], lite).unwrap().is_some());
    }

    #[test]
    fn timms_names_are_those_here() {
        assert_eq!(
            member("tf_efficientnet_lite0"),
            Some(Arch::EfficientNetLite0)
        );
        assert_eq!(member("resnet18"), Some(Arch::ResNet18));
        assert_eq!(member("tf_efficientnet_b0"), None);
    }
}
