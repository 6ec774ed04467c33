//! That a new version of the page waits, and the way to it.

use yew::prelude::*;

use super::says;
use crate::ui::{controller::Intent, state::NewVersion, text};

/// The new version.
#[derive(PartialEq, Properties)]
pub struct NewVersionNoticeProps {
    /// What there is to say about it.
    pub new_version: NewVersion,
    /// Whether nothing runs that a reload would end.
    pub idle: bool,
    /// Told to use it.
    pub on: Callback<Intent>,
}

/// The sentence and the button.
#[component]
pub fn NewVersionNotice(props: &NewVersionNoticeProps) -> Html {
    html! {
        <div class="notice offer" role="status" data-testid="new-version">
            <p>{ text::new_version(props.new_version, props.idle) }</p>
            <div class="actions">
                <button type="button" data-testid="reload" disabled={!props.idle}
                    onclick={says::<MouseEvent>(&props.on, || Intent::UseNewVersion)}>{ "Reload" }</button>
            </div>
        </div>
    }
}
