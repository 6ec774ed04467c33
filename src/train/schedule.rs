//! How the learning rate goes over a run.

use crate::config::{Schedule, TrainConfig};

/// What the learning rate is multiplied by in step `step` (from 0) of a run with `per_epoch` steps an epoch.
///
/// Warm-up rises as `(step + 1) / w` over its w steps (Goyal et al. 2017, arXiv:1706.02677). Then the cosine
/// is `(1 + cos(pi (step - w) / (total - w))) / 2` (Loshchilov and Hutter 2016, arXiv:1608.03983, without
/// restarts): PyTorch's `LinearLR` and `CosineAnnealingLR` one after the other. The step schedule is PyTorch's
/// `StepLR`, once an epoch, counted from the run's first.
#[must_use]
pub fn factor(config: &TrainConfig, step: usize, per_epoch: usize) -> f64 {
    let per_epoch = per_epoch.max(1);
    let warmup = (config.warmup_epochs * per_epoch as f64).round() as usize;
    if step < warmup {
        return (step + 1) as f64 / warmup as f64;
    }
    match config.schedule {
        Schedule::Constant => 1.0,
        Schedule::Step => {
            let steps = step / per_epoch / config.step_epochs.max(1);
            libm::pow(config.step_factor, steps as f64)
        }
        Schedule::Cosine => {
            let total = (config.epochs * per_epoch).saturating_sub(warmup).max(1);
            let done = (step - warmup) as f64 / total as f64;
            0.5 * (1.0 + libm::cos(std::f64::consts::PI * done.min(1.0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(config: &TrainConfig) -> Vec<f64> {
        (0..config.epochs * 2)
            .map(|step| factor(config, step, 2))
            .collect()
    }

    #[test]
    fn the_step_schedule_counts_epochs() {
        let config = TrainConfig {
            schedule: Schedule::Step,
            step_epochs: 2,
            step_factor: 0.5,
            epochs: 5,
            ..TrainConfig::default()
        };
        let expected = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25];
        assert_eq!(factors(&config), expected);
    }

    #[test]
    fn the_cosine_rises_falls_and_ends_near_nothing() {
        let config = TrainConfig {
            schedule: Schedule::Cosine,
            warmup_epochs: 1.0,
            epochs: 5,
            ..TrainConfig::default()
        };
        let factors = factors(&config);
        assert_eq!(&factors[..3], &[0.5, 1.0, 1.0]);
        assert!((factors[6] - 0.5).abs() < 1e-12, "{factors:?}");
        assert!(
            factors.windows(2).skip(2).all(|w| w[1] < w[0]),
            "{factors:?}"
        );
        assert!(factors[9] < 0.05, "{factors:?}");
    }
}
