//! What a path says: class, part of the data set, or neither. Folder names are all there is to go by, and
//! archives wrap, double and abbreviate them, so the rules stand in one place:
//!
//! - The class is the folder a file lies in.
//! - If any image lies below a folder named like a part (`train`, `seg_test`, ...), such names are parts
//!   everywhere, and the innermost one counts. Otherwise they are class names like any other.
//! - Folders further out are wrapping and mean nothing.

use super::dataset::Subset;

/// Where an image belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Its part.
    pub subset: Subset,
    /// Its label; none for [`Subset::Unlabelled`].
    pub class: Option<&'a str>,
}

/// How the folders of one data set are to be read, found by looking at all its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Whether folders named like parts are parts.
    parts: bool,
    /// Folders that all images have in common, from the outermost.
    wrapping: usize,
    /// Whether all images lie in that innermost common folder.
    flat: bool,
}

impl Layout {
    /// Looks at the paths of all images.
    #[must_use]
    pub fn of<'a>(images: impl Iterator<Item = &'a str>) -> Self {
        let mut parts = false;
        let mut common: Option<Vec<&str>> = None;
        let mut flat = true;
        for path in images {
            let folders = folders(path);
            parts |= folders
                .split_last()
                .is_some_and(|(_, outer)| outer.iter().any(|f| part(f).is_some()));
            common = Some(match common {
                None => folders,
                Some(mut so_far) => {
                    let same = so_far
                        .iter()
                        .zip(&folders)
                        .take_while(|(a, b)| a == b)
                        .count();
                    flat &= same == so_far.len() && same == folders.len();
                    so_far.truncate(same);
                    so_far
                }
            });
        }
        Self {
            parts,
            wrapping: common.map_or(0, |c| c.len()),
            flat,
        }
    }

    /// Where the image at `path` belongs.
    ///
    /// # Errors
    /// The reason why it belongs nowhere.
    pub fn place<'a>(&self, path: &'a str) -> Result<Place<'a>, &'static str> {
        const NO_CLASS: &str = "lies in no class folder";
        let folders = folders(path);
        let Some(&class) = folders.last() else {
            return Err(NO_CLASS);
        };
        if !self.parts {
            return if folders.len() > self.wrapping || self.flat {
                Ok(Place {
                    subset: Subset::Train,
                    class: Some(class),
                })
            } else {
                Err(NO_CLASS)
            };
        }
        let innermost = folders
            .iter()
            .enumerate()
            .rev()
            .find_map(|(i, f)| Some((i, part(f)?)));
        match innermost {
            None => Err("lies outside the folders for training, validation and test"),
            Some((i, subset)) if subset == Subset::Unlabelled || i + 1 == folders.len() => {
                Ok(Place {
                    subset: Subset::Unlabelled,
                    class: None,
                })
            }
            Some((_, subset)) => Ok(Place {
                subset,
                class: Some(class),
            }),
        }
    }
}

/// The part that a folder's name stands for.
fn part(folder: &str) -> Option<Subset> {
    match folder.to_ascii_lowercase().as_str() {
        "seg_train" | "train" | "training" => Some(Subset::Train),
        "seg_val" | "val" | "valid" | "validation" => Some(Subset::Validation),
        "seg_test" | "test" | "testing" => Some(Subset::Test),
        "seg_pred" | "pred" => Some(Subset::Unlabelled),
        _ => None,
    }
}

/// The folders of a path, outermost first.
fn folders(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    parts.pop();
    parts
}

/// The name of a file without its folders.
#[must_use]
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path is something the system put there (`.DS_Store`, `__MACOSX/...`, `Thumbs.db`), which
/// nobody wants to read about.
#[must_use]
pub fn is_junk(path: &str) -> bool {
    let litter = |part: &str| {
        part.starts_with('.') && part != "." && part != ".."
            || ["__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini"]
                .contains(&&*part.to_ascii_lowercase())
    };
    path.split('/').any(litter)
}

