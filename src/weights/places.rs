//! What the place of a value in a checkpoint says of it: the same words mean other things in an optimizer's state and
//! in a record of losses.

/// Words in the place of what an optimizer or a training loop keeps: no part of a network.
pub(super) const BOOKKEEPING: [&str; 10] = [
    "opt",
    "optim",
    "optims",
    "optimizer",
    "optimizers",
    "scheduler",
    "schedulers",
    "scaler",
    "callbacks",
    "rng",
];

/// Words in the place of what was measured while training.
const RECORDS: [&str; 7] = [
    "metric", "metrics", "history", "hist", "log", "logs", "tracker",
];

/// Words in the place of numbers about something else than images.
const NO_IMAGES: [&str; 20] = [
    "loss",
    "losses",
    "score",
    "scores",
    "result",
    "results",
    "eval",
    "evaluation",
    "target",
    "targets",
    "label",
    "labels",
    "output",
    "outputs",
    "bbox",
    "boxes",
    "embedding",
    "embeddings",
    "running",
    "feature",
];

/// Whether names in this place are not those of a network's outputs.
pub(super) fn is_of_training(place: &str) -> bool {
    words(place).any(|word| BOOKKEEPING.contains(&&*word) || RECORDS.contains(&&*word))
}

/// Whether a mean in this place is not that of images.
pub(super) fn is_not_of_images(place: &str) -> bool {
    is_of_training(place) || words(place).any(|word| NO_IMAGES.contains(&&*word))
}

/// Lower-case words of a place.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
}
