//! `retune experiment`: every run file of a folder trained in one session, and a table of what came of them.
//!
//! One session, so that the data set is opened once and the features of a frozen backbone are computed once for all
//! heads that are trained on it. What is finished stands in its folder; a second call goes on with the rest, and refuses
//! to put results of other settings into the table.

mod chart;
mod differences;
mod html;
mod markdown;
mod order;
mod row;

use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{Common, Device, TrainArgs};
use super::failure::{Failure, Result};
use super::files::{make_folder, write};
use super::label_args::LabelArgs;
use super::out::line;
use super::output::Output;
use super::session::Session;
use super::setting_flags::SettingFlags;
use super::train::{self, Trained};
use super::train_args::{Images, Plan, Start};
use super::training_report::{FILE, TrainingReport};
use crate::config::{BundledModel, Scope};
use crate::error::{Error, ErrorKind};
use crate::protocol::Command;
use order::Weights;
use row::Row;

/// Flags of `experiment`.
#[derive(Args)]
pub struct ExperimentArgs {
    /// A folder of run files (*.toml, as for `train --config`); each is an experiment of the file's name.
    pub folder: PathBuf,
    /// A folder, zip or tar for all of them; without it, each run file's own data set.
    pub dataset: Option<PathBuf>,
    /// The demo set for all of them: scenes that are drawn, to try things out.
    #[arg(long, conflicts_with = "dataset")]
    pub demo: bool,
    #[command(flatten)]
    pub labels: LabelArgs,
    /// Folder for the table, report.md and report.html, and a folder NAME for each experiment with its
    /// model.safetensors and report.json. What is finished there is not trained again.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Only the experiment of that name; may be given several times. The table has the others as far as they are
    /// finished.
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Passes over the training images, whatever the run files say: to try them out.
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Write the models' weights as 16 bits.
    #[arg(long)]
    pub half: bool,
    /// What runs them; auto takes a real GPU if there is one.
    #[arg(long)]
    pub device: Option<Device>,
}

/// A run file, and what came of it.
struct Experiment {
    /// The run file's name without its ending.
    name: String,
    file: PathBuf,
    /// What `train` would be told.
    args: TrainArgs,
    plan: Plan,
    state: State,
}

/// How far an experiment is.
enum State {
    /// It has not run.
    Open,
    /// It has, and what it left is in its folder.
    Done(Box<TrainingReport>),
    /// It ended with this error.
    Failed(String),
}

/// Runs the experiments of a folder; false if one failed, or an image.
pub async fn run(args: &ExperimentArgs) -> Result<bool> {
    let mut experiments = read(args)?;
    let chosen = chosen(&experiments, args)?;
    let device = device(&experiments)?;
    make_folder(&args.out)?;
    let common = Common {
        device,
        ..experiments[0].plan.common.clone()
    };
    let mut runner = Runner {
        session: Session::start(&common, Output::quiet()).await?,
        labels: args.labels.clone(),
        images: None,
        weights: None,
    };
    // One for all is opened before anything else is looked at: without it nothing can be.
    if args.dataset.is_some() || args.demo {
        runner.open(&experiments[0].plan.dataset).await?;
    }
    let plans: Vec<&Plan> = experiments.iter().map(|e| &e.plan).collect();
    let order = order::order(&plans);
    // Hours of training are not begun for a table that cannot be written.
    for &at in &order {
        runner.look(&mut experiments[at]).await?;
    }
    write_tables(&experiments, args)?;
    let mut good = true;
    for at in order.into_iter().filter(|at| chosen[*at]) {
        let name = experiments[at].name.clone();
        match &experiments[at].state {
            State::Done(_) => {
                eprintln!("{name}: passed over, its report has the same settings");
                continue;
            }
            State::Failed(text) => {
                eprintln!("{name}: {text}");
                continue;
            }
            State::Open => eprintln!("experiment {name}"),
        }
        let trained = runner.train(&experiments[at]).await;
        let lost = matches!(&trained, Err(failure) if failure.kind == ErrorKind::Gpu);
        experiments[at].state = match trained {
            Ok(Trained { report, .. }) => {
                good &= runner.session.output().failed == 0;
                State::Done(Box::new(report))
            }
            Err(Failure { text, .. }) => {
                eprintln!("{name}: {text}");
                State::Failed(text)
            }
        };
        write_tables(&experiments, args)?;
        // The others would fail as well; given again, the command goes on where it was.
        if lost {
            break;
        }
    }
    for experiment in &experiments {
        line(row::summary(experiment));
    }
    line(format_args!(
        "wrote {0}/report.md and {0}/report.html",
        args.out.display()
    ));
    Ok(good && experiments.iter().all(Experiment::is_good))
}

