// The moving average of tensors' values, of tensors side by side in flat buffers.
//
//   result[start_p * 256 + i] = mean[start_p * 256 + i] * decay + piece_p[i] * share  for i below length_p
//
// A piece is a whole flat buffer, or a tensor that lies elsewhere; one that is not there has no blocks. Averages are not
// changed in place, since a model that is being validated may hold the old.
//
//   0 to 4  piece_p  [length_p]  read
//   5       mean     read at the pieces' segments
//   6       result   written there
//   7       params
//
// A workgroup computes a block of 256 values, an invocation four of them, 64 apart, so that neighbours read and write
// side by side. Workgroups lie in x, then in y where x would have more than 65535.

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
    decay: f32,
    share: f32,
}

@group(0) @binding(0) var<storage, read> piece_0: array<f32>;
@group(0) @binding(1) var<storage, read> piece_1: array<f32>;
@group(0) @binding(2) var<storage, read> piece_2: array<f32>;
@group(0) @binding(3) var<storage, read> piece_3: array<f32>;
@group(0) @binding(4) var<storage, read> piece_4: array<f32>;
@group(0) @binding(5) var<storage, read> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> result: array<f32>;
@group(0) @binding(7) var<storage, read> params: Params;

// piece[index]; the caller stays inside.
fn load_piece(piece: u32, index: u32) -> f32 {
    switch piece {
        case 0u: { return piece_0[index]; }
        case 1u: { return piece_1[index]; }
        case 2u: { return piece_2[index]; }
        case 3u: { return piece_3[index]; }
        default: { return piece_4[index]; }
    }
}

// mean[index].
fn load_mean(index: u32) -> f32 {
    return mean[index];
}

// result[index].
fn store_result(index: u32, value: f32) {
    result[index] = value;
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
    return Place(4u, params.start_4, rest, params.length_4);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = place_of(group.y * groups.x + group.x);
    for (var i = lane; i < BLOCK; i += WORKGROUP) {
        let index = place.block * BLOCK + i;
        // Nor does a workgroup of the last row beyond the last piece come in here.
        if index < place.length {
            let at = place.start * BLOCK + index;
            let value = load_piece(place.piece, index);
            store_result(at, load_mean(at) * params.decay + value * params.share);
        }
    }
}
