//! `retune inspect`: the layer table.

use serde::Serialize;
use serde_json::json;

use super::args::InspectArgs;
use super::out::line;
use super::{architectures, papers};
use crate::error::Result;
use crate::model::head::HeadSpec;
use crate::model::inspect::{Inspection, inspect};
use crate::network::inspect::Cost;
use crate::network::scaled::{Member, Scaled, short};
use crate::network::{Arch, Graph};

/// Prints the table of a backbone with a head, the list of all, or the papers' tables.
pub fn run(args: &InspectArgs) -> Result<()> {
    if args.table {
        papers::print(args.json);
        return Ok(());
    }
    let Some(name) = &args.arch else {
        return architectures::print(args.json);
    };
    let (arch, scaled) = args.network(name)?;
    let of = |graph: &Graph, size| {
        let head = HeadSpec::of(args.head, graph.features(), args.classes as usize);
        inspect(arch, graph, &head, size)
    };
    let Some(scaled) = scaled else {
        let size = args.input.unwrap_or(arch.row().size);
        let table = of(&arch.graph(), size)?;
        if args.json {
            line(json!(table));
        } else {
            print(&table, arch.name());
        }
        return Ok(());
    };
    let table = of(&scaled.graph, scaled.edge)?;
    let base = of(&arch.graph(), arch.row().size)?;
    let scaling = Scaling::new(args.phi, &scaled, &base);
    if args.json {
        line(json!(ScaledTable { scaling, table }));
    } else {
        print(&table, &scaled.name());
        scaling.print(&table);
    }
    Ok(())
}

/// The rows and their sums.
fn print(table: &Inspection, name: &str) {
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
    let [_, height, width] = table.input[..] else {
        return;
    };
    line(format_args!(
        "{:74} {:>12} {:>16}",
        format!("{name} on 3 x {height} x {width}"),
        table.parameters,
        table.multiply_adds
    ));
}

/// A scaled network as JSON.
#[derive(Serialize)]
struct ScaledTable<'a> {
    scaling: Scaling<'a>,
    #[serde(flatten)]
    table: Inspection,
}

/// What a network was scaled from, and to.
#[derive(Serialize)]
struct Scaling<'a> {
    base: Arch,
    base_edge: usize,
    base_cost: Cost,
    phi: Option<f64>,
    depth: f64,
    width: f64,
    resolution: f64,
    edge: usize,
    nearest: Option<&'a Member>,
    /// The same in words, or why there is none.
    #[serde(skip)]
    published: Option<String>,
}

impl<'a> Scaling<'a> {
    fn new(phi: Option<f64>, scaled: &'a Scaled, base: &Inspection) -> Self {
        Self {
            base: scaled.base,
            base_edge: base.input[1],
            base_cost: Cost {
                parameters: base.parameters,
                multiply_adds: base.multiply_adds,
            },
            phi,
            depth: scaled.scale.depth,
            width: scaled.scale.width,
            resolution: scaled.scale.resolution,
            edge: scaled.edge,
            nearest: scaled.nearest(),
            published: scaled.published(),
        }
    }

    /// The lines below the table, which is long.
    fn print(&self, table: &Inspection) {
        line("");
        let phi = self.phi.map(|phi| format!("phi {}: ", short(phi)));
        line(format_args!(
            "{}depth d = {}, width w = {}, resolution r = {}: images of {} x {4} pixels",
            phi.unwrap_or_default(),
            short(self.depth),
            short(self.width),
            short(self.resolution),
            self.edge
        ));
        let base = self.base_cost;
        let over = |ours: u64, base: u64| short(ours as f64 / base as f64);
        line(format_args!(
            "parameters    {} = {} times those of {} ({})",
            table.parameters,
            over(table.parameters, base.parameters),
            self.base,
            base.parameters
        ));
        line(format_args!(
            "multiply-adds {} = {} times those of {} on 3 x {4} x {4} ({3})",
            table.multiply_adds,
            over(table.multiply_adds, base.multiply_adds),
            self.base,
            base.multiply_adds,
            self.base_edge
        ));
        line(format_args!(
            "by the formula d w^2 r^2 = {} times; the layers, channels and pixels are whole numbers",
            short(self.depth * self.width.powi(2) * self.resolution.powi(2))
        ));
        if let Some(published) = &self.published {
            line(format_args!("nearest published: {published}"));
        }
    }
}
