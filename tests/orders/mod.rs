//! Orders for an engine on the CPU, and what it says to them.

use std::cell::RefCell;
use std::rc::Rc;

use retune::classes::INTEL;
use retune::config::DeviceChoice;
use retune::data::demo;
use retune::engine::{Engine, Mailbox, Order};
use retune::image::encode_png;
use retune::platform::files::InputFile;
use retune::protocol::{
    Command, DatasetSource, Event, ExportKind, FileRef, JobId, Labels, Message, START,
};

pub type Said = Vec<(Event, Vec<Vec<u8>>)>;

pub fn order(job: JobId, command: Command) -> Order {
    with_files(job, command, Vec::new())
}

fn with_files(job: JobId, body: Command, files: Vec<InputFile>) -> Order {
    let job = Some(job);
    let message = Message { job, body };
    Order { message, files }
}

pub fn start() -> Order {
    let (device, hub) = (DeviceChoice::Cpu, None);
    let command = Command::Start {
        device,
        hub,
        transparency: None,
    };
    order(START, command)
}

/// A folder without test images: an evaluation is then on the validation images.
pub fn data() -> Order {
    let (mut named, mut files) = (Vec::new(), Vec::new());
    for i in 0..24 {
        let (class, index) = (i % 6, i / 6);
        let path = format!("scenes/{}/{index}.png", INTEL[class]);
        let drawn = encode_png(&demo::draw(class, index, 48, 1)).unwrap();
        files.push(InputFile::memory(&path, drawn));
        let slot = i as u32;
        named.push(FileRef { path, slot });
    }
    let source = DatasetSource::Folder {
        files: named,
        unread: Vec::new(),
        empty: Vec::new(),
    };
    let command = Command::OpenDataset {
        source,
        beside: Vec::new(),
        labels: Labels::Auto,
    };
    with_files(90, command, files)
}

pub fn import(bytes: &[u8]) -> Order {
    let (file, files) = handed("model.safetensors", bytes);
    let command = Command::Import {
        file,
        arch: None,
        classes: None,
        input: Default::default(),
        to_train: false,
        beside: Vec::new(),
    };
    with_files(91, command, files)
}

pub fn classify() -> Order {
    let photo = encode_png(&demo::draw(1, 0, 64, 9)).unwrap();
    let (file, files) = handed("photo.png", &photo);
    let command = Command::Classify { files: vec![file] };
    with_files(92, command, files)
}

pub fn export(what: ExportKind) -> Order {
    order(93, Command::Export { what })
}

/// One file, as an order carries it.
fn handed(name: &str, bytes: &[u8]) -> (FileRef, Vec<InputFile>) {
    let path = name.to_string();
    let handle = InputFile::memory(name, bytes.to_vec());
    (FileRef { path, slot: 0 }, vec![handle])
}

/// Has an engine of its own handle, which keeps its model for the next one or not.
pub fn handle(keeps: bool, orders: Vec<Order>) -> Said {
    let said: Rc<RefCell<Said>> = Rc::default();
    let heard = said.clone();
    // Nobody sends: an image that came during the training would be answered by the model before it.
    let (_, inbox) = async_channel::unbounded();
    let emit = move |message: Message<Event>, blobs| heard.borrow_mut().push((message.body, blobs));
    let engine = Engine::new(Mailbox::new(inbox, Box::new(emit)));
    let mut engine = if keeps { engine } else { engine.ephemeral() };
    for order in orders {
        pollster::block_on(engine.handle(order));
    }
    drop(engine);
    said.take()
}

pub fn failures(said: &Said) -> Vec<String> {
    let failure = |(event, _): &(Event, Vec<Vec<u8>>)| match event {
        Event::Failed { .. } => Some(format!("{event:?}")),
        _ => None,
    };
    said.iter().filter_map(failure).collect()
}

/// Of the photo that was classified.
pub fn probabilities(said: &Said) -> Vec<f32> {
    let found = said.iter().find_map(|(event, _)| match event {
        Event::Classified { probabilities, .. } => Some(probabilities.clone()),
        _ => None,
    });
    found.expect("a photo was classified")
}

/// Name and bytes of what was handed out.
pub fn exports(said: &Said) -> Vec<(String, Vec<u8>)> {
    let export = |(event, blobs): &(Event, Vec<Vec<u8>>)| match event {
        Event::Exported { name, .. } => Some((name.clone(), blobs[0].clone())),
        _ => None,
    };
    said.iter().filter_map(export).collect()
}
