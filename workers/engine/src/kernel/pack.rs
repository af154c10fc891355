//! From the blocks of a model file, one row after the other, to tiles of sixteen rows. Bits are moved, never changed.

use super::tile::{Line, ROWS, TileQ4K, TileQ5, TileQ6K, TileQ8};

/// A tile that can be filled from file blocks.
pub(super) trait Pack: Clone + Send + Sync {
    /// Columns per block in the file.
    const BLOCK_COLUMNS: usize;
    /// Bytes per block in the file.
    const BLOCK_BYTES: usize;
    /// File blocks per row of a tile.
    const BLOCKS: usize;
    const EMPTY: Self;

    /// Takes over block number `index` of the tile's row `row`.
    fn put(&mut self, row: usize, index: usize, block: &[u8]);
}

/// All stripes of a matrix; `None` when the columns do not make whole tiles or the bytes do not make the matrix.
pub(super) fn stripes<T: Pack>(bytes: &[u8], rows: usize, columns: usize) -> Option<Vec<T>> {
    if columns == 0 || !columns.is_multiple_of(T::BLOCK_COLUMNS * T::BLOCKS) {
        return None;
    }
    let row_bytes = columns / T::BLOCK_COLUMNS * T::BLOCK_BYTES;
    if bytes.len() != rows * row_bytes {
        return None;
    }
    let per_stripe = columns / (T::BLOCK_COLUMNS * T::BLOCKS);
    let mut tiles = vec![T::EMPTY; rows / ROWS * per_stripe];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = (rows / ROWS).div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for (tiles, bytes) in tiles.chunks_mut(share * per_stripe).zip(bytes.chunks(share * ROWS * row_bytes)) {
            scope.spawn(move || fill(tiles, bytes, row_bytes, per_stripe));
        }
    });
    Some(tiles)
}

fn fill<T: Pack>(tiles: &mut [T], bytes: &[u8], row_bytes: usize, per_stripe: usize) {
    let stripes = tiles.chunks_exact_mut(per_stripe).zip(bytes.chunks_exact(ROWS * row_bytes));
    for (stripe, bytes) in stripes {
        for (row, bytes) in bytes.chunks_exact(row_bytes).enumerate() {
            for (index, block) in bytes.chunks_exact(T::BLOCK_BYTES).enumerate() {
                stripe[index / T::BLOCKS].put(row, index % T::BLOCKS, block);
            }
        }
    }
}

/// Four bytes into the place of a row.
fn set(line: &mut Line, row: usize, bytes: &[u8]) {
    line[4 * row..4 * row + 4].copy_from_slice(bytes);
}

fn half(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

impl Pack for TileQ4K {
    const BLOCK_COLUMNS: usize = 256;
    const BLOCK_BYTES: usize = 144;
    const BLOCKS: usize = 1;
    const EMPTY: Self = Self {
        quants: [[[0; 64]; 8]; 4],
        scales: [[0; ROWS]; 8],
        minima: [[0; ROWS]; 8],
        d: [0; ROWS],
        dmin: [0; ROWS],
    };

    fn put(&mut self, row: usize, _index: usize, block: &[u8]) {
        self.d[row] = half(&block[0..]);
        self.dmin[row] = half(&block[2..]);
        for part in 0..8 {
            let (scale, minimum) = six_bits(&block[4..16], part);
            self.scales[part][row] = scale;
            self.minima[part][row] = minimum;
        }
        let lines = self.quants.as_flattened_mut();
        for (line, bytes) in lines.iter_mut().zip(block[16..].chunks_exact(4)) {
            set(line, row, bytes);
        }
    }
}

/// Scale and minimum number `part` out of the twelve bytes in which eight of each lie.
fn six_bits(packed: &[u8], part: usize) -> (u8, u8) {
    if part < 4 {
        return (packed[part] & 63, packed[part + 4] & 63);
    }
    let scale = packed[part + 4] & 15 | (packed[part - 4] >> 6) << 4;
    let minimum = packed[part + 4] >> 4 | (packed[part] >> 6) << 4;
    (scale, minimum)
}

impl Pack for TileQ5 {
    const BLOCK_COLUMNS: usize = 32;
    const BLOCK_BYTES: usize = 22;
    const BLOCKS: usize = 2;
    const EMPTY: Self = Self { quants: [[[0; 64]; 4]; 2], fifth: [[0; 64]; 2], d: [[0; ROWS]; 2] };

    fn put(&mut self, row: usize, index: usize, block: &[u8]) {
        self.d[index][row] = half(block);
        let bits = u32::from_le_bytes([block[2], block[3], block[4], block[5]]);
        for (line, bytes) in self.quants[index].iter_mut().zip(block[6..].chunks_exact(4)) {
            set(line, row, bytes);
        }
        let spread = |j: usize| (0..8).fold(0, |byte, g| byte | ((bits >> (4 * g + j) & 1) as u8) << g);
        set(&mut self.fifth[index], row, &[spread(0), spread(1), spread(2), spread(3)]);
    }
}

impl Pack for TileQ6K {
    const BLOCK_COLUMNS: usize = 256;
    const BLOCK_BYTES: usize = 210;
    const BLOCKS: usize = 1;
    const EMPTY: Self =
        Self { low: [[[[0; 64]; 8]; 2]; 2], high: [[[0; 64]; 8]; 2], scales: [[0; ROWS]; 16], d: [0; ROWS] };

    fn put(&mut self, row: usize, _index: usize, block: &[u8]) {
        let low = self.low.as_flattened_mut().as_flattened_mut();
        for (line, bytes) in low.iter_mut().zip(block[..128].chunks_exact(4)) {
            set(line, row, bytes);
        }
        for (line, bytes) in self.high.as_flattened_mut().iter_mut().zip(block[128..192].chunks_exact(4)) {
            set(line, row, bytes);
        }
        for (scales, scale) in self.scales.iter_mut().zip(&block[192..208]) {
            scales[row] = scale.cast_signed();
        }
        self.d[row] = half(&block[208..]);
    }
}

impl Pack for TileQ8 {
    const BLOCK_COLUMNS: usize = 32;
    const BLOCK_BYTES: usize = 34;
    const BLOCKS: usize = 2;
    const EMPTY: Self = Self { quants: [[[0; 64]; 8]; 2], d: [[0; ROWS]; 2] };

    fn put(&mut self, row: usize, index: usize, block: &[u8]) {
        self.d[index][row] = half(block);
        for (line, bytes) in self.quants[index].iter_mut().zip(block[2..].chunks_exact(4)) {
            // The multiply instruction wants its weights unsigned.
            let offset = [bytes[0] ^ 0x80, bytes[1] ^ 0x80, bytes[2] ^ 0x80, bytes[3] ^ 0x80];
            set(line, row, &offset);
        }
    }
}
