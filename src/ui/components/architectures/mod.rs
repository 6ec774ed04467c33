//! Any architecture to look at: its facts, its layers, its drawing, and what scaling makes of it. Nothing is built
//! before it is opened, so the page paints as fast without it.

mod drawing;
mod layers;
mod papers;
mod scaling;

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use self::{drawing::Drawing, layers::Layers, papers::Papers, scaling::Scaling};
use crate::{
    config::Arch,
    network::inspect::Cost,
    ui::{
        anatomy::{Anatomy, Explore, Explorer},
        controller::Intent,
        shared::Shared,
        state::Action,
        text,
    },
};

/// What is shown.
#[derive(PartialEq, Properties)]
pub struct ArchitecturesProps {
    /// What is chosen and opened.
    pub explorer: Shared<Explorer>,
    /// The one in use.
    pub arch: Arch,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The part of the section.
#[component]
pub fn Architectures(props: &ArchitecturesProps) -> Html {
    let explorer = &props.explorer;
    let on = props
        .on
        .reform(|change| Intent::Act(Action::Explore(change)));
    let onclick = {
        let on = on.clone();
        Callback::from(move |event: MouseEvent| {
            // The state says whether it is open, not the browser.
            event.prevent_default();
            on.emit(Explore::Open);
        })
    };
    let arch = explorer.arch.unwrap_or(props.arch);
    html! {
        <details class="more architectures" data-testid="architectures" open={explorer.open}>
            <summary {onclick} data-testid="architectures-open">{ "Architectures: layers, drawings, scaling" }</summary>
            if explorer.open {
                <Look explorer={explorer.clone()} {arch} on={on.clone()} />
                <Scaling explorer={explorer.clone()} {on} />
                <Papers />
            }
        </details>
    }
}

#[derive(PartialEq, Properties)]
struct LookProps {
    explorer: Shared<Explorer>,
    arch: Arch,
    on: Callback<Explore>,
}

/// One of them.
#[component]
fn Look(props: &LookProps) -> Html {
    let LookProps { explorer, arch, on } = props;
    let arch = *arch;
    let edge = explorer.edge(arch);
    let anatomy = use_memo((arch, edge.clone()), |(arch, edge)| match edge {
        Ok(edge) => Anatomy::of(*arch, *edge).map(Shared::new),
        Err(why) => Err(why.clone()),
    });
    let choose = on.reform(|event: Event| {
        let name = event.target_unchecked_into::<HtmlSelectElement>().value();
        Explore::Arch(Arch::from_name(&name).unwrap_or_default())
    });
    let oninput = on.reform(|event: InputEvent| {
        Explore::Size(event.target_unchecked_into::<HtmlInputElement>().value())
    });
    let size = explorer.size.clone();
    let size = size.unwrap_or_else(|| arch.row().size.to_string());
    let problem = anatomy.as_ref().as_ref().err();
    let families = Arch::ALL.chunk_by(|a, b| a.family() == b.family());
    html! {
        <>
            <div class="settings">
                <div class="field">
                    <label for="architecture">{ "Architecture" }</label>
                    <select id="architecture" data-testid="architecture" onchange={choose}>
                        { for families.map(|family| html! {
                            <optgroup label={family[0].family()}>
                                { for family.iter().map(|a| html! {
                                    <option value={a.name()} selected={*a == arch}>{ a.name() }</option>
                                }) }
                            </optgroup>
                        }) }
                    </select>
                </div>
                <div class="field">
                    <label for="architecture-edge">{ "Edge in pixels" }</label>
                    <input type="text" inputmode="numeric" autocomplete="off" id="architecture-edge"
                        data-testid="architecture-edge" value={size} {oninput}
                        aria-invalid={problem.is_some().to_string()} aria-describedby="architecture-edge-hint" />
                    <p id="architecture-edge-hint" class={classes!("hint", problem.is_some().then_some("problem"))}>
                        if let Some(problem) = problem {
                            { problem }
                        } else {
                            { format!("Usual: {}", arch.row().size) }
                        }
                    </p>
                </div>
            </div>
            if let Ok(anatomy) = &*anatomy {
                { facts(anatomy) }
                <h3>{ "Drawing" }</h3>
                <Drawing anatomy={anatomy.clone()} explorer={explorer.clone()} on={on.clone()} />
                <h3 id="layers-title">{ "Layers" }</h3>
                <Layers anatomy={anatomy.clone()} explorer={explorer.clone()} on={on.clone()} />
            }
        </>
    }
}

fn facts(anatomy: &Anatomy) -> Html {
    let row = anatomy.arch.row();
    let sums = &anatomy.sums;
    let features = anatomy.graph.features();
    let fact = |name: &str, value: String| html! { <div><dt>{ name }</dt><dd>{ value }</dd></div> };
    let head = Cost::head(features);
    let with_head = |n: u64, head: u64| {
        format!(
            "{}; with a head of 1000 classes {}",
            text::count(n),
            text::count(n + head)
        )
    };
    html! {
        <dl class="facts" data-testid="architecture-facts" data-arch={row.name}
            data-layers={sums.layers.to_string()} data-products={sums.products.to_string()}
            data-parameters={sums.parameters.to_string()} data-multiply-adds={sums.multiply_adds.to_string()}>
            { fact("Family", row.family.to_owned()) }
            { fact("Features", text::count(features as u64)) }
            { fact("Layers", text::layers(sums)) }
            { fact("Parameters", with_head(sums.parameters, head.parameters)) }
            { fact("Multiply-adds for an image", with_head(sums.multiply_adds, head.multiply_adds)) }
            { fact("ImageNet weights", text::weights(row.weights.as_ref())) }
        </dl>
    }
}
