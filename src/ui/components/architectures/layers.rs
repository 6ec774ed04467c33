//! The layers as a table, a stage at a time.

use yew::prelude::*;

use crate::network::inspect::{Layer, kind};
use crate::ui::{
    anatomy::{Anatomy, Explore, Explorer, fold::Group},
    shared::Shared,
    text,
};

/// The table.
#[derive(PartialEq, Properties)]
pub struct LayersProps {
    /// The network.
    pub anatomy: Shared<Anatomy>,
    /// Which stages are open.
    pub explorer: Shared<Explorer>,
    /// Told what the user opens.
    pub on: Callback<Explore>,
}

/// A row for each stage with its sums; below those that are open, a row for each layer. Of the others there are none:
/// some networks have thousands.
#[component]
pub fn Layers(props: &LayersProps) -> Html {
    let anatomy = &props.anatomy;
    let total = &anatomy.sums;
    html! {
        <div class="scroll">
            <table class="layers" aria-labelledby="layers-title" data-testid="layers">
                <thead><tr>
                    <th scope="col">{ "Name" }</th>
                    <th scope="col">{ "Kind" }</th>
                    <th scope="col">{ "Output, C × H × W" }</th>
                    <th scope="col" class="number">{ "Parameters" }</th>
                    <th scope="col" class="number">{ "Multiply-adds" }</th>
                </tr></thead>
                { for anatomy.stages.iter().enumerate().map(|(at, stage)| body(props, at, stage)) }
                <tfoot><tr>
                    <th scope="row">{ "All" }</th>
                    <td>{ text::counted(total.layers, "layer", "layers") }</td>
                    <td></td>
                    { numbers(total.parameters, total.multiply_adds) }
                </tr></tfoot>
            </table>
        </div>
    }
}

fn body(props: &LayersProps, at: usize, stage: &Group) -> Html {
    let anatomy = &props.anatomy;
    let open = props.explorer.stages.contains(&at);
    let onclick = props.on.reform(move |_: MouseEvent| Explore::Stage(at));
    let sums = anatomy.sum(stage.nodes.clone());
    let rows = if open {
        anatomy.rows(stage.nodes.clone())
    } else {
        &[]
    };
    let alone = (stage.nodes.len() == 1).then(|| kind(&anatomy.graph.nodes[stage.nodes.start].op));
    html! {
        <tbody key={at}>
            <tr class="stage" data-testid="layers-stage" data-stage={stage.name.clone()}>
                <th scope="rowgroup">
                    if alone.is_some() {
                        <span class="unfolded">{ &stage.name }</span>
                    } else {
                    <button type="button" class="quiet fold" data-testid={format!("layers-stage-{at}")}
                        aria-expanded={open.to_string()} {onclick}>{ &stage.name }</button>
                    }
                </th>
                <td>{ alone.unwrap_or_else(|| text::counted(sums.layers, "layer", "layers")) }</td>
                <td>{ text::shape(&anatomy.shapes[stage.nodes.end - 1]) }</td>
                { numbers(sums.parameters, sums.multiply_adds) }
            </tr>
            { for rows.iter().map(row) }
        </tbody>
    }
}

fn row(layer: &Layer) -> Html {
    html! {
        <tr data-testid="layer">
            <th scope="row">{ &layer.name }</th>
            <td>{ &layer.kind }</td>
            <td>{ text::shape(&layer.output) }</td>
            { numbers(layer.parameters, layer.multiply_adds) }
        </tr>
    }
}

fn numbers(parameters: u64, multiply_adds: u64) -> Html {
    html! {
        <>
            <td class="number">{ text::count(parameters) }</td>
            <td class="number">{ text::count(multiply_adds) }</td>
        </>
    }
}
