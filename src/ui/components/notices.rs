//! Messages of one section. Errors are announced at once, the rest when the reader is free.

use yew::prelude::*;

use super::says;
use crate::ui::{
    controller::Intent,
    jobs::{Notice, Section},
    shared::Shared,
    state::Action,
};

/// All messages; those of other sections are left out.
#[derive(PartialEq, Properties)]
pub struct NoticesProps {
    /// The section.
    pub section: Section,
    /// The messages of all sections.
    pub notices: Shared<Vec<Notice>>,
    /// Told to dismiss one.
    pub on: Callback<Intent>,
}

/// The messages, newest last.
#[component]
pub fn Notices(props: &NoticesProps) -> Html {
    let here = props.notices.iter().filter(|n| n.section == props.section);
    here.map(|notice| {
        let id = notice.id;
        let onclick = says::<MouseEvent>(&props.on, move || Intent::Act(Action::Dismiss(id)));
        let (class, testid, role) = if notice.error {
            ("notice error", "error-banner", "alert")
        } else {
            ("notice", "warning", "status")
        };
        html! {
            <div key={id} {class} data-testid={testid} {role}>
                <p>{ &notice.text }</p>
                <button type="button" class="quiet" aria-label="Dismiss this message" {onclick}>{ "×" }</button>
            </div>
        }
    })
    .collect()
}
