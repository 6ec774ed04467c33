//! The drawing of a network: boxes that open, in an SVG.

use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::ui::{
    anatomy::{
        Anatomy, Explore, Explorer,
        scene::{Key, Look, Scene, Shape},
        walk::{Press, Step},
        words::{Words, words},
    },
    shared::Shared,
    text,
};

/// The drawing.
#[derive(PartialEq, Properties)]
pub struct DrawingProps {
    /// The network.
    pub anatomy: Shared<Anatomy>,
    /// Which boxes are open.
    pub explorer: Shared<Explorer>,
    /// Told what the user opens.
    pub on: Callback<Explore>,
}

/// The boxes and lines, as a tree for who hears it. One box at a time can be reached with Tab, the others from it with
/// the arrow keys.
#[component]
pub fn Drawing(props: &DrawingProps) -> Html {
    let DrawingProps {
        anatomy,
        explorer,
        on,
    } = props;
    let scene = use_memo(
        (anatomy.clone(), explorer.boxes.clone()),
        |(anatomy, boxes)| Scene::of(anatomy, boxes),
    );
    let current = use_state(|| None::<Key>);
    let shapes = &scene.shapes;
    let known = shapes.iter().find(|shape| Some(shape.key) == *current);
    let reached = known.or(shapes.first()).map(|shape| shape.key);
    let boxes = shapes.iter().map(|shape| {
        let press = {
            let (on, current, key, look) = (on.clone(), current.clone(), shape.key, shape.look);
            move || {
                current.set(Some(key));
                if look != Look::Node {
                    on.emit(Explore::Box(key));
                }
            }
        };
        let onkeydown = {
            let (scene, current, press) = (scene.clone(), current.clone(), press.clone());
            let key = shape.key;
            Callback::from(move |event: KeyboardEvent| {
                // With one of these a key belongs to the browser: Alt and Left go a page back.
                if event.alt_key() || event.ctrl_key() || event.meta_key() {
                    return;
                }
                let Some(asked) = Press::of(&event.key()) else {
                    return;
                };
                event.prevent_default();
                match scene.step(key, asked) {
                    Some(Step::Toggle) => press(),
                    Some(Step::To(next)) => {
                        current.set(Some(next));
                        focus(&event, next);
                    }
                    None => {}
                }
            })
        };
        let onclick = Callback::from(move |_: MouseEvent| press());
        let here = reached == Some(shape.key);
        shape_view(anatomy, shape, here, onclick, onkeydown)
    });
    let none = explorer.boxes.is_empty();
    let (width, height) = (scene.width.ceil(), scene.height.ceil());
    html! {
        <>
            <p class="hint" id="drawing-hint">
                { "A shaded box opens: click it, or press Enter. By keyboard, Right opens or goes inside, Left closes or \
                   goes outside, Up, Down, Home and End move. A percentage is a box's share of the multiply-adds. The \
                   table below has all of it in words: opened, a stage shows what each layer takes." }
            </p>
            <div class="scroll drawing-scroll">
                <svg class="drawing" role="tree" aria-label={format!("Drawing of {}", anatomy.arch)}
                    aria-describedby="drawing-hint" data-testid="drawing" data-boxes={shapes.len().to_string()}
                    data-lines={scene.lines.len().to_string()} width={width.to_string()} height={height.to_string()}
                    viewBox={format!("0 0 {width} {height}")}>
                    <defs>
                        <marker id="arrow" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6"
                            orient="auto"><path class="arrow" d="M0 0L6 3L0 6z" /></marker>
                    </defs>
                    // A list of its own, in which each box keeps its element and with it the focus.
                    <g role="presentation">{ for boxes }</g>
                    <g aria-hidden="true">
                        { for scene.lines.iter().map(|d| html! {
                            <path class="edge" d={d.clone()} marker-end="url(#arrow)" />
                        }) }
                    </g>
                </svg>
            </div>
            <div class="actions">
                <button type="button" data-testid="drawing-close" disabled={none}
                    onclick={on.reform(|_: MouseEvent| Explore::Close)}>{ "Close all boxes" }</button>
            </div>
        </>
    }
}

fn shape_view(
    anatomy: &Anatomy,
    shape: &Shape,
    here: bool,
    onclick: Callback<MouseEvent>,
    onkeydown: Callback<KeyboardEvent>,
) -> Html {
    let [x, y, width, height] = shape.rect;
    let Words {
        title,
        detail,
        share,
        label,
    } = words(anatomy, shape);
    let (opens, look) = match shape.look {
        Look::Node => (None, "box node"),
        Look::Closed => (Some("false"), "box group"),
        Look::Open => (Some("true"), "box group frame"),
    };
    let at = |n: f64| format!("{n:.1}");
    let inner = width - 20.0;
    html! {
        <g key={id(shape.key)} id={id(shape.key)} class={look} role="treeitem" aria-level={(shape.depth + 1).to_string()}
            aria-expanded={opens} aria-label={label.clone()} tabindex={if here { "0" } else { "-1" }} {onclick} {onkeydown}
            data-testid={if opens.is_some() { "drawing-group" } else { "drawing-node" }}>
            <title>{ label }</title>
            <rect x={at(x)} y={at(y)} width={at(width)} height={at(height)} rx="4" />
            <text x={at(x + 10.0)} y={at(y + 17.0)}>{ title }</text>
            <text class="detail" x={at(x + 10.0)} y={at(y + 32.0)}>{ detail }</text>
            if let Some(share) = share {
                <text class="detail" x={at(x + width - 10.0)} y={at(y + 32.0)} text-anchor="end">
                    { text::percent(share) }
                </text>
                if opens.is_some() {
                    <rect class="bar-ground" x={at(x + 10.0)} y={at(y + 39.0)} width={at(inner)} height="3" />
                    <rect class="bar-value" x={at(x + 10.0)} y={at(y + 39.0)} width={at(inner * share)} height="3" />
                }
            }
        </g>
    }
}

fn id((start, end): Key) -> String {
    format!("box-{start}-{end}")
}

/// Puts the focus on another box.
fn focus(event: &KeyboardEvent, key: Key) {
    let from: HtmlElement = event.target_unchecked_into();
    let document = from.owner_document();
    if let Some(to) = document.and_then(|document| document.get_element_by_id(&id(key))) {
        // An SVG element takes the focus as one of HTML does.
        let _ = to.unchecked_into::<HtmlElement>().focus();
    }
}
