//! A street: each pixel is followed to the house front or the road that it shows, then cars, people and
//! lamps are set in.

use super::canvas::{Canvas, Color, Noise, chance, fract, mix, pick, range, rgb, shade, smooth};
use super::nature::sky;
use super::town::{Front, SKIES};
use crate::random::Random;

/// What stands still in a street. Lengths are in metres, the eye is at (0, `eye`, 0).
struct Street {
    /// The vanishing point.
    vanish: [f32; 2],
    eye: f32,
    /// Half the width of the roadway, and of the space between the houses.
    road: f32,
    walls: f32,
}

/// Pixels of the picture's width that a metre takes at a distance of one.
const LENS: f32 = 0.8;

impl Street {
    /// Where a point at `side` metres to the right, `up` above the road and `far` away is seen.
    fn project(&self, side: f32, up: f32, far: f32) -> [f32; 2] {
        [
            self.vanish[0] + side * LENS / far,
            self.vanish[1] + (self.eye - up) * LENS / far,
        ]
    }
}

/// A road between houses, cars, lamps and people on it.
pub(super) fn street(canvas: &mut Canvas, random: &mut Random, noise: &Noise) {
    let colors = pick(random, &SKIES).unwrap_or(SKIES[0]);
    let road = range(random, 2.8, 5.0);
    let view = Street {
        vanish: [range(random, 0.36, 0.64), range(random, 0.42, 0.56)],
        eye: range(random, 1.7, 3.2),
        road,
        walls: road + range(random, 1.6, 3.2),
    };
    let cover = range(random, 0.0, 0.6);
    sky(canvas, noise, colors, view.vanish[1], cover);
    houses(canvas, random, noise, &view, colors[1]);
    roadway(canvas, random, noise, &view);
    let mut things: Vec<(f32, u8)> = Vec::new();
    for _ in 0..4 + random.below(6) {
        things.push((range(random, 6.0, 34.0), 0));
    }
    for _ in 0..4 + random.below(8) {
        things.push((range(random, 5.0, 26.0), 1));
    }
    for lamp in 0..4 {
        things.push((8.0 + 9.0 * lamp as f32, 2));
    }
    // From far to near, so that the near ones hide the far ones.
    things.sort_by(|a, b| b.0.total_cmp(&a.0));
    let parked = chance(random, 0.6);
    for (far, kind) in things {
        match kind {
            0 => car(canvas, random, &view, far, parked, colors[1]),
            1 => person(canvas, random, &view, far, colors[1]),
            _ => lamp(canvas, &view, far, colors[1]),
        }
    }
}

/// Two rows of houses that run to the vanishing point.
fn houses(canvas: &mut Canvas, random: &mut Random, noise: &Noise, view: &Street, haze: Color) {
    let fronts: Vec<(Front, f32)> = (0..16)
        .map(|_| (Front::new(random), range(random, 9.0, 24.0)))
        .collect();
    let plot = range(random, 7.0, 12.0);
    let sunny = if chance(random, 0.5) { 1.0 } else { -1.0 };
    canvas.paint([0.0, 0.0, 1.0, 1.0], |x, y| {
        let across = x - view.vanish[0];
        let far = view.walls * LENS / across.abs().max(1e-3);
        if far > 90.0 {
            // The end of the street, where houses stand across it.
            let up = view.eye - (y - view.vanish[1]) * 90.0 / LENS;
            return (up < 10.0 && y < view.vanish[1] + 0.02)
                .then_some((mix(rgb(0x8a8783), haze, 0.55), 1.0));
        }
        let up = view.eye - (y - view.vanish[1]) * far / LENS;
        let number = (far / plot).floor();
        let side = if across < 0.0 { 0 } else { 8 };
        let (front, height) = fronts[(number as usize % 8) + side];
        if up < 0.0 || up > height {
            return None;
        }
        let light = if across * sunny > 0.0 { 1.0 } else { 0.68 };
        let color = if up < 3.2 {
            // Shops: wide panes under awnings.
            let pane = fract(far / 3.0) > 0.12 && up < 2.5 && up > 0.4;
            let sign = noise.at(number as i32 * 3 + side as i32, front.row);
            if pane {
                mix(front.glass, rgb(0xe8d7a8), sign * 0.5)
            } else {
                shade(front.wall, 0.6 + 0.5 * sign)
            }
        } else if up > height - 0.5 {
            shade(front.wall, 0.7)
        } else {
            front.at(far / 3.0 * 1.3, up / 3.0, haze, noise)
        };
        Some((
            mix(shade(color, light), haze, smooth(10.0, 90.0, far) * 0.7),
            1.0,
        ))
    });
}

/// Asphalt with markings, kerbs and pavements.
fn roadway(canvas: &mut Canvas, random: &mut Random, noise: &Noise, view: &Street) {
    let asphalt = mix(rgb(0x4c4d50), rgb(0x7b7975), range(random, 0.0, 1.0));
    let stone = mix(rgb(0x9b958c), rgb(0xb9b2a6), range(random, 0.0, 1.0));
    let (dashed, zebra) = (chance(random, 0.75), range(random, 6.0, 30.0));
    canvas.paint([0.0, view.vanish[1], 1.0, 1.0], |x, y| {
        let far = view.eye * LENS / (y - view.vanish[1]).max(1e-4);
        let side = (x - view.vanish[0]) * far / LENS;
        if side.abs() > view.walls || far > 90.0 {
            return None;
        }
        let spots = 0.88 + 0.24 * noise.cloud(side * 1.5, far * 0.7, 3);
        let line = dashed && side.abs() < 0.09 && fract(far / 4.0) < 0.5
            || (view.road - 0.35 - side.abs()).abs() < 0.06
            || (far - zebra).abs() < 1.2 && side.abs() < view.road - 0.5 && fract(side) < 0.5;
        let color = if side.abs() > view.road {
            let joint = fract(far / 0.9) < 0.06 || fract(side / 0.9) < 0.06;
            shade(stone, if joint { 0.85 } else { 1.0 })
        } else if side.abs() > view.road - 0.14 {
            shade(stone, 1.15)
        } else if line {
            rgb(0xe4e2da)
        } else {
            asphalt
        };
        Some((
            mix(
                shade(color, spots),
                rgb(0xb9bcc0),
                smooth(12.0, 90.0, far) * 0.6,
            ),
            1.0,
        ))
    });
}

