//! The layers as a table, a stage at a time.

use yew::prelude::*;

use crate::ui::{
    anatomy::{Anatomy, Explore, Explorer, fold::Group, rows::Row},
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

/// A row for each stage with its sums; below those that are open, a row for each layer and for what brings several
/// together. Of the others there are none:
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
                    <th scope="col">{ "Takes" }</th>
                </tr></thead>
                { for anatomy.stages.iter().enumerate().map(|(at, stage)| body(props, at, stage)) }
                <tfoot><tr>
                    <th scope="row">{ "All" }</th>
                    <td>{ text::counted(total.layers, "layer", "layers") }</td>
                    <td></td>
                    { numbers(total.parameters, total.multiply_adds) }
                    <td></td>
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
    let rows = |wanted: bool| match wanted {
        true => anatomy.rows(stage.nodes.clone()),
        false => Vec::new(),
    };
    // The image and the pool at the end are a row by themselves.
    let alone = rows(stage.nodes.len() == 1).pop();
    let name = match alone {
        Some(_) => html! { <span class="unfolded">{ &stage.name }</span> },
        None => html! {
            <button type="button" class="quiet fold" data-testid={format!("layers-stage-{at}")}
                aria-expanded={open.to_string()} {onclick}>{ &stage.name }</button>
        },
    };
    let (kind, takes) = match alone {
        Some(row) => (row.layer.kind, row.takes),
        None => (text::counted(sums.layers, "layer", "layers"), String::new()),
    };
    html! {
        <tbody key={at}>
            <tr class="stage" data-testid="layers-stage" data-stage={stage.name.clone()}>
                <th scope="rowgroup">{ name }</th>
                <td>{ kind }</td>
                <td>{ text::shape(&anatomy.shapes[stage.nodes.end - 1]) }</td>
                { numbers(sums.parameters, sums.multiply_adds) }
                <td class="takes">{ takes }</td>
            </tr>
            { for rows(open).iter().map(row) }
        </tbody>
    }
}

fn row(row: &Row) -> Html {
    let Row {
        layer,
        takes,
        named,
    } = row;
    html! {
        <tr data-testid={if *named { "layer" } else { "joint" }}>
            <th scope="row">{ &layer.name }</th>
            <td>{ &layer.kind }</td>
            <td>{ text::shape(&layer.output) }</td>
            { numbers(layer.parameters, layer.multiply_adds) }
            <td class="takes">{ takes }</td>
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
