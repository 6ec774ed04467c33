//! The command line: the same engine as the page's worker, driven by the same commands.
//!
//! Exit codes: 0 all good, 1 some input failed, 2 the command line was wrong.

mod architectures;
mod args;
mod compare;
mod experiment;
mod export;
mod failure;
mod files;
mod inspect;
mod inspect_args;
mod label_args;
mod out;
mod output;
mod papers;
mod report;
mod session;
mod setting_flags;
mod train;
mod train_args;
mod training_report;

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::data::layout::not_an_image;
use crate::error::Error;
use crate::image::kind::Kind;
use crate::platform::files::{InputFile, Listing, list_folder};
use crate::protocol::{DatasetSource, FileRef, Skipped};
use args::{Cli, Task};
use failure::Result;
use output::Output;
use session::Session;
use train_args::Images;

/// Word for `--weights` that stands for the hub's ImageNet weights.
const HUB: &str = "imagenet";

/// Bytes by which a file is known for an image.
const KIND_HEAD: u64 = 1 << 12;

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
                if path.is_dir() {
                    classify_folder(&mut session, path).await?;
                    continue;
                }
                match InputFile::open(path) {
                    Ok(file) => session.classify(path, file).await?,
                    Err(error) => {
                        let reason = error.reason_of(&path.to_string_lossy());
                        session.output().file_error(path, &reason);
                    }
                }
            }
            Ok(session.output().failed == 0)
        }
        Task::Train(args) => train::run(&args).await,
        Task::Experiment(args) => experiment::run(&args).await,
        Task::Evaluate { common, data } => {
            let asked = data.labels.asked(&data.dataset)?;
            let mut session = Session::start(&common, Output::quiet()).await?;
            session.open(&Images::At(data.dataset), asked).await?;
            let report = session.evaluate().await?;
            report::print_evaluation(&report, common.json);
            Ok(session.output().failed == 0)
        }
        Task::Compare(args) => Ok(compare::run(&args).map(|()| true)?),
        Task::Export(args) => export::run(&args).await.map(|()| true),
        Task::Inspect(args) => Ok(inspect::run(&args).map(|()| true)?),
    }
}

/// Classifies every image below a folder, in the order of their paths; what is no image is counted.
async fn classify_folder(session: &mut Session, folder: &Path) -> Result<()> {
    let listing = match list_folder(folder) {
        Ok(listing) => listing,
        Err(error) => {
            let reason = error.reason_of(&folder.to_string_lossy());
            session.output().file_error(folder, &reason);
            return Ok(());
        }
    };
    // Listed paths begin with the folder's own name; a user knows the one that was typed.
    let typed = |listed: &str| match listed.split_once('/') {
        Some((_, rest)) => folder.join(rest),
        None => folder.to_path_buf(),
    };
    for Skipped {
        file,
        reason,
        failed,
    } in &listing.refused
    {
        if *failed {
            session.output().file_error(&typed(file), reason);
        }
    }
    let (mut images, mut others) = (0, 0);
    for (listed, file) in listing.files {
        let path = typed(&listed);
        // A name that says text or a program is believed.
        if not_an_image(&listed).is_some() {
            others += 1;
            continue;
        }
        let mut head = Vec::new();
        let read = file.reader().and_then(|reader| {
            let read = reader.take(KIND_HEAD).read_to_end(&mut head);
            read.map_err(|error| Error::Storage(format!("cannot be read ({error})")))
        });
        match read {
            Err(error) => session.output().file_error(&path, &error.reason()),
            // A name that says an image is a reason to say why it is none.
            Ok(_)
                if ![Kind::of_bytes(&head), Kind::of_name(&listed)]
                    .iter()
                    .any(|kind| kind.is_picture()) =>
            {
                others += 1;
            }
            Ok(_) => {
                images += 1;
                session.classify(&path, file).await?;
            }
        }
    }
    if images == 0 {
        let reason = "is a folder without an image in it";
        session.output().file_error(folder, reason);
    } else if others > 0 {
        eprintln!(
            "{}: {others} {} that {} no image passed over",
            folder.display(),
            if others == 1 { "file" } else { "files" },
            if others == 1 { "is" } else { "are" },
        );
    }
    Ok(())
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
