//! From a view on a storage to values in row-major order.

use super::super::convert::to_f32;
use super::value::Tensor;

/// Most values of a tensor that repeats elements: a first convolution made of one for gray images has some thousand.
const MAX_EXPANDED: usize = 1 << 20;

/// The values of `tensor`, whose storage has these bytes.
///
/// # Errors
/// The reason, without the tensor's name: a storage of another length than declared, a view that
/// reaches beyond it or is larger than it without repeating its elements, and whatever [`to_f32`] refuses.
pub(super) fn values(tensor: &Tensor, storage: &[u8]) -> Result<Vec<f32>, String> {
    let size = tensor.storage.dtype.size();
    let available = tensor.storage.len;
    if available.checked_mul(size) != Some(storage.len()) {
        return Err(format!(
            "{available} elements declared, {} bytes of {size} each stored",
            storage.len()
        ));
    }
    let len = tensor
        .len()
        .filter(|len| *len <= available || (tensor.is_expanded() && *len <= MAX_EXPANDED))
        .ok_or_else(|| {
            format!(
                "shape {:?} has more values than its storage, {available}",
                tensor.shape
            )
        })?;
    if len == 0 {
        return Ok(Vec::new());
    }
    // The largest index a view reaches; every dimension is at least 1 here.
    let last = (tensor.shape.iter().zip(&tensor.strides))
        .try_fold(tensor.offset, |last, (n, stride)| {
            last.checked_add((n - 1).checked_mul(*stride)?)
        });
    if last.is_none_or(|last| last >= available) {
        return Err(format!(
            "shape {:?} with strides {:?} from {} reaches beyond its storage of {available}",
            tensor.shape, tensor.strides, tensor.offset
        ));
    }
    if is_contiguous(tensor) {
        let begin = tensor.offset * size;
        return to_f32(tensor.storage.dtype, &storage[begin..begin + len * size]);
    }
    to_f32(tensor.storage.dtype, &gather(tensor, storage, len))
}

/// Whether the values already lie in row-major order. The stride of a dimension of size 1 is never used.
fn is_contiguous(tensor: &Tensor) -> bool {
    let mut expected = 1;
    for (n, stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
        if *n != 1 && *stride != expected {
            return false;
        }
        expected *= n;
    }
    true
}

/// Copies the elements of a view that stays within its storage into row-major order.
fn gather(tensor: &Tensor, storage: &[u8], len: usize) -> Vec<u8> {
    let size = tensor.storage.dtype.size();
    let mut packed = Vec::with_capacity(len * size);
    // A dimension of size 1 is never stepped along, so its stride can be anything, even beyond a sum.
    let strides: Vec<usize> = (tensor.shape.iter().zip(&tensor.strides))
        .map(|(n, stride)| if *n == 1 { 0 } else { *stride })
        .collect();
    let mut index = vec![0; strides.len()];
    let mut at = tensor.offset;
    for _ in 0..len {
        packed.extend_from_slice(&storage[at * size..(at + 1) * size]);
        // Counts up like an odometer, the last dimension fastest.
        for d in (0..index.len()).rev() {
            index[d] += 1;
            at += strides[d];
            if index[d] < tensor.shape[d] {
                break;
            }
            at -= strides[d] * index[d];
            index[d] = 0;
        }
    }
    packed
}
