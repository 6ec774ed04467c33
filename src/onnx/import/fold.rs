//! Nodes that take constants only: shapes that are put together, weights that are reshaped.

use std::rc::Rc;

use super::constant::{Const, Data, MOST_AXES};
use super::node::{Fault, View, counted, unknown};
use crate::onnx::proto::data_type;
use crate::weights::Dtype;

/// Most elements of what is computed; what is only reshaped may have any number.
const MOST: usize = 1 << 16;

/// Computes the node.
///
/// # Errors
/// If it is not known, or its inputs do not fit.
pub(super) fn fold(view: &View<'_>) -> Result<Const, Fault> {
    let Some(x) = view.constant(0) else {
        return unknown("");
    };
    match view.op() {
        "Identity" => Ok(x.clone()),
        "Cast" => cast(x, view.int("to", 0)),
        "Reshape" => {
            let Some(to) = view
                .constant(1)
                .and_then(Const::as_ints)
                .or(view.ints("shape"))
            else {
                return unknown("");
            };
            let shape = resolve(&x.shape, to, view.int("allowzero", 0) != 0);
            shape.map_or_else(
                || unknown("sizes that do not fit"),
                |shape| Ok(x.reshaped(shape)),
            )
        }
        "Squeeze" => {
            let axes = view.axes(1, x.shape.len())?;
            Ok(x.reshaped(squeezed(&x.shape, axes.as_deref())))
        }
        "Unsqueeze" => {
            let axes = view.new_axes(x.shape.len())?;
            Ok(x.reshaped(unsqueezed(&x.shape, &axes)))
        }
        "Transpose" => transposed(x, view.ints("perm")),
        "Concat" => concat(view),
        "Gather" => gather(x, view),
        "Slice" => sliced(x, view),
        "ConstantOfShape" => {
            let value = view.get("value").and_then(|a| a.t.clone());
            let value = value.map(|mut t| Const::read(&mut t)).transpose();
            let value = value.map_err(Fault::Broken)?;
            let sizes = x
                .as_ints()
                .unwrap_or(&[])
                .iter()
                .map(|n| usize::try_from(*n).ok());
            let shape: Option<Vec<usize>> = sizes.collect();
            let count = shape
                .as_ref()
                .and_then(|s| s.iter().try_fold(1usize, |n, d| n.checked_mul(*d)));
            let (Some(shape), Some(count)) = (shape, count.filter(|n| *n <= MOST)) else {
                return unknown("");
            };
            let number = value.as_ref().and_then(Const::scalar).unwrap_or(0.0);
            let whole = value.as_ref().is_some_and(|v| v.as_ints().is_some());
            Ok(build(shape, vec![number; count], whole))
        }
        "Ceil" | "Floor" | "Neg" | "Sqrt" | "Reciprocal" | "Relu" => {
            let f = match view.op() {
                "Ceil" => f64::ceil,
                "Floor" => f64::floor,
                "Sqrt" => f64::sqrt,
                "Reciprocal" => f64::recip,
                "Relu" => |v: f64| v.max(0.0),
                _ => |v: f64| -v,
            };
            let values = small(x)?.iter().map(|v| f(*v)).collect();
            Ok(build(x.shape.clone(), values, x.as_ints().is_some()))
        }
        "Clip" => {
            let bound = |at: usize, name: &str, otherwise: f64| {
                view.constant(at)
                    .and_then(Const::scalar)
                    .unwrap_or_else(|| view.float(name, otherwise))
            };
            let (low, high) = (bound(1, "min", f64::MIN), bound(2, "max", f64::MAX));
            let values = small(x)?.iter().map(|v| v.max(low).min(high)).collect();
            Ok(build(x.shape.clone(), values, x.as_ints().is_some()))
        }
        "Add" | "Sub" | "Mul" | "Div" | "Max" | "Min" => binary(x, view),
        _ => unknown(""),
    }
}

