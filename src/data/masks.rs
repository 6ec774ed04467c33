//! Masks by the names of their files: `7_mask.png`, `mask_7.png` or `7Mask.png` beside `7.png`. Left among the photos
//! they would be learnt as images of the class whose folder they lie in.

use std::collections::HashSet;

use super::labelling::{Labelling, Spot, many};
use super::layout::{file_name, parent};

/// Why such an image is left out.
const MASK: &str = "by its name is a mask of the image beside it";

/// What stands at the end of a mask's name, or at its beginning.
const WORDS: [&str; 12] = [
    "mask",
    "masks",
    "segmentation",
    "segmentations",
    "segmented",
    "seg",
    "gt",
    "groundtruth",
    "label",
    "labels",
    "annotation",
    "trimap",
];

/// What a photo's name may begin with where a mask's begins with one of [`WORDS`]: `img_7` beside `mask_7`.
const PHOTOS: [&str; 6] = ["img", "image", "im", "photo", "rgb", "original"];

fn stem(path: &str) -> &str {
    let name = file_name(path);
    let cut = name.rsplit_once('.').map_or(0, |(_, end)| end.len() + 1);
    &path[..path.len() - cut]
}

/// What separates the words of a file's name.
fn is_between(c: char) -> bool {
    matches!(c, '_' | '-' | ' ' | '.')
}

/// The names that the photo of a mask may have, none if this is no mask's name; in small letters, as the name.
fn photos_of(name: &str) -> Vec<String> {
    let mut photos = before_word(name);
    photos.extend(behind_word(name));
    photos
}

/// `a` of `a_mask`, `a` and `a (1)` of `a_mask (1)`, `7` of `7mask`.
fn before_word(name: &str) -> Vec<String> {
    let bare =
        name.trim_end_matches(|c: char| c.is_ascii_digit() || is_between(c) || "()".contains(c));
    WORDS
        .iter()
        .filter_map(|word| {
            let before = bare.strip_suffix(word)?;
            let photo = before.trim_end_matches(is_between);
            // Without anything between, a letter before it would make it a part of another word.
            let is_word =
                photo.len() < before.len() || photo.ends_with(|c: char| c.is_ascii_digit());
            (is_word && !photo.is_empty()).then_some(photo)
        })
        .flat_map(|photo| [photo.to_owned(), format!("{photo}{}", &name[bare.len()..])])
        .collect()
}

/// `7` and `img_7` of `mask_7`, `7` of `mask7`.
fn behind_word(name: &str) -> Vec<String> {
    let mut photos = Vec::new();
    for word in WORDS {
        let Some(behind) = name.strip_prefix(word) else {
            continue;
        };
        let photo = behind.trim_start_matches(is_between);
        let between = &behind[..behind.len() - photo.len()];
        let is_word = !between.is_empty() || photo.starts_with(|c: char| c.is_ascii_digit());
        if is_word && !photo.is_empty() {
            photos.push(photo.to_owned());
            photos.extend(PHOTOS.map(|kind| format!("{kind}{between}{photo}")));
        }
    }
    photos
}

/// Whether each image is by its name a mask of another one in its folder.
pub(super) fn beside_photos(paths: &[String]) -> Vec<bool> {
    let photos: Vec<Vec<String>> = paths
        .iter()
        .map(|path| photos_of(&file_name(stem(path)).to_lowercase()))
        .collect();
    if photos.iter().all(Vec::is_empty) {
        return vec![false; paths.len()];
    }
    let here: HashSet<String> = paths.iter().map(|path| stem(path).to_lowercase()).collect();
    let is_here = |folder: &str, name: &String| match folder {
        "" => here.contains(name),
        folder => here.contains(&format!("{}/{name}", folder.to_lowercase())),
    };
    let found = paths.iter().zip(&photos);
    found
        .map(|(path, photos)| photos.iter().any(|name| is_here(parent(path), name)))
        .collect()
}

/// Puts the masks back among the images of a reading, as images that are left out.
pub(super) fn put_back(found: &mut Labelling, masks: &[bool]) {
    let mut photos = std::mem::take(&mut found.spots).into_iter();
    found.spots = masks
        .iter()
        .map(|is_mask| match is_mask {
            true => Spot::Out(MASK.into(), false),
            false => photos.next().unwrap_or(Spot::Folder),
        })
        .collect();
    let count = masks.iter().filter(|is_mask| **is_mask).count();
    found.notes.push(format!(
        "{} left out: by {} a mask or annotation of the image beside it.",
        match count {
            1 => "1 image is".to_owned(),
            _ => format!("{} are", many(count, "image")),
        },
        if count == 1 {
            "its name it is"
        } else {
            "their names each is"
        },
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_by_the_names_of_their_files() {
        let paths = [
            "a/benign (1).png",
            "a/benign (1)_mask.png",
            "a/benign (1)_mask_1.png",
            "a/x.jpg",
            "a/X_segmentation.png",
            "a/7 (1).jpg",
            "a/7_mask (1).png",
            "b/x_mask.png",
            "mask.png",
            "ask_label.png",
            "ask.png",
            "c/0.jpg",
            "c/mask_0.png",
            "c/0Mask.png",
            "c/GT-0.png",
            "c/img_1.jpg",
            "c/mask_1.jpg",
            "c/mask2.jpg",
            "c/2.jpg",
            "c/damask.jpg",
            "c/da.jpg",
            "c/maskara.jpg",
            "c/ara.jpg",
            "c/mask_9.jpg",
        ]
        .map(str::to_owned);
        let masks = [1, 2, 4, 6, 9, 12, 13, 14, 16, 17];
        let expected: Vec<bool> = (0..paths.len()).map(|i| masks.contains(&i)).collect();
        assert_eq!(beside_photos(&paths), expected);
    }
}
