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
    line(format_args!(
        "{:20} {:>6} {:>6}  {:>10} {:>10}  {:>13} {:>10}",
        "network", "pixels", "top-1", "parameters", "computed", "multiply-adds", "computed"
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
            "{:20} {edge:>6} {:>6}  {printed:>10} {parameters:>10}  {flops:>13} {multiply_adds:>10}",
            row.name,
            top1.as_deref().unwrap_or("-")
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
    line(format_args!("{:13} {:>7} {names}   of", "stage", "pixels"));
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
