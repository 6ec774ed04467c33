//! Which of several candidates is the quickest, by a clock that may tick slowly.
//!
//! Chrome rounds a GPU's timestamps to 65 536 ns, longer than most layers take on a fast GPU. A single launch then
//! reads as 0 or as one tick, whatever it took. So the clock's step is found first, and every candidate is launched so
//! often in a row that the whole is many steps. The default keeps its place unless another is clearly ahead.

use crate::error::Result;

/// A candidate's number, launched so many times in a row and timed as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timed {
    /// Which one.
    pub candidate: usize,
    /// How often.
    pub launches: usize,
}

/// What times launches.
pub trait Stopwatch {
    /// Milliseconds of each of these, one after the other; infinite where the clock gave nothing. One wait for all of
    /// them.
    ///
    /// # Errors
    /// If the device fails.
    async fn time(&mut self, what: &[Timed]) -> Result<Vec<f64>>;

    /// Whether the time for all of it is over.
    fn is_over(&self) -> bool;
}

/// Steps of the clock that a measurement is to take, for an error of some 5 %.
const STEPS: f64 = 20.0;
/// A measurement may take so long, in milliseconds: with a coarser clock it is less exact.
const LONG: f64 = 2.0;
/// Most launches in a row.
const MOST_LAUNCHES: usize = 256;
/// Measurements of a candidate, of which the shortest counts: others may use the GPU in between.
const RUNS: usize = 3;
/// A candidate that takes so many times as long as the first guess at the best is not measured again.
const HOPELESS: f64 = 2.5;
/// What a candidate has to take less than, as a share of the default's time.
const CLEARLY: f64 = 0.95;

/// The clock's step in milliseconds, found on launches of candidate 0: the smallest difference between two readings that
/// are not the same. Infinite if the clock stands still.
///
/// # Errors
/// If the device fails.
pub async fn clock_step(watch: &mut impl Stopwatch) -> Result<f64> {
    let mut readings = vec![0.0];
    let mut launches = 1;
    while launches <= MOST_LAUNCHES {
        // The same work again and again: where it begins between two steps differs, and with it the reading.
        let part = [Timed {
            candidate: 0,
            launches,
        }; 12];
        readings.extend(watch.time(&part).await?);
        readings.retain(|reading| reading.is_finite());
        readings.sort_by(f64::total_cmp);
        let differences = readings.windows(2).map(|pair| pair[1] - pair[0]);
        // Two readings of a fine clock may be almost the same by chance: then the step is found too small, which costs
        // nothing.
        let step = differences
            .filter(|d| *d > 1e-9)
            .fold(f64::INFINITY, f64::min);
        if step.is_finite() {
            return Ok(step);
        }
        launches *= 8;
    }
    Ok(f64::INFINITY)
}

