//! What the layers are called.

use std::collections::{HashMap, HashSet};

/// Longest name that is taken over, in characters.
const LONGEST: usize = 200;

/// Names that are given out, each once.
#[derive(Default)]
pub(super) struct Names {
    given: HashSet<String>,
    /// The last number that a name got.
    last: HashMap<String, usize>,
}

impl Names {
    /// The name of a layer, from that of its node (`/layer1/layer1.0/conv1/Conv`), else from that of its weight
    /// (`layer1.0.conv1.weight`; layers with equal weights share it in some files), else of its kind and number.
    pub fn of(&mut self, weight: &str, node: &str, kind: &str) -> String {
        let plain = |name: &str| {
            let ok = |c: char| c.is_alphanumeric() || "._-".contains(c);
            !name.is_empty() && name.chars().count() <= LONGEST && name.chars().all(ok)
        };
        let of_weight = || weight.strip_suffix(".weight").map(str::to_owned);
        let wish = module(node).filter(|name| plain(name));
        let wish = wish.or_else(|| of_weight().filter(|name| plain(name)));
        let wish = wish.unwrap_or_else(|| kind.to_owned());
        // The head's name.
        let wish = match wish == "fc" || wish.starts_with("fc.") {
            true => format!("body.{wish}"),
            false => wish,
        };
        let mut name = wish.clone();
        while !self.given.insert(name.clone()) {
            let number = self.last.entry(wish.clone()).or_insert(1);
            *number += 1;
            name = format!("{wish}_{number}");
        }
        name
    }
}

/// The module that torch's older exporter names a node after: its path, of which each part that continues the one
/// before it stands for both: `/features/features.1/conv/conv.0/Conv` is `features.1.conv.0`.
fn module(node: &str) -> Option<String> {
    let (path, _) = node.strip_prefix('/')?.rsplit_once('/')?;
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        if let Some(last) = parts.last_mut()
            && part
                .strip_prefix(*last)
                .is_some_and(|rest| rest.starts_with('.'))
        {
            *last = part;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_called_as_its_module() {
        let mut names = Names::default();
        for (weight, node, name) in [
            ("onnx::Conv_193", "/conv1/Conv", "conv1"),
            (
                "onnx::Conv_196",
                "/layer1/layer1.0/conv1/Conv",
                "layer1.0.conv1",
            ),
            ("layer1.0.conv1.weight", "node_Conv_3", "layer1.0.conv1_2"),
            ("conv1.weight", "/conv2/Conv", "conv2"),
            (
                "",
                "/features/features.1/conv/conv.0/conv.0.0/Conv",
                "features.1.conv.0.0",
            ),
            ("W", "", "conv"),
            ("fc.weight", "", "body.fc"),
        ] {
            assert_eq!(names.of(weight, node, "conv"), name);
        }
    }
}
