//! A button that opens the browser's file picker. The input stays in the page, invisible but real, so
//! that keyboards, screen readers and test drivers reach it.

use js_sys::Array;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What may be picked.
#[derive(PartialEq, Properties)]
pub struct FilePickProps {
    /// The button's text.
    pub label: AttrValue,
    /// `data-testid` of the input.
    pub testid: AttrValue,
    /// File types the picker offers.
    #[prop_or_default]
    pub accept: Option<AttrValue>,
    /// Whether several files may be picked.
    #[prop_or_default]
    pub multiple: bool,
    /// Whether a folder is picked.
    #[prop_or_default]
    pub folder: bool,
    /// Whether it is the main button of its section.
    #[prop_or_default]
    pub primary: bool,
    /// Whether nothing can be picked now.
    #[prop_or_default]
    pub disabled: bool,
    /// Given the picked files.
    pub on_files: Callback<Array>,
}

/// The button.
#[component]
pub fn FilePick(props: &FilePickProps) -> Html {
    let on_files = props.on_files.clone();
    let onchange = Callback::from(move |event: Event| {
        let input: HtmlInputElement = event.target_unchecked_into();
        // Copied first: emptying the input, which lets the same file be picked again, empties its list.
        let files = input.files().map(|list| Array::from(&list));
        input.set_value("");
        if let Some(files) = files.filter(|f| f.length() > 0) {
            on_files.emit(files);
        }
    });
    let kind = if props.primary { "primary" } else { "" };
    html! {
        <label class={classes!("button", kind, props.disabled.then_some("disabled"))}>
            <input type="file" class="file-input" data-testid={&props.testid} accept={props.accept.clone()}
                multiple={props.multiple} webkitdirectory={props.folder}
                disabled={props.disabled} {onchange} />
            { &props.label }
        </label>
    }
}