/// The quickest of so many candidates, of which number 0 is the default: it wins unless another takes at most 95 % of its
/// time. Nothing if the time was over before all had been measured, or the clock tells them not apart.
///
/// # Errors
/// If the device fails.
pub async fn quickest(
    watch: &mut impl Stopwatch,
    candidates: usize,
    clock_step: f64,
) -> Result<Option<usize>> {
    let enough = (STEPS * clock_step).min(LONG);
    if candidates == 0 || !enough.is_finite() || clock_step > LONG {
        return Ok(None);
    }
    // The first launch of each is not timed: it compiles, and packs the weights.
    let once = |candidate| Timed {
        candidate,
        launches: 1,
    };
    let first: Vec<Timed> = (0..candidates).flat_map(|c| [once(c), once(c)]).collect();
    let first = watch.time(&first).await?;
    // A launch that reads as nothing takes less than a step.
    let guess: Vec<f64> = (first
        .chunks_exact(2)
        .map(|pair| pair[1].max(clock_step / 2.0)))
    .collect();
    let mut launches = vec![1; candidates];
    let mut times = vec![f64::INFINITY; candidates];
    let least = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let bound = HOPELESS * least(&guess).max(clock_step);
    let mut open: Vec<usize> = (0..candidates)
        .filter(|c| *c == 0 || guess[*c] <= bound)
        .collect();
    for (launches, guess) in launches.iter_mut().zip(&guess) {
        *launches = ((enough / guess).ceil() as usize).clamp(1, MOST_LAUNCHES);
    }
    // What turns out to be too short to read is launched more often; at most so many times over.
    while !open.is_empty() {
        if watch.is_over() {
            return Ok(None);
        }
        let runs: Vec<Timed> = (open.iter())
            .flat_map(|&candidate| {
                let launches = launches[candidate];
                [Timed {
                    candidate,
                    launches,
                }; RUNS]
            })
            .collect();
        let readings = watch.time(&runs).await?;
        for (&candidate, readings) in open.iter().zip(readings.chunks_exact(RUNS)) {
            let shortest = least(readings);
            times[candidate] = shortest / launches[candidate] as f64;
            if shortest < enough && launches[candidate] < MOST_LAUNCHES {
                let more = (1.2 * enough / shortest.max(clock_step / 2.0)).ceil() as usize;
                launches[candidate] = (launches[candidate] * more.max(2)).min(MOST_LAUNCHES);
            } else {
                launches[candidate] = 0;
            }
        }
        open.retain(|candidate| launches[*candidate] > 0);
        if open.is_empty() && watch.is_over() {
            return Ok(None);
        }
    }
    let best = (0..candidates).min_by(|a, b| times[*a].total_cmp(&times[*b]));
    // One that never read as anything was not measured.
    let best = best.filter(|best| times[*best] > 0.0 && times[0].is_finite());
    Ok(best.map(|best| {
        if times[best] < CLEARLY * times[0] {
            best
        } else {
            0
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Launches of known length, some per cent longer or shorter each time, by a clock that ticks.
    struct Fake {
        /// Milliseconds of a launch.
        lengths: Vec<f64>,
        /// Milliseconds of a tick.
        tick: f64,
        now: f64,
        budget: f64,
        random: Random,
        waits: usize,
    }

    impl Fake {
        fn new(lengths: &[f64], tick: f64, seed: u64) -> Self {
            let mut random = Random::new(seed);
            Self {
                lengths: lengths.to_vec(),
                tick,
                now: 1000.0 * random.uniform(),
                budget: f64::INFINITY,
                random,
                waits: 0,
            }
        }

        fn pick(&mut self) -> Option<usize> {
            pollster::block_on(async {
                let step = clock_step(self).await.unwrap();
                quickest(self, self.lengths.len(), step).await.unwrap()
            })
        }
    }

    impl Stopwatch for Fake {
        async fn time(&mut self, what: &[Timed]) -> Result<Vec<f64>> {
            self.waits += 1;
            let read = |now: f64, tick: f64| (now / tick).floor() * tick;
            let timed = what.iter().map(|timed| {
                let start = read(self.now, self.tick);
                for _ in 0..timed.launches {
                    let noise = 1.0 + 0.04 * (self.random.uniform() - 0.5);
                    self.now += self.lengths[timed.candidate] * noise;
                }
                let reading = read(self.now, self.tick) - start;
                self.now += 0.05 * self.random.uniform();
                reading
            });
            Ok(timed.collect())
        }

        fn is_over(&self) -> bool {
            self.waits as f64 > self.budget
        }
    }

    const CHROME: f64 = 0.065_536;
    const FINE: f64 = 1e-6;

    /// Kernels of 25 to 60 us, of which a clock of 65 us says nothing at first sight.
    #[test]
    fn the_quickest_is_found_by_a_clock_that_ticks_slower_than_all() {
        for tick in [CHROME, FINE, 0.1] {
            for seed in 0..200 {
                let lengths = [0.060, 0.045, 0.025, 0.033, 0.052];
                assert_eq!(
                    Fake::new(&lengths, tick, seed).pick(),
                    Some(2),
                    "{tick} {seed}"
                );
                let long = [1.9, 1.2, 0.7, 2.4];
                assert_eq!(
                    Fake::new(&long, tick, seed).pick(),
                    Some(2),
                    "{tick} {seed}"
                );
                let short = [0.004, 0.002, 0.003];
                assert_eq!(
                    Fake::new(&short, tick, seed).pick(),
                    Some(1),
                    "{tick} {seed}"
                );
            }
        }
    }

    #[test]
    fn the_default_wins_unless_another_is_clearly_ahead() {
        for tick in [CHROME, FINE] {
            for seed in 0..200 {
                let even = [0.030, 0.0298, 0.031, 0.0297];
                assert_eq!(
                    Fake::new(&even, tick, seed).pick(),
                    Some(0),
                    "{tick} {seed}"
                );
                let best = [0.020, 0.060, 0.030];
                assert_eq!(
                    Fake::new(&best, tick, seed).pick(),
                    Some(0),
                    "{tick} {seed}"
                );
                assert_eq!(
                    Fake::new(&[0.5], tick, seed).pick(),
                    Some(0),
                    "{tick} {seed}"
                );
            }
        }
    }

    #[test]
    fn the_step_of_a_clock_is_found() {
        for (tick, lengths) in [
            (CHROME, [0.004]),
            (CHROME, [0.03]),
            (CHROME, [3.0]),
            (1.0, [0.05]),
        ] {
            let mut watch = Fake::new(&lengths, tick, 1);
            let step = pollster::block_on(clock_step(&mut watch)).unwrap();
            assert!((step - tick).abs() < 1e-6, "{step} for {tick}, {lengths:?}");
        }
        let mut fine = Fake::new(&[0.03], FINE, 1);
        assert!(pollster::block_on(clock_step(&mut fine)).unwrap() < 0.01);
        let mut still = Fake::new(&[0.03], 1e12, 1);
        assert!(
            pollster::block_on(clock_step(&mut still))
                .unwrap()
                .is_infinite()
        );
        assert_eq!(still.pick(), None);
    }

    /// An unfinished list says nothing: the default stays.
    #[test]
    fn without_the_time_for_all_there_is_no_result() {
        let lengths = [0.060, 0.025, 0.033];
        let mut watch = Fake::new(&lengths, CHROME, 3);
        watch.budget = 2.0;
        assert_eq!(watch.pick(), None);
        assert_eq!(Fake::new(&[], CHROME, 3).pick_of_none(), None);
    }

    impl Fake {
        fn pick_of_none(&mut self) -> Option<usize> {
            pollster::block_on(quickest(self, 0, self.tick)).unwrap()
        }
    }

    /// A GPU is waited for a few times, not once a launch.
    #[test]
    fn a_layer_takes_few_waits() {
        for (tick, most) in [(CHROME, 4), (FINE, 3)] {
            let lengths = [0.060, 0.045, 0.025, 0.033, 0.052, 0.3, 0.041, 0.027];
            let mut watch = Fake::new(&lengths, tick, 5);
            let step = pollster::block_on(clock_step(&mut watch)).unwrap();
            watch.waits = 0;
            pollster::block_on(quickest(&mut watch, lengths.len(), step)).unwrap();
            assert!(
                watch.waits <= most,
                "{} waits at a step of {tick} ms",
                watch.waits
            );
        }
    }
}
