//! Forest, glacier, mountain, and the sky over everything.

use super::canvas::{Canvas, Color, Noise, chance, fract, mix, pick, range, rgb, shade, smooth};
use crate::random::Random;

/// A sky above and a sky at the horizon.
const DAY: [[Color; 2]; 4] = [
    [rgb(0x3f7fc8), rgb(0xb9d8ee)],
    [rgb(0x5a97d6), rgb(0xd7e6ee)],
    [rgb(0x7f9db5), rgb(0xd3dbe0)],
    [rgb(0x2f66ad), rgb(0x9cc3e4)],
];
const EVENING: [[Color; 2]; 3] = [
    [rgb(0x3d4f86), rgb(0xf2a765)],
    [rgb(0x6d7fae), rgb(0xf3cfa2)],
    [rgb(0x51406f), rgb(0xe8806a)],
];

/// A gradient with clouds down to the horizon; `cover` is how much of it is cloudy, 0..1.
pub(super) fn sky(
    canvas: &mut Canvas,
    noise: &Noise,
    [top, low]: [Color; 2],
    horizon: f32,
    cover: f32,
) {
    canvas.fill(|x, y| {
        let blue = mix(top, low, y / horizon);
        let cloud = noise.cloud(x * 3.0 + 40.0, y * 8.0 + 40.0, 4);
        let white = mix(rgb(0xffffff), low, 0.25);
        mix(
            blue,
            white,
            smooth(0.85 - cover * 0.55, 1.0 - cover * 0.3, cloud),
        )
    });
}

/// One of the skies, in the evening with that probability.
pub(super) fn a_sky(random: &mut Random, evening: f64) -> [Color; 2] {
    let skies: &[[Color; 2]] = if chance(random, evening) {
        &EVENING
    } else {
        &DAY
    };
    pick(random, skies).unwrap_or(DAY[0])
}

/// Trunks in the light under a canopy.
pub(super) fn forest(canvas: &mut Canvas, random: &mut Random, noise: &Noise) {
    // Leaves in the light, leaves in the shade, bark, ground.
    const WOODS: [[Color; 4]; 5] = [
        [rgb(0x9dbb4a), rgb(0x2c4a1c), rgb(0x3a2d20), rgb(0x5d6b2c)],
        [rgb(0x7aa548), rgb(0x1f3d1e), rgb(0x2e261e), rgb(0x3f4d22)],
        [rgb(0xb6c65e), rgb(0x3d5a24), rgb(0x4a3a2a), rgb(0x6f6a37)],
        [rgb(0xd9a63a), rgb(0x6b4a1c), rgb(0x3b2c22), rgb(0x8a5f2c)],
        [rgb(0x8fae7c), rgb(0x33503a), rgb(0x3c3a34), rgb(0x4b5a3a)],
    ];
    let [leaf, dark, bark, ground] = pick(random, &WOODS).unwrap_or(WOODS[0]);
    let glow = [range(random, 0.2, 0.8), range(random, 0.25, 0.5)];
    let haze = mix(leaf, rgb(0xf6f7dc), range(random, 0.3, 0.7));
    canvas.fill(|x, y| {
        let (dx, dy) = (x - glow[0], (y - glow[1]) * 1.3);
        let light = smooth(0.75, 0.0, (dx * dx + dy * dy).sqrt());
        let leaves = noise.cloud(x * 14.0, y * 14.0, 3);
        let green = mix(dark, leaf, smooth(0.25, 0.75, leaves) * 0.8);
        mix(green, haze, light * (0.45 + 0.5 * leaves))
    });
    // The ground rises into the distance and is dappled.
    let floor = range(random, 0.62, 0.78);
    canvas.below(
        |x| floor + (noise.cloud(x * 4.0, 9.0, 3) - 0.5) * 0.09,
        |x, y, depth| {
            let spots = noise.cloud(x * 12.0, y * 30.0, 3);
            let near = mix(mix(haze, ground, 0.55), shade(ground, 0.7), depth / 0.35);
            mix(
                shade(near, 0.55),
                mix(near, leaf, 0.3),
                smooth(0.3, 0.7, spots),
            )
        },
    );
    // Trunks from far to near: thicker, darker, standing lower.
    let rows = 3 + random.below(2);
    for row in 0..rows {
        let near = (row as f32 + 0.6) / rows as f32;
        let count = 9_usize.saturating_sub(row * 2) + random.below(4);
        for _ in 0..count {
            let width = (0.006 + 0.03 * near * near) * range(random, 0.7, 1.5);
            let (x0, lean) = (range(random, -0.02, 1.02), range(random, -0.05, 0.05));
            let foot = floor + 0.3 * near * near + range(random, -0.02, 0.02);
            let color = mix(mix(haze, bark, 0.35), shade(bark, 0.9), near * 1.2);
            canvas.paint([x0 - 0.1, 0.0, x0 + 0.1, foot], |x, y| {
                let middle =
                    x0 + lean * (foot - y) + (noise.value(y * 5.0, x0 * 50.0) - 0.5) * 0.012;
                let half = width * (0.65 + 0.35 * y + 0.8 * smooth(foot - 0.05, foot, y));
                let across = (x - middle) / half;
                let grain = noise.value(x * 160.0, y * 18.0);
                let lit = 0.75
                    + 0.35 * across * if glow[0] > x0 { 1.0 } else { -1.0 }
                    + 0.3 * (grain - 0.5);
                (across.abs() < 1.0).then(|| (shade(color, lit), 1.0))
            });
        }
        // Leaves between this row and the next: many small strokes, denser towards the top.
        for _ in 0..70 {
            let x = range(random, -0.05, 1.05);
            let high = range(random, 0.0, 1.0);
            let y = high * high * range(random, 0.35, 0.6);
            let size = range(random, 0.012, 0.05) * (0.6 + 0.5 * near);
            let tone = mix(dark, leaf, range(random, 0.0, 1.0));
            let tone = mix(mix(haze, tone, 0.5 + 0.5 * near), dark, 0.25 * near);
            canvas.ellipse([x, y], [size, size * 0.7], 0.6, tone, 0.8);
        }
    }
    // Undergrowth.
    for _ in 0..90 {
        let depth = range(random, 0.0, 1.0);
        let at = [range(random, -0.02, 1.02), floor + 0.02 + 0.4 * depth];
        let size = 0.008 + 0.035 * depth * range(random, 0.4, 1.0);
        let tone = mix(
            shade(ground, 0.8),
            mix(leaf, dark, range(random, 0.2, 1.0)),
            0.7,
        );
        canvas.ellipse(at, [size * 1.6, size], 0.7, tone, 0.75);
    }
}

