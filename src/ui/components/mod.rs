//! Small views: data in, callbacks out, no logic. The sections of the page, and what they share.

pub mod architectures;
pub mod banner;
pub mod bar;
pub mod card;
pub mod classify;
pub mod confusion;
pub mod curves;
pub mod data;
pub mod epochs;
pub mod evaluate;
pub mod gradients;
pub mod header;
pub mod labels;
pub mod model;
pub mod new_version;
pub mod notices;
pub mod overlay;
pub mod pick;
pub mod plot;
pub mod preview;
pub mod progress;
pub mod runs;
pub mod settings;
pub mod skipped;
pub mod table;
pub mod train;

use yew::Callback;

use super::controller::Intent;

/// A callback for a button that says one thing. The intent is made anew with each click.
pub fn says<E>(on: &Callback<Intent>, intent: impl Fn() -> Intent + 'static) -> Callback<E> {
    let on = on.clone();
    Callback::from(move |_| on.emit(intent()))
}
