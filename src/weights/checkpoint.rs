//! The checkpoint as it lies in memory, and its comparison with what a model wants.

use std::collections::{BTreeMap, BTreeSet};

use super::convert::{Dtype, is_counter};
use super::names::TimmNames;
use super::{first_few, foreign, names, outputs, pth, safetensors};
use crate::error::{Error, Result};

/// Ends of names where a layer's weight is computed from other tensors at each step.
const DISGUISED: [&str; 7] = [
    ".weight_orig",
    ".weight_mask",
    ".weight_g",
    ".weight_v",
    ".weight_u",
    ".parametrizations.weight.original",
    ".parametrizations.weight.original0",
];

/// Fewer tensors than any backbone here has: 102 are a ResNet-18's without its counters.
const MANY: usize = 100;

/// Names of tensors in one message.
const SHOWN: usize = 5;

/// The key of [`Checkpoint::metadata`] for what a training called its network. `arch` is what was written here, and is
/// believed; this is not.
pub const NAMED: &str = "named";

/// The key of the metadata under which a file brings the graph of a network that is not known by name; its tensors are
/// read under the names that they have.
pub const GRAPH: &str = "graph";

/// A tensor with its name: name, shape, values in row-major order.
pub type NamedTensor = (String, Vec<usize>, Vec<f32>);

/// One tensor of a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTensor {
    /// Sizes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// How it was stored.
    pub dtype: Dtype,
    /// Its values, row-major; as many as the shape says, all finite.
    pub data: Vec<f32>,
}

/// Every floating-point tensor of a file, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checkpoint {
    /// The file's name, for messages.
    pub file: String,
    /// The tensors. `num_batches_tracked` counters are left out.
    pub tensors: BTreeMap<String, StoredTensor>,
    /// Text kept beside the tensors. Of a file of PyTorch's, what its training noted of images and of the network's
    /// name, under the names that the metadata of safetensors has here.
    pub metadata: BTreeMap<String, String>,
    /// Names of the outputs in their order, where the file has them.
    pub classes: Option<Vec<String>>,
    /// Whose names its tensors had, before they were translated, where that leaves open which network it is.
    pub timm: Option<TimmNames>,
    /// Why no last layer is among the tensors though the file has what may be one; to follow the file's name.
    pub no_head: Option<String>,
    /// What the user should know about how it was read, a sentence each.
    pub warnings: Vec<String>,
}

/// Reads a checkpoint, safetensors or what `torch.save` wrote, told apart by content. `file` is for messages.
/// The network is found among whatever else was saved (see `select`), its prefix is taken off the
/// names, and they are translated to those used here (see [`names`]).
///
/// # Errors
/// [`Error::Weights`]: another kind of file, a damaged or lying one, a pickle that asks for what runs code, two
/// networks, NaN or infinity. It names the tensor where one is to blame.
pub fn read(file: &str, bytes: &[u8]) -> Result<Checkpoint> {
    let (mut checkpoint, lists) = if bytes.starts_with(b"PK") {
        pth::read(file, bytes)?
    } else if bytes.get(8) == Some(&b'{') {
        // Eight bytes of length, then JSON. Asked before the pickle, whose first byte can be a length's.
        safetensors::read(file, bytes)?
    } else if pth::is_pickle(bytes) {
        pth::read_pickle(file, bytes)?
    } else {
        let reason = foreign::explain(file, bytes);
        let reason = reason.unwrap_or("is neither a safetensors file nor a PyTorch checkpoint");
        return Err(Error::weights(file, reason));
    };
    if checkpoint.tensors.is_empty() {
        let head = &bytes[..bytes.len().min(1 << 22)];
        let float8 = head.windows(7).any(|window| window == b"float8_");
        let reason = if float8 {
            "holds float8 tensors, which are not read; in Python, before saving: {k: v.float() for k, v in \
             model.state_dict().items()}"
        } else {
            "holds no floating-point tensors"
        };
        return Err(Error::weights(file, reason));
    }
    let disguised = |name: &&String| DISGUISED.iter().any(|part| name.ends_with(part));
    if let Some(name) = checkpoint.tensors.keys().find(disguised) {
        let reason = format!(
            "tensor {name} belongs to a layer that is pruned or has its weight in parts; in Python, before saving: \
             torch.nn.utils.prune.remove(layer, 'weight'), remove_weight_norm(layer), remove_spectral_norm(layer) or \
             parametrize.remove_parametrizations(layer, 'weight')"
        );
        return Err(Error::weights(file, reason));
    }
    // What a file says of its own network is not guessed at.
    if checkpoint.metadata.contains_key(GRAPH) {
        let (classes, _) = outputs::choose(lists, checkpoint.outputs());
        checkpoint.classes = classes;
        return Ok(checkpoint);
    }
    checkpoint.timm = TimmNames::of(&checkpoint.tensors);
    if names::is_densenet_s_features(&checkpoint.tensors) {
        checkpoint.warnings.push(format!(
            "{file} has a DenseNet's features in a network of its own. torchvision's has a ReLU behind them, which is \
             taken to be there; without one, its answers are wrong."
        ));
    }
    names::translate(&mut checkpoint.tensors);
    checkpoint.flatten_hidden_layers();
    names::name_head_alone(&mut checkpoint.tensors, |entry| &entry.shape);
    checkpoint.simplify_head();
    let (classes, doubt) = outputs::choose(lists, checkpoint.outputs());
    checkpoint.classes = classes;
    let doubt = doubt.map(|doubt| format!("{file} {doubt}."));
    checkpoint.warnings.extend(doubt);
    Ok(checkpoint)
}

