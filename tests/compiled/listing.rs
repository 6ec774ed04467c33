//! The instructions that a wave issues in the loop where a kernel spends its time, counted in the assembly of AMD's
//! compiler.
//!
//! A kernel that goes through a sum in slices spends it in one loop whose length only its parameters say, with loops
//! of a fixed length in it: slices outside, filling and multiplying inside. So: the loop that issues the most
//! multiply-adds itself, without loops in it, then outwards over loops of a fixed length up to the first of unknown
//! length. One round of that is what is counted, each loop in it times its length, each branch as if taken both ways.
//! A kernel without a loop of unknown length is counted from its first instruction to its last.
//!
//! A loop's length is read from its counter: where that starts, what is added a round, what it is compared with
//! before the branch out. A vector's counter that starts at no number is an invocation's own and starts below its
//! step, so its length is that from 0.

use std::ops::RangeInclusive;

/// One instruction: its name, and its operands in the order of AMD's manual ("RDNA 2 Instruction Set Architecture",
/// 2020), the result first.
struct Instruction {
    name: String,
    operands: Vec<String>,
}

/// What a branch leads to, by its label.
struct Block {
    label: String,
    instructions: Vec<Instruction>,
}

/// Blocks from the one that is jumped back to up to the one that jumps.
struct Loop {
    blocks: RangeInclusive<usize>,
    /// Rounds, if the assembly says how many.
    rounds: Option<u64>,
}

/// Instructions issued a wave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Multiply-adds of 32-bit floats, whatever their encoding.
    pub fused: u64,
    /// On vectors, with the former.
    pub vector: u64,
    /// Reads and writes of workgroup memory.
    pub shared: u64,
    /// Reads and writes of buffers, and of an invocation's own memory.
    pub memory: u64,
    /// All, with those on scalars, waits and branches.
    pub all: u64,
}

/// [`Counts`] of the loop where the time goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hottest {
    /// Of one round.
    pub counts: Counts,
    /// Label of its first block.
    pub label: String,
    /// Loops in it whose length the assembly does not say, counted as one round.
    pub unknown: Vec<String>,
}

impl Counts {
    fn add(&mut self, other: Self, times: u64) {
        self.fused += times * other.fused;
        self.vector += times * other.vector;
        self.shared += times * other.shared;
        self.memory += times * other.memory;
        self.all += times * other.all;
    }

    fn of(name: &str) -> Self {
        const FUSED: [&str; 6] = [
            "v_fma_f32",
            "v_fmac_",
            "v_fmaak_",
            "v_fmamk_",
            "v_mad_f32",
            "v_mac_f32",
        ];
        const MEMORY: [&str; 4] = ["buffer_", "global_", "flat_", "scratch_"];
        let starts = |names: &[&str]| u64::from(names.iter().any(|start| name.starts_with(start)));
        Self {
            fused: starts(&FUSED),
            vector: starts(&["v_"]),
            shared: starts(&["ds_"]),
            memory: starts(&MEMORY),
            all: 1,
        }
    }
}

/// Finds the loop and counts it.
pub fn hottest(assembly: &str) -> Hottest {
    let blocks = blocks(assembly);
    let loops = loops(&blocks);
    let whole = Loop {
        blocks: 0..=blocks.len().saturating_sub(1),
        rounds: None,
    };
    let mut found = &whole;
    let mut most = 0;
    // Inner ones come first.
    for (i, candidate) in loops.iter().enumerate() {
        let inner = |at: &usize| loops[..i].iter().any(|inner| inner.blocks.contains(at));
        let own = candidate.blocks.clone().filter(|at| !inner(at));
        let own = own.flat_map(|at| &blocks[at].instructions);
        let fused: u64 = own.map(|own| Counts::of(&own.name).fused).sum();
        let fused = fused * candidate.rounds.unwrap_or(1);
        if fused > most {
            (found, most) = (candidate, fused);
        }
    }
    while found.rounds.is_some() {
        let outer = loops.iter().find(|outer| inside(found, outer));
        found = outer.unwrap_or(&whole);
    }
    let (counts, unknown) = count(&blocks, &loops, found);
    let label = blocks.get(*found.blocks.start());
    Hottest {
        counts,
        label: label.map_or_else(String::new, |block| block.label.clone()),
        unknown,
    }
}

