//! The names that a pickle asks for.
//!
//! Python would import and call them; here they are only told apart. Objects of unknown classes are common beside
//! weights (an `argparse.Namespace`, a `numpy` scalar, a scheduler's `Counter`) and harmless, for nothing is called.
//! A file that asks for what runs programs is refused all the same: whoever made it means harm, and it will be
//! opened in Python some day.

use super::super::convert::Dtype;
use super::value::Global;

/// Packages whose names no checkpoint needs, those below them included: they run code or programs, reach files or the
/// network, or build functions.
const REFUSED: [&str; 31] = [
    "os",
    "ctypes",
    "importlib",
    "multiprocessing",
    "urllib",
    "requests",
    "pip",
    "ensurepip",
    "torch.hub",
    "torch.utils.cpp_extension",
    "torch.utils.collect_env",
    "numpy.f2py",
    "asyncio",
    "concurrent",
    "http.client",
    "http.server",
    "distutils",
    "setuptools",
    "dill",
    "cloudpickle",
    "joblib",
    "torch.distributed.run",
    "torch.distributed.launch",
    "numpy.testing",
    "numpy.distutils",
    "xmlrpc",
    "sqlite3",
    "lib2to3",
    "idlelib",
    "wsgiref",
    "curses",
];

/// The same of modules that have none below them. A student's own folder may be called `code` or `profile`.
const REFUSED_ALONE: [&str; 66] = [
    "posix",
    "nt",
    "ntpath",
    "posixpath",
    "sys",
    "subprocess",
    "commands",
    "popen2",
    "pty",
    "shutil",
    "socket",
    "ssl",
    "_ctypes",
    "imp",
    "zipimport",
    "pkgutil",
    "runpy",
    "code",
    "codeop",
    "pdb",
    "bdb",
    "trace",
    "timeit",
    "profile",
    "cProfile",
    "doctest",
    "webbrowser",
    "pickle",
    "_pickle",
    "cPickle",
    "marshal",
    "urllib2",
    "ftplib",
    "smtplib",
    "imaplib",
    "poplib",
    "nntplib",
    "telnetlib",
    "site",
    "threading",
    "_thread",
    "thread",
    "_posixsubprocess",
    "tempfile",
    "shelve",
    "platform",
    "pydoc",
    "_xxsubinterpreters",
    "_interpreters",
    "py_compile",
    "compileall",
    "fileinput",
    "linecache",
    "gzip",
    "bz2",
    "lzma",
    "zipfile",
    "tarfile",
    "mmap",
    "signal",
    "inspect",
    "ast",
    "gc",
    "fcntl",
    "tkinter",
    "turtle",
];

/// Modules of Python's whose public names are data, and whose others are not.
const LIBRARY: [&str; 19] = [
    "collections",
    "dataclasses",
    "typing",
    "random",
    "functools",
    "operator",
    "_operator",
    "codecs",
    "pathlib",
    "enum",
    "abc",
    "types",
    "io",
    "json",
    "logging",
    "string",
    "weakref",
    "contextlib",
    "itertools",
];

/// What of Python's own functions runs code or opens files. The others (`set`, `getattr` for a nested class) are data
/// to a reader that calls none of them.
const BUILTINS: [&str; 9] = [
    "eval",
    "exec",
    "execfile",
    "compile",
    "__import__",
    "open",
    "input",
    "breakpoint",
    "globals",
];

/// What the name means; none if it is one of those that are refused.
pub(super) fn lookup(module: &str, name: &str) -> Option<Global> {
    let found = match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
            Global::RebuildParameter
        }
        ("torch._tensor", "_rebuild_from_type_v2") => Global::RebuildFromType,
        ("_codecs", "encode") => Global::Encode,
        ("numpy", "dtype") => Global::NumpyDtype,
        ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Global::NumpyArray,
        ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Global::NumpyScalar,
        ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Global::NumpyBuffer,
        ("builtins" | "__builtin__", "getattr") => Global::GetAttr,
        ("torch" | "torch.storage" | "torch.cuda", name) if let Some(dtype) = storage(name) => {
            Global::Storage(dtype)
        }
        ("builtins" | "__builtin__" | "__builtins__", name) if BUILTINS.contains(&name) => {
            return None;
        }
        ("types", "CodeType" | "FunctionType") => return None,
        ("torch.storage", "_load_from_bytes") | ("torch.fx.graph_module", "_forward_from_src") => {
            return None;
        }
        ("codecs", "open") | ("logging" | "logging.handlers", "FileHandler" | "SocketHandler") => {
            return None;
        }
        (module, name) if is_refused(module) || reaches_refused(module, name) => return None,
        // A module that a library imports, as a value: `torch.serialization`, `os`.
        (module, name) if is_library(module) && is_refused(name) => return None,
        ("io" | "_io", "open" | "open_code" | "FileIO") => return None,
        ("operator" | "_operator", "attrgetter" | "methodcaller") => return None,
        ("numpy", "load") | ("pandas", "read_pickle") => return None,
        ("torch" | "torch.jit" | "torch.package" | "torch.serialization", "load") => return None,
        _ => Global::Inert,
    };
    Some(found)
}

