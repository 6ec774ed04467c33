//! Label Studio's export in JSON, <https://labelstud.io/guide/export>: a list of tasks, each with what was shown and
//! what people said of it. Its short forms are tables like others.

use super::json::Item;

fn get<'a>(item: &'a Item, key: &str) -> Option<&'a Item> {
    match item {
        Item::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
        _ => None,
    }
}

fn items(item: Option<&Item>) -> &[Item] {
    match item {
        Some(Item::List(items)) => items,
        _ => &[],
    }
}

/// Whether an object is a task of Label Studio: what was shown, and what people said of it.
pub(super) fn is_task(item: &Item) -> bool {
    let said = |key| matches!(get(item, key), Some(Item::List(_)));
    matches!(get(item, "data"), Some(Item::Map(_))) && (said("annotations") || said("completions"))
}

/// The rows of Label Studio's export, <https://labelstud.io/guide/export>: an annotation each, with what was shown and
/// the choices of each question, `annotations[].result[].value.choices`.
pub(super) fn rows(tasks: &[Item]) -> Result<Vec<Vec<(String, Item)>>, String> {
    let mut rows = Vec::new();
    let mut questions: Vec<String> = Vec::new();
    for task in tasks {
        let Some(Item::Map(data)) = get(task, "data") else {
            continue;
        };
        let said = [get(task, "annotations"), get(task, "completions")];
        for annotation in said.into_iter().flat_map(items) {
            let is = |key| matches!(get(annotation, key), Some(Item::Text(text)) if text == "true");
            if is("was_cancelled") {
                continue;
            }
            let mut row = data.clone();
            for result in items(get(annotation, "result")) {
                let Some(choices) = get(result, "value").and_then(|v| get(v, "choices")) else {
                    continue;
                };
                let question = match get(result, "from_name") {
                    Some(Item::Text(name)) => name.clone(),
                    _ => "choice".to_owned(),
                };
                if !questions.contains(&question) {
                    questions.push(question.clone());
                }
                row.push((question, choices.clone()));
            }
            rows.push(row);
        }
    }
    match &questions[..] {
        [] => Err("is an export of Label Studio without a choice for any image".into()),
        [only] => {
            // One question is the label, whatever it is called.
            for (key, _) in rows.iter_mut().flatten().filter(|(key, _)| key == only) {
                "choice".clone_into(key);
            }
            Ok(rows)
        }
        _ => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::parse;
    use super::super::json::tests::rows;

    #[test]
    fn an_export_of_label_studio_is_a_row_an_annotation() {
        let task = |image: &str, result: &str, more: &str| {
            format!(
                r#"{{"id": 1, "data": {{"image": "{image}"}}, "annotations": [{{"id": 2, {more}"result": [{result}]}}]}}"#
            )
        };
        let choice = |question: &str, choices: &str| {
            format!(
                r#"{{"from_name": "{question}", "type": "choices", "value": {{"choices": {choices}}}}}"#
            )
        };
        let text = format!(
            "[{}, {}, {}]",
            task(
                "/data/upload/1/3f2a91bc-a.jpg",
                &choice("what", r#"["cat"]"#),
                ""
            ),
            task("b.jpg", &choice("what", r#"["cat", "dog"]"#), ""),
            task(
                "c.jpg",
                &choice("what", r#"["dog"]"#),
                r#""was_cancelled": true, "#
            )
        );
        assert_eq!(
            rows(&text),
            [
                ["image", "choice"],
                ["/data/upload/1/3f2a91bc-a.jpg", "cat"],
                ["b.jpg", "cat|dog"]
            ]
        );
        let two = format!(
            "{}, {}",
            choice("what", r#"["cat"]"#),
            choice("size", r#"["big"]"#)
        );
        assert_eq!(
            rows(&format!("[{}]", task("a.jpg", &two, ""))),
            [["image", "what", "size"], ["a.jpg", "cat", "big"]]
        );
        assert_eq!(
            rows(r#"[{"image": "a.jpg", "choice": {"choices": ["cat", "dog"]}}]"#),
            [["image", "choice"], ["a.jpg", "cat|dog"]]
        );
        let boxes = r#"{"from_name": "b", "value": {"x": 1, "rectanglelabels": ["cat"]}}"#;
        let reason =
            parse(&format!("[{}]", task("a.jpg", boxes, "")), &|_| false).expect_err("boxes");
        assert!(reason.contains("without a choice"), "{reason}");
    }
}
