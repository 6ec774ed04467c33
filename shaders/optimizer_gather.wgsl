// Copies tensors into their segments of one flat buffer.
//
//   flat[start_p * 256 + i] = piece_p[i]  for i below length_p
//   flat[start_p * 256 + i] = 0           from there to the end of the last of its blocks_p blocks of 256
//
// Six tensors a launch, as many as WebGPU's eight buffers leave room for: a launch costs more than a small tensor's
// copy. A piece that is not there has no blocks.
//
//   0 to 5  piece_p  [length_p]  read
//   6       flat     written at the pieces' segments
//   7       params
//
// A workgroup copies a block of 256 values, an invocation four of them, 64 apart, so that neighbours read and write side
// by side. Workgroups lie in x, then in y where x would have more than 65535.

const WORKGROUP: u32 = 64u;
const BLOCK: u32 = 256u;

struct Params {
    start_0: u32,
    blocks_0: u32,
    length_0: u32,
    start_1: u32,
    blocks_1: u32,
    length_1: u32,
    start_2: u32,
    blocks_2: u32,
    length_2: u32,
    start_3: u32,
    blocks_3: u32,
    length_3: u32,
    start_4: u32,
    blocks_4: u32,
    length_4: u32,
    start_5: u32,
    blocks_5: u32,
    length_5: u32,
}

@group(0) @binding(0) var<storage, read> piece_0: array<f32>;
@group(0) @binding(1) var<storage, read> piece_1: array<f32>;
@group(0) @binding(2) var<storage, read> piece_2: array<f32>;
@group(0) @binding(3) var<storage, read> piece_3: array<f32>;
@group(0) @binding(4) var<storage, read> piece_4: array<f32>;
@group(0) @binding(5) var<storage, read> piece_5: array<f32>;
@group(0) @binding(6) var<storage, read_write> flat: array<f32>;
@group(0) @binding(7) var<storage, read> params: Params;

// piece[index]; the caller stays inside.
fn load_piece(piece: u32, index: u32) -> f32 {
    switch piece {
        case 0u: { return piece_0[index]; }
        case 1u: { return piece_1[index]; }
        case 2u: { return piece_2[index]; }
        case 3u: { return piece_3[index]; }
        case 4u: { return piece_4[index]; }
        default: { return piece_5[index]; }
    }
}

// flat[index].
fn store_flat(index: u32, value: f32) {
    flat[index] = value;
}

struct Place {
    piece: u32,
    // Its first block in the flat buffer.
    start: u32,
    // Which of its blocks this is.
    block: u32,
    length: u32,
}

// The piece that block number `block` of this launch is of; past the last, a block of the last beyond its end.
fn place_of(block: u32) -> Place {
    var rest = block;
    if rest < params.blocks_0 {
        return Place(0u, params.start_0, rest, params.length_0);
    }
    rest -= params.blocks_0;
    if rest < params.blocks_1 {
        return Place(1u, params.start_1, rest, params.length_1);
    }
    rest -= params.blocks_1;
    if rest < params.blocks_2 {
        return Place(2u, params.start_2, rest, params.length_2);
    }
    rest -= params.blocks_2;
    if rest < params.blocks_3 {
        return Place(3u, params.start_3, rest, params.length_3);
    }
    rest -= params.blocks_3;
    if rest < params.blocks_4 {
        return Place(4u, params.start_4, rest, params.length_4);
    }
    rest -= params.blocks_4;
    return Place(5u, params.start_5, rest, params.length_5);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = place_of(group.y * groups.x + group.x);
    // The last row of workgroups may reach beyond the last piece.
    if place.block * BLOCK >= place.length {
        return;
    }
    for (var i = lane; i < BLOCK; i += WORKGROUP) {
        let index = place.block * BLOCK + i;
        var value = 0.0;
        if index < place.length {
            value = load_piece(place.piece, index);
        }
        store_flat(place.start * BLOCK + index, value);
    }
}
