//! A batch of classified images as a table for other programs.

use std::fmt::Write as _;

use super::predictions::{Batch, Outcome, Prediction, Row};

/// The batch as CSV (RFC 4180): a line per image, a column per class of the model that answered.
#[must_use]
pub fn csv(batch: &Batch) -> String {
    let answered = |row: &Row| match &row.outcome {
        Outcome::Classified(prediction) => Some(prediction.model.clone()),
        _ => None,
    };
    let model = batch.rows.iter().find_map(|row| answered(row));
    let classes = model.map(|m| m.classes.clone()).unwrap_or_default();
    let mut text = String::from("file,label,probability,milliseconds,error");
    for class in &classes {
        text.push(',');
        text.push_str(&quoted(class));
    }
    text.push_str("\r\n");
    for row in &batch.rows {
        text.push_str(&quoted(&row.file));
        match &row.outcome {
            Outcome::Waiting => text.push_str(",,,,"),
            Outcome::Failed(reason) => {
                text.push_str(",,,,");
                text.push_str(&quoted(reason));
            }
            Outcome::Classified(p) => write_prediction(&mut text, p, &classes),
        }
        text.push_str("\r\n");
    }
    text
}

fn write_prediction(text: &mut String, p: &Prediction, classes: &[String]) {
    let label = quoted(&p.label());
    // Writing to a `String` cannot fail.
    let _ = write!(text, ",{label},{},{:.1},", p.probability(), p.milliseconds);
    for class in classes {
        // By name: the model may have been changed in the middle of a batch.
        let index = p.model.classes.iter().position(|c| c == class);
        let _ = match index.and_then(|i| p.probabilities.get(i)) {
            Some(probability) => write!(text, ",{probability}"),
            None => write!(text, ","),
        };
    }
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::shared::Shared, *};
    use crate::{config::Arch, protocol::ModelSummary};

    fn model(classes: &[&str]) -> Shared<ModelSummary> {
        Shared::new(ModelSummary {
            arch: Arch::ResNet18,
            head: None,
            classes: classes.iter().map(ToString::to_string).collect(),
            size: 150,
            normalization: None,
            untrained: false,
            features: 512,
            parameters: 0,
            source: "test".into(),
            sha256: None,
        })
    }

    #[test]
    fn csv_quotes_and_keeps_columns_by_class_name() {
        let files = ["a, b.png", "c.png", "d.png", "e.png"];
        let mut batch = Batch::new(files.map(|f| (f.to_owned(), None)).to_vec());
        let first = Prediction::new(model(&["sea", "ice"]), vec![0.75, 0.25], 12.0);
        let other = Prediction::new(model(&["ice", "fog"]), vec![0.5, 0.25], 8.0);
        batch.settle("a, b.png", Outcome::Classified(first.expect("classes")));
        batch.settle("c.png", Outcome::Failed("not \"an image\"".into()));
        batch.settle("d.png", Outcome::Classified(other.expect("classes")));
        assert_eq!(
            csv(&batch),
            "file,label,probability,milliseconds,error,sea,ice\r\n\
             \"a, b.png\",sea,0.75,12.0,,0.75,0.25\r\n\
             c.png,,,,\"not \"\"an image\"\"\"\r\n\
             d.png,ice,0.5,8.0,,,0.5\r\n\
             e.png,,,,\r\n"
        );
    }
}
