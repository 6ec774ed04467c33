//! The innermost loop of every convolution on the CPU, once per instruction set.
//!
//! ```text
//! out[i][j] = sum over r of a[rows[i] + offsets[r]] * b[r][j]
//! ```
//!
//! One factor is read in place, through two lists of offsets, and each of its values is spread over a vector;
//! the other factor is packed. So no matrix of columns is written: for a 3x3 convolution it would be nine
//! times the image, and filling it took as long as the product. Forward, the rows are pixels, r runs over the weights of an
//! output and j over outputs; in the weight gradient the rows are weights and r runs over pixels.
//!
//! The sums stay in registers throughout, 6 rows of 4 vectors with AVX-512: 24 multiply-adds a step of r for 10
//! loads, where two of either can start in a cycle. Written out by macros rather than loops, because the
//! page is optimised for size and there a loop over registers would be a loop over memory.

use std::cell::Cell;

/// Rows of a tile, at most.
pub const MAX_ROWS: usize = 6;
/// Columns of a tile, at most.
pub const MAX_COLUMNS: usize = 64;

/// What [`Lanes::tile`] reads.
#[derive(Clone, Copy)]
pub struct Operands<'a> {
    /// The factor that is read in place.
    pub a: &'a [f32],
    /// Where each row starts in it.
    pub rows: &'a [u32; MAX_ROWS],
    /// Added to these for each term of the sum.
    pub offsets: &'a [u32],
    /// The packed factor, `[offsets.len(), vectors * WIDTH]`.
    pub b: &'a [f32],
}

/// An instruction set.
pub trait Lanes: Copy + Send + Sync {
    /// Values of a vector.
    const WIDTH: usize;
    /// Rows of a tile.
    const ROWS: usize;
    /// Vectors in a row of a tile, at most.
    const VECTORS: usize;

    /// The sums of a tile, `[ROWS, vectors * WIDTH]`; `vectors` is a power of two.
    ///
    /// # Safety
    /// The machine has the instruction set; `a` reaches to every sum of a row and an offset.
    unsafe fn tile(self, vectors: usize, operands: Operands, out: &mut [f32]);

    /// Runs a loop compiled for the instruction set.
    ///
    /// # Safety
    /// The machine has it.
    unsafe fn compiled<F: SimdLoop>(self, f: F);
}

/// A loop that the compiler turns into vectors; `run` has to be `#[inline(always)]`.
pub trait SimdLoop {
    /// Runs it.
    fn run(self);
}

/// Room for the largest tile.
pub type TileSums = [f32; MAX_ROWS * MAX_COLUMNS];

/// One row of a step: `sums[i][j] += spread * b[j]`.
macro_rules! row {
    ($ops:ident, $sums:ident, $i:literal, $spread:ident, $b:ident, [$($j:literal)*]) => {
        $( $sums[$i][$j] = $ops::fma($spread, $b[$j], $sums[$i][$j]); )*
    };
}

/// A row to memory.
macro_rules! store {
    ($ops:ident, $sums:ident, $i:literal, $out:ident, [$($j:literal)*]) => {
        let width = [$($j),*].len() * $ops::WIDTH;
        $( $ops::store($out.add($i * width + $j * $ops::WIDTH), $sums[$i][$j]); )*
    };
}