impl Experiment {
    /// Whether nothing of it failed, as far as it has run.
    fn is_good(&self) -> bool {
        match &self.state {
            State::Open => true,
            State::Done(report) => report.test.is_some() || !report.has_test_images(),
            State::Failed(_) => false,
        }
    }
}

/// The experiments of a folder, by name.
fn read(args: &ExperimentArgs) -> Result<Vec<Experiment>> {
    let shown = args.folder.display();
    let cannot = |error| Error::Storage(format!("{shown}: {error}"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&args.folder).map_err(cannot)? {
        let file = entry.map_err(cannot)?.path();
        let hidden = file
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if file.extension().is_some_and(|end| end == "toml") && file.is_file() && !hidden {
            files.push(file);
        }
    }
    if files.is_empty() {
        let reason = "holds no run file (*.toml)".to_string();
        return Err(Error::setting(shown.to_string(), reason).into());
    }
    files.sort();
    files
        .into_iter()
        .map(|file| experiment(args, file))
        .collect()
}

fn experiment(args: &ExperimentArgs, file: PathBuf) -> Result<Experiment> {
    let stem = file.file_stem().unwrap_or_default();
    let name = stem.to_string_lossy().into_owned();
    let epochs = args
        .epochs
        .map(|epochs| SettingFlags::of("epochs", epochs.to_string()));
    let train = TrainArgs {
        dataset: args.dataset.clone(),
        demo: args.demo,
        config: Some(file.clone()),
        settings: epochs.unwrap_or_default(),
        out: args.out.join(stem),
        half: args.half,
        device: args.device,
        ..TrainArgs::default()
    };
    let named = |error: Error| match error {
        Error::Setting { name, reason } => {
            let path = file.display().to_string();
            let reason = if name == path {
                reason
            } else {
                format!("{name}: {reason}")
            };
            Error::setting(path, reason)
        }
        error => error,
    };
    let plan = train.plan().map_err(named)?;
    Ok(Experiment {
        name,
        file,
        args: train,
        plan,
        state: State::Open,
    })
}

/// Which of them are to run.
fn chosen(experiments: &[Experiment], args: &ExperimentArgs) -> Result<Vec<bool>> {
    let names: Vec<&str> = experiments.iter().map(|e| e.name.as_str()).collect();
    if let Some(unknown) = args
        .only
        .iter()
        .find(|only| !names.contains(&only.as_str()))
    {
        let reason = format!("{unknown} is none of {}", names.join(", "));
        return Err(Error::setting("--only", reason).into());
    }
    let is_chosen = |name: &&str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    Ok(names.iter().map(is_chosen).collect())
}

/// The device of all of them: one [`Session`] runs them, and has one.
fn device(experiments: &[Experiment]) -> Result<Device> {
    let mut devices = experiments.iter().map(|e| e.plan.common.device);
    let first = devices.next().unwrap_or_default();
    if devices.all(|device| device == first) {
        return Ok(first);
    }
    let reason = "the run files name several; one has to run all of them";
    Err(Error::setting("--device", reason).into())
}

/// The session, and what is in use in it.
struct Runner {
    session: Session,
    labels: LabelArgs,
    /// The data set in use.
    images: Option<Images>,
    /// What the backbone in use came from; none if it may be another by now.
    weights: Option<Weights>,
}

impl Runner {
    /// Opens a data set, if it is not in use.
    async fn open(&mut self, images: &Images) -> Result<()> {
        if self.images.as_ref() != Some(images) {
            self.images = None;
            // Which weights are begun from unasked depends on the classes.
            self.weights = None;
            let asked = self.labels.asked(images.path())?;
            self.session.open(images, asked).await?;
            self.images = Some(images.clone());
        }
        Ok(())
    }

    /// Looks at what an experiment's folder holds: a report, a training that was interrupted, or nothing.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the file there, and the settings in which it differs from the run file.
    async fn look(&mut self, experiment: &mut Experiment) -> Result<()> {
        let Experiment {
            file, args, plan, ..
        } = &experiment;
        let report = args.out.join(FILE);
        let kept = train::checkpoint_dir(&args.out);
        let finished = report.exists() && train::model_file(&args.out).exists();
        if !finished && !kept.exists() {
            return Ok(());
        }
        if let Err(failure) = self.open(&plan.dataset).await {
            experiment.state = State::Failed(failure.text);
            return Ok(());
        }
        let summary = self.session.summary();
        self.session.keep_trainings_in(&kept).await;
        let interrupted = self.session.output().interrupted.clone();
        let refuse = |there: &Path, differences: Vec<String>| match differences.as_slice() {
            [] => Ok(()),
            _ => Err(Error::setting(
                there.display().to_string(),
                format!(
                    "is of other settings than {}: {}. Remove {}, or name another --out",
                    file.display(),
                    differences.join("; "),
                    args.out.display()
                ),
            )),
        };
        if let Some(run) = &interrupted {
            refuse(&kept, differences::of_interrupted(run, plan, &summary))?;
        } else if finished {
            let finished = TrainingReport::read(&report)?;
            let teacher = differences::sha256_of_teacher(plan).await;
            refuse(
                &report,
                differences::of_report(&finished, plan, &summary, teacher),
            )?;
            experiment.state = State::Done(Box::new(finished));
        }
        experiment.args.resume = interrupted.is_some();
        Ok(())
    }

    /// Trains, by the function of `retune train`.
    async fn train(&mut self, experiment: &Experiment) -> Result<Trained> {
        let Experiment { args, plan, .. } = experiment;
        make_folder(&args.out)?;
        self.open(&plan.dataset).await?;
        self.session.forget_trainings().await?;
        self.session
            .keep_trainings_in(&train::checkpoint_dir(&args.out))
            .await;
        let before = self.weights.take();
        let mut weights = Weights::of(plan);
        match before {
            Some(before) if before.serve(plan) => weights = before,
            _ if plan.start == Start::Unsaid => {
                let model = BundledModel::default();
                let unasked = Command::UseBundled { model };
                self.session.handle(unasked, Vec::new()).await?;
            }
            _ => train::load_weights(&mut self.session, plan).await?,
        }
        let trained = train::train(&mut self.session, args, plan).await?;
        // Only a head that was trained leaves the backbone what it was.
        if plan.config.scope == Scope::Head {
            self.weights = Some(weights.resized(plan.config.input_size.is_some()));
        }
        Ok(trained)
    }
}

/// Writes the table as it stands.
fn write_tables(experiments: &[Experiment], args: &ExperimentArgs) -> Result<()> {
    let rows: Vec<Row> = experiments.iter().map(Row::of).collect();
    let title = format!("Experiments of {}", args.folder.display());
    let data = row::data_sets(experiments);
    let markdown = markdown::page(&title, &data, &rows);
    write(&args.out.join("report.md"), markdown.as_bytes())?;
    let curves = chart::curves(experiments);
    let html = html::page(&title, &data, &rows, &curves);
    write(&args.out.join("report.html"), html.as_bytes())
}
