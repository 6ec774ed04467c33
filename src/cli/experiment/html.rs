//! The table of the experiments as a page of its own, with their curves: nothing is fetched and nothing runs in it.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart::{Chart, Curves, HEIGHT, LEFT, TOP, WIDTH, x};
use super::row::{FIGURE, NOTES, RESULTS, Row, SETTINGS};

const STYLE: &str = include_str!("report.css");

/// The page.
pub fn page(title: &str, data: &[String], rows: &[Row], curves: &[Curves]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                @for data in data {
                    p { (data) }
                }
                (table(rows))
                ul {
                    @for note in NOTES {
                        li { (note) }
                    }
                }
                @if !curves.is_empty() {
                    h2 { "Curves" }
                    p { "Thin: each seed. Thick: the mean of several. All charts of a measure have one scale." }
                    div.experiments {
                        @for curves in curves {
                            (charts(curves))
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

fn table(rows: &[Row]) -> Markup {
    html! {
        // So that the keyboard can scroll it as well.
        div.scroll tabindex="0" role="region" aria-label="Experiments" {
            table {
                thead {
                    tr {
                        @for heading in SETTINGS.iter().chain([&FIGURE]).chain(&RESULTS) {
                            th scope="col" { (heading) }
                        }
                    }
                }
                tbody {
                    @for row in rows {
                        (table_row(row))
                    }
                }
            }
        }
    }
}

fn table_row(row: &Row) -> Markup {
    let [name, settings @ ..] = &row.settings;
    html! {
        tr {
            th scope="row" { (name) }
            @for cell in settings.iter().chain([&row.figure]) {
                td.word[is_word(cell)] { (cell) }
            }
            @match &row.results {
                Ok(results) => {
                    @for (at, cell) in results.iter().enumerate() {
                        td.measured[at < 2].word[is_word(cell)] { (cell) }
                    }
                }
                Err(reason) => td.reason colspan=(RESULTS.len()) { (reason) },
            }
        }
    }
}

/// Whether a cell is not to be broken: at a hyphen there is nothing to be read on from.
fn is_word(cell: &str) -> bool {
    !cell.contains(' ')
}

fn charts(curves: &Curves) -> Markup {
    html! {
        section {
            h3 { (curves.name) }
            div.charts {
                @for chart in &curves.charts {
                    figure {
                        figcaption { (chart.title) }
                        (drawing(chart, curves))
                    }
                }
            }
        }
    }
}

fn drawing(chart: &Chart, Curves { name, epochs, .. }: &Curves) -> Markup {
    let label = format!("{} of {name} by epoch", chart.title);
    let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
    let view = format!("0 0 {} {}", right + 10.0, bottom + 22.0);
    html! {
        svg viewBox=(view) role="img" aria-label=(label) {
            @for (y, text) in chart.axis.ticks() {
                line.grid x1=(LEFT) x2=(right) y1=(y) y2=(y) {}
                text.tick x=(LEFT - 6.0) y=(y + 3.5) text-anchor="end" { (text) }
            }
            text.tick x=(x(1, *epochs)) y=(bottom + 16.0) text-anchor="middle" { "1" }
            @if *epochs > 1 {
                text.tick x=(right) y=(bottom + 16.0) text-anchor="middle" { (epochs) }
            }
            text.tick x=(LEFT + WIDTH / 2.0) y=(bottom + 16.0) text-anchor="middle" { "epoch" }
            @for points in &chart.seeds {
                polyline.seed.alone[chart.mean.is_none()] points=(points) {}
            }
            @if let Some(points) = &chart.mean {
                polyline.mean points=(points) {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::experiment::chart::Axis;

    #[test]
    fn what_a_name_holds_is_text_and_no_markup() {
        let row = Row {
            settings: std::array::from_fn(|_| "<script>\"&'".to_owned()),
            figure: String::new(),
            results: Err("<b>".to_owned()),
        };
        let curves = Curves {
            name: "\" onload=\"x".to_owned(),
            epochs: 1,
            charts: std::array::from_fn(|_| Chart {
                title: "",
                axis: Axis::round(&[], true),
                seeds: Vec::new(),
                mean: None,
            }),
        };
        let page = page("</title>", &[], &[row], &[curves]);
        for raw in ["<script>", "</title></title>", "<b>", "\" onload"] {
            assert!(!page.contains(raw), "{raw}");
        }
    }
}
