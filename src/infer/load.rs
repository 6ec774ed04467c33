//! A classifier from a checkpoint: which backbone, which head, what the file does not say.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;

use super::Classifier;
use super::about::{self, About, names_of_outputs};
use super::imported::{graph_of, read_model};
use super::timm;
use crate::config::{BundledModel, HeadKind, InputSettings, Normalization, Preprocess};
use crate::error::{Error, Result};
use crate::model::backbone::Backbone;
use crate::model::head::{Head, HeadSpec};
use crate::network::Arch;
use crate::network::graph::Graph;
use crate::network::inspect::check_size;
use crate::weights::hub;
use crate::weights::{self, Bundled, Checkpoint, names};

/// Seed of the head that stands in for one of another class count.
const FRESH_HEAD: u64 = 0;

/// What is to be done where ImageNet's outputs have no names.
const NAME_THEM: &str = "To use its own head, say what its outputs are called, in their order: --classes FILE on the command \
                         line, a text file with a name a line, or in the page under Model; or `classes` in the checkpoint itself.";

/// A model read from a checkpoint, and what the user should know about it.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub classifier: Classifier,
    /// Whether the checkpoint's last layers could not be used and were replaced by untrained ones.
    pub head_replaced: bool,
    /// What the user should know, a sentence each.
    pub warnings: Vec<String>,
}

/// What a checkpoint is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// To answer with its own head.
    #[default]
    Answer,
    /// To train a new head on it.
    Train,
    /// Either: it was downloaded, and nobody can say what its outputs are called.
    Pretrained,
}

/// What is known of a model beside its checkpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// Names of the outputs, in order, where they are known better than from the file.
    pub names: Option<&'a [String]>,
    /// Labels of the untrained head that takes the place of one that cannot be used.
    pub untrained: &'a [String],
    /// How its images are prepared, where the user says so.
    pub input: InputSettings,
    /// What it is loaded for.
    pub purpose: Purpose,
}

impl Classifier {
    /// The model that comes with the crate: a `ResNet-18` for the six kinds of scenes of [`crate::classes`].
    ///
    /// # Errors
    /// In the browser, where it is fetched, what [`Bundled::load`] says; natively none.
    pub async fn bundled(device: &Device) -> Result<Self> {
        let bundled = Bundled::of(BundledModel::Scenes);
        let bytes = bundled.load(&mut |_, _| ControlFlow::Continue(())).await?;
        Self::of_bundle(bundled, &bytes, &[], device)
    }

    /// A bundled model from the bytes of its file; one without a last layer gets an untrained one for `untrained`.
    pub(crate) fn of_bundle(
        bundled: &Bundled,
        bytes: &[u8],
        untrained: &[String],
        device: &Device,
    ) -> Result<Self> {
        let checkpoint = weights::read(bundled.asset.path, bytes)?;
        let given = Given {
            untrained,
            ..Given::default()
        };
        let loaded = Self::load(checkpoint, Some(bundled.arch), given, device)?;
        Ok(Self {
            seen: bundled.seen.map(|_| bundled.model),
            ..loaded.classifier
        })
    }

    /// A whole model from the bytes of a checkpoint, safetensors or what `torch.save` wrote, or of an ONNX file, with all that the
    /// file says of itself. `name` is what messages call it.
    ///
    /// # Errors
    /// As [`Classifier::load`], and [`Error::Weights`] if the bytes are no checkpoint.
    pub fn read(name: &str, bytes: &[u8], device: &Device) -> Result<Loaded> {
        let (checkpoint, _) = read_model(name, bytes)?;
        Self::load(checkpoint, None, Given::default(), device)
    }

