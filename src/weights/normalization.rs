//! Mean and deviation of a checkpoint's images, where they lie among its tensors (a layer in front of the network does
//! the normalising, or a dict holds them) or in the text of its settings. A file that has them must not be said to have
//! none.

use std::collections::BTreeMap;

use super::candidate::Candidate;
use super::{literal, places};

/// A mean and a deviation of red, green, blue.
pub(super) type MeanStd = [[f64; 3]; 2];

/// The same for samples from 0 to 1, where these are plainly for such or for samples from 0 to 255.
pub(super) fn to_unit([mean, std]: MeanStd) -> Option<MeanStd> {
    let within =
        |list: &[f64; 3], low: f64, high: f64| list.iter().all(|n| (low..=high).contains(n));
    if within(&mean, 0.0, 1.0) && within(&std, 0.01, 1.0) {
        return Some([mean, std]);
    }
    // A mean below 1 with a deviation of 58 is of neither kind.
    let bytes = (mean == [0.0; 3] || within(&mean, 1.0, 255.0)) && within(&std, 12.75, 255.0);
    bytes.then(|| [mean, std].map(|triple| triple.map(|n| rounded(n / 255.0))))
}

/// Three values of a tensor, with no more digits than they have.
pub(super) fn of_tensor(values: Vec<f32>) -> Option<[f64; 3]> {
    let values: Option<Vec<f64>> = values.iter().map(|n| n.to_string().parse().ok()).collect();
    values?.try_into().ok()
}

/// As many digits as `f32` has, so that 1 / 127.5 gives 0.5 and not 0.49999999999999994.
pub(super) fn rounded(n: f64) -> f64 {
    (n * 1e7).round() / 1e7
}

/// Three numbers as the metadata has them.
pub(super) fn listed(numbers: [f64; 3]) -> String {
    numbers.map(|n| n.to_string()).join(",")
}

/// Three numbers from the metadata, with or without brackets.
pub(super) fn numbers(text: &str) -> Option<[f64; 3]> {
    let text = text.trim();
    let inner = text.strip_prefix(['[', '(']);
    let inner = inner.and_then(|text| text.strip_suffix([']', ')']));
    let parts = inner.unwrap_or(text).split(',');
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    let numbers: Option<Vec<f64>> = parts.map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Tensors that say how images are normalised.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// The numbers of the only mean and the deviation beside it, and what is before both their names.
    pub pair: Option<(usize, usize, String)>,
    /// Those that may be some and are not read.
    pub unread: Vec<usize>,
}

/// Finds them among these tensors.
pub(super) fn find(candidates: &[Candidate<'_>], among: &[usize]) -> Stored {
    let mut pairs: BTreeMap<String, [Option<usize>; 2]> = BTreeMap::new();
    for &i in among {
        let candidate = &candidates[i];
        let full = candidate.full_name();
        if let (Some((place, which)), true) = (mean_or_std(&full), is_triple(candidate))
            && !places::is_not_of_images(place)
        {
            pairs.entry(place.to_owned()).or_default()[which].get_or_insert(i);
        }
    }
    let all = || pairs.values().flatten().filter_map(|i| *i);
    let mut whole = pairs.iter();
    let whole = whole.find_map(|(place, pair)| match pair {
        [Some(mean), Some(std)] => Some((*mean, *std, place.clone())),
        _ => None,
    });
    match whole {
        Some(pair) if all().count() == 2 => Stored {
            pair: Some(pair),
            unread: Vec::new(),
        },
        _ => Stored {
            pair: None,
            unread: all().collect(),
        },
    }
}

/// Whether a tensor is called as a mean or a deviation of images is.
pub(super) fn is_named(candidate: &Candidate<'_>) -> bool {
    mean_or_std(candidate.name).is_some() && is_triple(candidate)
}

/// Whether it has a number for each of three channels.
fn is_triple(candidate: &Candidate<'_>) -> bool {
    candidate.real && candidate.shape.len() <= 4 && candidate.shape.iter().product::<usize>() == 3
}

/// The place of a mean (0) or a deviation (1), by its name: `0.mean`, `normalize.std`, `pixel_mean`.
fn mean_or_std(name: &str) -> Option<(&str, usize)> {
    const KINDS: [&str; 7] = ["", "pixel", "image", "img", "norm", "imagenet", "input"];
    let (place, last) = name.rsplit_once('.').unwrap_or(("", name));
    let last = last.trim_matches('_');
    let which = ["mean", "std"].iter().position(|end| last.ends_with(end))?;
    let kind = last[..last.len() - ["mean", "std"][which].len()].trim_end_matches('_');
    KINDS.contains(&kind).then_some((place, which))
}

/// Puts what was found under `place` into the metadata, and says so; or that it is not read.
pub(super) fn note(
    metadata: &mut BTreeMap<String, String>,
    place: &str,
    found: Option<MeanStd>,
) -> String {
    let place = if place.is_empty() {
        "beside the network"
    } else {
        place
    };
    let Some(unit) = found.and_then(to_unit) else {
        return unread(place);
    };
    let [mean, std] = unit.map(listed);
    if ["mean", "std"]
        .iter()
        .any(|key| metadata.contains_key(*key))
    {
        return format!(
            "has a mean {mean} and a deviation {std} among its tensors ({place}) beside those that it notes, which are used"
        );
    }
    let said = format!(
        "has the mean {mean} and the deviation {std} of its images among its tensors ({place}), which are used"
    );
    metadata.insert("mean".to_owned(), mean);
    metadata.insert("std".to_owned(), std);
    said
}

/// The sentence for a normalisation that is not read, to follow the file's name.
pub(super) fn unread(what: &str) -> String {
    format!(
        "has what may be the normalisation of its images ({what}), which is not read: say what it is (--normalize, or in \
         the page under Model)"
    )
}

/// What the settings of OpenMMLab's trainings say, as text: `img_norm_cfg = dict(mean=[127.5, ...], std=[...])`.
pub(super) fn in_config(text: &str) -> Vec<MeanStd> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("mean") {
        let word = text[..at]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_');
        let rest = &text[at + "mean".len()..];
        if word {
            continue;
        }
        let Some((mean, rest)) = list_after(rest) else {
            continue;
        };
        let Some(std) = rest.find("std").filter(|at| *at < 100) else {
            continue;
        };
        if let Some((std, _)) = list_after(&rest[std + "std".len()..])
            && !found.contains(&[mean, std])
        {
            found.push([mean, std]);
        }
    }
    found
}

