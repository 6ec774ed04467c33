//! A share of 1 as a bar. Drawn by SVG attributes, because the page's policy allows no inline styles.

use yew::prelude::*;

/// What a bar shows.
#[derive(PartialEq, Properties)]
pub struct BarProps {
    /// 0 to 1.
    pub value: f64,
}

/// The bar. The number stands beside it, so it is hidden from screen readers.
#[component]
pub fn Bar(props: &BarProps) -> Html {
    let width = format!("{:.2}", props.value.clamp(0.0, 1.0) * 100.0);
    html! {
        <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
            <rect class="bar-ground" width="100" height="1" />
            <rect class="bar-value" {width} height="1" />
        </svg>
    }
}
