//! Files that were left out, each with its reason.

use yew::prelude::*;

use crate::{protocol::Skipped, ui::text};

/// Rows shown; a folder of the wrong kind would otherwise fill the page with thousands.
const MOST: usize = 200;
/// Up to so many rows the list is open from the start.
const OPEN: usize = 20;

/// The list.
#[derive(PartialEq, Properties)]
pub struct SkippedListProps {
    /// Files and reasons.
    pub files: Vec<Skipped>,
    /// `data-testid` of a row.
    pub testid: AttrValue,
}

/// A list to unfold; nothing if no file was left out.
#[component]
pub fn SkippedList(props: &SkippedListProps) -> Html {
    let files = &props.files;
    if files.is_empty() {
        return html! {};
    }
    let rows = files.iter().take(MOST).map(|skipped| {
        html! {
            <li data-testid={&props.testid} data-file={skipped.file.clone()}>
                <span class="file">{ &skipped.file }</span>
                <span class="muted">{ &skipped.reason }</span>
            </li>
        }
    });
    html! {
        <details open={files.len() <= OPEN}>
            <summary>{ format!("{} left out", text::counted(files.len(), "file", "files")) }</summary>
            <ul class="skipped">{ for rows }</ul>
            if files.len() > MOST {
                <p class="muted">{ format!("and {} more", text::count((files.len() - MOST) as u64)) }</p>
            }
        </details>
    }
}
