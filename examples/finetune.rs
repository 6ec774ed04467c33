//! Trains a head for a data set, measures it on the test images and writes the model, as page and command line
//! do: by commands to the engine, which answers with events.
//! `cargo run --release --example finetune [OUT.safetensors]`

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use retune::config::{DemoConfig, DeviceChoice, HeadKind, StartFrom};
use retune::protocol::{DatasetSource, ExportKind, Labels, TrainEvent};
use retune::{Command, Engine, Error, Event, Result, TrainConfig};

fn main() -> Result<()> {
    let out = std::env::args_os().nth(1).map(PathBuf::from);
    let out = out.unwrap_or_else(|| std::env::temp_dir().join("finetuned.safetensors"));
    let model = pollster::block_on(train())?;
    println!("{} bytes to {}", model.len(), out.display());
    let unwritten = |error| Error::Storage(format!("{}: {error}", out.display()));
    std::fs::write(&out, model).map_err(unwritten)
}

/// The bytes of the trained model.
async fn train() -> Result<Vec<u8>> {
    let exported = Rc::new(RefCell::new(Vec::new()));
    let file = exported.clone();
    let mut engine = Engine::direct(move |message, blobs| match message.body {
        Event::Device { name, .. } => println!("runs on {name}"),
        Event::Dataset { summary } => println!("{} classes", summary.classes.len()),
        Event::Training(TrainEvent::Epoch { report }) => println!(
            "epoch {}: loss {:.3}, validation accuracy {:.1} %",
            report.epoch,
            report.train_loss,
            report.val_accuracy * 100.0
        ),
        Event::Evaluated { report } => {
            println!("test accuracy {:.1} %", report.accuracy.value * 100.0);
        }
        Event::Exported { .. } => *file.borrow_mut() = blobs.concat(),
        Event::Warning { text } => println!("{text}"),
        _ => {}
    });
    // A folder of images is `DatasetSource::Folder`, with its files beside the command.
    let config = DemoConfig {
        per_class: 12,
        ..DemoConfig::default()
    };
    let commands = [
        Command::Start {
            device: DeviceChoice::Cpu,
            hub: None,
            transparency: None,
        },
        Command::OpenDataset {
            source: DatasetSource::Demo { config },
            beside: Vec::new(),
            labels: Labels::Auto,
        },
        Command::Train {
            config: TrainConfig {
                head: HeadKind::Mlp1,
                epochs: 5,
                ..TrainConfig::default()
            },
            seeds: 1,
            start: StartFrom::Auto,
        },
        Command::Evaluate,
        Command::Export {
            what: ExportKind::Model,
        },
    ];
    for command in commands {
        engine.ask(command, Vec::new()).await?;
    }
    Ok(exported.take())
}
