//! The engine for browsers without relaxed SIMD, made from the one with it.
//!
//! A browser refuses a whole module for a single instruction that it does not know. Of relaxed SIMD the engine has one,
//! the multiply-add of `src/kernels/simd/lanes.rs`, in two functions; a second compilation for them would take as long
//! as the first. So the instruction is rewritten in the finished binary:
//!
//! ```text
//! f32x4.relaxed_madd    a b c  ->  a * b + c
//!
//! local.set             a b c  ->  a b, and c in a local that the function gets for it
//! f32x4.mul             a b    ->  a * b
//! local.get             a * b  ->  a * b, c
//! f32x4.add             a * b, c  ->  a * b + c
//! ```
//!
//! Everything else is copied byte for byte: the other functions, data, names. As the product is rounded before it is
//! added, results differ from those of a machine that rounds once in their last bits.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use wasm_encoder::{CodeSection, Encode, Instruction, Module, RawSection, ValType};
use wasmparser::{
    BinaryReader, CodeSectionReader, FunctionBody, Operator, Parser, Payload, Validator,
    WasmFeatures,
};

/// Where a script has this name stands the test whether the browser has relaxed SIMD.
pub const HAS_RELAXED_SIMD: &str = "HAS_RELAXED_SIMD";

/// That test, a line of JavaScript: a module of one function, `f32x4.relaxed_madd` of its three parameters, is valid only
/// where `engine_bg.wasm` is.
#[must_use]
pub fn test() -> String {
    // Magic and version; the type (v128, v128, v128) -> v128; a function of it; its code.
    const PROBE: [&[u8]; 4] = [
        b"\0asm\x01\0\0\0",
        &[1, 8, 1, 96, 3, 123, 123, 123, 1, 123],
        &[3, 2, 1, 0],
        &[10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11],
    ];
    let probe = PROBE.concat();
    format!("const {HAS_RELAXED_SIMD} = WebAssembly.validate(new Uint8Array({probe:?}));\n")
}

/// The first byte of an instruction on vectors.
const VECTOR: u8 = 0xfd;
/// What follows it, a number, is this or more for relaxed SIMD:
/// <https://github.com/WebAssembly/relaxed-simd/blob/main/proposals/relaxed-simd/Overview.md#binary-format>
const FIRST_RELAXED: u32 = 0x100;

/// Writes `engine_plain_bg.wasm` beside the `engine_bg.wasm` of this folder.
///
/// # Errors
/// If that cannot be read, has an instruction that [`plain`] refuses, or the other cannot be written.
pub fn write(dir: &Path) -> Result<()> {
    let (from, to) = (dir.join("engine_bg.wasm"), dir.join("engine_plain_bg.wasm"));
    let engine = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
    let plain = plain(&engine).with_context(|| from.display().to_string())?;
    fs::write(&to, plain).with_context(|| format!("cannot write {}", to.display()))
}

