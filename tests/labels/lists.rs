//! Official lists in plain text that divide or label the images.

use super::reads;
use super::sets::{Files, all, assert_notes, rows, tree};

#[test]
fn lists_of_the_parts_divide_class_folders() {
    // Food-101: names without endings below `meta`.
    let food = all(
        tree("4 food/images/pie, 4 food/images/soup"),
        &[
            (
                "food/meta/train.txt",
                "pie/000\npie/001\npie/002\nsoup/000\nsoup/001\n",
            ),
            ("food/meta/test.txt", "pie/003\nsoup/002\nsoup/003\n"),
            ("food/meta/classes.txt", "pie\nsoup\n"),
            ("food/README.txt", "Food\n"),
        ],
    );
    let data = reads(&food, "pie 3+1, soup 2+2");
    assert_notes(
        &data,
        "The parts of the images are those of test.txt, train.txt: 5 for training, 3 for test.",
    );
    let listed: Vec<_> = data.skipped.iter().map(|s| s.file.as_str()).collect();
    assert_eq!(listed, ["food/meta/classes.txt", "food/README.txt"]);
    // MIT-67 and the like: images that no list names are left out.
    let mit = all(
        tree("4 Images/bar, 4 Images/gym"),
        &[
            ("TrainImages.txt", "bar/000.jpg\nbar/001.jpg\ngym/000.jpg\n"),
            ("TestImages.txt", "bar/002.jpg\ngym/001.jpg"),
        ],
    );
    let data = reads(&mit, "bar 2+1, gym 1+1");
    assert_notes(
        &data,
        "3 images are in none of these lists and are left out",
    );
    // Only the test images are listed: the others are for training.
    let test = all(
        tree("4 a, 4 b"),
        &[("test_list.txt", "a/003.jpg\nb/003.jpg\n")],
    );
    reads(&test, "a 3+1, b 3+1");
    // ImageNet: a label number behind each path, which says nothing new.
    let net = all(
        tree("3 data/n01, 3 data/n02"),
        &[
            (
                "train.txt",
                "n01/000.jpg 0\nn01/001.jpg 0\nn02/000.jpg 1\nn02/001.jpg 1\n",
            ),
            ("val.txt", "n01/002.jpg 0\nn02/002.jpg 1\n"),
        ],
    );
    reads(&net, "n01 2/1, n02 2/1");
    // A table with such a column is such a list.
    let table = all(
        tree("3 a, 3 b"),
        &[(
            "split.csv",
            "file,split\na/000.jpg,train\na/001.jpg,train\na/002.jpg,test\nb/000.jpg,train\nb/001.jpg,valid\nb/002.jpg,test\n",
        )],
    );
    reads(&table, "a 2+1, b 1/1+1");
}

#[test]
fn numbered_divisions_are_the_first_one() {
    // DTD has ten divisions of the same images.
    let dtd = all(
        tree("3 images/banded, 3 images/dotted"),
        &[
            ("labels/train1.txt", "banded/000.jpg\ndotted/000.jpg\n"),
            ("labels/val1.txt", "banded/001.jpg\ndotted/001.jpg\n"),
            ("labels/test1.txt", "banded/002.jpg\ndotted/002.jpg\n"),
            ("labels/train10.txt", "banded/002.jpg\ndotted/002.jpg\n"),
            ("labels/val10.txt", "banded/000.jpg\ndotted/000.jpg\n"),
            ("labels/test10.txt", "banded/001.jpg\ndotted/001.jpg\n"),
        ],
    );
    let data = reads(&dtd, "banded 1/1+1, dotted 1/1+1");
    assert_notes(&data, "There are 2 numbered divisions");
    assert_notes(&data, "that of number 1 is used");
    assert_eq!(data.samples[0].path, "images/banded/000.jpg");
}

#[test]
fn what_anything_calls_a_test_image_is_not_trained_on() {
    // Two lists name the same image.
    let both = all(
        tree("3 a, 3 b"),
        &[
            ("train.txt", "a/000.jpg\na/001.jpg\nb/000.jpg\nb/001.jpg\n"),
            ("test.txt", "a/001.jpg\na/002.jpg\nb/002.jpg\n"),
        ],
    );
    let data = reads(&both, "a 1+2, b 2+1");
    assert_notes(&data, "1 image is in the lists of two parts");
    // `trainval` has the images of `train` and `val`, which is as it should be.
    let voc = all(
        tree("3 a, 3 b"),
        &[
            ("train.txt", "a/000.jpg\nb/000.jpg\n"),
            ("val.txt", "a/001.jpg\nb/001.jpg\n"),
            (
                "trainval.txt",
                "a/000.jpg\nb/000.jpg\na/001.jpg\nb/001.jpg\n",
            ),
            ("test.txt", "a/002.jpg\nb/002.jpg\n"),
        ],
    );
    let data = reads(&voc, "a 1/1+1, b 1/1+1");
    assert!(
        !data.notes.iter().any(|n| n.contains("two parts")),
        "{:?}",
        data.notes
    );
    // Folders say one part, a list another.
    let against = all(
        tree("3 train/a, 3 train/b, 1 test/a, 1 test/b"),
        &[("test.txt", "train/a/002.jpg\ntest/a/000.jpg\n")],
    );
    let data = reads(&against, "a 2+2, b 3+1");
    assert_notes(
        &data,
        "1 image is in a folder for one part and by test.txt for a stricter one",
    );
}