/// Ice flowing down between white peaks, cracked and striped with rubble.
pub(super) fn glacier(canvas: &mut Canvas, random: &mut Random, noise: &Noise) {
    const SKIES: [[Color; 2]; 4] = [
        [rgb(0x5f93cf), rgb(0xc9dfee)],
        [rgb(0x9fb4c6), rgb(0xe2e9ee)],
        [rgb(0x3c74bd), rgb(0xa8cbe8)],
        [rgb(0xb9c4cc), rgb(0xe9edf0)],
    ];
    const ICE: [Color; 3] = [rgb(0x8fc1da), rgb(0x9db9cf), rgb(0x7fb6c9)];
    let colors = pick(random, &SKIES).unwrap_or(SKIES[0]);
    let horizon = range(random, 0.38, 0.55);
    let cover = range(random, 0.1, 0.7);
    sky(canvas, noise, colors, horizon, cover);
    let blue = pick(random, &ICE).unwrap_or(ICE[0]);
    let snow = rgb(0xf4f8fb);
    let rock = mix(rgb(0x4a4f58), rgb(0x6b6660), range(random, 0.0, 1.0));
    // White peaks behind each other; rock shows on the ribs that are too steep for snow.
    for (row, height) in [range(random, 0.3, 0.46), range(random, 0.14, 0.26)]
        .into_iter()
        .enumerate()
    {
        let shift = 23.0 * row as f32 + range(random, 0.0, 60.0);
        let bare = range(random, 0.74, 0.84);
        let far = if row == 0 { 0.35 } else { 0.08 };
        canvas.below(
            |x| {
                horizon + 0.04
                    - height * (0.25 + 0.75 * noise.crest(x * 1.7 + shift, shift, 5) - 0.1)
            },
            |x, y, _| {
                let run = x * 7.0 + noise.cloud(x * 5.0 + shift, y * 5.0, 3) * 2.5;
                let rib = noise.crest(run, y * 3.0 + shift, 4);
                let beside = noise.crest(run + 0.4, y * 3.0 + shift, 4);
                let white = mix(mix(snow, blue, 0.75), snow, 0.6 + (rib - beside) * 2.2);
                let steep = noise.crest(x * 11.0 + shift, y * 17.0, 3) * 0.5 + rib * 0.5;
                let face = mix(white, rock, smooth(bare - 0.04, bare + 0.04, steep) * 0.9);
                mix(face, colors[1], far)
            },
        );
    }
    // The tongue of ice, wide in front and narrow behind; its cracks bend with the flow.
    let lake = chance(random, 0.4);
    let front = if lake { range(random, 0.68, 0.8) } else { 1.1 };
    let (bend, cracks) = (range(random, -0.4, 0.4), range(random, 9.0, 16.0));
    let rubble = range(random, 0.3, 0.75);
    canvas.below(
        |x| horizon + (noise.cloud(x * 5.0, 70.0, 3) - 0.5) * 0.03,
        |x, y, depth| {
            let far = 1.0 / (depth + 0.12);
            let along = (x - 0.5 - bend * (0.3 - depth)) * far;
            let arc = far * cracks * 0.3
                + along * along * 0.25
                + noise.cloud(along * 3.0, far * 2.0, 3) * 2.2;
            let crack = smooth(0.72, 0.95, fract(arc))
                * smooth(0.25, 0.6, noise.cloud(along * 4.0, far * 3.0 + 7.0, 2));
            let swell = noise.cloud(along * 6.0, far * 7.0, 4);
            let ice = mix(mix(snow, blue, 0.7), snow, smooth(0.3, 0.65, swell));
            let ice = mix(ice, shade(blue, 0.62), crack * 0.85);
            let stripe = smooth(
                0.12,
                0.0,
                (along.abs() - 0.9 - 0.3 * noise.value(far * 2.0, 3.0)).abs(),
            );
            let dirty = stripe * rubble * smooth(0.2, 0.6, noise.cloud(x * 30.0, y * 30.0, 3));
            mix(ice, rock, dirty)
        },
    );
    if lake {
        // The front breaks off in a wall above grey-green water.
        let wall = range(random, 0.05, 0.11);
        let line = |x: f32| front + (noise.cloud(x * 6.0, 30.0, 3) - 0.5) * 0.06;
        canvas.below(
            |x| line(x) - wall,
            |x, y, depth| {
                let column = noise.cloud(x * 40.0, y * 6.0, 3);
                mix(
                    shade(blue, 0.75),
                    snow,
                    smooth(0.3, 0.7, column) * (1.0 - depth * 4.0),
                )
            },
        );
        let water = mix(rgb(0x5d8f9b), rgb(0x86a9ad), range(random, 0.0, 1.0));
        canvas.below(line, |x, y, depth| {
            let ripple = noise.cloud(x * 10.0, y * 60.0, 3);
            let mirror = mix(mix(water, snow, 0.45), water, depth * 8.0);
            mix(mirror, shade(water, 0.8), smooth(0.4, 0.7, ripple) * 0.6)
        });
        for _ in 0..6 + random.below(8) {
            let depth = range(random, 0.15, 1.0);
            let at = [
                range(random, 0.0, 1.0),
                front + 0.02 + (0.98 - front) * depth,
            ];
            let size = 0.012 + 0.05 * depth * range(random, 0.3, 1.0);
            canvas.ellipse(
                [at[0], at[1] + size * 0.4],
                [size * 1.2, size * 0.3],
                0.5,
                shade(blue, 0.8),
                0.8,
            );
            canvas.ellipse(
                at,
                [size, size * 0.5],
                0.2,
                mix(snow, blue, range(random, 0.0, 0.3)),
                1.0,
            );
        }
    }
}

