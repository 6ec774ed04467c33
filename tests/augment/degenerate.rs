//! What must not panic.

use retune::config::{Augment, Crop, Edges, Rotation, Turns};
use retune::image::Rgb;
use retune::image::augment::{
    Area, Erased, Padded, View, add_noise, adjust_contrast, crop, crop_padded, cutmix, erase,
    flip_horizontal, flip_vertical, mixup, rotate, translate,
};

use super::{adjust, everything, settings};

#[test]
fn degenerate_images_are_shown_or_refused() {
    let dot = |width: usize, height: usize| Rgb {
        width,
        height,
        pixels: (0..3 * width * height).map(|i| (i * 7) as u8).collect(),
    };
    let padded = Augment {
        crop: Some(Crop::Random { padding: 0.5 }),
        translation: 0.5,
        rotation: Some(Rotation {
            degrees: 180.0,
            turns: Turns::Any,
            edges: Edges::Wrap,
        }),
        ..everything()
    };
    let narrow = Augment {
        crop: Some(Crop::Resized {
            scale: [0.01, 0.01],
            ratio: [5.0, 5.0],
        }),
        ..everything()
    };
    for (width, height) in [(1, 1), (1, 2000), (2000, 1), (2, 3)] {
        let image = dot(width, height);
        for augment in [&everything(), &padded, &narrow] {
            for sample in 0..10 {
                let view = View::draw(augment, 6, sample, 1, width, height);
                for size in [1, 2, 33] {
                    let tensor = view.apply(&image, &settings(size)).expect("a tensor");
                    assert_eq!(tensor.len(), 3 * size * size);
                    assert!(tensor.iter().all(|x| x.is_finite()));
                }
            }
        }
    }
    for angle in [f64::NAN, f64::INFINITY, 1e300, -1e17] {
        for edges in [Edges::Wrap, Edges::Reflect, Edges::Fill] {
            let turned = rotate(&dot(5, 4), angle, edges).expect("a picture");
            assert_eq!(turned.pixels.len(), 60);
            rotate(&dot(1, 1), angle, edges).expect("a picture");
        }
    }
    for by in [isize::MIN, -7, 0, 7, isize::MAX] {
        translate(&dot(1, 3), by, by).expect("a picture");
    }
    crop_padded(&dot(2, 2), usize::MAX, 0, usize::MAX).expect("a picture");
    for factor in [f64::NAN, f64::INFINITY, -3.0, 1e300] {
        for kind in ["brightness", "contrast", "saturation", "hue"] {
            adjust(kind, &dot(3, 3), factor);
        }
    }
    for (width, height) in [(0, 0), (0, 7)] {
        let image = dot(width, height);
        let view = View::draw(&everything(), 6, 0, 1, width, height);
        assert!(view.apply(&image, &settings(32)).is_err());
        assert!(rotate(&image, 3.0, Edges::Wrap).is_err());
        assert_eq!(adjust_contrast(&image, 0.5), image);
    }
    assert!(View::default().apply(&dot(3, 3), &settings(0)).is_err());
}

#[test]
fn what_does_not_fit_is_refused_or_ignored() {
    let image = Rgb {
        width: 4,
        height: 3,
        pixels: vec![9; 36],
    };
    let lying = Rgb {
        width: 5,
        ..image.clone()
    };
    assert!(flip_horizontal(&lying).is_err() && flip_vertical(&lying).is_err());
    assert!(translate(&lying, 1, 1).is_err() && rotate(&lying, 1.0, Edges::Fill).is_err());
    let (white, black) = (
        add_noise(&image, &[2.0; 36]),
        add_noise(&image, &[-2.0; 36]),
    );
    assert!(white.is_ok_and(|i| i.pixels == [255; 36]) && black.is_ok_and(|i| i.pixels == [0; 36]));
    assert!(add_noise(&image, &[f32::NAN; 36]).is_ok());
    assert!(add_noise(&image, &[0.0; 35]).is_err() && add_noise(&lying, &[0.0; 45]).is_err());
    let area = |x, y, width, height| Area {
        x,
        y,
        width,
        height,
    };
    for wrong in [
        area(0, 0, 0, 3),
        area(0, 0, 4, 0),
        area(1, 0, 4, 3),
        area(0, 3, 1, 1),
        area(usize::MAX, 0, 2, 1),
    ] {
        assert!(crop(&image, wrong).is_err(), "{wrong:?}");
    }

    let mut tensor = vec![1.0; 48];
    assert!(erase(&mut tensor, 5, area(0, 0, 1, 1)).is_err());
    for nothing in [
        area(1, 1, 0, 2),
        area(1, 1, 2, 0),
        area(4, 0, 1, 1),
        area(0, usize::MAX, 9, usize::MAX),
    ] {
        erase(&mut tensor, 4, nothing).expect("nothing to do");
    }
    assert_eq!(tensor, [1.0; 48]);
    erase(&mut tensor, 4, area(3, 2, usize::MAX, 9)).expect("the corner");
    assert_eq!(tensor.iter().filter(|x| **x == 0.0).count(), 3 * 2);

    let (mut pixels, mut targets) = (vec![1.0; 96], vec![0.0, 1.0]);
    cutmix(&mut pixels, &mut targets, 4, area(2, 2, 0, 0), &[1, 0]).expect("nothing to do");
    assert_eq!(targets, [0.0, 1.0]);
    assert!(cutmix(&mut pixels, &mut targets, 5, area(0, 0, 1, 1), &[1, 0]).is_err());
    assert!(mixup(&mut pixels, &mut targets, 0.5, &[2, 1, 0, 3, 4]).is_err());
}

#[test]
fn an_erased_rectangle_is_within_the_image_and_never_all_of_it() {
    let most = 1.0 - f64::EPSILON;
    for size in [0, 1, 2, 3, 150] {
        for share in [0.0, 0.3, most, 7.0] {
            for at in [0.0, 0.5, most, 1.0] {
                let erased = Erased {
                    width: share,
                    height: most,
                    at: [at; 2],
                };
                let area = erased.area(size);
                assert!(area.x + area.width <= size && area.y + area.height <= size);
                assert!(area.width * area.height < size.max(1) * size.max(1));
            }
        }
    }
}

#[test]
fn a_padded_crop_reaches_both_ends_of_its_border() {
    let image = Rgb {
        width: 20,
        height: 20,
        pixels: (0..1200).map(|i| (i * 31 % 256) as u8).collect(),
    };
    for (at, shift) in [(0.0, 2), (0.5, 0), (1.0 - f64::EPSILON, -2)] {
        let view = View {
            padded: Some(Padded {
                padding: 0.1,
                at: [at; 2],
            }),
            ..View::default()
        };
        let got = view.apply_rgb(&image, 20).expect("a picture");
        assert_eq!(got, translate(&image, shift, shift).expect("a picture"));
    }
}