/// A car seen from behind or in front, parked at the kerb or on its lane.
fn car(
    canvas: &mut Canvas,
    random: &mut Random,
    view: &Street,
    far: f32,
    parked: bool,
    haze: Color,
) {
    const PAINTS: [Color; 7] = [
        rgb(0xb3262a),
        rgb(0x1f3f7a),
        rgb(0xe6e6e4),
        rgb(0x22252a),
        rgb(0x9aa0a6),
        rgb(0xd8b02c),
        rgb(0x4d6b57),
    ];
    let paint = pick(random, &PAINTS).unwrap_or(PAINTS[0]);
    let right = if chance(random, 0.5) { 1.0 } else { -1.0 };
    let at = right
        * if parked {
            view.road - 1.1
        } else {
            view.road * 0.5
        };
    let [cx, foot] = view.project(at, 0.0, far);
    let unit = LENS / far;
    let fade = smooth(10.0, 70.0, far) * 0.6;
    let lights = if right > 0.0 {
        rgb(0xd8342a)
    } else {
        rgb(0xfff6d8)
    };
    canvas.ellipse(
        [cx, foot],
        [unit * 1.1, unit * 0.16],
        0.6,
        rgb(0x1c1d1f),
        0.7,
    );
    canvas.paint([cx - unit, foot - unit * 1.6, cx + unit, foot], |x, y| {
        let (side, up) = ((x - cx) / unit, (foot - y) / unit);
        let out = side.abs();
        let color = if up < 0.32 {
            // Wheels at both sides, shadow between.
            if (out - 0.68).abs() < 0.17 {
                rgb(0x17181a)
            } else if up > 0.2 && out < 0.85 {
                rgb(0x2a2b2d)
            } else {
                return None;
            }
        } else if up < 0.9 && out < 0.88 {
            if (up - 0.7).abs() < 0.1 && out > 0.55 {
                lights
            } else if (up - 0.5).abs() < 0.07 && out < 0.25 {
                rgb(0xe8e8e2)
            } else {
                shade(paint, 0.7 + 0.4 * up)
            }
        } else if up < 1.42 && out < 0.88 - (up - 0.9) * 0.5 {
            let pane = up < 1.32 && out < 0.76 - (up - 0.9) * 0.5;
            if pane {
                mix(rgb(0x27313a), haze, (up - 0.9) * 0.7)
            } else {
                shade(paint, 1.1)
            }
        } else {
            return None;
        };
        Some((mix(color, haze, fade), 1.0))
    });
}

/// Someone on the pavement.
fn person(canvas: &mut Canvas, random: &mut Random, view: &Street, far: f32, haze: Color) {
    const CLOTHES: [Color; 6] = [
        rgb(0x2b3440),
        rgb(0x7a2f2f),
        rgb(0x3f5a7a),
        rgb(0x55504a),
        rgb(0xc9c2b4),
        rgb(0x2f4a3a),
    ];
    let side = range(random, view.road + 0.3, view.walls - 0.4)
        * if chance(random, 0.5) { 1.0 } else { -1.0 };
    let [cx, foot] = view.project(side, 0.0, far);
    let unit = LENS / far * range(random, 0.92, 1.06);
    let fade = smooth(10.0, 70.0, far) * 0.6;
    let mut clothes = || {
        mix(
            shade(pick(random, &CLOTHES).unwrap_or(CLOTHES[0]), 0.9),
            haze,
            fade,
        )
    };
    let (coat, legs) = (clothes(), clothes());
    canvas.rect(
        [cx - unit * 0.15, foot - unit * 0.85, cx - unit * 0.02, foot],
        shade(legs, 0.7),
    );
    canvas.rect(
        [cx + unit * 0.02, foot - unit * 0.85, cx + unit * 0.15, foot],
        shade(legs, 0.6),
    );
    canvas.ellipse(
        [cx, foot - unit * 1.1],
        [unit * 0.25, unit * 0.4],
        0.15,
        coat,
        1.0,
    );
    canvas.ellipse(
        [cx, foot - unit * 1.62],
        [unit * 0.12, unit * 0.15],
        0.15,
        mix(rgb(0xb98a6a), haze, fade),
        1.0,
    );
}

/// A pair of street lamps.
fn lamp(canvas: &mut Canvas, view: &Street, far: f32, haze: Color) {
    let color = mix(rgb(0x33373a), haze, smooth(8.0, 60.0, far) * 0.7);
    let unit = LENS / far;
    for side in [-1.0, 1.0] {
        let [x, foot] = view.project(side * (view.road + 0.3), 0.0, far);
        let half = (unit * 0.06).max(0.0015);
        canvas.rect([x - half, foot - unit * 5.6, x + half, foot], color);
        let arm = x - side * unit * 0.7;
        canvas.rect(
            [
                x.min(arm),
                foot - unit * 5.7,
                x.max(arm),
                foot - unit * 5.55,
            ],
            color,
        );
        canvas.ellipse(
            [arm, foot - unit * 5.55],
            [unit * 0.25, unit * 0.12],
            0.2,
            mix(color, rgb(0xfff0c0), 0.6),
            1.0,
        );
    }
}