/// Whether a module is one of those that every checkpoint may name, not of the file's writer.
fn is_library(module: &str) -> bool {
    let own = module.split('.').next().unwrap_or(module);
    matches!(
        own,
        "torch" | "torchvision" | "numpy" | "pandas" | "scipy" | "sklearn"
    ) || LIBRARY.contains(&own)
}

/// Whether a dotted name leads into such a module: since protocol 4 a name may have parts, each an attribute of the
/// one before, and a module that imports `os` has it as an attribute (`torch`, `serialization.os.system`).
///
/// In Python's own library a name that begins with an underscore reaches its insides (`collections.__builtins__`,
/// `random._os.system`, `dataclasses._create_fn`).
fn reaches_refused(module: &str, name: &str) -> bool {
    let hidden = name.starts_with('_');
    let own = module.split('.').next().unwrap_or(module);
    name.contains('.') && name.split('.').any(is_refused)
        || is_refused(&format!("{module}.{name}"))
        || hidden && LIBRARY.contains(&own)
        || name.starts_with("__") && !matches!(own, "copyreg" | "copy_reg")
        || own == "pathlib" && name.contains('.')
}

/// Whether `getattr` may be asked for this attribute: a chain of them reaches every module that is loaded.
pub(super) fn is_harmless_attribute(name: &str) -> bool {
    const RUNS: [&str; 9] = [
        "system",
        "popen",
        "Popen",
        "call",
        "run",
        "load",
        "loads",
        "hub",
        "cpp_extension",
    ];
    !(name.starts_with("__")
        || name.split('.').any(is_refused)
        || BUILTINS.contains(&name)
        || RUNS.contains(&name))
}

fn is_refused(module: &str) -> bool {
    let below = |refused: &str| {
        let rest = module.strip_prefix(refused);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    REFUSED.iter().any(|refused| below(refused)) || REFUSED_ALONE.contains(&module)
}

/// The element type of a storage class.
fn storage(name: &str) -> Option<Dtype> {
    Some(match name {
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::Bf16,
        "DoubleStorage" => Dtype::F64,
        "LongStorage" => Dtype::Integer(8),
        "IntStorage" => Dtype::Integer(4),
        "ShortStorage" => Dtype::Integer(2),
        // Untyped storages hold what has no class of its own: 8-bit floats, 16-bit unsigned integers.
        "CharStorage" | "ByteStorage" | "BoolStorage" | "UntypedStorage" => Dtype::Integer(1),
        "ComplexFloatStorage" => Dtype::Complex(8),
        "ComplexDoubleStorage" => Dtype::Complex(16),
        "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage" => {
            Dtype::Integer(1)
        }
        "QInt32Storage" => Dtype::Integer(4),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_code_is_refused_and_data_is_not() {
        for (module, name) in [
            ("os", "system"),
            ("os.path", "join"),
            ("builtins", "eval"),
            ("__builtin__", "exec"),
            ("subprocess", "Popen"),
            ("torch", "load"),
            ("torch.hub", "load"),
            ("types", "CodeType"),
            ("sys", "modules"),
            ("numpy", "os.system"),
            ("torch", "serialization.os.system"),
            ("torch", "hub.load"),
            ("a", "b.sys.modules"),
            ("a", "b.os"),
            ("torch.serialization", "os"),
            ("torch", "hub"),
            ("torch.utils", "cpp_extension"),
            ("random", "_os.system"),
            ("collections", "__builtins__.__getitem__"),
            ("collections", "__builtins__"),
            ("dataclasses", "_create_fn"),
            ("cPickle", "loads"),
            ("torch.storage", "_load_from_bytes"),
            ("pydoc", "locate"),
            ("pathlib", "Path.write_text"),
            ("codecs", "open"),
            ("torch.utils.collect_env", "run"),
            ("io", "open"),
            ("operator", "methodcaller"),
            ("numpy", "load"),
            ("dill", "loads"),
            ("numpy.testing._private.utils", "runstring"),
        ] {
            assert_eq!(lookup(module, name), None, "{module}.{name}");
        }
        for (module, name) in [
            ("argparse", "Namespace"),
            ("collections", "Counter"),
            ("builtins", "set"),
            ("functools", "partial"),
            ("_operator", "getitem"),
            ("types", "SimpleNamespace"),
            ("torch", "device"),
            ("pathlib", "PosixPath"),
            ("ossaudio", "x"),
            ("__main__", "Config"),
            ("__main__", "Outer.Inner"),
            ("__main__", "Outer.host"),
            ("iopath", "Path"),
            ("_io", "BytesIO"),
            ("http", "HTTPStatus"),
            ("code.model", "Net"),
            ("profile.base", "Config"),
            ("copyreg", "_reconstructor"),
            ("re", "_compile"),
            ("__main__", "Outer._Inner"),
            ("test.model", "Net"),
            ("utils", "profile"),
            ("torch._utils", "_rebuild_sparse_tensor"),
        ] {
            assert_eq!(lookup(module, name), Some(Global::Inert), "{module}.{name}");
        }
        for name in [
            "os",
            "system",
            "__globals__",
            "__import__",
            "eval",
            "a.os.b",
        ] {
            assert!(!is_harmless_attribute(name), "{name}");
        }
        for name in ["RED", "Inner", "value", "host"] {
            assert!(is_harmless_attribute(name), "{name}");
        }
    }
}
