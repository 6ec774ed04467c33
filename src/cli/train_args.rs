//! What a training is told: a run file, flags that win over it, and the defaults.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::HUB;
use super::args::{Common, Device, arch, normalization, transparency};
use super::label_args::LabelArgs;
use super::setting_flags::SettingFlags;
use crate::config::{
    Arch, BundledModel, DemoConfig, Normalization, Setting, StartFrom, TrainConfig, TrainRequest,
    Transparency,
};
use crate::error::{Error, Result};
use crate::weights::Bundled;

/// A teacher's share of the loss where nothing is said of it.
const DISTILLATION: f64 = 0.5;

/// A training run.
#[derive(Args, Default)]
pub struct TrainArgs {
    /// A folder, zip or tar: a folder a class, optionally under train and test, or images with a table of labels.
    pub dataset: Option<PathBuf>,
    /// The demo set in place of one on disk: scenes that are drawn, to try things out.
    #[arg(long, conflicts_with = "dataset")]
    pub demo: bool,
    #[command(flatten)]
    pub labels: LabelArgs,
    /// A run file (TOML) with any of these settings and all others; flags win over it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Backbone, by torchvision's name (resnet18, wide_resnet50_2, ...).
    #[arg(long)]
    pub arch: Option<String>,
    /// Pretrained weights: a file (.safetensors, .pth or .onnx), "scenes", "general" or "things" for bundled ones, "imagenet"
    /// to download timm's, or "random"; default scenes, and general for a data set of other classes than the six scenes.
    #[arg(long)]
    pub weights: Option<String>,
    #[command(flatten)]
    pub settings: SettingFlags,
    /// A whole model of the same classes to learn from as well (.safetensors, .pth or .onnx).
    #[arg(long, value_name = "FILE")]
    pub teacher: Option<PathBuf>,
    /// Folder for model.safetensors, report.json and the checkpoint of each epoch.
    #[arg(long)]
    pub out: PathBuf,
    /// Go on with the training that --out holds, if it did not come to its end.
    #[arg(long)]
    pub resume: bool,
    /// Write the model's weights as 16 bits.
    #[arg(long)]
    pub half: bool,
    /// What runs it; auto takes a real GPU if there is one.
    #[arg(long)]
    pub device: Option<Device>,
    /// What becomes of transparency: over white, or dropped as Pillow's convert("RGB") does.
    #[arg(long, value_parser = transparency, value_name = "white|dropped")]
    pub transparency: Option<Transparency>,
    /// What the pixels were brought to in the training of --weights; wins over what the file says.
    #[arg(long, value_parser = normalization, value_name = "imagenet|half|none")]
    pub normalize: Option<Normalization>,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// A run file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RunFile {
    /// Seen from the run file's folder.
    dataset: Option<PathBuf>,
    /// The demo set in place of one on disk.
    demo: Option<DemoConfig>,
    arch: Option<String>,
    weights: Option<String>,
    /// Seen from the run file's folder.
    teacher: Option<PathBuf>,
    device: Device,
    seeds: Option<usize>,
    exercise: Exercise,
    train: TrainConfig,
}

/// What a run file says of the experiment that it repeats.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Exercise {
    /// Its own figure, as "92 % (validation)".
    figure: Option<String>,
}

/// What a training learns from.
#[derive(Clone, PartialEq)]
pub enum Images {
    /// A folder, zip or tar.
    At(PathBuf),
    /// Scenes that are drawn.
    Demo(DemoConfig),
}

impl Images {
    /// Where it is; nowhere for what is drawn.
    pub fn path(&self) -> &Path {
        match self {
            Self::At(path) => path,
            Self::Demo(_) => Path::new(""),
        }
    }
}

/// What a training is told, all together.
pub struct Plan {
    /// The data set.
    pub dataset: Images,
    /// The backbone, if one was named.
    pub arch: Option<Arch>,
    /// Its weights: a file, [`super::HUB`] or [`super::RANDOM`]; none for bundled ones.
    pub weights: Option<String>,
    /// What the training begins from.
    pub start: Start,
    /// Another model to learn from.
    pub teacher: Option<PathBuf>,
    /// Device, JSON.
    pub common: Common,
    /// Trainings with different seeds.
    pub seeds: usize,
    /// The figure of the experiment that it repeats, as the run file has it.
    pub figure: Option<String>,
    /// The engine's settings.
    pub config: TrainConfig,
}

impl Plan {
    /// The bundled model that it begins from, with a data set of these classes.
    pub fn bundled(&self, classes: &[String]) -> Option<BundledModel> {
        match self.start {
            Start::Bundled(model) => Some(model),
            Start::Loaded => None,
            Start::Unsaid => {
                let unasked = BundledModel::default();
                let instead = StartFrom::Auto.instead(Some(unasked), classes);
                Some(instead.unwrap_or(unasked))
            }
        }
    }

    /// What its weights are called.
    pub fn weights_word(&self) -> &str {
        match (self.start, &self.weights) {
            (Start::Bundled(model), _) => model.name(),
            (_, Some(word)) => word,
            (_, None) => "bundled",
        }
    }

    /// Whether bundled weights are asked for that are no backbone of that architecture.
    pub fn is_of_another_backbone(&self, arch: Arch) -> bool {
        matches!(self.start, Start::Bundled(model) if Bundled::of(model).arch != arch)
    }

    /// The settings asked for, other than the defaults, that a training does not have which goes on with its own.
    pub fn unused_on_resume(&self, own: &TrainConfig) -> Vec<String> {
        let request = |config: &TrainConfig| TrainRequest {
            config: config.clone(),
            seeds: self.seeds,
        };
        let mut all = [request(&self.config), TrainRequest::default(), request(own)];
        let asked = Setting::all().filter_map(|setting| {
            let [asked, usual, own] = all.each_mut().map(|request| setting.text(request));
            (asked != usual && asked != own)
                .then(|| format!("--{} {}", setting.flag_name(), asked.unwrap_or_default()))
        });
        asked.collect()
    }
}