#[test]
fn a_list_of_other_images_is_no_list_of_parts() {
    let other = all(
        tree("3 a, 3 b"),
        &[
            ("test.txt", "a/000.jpg\nc/000.jpg\nc/001.jpg\n"),
            ("train_test_split.txt", "x\ny\n"),
        ],
    );
    let data = reads(&other, "a 3, b 3");
    assert_notes(
        &data,
        "test.txt names an image that is here in under half of its lines",
    );
    assert_notes(&data, "all images are for training and validation");
    // A name in a class folder is not the one of the same name in another.
    let folders = all(tree("3 a, 1 b"), &[("test.txt", "b/001.jpg\nb/002.jpg\n")]);
    let data = reads(&folders, "a 3, b 1");
    assert_notes(&data, "test.txt");
}

/// CUB-200 in small: eight images in two classes.
fn cub(images: &str) -> Files {
    let class = |i: usize| ["001.Albatross", "002.Auklet"][i / 4];
    all(
        tree(images),
        &[
            (
                "CUB/images.txt",
                &rows(0..8, |i| {
                    format!("{} {}/{:03}.jpg\n", i + 1, class(i), i % 4)
                }),
            ),
            (
                "CUB/image_class_labels.txt",
                &rows(0..8, |i| format!("{} {}\n", i + 1, i / 4 + 1)),
            ),
            (
                "CUB/train_test_split.txt",
                &rows(0..8, |i| format!("{} {}\n", i + 1, u8::from(i % 4 < 3))),
            ),
            ("CUB/classes.txt", "1 001.Albatross\n2 002.Auklet\n"),
            (
                "CUB/bounding_boxes.txt",
                &rows(0..8, |i| format!("{} 60.0 27.0 325.0 304.0\n", i + 1)),
            ),
        ],
    )
}

#[test]
fn lists_that_are_numbered_are_joined() {
    let data = reads(
        &cub("4 CUB/images/001.Albatross, 4 CUB/images/002.Auklet"),
        "001.Albatross 3+1, 002.Auklet 3+1",
    );
    assert_notes(
        &data,
        "The parts of the images are those of images.txt: 6 for training, 2 for test.",
    );
    // Without class folders the labels come from there too, by the names of the classes.
    let flat: Files = cub("1 x")
        .into_iter()
        .skip(1)
        .map(|(path, text)| {
            let text = String::from_utf8(text).expect("text");
            let text = text
                .replace("001.Albatross/", "a")
                .replace("002.Auklet/", "b");
            (path, text.into_bytes())
        })
        .chain(["a", "b"].iter().flat_map(|c| {
            (0..4).map(move |i| {
                (
                    format!("CUB/images/{c}{i:03}.jpg"),
                    format!("{c}{i}").into_bytes(),
                )
            })
        }))
        .collect();
    let data = reads(&flat, "001.Albatross 3+1, 002.Auklet 3+1");
    assert_notes(&data, "are called as in classes.txt");
    // The same as tables.
    let csv = all(
        tree("6 pics"),
        &[
            (
                "images.csv",
                &format!(
                    "id,path\n{}",
                    rows(0..6, |i| format!("{},{i:03}.jpg\n", i + 101))
                ),
            ),
            (
                "classes.csv",
                &format!(
                    "id,label\n{}",
                    rows(0..6, |i| format!("{},{}\n", i + 101, ["cat", "dog"][i % 2]))
                ),
            ),
        ],
    );
    reads(&csv, "cat 3, dog 3");
}

#[test]
fn lists_with_labels_label_images_without_class_folders() {
    let net = all(
        tree("4 images/train, 2 images/val"),
        &[
            (
                "train.txt",
                "train/000.jpg 0\ntrain/001.jpg 0\ntrain/002.jpg 1\ntrain/003.jpg 1\n",
            ),
            ("val.txt", "val/000.jpg 0\nval/001.jpg 1\n"),
            ("classes.txt", "tench\ngoldfish\n"),
        ],
    );
    reads(&net, "goldfish 2/1, tench 2/1");
    // FGVC: names of classes with blanks.
    let fgvc = all(
        tree("6 data/images"),
        &[
            (
                "data/images_variant_train.txt",
                "000 Boeing 707\n001 A320\n002 Boeing 707\n003 A320\n",
            ),
            ("data/images_variant_test.txt", "004 Boeing 707\n005 A320\n"),
        ],
    );
    reads(&fgvc, "A320 2+1, Boeing 707 2+1");
    // Oxford's pets: labels in the names, parts in lists with other figures.
    let mut pets: Files = Vec::new();
    for name in [
        "pug_1", "pug_2", "pug_3", "Birman_1", "Birman_2", "Birman_3",
    ] {
        pets.push((format!("images/{name}.jpg"), name.as_bytes().to_vec()));
    }
    let pets = all(
        pets,
        &[
            (
                "annotations/trainval.txt",
                "pug_1 1 2 1\npug_2 1 2 1\nBirman_1 2 1 1\nBirman_2 2 1 1\n",
            ),
            ("annotations/test.txt", "pug_3 1 2 1\nBirman_3 2 1 1\n"),
        ],
    );
    reads(&pets, "Birman 2+1, pug 2+1");
}

#[test]
fn a_class_that_no_list_names_is_left_out_aloud() {
    let train = "glass/000.jpg 0\nglass/001.jpg 0\npaper/000.jpg 1\npaper/001.jpg 1\n";
    let test = "glass/002.jpg 0\npaper/002.jpg 1\n";
    let files = all(
        tree("3 glass, 3 paper, 3 trash"),
        &[("notrash_train.txt", train), ("notrash_test.txt", test)],
    );
    let data = reads(&files, "glass 2+1, paper 2+1");
    assert_notes(&data, "The lists name no image of one class: trash.");
}
