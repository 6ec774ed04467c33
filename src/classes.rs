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

/// Whether labels are the six of Intel Image, in any order and any case.
#[must_use]
pub fn are_intel(labels: &[String]) -> bool {
    let known = |name: &&str| labels.iter().any(|label| label.eq_ignore_ascii_case(name));
    labels.len() == INTEL.len() && INTEL.iter().all(known)
}
