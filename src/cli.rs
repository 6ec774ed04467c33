//! The command line: the same engine as the page's worker, driven by the same commands.
//!
//! Exit codes: 0 all good, 1 some input failed, 2 the command line was wrong.

mod args;
mod compare;
mod failure;
mod inspect;
mod label_args;
mod out;
mod output;
mod report;
mod session;
mod setting_flags;
mod train_args;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::error::Error;
use crate::platform::files::{InputFile, Listing, list_folder};
use crate::protocol::{Command, DatasetSource, ExportKind, FileRef};
use args::{Cli, Task, TrainArgs};
use failure::Result;
use out::line;
use output::Output;
use session::Session;

/// Word for `--weights` that stands for the hub's ImageNet weights.
const HUB: &str = "imagenet";

/// The word for fresh weights.
const RANDOM: &str = "random";

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match pollster::block_on(run(cli.task)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("retune: {}", failure.text);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Runs one task; false if some of the input failed.
async fn run(task: Task) -> Result<bool> {
    match task {
        Task::Classify { common, images } => {
            let mut session = Session::start(&common, Output::classify(common.json)).await?;
            for path in &images {
                match InputFile::open(path) {
                    Ok(file) => session.classify(path, file).await?,
                    Err(error) => session.output().file_error(path, &error.reason()),
                }
            }
            Ok(session.output().failed == 0)
        }
        Task::Train(args) => train(*args).await,
        Task::Evaluate { common, data } => {
            let asked = data.labels.asked(&data.dataset)?;
            let mut session = Session::start(&common, Output::quiet()).await?;
            session.open(&data.dataset, asked).await?;
            let report = session.evaluate().await?;
            report::print_evaluation(&report, common.json);
            Ok(session.output().failed == 0)
        }
        Task::Compare(args) => Ok(compare::run(&args).map(|()| true)?),
        Task::Inspect(args) => Ok(inspect::run(&args).map(|()| true)?),
    }
}

/// Trains, evaluates, writes model and report.
async fn train(args: TrainArgs) -> Result<bool> {
    let mut plan = args.plan()?;
    let asked = args.labels.asked(&plan.dataset)?;
    // Told before an hour of training, not after it.
    std::fs::create_dir_all(&args.out)
        .map_err(|error| Error::Storage(format!("{}: {error}", args.out.display())))?;
    let kept = args.out.join("checkpoint");
    let keeping = Some(kept.to_string_lossy().into_owned());
    let mut session = Session::with_checkpoint_dir(&plan.common, Output::quiet(), keeping).await?;
    match plan.weights.as_deref() {
        Some(HUB) => {
            let arch = plan.arch.unwrap_or_default();
            session
                .handle(Command::Download { arch }, Vec::new())
                .await?;
        }
        Some(RANDOM) => {
            let (arch, seed) = (plan.arch.unwrap_or_default(), plan.config.seed);
            session
                .handle(Command::RandomInit { arch, seed }, Vec::new())
                .await?;
        }
        Some(path) => {
            let input = plan.common.input();
            session.import(path, plan.arch, None, input).await?;
        }
        // The plan has seen to it that the bundled backbone is meant.
        None => {}
    }
    session.open(&plan.dataset, asked).await?;
    if let Some(teacher) = &plan.teacher {
        session.teach(&teacher.to_string_lossy()).await?;
    }
    let interrupted = session.output().interrupted.clone();
    let config = match interrupted.filter(|_| args.resume) {
        Some(run) => {
            let done = run.epochs.len();
            session.output().go_on(&run);
            eprintln!("going on after epoch {done} of {}", run.config.epochs);
            session.handle(Command::Continue, Vec::new()).await?;
            run.config
        }
        None => {
            args.check_teacher(plan.teacher.as_deref(), &mut plan.config)?;
            let (config, seeds) = (plan.config.clone(), plan.seeds);
            session
                .handle(Command::Train { config, seeds }, Vec::new())
                .await?;
            plan.config
        }
    };
    // Hours of training are not lost for a test set that cannot be measured.
    let unmeasured = match session.has_test_images() {
        true => session.evaluate().await.err(),
        false => None,
    };
    let what = if args.half {
        ExportKind::HalfModel
    } else {
        ExportKind::Model
    };
    session.handle(Command::Export { what }, Vec::new()).await?;
    let output = session.output();
    let model = args.out.join("model.safetensors");
    write(&model, &output.exported)?;
    let report = report::training(&config, &output);
    let text = serde_json::to_string_pretty(&report)
        .map_err(|error| Error::Storage(format!("report.json: {error}")))?;
    write(&args.out.join("report.json"), text.as_bytes())?;
    // Empty by now.
    let _ = std::fs::remove_dir(&kept);
    if args.json {
        line(&report);
    } else {
        report::print_training(&output, &args.out);
    }
    if let Some(failure) = &unmeasured {
        eprintln!(
            "retune: the model is written; its test images could not be measured: {}",
            failure.text
        );
    }
    Ok(output.failed == 0 && unmeasured.is_none())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = std::fs::write(path, bytes);
    Ok(written.map_err(|error| Error::Storage(format!("{}: {error}", path.display())))?)
}

/// The handles of a data set on disk, and how the engine is told of it.
fn dataset(path: &Path) -> Result<(DatasetSource, Vec<InputFile>)> {
    if !path.is_dir() {
        let file = InputFile::open(path)?;
        let named = FileRef {
            path: file.name().to_string(),
            slot: 0,
        };
        return Ok((DatasetSource::Archive { file: named }, vec![file]));
    }
    let (mut named, mut handles) = (Vec::new(), Vec::new());
    let Listing {
        files,
        refused,
        empty_folders,
    } = list_folder(path)?;
    for (slot, (path, file)) in files.into_iter().enumerate() {
        named.push(FileRef {
            path,
            slot: slot as u32,
        });
        handles.push(file);
    }
    let source = DatasetSource::Folder {
        files: named,
        unread: refused,
        empty: empty_folders,
    };
    Ok((source, handles))
}