/// Why a file is no image, judged by the ending of its name; none if it may be one.
#[must_use]
pub fn not_an_image(path: &str) -> Option<&'static str> {
    let ending = file_name(path)
        .rsplit_once('.')
        .map(|(_, e)| e.to_ascii_lowercase());
    match ending.as_deref() {
        Some("jpg" | "jpeg" | "jpe" | "jfif" | "png" | "webp" | "gif" | "bmp") => None,
        Some("heic" | "heif") => {
            Some("is a HEIC photo, which browsers cannot open; export it as JPEG")
        }
        Some("avif" | "tif" | "tiff" | "jxl" | "svg") => {
            Some("is an image of a kind that is not opened; save it as JPEG or PNG")
        }
        Some("zip" | "tar" | "gz" | "tgz" | "7z" | "rar") => {
            Some("is an archive inside the data set; unpack it first")
        }
        _ => Some("is not an image by its name (.jpg, .png, .webp, .gif and .bmp are opened)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed<'a>(paths: &[&'a str]) -> Vec<Result<(Subset, Option<&'a str>), &'static str>> {
        let layout = Layout::of(paths.iter().copied());
        paths
            .iter()
            .map(|p| layout.place(p).map(|at| (at.subset, at.class)))
            .collect()
    }

    #[test]
    fn kaggle_s_doubled_folders_under_any_wrapping() {
        for wrap in ["", "archive/", "a/b/test/"] {
            let paths = [
                "seg_train/seg_train/sea/1.jpg",
                "seg_test/seg_test/sea/1.jpg",
                "Validation/sea/1.jpg",
                "seg_pred/seg_pred/1.jpg",
                "test/1.jpg",
            ]
            .map(|p| format!("{wrap}{p}"));
            let found = placed(&paths.each_ref().map(String::as_str));
            assert_eq!(
                found,
                [
                    Ok((Subset::Train, Some("sea"))),
                    Ok((Subset::Test, Some("sea"))),
                    Ok((Subset::Validation, Some("sea"))),
                    Ok((Subset::Unlabelled, None)),
                    Ok((Subset::Unlabelled, None)),
                ],
                "{wrap}"
            );
        }
    }

    #[test]
    fn without_parts_the_class_is_the_folder() {
        let train = |class| Ok((Subset::Train, Some(class)));
        assert_eq!(
            placed(&["cat/1.jpg", "dog/1.jpg"]),
            [train("cat"), train("dog")]
        );
        assert_eq!(
            placed(&["pets/cat/1.jpg", "pets/more/dog/1.jpg"]),
            [train("cat"), train("dog")]
        );
        // A class of vehicles, not a part: no image lies below it.
        assert_eq!(
            placed(&["train/1.jpg", "car/1.jpg"]),
            [train("train"), train("car")]
        );
        // One folder alone is one class.
        assert_eq!(
            placed(&["pets/cat/1.jpg", "pets/cat/2.jpg"]),
            [train("cat"), train("cat")]
        );
    }

    #[test]
    fn images_beside_the_class_folders_are_told() {
        let found = placed(&["pets/cat/1.jpg", "pets/cover.jpg", "pets/dog/1.jpg"]);
        assert!(found[0].is_ok() && found[2].is_ok());
        assert_eq!(found[1], Err("lies in no class folder"));
        assert!(placed(&["1.jpg", "2.jpg"]).iter().all(Result::is_err));
        let found = placed(&["x/train/cat/1.jpg", "x/samples/1.jpg"]);
        assert_eq!(
            found[1],
            Err("lies outside the folders for training, validation and test")
        );
    }

    #[test]
    fn litter_is_not_worth_a_word() {
        for path in [
            "a/.DS_Store",
            "__MACOSX/a/1.jpg",
            "a/Thumbs.db",
            ".git/x.png",
            "Desktop.ini",
        ] {
            assert!(is_junk(path), "{path}");
        }
        assert!(!is_junk("a/b.c/1.jpg") && !is_junk("./a/1.jpg"));
    }
}
