//! The six Intel Image labels, in the order of every tensor, table and file of the project.
//!
//! Defined here and nowhere else: a second list in another order would silently swap labels.

/// The six scenes of Intel Image, in the order of the bundled model's outputs `[6]`.
pub const INTEL: [&str; 6] = [
    "buildings",
    "forest",
    "glacier",
    "mountain",
    "sea",
    "street",
];

/// The labels as owned strings, for models whose class list can be replaced.
#[must_use]
pub fn intel() -> Vec<String> {
    INTEL.iter().map(ToString::to_string).collect()
}