fn inside(inner: &Loop, outer: &Loop) -> bool {
    let contains = |block| outer.blocks.contains(block);
    inner.blocks != outer.blocks && contains(inner.blocks.start()) && contains(inner.blocks.end())
}

/// One round of a loop, and the loops of unknown length in it.
fn count(blocks: &[Block], loops: &[Loop], counted: &Loop) -> (Counts, Vec<String>) {
    let mut counts = Counts::default();
    let mut unknown = Vec::new();
    let inner: Vec<_> = loops
        .iter()
        .filter(|inner| inside(inner, counted))
        .collect();
    for inner in inner.iter().filter(|inner| inner.rounds.is_none()) {
        unknown.push(blocks[*inner.blocks.start()].label.clone());
    }
    for (at, block) in blocks.iter().enumerate() {
        if !counted.blocks.contains(&at) {
            continue;
        }
        let round = inner.iter().filter(|inner| inner.blocks.contains(&at));
        let times = round.map(|inner| inner.rounds.unwrap_or(1)).product();
        for instruction in &block.instructions {
            counts.add(Counts::of(&instruction.name), times);
        }
    }
    (counts, unknown)
}

/// The text in blocks, up to the end of the program.
fn blocks(assembly: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in assembly.lines() {
        let line = line.split(';').next().unwrap_or_default();
        if let Some(label) = line.strip_suffix(':') {
            blocks.push(Block {
                label: label.to_owned(),
                instructions: Vec::new(),
            });
            continue;
        }
        let (name, operands) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let Some(block) = blocks.last_mut().filter(|_| name.contains('_')) else {
            continue;
        };
        let operands = operands.split(',').map(|o| o.trim().to_owned());
        block.instructions.push(Instruction {
            name: name.to_owned(),
            operands: operands.collect(),
        });
        if name == "s_endpgm" {
            break;
        }
    }
    blocks
}

/// Every loop, inner ones before those round them.
fn loops(blocks: &[Block]) -> Vec<Loop> {
    let mut found: Vec<RangeInclusive<usize>> = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        for instruction in &block.instructions {
            let Some(start) = target(blocks, instruction).filter(|start| *start <= at) else {
                continue;
            };
            match found.iter_mut().find(|other| *other.start() == start) {
                Some(other) => *other = start..=at,
                None => found.push(start..=at),
            }
        }
    }
    found.sort_by_key(|blocks| blocks.end() - blocks.start());
    let rounds = |at: usize| {
        let inner: Vec<_> = found[..at]
            .iter()
            .filter(|i| found[at].contains(i.start()))
            .collect();
        rounds(blocks, &found[at], &inner)
    };
    let rounds: Vec<_> = (0..found.len()).map(rounds).collect();
    let all = found.into_iter().zip(rounds);
    all.map(|(blocks, rounds)| Loop { blocks, rounds })
        .collect()
}

/// The block that a branch leads to.
fn target(blocks: &[Block], instruction: &Instruction) -> Option<usize> {
    let branch = instruction.name == "s_branch" || instruction.name.starts_with("s_cbranch_");
    let label = instruction.operands.first().filter(|_| branch)?;
    blocks.iter().position(|block| block.label == *label)
}

