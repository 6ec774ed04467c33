//! What the outputs of a checkpoint are called, as far as its writer noted it beside the tensors.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{first_few, literal};
use crate::platform::text::nfc;

/// Most names that are read.
pub(super) const MAX: usize = 100_000;

/// Keys under which people keep the names, those first that say most surely what they are.
const KEYS: [&str; 21] = [
    "class_to_idx",
    "idx_to_class",
    "id2label",
    "label2id",
    "class2idx",
    "idx2class",
    "classes",
    "classes_",
    "classnames",
    "label_map",
    "labels_map",
    "class_map",
    "class_mapping",
    "label_mapping",
    "vocab",
    "class_names",
    "label_names",
    "class_list",
    "categories",
    "labels",
    "names",
];

/// Most lists of names that are looked at in one file.
pub(super) const MOST_LISTS: usize = 64;

/// The place of this key among those under which names may lie.
pub(super) fn rank(key: &str) -> Option<usize> {
    // OpenMMLab writes CLASSES.
    let key = key.to_ascii_lowercase();
    KEYS.iter().position(|known| *known == key)
}

/// Lists of names with the keys under which they lie, from the top of the file down.
pub(super) type Lists = Vec<(String, Vec<String>)>;

/// What so many outputs are called, as far as text beside a network says it.
pub(crate) fn beside(text: &BTreeMap<String, String>, outputs: usize) -> Option<Vec<String>> {
    let lists = of_metadata(text);
    let (names, _) = choose(lists, Some(outputs));
    names.filter(|names| names.len() == outputs)
}

/// Of several lists one that has as many names as the network has outputs, if there is one; of these the one whose key
/// says most, and of equals the outermost. With it a sentence, to follow the file's name, where another list of as many
/// names has another order.
pub(super) fn choose(
    mut lists: Lists,
    outputs: Option<usize>,
) -> (Option<Vec<String>>, Option<String>) {
    // Stable: equals stay in their order.
    lists.sort_by_key(|(key, names)| (Some(names.len()) != outputs, rank(key)));
    let mut lists = lists.into_iter();
    let Some((key, names)) = lists.next() else {
        return (None, None);
    };
    let other = lists.find(|(_, other)| other.len() == names.len() && *other != names);
    let doubt = other.map(|(other, others)| {
        format!(
            "names its outputs twice and differently, {} under {key} and {} under {other}: {key} is believed",
            first_few(&names, 3),
            first_few(&others, 3)
        )
    });
    (Some(names.iter().map(|name| tidy(name)).collect()), doubt)
}

/// A name as names of data are compared and shown: in NFC, without blanks at its ends.
fn tidy(name: &str) -> String {
    nfc(name).trim().to_owned()
}

/// Keys under which people keep what each class is called, by the name that `class_to_idx` has for it: its folder's.
const CALLED: [&str; 3] = ["cat_to_name", "class_to_name", "label_to_name"];

/// Whether this key is one of those.
pub(super) fn is_called(key: &str) -> bool {
    CALLED.contains(&key)
}

/// Puts what the classes are called in place of their folders' names, in each list of which all are called something, and
/// each something else: `{"1": "pink primrose"}` beside `{"1": 0}`.
pub(super) fn call(lists: &mut Lists, called: &[(String, String)]) {
    let called: BTreeMap<&str, &String> = called.iter().map(|(k, v)| (k.as_str(), v)).collect();
    for (_, names) in lists {
        let new = names.iter().map(|name| called.get(name.as_str()).copied());
        let Some(new) = new.collect::<Option<Vec<_>>>() else {
            continue;
        };
        let different: std::collections::BTreeSet<_> = new.iter().collect();
        if different.len() == names.len() {
            *names = new.into_iter().cloned().collect();
        }
    }
}

/// Ends of the names of files and of parameters: lists of these lie under `labels` and `names` too.
const ENDS: [&str; 18] = [
    ".jpg",
    ".jpeg",
    ".png",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".webp",
    ".npy",
    ".npz",
    ".txt",
    ".csv",
    ".json",
    ".dcm",
    ".weight",
    ".bias",
    ".running_mean",
    ".running_var",
];

/// Words that are what a training measures, and those that say on what.
const MEASURED: [&str; 35] = [
    "loss",
    "losses",
    "acc",
    "accuracy",
    "top1",
    "top5",
    "f1",
    "fbeta",
    "precision",
    "prec",
    "recall",
    "rec",
    "auc",
    "auroc",
    "roc",
    "map",
    "ap",
    "iou",
    "miou",
    "dice",
    "mae",
    "mse",
    "rmse",
    "lr",
    "epoch",
    "epochs",
    "time",
    "kappa",
    "specificity",
    "sensitivity",
    "train",
    "val",
    "valid",
    "test",
    "score",
];

