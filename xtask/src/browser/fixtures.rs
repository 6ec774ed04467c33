//! The files the tests give to the page, made anew for every run: good images, bad ones, data sets and
//! checkpoints.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::{ImageFormat, RgbImage};
use safetensors::tensor::{Dtype, TensorView};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Colours of the classes the generated data sets have; far enough apart for any head.
pub const CLASSES: [(&str, [u8; 3]); 3] = [
    ("brick", [190, 70, 50]),
    ("grass", [60, 150, 60]),
    ("water", [40, 90, 190]),
];

/// A picture with a gradient of `tint`; `seed` makes each one different.
pub fn picture(tint: [u8; 3], seed: u32) -> RgbImage {
    RgbImage::from_fn(96, 64, |x, y| {
        let shade = (x * 3 + y * 5 + seed * 37) % 64;
        image::Rgb(tint.map(|c| c.saturating_add(shade as u8)))
    })
}

/// That picture in a file format.
pub fn encoded(tint: [u8; 3], seed: u32, format: ImageFormat) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture(tint, seed).write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = dir.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// One image of every format the page opens.
pub fn good_images(dir: &Path) -> Result<Vec<PathBuf>> {
    [
        ("photo.jpg", ImageFormat::Jpeg),
        ("photo.png", ImageFormat::Png),
        ("photo.webp", ImageFormat::WebP),
        ("photo.gif", ImageFormat::Gif),
        ("photo.bmp", ImageFormat::Bmp),
        ("photo.tiff", ImageFormat::Tiff),
    ]
    .into_iter()
    .zip(0..)
    .map(|((name, format), seed)| write(dir, name, &encoded(CLASSES[1].1, seed, format)?))
    .collect()
}

/// Files that are no images, or none that may be opened.
pub fn bad_images(dir: &Path) -> Result<Vec<PathBuf>> {
    let jpeg = encoded(CLASSES[0].1, 0, ImageFormat::Jpeg)?;
    let png = encoded(CLASSES[0].1, 0, ImageFormat::Png)?;
    let files: [(&str, &[u8]); 7] = [
        ("letter.jpg", b"Dear Sir or Madam,\nthis is not a photo.\n"),
        ("cut.jpg", &jpeg[..jpeg.len() / 2]),
        ("cut.png", &png[..png.len() / 2]),
        ("nothing.png", b""),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1"),
        (
            "drawing.svg",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>",
        ),
        ("huge.png", &png_claiming(20_000, 15_000)?),
    ];
    files
        .into_iter()
        .map(|(name, bytes)| write(dir, name, bytes))
        .collect()
}

/// A small PNG whose header, with a right checksum, states another size.
fn png_claiming(width: u32, height: u32) -> Result<Vec<u8>> {
    // 8 bytes of signature; then IHDR: length, name, width, height, five more bytes, CRC of name to end.
    const HEADER: std::ops::Range<usize> = 12..29;
    let mut png = encoded(CLASSES[0].1, 0, ImageFormat::Png)?;
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32fast::hash(&png[HEADER]);
    png[HEADER.end..HEADER.end + 4].copy_from_slice(&crc.to_be_bytes());
    Ok(png)
}

/// A folder with one subfolder a class.
pub fn folder(dir: &Path, classes: usize, per_class: u32) -> Result<PathBuf> {
    for (class, tint) in &CLASSES[..classes] {
        for i in 0..per_class {
            let bytes = encoded(*tint, i, ImageFormat::Jpeg)?;
            write(dir, &format!("{class}/{i}.jpg"), &bytes)?;
        }
    }
    Ok(dir.to_owned())
}

/// A flat folder of images with a table that has two columns that divide the images: `label` into two classes, `weather` into four.
pub fn folder_with_table(dir: &Path, images: u32) -> Result<()> {
    let mut table = String::from("picture;label;weather\n");
    for i in 0..images {
        let (class, tint) = CLASSES[i as usize % 2];
        let weather = ["sun", "rain", "fog", "snow"][i as usize / 2 % 4];
        write(
            dir,
            &format!("img_{i}.jpg"),
            &encoded(tint, i, ImageFormat::Jpeg)?,
        )?;
        table.push_str(&format!("img_{i};{class};{weather}\n"));
    }
    write(dir, "labels.csv", table.as_bytes())?;
    Ok(())
}