    /// A whole model from a checkpoint. The backbone is `arch` if given, else what the file says it is,
    /// else the member of the family whose tensors fit. A head that is none of the presets, or has ImageNet's
    /// 1000 outputs without their names, gives way to an untrained linear one for `given.untrained`.
    ///
    /// # Errors
    /// [`Error::Weights`] naming every missing, superfluous or wrongly shaped tensor; or if `given.names` are
    /// not one for each output.
    pub fn load(
        mut checkpoint: Checkpoint,
        arch: Option<Arch>,
        given: Given<'_>,
        device: &Device,
    ) -> Result<Loaded> {
        let mut about = About::of(&checkpoint);
        let size = about.size.unwrap_or(Preprocess::default().size);
        let (arch, graph) = match (graph_of(&checkpoint, size)?, arch.or(about.arch)) {
            (Some(graph), _) => (Arch::Imported, graph),
            (None, Some(Arch::Imported)) => {
                let reason = "was imported, but does not hold its network any more";
                return Err(Error::weights(&checkpoint.file, reason));
            }
            (None, Some(arch)) => (arch, arch.graph()),
            (None, None) => {
                let arch = recognise(&checkpoint)?;
                (arch, arch.graph())
            }
        };
        let doubt = timm::doubt(&checkpoint, arch)?;
        let graph = Arc::new(graph);
        let features = graph.features();
        let found = head_tensors(&checkpoint);
        let mut expected = graph.tensors();
        expected.extend(found.iter().cloned());
        checkpoint.check(&expected)?;
        let file = checkpoint.file.clone();
        let take = |name: &str, shape: &[usize]| checkpoint.take_f32(name, shape);
        let backbone = Backbone::load_graph(arch, graph.clone(), device, take)
            .map_err(|error| error.in_file(&file))?;

        let mut warnings = std::mem::take(&mut checkpoint.warnings);
        warnings.append(&mut about.warnings);
        // The hub's are those that the table names.
        warnings.extend(doubt.filter(|_| given.purpose != Purpose::Pretrained));
        let known = HeadSpec::recognise(&found, features);
        let said_head = checkpoint.metadata.contains_key("head");
        let unnamed = given.names.is_none() && about.classes.is_none();
        let unusable = match known {
            None if found.is_empty() => {
                let doubt = checkpoint.no_head.take();
                Some(doubt.unwrap_or_else(|| "has no last layer".to_string()))
            }
            None => Some(format!(
                "has a head that is none of the presets ({})",
                list_tensors(&found)
            )),
            Some((_, 0)) => Some("has a last layer without outputs".to_string()),
            Some((_, 1)) => {
                Some("has one output, a yes or no by a sigmoid, which is not read".to_string())
            }
            Some((_, hub::CLASSES)) if unnamed => Some(
                "has 1000 outputs, as many as ImageNet, and does not say what they are called"
                    .to_string(),
            ),
            Some(_) => None,
        };
        let head_replaced = unusable.is_some();
        let (head_kind, head, classes) = match (known, unusable) {
            (Some((kind, count)), None) => {
                let own = about.classes.clone();
                // In a training this head gives way to a new one, so nobody sees its labels.
                let mut said = Vec::new();
                let names = names_of_outputs(&file, count, given.names, own, &mut said)?;
                said.extend(assumed_layers(&file, kind, said_head));
                if given.purpose != Purpose::Train {
                    warnings.append(&mut said);
                }
                let spec = HeadSpec::of(kind, features, count);
                let take = |name: &str, shape: &[usize]| checkpoint.take_f32(name, shape);
                (kind, Head::load(spec, device, take)?, names)
            }
            (_, unusable) => {
                let labels = match given.names.unwrap_or(given.untrained) {
                    // A layer without outputs is none.
                    [] => about::numbered(1),
                    labels => labels.to_vec(),
                };
                if given.purpose != Purpose::Train {
                    let why = unusable.unwrap_or_default();
                    warnings.push(format!(
                        "{file} {why}: the backbone is used with a new, untrained head for {} classes. Train it \
                         before you classify.",
                        labels.len()
                    ));
                }
                if given.purpose == Purpose::Answer && matches!(known, Some((_, hub::CLASSES))) {
                    warnings.push(NAME_THEM.to_string());
                }
                let spec = HeadSpec::of(HeadKind::Linear, features, labels.len());
                let head = Head::init(spec, FRESH_HEAD, device);
                (HeadKind::Linear, head, labels)
            }
        };
        if given.purpose == Purpose::Train && !found.is_empty() {
            let outputs =
                known.map_or_else(String::new, |(_, count)| format!(" ({count} outputs)"));
            warnings.push(format!(
                "{file}: its own head{outputs} is not used, a new one for the data set's classes takes its place."
            ));
        }
        // A checkpoint that does not say how large its input is, but has ImageNet's outputs.
        let usual = match known {
            Some((_, hub::CLASSES)) => Preprocess::of(arch),
            _ => Preprocess::default(),
        };
        let mut preprocess = usual;
        about.apply(&mut preprocess);
        warnings.extend(overruled(&file, &about, &given.input));
        given.input.apply(&mut preprocess);
        preprocess.check()?;
        check_size(&graph, arch.name(), preprocess.size)?;
        // A new head is trained on whatever is assumed here; one that was trained already is not.
        if !head_replaced {
            let size = about.size.or(given.input.size).is_none();
            let normalization = about.mean_std.is_none() && given.input.normalization.is_none();
            warnings.extend(assumed_input(&file, &preprocess, [size, normalization]));
            if normalization && matches!(arch, Arch::GoogLeNet | Arch::InceptionV3) {
                warnings.push(format!(
                    "{file}: where it began from torchvision's pretrained {arch}, whose transform_input no file shows, the \
                     images are brought to -1 to 1 (half)."
                ));
            }
        }
        Ok(Loaded {
            classifier: Self {
                backbone,
                head,
                head_kind,
                classes,
                preprocess,
                tuned: about.tuned,
                seen: about.seen,
                untrained: head_replaced || about.untrained,
            },
            head_replaced,
            warnings,
        })
    }

