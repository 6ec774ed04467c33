//! Tables of tools and of competitions: what was rejected, what says the part under another name, columns as lists.

use super::sets::{Files, all, assert_notes, counts, folder, reads, rows, tree};

const CLASSES: [&str; 2] = ["cat", "dog"];
const PARTS: [&str; 3] = ["train", "test", "validation"];

/// Twelve images with a table of this name and text.
fn with(name: &str, text: &str) -> Files {
    all(tree("12 images"), &[(name, text)])
}

/// The same with a CSV: `row` is what stands behind the name of an image.
fn table(header: &str, row: impl Fn(usize) -> String) -> Files {
    let rows = rows(0..12, |i| format!("{i:03}.jpg,{}\n", row(i)));
    with("labels.csv", &format!("image,{header}\n{rows}"))
}

#[test]
fn a_column_of_parts_is_no_column_of_classes() {
    // Whatever it is called.
    for header in ["type", "class"] {
        let data = folder(&table(header, |i| PARTS[i % 3].to_owned()));
        let said = data.problem.clone().expect("no labels");
        assert!(said.contains("has no column with labels"), "{said}");
        assert_eq!(counts(&data), "; 12 unlabelled");
    }
    let data = reads(
        &table("label,type", |i| {
            format!("{},{}", CLASSES[i % 2], PARTS[i / 6])
        }),
        "cat 3+3, dog 3+3",
    );
    assert_eq!(
        data.table.expect("a table").used.part.as_deref(),
        Some("type")
    );
    // A class may be called `train`.
    reads(
        &table("class", |i| ["train", "car"][i % 2].to_owned()),
        "car 6, train 6",
    );
}

#[test]
fn places_with_a_part_in_their_names_are_no_parts() {
    let site = |i: usize| ["train station", "test lab"][i % 2];
    reads(
        &table("label,source", |i| {
            format!("{},{}", CLASSES[i / 2 % 2], site(i))
        }),
        "cat 6, dog 6",
    );
    let site = |i: usize| ["training hospital", "test hospital"][i % 2];
    let data = reads(
        &table("label,site", |i| {
            format!("{},{}", CLASSES[i / 2 % 2], site(i))
        }),
        "cat 6, dog 6",
    );
    assert_notes(&data, "it also has \u{201c}site\u{201d}");
}

#[test]
fn the_y_of_a_box_is_no_label() {
    let rows = rows(0..12, |i| {
        format!("{i:03}.jpg,{},{i},{},9,9\n", CLASSES[i % 2], 7 * (i % 3))
    });
    let text = format!("Image Index,Finding Label,\"Bbox [x\",y,w,h]\n{rows}");
    reads(&with("boxes.csv", &text), "cat 6, dog 6");
}

#[test]
fn what_was_rejected_is_not_learnt() {
    let row = |i: usize| {
        format!(
            "{{\"image\":\"{i:03}.jpg\",\"label\":\"{}\",\"answer\":\"{}\",\"_input_hash\":{i}}}\n",
            CLASSES[i % 2],
            ["accept", "accept", "reject"][i / 4]
        )
    };
    let data = reads(
        &with("out.jsonl", &rows(0..12, row)),
        "cat 4, dog 4; 4 unlabelled",
    );
    assert_notes(
        &data,
        "out.jsonl has 4 of 12 rows that were answered with reject or ignore",
    );
}

#[test]
fn lists_of_one_length_are_columns() {
    let list = |of: &dyn Fn(usize) -> String| {
        let items: Vec<String> = (0..12).map(of).collect();
        format!("[{}]", items.join(","))
    };
    let images = list(&|i| format!("\"{i:03}.jpg\""));
    let names = list(&|i| format!("\"{}\"", CLASSES[i % 2]));
    let numbers = list(&|i| (i % 2).to_string());
    for text in [
        format!("{{\"image\":{images},\"label\":{names}}}"),
        format!("{{\"filenames\":{images},\"labels\":{numbers},\"classes\":[\"cat\",\"dog\"]}}"),
    ] {
        reads(&with("labels.json", &text), "cat 6, dog 6");
    }
    // Classes of as many images each.
    let of = |from: usize| {
        let items: Vec<String> = (from..from + 6)
            .map(|i| format!("\"{i:03}.jpg\""))
            .collect();
        items.join(",")
    };
    let text = format!("{{\"cat\":[{}],\"dog\":[{}]}}", of(0), of(6));
    reads(&with("labels.json", &text), "cat 6, dog 6");
    // FiftyOne.
    let items: Vec<String> = (0..12).map(|i| format!("\"{i:03}\":{}", i % 2)).collect();
    let text = format!(
        "{{\"classes\":[\"cat\",\"dog\"],\"labels\":{{{}}}}}",
        items.join(",")
    );
    reads(&with("labels.json", &text), "cat 6, dog 6");
}

#[test]
fn a_csv_of_the_vgg_image_annotator_has_its_classes_in_json() {
    let header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n";
    let class = |name: &str| format!("\"{{\"\"class\"\":\"\"{name}\"\"}}\"");
    let of_file = rows(0..12, |i| {
        format!(
            "{i:03}.jpg,9,{},0,0,\"{{}}\",\"{{}}\"\n",
            class(CLASSES[i % 2])
        )
    });
    reads(
        &with("via.csv", &format!("{header}{of_file}")),
        "cat 6, dog 6",
    );
    // Of two regions of one class each; of two classes an image is refused.
    let regions = |second: [&str; 2]| {
        rows(0..24, |i| {
            let (file, region) = (i / 2, i % 2);
            let of = [CLASSES, second][region][file % 2];
            format!(
                "{file:03}.jpg,9,\"{{}}\",2,{region},\"{{}}\",{}\n",
                class(of)
            )
        })
    };
    let text = format!("#{header}{}", regions(CLASSES));
    reads(&with("via.csv", &text), "cat 6, dog 6");
    let text = format!("{header}{}", regions(["owl", "owl"]));
    let said = folder(&with("via.csv", &text)).problem.expect("refused");
    assert!(
        said.contains("via.csv has regions of several kinds in one image"),
        "{said}"
    );
}