/// The same picture as an AVIF, and as a PNG of what Pillow decodes it to.
pub fn avif_and_png(dir: &Path) -> Result<Vec<PathBuf>> {
    let avif = include_bytes!("../../../tests/fixtures/page/photo.avif");
    let png = include_bytes!("../../../tests/fixtures/page/photo.png");
    Ok(vec![
        write(dir, "scene.avif", avif)?,
        write(dir, "scene.png", png)?,
    ])
}

/// A folder of two classes, of which one is all AVIF.
pub fn avif_folder(dir: &Path) -> Result<()> {
    folder(dir, 1, 4)?;
    let [avif, _] = avif_and_png(dir)?.try_into().unwrap_or_default();
    let scene = dir.join("scene");
    fs::create_dir_all(&scene)?;
    for i in 0..4 {
        fs::copy(&avif, scene.join(format!("{i}.avif")))?;
    }
    fs::remove_file(avif)?;
    Ok(fs::remove_file(dir.join("scene.png"))?)
}

/// What [`kaggle_zip`] puts in besides good images: a damaged one, and one that leads out of the archive.
pub const ZIP_BAD: [&str; 2] = ["seg_train/seg_train/brick/damaged.jpg", "../escape.jpg"];

/// A zip in the layout of Kaggle's Intel archive.
pub fn kaggle_zip(dir: &Path, train: u32, test: u32) -> Result<PathBuf> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    let mut add = |name: &str, bytes: &[u8]| -> Result<()> {
        zip.start_file(name, options)?;
        Ok(zip.write_all(bytes)?)
    };
    for (class, tint) in CLASSES {
        for i in 0..train {
            add(
                &format!("seg_train/seg_train/{class}/{i}.jpg"),
                &encoded(tint, i, ImageFormat::Jpeg)?,
            )?;
        }
        for i in train..train + test {
            add(
                &format!("seg_test/seg_test/{class}/{i}.jpg"),
                &encoded(tint, i, ImageFormat::Jpeg)?,
            )?;
        }
    }
    add(
        "seg_pred/seg_pred/1.jpg",
        &encoded([200; 3], 99, ImageFormat::Jpeg)?,
    )?;
    add(ZIP_BAD[0], b"no JPEG at all")?;
    add(ZIP_BAD[1], &encoded([90; 3], 98, ImageFormat::Jpeg)?)?;
    write(dir, "archive.zip", &zip.finish()?.into_inner())
}

/// A `.safetensors` whose header promises more than there is.
pub fn corrupt_safetensors(dir: &Path) -> Result<PathBuf> {
    let header = br#"{"conv1.weight":{"dtype":"F32","shape":[64,3,7,7],"data_offsets":[0,37632]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend([0; 100]);
    write(dir, "corrupt.safetensors", &bytes)
}

/// A `.pth` whose pickle asks for `os.system("touch owned")`.
pub fn malicious_pth(dir: &Path) -> Result<PathBuf> {
    // c: push a global; ( V .. t: a tuple of one string; R: call it; . : end
    let pickle = b"\x80\x02cos\nsystem\n(Vtouch owned\ntR.";
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("archive/data.pkl", stored)?;
    zip.write_all(pickle)?;
    zip.start_file("archive/version", stored)?;
    zip.write_all(b"3\n")?;
    write(dir, "malicious.pth", &zip.finish()?.into_inner())
}

/// A ResNet-18 with 1000 classes as timm saves it.
pub fn imagenet_resnet18() -> Result<Vec<u8>> {
    let tensors = resnet18(1000);
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(safetensors::serialize(views, None)?)
}

/// `model.pt`: a ResNet-18 with so many classes as `torch.save(model.state_dict(), "model.pt")` writes it.
pub fn torch_resnet18(dir: &Path, classes: usize) -> Result<PathBuf> {
    torch_file(dir, "model.pt", &resnet18(classes))
}

/// The same without its last layer.
pub fn torch_backbone(dir: &Path) -> Result<PathBuf> {
    let mut tensors = resnet18(2);
    tensors.retain(|(name, ..)| !name.starts_with("fc."));
    torch_file(dir, "backbone.pt", &tensors)
}

