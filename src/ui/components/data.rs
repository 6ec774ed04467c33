//! The section where a data set is opened and looked at.

use js_sys::Array;
use yew::prelude::*;

use super::{
    labels::LabelsView, pick::FilePick, progress::ProgressLine, says, skipped::SkippedList,
};
use crate::{
    protocol::{Leak, LeakKind},
    ui::{controller::Intent, intake, jobs::Job, received::Dataset, shared::Shared, text},
};

/// Classes and groups of duplicates shown.
const MOST: usize = 200;

/// What the section shows.
#[derive(PartialEq, Properties)]
pub struct DataProps {
    /// The data set in use.
    pub dataset: Option<Shared<Dataset>>,
    /// The opening under way.
    pub job: Option<Job>,
    /// Files found so far in a folder that is being read.
    pub reading: Option<usize>,
    /// Images of the folder in use that wait to be classified, if it has no classes to learn.
    pub loose_images: usize,
    /// Whether a data set can be opened now.
    pub idle: bool,
    /// Messages of the section.
    pub notices: Html,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The section.
#[component]
pub fn Data(props: &DataProps) -> Html {
    let on = &props.on;
    let disabled = !props.idle || props.reading.is_some();
    html! {
        <section id="data" aria-labelledby="data-title">
            <h2 id="data-title">{ "Data" }</h2>
            <p class="lead">
                { "A folder, zip or tar with one folder of images for each class: the folders' names become \
                   the labels. Or images with a table of labels (CSV, TSV, JSON) among them. Without images of your \
                   own, draw the demo set." }
            </p>
            <div class="actions">
                <FilePick label="Choose folder" testid="folder-input" folder=true multiple=true {disabled}
                    on_files={on.reform(|files: Array| Intent::Folder(files))} />
                <FilePick label="Choose archive" testid="zip-input" accept={intake::accept_archives()} multiple=true
                    {disabled} on_files={on.reform(|files: Array| Intent::Archive(files))} />
                <FilePick label="Add a table of labels" testid="table-input" accept={intake::accept_tables()}
                    multiple=true disabled={disabled || props.dataset.is_none()}
                    on_files={on.reform(|files: Array| Intent::Tables(files))} />
                <button type="button" data-testid="demo-data" {disabled}
                    onclick={says::<MouseEvent>(on, || Intent::Demo)}>{ "Use the demo set" }</button>
            </div>
            { props.notices.clone() }
            if let Some(files) = props.reading {
                <div class="progress-line">
                    <span class="progress-text">
                        { format!("Looking through the folder: {}", text::counted(files, "file", "files")) }
                    </span>
                    <button type="button" onclick={says::<MouseEvent>(on, || Intent::CancelReading)}>
                        { "Cancel" }
                    </button>
                </div>
            } else {
                <ProgressLine job={props.job.clone()} on={on.clone()} />
            }
            if let Some(dataset) = &props.dataset {
                // Another data set is another element: Yew loses its place among siblings that come and go.
                <Summary key={dataset.job.to_string()} dataset={dataset.clone()} loose_images={props.loose_images} {disabled} {on} />
            }
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct SummaryProps {
    dataset: Shared<Dataset>,
    loose_images: usize,
    disabled: bool,
    on: Callback<Intent>,
}

#[component]
fn Summary(props: &SummaryProps) -> Html {
    let summary = &props.dataset.summary;
    let (train, test) = props.dataset.totals();
    let classes = summary.classes.len();
    // What is counted then is one reading of several.
    let asks = text::asks(summary);
    let rows = summary
        .classes
        .iter()
        .enumerate()
        .take(MOST)
        .map(|(i, class)| {
            html! {
                <tr>
                    <td class="thumb-cell">
                        if let Some(url) = props.dataset.thumbnails.get(i).cloned() {
                            <img src={url} alt="" width="40" height="40" />
                        }
                    </td>
                    <th scope="row">{ &class.name }</th>
                    <td class="number">{ text::count(class.train as u64) }</td>
                    <td class="number">{ text::count(class.test as u64) }</td>
                </tr>
            }
        });
    html! {
        <div class="dataset" data-testid="dataset-summary" data-name={summary.name.clone()} data-classes={classes.to_string()}
            data-train={train.to_string()} data-test={test.to_string()}>
            <p>
                <strong>{ &summary.name }</strong>
                { ": " }{ text::contents(summary) }
            </p>
            if let Some(problem) = &summary.problem {
                <p class="problem" data-testid="dataset-problem">{ problem }</p>
            }
            if props.loose_images > 0 {
                <LooseImages images={props.loose_images} disabled={props.disabled} on={props.on.clone()} />
            }
            <LabelsView dataset={props.dataset.clone()} disabled={props.disabled} on={props.on.clone()} />
            if !asks && !summary.notes.is_empty() {
                <ul class="notes">
                    { for summary.notes.iter().map(|note| html! { <li data-testid="dataset-note">{ note }</li> }) }
                </ul>
            }
            if !asks {
                { leaks(&summary.leaks, LeakKind::BetweenParts) }
                { leaks(&summary.leaks, LeakKind::TwoLabels) }
            }
            if classes > 0 && !asks {
                <div class="scroll">
                    <table class="narrow">
                        <thead><tr>
                            <th scope="col"><span class="unseen">{ "Picture" }</span></th>
                            <th scope="col">{ "Class" }</th>
                            <th scope="col" class="number">{ "Train" }</th>
                            <th scope="col" class="number">{ "Test" }</th>
                        </tr></thead>
                        <tbody>{ for rows }</tbody>
                    </table>
                </div>
                if classes > MOST {
                    <p class="muted">{ format!("and {} more", text::count((classes - MOST) as u64)) }</p>
                }
            }
            <SkippedList files={summary.skipped.clone()} testid="skipped-row" />
            { duplicates(&props.dataset.harmless_duplicates()) }
        </div>
    }
}

fn duplicates(groups: &[&Vec<String>]) -> Html {
    if groups.is_empty() {
        return html! {};
    }
    let title = text::counted(groups.len(), "group", "groups");
    html! {
        <details data-testid="duplicates">
            <summary>{ format!("{title} of identical images") }</summary>
            { identical(groups.iter().map(|group| group.as_slice())) }
        </details>
    }
}

/// Identical images that make figures wrong, of one kind.
fn leaks(all: &[Leak], kind: LeakKind) -> Html {
    let groups: Vec<&[String]> = (all.iter())
        .filter(|leak| leak.kind == kind)
        .map(|leak| leak.files.as_slice())
        .collect();
    if groups.is_empty() {
        return html! {};
    }
    html! {
        <details class="leaks" data-testid="leaks" data-kind={format!("{kind:?}")}
            data-count={groups.len().to_string()}>
            <summary class="problem">{ text::leaks(kind, groups.len()) }</summary>
            { identical(groups.into_iter()) }
        </details>
    }
}

/// Groups of identical images, by their paths.
fn identical<'a>(groups: impl ExactSizeIterator<Item = &'a [String]>) -> Html {
    let more = groups.len().saturating_sub(MOST);
    html! {
        <>
            <ul class="skipped">
                { for groups.take(MOST).map(|group| html! { <li class="file">{ group.join(" = ") }</li> }) }
            </ul>
            if more > 0 {
                <p class="muted">{ format!("and {} more", text::count(more as u64)) }</p>
            }
        </>
    }
}

/// The offer to classify a folder that has no classes to learn.
#[derive(PartialEq, Properties)]
struct LooseImagesProps {
    images: usize,
    disabled: bool,
    on: Callback<Intent>,
}

/// A sentence and a button.
#[component]
fn LooseImages(props: &LooseImagesProps) -> Html {
    let images = text::counted(props.images, "image", "images");
    html! {
        <div class="notice offer" role="status" data-testid="loose-images">
            <p>{ "There are no classes to learn here. The photos can be classified with the model in use." }</p>
            <div class="actions">
                <button type="button" data-testid="classify-folder" disabled={props.disabled}
                    onclick={says::<MouseEvent>(&props.on, || Intent::ClassifyFolder)}>
                    { format!("Classify {images}") }
                </button>
            </div>
        </div>
    }
}
