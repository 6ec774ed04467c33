//! A batch of classified images as a table for other programs.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::{
    predictions::{Batch, Outcome, Prediction},
    shared::Shared,
};
use crate::protocol::ModelSummary;

/// The batch as CSV (RFC 4180): a line per image, a column per class of the models that answered. Which model an
/// answer is of is said, and whether that is no longer the one in use.
#[must_use]
pub fn csv(batch: &Batch, model: Option<&Shared<ModelSummary>>) -> String {
    let classes = classes(batch);
    let mut text = String::from("file,label,probability,milliseconds,error,model");
    for class in &classes {
        text.push(',');
        text.push_str(&quoted(class));
    }
    text.push_str("\r\n");
    for row in &batch.rows {
        text.push_str(&quoted(&row.file));
        match &row.outcome {
            Outcome::Waiting => text.push_str(",,,,,"),
            Outcome::Failed(reason) => {
                text.push_str(",,,,");
                text.push_str(&quoted(reason));
                text.push(',');
            }
            Outcome::Classified(p) => write_prediction(&mut text, p, model, &classes),
        }
        text.push_str("\r\n");
    }
    text
}

/// The classes of every model that answered, each once.
fn classes(batch: &Batch) -> Vec<String> {
    let mut models: Vec<&Shared<ModelSummary>> = Vec::new();
    for answer in batch.rows.iter().filter_map(|row| row.outcome.answer()) {
        if !models.contains(&&answer.model) {
            models.push(&answer.model);
        }
    }
    let mut seen = HashSet::new();
    let all = models.into_iter().flat_map(|model| &model.classes);
    all.filter(|class| seen.insert(*class)).cloned().collect()
}

fn write_prediction(
    text: &mut String,
    p: &Prediction,
    model: Option<&Shared<ModelSummary>>,
    classes: &[String],
) {
    let label = quoted(&p.label());
    let source = &p.model.source;
    let by = if p.is_by(model) {
        quoted(source)
    } else {
        quoted(&format!("{source} (not in use any more)"))
    };
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        ",{label},{},{:.1},,{by}",
        p.probability(),
        p.milliseconds
    );
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
    use super::*;
    use crate::config::Arch;

    fn model(source: &str, classes: &[&str]) -> Shared<ModelSummary> {
        Shared::new(ModelSummary {
            arch: Arch::ResNet18,
            head: None,
            classes: classes.iter().map(ToString::to_string).collect(),
            size: 150,
            normalization: None,
            untrained: false,
            bundled: None,
            features: 512,
            parameters: 0,
            source: source.into(),
            sha256: None,
        })
    }

    #[test]
    fn csv_quotes_and_keeps_columns_by_class_name() {
        let files = ["a, b.png", "c.png", "d.png", "e.png"];
        let mut batch = Batch::new(files.map(|f| (f.to_owned(), None)).to_vec());
        let (old, new) = (
            model("old.pth", &["sea", "ice"]),
            model("trained here", &["ice", "fog"]),
        );
        let first = Prediction::new(old, vec![0.75, 0.25], 12.0);
        let other = Prediction::new(new.clone(), vec![0.5, 0.25], 8.0);
        batch.settle("a, b.png", Outcome::Classified(first.expect("classes")));
        batch.settle("c.png", Outcome::Failed("not \"an image\"".into()));
        batch.settle("d.png", Outcome::Classified(other.expect("classes")));
        assert_eq!(
            csv(&batch, Some(&new)),
            "file,label,probability,milliseconds,error,model,sea,ice,fog\r\n\
             \"a, b.png\",sea,0.75,12.0,,old.pth (not in use any more),0.75,0.25,\r\n\
             c.png,,,,\"not \"\"an image\"\"\",\r\n\
             d.png,ice,0.5,8.0,,trained here,,0.5,0.25\r\n\
             e.png,,,,,\r\n"
        );
    }
}