/// A function for tiles of so many rows and vectors.
macro_rules! tile {
    ($(#[$attribute:meta])* $name:ident, $ops:ident, [$($i:literal)*], [$($j:literal)*]) => {
        tile!(@ $(#[$attribute])* $name, $ops, [$($i)*], [$($j)*], [$($j)*]);
    };
    (@ $(#[$attribute:meta])* $name:ident, $ops:ident, [$($i:literal)*], [$($j:literal)*], $columns:tt) => {
        $(#[$attribute])*
        unsafe fn $name(operands: Operands, out: &mut [f32]) {
            const VECTORS: usize = [$($j),*].len();
            let Operands { a, rows, offsets, b } = operands;
            assert!(b.len() >= offsets.len() * VECTORS * $ops::WIDTH);
            assert!(out.len() >= [$($i),*].len() * VECTORS * $ops::WIDTH);
            // SAFETY: the caller vouches for `a`; `b` and `out` are long enough.
            unsafe {
                let zero = $ops::spread(0.0);
                let mut sums = [[zero; VECTORS]; [$($i),*].len()];
                let starts = [$(a.as_ptr().add(rows[$i] as usize)),*];
                let mut from = b.as_ptr();
                for &offset in offsets {
                    let b = [$($ops::load(from.add($j * $ops::WIDTH))),*];
                    $(
                        let spread = $ops::spread(*starts[$i].add(offset as usize));
                        row!($ops, sums, $i, spread, b, $columns);
                    )*
                    from = from.add(VECTORS * $ops::WIDTH);
                }
                let out = out.as_mut_ptr();
                $( store!($ops, sums, $i, out, $columns); )*
            }
        }
    };
}

/// An instruction set of x86: its vector, the intrinsics for it, and the tiles by their number of vectors.
macro_rules! x86 {
    (
        $(#[$doc:meta])* $module:ident, $name:ident, $features:literal, $vector:ident of $width:literal,
        [$spread:ident $load:ident $store:ident $fma:ident],
        [$($tile:ident $count:pat => $columns:tt),+], at most $most:literal
    ) => {
        $(#[$doc])*
        #[cfg(target_arch = "x86_64")]
        mod $module {
            use super::*;
            use std::arch::x86_64::{$vector, $fma, $load, $spread, $store};

            /// See [`super::Lanes`].
            #[derive(Clone, Copy)]
            pub struct $name;

            struct Ops;

            impl Ops {
                const WIDTH: usize = $width;
                #[inline]
                #[target_feature(enable = $features)]
                fn spread(x: f32) -> $vector {
                    $spread(x)
                }
                #[inline]
                #[target_feature(enable = $features)]
                unsafe fn load(x: *const f32) -> $vector {
                    unsafe { $load(x) }
                }
                #[inline]
                #[target_feature(enable = $features)]
                unsafe fn store(x: *mut f32, value: $vector) {
                    unsafe { $store(x, value) }
                }
                #[inline]
                #[target_feature(enable = $features)]
                fn fma(a: $vector, b: $vector, c: $vector) -> $vector {
                    $fma(a, b, c)
                }
            }

            $( tile!(#[target_feature(enable = $features)] $tile, Ops, [0 1 2 3 4 5], $columns); )+

            #[target_feature(enable = $features)]
            fn compiled<F: SimdLoop>(f: F) {
                f.run();
            }

            impl Lanes for $name {
                const WIDTH: usize = $width;
                const ROWS: usize = 6;
                const VECTORS: usize = $most;

                unsafe fn compiled<F: SimdLoop>(self, f: F) {
                    // SAFETY: the caller vouches for the instruction set.
                    unsafe { compiled(f) }
                }

                #[inline]
                unsafe fn tile(self, vectors: usize, operands: Operands, out: &mut [f32]) {
                    // SAFETY: as above.
                    unsafe {
                        match vectors {
                            $( $count => $tile(operands, out), )+
                        }
                    }
                }
            }
        }
    };
}

x86!(
    /// AVX-512: 32 registers of 16 values.
    avx512, Avx512, "avx512f", __m512 of 16,
    [_mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_fmadd_ps],
    [one 1 => [0], two 2 => [0 1], four _ => [0 1 2 3]], at most 4
);

x86!(
    /// AVX2: 16 registers of 8 values.
    avx2, Avx2, "avx2,fma", __m256 of 8,
    [_mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_fmadd_ps],
    [one 1 => [0], two _ => [0 1]], at most 2
);

/// Vectors of 4 values, which every machine has; in the browser those of simd128. There a multiply-add is one
/// instruction of relaxed SIMD, which rounds once where the machine can and else twice; for browsers without it,
/// `xtask/src/plain_simd.rs` makes a product and a sum of it, and refuses any other instruction of relaxed SIMD. Four rows
/// a tile: with six, V8 runs out of registers and takes a fifth longer.
mod four {
    use super::*;

    /// See [`super::Lanes`].
    #[derive(Clone, Copy)]
    pub struct Four;

    struct Ops;

    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    mod vector {
        use std::arch::wasm32::{f32x4_relaxed_madd, f32x4_splat, v128, v128_load, v128_store};

        impl super::Ops {
            #[inline(always)]
            pub fn spread(x: f32) -> v128 {
                f32x4_splat(x)
            }
            #[inline(always)]
            pub unsafe fn load(x: *const f32) -> v128 {
                unsafe { v128_load(x.cast()) }
            }
            #[inline(always)]
            pub unsafe fn store(x: *mut f32, value: v128) {
                unsafe { v128_store(x.cast(), value) }
            }
            #[inline]
            #[target_feature(enable = "relaxed-simd")]
            pub fn fma(a: v128, b: v128, c: v128) -> v128 {
                f32x4_relaxed_madd(a, b, c)
            }
        }
    }

    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    mod vector {
        use std::array::from_fn;

        impl super::Ops {
            #[inline(always)]
            pub fn spread(x: f32) -> [f32; 4] {
                [x; 4]
            }
            #[inline(always)]
            pub unsafe fn load(x: *const f32) -> [f32; 4] {
                unsafe { x.cast::<[f32; 4]>().read_unaligned() }
            }
            #[inline(always)]
            pub unsafe fn store(x: *mut f32, value: [f32; 4]) {
                unsafe { x.cast::<[f32; 4]>().write_unaligned(value) }
            }
            #[inline(always)]
            pub fn fma(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
                from_fn(|i| a[i] * b[i] + c[i])
            }
        }
    }

    impl Ops {
        const WIDTH: usize = 4;
    }

    tile!(
        #[cfg_attr(target_arch = "wasm32", target_feature(enable = "relaxed-simd"))]
        two, Ops, [0 1 2 3], [0 1]
    );
    tile!(
        #[cfg_attr(target_arch = "wasm32", target_feature(enable = "relaxed-simd"))]
        one, Ops, [0 1 2 3], [0]
    );

    impl Lanes for Four {
        unsafe fn compiled<F: SimdLoop>(self, f: F) {
            f.run();
        }

        const WIDTH: usize = 4;
        const ROWS: usize = 4;
        const VECTORS: usize = 2;
        #[inline]
        unsafe fn tile(self, vectors: usize, operands: Operands, out: &mut [f32]) {
            unsafe {
                match vectors {
                    1 => one(operands, out),
                    _ => two(operands, out),
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use four::Four;

/// Work written once for all instruction sets.
pub trait SimdTask {
    /// Its result.
    type Output;
    /// Runs it.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Values that a vector has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// Four, everywhere.
    Four,
    /// Eight, with AVX2.
    Eight,
    /// Sixteen, with AVX-512.
    Sixteen,
}

thread_local! {
    static WIDEST: Cell<Width> = const { Cell::new(Width::Sixteen) };
}

/// Calls `f` with vectors of this width at most, so that a test covers the code of older machines.
pub fn at_most<R>(width: Width, f: impl FnOnce() -> R) -> R {
    let before = WIDEST.replace(width);
    let result = f();
    WIDEST.set(before);
    result
}

/// Runs a task with the widest instruction set the machine has.
pub fn on_best<J: SimdTask>(job: J) -> J::Output {
    #[cfg(target_arch = "x86_64")]
    {
        let widest = WIDEST.get();
        if widest >= Width::Sixteen && is_x86_feature_detected!("avx512f") {
            return job.run(Avx512);
        }
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        if widest >= Width::Eight && avx2 {
            return job.run(Avx2);
        }
    }
    job.run(Four)
}