    /// The same backbone with a head from a checkpoint that holds a head alone, and what the user should know.
    ///
    /// # Errors
    /// [`Error::Weights`] if its tensors are no preset's for this backbone, or `names` are not one for each
    /// output.
    pub fn with_head(
        &self,
        mut checkpoint: Checkpoint,
        names: Option<&[String]>,
    ) -> Result<(Self, Vec<String>)> {
        let mut about = About::of(&checkpoint);
        let arch = self.backbone.arch();
        let file = checkpoint.file.clone();
        if let Some(other) = about.arch
            && other != arch
        {
            let reason = format!(
                "is a head for {}, the backbone is {}",
                other.name(),
                arch.name()
            );
            return Err(Error::weights(file, reason));
        }
        let found = head_tensors(&checkpoint);
        checkpoint.check(&found)?;
        let features = self.features();
        let Some((head_kind, outputs)) = HeadSpec::recognise(&found, features) else {
            return Err(Error::weights(file, no_head_here(&found, arch, features)));
        };
        let mut warnings = std::mem::take(&mut checkpoint.warnings);
        warnings.append(&mut about.warnings);
        let classes = names_of_outputs(&file, outputs, names, about.classes.take(), &mut warnings)?;
        let said_head = checkpoint.metadata.contains_key("head");
        warnings.extend(assumed_layers(&file, head_kind, said_head));
        if about.arch.is_none() {
            warnings.push(format!(
                "{file} is a head alone and does not say which backbone it was trained on: it is put on the {} in \
                 use. On another one its answers mean nothing.",
                arch.name()
            ));
        }
        let mut preprocess = self.preprocess.clone();
        about.apply(&mut preprocess);
        let spec = HeadSpec::of(head_kind, features, outputs);
        let take = |name: &str, shape: &[usize]| checkpoint.take_f32(name, shape);
        let classifier = Self {
            backbone: self.backbone.clone(),
            head: Head::load(spec, self.backbone.device(), take)?,
            head_kind,
            classes,
            preprocess,
            tuned: self.tuned,
            seen: self.seen,
            untrained: about.untrained,
        };
        Ok((classifier, warnings))
    }
}

/// Why the tensors of a head alone are none for the backbone in use; to follow the file's name.
fn no_head_here(found: &[(String, Vec<usize>)], arch: Arch, features: usize) -> String {
    let list = list_tensors(found);
    let first = found.iter().find_map(|(_, shape)| match shape[..] {
        [_, inputs] => Some(inputs),
        _ => None,
    });
    match first {
        Some(inputs) if inputs != features => format!(
            "holds a head alone, for {inputs} features ({list}); the backbone in use, {}, gives {features}. Save the whole \
             model, in Python: torch.save(model.state_dict(), 'weights.pth')",
            arch.name()
        ),
        _ => format!("no preset on {features} features has these tensors: {list}"),
    }
}

/// A sentence about what a state dict does not say of a head of several layers: what is between them.
fn assumed_layers(file: &str, kind: HeadKind, said: bool) -> Option<String> {
    (!said && kind != HeadKind::Linear).then(|| {
        format!(
            "{file} does not say what is between the layers of its head: they are taken for those of the preset {}, \
             with ReLU. If it was trained with another activation, its answers are wrong.",
            kind.name()
        )
    })
}