fn build(shape: Vec<usize>, values: Vec<f64>, whole: bool) -> Const {
    if whole {
        Const::ints(shape, values.iter().map(|v| *v as i64).collect())
    } else {
        Const::floats(shape, values.iter().map(|v| *v as f32).collect())
    }
}

/// The elements of what is not large.
fn small(x: &Const) -> Result<Vec<f64>, Fault> {
    if x.len() > MOST {
        return unknown("of a large constant");
    }
    Ok((0..x.len()).filter_map(|at| x.at(at)).collect())
}

fn cast(x: &Const, to: i64) -> Result<Const, Fault> {
    let Ok(to) = i32::try_from(to) else {
        return unknown("");
    };
    match (to, &x.data) {
        // A half that is stored to save space.
        (
            data_type::FLOAT | data_type::DOUBLE | data_type::FLOAT16 | data_type::BFLOAT16,
            Data::Floats(_),
        )
        | (data_type::INT64 | data_type::INT32, Data::Ints(_)) => Ok(x.clone()),
        (data_type::FLOAT | data_type::DOUBLE, Data::Ints(_)) => {
            Ok(build(x.shape.clone(), small(x)?, false))
        }
        (data_type::INT64 | data_type::INT32, Data::Floats(_)) => {
            Ok(build(x.shape.clone(), small(x)?, true))
        }
        _ => unknown(format!("to type {to}")),
    }
}

/// The sizes that a `Reshape` gives: 0 is the size that was, -1 what is left.
pub(super) fn resolve(from: &[usize], to: &[i64], zero_is_zero: bool) -> Option<Vec<usize>> {
    if to.len() > MOST_AXES {
        return None;
    }
    let total = from.iter().try_fold(1usize, |n, d| n.checked_mul(*d))?;
    let mut shape = Vec::with_capacity(to.len());
    let mut open = None;
    for (at, &n) in to.iter().enumerate() {
        shape.push(match n {
            -1 if open.replace(at).is_none() => 1,
            0 if !zero_is_zero => *from.get(at)?,
            n => usize::try_from(n).ok()?,
        });
    }
    let known = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d))?;
    if let Some(at) = open {
        shape[at] = total.checked_div(known)?;
    }
    let all = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d))?;
    (all == total).then_some(shape)
}

/// Sizes without these axes, or without all that are 1.
pub(super) fn squeezed(shape: &[usize], axes: Option<&[usize]>) -> Vec<usize> {
    let goes = |at: usize, n: usize| n == 1 && axes.is_none_or(|axes| axes.contains(&at));
    let kept = shape.iter().enumerate().filter(|(at, n)| !goes(*at, **n));
    kept.map(|(_, n)| *n).collect()
}

/// Sizes with 1 at these axes of the result.
pub(super) fn unsqueezed(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    let mut rest = shape.iter();
    let mut out = Vec::new();
    for at in 0..shape.len() + axes.len() {
        out.push(if axes.contains(&at) {
            1
        } else {
            rest.next().copied().unwrap_or(1)
        });
    }
    out
}

/// Elements from one place of each axis to the next.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for at in (1..shape.len()).rev() {
        // Of what has no elements, sizes may be any.
        strides[at - 1] = strides[at].wrapping_mul(shape[at]);
    }
    strides
}

/// Where the elements of a shape lie that takes these steps in another, row-major.
fn places(shape: &[usize], steps: &[usize]) -> Vec<usize> {
    if shape.contains(&0) {
        return Vec::new();
    }
    let mut places = vec![0];
    for (size, step) in shape.iter().zip(steps) {
        let each = |place: usize| (0..*size).map(move |at| place + at * step);
        places = places.into_iter().flat_map(each).collect();
    }
    places
}