/// Whether these are the names of files, of parameters, or of what was measured.
fn is_of_something_else(names: &[String]) -> bool {
    let lower: Vec<String> = names
        .iter()
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let ends = |name: &String| ENDS.iter().any(|end| name.ends_with(end));
    // A list of one class may be anything.
    let measured = |name: &String| {
        let mut words = name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .peekable();
        words.peek().is_some() && words.all(|word| MEASURED.contains(&word))
    };
    !lower.is_empty() && (lower.iter().all(ends) || (lower.len() > 1 && lower.iter().all(measured)))
}

/// The names of a list. A list of numbers is no list of names, except under a key that says so.
pub(super) fn of_list(key: &str, names: Vec<String>) -> Option<Vec<String>> {
    let numbers = names.iter().all(|name| name.parse::<f64>().is_ok());
    let says_so = matches!(key, "classes" | "class_names" | "label_names");
    (!names.is_empty() && (!numbers || says_so) && !is_of_something_else(&names)).then_some(names)
}

/// The names of a dict: one side of its pairs is 0, 1, ... and the other the names. Where both sides are numbers
/// (digits as classes) the key of the dict must say which is which.
pub(super) fn of_pairs(key: &str, pairs: &[(String, String)]) -> Option<Vec<String>> {
    let side = |number: fn(&(String, String)) -> &str, name: fn(&(String, String)) -> &str| {
        let mut names = BTreeMap::new();
        for pair in pairs {
            let place: usize = number(pair).parse().ok()?;
            names.insert(place, name(pair).to_owned());
        }
        let whole = names.len() == pairs.len() && names.keys().copied().eq(0..pairs.len());
        whole.then(|| names.into_values().collect::<Vec<_>>())
    };
    if pairs.is_empty() || pairs.len() > MAX {
        return None;
    }
    let no_names = |names: &Vec<String>| !is_of_something_else(names);
    let numbers_last = side(|pair| &pair.1, |pair| &pair.0).filter(no_names);
    let numbers_first = side(|pair| &pair.0, |pair| &pair.1).filter(no_names);
    match key {
        "class_to_idx" | "label2id" | "class2idx" => numbers_last,
        "idx_to_class" | "id2label" | "idx2class" => numbers_first,
        _ => match (numbers_last, numbers_first) {
            (Some(one), Some(other)) if one != other => None,
            (one, other) => one.or(other),
        },
    }
}

/// Keys under which a text with commas is a list of names. The others say that there is a dict, or may as well be the
/// names of something else.
const PLAIN: [&str; 6] = [
    "classes",
    "classes_",
    "classnames",
    "class_names",
    "class_list",
    "label_names",
];

/// The value that a text of the metadata is: JSON, or what Python's `str` makes of a list or a dict.
fn value(text: &str) -> Option<Value> {
    let json = serde_json::from_str(text).ok();
    json.or_else(|| literal::parse(text))
}

/// A text or a number as a name or a place.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The names in one text of the metadata.
fn of_text(key: &str, text: &str) -> Option<Vec<String>> {
    match value(text) {
        Some(Value::Array(list)) => of_list(key, list.iter().map(word).collect::<Option<_>>()?),
        Some(Value::Object(object)) => {
            let pairs = object
                .iter()
                .map(|(key, value)| Some((key.clone(), word(value)?)));
            of_pairs(key, &pairs.collect::<Option<Vec<_>>>()?)
        }
        Some(_) => None,
        // What begins as a list and is none would leave its brackets and quotes in the names.
        None if literal::begins_as_one(text) || !PLAIN.contains(&key) || is_prose(text) => None,
        None => of_list(
            key,
            text.split(',').map(|name| name.trim().to_owned()).collect(),
        ),
    }
}

/// Whether a text is a sentence rather than names between commas: "trained on one, two and three".
fn is_prose(text: &str) -> bool {
    let text = text.trim();
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let words = |part: &str| part.split_whitespace().count();
    let (first, rest) = (parts.first().map_or(0, |p| words(p)), parts.get(1..));
    let longer = rest.is_some_and(|rest| rest.iter().all(|part| words(part) < first));
    let joined = |part: &&str| {
        let mut words = part.split_whitespace();
        words.any(|word| matches!(word, "and" | "or" | "on" | "of" | "with" | "the"))
    };
    text.ends_with('.') || text.contains(": ") || (longer && parts.iter().any(joined))
}

