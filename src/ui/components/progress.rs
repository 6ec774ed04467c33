//! How far a job is: a bar, a number, the time left, and a way to drop it.

use yew::prelude::*;

use super::says;
use crate::ui::{controller::Intent, jobs::Job, text};

/// A job, or none.
#[derive(PartialEq, Properties)]
pub struct ProgressLineProps {
    /// The job; without one the line keeps its height, so that nothing below it jumps.
    pub job: Option<Job>,
    /// Told to cancel it; without it there is no button.
    #[prop_or_default]
    pub on: Option<Callback<Intent>>,
}

/// The line.
#[component]
pub fn ProgressLine(props: &ProgressLineProps) -> Html {
    let Some(job) = &props.job else {
        return html! { <div class="progress-line"></div> };
    };
    let cancel = props.on.as_ref().map(|on| {
        let id = job.id;
        let onclick = says::<MouseEvent>(on, move || Intent::Cancel(id));
        html! { <button type="button" data-testid="cancel" {onclick}>{ "Cancel" }</button> }
    });
    let Some(progress) = &job.progress else {
        return html! {
            <div class="progress-line"><span class="progress-text">{ "Waiting to begin" }</span>{ cancel }</div>
        };
    };
    let (done, total) = (progress.done.to_string(), progress.total.to_string());
    html! {
        <div class="progress-line" data-testid="progress" data-phase={text::phase(progress.phase)}
            data-done={done.clone()} data-total={total.clone()}>
            <span class="progress-text">{ text::progress(progress) }</span>
            if progress.total > 0 {
                <progress value={done} max={total} aria-label={text::phase(progress.phase)}></progress>
            }
            { cancel }
        </div>
    }
}
