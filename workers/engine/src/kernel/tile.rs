//! How sixteen rows of a quantized matrix lie in memory.
//!
//! A `Line` holds four neighbouring bytes of each of the sixteen rows: byte `4 r + j` belongs to row `r`.

/// Rows side by side in one tile: the 32-bit lanes of a register.
pub(crate) const ROWS: usize = 16;

/// One cache line, one register.
pub(super) type Line = [u8; 64];

/// 256 columns, 4 bits and a scale and a minimum of 6 bits per 32 of them: value = `d * scale * q - dmin * min`.
#[derive(Clone)]
#[repr(C, align(64))]
pub(super) struct TileQ4K {
    /// `quants[c][g]`: columns `64 c + 4 g ..` in the low, `64 c + 32 + 4 g ..` in the high halves.
    pub(super) quants: [[Line; 8]; 4],
    pub(super) scales: [[u8; ROWS]; 8],
    pub(super) minima: [[u8; ROWS]; 8],
    /// Half-precision bits, as are all `d`.
    pub(super) d: [u16; ROWS],
    pub(super) dmin: [u16; ROWS],
}

/// 64 columns, 5 bits, a scale per 32: value = `d * (q - 16)`.
#[derive(Clone)]
#[repr(C, align(64))]
pub(super) struct TileQ5 {
    /// `quants[b][g]`: columns `32 b + 4 g ..` in the low, `32 b + 16 + 4 g ..` in the high halves.
    pub(super) quants: [[Line; 4]; 2],
    /// `fifth[b]`: bit `g` is the fifth bit of columns `32 b + 4 g ..`.
    pub(super) fifth: [Line; 2],
    pub(super) d: [[u16; ROWS]; 2],
}

/// 256 columns, 6 bits, an 8-bit scale per 16: value = `d * scale * (q - 32)`.
#[derive(Clone)]
#[repr(C, align(64))]
pub(super) struct TileQ6K {
    /// `low[h][0][g]`: low four bits of columns `128 h + 4 g ..` and, in the high halves, of those 64 further; `[1]`: 32 further.
    pub(super) low: [[[Line; 8]; 2]; 2],
    /// `high[h][g]`: bits 0–1 for columns `128 h + 4 g ..`, 2–3 for those 32 further, and so on.
    pub(super) high: [[Line; 8]; 2],
    pub(super) scales: [[i8; ROWS]; 16],
    pub(super) d: [u16; ROWS],
}

/// 64 columns, 8 bits offset by 128, a scale per 32: value = `d * (q - 128)`.
#[derive(Clone)]
#[repr(C, align(64))]
pub(super) struct TileQ8 {
    /// `quants[b][g]`: columns `32 b + 4 g ..`.
    pub(super) quants: [[Line; 8]; 2],
    pub(super) d: [[u16; ROWS]; 2],
}
