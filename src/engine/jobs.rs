//! What the engine does on a command. A job uses the owners (model, data set, history, mailbox); none uses another job,
//! but for the estimate, which asks the training what it will do.

pub(super) mod bench;
pub(super) mod datasets;
pub(super) mod estimate;
pub(super) mod evaluate;
pub(super) mod export;
pub(super) mod models;
pub(super) mod preview;
pub(super) mod training;

use super::Engine;
use super::classify::classify;
use crate::error::Result;
use crate::infer::Purpose;
use crate::platform::files::InputFile;
use crate::protocol::{Command, JobId};

impl Engine {
    /// Does what a command says.
    pub(super) async fn work(
        &mut self,
        job: Option<JobId>,
        command: Command,
        files: &[InputFile],
    ) -> Result<()> {
        match command {
            Command::Start {
                device,
                hub,
                transparency,
            } => {
                self.transparency = transparency;
                self.start(device, hub).await
            }
            Command::Samples => datasets::samples(&self.mailbox),
            Command::Classify { files: named } => {
                let (mailbox, model) = self.with_model()?;
                classify(mailbox, model, &named, files).await
            }
            Command::OpenDataset {
                source,
                beside,
                labels,
            } => self.open_dataset(source, &beside, labels, files).await,
            Command::Train {
                config,
                seeds,
                start,
            } => self.train(&config, seeds, start).await,
            Command::Continue => self.continue_training().await,
            Command::Discard => self.discard().await,
            Command::Estimate { config, start } => self.estimate(&config, start).await,
            Command::Preview {
                file,
                image,
                augment,
                seed,
                views,
            } => {
                let asked = preview::Asked {
                    image,
                    augment,
                    seed,
                    views,
                };
                let settings = self.model()?.classifier.preprocess.clone();
                let (mailbox, data) = (&self.mailbox, self.data.as_mut());
                preview::preview(mailbox, &settings, data, file.as_ref(), files, &asked).await
            }
            Command::RandomInit { arch, seed } => self.random_init(arch, seed).await,
            Command::ForgetRun { id } => {
                self.history.forget(id, &self.mailbox).await;
                Ok(())
            }
            Command::Evaluate => {
                let accuracy = evaluate::evaluate(self.context()?).await?;
                if let (Some(accuracy), Some(run)) = (accuracy, self.model()?.run) {
                    self.history.set_test(run, accuracy, &self.mailbox).await;
                }
                Ok(())
            }
            Command::Import {
                file,
                arch,
                classes,
                input,
                to_train,
                beside,
            } => {
                let purpose = if to_train {
                    Purpose::Train
                } else {
                    Purpose::Answer
                };
                let told = (classes, input, purpose);
                self.import(&file, &beside, arch, told, files).await
            }
            Command::NameClasses { classes } => self.name_classes(classes).await,
            Command::SetInput { input } => self.set_input(input).await,
            Command::Teach { file } => self.teach(&file, files).await,
            Command::Download { arch } => self.download(arch).await,
            Command::Export { what } => export::export(self, what).await,
            Command::UseBundled { model } => self.use_bundled(model).await,
            Command::MeasureHead {
                samples,
                features,
                hidden,
                epochs,
            } => {
                let device = self.device()?.device.clone();
                let sizes = [samples, features];
                bench::head(&mut self.mailbox, &device, sizes, hidden, epochs).await
            }
            Command::MeasureForward { size, batch, runs } => {
                let (mailbox, model) = self.with_model()?;
                bench::forward(mailbox, &model.classifier, size, batch, runs).await
            }
            Command::MeasureFineTune { size, batch, steps } => {
                let (mailbox, model) = self.with_model()?;
                bench::fine_tune(mailbox, &model.classifier, size, batch, steps).await
            }
            Command::Cancel => {
                self.mailbox.drop_waiting(job);
                Ok(())
            }
            // Late: the job they speak of is over.
            Command::Pause | Command::Resume | Command::Stop => Ok(()),
        }
    }
}
