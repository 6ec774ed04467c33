//! What two papers print of their networks beside what is computed here, and why they differ where they do.

use yew::prelude::*;

use crate::network::papers::{Row, Table, resnet::Stage, tables};

/// The tables, closed at first: they take every network that they name.
#[component]
pub fn Papers() -> Html {
    let open = use_state(|| false);
    let onclick = {
        let open = open.clone();
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            open.set(!*open);
        })
    };
    html! {
        <details class="papers" data-testid="papers" open={*open}>
            <summary {onclick} data-testid="papers-open">{ "As printed in the papers" }</summary>
            if *open {
                <Tables />
            }
        </details>
    }
}

#[component]
fn Tables() -> Html {
    let tables = use_memo((), |()| tables());
    html! {
        <>
            <p class="hint">
                { "What papers call FLOPs are multiply-adds. Computed are the networks of this program with a head for \
                   1000 classes, on images of the size in their own papers. ≠ marks what is off by more than the rounding \
                   of the print; why stands below the table, with what is computed that way. M is a million, B a \
                   billion." }
            </p>
            { for tables.iter().map(table) }
        </>
    }
}

fn table(table: &Table) -> Html {
    let top = |name: &str| html! { <th scope="col" class="number" rowspan="2">{ name }</th> };
    let prints = table.prints();
    let over = |name: &str, printed: bool| {
        let columns = if printed { "2" } else { "1" };
        html! { <th scope="colgroup" class="over" colspan={columns}>{ name }</th> }
    };
    let pair = |printed: bool| {
        html! {
            <>
                if printed {
                    <th scope="col" class="number">{ "printed" }</th>
                }
                <th scope="col" class="number">{ "computed" }</th>
            </>
        }
    };
    let notes = table.rows.iter().filter(|row| row.arch.is_some());
    let notes = notes.flat_map(|row| row.remarks().into_iter().map(|note| (row.name, note)));
    html! {
        <>
            <div class="scroll">
                <table data-testid="papers-table" data-rows={table.rows.len().to_string()}>
                    <caption>{ table.source }</caption>
                    <thead>
                        <tr>
                            <th scope="col" rowspan="2">{ "Network" }</th>
                            { top("Pixels") }
                            if table.prints_top1() {
                                { top("Top-1, %") }
                            }
                            { over("Parameters", prints[0]) }
                            { over("Multiply-adds", prints[1]) }
                        </tr>
                        <tr>{ for prints.into_iter().map(pair) }</tr>
                    </thead>
                    <tbody>{ for table.rows.iter().map(|line| row(table, line)) }</tbody>
                </table>
            </div>
            <ul class="hint" data-testid="papers-notes">
                { for notes.map(|(name, note)| html! { <li><strong>{ name }</strong>{ format!(": {note}") }</li> }) }
            </ul>
            if !table.stages.is_empty() {
                { stages(&table.stages, &table.rows) }
            }
        </>
    }
}

fn row(table: &Table, row: &Row) -> Html {
    let pairs = row.pairs().into_iter().zip(table.prints());
    let pairs = pairs.flat_map(|(pair, prints)| {
        let computed = match pair.computed {
            Some(computed) if pair.differs => format!("≠\u{a0}{computed}"),
            Some(computed) => computed,
            None if pair.printed.is_none() => "–".to_owned(),
            None => "printed only".to_owned(),
        };
        let printed = prints.then(|| pair.printed.unwrap_or("–").to_owned());
        printed.into_iter().chain([computed])
    });
    let edge = row.edge.map_or("–".to_owned(), |edge| edge.to_string());
    let top1 = table
        .prints_top1()
        .then(|| row.top1.map_or("–".to_owned(), |top1| format!("{top1:.1}")));
    html! {
        <tr>
            <th scope="row">{ row.name }</th>
            { for std::iter::once(edge).chain(top1).chain(pairs).map(number) }
        </tr>
    }
}

fn number(text: String) -> Html {
    html! { <td class="number">{ text }</td> }
}

/// How many blocks of what each network has, stage by stage.
fn stages(stages: &[Stage], rows: &[Row]) -> Html {
    let either = |printed: String, ours: String| match printed == ours {
        true => printed,
        false => format!("{printed} ≠ {ours}"),
    };
    let stage = |stage: &Stage| {
        let edge = either(stage.printed_edge.to_string(), stage.edge.to_string());
        let count = |count: usize| match count {
            0 => String::new(),
            _ => count.to_string(),
        };
        let blocks = stage.networks.iter();
        let counts = blocks.map(|blocks| either(count(blocks.printed_count), count(blocks.count)));
        let blocks = stage.networks.iter();
        let mut kinds: Vec<String> = blocks
            .map(|blocks| either(blocks.printed_layers.to_owned(), blocks.layers.clone()))
            .collect();
        kinds.dedup();
        html! {
            <tr>
                <th scope="row">{ stage.name }</th>
                { for std::iter::once(edge).chain(counts).map(number) }
                <td>{ kinds.join(" | ") }</td>
            </tr>
        }
    };
    html! {
        <div class="scroll">
            <table data-testid="papers-stages">
                <caption>
                    { "Blocks of each stage, and the layers of a block: before | those of the basic block of the smaller \
                       networks (18 and 34 layers), behind it those of the bottleneck of the larger ones" }
                </caption>
                <thead><tr>
                    <th scope="col">{ "Stage" }</th>
                    <th scope="col" class="number">{ "Pixels" }</th>
                    { for rows.iter().map(|row| html! { <th scope="col" class="number">{ row.name }</th> }) }
                    <th scope="col">{ "Basic block | bottleneck" }</th>
                </tr></thead>
                <tbody>{ for stages.iter().map(stage) }</tbody>
            </table>
        </div>
    }
}
