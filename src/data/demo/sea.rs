//! The sea, with a beach or a boat at times.

use super::canvas::{Canvas, Color, Noise, chance, mix, pick, range, rgb, shade, smooth};
use super::nature::{a_sky, sky};
use crate::random::Random;

/// Water to the horizon, waves, a low sun or a beach.
pub(super) fn sea(canvas: &mut Canvas, random: &mut Random, noise: &Noise) {
    const DEEP: [Color; 4] = [rgb(0x1f5f8f), rgb(0x17768c), rgb(0x2c4f75), rgb(0x3b8aa5)];
    let evening = chance(random, 0.3);
    let colors = a_sky(random, if evening { 1.0 } else { 0.0 });
    let horizon = range(random, 0.32, 0.55);
    let cover = range(random, 0.0, 0.7);
    sky(canvas, noise, colors, horizon, cover);
    let sun = range(random, 0.15, 0.85);
    if evening {
        let at = [sun, horizon - range(random, 0.03, 0.16)];
        canvas.ellipse(at, [0.3, 0.3], 1.0, rgb(0xffd08a), 0.6);
        canvas.ellipse(at, [0.035, 0.035], 0.2, rgb(0xfff3d0), 1.0);
    }
    if chance(random, 0.3) {
        // A headland in the haze.
        let (side, shift) = (range(random, 0.0, 1.0), range(random, 0.0, 60.0));
        let land = mix(rgb(0x4b5a52), colors[1], 0.45);
        canvas.below(
            |x| {
                horizon + 0.005
                    - 0.09
                        * (0.5 - (x - side).abs()).max(0.0)
                        * (0.6 + noise.cloud(x * 8.0, shift, 3))
            },
            |x, y, _| shade(land, 0.85 + 0.3 * noise.value(x * 40.0, y * 60.0)),
        );
    }
    let deep = pick(random, &DEEP).unwrap_or(DEEP[0]);
    let deep = mix(deep, colors[0], if evening { 0.45 } else { 0.15 });
    let (rough, glint) = (
        range(random, 0.5, 1.2),
        if evening {
            1.0
        } else {
            range(random, 0.0, 0.4)
        },
    );
    let shift = range(random, 0.0, 60.0);
    let wave = |x: f32, depth: f32| {
        // Waves lie across the view and shrink towards the horizon.
        let far = 1.0 / (depth + 0.035);
        let long = noise.cloud(
            (x - 0.5) * far * 1.3 + shift,
            far * 3.0 + noise.value(x * 4.0, far) * 0.6,
            3,
        );
        let short = noise.cloud((x - 0.5) * far * 4.0, far * 9.0 + shift, 2);
        long * 0.6 + short * 0.4
    };
    canvas.paint([0.0, horizon, 1.0, 1.0], |x, y| {
        let depth = y - horizon;
        if depth < 0.0 {
            return None;
        }
        let height = wave(x, depth);
        let water = mix(mix(deep, colors[1], 0.45), shade(deep, 0.8), depth / 0.5);
        let water = mix(
            water,
            shade(deep, 0.5),
            smooth(0.52, 0.3, height) * rough * 0.7,
        );
        let water = mix(
            water,
            mix(colors[1], rgb(0xffffff), 0.4),
            smooth(0.56, 0.74, height) * rough * 0.7,
        );
        let path = smooth(0.05 + depth * 0.35, 0.0, (x - sun).abs()) * smooth(0.42, 0.6, height);
        Some((
            mix(water, mix(colors[1], rgb(0xfff2d8), 0.6), path * glint),
            1.0,
        ))
    });
    if chance(random, 0.45) {
        beach(canvas, random, noise, colors[1]);
    } else if chance(random, 0.35) {
        boat(
            canvas,
            [
                range(random, 0.15, 0.85),
                horizon + range(random, 0.01, 0.06),
            ],
            range(random, 0.05, 0.11),
        );
    }
}

/// Sand in front, foam where the water ends.
fn beach(canvas: &mut Canvas, random: &mut Random, noise: &Noise, light: Color) {
    const SANDS: [Color; 3] = [rgb(0xd9c39a), rgb(0xc2ab84), rgb(0xe3d3b3)];
    let sand = mix(pick(random, &SANDS).unwrap_or(SANDS[0]), light, 0.15);
    let (start, tilt, shift) = (
        range(random, 0.74, 0.9),
        range(random, -0.22, 0.22),
        range(random, 0.0, 60.0),
    );
    let line =
        |x: f32| start + tilt * (x - 0.5) + 0.05 * (noise.cloud(x * 3.0 + shift, 8.0, 3) - 0.5);
    for (back, color) in [(0.05, mix(sand, rgb(0x8fb9bd), 0.6)), (0.02, rgb(0xf3f6f4))] {
        canvas.below(
            |x| line(x) - back * (0.6 + noise.value(x * 9.0, shift)),
            |x, y, _| shade(color, 0.9 + 0.15 * noise.value(x * 60.0, y * 90.0)),
        );
    }
    canvas.below(line, |x, y, depth| {
        let wet = mix(shade(sand, 0.68), sand, depth / 0.07);
        shade(wet, 0.9 + 0.2 * noise.cloud(x * 50.0, y * 80.0, 2))
    });
}

/// A sailing boat on the water line.
fn boat(canvas: &mut Canvas, [cx, foot]: [f32; 2], size: f32) {
    canvas.paint([cx - size, foot - size, cx + size, foot], |x, y| {
        let down = (y - foot + size) / size;
        let across = (x - cx) / size;
        let sail = down < 0.82 && across > -0.03 && across < down * 0.4
            || down < 0.8 && across < -0.05 && across > -0.25 * down;
        let hull = down > 0.86 && across.abs() < 0.5 - (down - 0.86);
        if hull {
            Some((rgb(0x3a2f2c), 1.0))
        } else {
            sail.then_some((rgb(0xf5f2ea), 1.0))
        }
    });
}
