//! `retune inspect --table`: what two papers print beside what is computed.

use super::out::line;
use crate::network::papers::resnet::Stage;
use crate::network::papers::{Row, Table, tables};

/// Prints both tables.
pub fn print(json: bool) {
    for (number, table) in tables().iter().enumerate() {
        if json {
            line(serde_json::json!(table));
            continue;
        }
        if number > 0 {
            line("");
        }
        print_table(table);
    }
}

fn print_table(table: &Table) {
    line(table.source);
    if !table.stages.is_empty() {
        print_stages(&table.stages, &table.rows);
    }
    let prints = table.prints();
    let top = |text: &str| match table.prints_top1() {
        true => format!(" {text:>6}"),
        false => String::new(),
    };
    let over = |text: &str, at: usize| match prints[at] {
        true => format!("  {text:^21}"),
        false => format!("  {text:>13}"),
    };
    let pair = |printed: &str, computed: &str, at: usize| match prints[at] {
        true => format!("  {printed:>10} {computed:>10}"),
        false => format!("  {computed:>13}"),
    };
    let head = format!(
        "{:27}{}{}{}",
        "",
        top(""),
        over("parameters", 0),
        over("multiply-adds", 1)
    );
    line(head.trim_end());
    line(format_args!(
        "{:20} {:>6}{}{}{}",
        "network",
        "pixels",
        top("top-1"),
        pair("printed", "computed", 0),
        pair("printed", "computed", 1)
    ));
    for row in &table.rows {
        let edge = row.edge.map(|edge| edge.to_string()).unwrap_or_default();
        let top1 = row.top1.map(|top1| format!("{top1:.1}"));
        let [[printed, parameters], [flops, multiply_adds]] = row.pairs().map(|pair| {
            let mark = if pair.differs { "*" } else { "" };
            let computed = pair.computed.unwrap_or_else(|| "-".to_owned());
            [pair.printed.unwrap_or("-").to_owned(), computed + mark]
        });
        line(format_args!(
            "{:20} {edge:>6}{}{}{}",
            row.name,
            top(top1.as_deref().unwrap_or("-")),
            pair(&printed, &parameters, 0),
            pair(&flops, &multiply_adds, 1)
        ));
        for remark in row.remarks() {
            line(format_args!("    {remark}"));
        }
    }
    line("* off by more than the rounding of the print");
}

/// The stages: how many blocks of what each network has; printed, and ours where they differ.
fn print_stages(stages: &[Stage], rows: &[Row]) {
    let names: String = rows.iter().map(|row| format!("{:>10}", row.name)).collect();
    line(format_args!(
        "{:13} {:>7} {names}   of layers, in a basic block | in a bottleneck",
        "stage", "pixels"
    ));
    for stage in stages {
        let either = |printed: String, ours: String| {
            if printed == ours {
                printed
            } else {
                format!("{printed}:{ours}")
            }
        };
        let edge = either(stage.printed_edge.to_string(), stage.edge.to_string());
        let counts = stage.networks.iter().map(|blocks| {
            let count = |count: usize| {
                if count == 0 {
                    String::new()
                } else {
                    count.to_string()
                }
            };
            format!(
                "{:>10}",
                either(count(blocks.printed_count), count(blocks.count))
            )
        });
        let mut kinds: Vec<String> = Vec::new();
        for blocks in &stage.networks {
            let layers = either(blocks.printed_layers.to_owned(), blocks.layers.clone());
            if !layers.is_empty() && !kinds.contains(&layers) {
                kinds.push(layers);
            }
        }
        let text = format!(
            "{:13} {edge:>7} {}   {}",
            stage.name,
            counts.collect::<String>(),
            kinds.join(" | ")
        );
        line(text.trim_end());
    }
}
