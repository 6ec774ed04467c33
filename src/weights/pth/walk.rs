//! From what a pickle holds to the dicts of tensors in it, wherever people put them: at the top, under
//! `state_dict`, in a list beside the optimizer's, inside a module.

use std::collections::{HashSet, VecDeque};

use super::super::{checkpoint::NAMED, normalization, outputs, places};
use super::cursor::Result;
use super::notes::{Notes, Settled};
use super::pickle::Machine;
use super::state::below_limit;
use super::value::{Tensor, Value};

/// Most values that are looked at.
const MAX_STEPS: usize = 1 << 20;
/// Most names of outputs in all lists of a file together: a short reference can name a long list again and again.
const MAX_LISTED: usize = 2 * outputs::MAX;
/// Longest name of a tensor inside a module, in bytes.
const MAX_NAME: usize = 512;

/// A dict of named tensors.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Where it lies: `state_dict`, `[0]`; empty at the top.
    pub path: String,
    pub tensors: Vec<(String, Tensor)>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// From the top down.
    pub groups: Vec<Group>,
    /// Lists of names of outputs in their order, with their keys.
    pub names: Vec<(String, Vec<String>)>,
    /// What the training noted of images and of the network's name.
    pub notes: Settled,
    /// Whether tensors were found inside a module.
    pub module: bool,
}