/// The names in the text that a safetensors file keeps beside its tensors: JSON, Python's lists and dicts, or names
/// with commas.
pub(super) fn of_metadata(metadata: &BTreeMap<String, String>) -> Lists {
    let read = |key: &str| of_text(key, metadata.get(key)?);
    let lists = KEYS
        .iter()
        .filter_map(|key| Some((key.to_string(), read(key)?)));
    let mut lists: Lists = lists.collect();
    for key in CALLED {
        let Some(Value::Object(pairs)) = metadata.get(key).and_then(|text| value(text)) else {
            continue;
        };
        let pairs = pairs.iter().map(|(k, v)| Some((k.clone(), word(v)?)));
        if let Some(pairs) = pairs.collect::<Option<Vec<_>>>() {
            call(&mut lists, &pairs);
        }
    }
    lists
}

/// Keys of the metadata under which there is something that begins as a list or dict of names and is not read as one.
pub(super) fn unread(metadata: &BTreeMap<String, String>) -> Vec<&'static str> {
    let unread = |key: &&str| {
        let text = metadata
            .get(*key)
            .filter(|text| literal::begins_as_one(text));
        text.is_some_and(|text| value(text).is_none())
    };
    KEYS.into_iter().filter(unread).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(a, b): &(&str, &str)| (a.to_string(), b.to_string());
        list.iter().map(own).collect()
    }

    #[test]
    fn names_are_read_from_both_kinds_of_dict() {
        let wanted = Some(vec!["cat".to_string(), "dog".to_string()]);
        let to_idx = |list: &[(&str, &str)]| of_pairs("class_to_idx", &pairs(list));
        assert_eq!(to_idx(&[("dog", "1"), ("cat", "0")]), wanted);
        assert_eq!(
            of_pairs("names", &pairs(&[("1", "dog"), ("0", "cat")])),
            wanted
        );
        assert_eq!(to_idx(&[("dog", "2"), ("cat", "0")]), None, "a gap");
        assert_eq!(to_idx(&[("dog", "0"), ("cat", "0")]), None, "twice");
        // Digits as classes: `class_to_idx` of MNIST in folders, where "10" sorts before "2".
        let digits = [("0", "0"), ("10", "1"), ("2", "2")];
        let named = Some(["0", "10", "2"].map(String::from).to_vec());
        assert_eq!(to_idx(&digits), named);
        let turned = digits.map(|(name, number)| (number, name));
        assert_eq!(of_pairs("idx_to_class", &pairs(&turned)), named);
        let unclear = [("0", "0"), ("1", "2"), ("2", "1"), ("3", "4"), ("4", "3")];
        assert!(
            of_pairs("names", &pairs(&unclear)).is_some(),
            "the same either way"
        );
        let unclear = [("0", "1"), ("1", "2"), ("2", "0")];
        assert_eq!(of_pairs("names", &pairs(&unclear)), None);
    }

    #[test]
    fn metadata_of_other_programs_is_no_list_of_names() {
        let of = |key: &str, text: &str| {
            choose(
                of_metadata(&BTreeMap::from([(key.into(), text.into())])),
                None,
            )
            .0
        };
        let wanted = Some(vec!["cat".to_string(), "dog".to_string()]);
        assert_eq!(of("classes", r#"["cat","dog"]"#), wanted);
        assert_eq!(of("classes", "cat, dog"), wanted);
        assert_eq!(of("id2label", r#"{"0":"cat","1":"dog"}"#), wanted);
        assert_eq!(of("classes", "6"), None);
        assert_eq!(of("names", "[1,2]"), None);
    }

    #[test]
    fn python_s_lists_are_read_and_never_split() {
        let of = |key: &str, text: &str| of_metadata(&BTreeMap::from([(key.into(), text.into())]));
        let wanted = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (key, text) in [
            ("class_to_idx", "{'dog': 1, 'cat': 0}"),
            ("classes", "['cat', 'dog']"),
            ("classes", "('cat', 'dog')"),
            ("id2label", "{0: 'cat', 1: \"dog\"}"),
            ("names", "['cat', 'dog']"),
        ] {
            let names = wanted(&["cat", "dog"]);
            assert_eq!(of(key, text), [(key.to_string(), names)], "{text}");
        }
        let commas = of("classes", "['a, b', 'c\\'d']");
        assert_eq!(commas[0].1, wanted(&["a, b", "c'd"]));
        for (key, text) in [
            ("class_to_idx", "cat, dog"),
            ("id2label", "cat, dog"),
            ("class_to_idx", "{'cat': 0, 'dog': 1"),
            ("classes", "{'cat', 'dog'}"),
            ("classes", "[cat, dog]"),
            ("class_to_idx", "OrderedDict([('cat', 0), ('dog', 1)])"),
            ("labels", "trained on one, two, three"),
            ("classes", "trained on one, two, three"),
            ("classes", "Trained for cats, dogs."),
        ] {
            assert_eq!(of(key, text), [], "{key}: {text}");
        }
        assert_eq!(
            of("classes", "big dog, cat")[0].1,
            wanted(&["big dog", "cat"])
        );
        let text = BTreeMap::from([("classes".to_string(), "[cat, dog]".to_string())]);
        assert_eq!(unread(&text), ["classes"]);
    }

    #[test]
    fn lists_of_files_and_of_metrics_are_no_names() {
        let list =
            |names: &[&str]| of_list("names", names.iter().map(ToString::to_string).collect());
        for other in [
            &["a.jpg", "b.JPG", "c.png"][..],
            &["loss", "acc", "f1", "prec", "rec", "auc"],
            &["train_loss", "val/top1"],
            &["fc.weight", "fc.bias"],
        ] {
            assert_eq!(list(other), None, "{other:?}");
            let pairs = other.iter().enumerate();
            let pairs: Vec<_> = pairs.map(|(i, n)| (n.to_string(), i.to_string())).collect();
            assert_eq!(of_pairs("names", &pairs), None, "{other:?}");
        }
        for names in [
            &["profit", "loss"][..],
            &["node.js", "a.jpg"],
            &["map", "globe"],
            &["time"],
        ] {
            assert!(list(names).is_some(), "{names:?}");
        }
    }

    #[test]
    fn names_are_in_nfc_and_without_blanks() {
        let list =
            |names: [&str; 2]| vec![("classes".to_owned(), names.map(String::from).to_vec())];
        let (names, _) = choose(list([" ant ", "cafe\u{301}\n"]), Some(2));
        assert_eq!(names, Some(vec!["ant".to_owned(), "caf\u{e9}".to_owned()]));
    }

    #[test]
    fn classes_are_called_what_their_folders_are_called() {
        let list = |names: [&str; 2]| ("class_to_idx".to_owned(), names.map(String::from).to_vec());
        let flowers = pairs(&[
            ("1", "pink primrose"),
            ("10", "globe thistle"),
            ("2", "iris"),
        ]);
        let mut lists = vec![list(["1", "10"]), list(["1", "3"])];
        call(&mut lists, &flowers);
        assert_eq!(
            lists,
            [list(["pink primrose", "globe thistle"]), list(["1", "3"])]
        );
        // Two classes of one name would be one.
        call(&mut lists, &pairs(&[("1", "iris"), ("3", "iris")]));
        assert_eq!(lists[1], list(["1", "3"]));
        let metadata = [
            ("class_to_idx", r#"{"1":0,"10":1}"#),
            (
                "cat_to_name",
                r#"{"1":"pink primrose","10":"globe thistle"}"#,
            ),
        ];
        let metadata = metadata.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(of_metadata(&metadata.into()), lists[..1]);
    }

    #[test]
    fn two_lists_that_disagree_are_said() {
        let list =
            |key: &str, names: [&str; 2]| (key.to_string(), names.map(String::from).to_vec());
        let lists = [
            list("classes", ["dog", "cat"]),
            list("class_to_idx", ["cat", "dog"]),
        ];
        let (names, doubt) = choose(lists.to_vec(), Some(2));
        assert_eq!(names, Some(lists[1].1.clone()));
        assert!(doubt.is_some_and(|doubt| doubt.contains("classes")));
        let (_, doubt) = choose(vec![lists[0].clone(), lists[0].clone()], Some(2));
        assert_eq!(doubt, None);
    }

    #[test]
    fn a_list_of_the_right_length_goes_before_a_better_key() {
        let list = |key: &str, names: &[&str]| {
            let names = names.iter().map(ToString::to_string).collect();
            (key.to_string(), names)
        };
        let lists = vec![
            list("class_to_idx", &["animal", "plant", "rock"]),
            list("names", &["cat", "dog"]),
        ];
        assert_eq!(
            choose(lists.clone(), Some(2)),
            (Some(lists[1].1.clone()), None)
        );
        // None fits: the loader refuses the names with their number.
        assert_eq!(choose(lists.clone(), Some(9)).0, Some(lists[0].1.clone()));
    }
}
