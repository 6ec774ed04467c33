//! A head of one's own on the frozen backbone, for a question of one's own: town or nature? Without the engine,
//! on features that are computed here. `cargo run --release --example custom_head`

use retune::data::demo;
use retune::image::encode_png;
use retune::model::head::{HeadSpec, Step};
use retune::protocol::EpochReport;
use retune::train::head::{self, Examples, Features, Flow, Observer, Start};
use retune::{Classifier, Device, Result, TrainConfig};

/// Prints each epoch.
struct Printer;

impl Observer for Printer {
    async fn step(&mut self, _: usize, _: usize) -> Result<Flow> {
        Ok(Flow::Continue)
    }

    fn epoch(&mut self, report: EpochReport) {
        let (epoch, loss) = (report.epoch, report.val_loss);
        println!("epoch {epoch}: validation loss {loss:.3}");
    }
}

fn main() -> Result<()> {
    pollster::block_on(run())
}

async fn run() -> Result<()> {
    let device = Device::flex();
    let classifier = Classifier::bundled(&device).await?;
    let train = examples(&classifier, 0..10).await?;
    let validation = examples(&classifier, 10..14).await?;

    let features = classifier.features();
    let spec = HeadSpec {
        steps: vec![
            Step::Linear {
                input: features,
                output: 32,
            },
            Step::Relu,
            Step::Dropout(0.3),
            Step::Linear {
                input: 32,
                output: 2,
            },
        ],
    };
    let config = TrainConfig {
        epochs: 12,
        batch: 12,
        ..TrainConfig::default()
    };
    let parts = Features {
        train: &train,
        views: 1,
        validation: &validation,
    };
    let fitted = head::run(
        &config,
        spec,
        parts,
        Start::default(),
        &device,
        &mut Printer,
    )
    .await?;
    let accuracy = head::measure(&fitted.model.head, &validation)
        .await?
        .accuracy();
    println!("town or nature: {:.1} % are right", accuracy * 100.0);
    Ok(())
}

/// Features of drawn scenes, labelled 0 for town (buildings, street) and 1 for nature.
async fn examples(classifier: &Classifier, numbers: std::ops::Range<usize>) -> Result<Examples> {
    let mut examples = Examples::default();
    for (class, name) in retune::classes::INTEL.iter().enumerate() {
        let label = usize::from(!["buildings", "street"].contains(name));
        for number in numbers.clone() {
            let scene = encode_png(&demo::draw(class, number, 160, 3))?;
            let features = classifier.extract(name, &scene).await?;
            examples.push(&features, label);
        }
    }
    Ok(examples)
}