impl Machine<'_> {
    /// All dicts that hold tensors under names, from the top of the value down, and the names of the outputs.
    ///
    /// # Errors
    /// A name that is too long, or more tensors than any network has.
    pub(super) fn find(&self, top: Value) -> Result<Found> {
        let mut found = Found::default();
        let mut open = Queue::default();
        open.push(top, String::new);
        let (mut steps, mut tensors, mut lists, mut listed) = (0, 0, 0, 0);
        let mut called = Vec::new();
        let mut notes = Notes::default();
        while let Some((path, value)) = open.waiting.pop_front() {
            if steps > MAX_STEPS {
                break;
            }
            let items = match value {
                Value::Dict(dict) => self.dicts[dict].as_slice(),
                Value::Object(object) => {
                    let group = self.module(value, &path, &mut steps)?;
                    if !group.tensors.is_empty() {
                        tensors += group.tensors.len();
                        below_limit(tensors)?;
                        found.module = true;
                        found.groups.push(group);
                        // Its parts are in it already.
                        continue;
                    }
                    let object = &self.objects[object];
                    if let Some(state) = object.state.filter(|state| is_container(*state)) {
                        open.push(state, || path.clone());
                    }
                    object.items.as_slice()
                }
                Value::List(list) => {
                    steps += self.lists[list].len();
                    open.push_all(&path, &self.lists[list]);
                    continue;
                }
                Value::Tuple(tuple) => {
                    steps += self.tuples[tuple].len();
                    open.push_all(&path, &self.tuples[tuple]);
                    continue;
                }
                _ => continue,
            };
            steps += items.len();
            if steps > MAX_STEPS {
                break;
            }
            let mut group = Group::default();
            for &(key, value) in items {
                match (key, value) {
                    (Value::Text(..), Value::Tensor(tensor)) => {
                        let name = self.string(key)?;
                        group.tensors.push((name, self.tensors[tensor].clone()));
                    }
                    // Longer than any name: not even looked at.
                    (Value::Text(a, b), _) if b - a >= MAX_NAME => {}
                    (Value::Text(a, b), value) => {
                        let name = self.pickle.str(a, b);
                        self.note(&mut notes, &path, name, value);
                        let may_name =
                            outputs::rank(name).is_some() && !places::is_of_training(&path);
                        if may_name && lists < outputs::MOST_LISTS {
                            lists += 1;
                            listed += self.len(value);
                            if listed <= MAX_LISTED {
                                let names = self.names(name, value);
                                let names = names.map(|names| (name.to_owned(), names));
                                found.names.extend(names);
                            }
                        }
                        if outputs::is_called(name) && called.is_empty() {
                            listed += self.len(value);
                            if listed <= MAX_LISTED {
                                called = self.words(value).unwrap_or_default();
                            }
                        }
                        // Deeper or longer than any path to weights.
                        let within = path.len() + name.len() < MAX_NAME;
                        if is_container(value) && within {
                            open.push(value, || join(&path, name));
                        }
                    }
                    (Value::Int(n), value) if is_container(value) && path.len() < MAX_NAME => {
                        open.push(value, || format!("{path}[{n}]"));
                    }
                    _ => {}
                }
            }
            if !group.tensors.is_empty() {
                tensors += group.tensors.len();
                below_limit(tensors)?;
                group.path = path;
                found.groups.push(group);
            }
        }
        outputs::call(&mut found.names, &called);
        found.notes = notes.settle();
        Ok(found)
    }

    /// Notes what lies under this name of the dict at `path`, if it is about images or the network.
    fn note(&self, notes: &mut Notes, path: &str, name: &str, value: Value) {
        if let (true, Value::Text(a, b)) = (is_config(name), value) {
            let config = self.pickle.str(a, b);
            if is_caffe(config) {
                notes.set("style", "caffe");
            }
            if is_bgr(config) {
                notes.set_bgr();
            }
            notes.add_pairs(&join(path, name), normalization::in_config(config));
        }
        if matches!(
            (name, value),
            ("to_rgb", Value::Bool(false)) | ("bgr", Value::Bool(true))
        ) {
            notes.set_bgr();
        }
        if noted_key(name).is_some()
            && let Some(text) = self.noted(value)
        {
            notes.add(path, name, text);
        }
    }

    /// The tensors of a module and the modules in it: `_parameters`, `_buffers`, `_modules`.
    fn module(&self, top: Value, path: &str, steps: &mut usize) -> Result<Group> {
        let mut group = Group {
            path: path.to_owned(),
            tensors: Vec::new(),
        };
        let mut seen = HashSet::new();
        let mut open = vec![(String::new(), top)];
        while let Some((prefix, value)) = open.pop() {
            let Value::Object(object) = value else {
                continue;
            };
            if !seen.insert(object) {
                continue;
            }
            let Some(state) = self.objects[object].state else {
                continue;
            };
            for &(key, held) in self.pairs(state) {
                let Value::Text(a, b) = key else { continue };
                let part = self.pickle.str(a, b);
                if !["_parameters", "_buffers", "_modules"].contains(&part) {
                    continue;
                }
                for &(key, value) in self.pairs(held) {
                    *steps += 1;
                    if *steps > MAX_STEPS {
                        return Err("its pickle has modules within modules without end".into());
                    }
                    let Value::Text(a, b) = key else { continue };
                    let name = join(&prefix, self.pickle.str(a, b));
                    if name.len() > MAX_NAME {
                        return Err(format!("its pickle has a name of {} bytes", name.len()));
                    }
                    match value {
                        Value::Tensor(tensor) => {
                            below_limit(group.tensors.len())?;
                            group.tensors.push((name, self.tensors[tensor].clone()));
                        }
                        _ if part == "_modules" => open.push((name, value)),
                        _ => {}
                    }
                }
            }
        }
        Ok(group)
    }

    /// The pairs of a dict, or of an object that is used as one; a tuple of states has its dict among them.
    fn pairs(&self, value: Value) -> &[(Value, Value)] {
        match value {
            Value::Dict(dict) => &self.dicts[dict],
            Value::Object(object) => &self.objects[object].items,
            Value::Tuple(tuple) => {
                let dict = self.tuples[tuple].iter().find_map(|item| match item {
                    Value::Dict(dict) => Some(*dict),
                    _ => None,
                });
                dict.map_or(&[], |dict| &self.dicts[dict])
            }
            _ => &[],
        }
    }

    /// How many values a list, or what is used as a dict, holds.
    fn len(&self, value: Value) -> usize {
        match value {
            Value::List(list) => self.lists[list].len(),
            Value::Tuple(tuple) => self.tuples[tuple].len(),
            value => self.pairs(value).len(),
        }
    }

    /// The names of the outputs, if that is what the value under this key is.
    fn names(&self, key: &str, value: Value) -> Option<Vec<String>> {
        let list = match value {
            Value::List(list) => &self.lists[list],
            Value::Tuple(tuple) => &self.tuples[tuple],
            Value::Object(_) if let Some(names) = self.numpy_array(value) => {
                return outputs::of_list(key, names);
            }
            _ => {
                return outputs::of_pairs(key, &self.words(value)?);
            }
        };
        if list.len() > outputs::MAX {
            return None;
        }
        let names = list.iter().map(|item| self.word(*item));
        outputs::of_list(key, names.collect::<Option<Vec<_>>>()?)
    }

    /// The pairs of a dict, if both sides are words.
    fn words(&self, value: Value) -> Option<Vec<(String, String)>> {
        let pairs = self.pairs(value);
        if pairs.len() > outputs::MAX {
            return None;
        }
        let pairs = pairs.iter();
        let pairs = pairs.map(|(key, value)| Some((self.word(*key)?, self.word(*value)?)));
        pairs.collect()
    }

    /// A word, a number or three of them, as the metadata of safetensors has them.
    fn noted(&self, value: Value) -> Option<String> {
        let items = match value {
            Value::List(list) => &self.lists[list],
            Value::Tuple(tuple) => &self.tuples[tuple],
            Value::Float(number) => return Some(number.to_string()),
            Value::Object(_) if let Some(numbers) = self.numpy_numbers(value) => {
                return (numbers.len() <= 3).then(|| numbers.join(","));
            }
            value => return self.word(value),
        };
        let numbers = items.iter().map(|item| match item {
            Value::Int(n) => Some(n.to_string()),
            Value::Float(number) => Some(number.to_string()),
            _ => None,
        });
        let numbers: Vec<String> = numbers
            .collect::<Option<_>>()
            .filter(|n: &Vec<_>| n.len() <= 3)?;
        Some(numbers.join(","))
    }

    /// Text, or a number as text; of Python or of NumPy.
    pub(super) fn word(&self, value: Value) -> Option<String> {
        match value {
            Value::Int(n) => Some(n.to_string()),
            Value::Float(n) if n.fract() == 0.0 && n.abs() < 1e9 => Some(format!("{n:.0}")),
            Value::Bytes(..) | Value::Latin1(..) => {
                String::from_utf8(self.raw(value)?.into_owned()).ok()
            }
            Value::Object(_) => self.numpy_scalar(value),
            value => self.string(value).ok(),
        }
    }
}