impl TrainArgs {
    /// Reads the run file, puts the flags over it, checks the ranges.
    ///
    /// # Errors
    /// [`Error::Storage`] if the file cannot be read, [`Error::Setting`] naming what is wrong in it or among the
    /// flags.
    pub fn plan(&self) -> Result<Plan> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => RunFile::default(),
        };
        let mut request = TrainRequest::from(file.train);
        request.seeds = file.seeds.unwrap_or(request.seeds);
        self.settings.put_over(&mut request)?;
        request.check()?;
        let TrainRequest { mut config, seeds } = request;
        let beside = |path: PathBuf| match &self.config {
            Some(file) => file.parent().unwrap_or(Path::new("")).join(path),
            None => path,
        };
        if let Some(demo) = &file.demo {
            demo.check()?;
        }
        let dataset = self.dataset.clone().or(file.dataset.map(beside));
        let demo = match file.demo {
            None if self.demo => Some(DemoConfig::default()),
            of_file => of_file,
        };
        let dataset = dataset.filter(|_| !self.demo).map(Images::At);
        let dataset = dataset.or(demo.map(Images::Demo));
        let teacher = self.teacher.clone().or(file.teacher.map(beside));
        // A training that goes on has its own settings.
        if !self.resume {
            self.check_teacher(teacher.as_deref(), &mut config)?;
        }
        let name = self.arch.clone().or(file.arch);
        let arch = name.as_deref().map(arch).transpose()?;
        let weights = self.weights.clone().or(file.weights);
        let start = Start::of(arch, weights.as_deref())?;
        let weights = weights.filter(|_| start == Start::Loaded);
        Ok(Plan {
            dataset: dataset.ok_or_else(|| {
                let reason = "none is named: give a folder or a zip, or --demo to try things out";
                Error::setting("data set", reason)
            })?,
            arch,
            weights,
            start,
            teacher,
            common: Common {
                model: None,
                classes: None,
                transparency: self.transparency,
                input_size: None,
                normalize: self.normalize,
                device: self.device.unwrap_or(file.device),
                json: self.json,
            },
            seeds,
            figure: file.exercise.figure,
            config,
        })
    }

    /// For a training that begins: gives a teacher its share, unless the flag says another, 0 too.
    ///
    /// # Errors
    /// [`Error::Setting`] if a teacher is wanted and none is named, or one is named that cannot teach.
    pub fn check_teacher(&self, teacher: Option<&Path>, config: &mut TrainConfig) -> Result<()> {
        let unsaid = !self.settings.has("distillation") && config.distillation <= 0.0;
        if teacher.is_some() && unsaid {
            config.distillation = DISTILLATION;
        }
        if teacher.is_none() && config.distillation > 0.0 {
            let reason = "no teacher is named: give --teacher FILE";
            return Err(Error::setting("distillation", reason));
        }
        config.check()
    }
}

/// What a training begins from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The bundled model that suits the data set.
    Unsaid,
    /// A bundled model.
    Bundled(BundledModel),
    /// Weights that are loaded: a file, the hub's, random ones.
    Loaded,
}

impl Start {
    /// What is asked for, as far as it is known before anything is loaded.
    ///
    /// # Errors
    /// [`Error::Setting`] if there are no such weights of that backbone.
    fn of(arch: Option<Arch>, weights: Option<&str>) -> Result<Self> {
        let of_arch = |model: &BundledModel| Some(Bundled::of(*model).arch) == arch;
        match (arch, weights) {
            (None, None) => Ok(Self::Unsaid),
            (Some(known), None) => {
                let found = BundledModel::ALL.into_iter().find(of_arch);
                found.map(Self::Bundled).ok_or_else(|| {
                    let reason = format!(
                        "{} has no bundled weights; give --weights FILE, --weights imagenet to download them, or --weights \
                         random",
                        known.name()
                    );
                    Error::setting("--arch", reason)
                })
            }
            (_, Some(HUB)) => {
                crate::weights::hub::url(None, arch.unwrap_or_default())?;
                Ok(Self::Loaded)
            }
            (_, Some(word)) => match BundledModel::from_name(word) {
                Some(model) if arch.is_some() && !of_arch(&model) => {
                    let own = Bundled::of(model).arch.name();
                    let reason = format!("{word} is a {own}, not a {}", arch.unwrap_or_default());
                    Err(Error::setting("--weights", reason))
                }
                Some(model) => Ok(Self::Bundled(model)),
                // A file may say which backbone it is.
                None => Ok(Self::Loaded),
            },
        }
    }

    /// The same for the engine, once what is asked for is in use.
    pub const fn of_training(self) -> StartFrom {
        match self {
            Self::Unsaid => StartFrom::Auto,
            Self::Bundled(_) | Self::Loaded => StartFrom::InUse,
        }
    }
}

fn read(path: &Path) -> Result<RunFile> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::Storage(format!("{shown}: {error}")))?;
    toml::from_str(&text)
        .map_err(|error| Error::setting(shown.to_string(), error.to_string().trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_files_of_the_repository_are_good() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        let folders = ["", "exercise", "few-images", "gradients"].map(|name| root.join(name));
        let entries = folders
            .iter()
            .flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
        let paths = entries.map(|entry| entry.expect("a file").path());
        let files: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .collect();
        assert!(files.len() > 8, "{files:?}");
        for path in files {
            let file = read(&path).expect("a run file");
            file.train.check().expect("valid settings");
            file.demo
                .iter()
                .for_each(|demo| demo.check().expect("a demo set"));
        }
    }
}
