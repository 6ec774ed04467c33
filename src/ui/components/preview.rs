//! What the augmentation makes of an image, in pictures.

use yew::prelude::*;

use super::{progress::ProgressLine, says};
use crate::ui::{
    controller::{Intent, Subject},
    jobs::Job,
    received::Sample,
    shared::Shared,
};

/// The pictures.
#[derive(PartialEq, Properties)]
pub struct PreviewProps {
    /// The image itself, then what was made of it.
    pub pictures: Shared<Vec<Sample>>,
    /// The preview under way.
    pub job: Option<Job>,
    /// Whether one can begin now.
    pub ready: bool,
    /// Whether there are images of the user's own.
    pub given: bool,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// Buttons, and a strip of pictures with what was done under each.
#[component]
pub fn Preview(props: &PreviewProps) -> Html {
    let button = |testid: &'static str, label: &'static str, enabled: bool, subject: Subject| {
        let onclick = says::<MouseEvent>(&props.on, move || Intent::Preview(subject));
        html! {
            <button type="button" data-testid={testid} disabled={!enabled} {onclick}>{ label }</button>
        }
    };
    let (ready, shown) = (props.ready, !props.pictures.is_empty());
    html! {
        <div class="preview">
            <div class="actions">
                { button("augment-preview", "Preview", ready, Subject::Same) }
                { button("augment-another", "Another image", ready && shown, Subject::Next) }
                { button("augment-given", "Preview on the first dropped image", ready && props.given,
                    Subject::Given) }
            </div>
            <ProgressLine job={props.job.clone()} on={props.on.clone()} />
            <ul class="strip" tabindex="0" aria-label="What the augmentation makes of the image" data-testid="previews" data-count={props.pictures.len().to_string()}>
                { for props.pictures.iter().map(|picture| html! {
                    <li data-testid="preview-picture" data-words={picture.name.clone()}>
                        <img src={picture.url.clone()} alt={picture.name.clone()} width="112" height="112" />
                        <span aria-hidden="true">{ &picture.name }</span>
                    </li>
                }) }
            </ul>
        </div>
    }
}
