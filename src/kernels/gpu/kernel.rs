//! A kernel as it is launched, and the list of a module's, so that no test misses one.

use std::fmt;
use std::sync::{Arc, LazyLock};

use burn_cubecl::cubecl::ir::metadata::Info;
use burn_cubecl::cubecl::ir::{AddressType, ElemType, Scope, UIntKind};
use burn_cubecl::cubecl::prelude::{
    CubeDim, ExecutionMode, KernelDefinition, KernelId, KernelMetadata, KernelSettings,
};
use burn_cubecl::cubecl::{CubeKernel, PrecompiledSource};

use super::source::{Shader, Source};

/// WGSL that can be launched.
#[derive(Debug, Clone)]
pub struct Kernel {
    name: &'static str,
    id: Arc<str>,
    text: Arc<str>,
    workgroup: [u32; 3],
}

impl Kernel {
    /// The file as it stands.
    #[must_use]
    pub fn of(shader: &Shader) -> Self {
        Self::new(&shader.source(), shader.workgroup)
    }

    /// `workgroup` is what the text's `@workgroup_size` comes to.
    #[must_use]
    pub fn new(source: &Source, workgroup: [u32; 3]) -> Self {
        Self {
            name: source.name(),
            id: source.id().into(),
            text: source.text().into(),
            workgroup,
        }
    }

    /// The file's name, without `.wgsl`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Every rewritten tunable with its value, as WGSL writes it, by name.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        let words = self.id.split(' ').skip(1);
        words.filter_map(|word| word.split_once('='))
    }

    /// The module.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the text's `@workgroup_size` comes to.
    #[must_use]
    pub const fn workgroup(&self) -> [u32; 3] {
        self.workgroup
    }
}

/// `matmul_shared COLUMNS4=2u ROWS4=2u`
impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())?;
        self.values()
            .try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

impl KernelMetadata for Kernel {
    fn name(&self) -> &'static str {
        self.name
    }

    fn id(&self) -> KernelId {
        let [x, y, z] = self.workgroup;
        // Unchecked: the kernels stay inside their buffers themselves, and a bound added to every loop
        // costs as much as the loop.
        KernelId::new::<Self>()
            .info(self.id.clone())
            .cube_dim(CubeDim::new_3d(x, y, z).0)
            .mode(ExecutionMode::Unchecked)
    }

    fn address_type(&self) -> ElemType {
        UIntKind::U32.into()
    }
}

impl CubeKernel for Kernel {
    fn define(&self) -> KernelDefinition {
        let [x, y, z] = self.workgroup;
        let settings = KernelSettings::new(
            CubeDim::new_3d(x, y, z).0,
            ExecutionMode::Unchecked,
            AddressType::U32,
        );
        KernelDefinition {
            body: Scope::root(settings.clone()),
            settings,
            info: Info::default(),
        }
    }

    fn source(&self) -> Option<PrecompiledSource> {
        Some(PrecompiledSource {
            source: self.text.to_string(),
            entrypoint_name: "main".to_string(),
            lang: "wgsl",
        })
    }
}

/// The kernels of a module.
pub type List = &'static [&'static LazyLock<Kernel>];

/// `kernels! { NAME = KERNEL; }`: a static for each, built at its first launch, and `KERNELS` with all of them.
macro_rules! kernels {
    ($($(#[$doc:meta])* $visible:vis $name:ident = $kernel:expr;)+) => {
        $(
            $(#[$doc])*
            $visible static $name: std::sync::LazyLock<$crate::kernels::gpu::launch::Kernel> =
                std::sync::LazyLock::new(|| $kernel);
        )+

        /// The kernels of this module, as they are launched.
        pub static KERNELS: $crate::kernels::gpu::kernel::List = &[$(&$name),+];
    };
}
pub(crate) use kernels;
