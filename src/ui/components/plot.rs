//! A chart of lines over epochs, or over another number.

use yew::prelude::*;

use crate::ui::{chart::Scale, state::CURVES};

/// A line.
pub struct Line {
    /// Its look.
    pub class: Classes,
    /// Its points, as of a polyline.
    pub points: String,
    /// Where a dot marks its end.
    pub end: Option<(f64, f64)>,
    /// Other dots, and their names.
    pub marks: Vec<(f64, f64, &'static str)>,
}

impl Line {
    /// A line through `(epoch, value)` with a dot at its end.
    pub fn new(
        class: impl Into<Classes>,
        scale: Scale,
        values: impl Iterator<Item = (f64, f64)> + Clone,
    ) -> Self {
        let last = values.clone().last().filter(|v| scale.y.takes(v.1));
        Self {
            class: class.into(),
            points: scale.line(values),
            end: last.map(|(epoch, value)| scale.point(epoch, value)),
            marks: Vec::new(),
        }
    }
}

/// The look of one of several lines. There are [`CURVES`] kinds; of more lines the next ones are thinner, those after
/// them thicker.
pub fn look(place: usize) -> Classes {
    let kind = format!("run-{}", place % CURVES);
    let round = (place / CURVES).min(2);
    classes!("run", kind, (round > 0).then(|| format!("round-{round}")))
}

/// A piece of a line, for the legend.
pub fn key(look: Classes) -> Html {
    html! {
        <svg class="line-key" viewBox="0 0 40 8" aria-hidden="true">
            <g class={look}><polyline points="0,4 40,4" /></g>
        </svg>
    }
}

/// A chart under its caption, over what `axis` is called. A table with the same numbers has to be near.
pub fn plot(
    title: &str,
    axis: &str,
    caption: Html,
    scale: Scale,
    lines: Vec<Line>,
    label: fn(f64) -> String,
) -> Html {
    let (width, height) = (Scale::WIDTH, Scale::HEIGHT);
    let [first, last] = scale.ends(axis);
    let ground = scale.y.marks().into_iter().map(|value| {
        let y = format!("{:.1}", (1.0 - scale.y.share(value)) * height);
        html! {
            <>
                <line class="grid" x1="0" x2={width.to_string()} y1={y.clone()} y2={y.clone()} />
                <text class="tick" x="-6" y={y} dy="0.32em" text-anchor="end">{ label(value) }</text>
            </>
        }
    });
    let lines = lines.into_iter().map(|line| {
        html! {
            <g class={line.class}>
                <polyline points={line.points} />
                if let Some((x, y)) = line.end {
                    <circle cx={format!("{x:.1}")} cy={format!("{y:.1}")} r="2.5" />
                }
                { for line.marks.into_iter().map(|(x, y, name)| html! {
                    <>
                        <circle cx={format!("{x:.1}")} cy={format!("{y:.1}")} r="2.5" />
                        <text class="tick" x={format!("{:.1}", x - 4.0)} y={format!("{:.1}", y - 5.0)}
                            text-anchor="end">{ name }</text>
                    </>
                }) }
            </g>
        }
    });
    html! {
        <figure>
            <figcaption>{ caption }</figcaption>
            <svg class="chart" viewBox={format!("-44 -10 {} {}", width + 56.0, height + 32.0)} role="img"
                aria-label={format!("{title} by {axis}; the table below has the numbers")}>
                { for ground }
                <text class="tick" x="0" y={(height + 16.0).to_string()}>{ first }</text>
                <text class="tick" x={width.to_string()} y={(height + 16.0).to_string()} text-anchor="end">
                    { last }
                </text>
                { for lines }
            </svg>
        </figure>
    }
}
