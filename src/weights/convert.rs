//! From the bytes of a tensor to `f32`, and the refusal of anything that is not a finite number.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// Element types that a checkpoint may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// The upper half of an `f32`.
    Bf16,
    /// IEEE 754 double precision; rounded to `f32`.
    F64,
    /// Integers and booleans of this many bytes: counters, never weights.
    Integer(u8),
    /// Complex numbers of this many bytes: no weights of a network known here.
    Complex(u8),
}

impl Dtype {
    /// Bytes of one element.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::F64 => 8,
            Self::Integer(bytes) | Self::Complex(bytes) => bytes as usize,
        }
    }

    /// Whether it holds real numbers, as weights are.
    pub(super) const fn is_real(self) -> bool {
        !matches!(self, Self::Integer(_) | Self::Complex(_))
    }
}

/// Whether something is kept under this name that inference and training of a head have no use for, so that it is neither
/// read nor asked for: a batch norm's step counter, what thop counted (`total_ops`), a module's state that is no tensor of
/// its own (`_extra_state`).
pub(super) fn is_counter(name: &str) -> bool {
    const KEPT: [&str; 4] = [
        "num_batches_tracked",
        "total_ops",
        "total_params",
        "_extra_state",
    ];
    KEPT.contains(&name.rsplit('.').next().unwrap_or(name))
}

/// Elements converted at a time: small enough to stay in the first-level cache.
const BLOCK: usize = 1024;

/// Little-endian `bytes` as `f32`.
///
/// # Errors
/// The reason, without the tensor's name: integers, a length that is no multiple of the element, NaN,
/// infinity, or a double beyond `f32`.
pub(super) fn to_f32(dtype: Dtype, bytes: &[u8]) -> Result<Vec<f32>, String> {
    let values = numbers(dtype, bytes)?;
    check_finite(&values)?;
    Ok(values)
}

/// The same, whatever the numbers are.
///
/// # Errors
/// The reason, without the tensor's name: integers, or a length that is no multiple of the element.
pub(crate) fn numbers(dtype: Dtype, bytes: &[u8]) -> Result<Vec<f32>, String> {
    if !bytes.len().is_multiple_of(dtype.size()) {
        return Err(format!(
            "{} bytes do not divide into elements of {}",
            bytes.len(),
            dtype.size()
        ));
    }
    Ok(match dtype {
        Dtype::F32 => (bytes.as_chunks::<4>().0.iter())
            .map(|b| f32::from_le_bytes(*b))
            .collect(),
        Dtype::F64 => (bytes.as_chunks::<8>().0.iter())
            .map(|b| f64::from_le_bytes(*b) as f32)
            .collect(),
        Dtype::F16 => halves(bytes, f16::from_bits),
        Dtype::Bf16 => halves(bytes, bf16::from_bits),
        Dtype::Integer(_) => return Err("holds integers; floating point is expected".into()),
        Dtype::Complex(_) => return Err("holds complex numbers; real ones are expected".into()),
    })
}

/// Two-byte floats, a block at a time, so that `half` can use the processor's own conversion.
fn halves<H: Copy>(bytes: &[u8], from_bits: impl Fn(u16) -> H) -> Vec<f32>
where
    [H]: HalfFloatSliceExt,
{
    let source = bytes.as_chunks::<2>().0;
    let mut values = vec![0.0; source.len()];
    let mut block = [from_bits(0); BLOCK];
    for (from, to) in source.chunks(BLOCK).zip(values.chunks_mut(BLOCK)) {
        let block = &mut block[..from.len()];
        for (half, raw) in block.iter_mut().zip(from) {
            *half = from_bits(u16::from_le_bytes(*raw));
        }
        block.convert_to_f32_slice(to);
    }
    values
}

/// Refuses NaN and infinity: one of them makes every later number NaN, far from its cause.
///
/// # Errors
/// The reason, with the element's place in row-major order.
pub(crate) fn check_finite(values: &[f32]) -> Result<(), String> {
    // Without an early exit within a block, which lets the compiler test many values at once.
    let sound = |block: &[f32]| block.iter().fold(true, |all, v| all & v.is_finite());
    if values.chunks(BLOCK).all(sound) {
        return Ok(());
    }
    let (index, value) = (values.iter().enumerate())
        .find(|(_, v)| !v.is_finite())
        .unwrap_or((0, &f32::NAN));
    Err(format!("element {index} is {value}, not a finite number"))
}
