//! Loss and accuracy over the epochs, training and validation, as two small charts.

use yew::prelude::*;

use super::plot::{Line, plot};
use crate::{
    protocol::EpochReport,
    ui::{
        chart::{self, Axis, Scale},
        shared::Shared,
        text,
        training::Training,
    },
};

/// The training.
#[derive(PartialEq, Properties)]
pub struct CurvesProps {
    /// The training; without one the charts stand empty.
    pub training: Option<Shared<Training>>,
}

/// Both charts. The table below them holds the same numbers.
#[component]
pub fn Curves(props: &CurvesProps) -> Html {
    let training = props.training.as_deref();
    let reports = training.map_or(&[][..], |t| &t.reports);
    let pulses = training.map_or(&[][..], |t| &t.pulses);
    let asked = training.map_or(1, |t| t.epochs);
    let epochs = reports.last().map_or(asked, |last| asked.max(last.epoch));
    let losses = reports.iter().flat_map(|r| [r.train_loss, r.val_loss]);
    // What was heard before the first epoch's end needs room.
    let first = if pulses.is_empty() { 1.0 } else { 0.0 };
    let loss = Scale {
        first,
        epochs,
        y: Axis::Linear(chart::ceiling(losses.chain(pulses.iter().map(|p| p.loss)))),
    };
    let accuracy = Scale {
        first,
        epochs,
        y: Axis::Linear(1.0),
    };
    let line = |class: &'static str, scale, value: fn(&EpochReport) -> f64| {
        let values = reports.iter().map(move |r| (r.epoch as f64, value(r)));
        Line::new(class, scale, values)
    };
    let beats = Line {
        class: "pulse".into(),
        points: loss.line(pulses.iter().map(|p| (p.epoch, p.loss))),
        end: None,
        marks: Vec::new(),
    };
    let caption = |title: &str, steps: bool| {
        html! {
            <>
                <span>{ title }</span>
                if steps {
                    <span class="key pulse">{ "training, step by step" }</span>
                }
                <span class="key train">{ "training" }</span>
                <span class="key val">{ "validation" }</span>
            </>
        }
    };
    let losses = vec![
        beats,
        line("train", loss, |r| r.train_loss),
        line("val", loss, |r| r.val_loss),
    ];
    let accuracies = vec![
        line("train", accuracy, |r| r.train_accuracy),
        line("val", accuracy, |r| r.val_accuracy),
    ];
    html! {
        <div class="charts" data-testid="curves" data-pulses={pulses.len().to_string()}>
            { plot("Loss", "epoch", caption("Loss", !pulses.is_empty()), loss, losses, |v| format!("{v}")) }
            { plot("Accuracy", "epoch", caption("Accuracy", false), accuracy, accuracies,
                |v| text::percent(v).replace(".0", "")) }
        </div>
    }
}
