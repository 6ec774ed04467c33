//! The runs that are kept, and those whose curves are shown.

use super::State;
use crate::{protocol::Run, ui::shared::Shared};

/// Curves shown at once: so many can be told apart.
pub const CURVES: usize = 6;

/// The runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Runs {
    /// All of them, oldest first.
    pub all: Vec<Run>,
    /// The runs whose curves are shown, by id. A run keeps its place, and with it the look of its curve.
    pub shown: [Option<u64>; CURVES],
}

impl Runs {
    /// The place of a run's curve.
    #[must_use]
    pub fn place(&self, id: u64) -> Option<usize> {
        self.shown.iter().position(|shown| *shown == Some(id))
    }

    /// A shown run's name in legend and tables.
    #[must_use]
    pub fn letter(&self, id: u64) -> Option<char> {
        let i = self.curves().position(|(_, run)| run.id == id)?;
        Some(char::from(b'A' + u8::try_from(i).ok()?))
    }

    /// Whether one more curve can be shown.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.shown.contains(&None)
    }

    /// The runs whose curves are shown, with their places.
    pub fn curves(&self) -> impl Iterator<Item = (usize, &Run)> {
        let places = self.shown.iter().enumerate();
        places.filter_map(|(place, id)| {
            let run = self.all.iter().find(|run| Some(run.id) == *id)?;
            Some((place, run))
        })
    }
}

impl State {
    /// All runs, as they are now.
    pub(super) fn know(&mut self, all: Vec<Run>) {
        let mut shown = self.runs.shown;
        for id in &mut shown {
            *id = id.filter(|id| all.iter().any(|run| run.id == *id));
        }
        self.runs = Shared::new(Runs { all, shown });
    }

    /// Shows or hides a run's curves; one too many stays hidden.
    pub(super) fn show(&mut self, id: u64, shown: bool) {
        let place = self.runs.place(id);
        let runs = self.runs.change();
        match (place, shown) {
            (Some(place), false) => runs.shown[place] = None,
            (None, true) if runs.all.iter().any(|run| run.id == id) => {
                if let Some(free) = runs.shown.iter_mut().find(|id| id.is_none()) {
                    *free = Some(id);
                }
            }
            _ => {}
        }
    }
}
