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

/// Rows `name,label` of some images.
fn labels(of: std::ops::Range<usize>, form: impl Fn(usize) -> String) -> String {
    rows(of, |i| format!("{i:03}.jpg,{}\n", form(i)))
}

#[test]
fn a_refused_table_of_more_images_is_a_question() {
    let findings = [
        "No Finding",
        "Cardiomegaly",
        "Cardiomegaly|Emphysema",
        "Hernia",
    ];
    let main = labels(0..12, |i| findings[i % 4].to_owned());
    let main = format!("Image Index,Finding Labels\n{main}");
    let extra = labels(0..6, |i| CLASSES[i % 2].to_owned());
    let extra = format!("Image Index,Finding Label\n{extra}");
    let files = all(
        tree("12 images"),
        &[("Data_Entry_2017.csv", &main), ("extra_labels.csv", &extra)],
    );
    let data = folder(&files);
    let said = data.problem.expect("a question");
    assert!(said.contains("A table that names 12 images cannot be used: Data_Entry_2017.csv gives images several labels"), "{said}");
    assert!(
        said.contains(
            "has labels for 6 of them: the column \u{201c}Finding Label\u{201d} of extra_labels.csv"
        ),
        "{said}"
    );
    let flags: Vec<&str> = data
        .readings
        .iter()
        .map(|r| r.reading.flags.as_str())
        .collect();
    assert_eq!(
        flags,
        ["--labels extra_labels.csv --label-column 'Finding Label'"]
    );
    let chosen = super::choose(&files, data.readings[0].reading.labels.clone());
    assert_eq!(
        (counts(&chosen).as_str(), chosen.problem),
        ("cat 3, dog 3; 6 unlabelled", None)
    );
    // One of no more images is said.
    let good = format!(
        "image,label\n{}",
        labels(0..12, |i| CLASSES[i % 2].to_owned())
    );
    let files = all(
        tree("12 images"),
        &[("labels.csv", &good), ("Data_Entry_2017.csv", &main)],
    );
    let data = reads(&files, "cat 6, dog 6");
    assert_notes(&data, "one label an image is needed; it is not used.");
}

#[test]
fn tables_that_continue_each_other_are_read_together() {
    let image = |i: usize| {
        let place = ["train 15", "train 19", "test 15"][i / 12];
        (format!("{place}/{i:03}.jpg"), vec![i as u8])
    };
    let files: Files = (0..30).map(image).collect();
    let level = |i: usize| (i % 3).to_string();
    let text = |header: &str, of| format!("{header}\n{}", labels(of, level));
    let files = all(
        files,
        &[
            ("trainLabels15.csv", &text("image,level", 0..12)),
            ("trainLabels19.csv", &text("id_code,diagnosis", 12..24)),
            ("testLabels15.csv", &text("image,level", 24..30)),
        ],
    );
    reads(&files, "0 8+2, 1 8+2, 2 8+2");
}

#[test]
fn a_table_of_other_labels_that_is_not_used_is_named() {
    let sure = format!(
        "image,label\n{}",
        labels(0..6, |i| CLASSES[i % 2].to_owned())
    );
    let other = labels(6..12, |i| ["big", "small"][i % 2].to_owned());
    let files = all(
        tree("12 images"),
        &[
            ("labels.csv", &sure),
            ("more.csv", &format!("image,form\n{other}")),
        ],
    );
    let data = reads(&files, "cat 3, dog 3; 6 unlabelled");
    assert_notes(
        &data,
        "more.csv may label 6 images too, by \u{201c}form\u{201d}; it is not used",
    );
    assert_notes(
        &data,
        "--labels more.csv, or the table added again in the page",
    );
}