/// Three numbers behind `=` or `:`, and what follows them.
fn list_after(text: &str) -> Option<([f64; 3], &str)> {
    let text = text.trim_start_matches(['\'', '"']).trim_start();
    let text = text.strip_prefix(['=', ':'])?.trim_start();
    let end = text.find([']', ')'])? + 1;
    let value = literal::parse(&text[..end])?;
    let numbers = value.as_array()?.iter().map(serde_json::Value::as_f64);
    let numbers: Option<Vec<f64>> = numbers.collect();
    Some((numbers?.try_into().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_to_255_are_counted_to_1() {
        let imagenet = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
        assert_eq!(to_unit(imagenet), Some(imagenet));
        assert_eq!(
            to_unit([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]]),
            Some(imagenet)
        );
        assert_eq!(to_unit([[127.5; 3]; 2]), Some([[0.5; 3]; 2]));
        // Means of 255 with deviations of 1, as Caffe's networks have them, and what is none.
        for other in [
            [[123.675, 116.28, 103.53], [1.0; 3]],
            [[0.1; 3], [0.0; 3]],
            [[-1.0; 3], [1.0; 3]],
        ] {
            assert_eq!(to_unit(other), None, "{other:?}");
        }
    }

    #[test]
    fn three_numbers_are_read_with_brackets_and_without() {
        for text in ["0.5,0.5,0.5", "[0.5, 0.5, 0.5]", "(0.5, .5, 0.50,)"] {
            assert_eq!(numbers(text), Some([0.5; 3]), "{text}");
        }
        for text in ["0.5", "[0.5, 0.5", "0.5,0.5,x", ""] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }

    #[test]
    fn the_settings_of_openmmlab_are_read() {
        let half = [[[127.5; 3], [127.5; 3]]];
        for text in [
            "img_norm_cfg = dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_rgb=False)",
            "model = dict(data_preprocessor={'mean': [127.5, 127.5, 127.5], 'std': [127.5, 127.5, 127.5]})",
            "a = dict(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)); b = dict(mean=[127.5, 127.5, 127.5],\n std=[127.5, 127.5, 127.5])",
        ] {
            assert_eq!(in_config(text), half, "{text}");
        }
        for text in [
            "mean",
            "target_means=[.0, .0, .0, .0]",
            "running_mean=[1, 2, 3], std=[1, 2, 3]",
            "mean=[1, 2, 3]",
        ] {
            assert_eq!(in_config(text), [] as [MeanStd; 0], "{text}");
        }
    }

    #[test]
    fn tensors_of_a_normalisation_are_known_by_name_and_shape() {
        let candidate = |name: &'static str, shape: &'static [usize]| Candidate {
            group: "",
            name,
            shape,
            real: true,
            expanded: false,
            place: (name, 0),
        };
        let find = |list: &[(&'static str, &'static [usize])]| {
            let all: Vec<_> = list
                .iter()
                .map(|(name, shape)| candidate(name, shape))
                .collect();
            let found = find(&all, &(0..all.len()).collect::<Vec<_>>());
            (found.pair, found.unread.len())
        };
        let pair = |place: &str| (Some((0, 1, place.to_string())), 0);
        assert_eq!(
            find(&[("0.mean", &[1, 3, 1, 1]), ("0.std", &[1, 3, 1, 1])]),
            pair("0")
        );
        assert_eq!(find(&[("mean", &[3]), ("std", &[3])]), pair(""));
        assert_eq!(
            find(&[("a.pixel_mean", &[3, 1, 1]), ("a.pixel_std", &[3, 1, 1])]),
            pair("a")
        );
        // One without the other, two of them, and what is called so and is something else.
        assert_eq!(find(&[("norm.mean", &[3])]), (None, 1));
        let two: [(_, &[usize]); 4] = [
            ("a.mean", &[3]),
            ("a.std", &[3]),
            ("b.mean", &[3]),
            ("b.std", &[3]),
        ];
        assert_eq!(find(&two), (None, 4));
        for other in [
            ("bn.running_mean", &[3][..]),
            ("history.mean", &[3]),
            ("mean", &[6]),
            ("target.std", &[3]),
        ] {
            assert_eq!(find(&[other]), (None, 0), "{}", other.0);
        }
    }
}
