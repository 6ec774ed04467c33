//! Buildings, and the fronts that streets have too.

use super::canvas::{Canvas, Color, Noise, chance, fract, mix, pick, range, rgb, shade};
use super::nature::sky;
use crate::random::Random;

pub(super) const SKIES: [[Color; 2]; 5] = [
    [rgb(0x4d8ace), rgb(0xbcd9ee)],
    [rgb(0x8fa9bf), rgb(0xd9e0e5)],
    [rgb(0x6fa3d8), rgb(0xe3ecf1)],
    [rgb(0x5b6d95), rgb(0xeebf94)],
    [rgb(0xb4bec6), rgb(0xe4e7e8)],
];
const WALLS: [Color; 8] = [
    rgb(0xb9a892),
    rgb(0x9b5a45),
    rgb(0xa9adb0),
    rgb(0xd8cdb8),
    rgb(0x7c8790),
    rgb(0xc2885f),
    rgb(0xe2ded4),
    rgb(0x8d7466),
];
const GLASS: [Color; 4] = [rgb(0x3b5568), rgb(0x2a3440), rgb(0x55788f), rgb(0x40444a)];

/// How a front is divided. Lengths are in storeys.
#[derive(Clone, Copy)]
pub(super) struct Front {
    pub wall: Color,
    pub glass: Color,
    /// Width of a window with its share of wall.
    pitch: f32,
    /// Shares of that width and of a storey's height that are window.
    window: [f32; 2],
    /// Share of windows that are lit or have their blinds down.
    bright: f32,
    /// Which row of the noise table says so.
    pub row: i32,
}

impl Front {
    pub fn new(random: &mut Random) -> Self {
        let modern = chance(random, 0.35);
        let wall = pick(random, &WALLS).unwrap_or(WALLS[0]);
        let window = if modern {
            [range(random, 0.78, 0.95), range(random, 0.6, 0.88)]
        } else {
            [range(random, 0.35, 0.6), range(random, 0.45, 0.65)]
        };
        Self {
            wall: shade(wall, range(random, 0.8, 1.08)),
            glass: pick(random, &GLASS).unwrap_or(GLASS[0]),
            pitch: if modern {
                range(random, 0.7, 1.6)
            } else {
                range(random, 0.7, 1.0)
            },
            window,
            bright: range(random, 0.05, 0.35),
            row: random.below(1000) as i32,
        }
    }

    /// The colour at `along` the front and `up` from its foot, both in storeys.
    pub fn at(&self, along: f32, up: f32, sky: Color, noise: &Noise) -> Color {
        let (column, storey) = ((along / self.pitch).floor(), up.floor());
        let (u, v) = (fract(along / self.pitch) - 0.5, fract(up) - 0.52);
        let stain = 0.92 + 0.16 * noise.cloud(along * 0.8, up * 0.8 + 11.0, 3);
        let ledge = if fract(up) < 0.06 { 0.82 } else { 1.0 };
        let wall = shade(self.wall, stain * ledge);
        let [width, height] = [self.window[0] / 2.0, self.window[1] / 2.0];
        if u.abs() > width || v.abs() > height {
            // A frame round the window, light above and dark below.
            let frame = u.abs() < width + 0.05 && v.abs() < height + 0.05;
            return if frame {
                shade(wall, if v > 0.0 { 1.12 } else { 0.8 })
            } else {
                wall
            };
        }
        let kind = noise.at(column as i32 * 7 + self.row, storey as i32 * 5 + self.row);
        let pane = mix(self.glass, sky, 0.15 + 0.5 * kind * (0.5 + v));
        let bar = u.abs() < 0.03 && width < 0.35;
        if bar {
            shade(wall, 1.1)
        } else if kind < self.bright {
            mix(pane, rgb(0xf3e3b5), 0.65)
        } else {
            pane
        }
    }
}

/// House fronts and towers seen from below, filling the picture.
pub(super) fn buildings(canvas: &mut Canvas, random: &mut Random, noise: &Noise) {
    let colors = pick(random, &SKIES).unwrap_or(SKIES[0]);
    let cover = range(random, 0.0, 0.6);
    sky(canvas, noise, colors, 0.9, cover);
    // Verticals run together above: the picture was taken looking up.
    let (lift, middle) = (range(random, 0.0, 0.45), range(random, 0.35, 0.65));
    // A far skyline, then houses from the back to the front.
    let far = mix(rgb(0x7d8994), colors[1], 0.5);
    let shift = random.below(1000) as i32;
    canvas.below(
        |x| 0.45 + 0.3 * noise.at((x * 14.0) as i32, shift),
        |_, _, _| far,
    );
    let count = 2 + random.below(4);
    let mut left = range(random, -0.25, 0.05);
    let mut houses = Vec::new();
    for _ in 0..count {
        let width = range(random, 0.28, 0.62);
        let top = range(random, -0.05, 0.42);
        houses.push((left, width, top));
        left += width * range(random, 0.55, 1.02);
    }
    random.shuffle(&mut houses);
    for (left, width, top) in houses {
        let front = Front::new(random);
        let side = Front {
            wall: shade(front.wall, 0.6),
            glass: shade(front.glass, 0.75),
            ..front
        };
        let storey = range(random, 0.055, 0.11);
        let depth = range(random, 0.1, 0.4);
        let (edge, turn) = (left + width * (1.0 - depth), range(random, 0.0, 0.35));
        let roof = if chance(random, 0.5) {
            range(random, 0.01, 0.03)
        } else {
            0.0
        };
        canvas.paint([0.0, 0.0, 1.0, 1.0], |x, y| {
            // Back to a front without perspective.
            let x = middle + (x - middle) / (1.0 - lift * (1.0 - y) * 0.6);
            if x < left || x > left + width {
                return None;
            }
            // Both faces slope away from the corner between them.
            let (face, away, slope) = if x < edge {
                (front, edge - x, turn * 0.35)
            } else {
                (side, x - edge, turn)
            };
            let high = 1.02 - (1.02 - y) / (1.0 - slope * away).max(0.3);
            if high < top {
                return None;
            }
            let up = (1.02 - high) / storey;
            if high < top + roof {
                return Some((shade(face.wall, 0.75), 1.0));
            }
            let along = away * if x < edge { 1.0 } else { 1.7 } / storey;
            let color = face.at(along, up, colors[1], noise);
            Some((mix(color, colors[1], 0.1 * (1.0 - y)), 1.0))
        });
    }
    if chance(random, 0.35) {
        // Trees at their feet.
        let green = mix(rgb(0x3d5a2a), rgb(0x6f8a3f), range(random, 0.0, 1.0));
        let start = range(random, 0.86, 0.95);
        canvas.below(
            |x| start + 0.12 * (noise.cloud(x * 7.0, 21.0, 3) - 0.5),
            |x, y, depth| {
                shade(
                    green,
                    0.5 + 0.8 * noise.cloud(x * 22.0, y * 22.0, 3) - depth,
                )
            },
        );
    }
}
