//! `retune train`, and the one training that `retune experiment` has done several times: with what it is told, it is
//! trained, measured and written.

use std::path::{Path, PathBuf};

use super::args::TrainArgs;
use super::failure::{Failure, Result};
use super::files::{make_folder, write};
use super::out::line;
use super::output::Output;
use super::session::Session;
use super::train_args::{Plan, Start};
use super::training_report::{FILE, TrainingReport};
use super::{HUB, RANDOM, report};
use crate::config::TrainConfig;
use crate::protocol::{Command, ExportKind};

/// What a training left, beside its files.
pub struct Trained {
    /// As it was written.
    pub report: TrainingReport,
    /// Why its test images could not be measured, if they could not.
    pub unmeasured: Option<Failure>,
}

/// Does what the command line says.
pub async fn run(args: &TrainArgs) -> Result<bool> {
    let plan = args.plan()?;
    let asked = args.labels.asked(plan.dataset.path())?;
    // Told before an hour of training, not after it.
    make_folder(&args.out)?;
    let model = model_file(&args.out);
    if model.exists() {
        eprintln!("{}: is replaced at the end", model.display());
    }
    let mut session = Session::start(&plan.common, Output::quiet()).await?;
    session.keep_trainings_in(&checkpoint_dir(&args.out)).await;
    load_weights(&mut session, &plan).await?;
    session.open(&plan.dataset, asked).await?;
    let Trained { report, unmeasured } = train(&mut session, args, &plan).await?;
    if args.json {
        line(serde_json::json!(report));
    } else {
        report::print_training(&session.output(), &args.out);
    }
    Ok(session.output().failed == 0 && unmeasured.is_none())
}

/// Where a training in that folder is kept while it is not over.
pub fn checkpoint_dir(out: &Path) -> PathBuf {
    out.join("checkpoint")
}

/// Where its model is written at the end.
pub fn model_file(out: &Path) -> PathBuf {
    out.join("model.safetensors")
}

/// Puts the model in use that a training begins from, as far as it is said.
pub async fn load_weights(session: &mut Session, plan: &Plan) -> Result<()> {
    let arch = plan.arch.unwrap_or_default();
    let command = match (plan.start, plan.weights.as_deref()) {
        (Start::Bundled(model), _) => return session.use_bundled(model, plan.common.input()).await,
        (_, None) => return Ok(()),
        (_, Some(HUB)) => Command::Download { arch },
        (_, Some(RANDOM)) => {
            let seed = plan.config.seed;
            Command::RandomInit { arch, seed }
        }
        (_, Some(path)) => {
            let input = plan.common.input();
            return if plan.config.resume_head {
                session.import(path, plan.arch, None, input).await
            } else {
                session.import_to_train(path, plan.arch, input).await
            };
        }
    };
    session.handle(command, Vec::new()).await
}

/// Trains from the model in use on the data set in use, measures, writes model and report. What the folder of trainings
/// holds is gone on with where that is asked for.
pub async fn train(session: &mut Session, args: &TrainArgs, plan: &Plan) -> Result<Trained> {
    if let Some(teacher) = &plan.teacher {
        session.teach(&teacher.to_string_lossy()).await?;
    }
    begin_or_go_on(session, args, plan).await?;
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
    write(&model_file(&args.out), &output.exported)?;
    let report = TrainingReport::of(plan, &output);
    write(&args.out.join(FILE), report.to_json()?.as_bytes())?;
    // Empty by now.
    let _ = std::fs::remove_dir(checkpoint_dir(&args.out));
    if let Some(failure) = &unmeasured {
        eprintln!(
            "retune: the model is written; its test images could not be measured: {}",
            failure.text
        );
    }
    Ok(Trained { report, unmeasured })
}

async fn begin_or_go_on(session: &mut Session, args: &TrainArgs, plan: &Plan) -> Result<()> {
    let announced = |config: &TrainConfig| (!args.json).then(|| config.clone());
    let interrupted = session.output().interrupted.clone();
    if let Some(run) = interrupted.filter(|_| args.resume) {
        let done = run.epochs.len();
        session.output().go_on(&run);
        session.output().announce = announced(&run.config);
        eprintln!("going on after epoch {done} of {}", run.config.epochs);
        let mut unused = plan.unused_on_resume(&run.config);
        if plan.is_of_another_backbone(run.arch) {
            unused.push(format!("--weights {}", plan.weights_word()));
        }
        if !unused.is_empty() {
            eprintln!(
                "a training goes on with the settings that it began with; not used: {}",
                unused.join(", ")
            );
        }
        return session.handle(Command::Continue, Vec::new()).await;
    }
    if args.resume {
        eprintln!(
            "{}: holds no training to go on with; this one begins anew",
            args.out.display()
        );
    }
    session.output().gone_on = false;
    let mut config = plan.config.clone();
    args.check_teacher(plan.teacher.as_deref(), &mut config)?;
    session.output().announce = announced(&config);
    let start = plan.start.of_training().of(&config);
    if let Some(instead) = session.instead(start) {
        eprintln!(
            "begins from the {} (--weights {}), as the classes are not the six scenes; --weights scenes for the \
             backbone that has seen those",
            instead.label(),
            instead.name()
        );
        session.use_bundled(instead, plan.common.input()).await?;
    }
    let train = Command::Train {
        config,
        seeds: plan.seeds,
        start,
    };
    session.handle(train, Vec::new()).await
}
