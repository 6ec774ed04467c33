//! `retune inspect`: the layer table.

use super::args::{InspectArgs, arch};
use super::out::line;
use crate::error::{Error, Result};
use crate::model::head::HeadSpec;
use crate::model::inspect::inspect;

/// Prints the table of a backbone with a head.
pub fn run(args: &InspectArgs) -> Result<()> {
    let arch = arch(&args.arch)?;
    let graph = arch.graph();
    let head = HeadSpec::of(args.head, graph.features(), args.classes);
    let table = inspect(arch, &graph, &head, args.input)?;
    if args.json {
        let text = serde_json::to_string(&table)
            .map_err(|error| Error::Storage(format!("the table as JSON: {error}")))?;
        line(text);
        return Ok(());
    }
    line(format_args!(
        "{:28} {:28} {:>16} {:>12} {:>16}",
        "layer", "kind", "output", "parameters", "multiply-adds"
    ));
    for layer in &table.layers {
        let shape: Vec<String> = layer.output.iter().map(ToString::to_string).collect();
        line(format_args!(
            "{:28} {:28} {:>16} {:>12} {:>16}",
            layer.name,
            layer.kind,
            shape.join(" x "),
            layer.parameters,
            layer.multiply_adds
        ));
    }
    line(format_args!(
        "{:74} {:>12} {:>16}",
        format!("{} on 3 x {1} x {1}", arch.name(), args.input),
        table.parameters,
        table.multiply_adds
    ));
    Ok(())
}
