//! Loss and accuracy over the epochs, training and validation, as two small charts.

use yew::prelude::*;

use crate::{
    protocol::EpochReport,
    ui::{
        chart::{self, Scale},
        parts::{Run, Shared},
        text,
    },
};

/// The run.
#[derive(PartialEq, Properties)]
pub struct CurvesProps {
    /// The run; without one the charts stand empty.
    pub run: Option<Shared<Run>>,
}

/// Both charts. The table below them holds the same numbers.
#[component]
pub fn Curves(props: &CurvesProps) -> Html {
    let reports = props.run.as_ref().map_or(&[][..], |r| &r.reports);
    let asked = props.run.as_ref().map_or(1, |r| r.epochs);
    let epochs = reports.last().map_or(asked, |last| asked.max(last.epoch));
    let losses = reports.iter().flat_map(|r| [r.train_loss, r.val_loss]);
    let loss = Scale {
        epochs,
        top: chart::ceiling(losses),
    };
    let accuracy = Scale { epochs, top: 1.0 };
    html! {
        <div class="charts">
            { plot("Loss", loss, reports, |r| r.train_loss, |r| r.val_loss, |v| format!("{v}")) }
            { plot("Accuracy", accuracy, reports, |r| r.train_accuracy, |r| r.val_accuracy,
                |v| text::percent(v).replace(".0", "")) }
        </div>
    }
}

type Value = fn(&EpochReport) -> f64;

fn plot(
    title: &str,
    scale: Scale,
    reports: &[EpochReport],
    train: Value,
    val: Value,
    label: fn(f64) -> String,
) -> Html {
    let (width, height) = (Scale::WIDTH, Scale::HEIGHT);
    let curve = |class: &'static str, value: Value| {
        let points = scale.line(reports.iter().map(|r| (r.epoch, value(r))));
        let end = reports.last().filter(|r| value(r).is_finite());
        let end = end.map(|r| scale.point(r.epoch, value(r)));
        html! {
            <g {class}>
                <polyline {points} />
                if let Some((x, y)) = end {
                    <circle cx={format!("{x:.1}")} cy={format!("{y:.1}")} r="2.5" />
                }
            </g>
        }
    };
    let lines = [0.0, 0.5, 1.0].map(|share| {
        let y = format!("{:.1}", (1.0 - share) * height);
        html! {
            <>
                <line class="grid" x1="0" x2={width.to_string()} y1={y.clone()} y2={y.clone()} />
                <text class="tick" x="-6" y={y} dy="0.32em" text-anchor="end">{ label(share * scale.top) }</text>
            </>
        }
    });
    html! {
        <figure>
            <figcaption>
                <span>{ title }</span>
                <span class="key train">{ "training" }</span>
                <span class="key val">{ "validation" }</span>
            </figcaption>
            <svg class="chart" viewBox={format!("-44 -10 {} {}", width + 56.0, height + 32.0)} role="img"
                aria-label={format!("{title} by epoch; the table below has the numbers")}>
                { for lines }
                <text class="tick" x="0" y={(height + 16.0).to_string()}>{ "epoch 1" }</text>
                <text class="tick" x={width.to_string()} y={(height + 16.0).to_string()} text-anchor="end">
                    { scale.epochs.max(2) }
                </text>
                { curve("train", train) }
                { curve("val", val) }
            </svg>
        </figure>
    }
}