/// The same module without relaxed SIMD.
///
/// # Errors
/// If it is no module, or has an instruction of relaxed SIMD other than `f32x4.relaxed_madd`.
pub fn plain(relaxed: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    let (mut types, mut functions) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(relaxed) {
        let payload = payload?;
        match &payload {
            Payload::TypeSection(section) => {
                for signature in section.clone().into_iter_err_on_gc_types() {
                    types.push(u32::try_from(signature?.params().len())?);
                }
            }
            Payload::FunctionSection(section) => {
                functions = section.clone().into_iter().collect::<Result<_, _>>()?;
            }
            Payload::CodeSectionStart { range, .. } => {
                module.section(&code(relaxed, range.clone(), &types, &functions)?);
                continue;
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            let data = &relaxed[range];
            module.section(&RawSection { id, data });
        }
    }
    let plain = module.finish();
    // What a browser without relaxed SIMD does first.
    Validator::new_with_features(WasmFeatures::all() - WasmFeatures::RELAXED_SIMD)
        .validate_all(&plain)
        .context("the rewritten module is not valid")?;
    Ok(plain)
}

/// The code section; `types` has the number of parameters of each signature, `functions` the signature of each body.
fn code(
    module: &[u8],
    range: Range<usize>,
    types: &[u32],
    functions: &[u32],
) -> Result<CodeSection> {
    let mut code = CodeSection::new();
    let bodies = CodeSectionReader::new(BinaryReader::new(&module[range.clone()], range.start))?;
    for (body, signature) in bodies.into_iter().zip(functions) {
        let body = body?;
        let parameters = types.get(*signature as usize);
        let parameters = *parameters.context("a function has no signature")?;
        match rewritten(&body, parameters)? {
            Some(bytes) => code.raw(&bytes),
            None => code.raw(body.as_bytes()),
        };
    }
    Ok(code)
}

/// The function's bytes, or `None` if it has no relaxed SIMD.
fn rewritten(body: &FunctionBody<'_>, parameters: u32) -> Result<Option<Vec<u8>>> {
    let (bytes, start) = (body.as_bytes(), body.range().start);
    let mut locals = body.get_locals_reader()?;
    let (groups, first_group) = (locals.get_count(), locals.original_position() - start);
    // Locals are numbered after the parameters; the new one comes last, so that no other number changes.
    let mut added = parameters;
    for _ in 0..groups {
        added += locals.read()?.0;
    }
    let first_operator = locals.original_position() - start;

    let mut operators = body.get_operators_reader()?;
    let mut out = Vec::new();
    let mut copied = first_operator;
    while !operators.eof() {
        let at = operators.original_position() - start;
        let operator = operators.read()?;
        if !is_relaxed(&bytes[at..])? {
            continue;
        }
        ensure!(
            matches!(operator, Operator::F32x4RelaxedMadd),
            "{operator:?} has no translation to plain SIMD here"
        );
        out.extend_from_slice(&bytes[copied..at]);
        for instruction in [
            Instruction::LocalSet(added),
            Instruction::F32x4Mul,
            Instruction::LocalGet(added),
            Instruction::F32x4Add,
        ] {
            instruction.encode(&mut out);
        }
        copied = operators.original_position() - start;
    }
    if copied == first_operator {
        return Ok(None);
    }
    let mut function = Vec::with_capacity(bytes.len() + out.len());
    (groups + 1).encode(&mut function);
    function.extend_from_slice(&bytes[first_group..first_operator]);
    1_u32.encode(&mut function);
    ValType::V128.encode(&mut function);
    function.append(&mut out);
    function.extend_from_slice(&bytes[copied..]);
    Ok(Some(function))
}

/// Whether these bytes begin with an instruction of relaxed SIMD.
fn is_relaxed(bytes: &[u8]) -> Result<bool> {
    match bytes {
        [VECTOR, number @ ..] => Ok(BinaryReader::new(number, 0).read_var_u32()? >= FIRST_RELAXED),
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        CustomSection, Function, FunctionSection, MemorySection, MemoryType, TypeSection,
    };

    /// Two functions on shared memory, (v128, v128, v128) -> v128, the second of these instructions; and a custom section.
    fn module(locals: &[(u32, ValType)], instructions: &[Instruction<'_>]) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([ValType::V128; 3], [ValType::V128]);
        let mut functions = FunctionSection::new();
        functions.function(0).function(0);
        let mut memory = MemorySection::new();
        memory.memory(MemoryType {
            minimum: 1,
            maximum: Some(2),
            memory64: false,
            shared: true,
            page_size_log2: None,
        });
        let mut first = Function::new([]);
        first.instructions().local_get(2).end();
        let mut second = Function::new(locals.to_vec());
        for index in 0..3 {
            second.instruction(&Instruction::LocalGet(index));
        }
        for instruction in instructions {
            second.instruction(instruction);
        }
        second.instruction(&Instruction::End);
        let mut code = CodeSection::new();
        code.function(&first).function(&second);
        let custom = CustomSection {
            name: "kept".into(),
            data: b"as it is".into(),
        };
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&memory)
            .section(&code)
            .section(&custom);
        module.finish()
    }

    #[test]
    fn a_relaxed_multiply_add_becomes_a_product_and_a_sum_and_all_else_stays() {
        let relaxed = module(
            &[(1, ValType::I32), (2, ValType::F64)],
            &[Instruction::F32x4RelaxedMadd],
        );
        // Three parameters and three locals come before the new one.
        let by_hand = module(
            &[(1, ValType::I32), (2, ValType::F64), (1, ValType::V128)],
            &[
                Instruction::LocalSet(6),
                Instruction::F32x4Mul,
                Instruction::LocalGet(6),
                Instruction::F32x4Add,
            ],
        );
        assert_eq!(plain(&relaxed).unwrap(), by_hand);
        assert_eq!(plain(&by_hand).unwrap(), by_hand);
    }

    #[test]
    fn another_relaxed_instruction_is_refused_by_name() {
        let relaxed = module(&[], &[Instruction::F32x4RelaxedNmadd]);
        let error = plain(&relaxed).unwrap_err().to_string();
        assert!(error.contains("F32x4RelaxedNmadd"), "{error}");
    }

    #[test]
    fn the_workers_probe_is_valid_with_relaxed_simd_alone() {
        let test = test();
        let (_, bytes) = test.split_once('[').unwrap();
        let (bytes, _) = bytes.split_once(']').unwrap();
        let bytes = bytes
            .split(',')
            .map(|number| number.trim().parse().unwrap());
        let bytes: Vec<u8> = bytes.collect();
        let valid = |features| {
            Validator::new_with_features(features)
                .validate_all(&bytes)
                .is_ok()
        };
        assert!(valid(WasmFeatures::all()));
        assert!(!valid(WasmFeatures::all() - WasmFeatures::RELAXED_SIMD));
        assert!(plain(&bytes).is_ok());
    }
}