/// The length of a loop, if a counter says it: the least where several do.
fn rounds(
    blocks: &[Block],
    of: &RangeInclusive<usize>,
    inner: &[&RangeInclusive<usize>],
) -> Option<u64> {
    let mut comparison: Option<&Instruction> = None;
    let mut least = None;
    for at in of
        .clone()
        .filter(|at| !inner.iter().any(|inner| inner.contains(at)))
    {
        for instruction in &blocks[at].instructions {
            if instruction.name.contains("_cmp") {
                comparison = Some(instruction);
            }
            // A branch out, or a conditional one back, behind which the loop ends.
            let back = instruction.name.starts_with("s_cbranch_") && at == *of.end();
            let leaves = target(blocks, instruction)
                .is_some_and(|to| !of.contains(&to) || back && to == *of.start());
            // Each comparison is for one branch.
            let Some(compared) = comparison.take_if(|_| leaves) else {
                continue;
            };
            let rounds = length(blocks, of, compared);
            least = least.into_iter().chain(rounds).min();
        }
    }
    least
}

/// The rounds after which the comparison leads out of the loop.
fn length(blocks: &[Block], of: &RangeInclusive<usize>, compared: &Instruction) -> Option<u64> {
    // The kind of comparison is the third word: s_cmp_ge_u32, v_cmpx_le_u32_e32.
    let kind = compared.name.split('_').nth(2)?;
    let [.., left, right] = compared.operands.as_slice() else {
        return None;
    };
    let (counter, bound, left) = match (number(left), number(right)) {
        (None, Some(bound)) => (left, bound, true),
        (Some(bound), None) => (right, bound, false),
        _ => return None,
    };
    let inclusive = match (kind, left) {
        ("ge" | "lt", true) | ("le" | "gt", false) | ("eq" | "lg" | "ne", _) => 0,
        ("gt" | "le", true) | ("lt" | "ge", false) => 1,
        _ => return None,
    };
    let mut steps = of
        .clone()
        .flat_map(|at| &blocks[at].instructions)
        .filter(|instruction| writes(instruction, counter));
    let step = added(steps.next()?, counter).filter(|step| *step > 0)?;
    if steps.next().is_some() {
        return None;
    }
    let before = blocks[..*of.start()].iter().flat_map(|b| &b.instructions);
    let start = before
        .rev()
        .find(|instruction| writes(instruction, counter))?;
    let start = started(start)?;
    let rounds = (bound + inclusive - start + step - 1) / step;
    u64::try_from(rounds).ok()
}

