//! The batched matrix product, in which all convolutions but the direct ones spend their time.

use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Binding, Buffer, Gpu, Kernel, MAX_WORKGROUPS, Raw};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

/// Rows of the left factor are padded to a multiple of this, the tallest tile.
pub const ROW_TILE: usize = 32;

/// How a matrix product is computed on a software adapter; a GPU's is in [`super::implicit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatMul {
    /// 16x16 results an invocation, no workgroup memory.
    Registers,
    /// 32x4 results an invocation, for fewer than 16 columns.
    RegistersNarrow,
}

/// `flags` of every kernel with an epilogue.
pub mod flag {
    /// Add the bias of the channel.
    pub const BIAS: u32 = 1;
    /// Add the residual.
    pub const RESIDUAL: u32 = 2;
    /// Nothing below zero.
    pub const RELU: u32 = 4;
}

params! {
    /// `matmul_registers.wgsl` and `matmul_registers_narrow.wgsl`.
    pub struct MatMulParams {
        /// Rows of the result.
        pub m: u32,
        /// Columns of the result.
        pub n: u32,
        /// Length of the sum.
        pub k: u32,
        /// Left factors; batch z takes number z modulo this.
        pub a_batches: u32,
        /// Fours of rows in a slice of the left factor.
        pub m4: u32,
        /// Values in a row of the right factor.
        pub b_stride: u32,
        /// Values in a row of the result.
        pub c_stride: u32,
        /// [`flag`].
        pub flags: u32,
    }
}

params! {
    /// `matmul_nt.wgsl`.
    pub struct MatMulNtParams {
        /// Rows of the result, of one group.
        pub m: u32,
        /// Columns of the result.
        pub n: u32,
        /// Length of the sum in one batch.
        pub k: u32,
        /// Batches summed.
        pub batches: u32,
        /// Results side by side.
        pub groups: u32,
        /// Values in a row of the left factor.
        pub a_stride: u32,
        /// Values in a row of the right factor.
        pub b_stride: u32,
    }
}

/// Product, 16x16 results an invocation.
const MATMUL_REGISTERS: Shader = shader!(
    "matmul_registers",
    [8, 1, 1],
    MatMulParams,
    "matmul",
    "matmul_registers",
    "epilogue"
);
/// Product, 32x4 results an invocation.
const MATMUL_REGISTERS_NARROW: Shader = shader!(
    "matmul_registers_narrow",
    [8, 1, 1],
    MatMulParams,
    "matmul",
    "matmul_registers",
    "epilogue"
);
/// Product with the right factor transposed, summed over batches: the weight gradient.
const MATMUL_NT: Shader = shader!("matmul_nt", [32, 1, 1], MatMulNtParams);

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[MATMUL_REGISTERS, MATMUL_REGISTERS_NARROW, MATMUL_NT];

kernels! {
    REGISTERS = Kernel::of(&MATMUL_REGISTERS);
    REGISTERS_NARROW = Kernel::of(&MATMUL_REGISTERS_NARROW);
    NT = Kernel::of(&MATMUL_NT);
}

impl MatMul {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Registers, Self::RegistersNarrow];

    /// Its name in tables and in stored tuning results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registers => "registers",
            Self::RegistersNarrow => "narrow",
        }
    }

    fn kernel(self) -> &'static Kernel {
        match self {
            Self::Registers => &REGISTERS,
            Self::RegistersNarrow => &REGISTERS_NARROW,
        }
    }

    /// Workgroups for `batches` products of `m` by `n`.
    #[must_use]
    pub const fn workgroups(self, batches: usize, m: usize, n: usize) -> [usize; 3] {
        match self {
            Self::Registers => [(m.div_ceil(16) * n.div_ceil(16)).div_ceil(8), batches, 1],
            Self::RegistersNarrow => [(m.div_ceil(32) * n.div_ceil(4)).div_ceil(8), batches, 1],
        }
    }
}

/// What is added to a product, and whether negative results become zero.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// `[channels]`.
    pub bias: Option<&'a Buffer>,
    /// Like the result.
    pub residual: Option<&'a Buffer>,
    /// Nothing below zero.
    pub relu: bool,
}

impl Epilogue<'_> {
    /// [`flag`].
    #[must_use]
    pub const fn flags(&self) -> u32 {
        let bias = if self.bias.is_some() { flag::BIAS } else { 0 };
        let residual = if self.residual.is_some() {
            flag::RESIDUAL
        } else {
            0
        };
        let relu = if self.relu { flag::RELU } else { 0 };
        bias | residual | relu
    }
}

/// Sizes of [`matmul`].
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// Products side by side.
    pub batches: usize,
    /// Left factors; batch z takes number z modulo this.
    pub a_batches: usize,
    /// Rows of the result.
    pub m: usize,
    /// Columns of the result.
    pub n: usize,
    /// Length of the sum.
    pub k: usize,
    /// Rows of the left factor with padding.
    pub m_stride: usize,
    /// Values in a row of the right factor.
    pub b_stride: usize,
    /// Values in a row of the result.
    pub c_stride: usize,
}

impl Product {
    /// Whether the dispatch is within bounds.
    #[must_use]
    pub fn can_apply(&self, variant: MatMul) -> bool {
        let workgroups = variant.workgroups(self.batches, self.m, self.n);
        workgroups.into_iter().all(|n| n <= MAX_WORKGROUPS)
    }
}

/// `c[z][m][n] = act(sum_k a[z % a_batches][k][m] * b[z][k][n] + bias + residual)`, `a` padded as
/// [`Product`] says. `c` is written where it has rows and columns, not in its padding.
pub fn matmul(
    gpu: &Gpu,
    variant: MatMul,
    product: &Product,
    a: &Raw,
    [b, c]: [&Buffer; 2],
    epilogue: Epilogue,
) {
    let params = MatMulParams {
        m: product.m as u32,
        n: product.n as u32,
        k: product.k as u32,
        a_batches: product.a_batches as u32,
        m4: (product.m_stride / 4) as u32,
        b_stride: product.b_stride as u32,
        c_stride: product.c_stride as u32,
        flags: epilogue.flags(),
    };
    let workgroups = variant.workgroups(product.batches, product.m, product.n);
    // A binding that the flags switch off still wants a buffer.
    let inputs: [&dyn Binding; 4] = [
        a,
        b,
        epilogue.bias.unwrap_or(b),
        epilogue.residual.unwrap_or(b),
    ];
    gpu.launch(variant.kernel(), workgroups, &inputs, c, &params.words());
}

/// `c[g][m][n] = sum over z, k of a[z, g][m][k] * b[z, g][n][k]`.
pub fn matmul_nt(gpu: &Gpu, params: &MatMulNtParams, [a, b, c]: [&Buffer; 3]) {
    let tiles = (params.m as usize).div_ceil(8) * (params.n as usize).div_ceil(16);
    let workgroups = [tiles.div_ceil(32), params.groups as usize, 1];
    gpu.launch(&NT, workgroups, &[a, b], c, &params.words());
}