impl Checkpoint {
    /// The shape of a tensor, if there is one of that name.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|entry| entry.shape.as_slice())
    }

    /// A VGG's hidden layers are matrices here; timm has them as convolutions over the whole plane.
    fn flatten_hidden_layers(&mut self) {
        for name in ["classifier.0.weight", "classifier.3.weight"] {
            if let Some(entry) = self.tensors.get_mut(name)
                && let [outputs, channels, rows, columns] = entry.shape[..]
                && let Some(inputs) = channels
                    .checked_mul(rows)
                    .and_then(|n| n.checked_mul(columns))
            {
                entry.shape = vec![outputs, inputs];
            }
        }
    }

    /// How many outputs the head has: the rows of its last matrix.
    pub(super) fn outputs(&self) -> Option<usize> {
        let layer = |name: &str| {
            name.split('.')
                .filter_map(|part| part.parse().ok())
                .collect()
        };
        let matrices = self.tensors.iter().filter_map(|(name, entry)| {
            let of_head = name.starts_with(names::HEAD) && name.ends_with(".weight");
            match entry.shape[..] {
                [outputs, _] if of_head => Some((layer(name), outputs)),
                _ => None,
            }
        });
        let last = matrices.max_by_key(|(layer, _): &(Vec<usize>, usize)| layer.clone());
        last.map(|(_, outputs)| outputs)
    }

    /// Takes a tensor's values out, row-major.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the tensor if it is missing or has another shape; it then stays.
    pub fn take_f32(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        match self.tensors.get(name) {
            None => Err(Error::weights(&self.file, format!("no tensor {name}"))),
            Some(entry) if entry.shape != shape => Err(Error::weights(
                &self.file,
                format!("tensor {name} is {:?}, {shape:?} expected", entry.shape),
            )),
            Some(_) => Ok((self.tensors.remove(name)).map_or_else(Vec::new, |entry| entry.data)),
        }
    }

    /// Compares names and shapes with what a model wants.
    ///
    /// # Errors
    /// [`Error::Weights`] with every missing, superfluous and wrongly shaped tensor: the first few by
    /// name, the rest by count.
    pub fn check(&self, expected: &[(String, Vec<usize>)]) -> Result<()> {
        let wanted: BTreeSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
        let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
        for (name, shape) in expected.iter().filter(|(name, _)| !is_counter(name)) {
            match self.shape(name) {
                None => missing.push(name.clone()),
                Some(found) if found != shape => {
                    misshapen.push(format!("{name} ({found:?}, {shape:?} expected)"));
                }
                Some(_) => {}
            }
        }
        let extra: Vec<String> = (self.tensors.keys())
            .filter(|name| !wanted.contains(name.as_str()))
            .cloned()
            .collect();
        if !missing.is_empty() && is_shard(&self.file) {
            let reason = "is one part of a checkpoint in several files, which is not read; in Python, load the model and \
                          save it in one: torch.save(model.state_dict(), 'weights.pth')";
            return Err(Error::weights(&self.file, reason));
        }
        // Hardly anything fits: a list of what is missing would say nothing.
        if wanted.len() >= MANY && 2 * (missing.len() + misshapen.len()) > wanted.len() {
            let whose = foreign::network(self.tensors.keys().map(String::as_str));
            let reason = format!(
                "{}. Of the nearest one's tensors {} are missing and {} of another shape ({})",
                foreign::is_another(whose),
                missing.len(),
                misshapen.len(),
                first_few(
                    if missing.is_empty() {
                        &misshapen
                    } else {
                        &missing
                    },
                    2
                )
            );
            return Err(Error::weights(&self.file, reason));
        }
        let parts: Vec<String> = [
            ("missing", &missing),
            ("of another shape", &misshapen),
            ("not part of the model", &extra),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{} {what}: {}", count(names.len()), first_few(names, SHOWN)))
        .collect();
        if parts.is_empty() {
            return Ok(());
        }
        let statistics =
            |name: &String| name.ends_with(".running_mean") || name.ends_with(".running_var");
        if misshapen.is_empty() && extra.is_empty() && missing.iter().all(statistics) {
            let reason = format!(
                "lacks the running means and variances of its batch norms ({}). If it holds parameters only, save all \
                 of the model, in Python: torch.save(model.state_dict(), 'weights.pth'). If it was built with \
                 GroupNorm or without statistics, it is a network that is not known here",
                first_few(&missing, SHOWN)
            );
            return Err(Error::weights(&self.file, reason));
        }
        Err(Error::weights(&self.file, parts.join("; ")))
    }

    /// A linear layer behind a dropout, `fc.1`, is a linear layer, `fc`; so is a convolution of one pixel; one without a
    /// bias has a bias of zeros.
    fn simplify_head(&mut self) {
        let of_head = |name: &&String| name.starts_with("fc.");
        for (_, entry) in self.tensors.iter_mut().filter(|(name, _)| of_head(name)) {
            if let [_, _, 1, 1] = entry.shape[..] {
                entry.shape.truncate(2);
            }
        }
        let names: Vec<String> = self.tensors.keys().filter(of_head).cloned().collect();
        let module = |name: &String| name.rsplit_once('.').map(|(module, _)| module.to_owned());
        let (Some(layer), true) = (names.first().and_then(module), names.len() <= 2) else {
            return;
        };
        let weight = format!("{layer}.weight");
        let Some(&[outputs, _]) = self.shape(&weight) else {
            return;
        };
        let bias = format!("{layer}.bias");
        if names.len() == 2 && self.shape(&bias) != Some(&[outputs]) {
            return;
        }
        if layer == "fc.0" {
            self.warnings.push(format!(
                "{} has a last layer with something without weights behind it. If that is a sigmoid (an image may have \
                 several labels then), the probabilities are wrong: those here are a softmax's.",
                self.file
            ));
        }
        let zeros = StoredTensor {
            shape: vec![outputs],
            dtype: Dtype::F32,
            data: vec![0.0; outputs],
        };
        let bias = self.tensors.remove(&bias).unwrap_or_else(|| {
            self.warnings.push(format!(
                "{} has a last layer without a bias, which is read as a linear one; the answers of one that compares \
                 directions (cosine, ArcFace) are wrong then.",
                self.file
            ));
            zeros
        });
        if let Some(weight) = self.tensors.remove(&weight) {
            self.tensors.insert("fc.weight".into(), weight);
            self.tensors.insert("fc.bias".into(), bias);
        }
    }
}

/// The tensors that a model wants, in its order, without a copy. `num_batches_tracked` counters are
/// neither wanted nor given.
///
/// # Errors
/// [`Error::Weights`] naming all that differs, as [`Checkpoint::check`] does.
pub fn load_state(
    mut checkpoint: Checkpoint,
    expected: &[(String, Vec<usize>)],
) -> Result<Vec<NamedTensor>> {
    checkpoint.check(expected)?;
    expected
        .iter()
        .filter(|(name, _)| !is_counter(name))
        .map(|(name, shape)| {
            let data = checkpoint.take_f32(name, shape)?;
            Ok((name.clone(), shape.clone(), data))
        })
        .collect()
}

/// "1 tensor", "3 tensors".
fn count(n: usize) -> String {
    format!("{n} tensor{}", if n == 1 { "" } else { "s" })
}

/// Whether a file is called as one part of several: `model-00001-of-00002.safetensors`.
fn is_shard(file: &str) -> bool {
    let digit = |text: Option<char>| text.is_some_and(|c| c.is_ascii_digit());
    file.rsplit_once("-of-")
        .is_some_and(|(before, after)| digit(before.chars().last()) && digit(after.chars().next()))
}
