//! In which order experiments run: those that can use the same data set, weights and features come after one another.

use crate::cli::RANDOM;
use crate::cli::train_args::{Plan, Start};
use crate::config::{Arch, Scope};

/// What a backbone came from, and whether its input has another size since.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    start: Start,
    word: Option<String>,
    arch: Option<Arch>,
    seed: Option<u64>,
    resized: bool,
}

impl Weights {
    /// What a training begins from.
    pub fn of(plan: &Plan) -> Self {
        let random = plan.weights.as_deref() == Some(RANDOM);
        // A bundled model is one of its backbone, whether or not that is named.
        let arch = plan.arch.filter(|_| plan.start == Start::Loaded);
        Self {
            start: plan.start,
            word: plan.weights.clone(),
            arch,
            seed: random.then_some(plan.config.seed),
            resized: false,
        }
    }

    /// Notes that a training said the size of the input, or did not.
    pub fn resized(mut self, now: bool) -> Self {
        self.resized |= now;
        self
    }

    /// Whether a training gets from them what it would get from loading its own: not a head that is to be gone on with,
    /// nor the size that the file has.
    pub fn serve(&self, plan: &Plan) -> bool {
        let same = Self::of(plan).resized(self.resized) == *self;
        let sized = plan.config.input_size.is_some() || !self.resized;
        same && sized && !plan.config.resume_head
    }
}

/// The order, as positions: in that of the plans, but for those that go with an earlier one. Heads come before trained
/// convolutions, after which the backbone is another.
pub fn order(plans: &[&Plan]) -> Vec<usize> {
    let first = |at: usize, same: &dyn Fn(&Plan, &Plan) -> bool| {
        plans
            .iter()
            .position(|plan| same(plan, plans[at]))
            .unwrap_or(at)
    };
    let same_images = |a: &Plan, b: &Plan| a.dataset == b.dataset;
    let same_backbone = |a: &Plan, b: &Plan| {
        same_images(a, b)
            && Weights::of(a) == Weights::of(b)
            && a.config.input_size == b.config.input_size
    };
    let same_views = |a: &Plan, b: &Plan| {
        same_backbone(a, b)
            && a.config.augment == b.config.augment
            && a.config.seed == b.config.seed
    };
    let mut order: Vec<usize> = (0..plans.len()).collect();
    order.sort_by_key(|&at| {
        (
            first(at, &same_images),
            first(at, &same_backbone),
            plans[at].config.scope != Scope::Head,
            first(at, &same_views),
            at,
        )
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::TrainArgs;
    use crate::cli::setting_flags::SettingFlags;

    fn plan(weights: &str, (setting, value): (&str, &str)) -> Plan {
        let args = TrainArgs {
            demo: true,
            weights: Some(weights.to_owned()),
            settings: SettingFlags::of(setting, value.to_owned()),
            ..TrainArgs::default()
        };
        args.plan().expect("good settings")
    }

    #[test]
    fn what_can_use_the_same_features_comes_after_one_another() {
        let plans = [
            plan("general", ("scope", "all")),
            plan("things", ("head", "linear")),
            plan("general", ("augment", "light")),
            plan("general", ("head", "mlp-1")),
            plan("general", ("input_size", "64")),
            plan("general", ("augment", "light")),
            plan("things", ("head", "mlp-3")),
        ];
        let plans: Vec<&Plan> = plans.iter().collect();
        assert_eq!(order(&plans), [3, 2, 5, 0, 1, 6, 4]);
    }

    #[test]
    fn weights_serve_only_who_would_load_the_same() {
        let used = Weights::of(&plan("general", ("head", "linear")));
        let resized = used.clone().resized(true);
        let cases = [
            ("general", ("head", "mlp-1"), true, false),
            ("general", ("input_size", "64"), true, true),
            ("general", ("resume_head", "true"), false, false),
            ("things", ("head", "linear"), false, false),
        ];
        for (weights, setting, serve, serve_resized) in cases {
            let plan = plan(weights, setting);
            let found = (used.serve(&plan), resized.serve(&plan));
            assert_eq!(found, (serve, serve_resized), "{weights} {setting:?}");
        }
        let random = |seed: &str| {
            let mut plan = plan("random", ("seed", seed));
            plan.arch = Some(Arch::ResNet18);
            plan
        };
        assert!(Weights::of(&random("1")).serve(&random("1")));
        assert!(!Weights::of(&random("1")).serve(&random("2")));
    }
}
