//! Prodigy's annotations, <https://prodi.gy/docs/api-interfaces>: each says whether the person accepted what was
//! proposed. What was rejected or passed over is no label.

use super::{Item, get};

type Row = Vec<(String, Item)>;

/// Keys under which it says what was proposed or chosen.
const PROPOSED: [&str; 4] = ["label", "accept", "cats", "options"];

/// Takes out the rows that were not accepted, and says so.
pub(super) fn take_accepted(rows: &mut Vec<Row>) -> Option<String> {
    let answer = |row: &Row| match get(row, "answer") {
        Some(Item::Text(answer)) => Some(answer.clone()),
        _ => None,
    };
    let is_own = |row: &Row| {
        let is_answer = answer(row).is_none_or(|a| ["accept", "reject", "ignore"].contains(&&*a));
        is_answer && PROPOSED.iter().any(|key| get(row, key).is_some())
    };
    if !rows.iter().all(is_own) {
        return None;
    }
    let before = rows.len();
    rows.retain(|row| answer(row).is_none_or(|answer| answer == "accept"));
    let lost = before - rows.len();
    (lost > 0).then(|| {
        format!(
            "has {lost} of {before} rows that were answered with reject or ignore; they give no label"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn what_was_rejected_is_no_label() {
        let row = |file: &str, answer: &str| {
            format!(r#"{{"image": "{file}", "label": "cat", "answer": "{answer}"}}"#)
        };
        let rows = [
            ("a.jpg", "accept"),
            ("b.jpg", "reject"),
            ("c.jpg", "ignore"),
        ];
        let text = rows.map(|(file, answer)| row(file, answer)).join("\n");
        let table = parse(&text, &|_| false).expect("a table");
        assert_eq!(table.lines()[1..], [["a.jpg", "cat", "accept"]]);
        assert!(table.notes[0].contains("2 of 3 rows"), "{:?}", table.notes);
        let text = rows.map(|(file, answer)| row(file, answer)).join("\n");
        // A question of another kind.
        let text = text.replace("reject", "maybe");
        assert_eq!(parse(&text, &|_| false).expect("a table").rows(), 3);
    }
}
