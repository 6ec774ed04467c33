//! A tensor of a file before it is known what it is for.

/// A tensor by name and shape.
pub(super) struct Candidate<'a> {
    /// Where its dict lies in the file: `state_dict`; empty at the top.
    pub group: &'a str,
    /// As [`plain_name`] gives it.
    pub name: &'a str,
    pub shape: &'a [usize],
    /// Whether its elements are real numbers; weights are.
    pub real: bool,
    /// Whether it repeats elements: trained weights hardly ever do.
    pub expanded: bool,
    /// Where its elements lie: equal for tensors that a model has under several names.
    pub place: (&'a str, usize),
}

impl Candidate<'_> {
    /// Whether it is a single number.
    pub(super) fn is_scalar(&self) -> bool {
        self.shape.iter().all(|n| *n == 1)
    }

    /// Its name with the place of its dict.
    pub(super) fn full_name(&self) -> String {
        match self.group {
            "" => self.name.to_owned(),
            group => format!("{group}.{}", self.name),
        }
    }

    /// Whether a network may ask for it: real numbers, or what is called as weights are, whose type is an error then.
    pub(super) fn may_be_weights(&self) -> bool {
        const PARTS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];
        let last = self.name.rsplit('.').next().unwrap_or(self.name);
        !self.expanded && (self.real || PARTS.contains(&last))
    }
}

/// A tensor's name without what compiling, checkpointing and sharding wrappers put between its parts, fit for one line.
pub(super) fn plain_name(name: &str) -> String {
    const WRAPPERS: [&str; 3] = [
        "_orig_mod",
        "_checkpoint_wrapped_module",
        "_fsdp_wrapped_module",
    ];
    let parts = name.split('.').filter(|part| !WRAPPERS.contains(part));
    let plain = parts.collect::<Vec<_>>().join(".");
    if plain.contains(char::is_control) {
        return plain.escape_debug().to_string();
    }
    plain
}
