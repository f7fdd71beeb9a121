//! Tables that give their memory back.

/// An allocation of this size is always mapped by itself (the upper bound that glibc sets to its
/// `M_MMAP_THRESHOLD`, mallopt(3)): it grows without a copy, pages that nothing was written to take no
/// memory, and all of it returns to the system when it is freed. A smaller one may lie in the arena of a
/// thread, which keeps what was freed there from all others.
const MAPPED: usize = (32 << 20) + 1;
/// Of smaller tables there are many, and what they keep is little.
const SMALL: usize = 1 << 20;

/// Room for `len` items.
#[must_use]
pub fn roomy<T>(len: usize) -> Vec<T> {
    match len.saturating_mul(size_of::<T>()) {
        0..SMALL => Vec::with_capacity(len),
        _ => mapped(len),
    }
}

/// Room for what may become millions of items.
#[must_use]
pub fn growing<T>() -> Vec<T> {
    mapped(0)
}

/// A list of `len` times the same.
#[must_use]
pub fn filled<T: Clone>(value: T, len: usize) -> Vec<T> {
    let mut table = roomy(len);
    table.resize(len, value);
    table
}

/// Appends a list to one that may become long.
pub fn lengthen<T>(all: &mut Vec<T>, more: Vec<T>) {
    let bytes = |items: usize| items * size_of::<T>();
    if all.is_empty() {
        *all = more;
        return;
    }
    if bytes(all.len() + more.len()) >= SMALL && bytes(all.capacity()) < MAPPED {
        let few = std::mem::replace(all, growing());
        all.extend(few);
    }
    all.extend(more);
}

/// Where a machine counts memory that nobody uses, less room will do.
fn mapped<T>(len: usize) -> Vec<T> {
    let mut table = Vec::new();
    let least = MAPPED.div_ceil(size_of::<T>().max(1));
    if table.try_reserve_exact(len.max(least)).is_err() {
        table.reserve_exact(len);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_become_long_are_mapped() {
        let mut all = Vec::new();
        for part in 0..400_u32 {
            lengthen(&mut all, vec![part; 1_000]);
            let (len, room) = (all.len() * 4, all.capacity() * 4);
            assert!(room >= MAPPED || len < SMALL, "{room} for {len}");
        }
        let mut parts = all.chunks(1_000).zip(0..);
        assert!(parts.all(|(part, number)| part == [number; 1_000]));
    }

    #[test]
    fn small_tables_are_exact_and_large_ones_are_mapped() {
        assert!(roomy::<u64>(1_000).capacity() < 2_000);
        for large in [roomy::<u64>(1 << 18), growing()] {
            assert!(large.capacity() * 8 >= MAPPED && large.is_empty());
        }
        assert!(roomy::<u64>(1 << 23).capacity() < (1 << 23) + 1_000);
    }
}