/// The elements at these places.
fn picked(x: &Const, shape: Vec<usize>, places: &[usize]) -> Const {
    let mut out = x.reshaped(shape);
    out.data = match &x.data {
        Data::Floats(values) => {
            let values = places.iter().filter_map(|at| values.get(*at).copied());
            Data::Floats(values.collect::<Vec<_>>().into())
        }
        Data::Ints(values) => {
            let values = places.iter().filter_map(|at| values.get(*at).copied());
            Data::Ints(values.collect::<Vec<_>>().into())
        }
    };
    out
}

fn transposed(x: &Const, perm: Option<&[i64]>) -> Result<Const, Fault> {
    let rank = x.shape.len();
    let order: Vec<usize> = match perm {
        Some(perm) => perm
            .iter()
            .filter_map(|axis| counted(*axis, rank))
            .collect(),
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() {
        return unknown("");
    }
    if let (&[rows, columns], [1, 0], Data::Floats(values)) = (&x.shape[..], &order[..], &x.data) {
        // Weights may be large.
        let column = |at: usize| values[at..].iter().step_by(columns).copied();
        let mut out = x.reshaped(vec![columns, rows]);
        let values: Vec<f32> = match rows {
            0 => Vec::new(),
            _ => (0..columns).flat_map(column).collect(),
        };
        out.data = Data::Floats(Rc::new(values));
        return Ok(out);
    }
    small(x)?;
    let of_x = strides(&x.shape);
    let shape: Vec<usize> = order.iter().map(|axis| x.shape[*axis]).collect();
    let steps: Vec<usize> = order.iter().map(|axis| of_x[*axis]).collect();
    let places = places(&shape, &steps);
    Ok(picked(x, shape, &places))
}

fn concat(view: &View<'_>) -> Result<Const, Fault> {
    let parts: Option<Vec<&Const>> = (0..view.node.input.len())
        .map(|at| view.constant(at))
        .collect();
    let (Some(parts), 0) = (parts, view.int("axis", 0)) else {
        return unknown("of constants");
    };
    let rest = parts[0].shape.get(1..);
    if rest.is_none() || parts.iter().any(|part| part.shape.get(1..) != rest) {
        return unknown("of constants that do not fit");
    }
    let mut values = Vec::new();
    for part in &parts {
        values.extend(small(part)?);
        if values.len() > MOST {
            return unknown("of large constants");
        }
    }
    let mut shape = parts[0].shape.clone();
    shape[0] = parts.iter().map(|part| part.shape[0]).sum();
    Ok(build(
        shape,
        values,
        parts.iter().all(|part| part.as_ints().is_some()),
    ))
}

fn gather(x: &Const, view: &View<'_>) -> Result<Const, Fault> {
    let (Some(indices), Some(size), 0) = (view.constant(1), x.shape.first(), view.int("axis", 0))
    else {
        return unknown("of a constant");
    };
    small(x)?;
    let row = x.len() / size.max(&1);
    let at = indices
        .as_ints()
        .unwrap_or(&[])
        .iter()
        .map(|at| counted(*at, *size));
    let rows: Option<Vec<usize>> = at.collect();
    let Some(rows) = rows.filter(|rows| rows.len().saturating_mul(row) <= MOST) else {
        return unknown("of a constant");
    };
    let places: Vec<usize> = rows
        .iter()
        .flat_map(|at| at * row..(at + 1) * row)
        .collect();
    let shape = [&indices.shape[..], &x.shape[1..]].concat();
    Ok(picked(x, shape, &places))
}

fn sliced(x: &Const, view: &View<'_>) -> Result<Const, Fault> {
    small(x)?;
    if x.len() == 0 {
        return unknown("of no elements");
    }
    let rank = x.shape.len();
    let part = |at: usize, name: &str| {
        view.constant(at)
            .and_then(Const::as_ints)
            .or(view.ints(name))
    };
    let (Some(starts), Some(ends)) = (part(1, "starts"), part(2, "ends")) else {
        return unknown("of a constant");
    };
    let axes = match view.axes(3, rank)? {
        Some(axes) => axes,
        None => (0..starts.len().min(rank)).collect(),
    };
    let steps = part(4, "steps");
    let mut out = x.clone();
    for (at, axis) in axes.into_iter().enumerate() {
        let (Some(&start), Some(&end)) = (starts.get(at), ends.get(at)) else {
            return unknown("of a constant");
        };
        let step = steps.and_then(|steps| steps.get(at).copied()).unwrap_or(1);
        let size = out.shape[axis] as i64;
        let from_front = |n: i64| if n < 0 { n.saturating_add(size) } else { n };
        let mut rows = Vec::new();
        if step > 0 {
            let (mut at, end) = (
                from_front(start).clamp(0, size),
                from_front(end).clamp(0, size),
            );
            while at < end {
                rows.push(at as usize);
                at = at.saturating_add(step);
            }
        } else if step < 0 {
            let (mut at, end) = (
                from_front(start).clamp(-1, size - 1),
                from_front(end).clamp(-1, size - 1),
            );
            while at > end {
                rows.push(at as usize);
                at = at.saturating_add(step);
            }
        }
        let of_out = strides(&out.shape);
        let mut shape = out.shape.clone();
        shape[axis] = 1;
        let bases = places(&shape[..=axis], &of_out[..=axis]);
        let inner = of_out[axis];
        let places: Vec<usize> = (bases.iter())
            .flat_map(|base| {
                rows.iter().flat_map(move |row| {
                    let begin = base + row * inner;
                    begin..begin + inner
                })
            })
            .collect();
        shape[axis] = rows.len();
        out = picked(&out, shape, &places);
    }
    Ok(out)
}

fn binary(x: &Const, view: &View<'_>) -> Result<Const, Fault> {
    let (Some(y), None) = (view.constant(1), view.constant(2)) else {
        return unknown("of constants");
    };
    let (a, b) = (small(x)?, small(y)?);
    let rank = x.shape.len().max(y.shape.len());
    let size = |c: &Const, at: usize| {
        let missing = rank - c.shape.len();
        if at < missing {
            1
        } else {
            c.shape[at - missing]
        }
    };
    let mut shape = Vec::with_capacity(rank);
    for at in 0..rank {
        shape.push(match (size(x, at), size(y, at)) {
            (n, 1) => n,
            (1, n) => n,
            (n, m) if n == m => n,
            _ => return unknown("of constants that do not fit"),
        });
    }
    let count = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    if count.is_none_or(|n| n > MOST) {
        return unknown("of large constants");
    }
    let steps = |c: &Const| {
        let own = strides(&c.shape);
        let missing = rank - c.shape.len();
        let step = |at: usize| {
            if size(c, at) == 1 {
                0
            } else {
                own[at - missing]
            }
        };
        (0..rank).map(step).collect::<Vec<_>>()
    };
    let whole = x.as_ints().is_some() && y.as_ints().is_some();
    let pairs = places(&shape, &steps(x))
        .into_iter()
        .zip(places(&shape, &steps(y)));
    let compute = |(i, j): (usize, usize)| {
        let (a, b) = (a[i], b[j]);
        match view.op() {
            "Add" => a + b,
            "Sub" => a - b,
            "Mul" => a * b,
            "Max" => a.max(b),
            "Min" => a.min(b),
            // Whole numbers are cut towards zero when they are kept as such.
            _ => a / b,
        }
    };
    Ok(build(shape, pairs.map(compute).collect(), whole))
}

/// The sizes of a value as a constant.
pub(super) fn shape_of(sizes: &[usize], view: &View<'_>) -> Const {
    let rank = sizes.len() as i64;
    let place = |n: i64| (if n < 0 { n.saturating_add(rank) } else { n }).clamp(0, rank) as usize;
    let (start, end) = (place(view.int("start", 0)), place(view.int("end", rank)));
    let part = sizes.get(start..end).unwrap_or(&[]);
    let mut out = Const::ints(vec![part.len()], part.iter().map(|n| *n as i64).collect());
    out.dtype = Dtype::Integer(8);
    out
}
