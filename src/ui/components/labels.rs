//! How the labels of a data set were read: the choice where there are several ways, the columns of a table.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use super::says;
use crate::{
    protocol::{Columns, Labels, Reading, TableSummary},
    ui::{controller::Intent, received::Dataset, shared::Shared, text},
};

/// What is shown.
#[derive(PartialEq, Properties)]
pub struct LabelsViewProps {
    /// The data set in use.
    pub dataset: Shared<Dataset>,
    /// Whether nothing can be chosen now.
    pub disabled: bool,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The choice of a reading; nothing where there is only one.
#[component]
pub fn LabelsView(props: &LabelsViewProps) -> Html {
    let summary = &props.dataset.summary;
    let asks = text::asks(summary);
    let readings = summary.readings.iter().zip(&props.dataset.pictures);
    let table = summary.table.as_ref().map(|table| columns(table, props));
    html! {
        <>
            if !summary.readings.is_empty() {
                <fieldset class="readings" data-testid="readings" data-asks={asks.to_string()}
                    data-count={summary.readings.len().to_string()} disabled={props.disabled}>
                    <legend>
                        if asks { { "Choose what the labels are" } } else { { "What the labels are" } }
                    </legend>
                    { for readings.map(|(reading, pictures)| choice(reading, pictures, props)) }
                </fieldset>
            }
            { table }
        </>
    }
}

/// One way to read the labels, as a button.
fn choice(reading: &Reading, pictures: &[String], props: &LabelsViewProps) -> Html {
    let used = props.dataset.summary.labels == reading.labels;
    let labels = reading.labels.clone();
    let onclick = says::<MouseEvent>(&props.on, move || Intent::Labels(labels.clone()));
    html! {
        <button type="button" class="reading" data-testid="reading" data-flags={reading.flags.clone()}
            aria-pressed={used.to_string()} {onclick}>
            <span class="reading-name">{ &reading.text }</span>
            <span class="muted">{ text::reading_classes(reading) }</span>
            if !pictures.is_empty() {
                <span class="reading-pictures">
                    { for pictures.iter().map(|url| html! {
                        <img src={url.clone()} alt="" width="40" height="40" />
                    }) }
                </span>
            }
        </button>
    }
}

/// The columns of the table that the labels come from, to choose others.
fn columns(table: &TableSummary, props: &LabelsViewProps) -> Html {
    // Several tables may be read together.
    let file = match &props.dataset.summary.labels {
        Labels::Table { file, .. } => file.clone(),
        _ => table.file.clone(),
    };
    let select = |id: &'static str,
                  name: &str,
                  used: &Option<String>,
                  set: fn(&mut Columns, Option<String>)| {
        let on = props.on.clone();
        let (file, columns) = (file.clone(), table.used.clone());
        let onchange = Callback::from(move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            let mut columns = columns.clone();
            set(
                &mut columns,
                Some(select.value()).filter(|value| !value.is_empty()),
            );
            let file = file.clone();
            on.emit(Intent::Labels(Labels::Table { file, columns }));
        });
        html! {
            <label class="field" for={id}>
                { name }
                <select {id} data-testid={id} disabled={props.disabled} {onchange}>
                    <option value="" selected={used.is_none()}>{ "found by content" }</option>
                    { for table.columns.iter().map(|column| html! {
                        <option value={column.clone()} selected={used.as_ref() == Some(column)}>{ column }</option>
                    }) }
                </select>
            </label>
        }
    };
    html! {
        <div class="table-columns" data-testid="label-table" data-file={table.file.clone()}
            data-matched={table.matched.to_string()}>
            <p>{ text::table(table, text::asks(&props.dataset.summary)) }</p>
            <div class="actions">
                { select("image-column", "File name", &table.used.image, |c, v| c.image = v) }
                { select("label-column", "Label", &table.used.label, |c, v| c.label = v) }
                { select("part-column", "Part (train, test)", &table.used.part, |c, v| c.part = v) }
            </div>
        </div>
    }
}