/// A sentence about what a checkpoint does not say of its images: their size, their normalisation.
fn assumed_input(file: &str, assumed: &Preprocess, unsaid: [bool; 2]) -> Option<String> {
    let size = format!("{0} x {0} pixels", assumed.size);
    let known = assumed.normalization();
    let normalization = known.map_or("its own mean and deviation", Normalization::label);
    let (unsaid, assumed, flags) = match unsaid {
        [false, false] => return None,
        [true, false] => ("how large its images were", size, "--input-size"),
        [false, true] => (
            "how its images were normalised",
            normalization.to_string(),
            "--normalize",
        ),
        [true, true] => (
            "how its images were prepared",
            format!("{size} and {normalization}"),
            "--input-size and --normalize",
        ),
    };
    Some(format!(
        "{file} does not say {unsaid}; assumed: {assumed} (say otherwise by {flags}, or in the page under Model)."
    ))
}

/// What a file says of its images and the user says otherwise.
fn overruled(file: &str, about: &About, input: &InputSettings) -> Option<String> {
    let size = about.size.zip(input.size).filter(|(own, said)| own != said);
    let size = size.map(|(own, said)| format!("{own} x {own} pixels, and {said} x {said}"));
    let said = input
        .normalization
        .map(|said| (said.label(), said.mean_std()));
    let normalization = about.mean_std.zip(said);
    let normalization = normalization.filter(|(own, (_, said))| own != said);
    let normalization = normalization.map(|((mean, std), (label, _))| {
        format!("a mean of {mean:?} and a deviation of {std:?}, and {label}")
    });
    let both: Vec<String> = size.into_iter().chain(normalization).collect();
    (!both.is_empty()).then(|| {
        let both = both.join(" is used, as you say; it also says ");
        format!("{file} says that its images have {both} is used, as you say.")
    })
}

/// Whether a checkpoint is a head alone.
#[must_use]
pub fn is_head(checkpoint: &Checkpoint) -> bool {
    checkpoint
        .tensors
        .keys()
        .all(|name| name.starts_with("fc."))
}

/// Names and shapes of the head's tensors.
fn head_tensors(checkpoint: &Checkpoint) -> Vec<(String, Vec<usize>)> {
    let tensors = checkpoint.tensors.iter();
    tensors
        .filter(|(name, _)| name.starts_with("fc."))
        .map(|(name, entry)| (name.clone(), entry.shape.clone()))
        .collect()
}

/// Names and shapes for one line; of a long list the beginning.
fn list_tensors(tensors: &[(String, Vec<usize>)]) -> String {
    const SHOWN: usize = 6;
    let shown = tensors.iter().take(SHOWN);
    let mut list: Vec<_> = shown
        .map(|(name, shape)| format!("{name} {shape:?}"))
        .collect();
    if tensors.len() > SHOWN {
        list.push(format!("and {} more", tensors.len() - SHOWN));
    }
    list.join(", ")
}

/// The backbone whose tensors fit best; the loader then names what does not fit.
fn recognise(checkpoint: &Checkpoint) -> Result<Arch> {
    let marks: Vec<&str> = names::marks().collect();
    if !marks.iter().any(|mark| checkpoint.shape(mark).is_some()) {
        let found: Vec<_> = checkpoint.tensors.keys().take(3).cloned().collect();
        let mut reason = format!(
            "is no backbone known here: none of the tensors {} among {}, ...",
            marks.join(", "),
            found.join(", ")
        );
        if checkpoint
            .tensors
            .values()
            .all(|entry| entry.shape.len() <= 2)
        {
            reason.push_str(
                "; if it is a layer of a network, save all of that, in Python: torch.save(model.state_dict(), 'weights.pth')",
            );
        }
        return Err(Error::weights(&checkpoint.file, reason));
    }
    let fit = |graph: &Graph| {
        let tensors = graph.tensors();
        let wanted = tensors.len();
        let fits = |(name, shape): &&(String, Vec<usize>)| checkpoint.shape(name) == Some(shape);
        let fitting = tensors.iter().filter(fits).count();
        // Fitting tensors count for, wanted but absent ones against.
        2 * fitting as i64 - wanted as i64
    };
    let graphs = Arch::ALL.iter().map(|arch| (*arch, arch.graph()));
    let known = graphs.filter(|(_, graph)| {
        let mark = graph.mark().unwrap_or_default();
        checkpoint.shape(&mark).is_some()
    });
    let best = known.max_by_key(|(_, graph)| fit(graph));
    Ok(best.map(|(arch, _)| arch).unwrap_or_default())
}