/// Whether a training keeps the text of its settings under this name, as OpenMMLab's do.
fn is_config(name: &str) -> bool {
    matches!(name, "config" | "cfg")
}

/// Whether settings of OpenMMLab's ask for a `ResNet` as Caffe has it, with the stride in a block's first convolution.
fn is_caffe(config: &str) -> bool {
    ["style='caffe'", "style=\"caffe\"", "'style': 'caffe'"]
        .iter()
        .any(|text| config.contains(text))
}

/// Whether settings of OpenMMLab's leave an image's channels as OpenCV reads them: blue, green, red.
fn is_bgr(config: &str) -> bool {
    let mut ends = ["to_rgb=False", "'to_rgb': False", "\"to_rgb\": False"]
        .into_iter()
        .flat_map(|text| config.match_indices(text));
    ends.any(|(at, _)| !config[..at].ends_with("bgr_"))
}

/// The key of the metadata for what people note under this name.
pub(in super::super) fn noted_key(name: &str) -> Option<&'static str> {
    Some(match name {
        "arch" | "architecture" | "model" | "model_name" | "backbone" | "backbone_name"
        | "encoder_name" => NAMED,
        "mean" => "mean",
        "std" => "std",
        "temperature" => "temperature",
        "gp" | "global_pool" => "global_pool",
        "act_layer" => "act_layer",
        "style" => "style",
        "img_size" | "image_size" | "input_size" | "crop_size" | "val_crop_size" | "imgsz" => {
            "input"
        }
        _ => return None,
    })
}

/// Containers that are still to be looked at, each once, with the place of each.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<(String, Value)>,
    seen: HashSet<(u8, usize)>,
}

impl Queue {
    fn push(&mut self, value: Value, path: impl FnOnce() -> String) {
        if self.seen.insert(place(value)) {
            self.waiting.push_back((path(), value));
        }
    }

    /// Queues what a list holds. State dicts in a list are few, and no path to them is long.
    fn push_all(&mut self, path: &str, items: &[Value]) {
        const MOST: usize = 1024;
        if path.len() >= MAX_NAME {
            return;
        }
        let containers = items.iter().enumerate();
        let containers = containers.filter(|(_, item)| is_container(**item));
        for (i, item) in containers.take(MOST) {
            self.push(*item, || format!("{path}[{i}]"));
        }
    }
}

fn is_container(value: Value) -> bool {
    matches!(
        value,
        Value::Dict(_) | Value::List(_) | Value::Tuple(_) | Value::Object(_)
    )
}

/// What tells one container from another.
fn place(value: Value) -> (u8, usize) {
    match value {
        Value::Dict(i) => (0, i),
        Value::List(i) => (1, i),
        Value::Tuple(i) => (2, i),
        Value::Object(i) => (3, i),
        _ => (4, 0),
    }
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