/// Rock with snow on top, hills and firs before it.
pub(super) fn mountain(canvas: &mut Canvas, random: &mut Random, noise: &Noise) {
    const ROCKS: [Color; 4] = [rgb(0x6d6259), rgb(0x7b6a58), rgb(0x5d6068), rgb(0x846f63)];
    const HILLS: [Color; 4] = [rgb(0x5d7238), rgb(0x76793f), rgb(0x4a6136), rgb(0x8a7a4a)];
    let colors = a_sky(random, 0.25);
    let horizon = range(random, 0.62, 0.75);
    let cover = range(random, 0.0, 0.6);
    sky(canvas, noise, colors, horizon, cover);
    let rock = pick(random, &ROCKS).unwrap_or(ROCKS[0]);
    let hill = pick(random, &HILLS).unwrap_or(HILLS[0]);
    let snow = mix(rgb(0xf7f5f2), colors[1], 0.15);
    let sun = if chance(random, 0.5) { 1.0 } else { -1.0 };
    // A far range in the haze, then the peak.
    let shift = range(random, 0.0, 60.0);
    canvas.below(
        |x| horizon - 0.34 * noise.crest(x * 3.0 + shift, shift, 4),
        |x, y, _| {
            let relief = noise.crest(x * 8.0 + shift, y * 8.0, 3);
            mix(
                shade(mix(rock, snow, 0.25), 0.6 + 0.6 * relief),
                colors[1],
                0.55,
            )
        },
    );
    let (peak, height) = (range(random, 0.25, 0.75), range(random, 0.42, 0.58));
    let (slope, cap) = (range(random, 0.55, 0.95), range(random, 0.1, 0.3));
    let ridge = |x: f32| {
        let near = 1.0 - (x - peak).abs() * slope;
        horizon + 0.1
            - height * near * (0.8 + 0.2 * noise.crest(x * 3.5 + shift, 3.0, 2))
            - 0.1 * noise.crest(x * 7.0, shift, 4)
    };
    let top = horizon + 0.1 - height - 0.08;
    canvas.below(ridge, |x, y, depth| {
        // Ribs run down from the crest; one side of each lies in the light.
        let run = (x - peak) * 9.0;
        let rib = noise.crest(
            run + noise.cloud(x * 6.0, y * 6.0, 3) * 2.0,
            y * 4.0 + shift,
            4,
        );
        let beside = noise.crest(
            run + sun * 0.35 + noise.cloud(x * 6.0, y * 6.0, 3) * 2.0,
            y * 4.0 + shift,
            4,
        );
        let light = 0.75 + (rib - beside) * 1.6;
        let grain = 0.8 + 0.4 * noise.cloud(x * 30.0, y * 45.0, 3);
        let stone = shade(rock, light * grain);
        let line = top + cap + (rib - 0.5) * 0.28;
        let white = shade(snow, 0.62 + 0.42 * light.clamp(0.0, 0.95));
        let face = mix(stone, white, smooth(line + 0.03, line - 0.03, y));
        mix(face, colors[1], 0.12 + 0.1 * depth)
    });
    // Hills, each darker than the one behind.
    for row in 0..2 {
        let start = horizon + 0.02 + 0.12 * row as f32 + range(random, -0.02, 0.03);
        let green = mix(
            shade(hill, 1.0 - 0.25 * row as f32),
            colors[1],
            0.2 - 0.15 * row as f32,
        );
        let shift = range(random, 0.0, 60.0);
        let line = |x: f32| start - 0.1 * (noise.cloud(x * 2.5 + shift, 5.0, 3) - 0.4);
        canvas.below(line, |x, y, depth| {
            let grass = noise.cloud(x * 20.0, y * 45.0 + shift, 3);
            shade(green, 0.65 + 0.6 * grass - 0.3 * depth)
        });
        if chance(random, 0.7) {
            for _ in 0..14 + random.below(22) {
                let x = range(random, 0.0, 1.0);
                let foot = line(x) + range(random, 0.01, 0.05);
                let size = range(random, 0.035, 0.07) * (1.0 + 0.8 * row as f32);
                fir(
                    canvas,
                    [x, foot],
                    size,
                    shade(mix(rgb(0x22381f), green, 0.25), range(random, 0.8, 1.2)),
                    noise,
                );
            }
        }
    }
}

/// A conifer standing at (x, y), `size` high.
fn fir(canvas: &mut Canvas, [cx, foot]: [f32; 2], size: f32, color: Color, noise: &Noise) {
    let half = size * 0.24;
    canvas.paint([cx - half, foot - size, cx + half, foot], |x, y| {
        let down = (y - foot + size) / size;
        let branch = 0.65 + 0.35 * fract(down * 6.0);
        let out = (x - cx).abs() / half;
        let light = 0.75 + 0.5 * noise.value(x * 90.0, y * 90.0) - 0.3 * (x - cx) / half;
        (down >= 0.0 && out < down * branch).then(|| (shade(color, light), 1.0))
    });
}
