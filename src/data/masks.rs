//! Masks by the names of their files: `7_mask.png` beside `7.png`. Left among the photos they would be learnt as images
//! of the class whose folder they lie in.

use std::collections::HashSet;

use super::labelling::{Labelling, Spot, many};
use super::layout::{file_name, parent};

/// Why such an image is left out.
const MASK: &str = "by its name is a mask of the image beside it";

/// What stands at the end of a mask's name.
const ENDS: [&str; 12] = [
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

fn stem(path: &str) -> &str {
    let name = file_name(path);
    let cut = name.rsplit_once('.').map_or(0, |(_, end)| end.len() + 1);
    &path[..path.len() - cut]
}

/// The names that the photo of a mask may have, none if this is no mask's name: `a` of `a_mask`, `a` and `a (1)` of
/// `a_mask (1)`.
fn photos_of(name: &str) -> Vec<String> {
    let between = |c: char| matches!(c, '_' | '-' | ' ' | '.');
    let bare =
        name.trim_end_matches(|c: char| c.is_ascii_digit() || between(c) || "()".contains(c));
    ENDS.iter()
        .filter_map(|end| {
            let before = bare.strip_suffix(end)?;
            let photo = before.trim_end_matches(between);
            (photo.len() < before.len() && !photo.is_empty()).then_some(photo)
        })
        .flat_map(|photo| [photo.to_owned(), format!("{photo}{}", &name[bare.len()..])])
        .collect()
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
        ]
        .map(str::to_owned);
        let masks = [1, 2, 4, 6, 9];
        let expected: Vec<bool> = (0..paths.len()).map(|i| masks.contains(&i)).collect();
        assert_eq!(beside_photos(&paths), expected);
    }
}
