//! Names of folders that say what kind of images they hold, and so neither a class nor a part: photos, masks, a
//! processing, a format, one of the piles of a set that is too large for one folder.

use super::parts::{said, words};

/// Photos, as they were taken.
const PHOTOS: [&str; 19] = [
    "images",
    "image",
    "imgs",
    "img",
    "photos",
    "photo",
    "pictures",
    "pics",
    "raw",
    "original",
    "originals",
    "input",
    "inputs",
    "frames",
    "rgb",
    "jpg",
    "jpeg",
    "png",
    "jpegimages",
];

/// Other kinds of images of whatever class.
const OTHERS: [&str; 28] = [
    "pic",
    "orig",
    "augmented",
    "augmentation",
    "aug",
    "processed",
    "preprocessed",
    "unprocessed",
    "cropped",
    "crops",
    "crop",
    "resized",
    "jpegs",
    "pngs",
    "gray",
    "grayscale",
    "grey",
    "color",
    "colour",
    "data",
    "dataset",
    "part",
    "batch",
    "chunk",
    "shard",
    "folder",
    "set",
    "segmented",
];

/// Those of them that alone are names for anything.
const ANYTHING: [&str; 5] = ["set", "part", "folder", "batch", "data"];

/// What the piles of a set that is too large for one folder are called, before their numbers.
const PILES: [&str; 6] = ["images", "image", "imgs", "photos", "pictures", "jpg"];

/// Pictures that are no photos.
const MASKS: [&str; 20] = [
    "mask",
    "masks",
    "label",
    "labels",
    "annotation",
    "annotations",
    "segmentation",
    "segmentations",
    "segmented",
    "groundtruth",
    "ground",
    "gt",
    "truth",
    "trimaps",
    "trimap",
    "annots",
    "bbox",
    "bboxes",
    "heatmaps",
    "xmls",
];

/// Whether a name has a word of a list, and else words of photos and parts alone: `face_mask` is a thing, `train_masks`
/// are masks.
fn speaks_of(name: &str, list: &[&str]) -> bool {
    let words = words(name);
    let of = |list: &[&str], word: &String| list.contains(&word.as_str());
    words.iter().any(|word| of(list, word))
        && words
            .iter()
            .all(|word| of(list, word) || of(&PHOTOS, word) || said(word).is_some())
}

/// Whether a folder holds masks or annotations by its name.
pub(super) fn names_masks(name: &str) -> bool {
    // `lung masks`: several of them, and of something.
    let ends = ["masks", "annotations", "gt"];
    let last_of = |words: Vec<String>| words.last().is_some_and(|w| ends.contains(&w.as_str()));
    speaks_of(name, &MASKS) || last_of(words(name)) || names_truth(name)
}

/// Whether a folder holds ground truth, which is none of classes beside whatever it lies (`CASIA 2 Groundtruth`).
pub(super) fn names_truth(name: &str) -> bool {
    let words = words(name);
    let is_both = |pair: &[String]| pair[0] == "ground" && pair[1] == "truth";
    words.iter().any(|word| word == "groundtruth")
        || words.windows(2).any(is_both)
        || words[..] == ["gt"]
}

/// Whether a name of masks may be that of a thing as well, or of what is done with photos: `mask` beside `helmet`.
pub(super) fn may_be_no_masks(name: &str) -> bool {
    let words = words(name);
    words.len() == 1 && ["mask", "label", "annotation", "segmented"].contains(&words[0].as_str())
}

/// Whether a name says what is done with photos: `segmented` beside `original`, as `augmented` is.
pub(super) fn names_processing(name: &str) -> bool {
    words(name).last().is_some_and(|word| word == "segmented")
}

/// Whether a name is of neither photos, masks, a part nor another kind of images, so that of a thing.
pub(super) fn names_thing(name: &str) -> bool {
    !names_masks(name) && !names_photos(name) && !are_kinds(&[name])
}

/// Those of some folders that hold the masks of others: `cat_masks` beside `cat`. A single `face_mask` beside `face` may
/// be a class.
pub(super) fn masks_beside(names: &[&str]) -> Vec<usize> {
    let split = |name: &str| -> Vec<String> {
        let words = name.split(|c: char| !c.is_alphanumeric());
        (words.filter(|w| !w.is_empty()))
            .map(str::to_lowercase)
            .collect()
    };
    let all: Vec<Vec<String>> = names.iter().map(|name| split(name)).collect();
    let found: Vec<usize> = (0..all.len())
        .filter(|&place| match all[place].split_last() {
            Some((last, rest)) => {
                let is_photos = |other: &Vec<String>| other[..] == *rest;
                !rest.is_empty() && MASKS.contains(&last.as_str()) && all.iter().any(is_photos)
            }
            None => false,
        })
        .collect();
    let sure = |&place: &usize| {
        let last = all[place].last().map_or("", String::as_str);
        ["masks", "gt", "groundtruth", "segmentations", "trimaps"].contains(&last)
    };
    if found.len() > 1 || found.iter().any(sure) {
        found
    } else {
        Vec::new()
    }
}

/// Whether a folder holds photos by its name, be it those of a part.
pub(super) fn names_photos(name: &str) -> bool {
    names_all_photos(name) || said(name).is_some_and(|said| said.alone)
}

/// The same without the parts.
pub(super) fn names_all_photos(name: &str) -> bool {
    speaks_of(name, &PHOTOS)
}

/// Whether names of a level tell kinds of images apart, or numbers of a pile that was too large for one folder
/// (`images_001`, `HAM10000_images_part_1`), and not classes.
pub(super) fn are_kinds(names: &[&str]) -> bool {
    if names.is_empty() || names.len() > 1000 {
        return false;
    }
    let is_magnification = |name: &str| {
        name.strip_suffix(['x', 'X'])
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_kind = |name: &&str| {
        let words = words(name);
        let known =
            |word: &String| PHOTOS.contains(&word.as_str()) || OTHERS.contains(&word.as_str());
        is_magnification(name)
            || (!words.is_empty()
                && words.iter().all(known)
                && (names.len() == 1 || words.iter().any(|w| !ANYTHING.contains(&w.as_str()))))
    };
    if names.iter().all(is_kind) {
        return true;
    }
    let residue = |name: &str| {
        name.chars()
            .filter(|c| !c.is_ascii_digit())
            .collect::<String>()
    };
    let first = residue(names[0]);
    names.len() > 1
        && words(names[0])
            .iter()
            .any(|word| PILES.contains(&word.as_str()))
        && names.iter().all(|name| residue(name) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_from_classes() {
        for names in [
            &["images"][..],
            &["raw", "augmented"],
            &["40X", "100X"],
            &["images_001", "images_002"],
            &["HAM_images_part_1", "HAM_images_part_2"],
        ] {
            assert!(are_kinds(names), "{names:?}");
        }
        for names in [
            &["cat", "dog"][..],
            &["set", "part"],
            &["images", "cat"],
            &[],
        ] {
            assert!(!are_kinds(names), "{names:?}");
        }
        assert!(
            names_masks("train_masks") && names_masks("lung masks") && !names_masks("face_mask")
        );
        assert!(
            names_photos("JPEGImages") && names_photos("train") && !names_photos("photo booth")
        );
    }
}