fn torch_file(dir: &Path, file: &str, tensors: &[Tensor]) -> Result<PathBuf> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("model/data.pkl", stored)?;
    zip.write_all(&state_dict_pickle(tensors))?;
    for (key, (_, _, bytes)) in tensors.iter().enumerate() {
        zip.start_file(format!("model/data/{key}"), stored)?;
        zip.write_all(bytes)?;
    }
    zip.start_file("model/version", stored)?;
    zip.write_all(b"3\n")?;
    write(dir, file, &zip.finish()?.into_inner())
}

/// The pickle (protocol 2) of a dict of tensors: tensor i is all of storage i.
fn state_dict_pickle(tensors: &[Tensor]) -> Vec<u8> {
    let text = |text: &str| {
        let length = text.len() as u32;
        [b"X", &length.to_le_bytes()[..], text.as_bytes()].concat()
    };
    let int = |n: usize| [b"J", &(n as i32).to_le_bytes()[..]].concat();
    let tuple = |items: &[Vec<u8>]| [b"(", &items.concat()[..], b"t"].concat();
    let mut pickle = b"\x80\x02}(".to_vec();
    for (key, (name, shape, bytes)) in tensors.iter().enumerate() {
        let storage = tuple(&[
            text("storage"),
            b"ctorch\nFloatStorage\n".to_vec(),
            text(&key.to_string()),
            text("cpu"),
            int(bytes.len() / 4),
        ]);
        let mut strides = vec![1; shape.len()];
        for d in (1..shape.len()).rev() {
            strides[d - 1] = strides[d] * shape[d];
        }
        let ints = |list: &[usize]| tuple(&list.iter().map(|n| int(*n)).collect::<Vec<_>>());
        let arguments = tuple(&[
            [&storage[..], b"Q"].concat(),
            int(0),
            ints(shape),
            ints(&strides),
            b"\x89".to_vec(),
            b"ccollections\nOrderedDict\n)R".to_vec(),
        ]);
        pickle.extend(text(name));
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n");
        pickle.extend(arguments);
        pickle.push(b'R');
    }
    pickle.extend(b"u.");
    pickle
}

/// Name, shape, little-endian f32.
type Tensor = (String, Vec<usize>, Vec<u8>);

/// A ResNet-18 in torchvision's names, with small made-up weights.
fn resnet18(classes: usize) -> Vec<Tensor> {
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    let mut layer = |conv: &str, norm: &str, shape: [usize; 4]| {
        shapes.push((format!("{conv}.weight"), shape.to_vec()));
        for part in ["weight", "bias", "running_mean", "running_var"] {
            shapes.push((format!("{norm}.{part}"), vec![shape[0]]));
        }
    };
    layer("conv1", "bn1", [64, 3, 7, 7]);
    let mut input = 64;
    for (stage, width) in [64, 128, 256, 512].into_iter().enumerate() {
        for block in 0..2 {
            let name = format!("layer{}.{block}", stage + 1);
            layer(
                &format!("{name}.conv1"),
                &format!("{name}.bn1"),
                [width, input, 3, 3],
            );
            layer(
                &format!("{name}.conv2"),
                &format!("{name}.bn2"),
                [width, width, 3, 3],
            );
            if input != width {
                let shape = [width, input, 1, 1];
                layer(
                    &format!("{name}.downsample.0"),
                    &format!("{name}.downsample.1"),
                    shape,
                );
            }
            input = width;
        }
    }
    shapes.push(("fc.weight".into(), vec![classes, 512]));
    shapes.push(("fc.bias".into(), vec![classes]));

    shapes
        .into_iter()
        .map(|(name, shape)| {
            let count: usize = shape.iter().product();
            let fan_in = shape.iter().skip(1).product::<usize>().max(1) as f32;
            let variance =
                name.ends_with("running_var") || (shape.len() == 1 && name.ends_with(".weight"));
            let bytes: Vec<u8> = (0..count)
                .map(|i| match variance {
                    true => 1.0,
                    false => {
                        ((i * 7919 % 2001) as f32 / 1000.0 - 1.0) / fan_in.sqrt()
                            * f32::from(shape.len() > 1)
                    }
                })
                .flat_map(f32::to_le_bytes)
                .collect();
            (name, shape, bytes)
        })
        .collect()
}