/// What an instruction adds to this register.
fn added(instruction: &Instruction, register: &str) -> Option<i64> {
    let operands: Vec<_> = instruction.operands.iter().map(String::as_str).collect();
    match (instruction.name.as_str(), operands.as_slice()) {
        ("s_addk_i32", [_, step]) => number(step),
        ("s_add_u32" | "s_add_i32" | "v_add_nc_u32_e32" | "v_add_nc_u32_e64", [_, a, b]) => {
            match (*a == register, *b == register) {
                (true, false) => number(b),
                (false, true) => number(a),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The value that an instruction gives a counter at its start.
fn started(instruction: &Instruction) -> Option<i64> {
    let [_, from @ ..] = instruction.operands.as_slice() else {
        return None;
    };
    let first = number(from.first()?);
    match instruction.name.as_str() {
        "s_mov_b32" | "s_movk_i32" | "s_mov_b64" => first,
        // Nothing shifted: how two registers become zero at once.
        "v_lshrrev_b64" => number(from.last()?).filter(|value| *value == 0),
        name if name.starts_with("v_mov_b32") => first.or(Some(0)),
        name if name.starts_with("v_") => Some(0),
        _ => None,
    }
}

/// Whether its result is this register or has it in it, as s[8:11] has s9.
fn writes(instruction: &Instruction, register: &str) -> bool {
    let no_result = ["s_cmp", "s_branch", "s_cbranch", "s_waitcnt", "ds_write"];
    if no_result
        .iter()
        .any(|name| instruction.name.starts_with(name))
        || instruction.name.contains("_store_")
    {
        return false;
    }
    let Some(result) = instruction.operands.first() else {
        return false;
    };
    let range = result
        .get(2..)
        .and_then(|r| r.strip_suffix(']')?.split_once(':'));
    let Some((first, last)) = range else {
        return result == register;
    };
    let within = |number: u32| {
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        Some((first..=last).contains(&number))
    };
    let number = register.get(1..).and_then(|number| number.parse().ok());
    result.get(..1) == register.get(..1) && number.and_then(within).unwrap_or(false)
}

/// A literal operand: 16, -1, 0x100.
fn number(operand: &str) -> Option<i64> {
    match operand.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => operand.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slices until a parameter says so; in each a fill of 4 rounds, one of 3, and 16 times two multiply-adds.
    const PRODUCT: &str = "BB0:
\ts_mov_b32 s0, 0                       ; be800380
\tv_lshrrev_b64 v[6:7], 0, 0            ; d7000003 00010080
BB1:
\ts_cmp_ge_u32 s0, s1
\ts_cbranch_scc1 BB9
BB2:
\tv_mov_b32_e32 v4, v2
BB3:
\tv_cmpx_le_u32_e32 0x100, v4
\ts_cbranch_scc0 BB5
BB4:
\tbuffer_load_dwordx4 v[68:71], v68, s[20:23], 0 offen
\tds_write_b128 v72, v[68:71]
\tv_add_nc_u32_e32 v4, 64, v4
\ts_branch BB3
BB5:
\tv_lshrrev_b32_e32 v4, 4, v2
BB6:
\tds_write_b32 v72, v68
\tv_add_nc_u32_e32 v4, 4, v4
\tv_cmp_gt_u32_e32 vcc, 10, v4
\ts_cbranch_vccnz BB6
BB7:
\ts_barrier
\ts_mov_b32 s4, 0
BB8:
\ts_cmp_ge_u32 s4, 16
\ts_cbranch_scc1 BB10
BB11:
\tds_read_b128 v[68:71], v72
\tv_fmac_f32_e32 v6, v68, v69
\tv_fma_f32 v7, v70, v71, v7
\ts_add_u32 s4, s4, 1
\ts_branch BB8
BB10:
\ts_add_u32 s0, s0, 16
\ts_branch BB1
BB9:
\tbuffer_store_dword v6, v1, s[0:3], 0 offen
\ts_endpgm
\tv_fma_f32 v7, v70, v71, v7
";

    #[test]
    fn a_round_of_slices_is_counted_with_the_loops_in_it() {
        let counted = hottest(PRODUCT);
        assert_eq!((counted.label.as_str(), counted.unknown.len()), ("BB1", 0));
        let expected = Counts {
            fused: 16 * 2,
            vector: 1 + 4 * 2 + 1 + 3 * 2 + 16 * 2,
            shared: 4 + 3 + 16,
            memory: 4,
            all: 2 + 1 + 4 * 6 + 1 + 3 * 4 + 2 + 16 * 7 + 2,
        };
        assert_eq!(counted.counts, expected);
    }

    #[test]
    fn a_loop_of_unknown_length_inside_is_named() {
        let counted = hottest(&PRODUCT.replace("0x100, v4", "v9, v4"));
        assert_eq!(counted.unknown, ["BB3"]);
        assert_eq!(counted.counts.memory, 1);
    }

    #[test]
    fn without_a_loop_of_unknown_length_all_is_counted() {
        let counted = hottest(&PRODUCT.replace("s0, s1", "s0, 32"));
        assert_eq!(counted.label, "BB0");
        assert_eq!(counted.counts.fused, 2 * 16 * 2);
        assert_eq!(counted.counts.memory, 2 * 4 + 1);
    }

    #[test]
    fn unrolled_multiply_adds_beside_a_loop_are_those_of_the_loop_round_both() {
        let unrolled = PRODUCT.replace("s_branch BB8", "s_nop 0");
        let counted = hottest(&unrolled);
        assert_eq!((counted.label.as_str(), counted.counts.fused), ("BB1", 2));
    }
}
