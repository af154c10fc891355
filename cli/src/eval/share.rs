//! Shares of small samples.

/// 95 % interval of a share (Wilson 1927).
pub fn wilson(part: usize, whole: usize) -> (f64, f64) {
    if whole == 0 {
        return (0.0, 1.0);
    }
    let (n, share, z) = (whole as f64, part as f64 / whole as f64, 1.96_f64);
    let middle = share + z * z / (2.0 * n);
    let width = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - width) / (1.0 + z * z / n), (middle + width) / (1.0 + z * z / n))
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn an_interval_holds_its_share_and_narrows() {
        let (low, high) = wilson(8, 10);
        assert!(low < 0.8 && high > 0.8);
        let (narrow_low, narrow_high) = wilson(80, 100);
        assert!(narrow_low > low && narrow_high < high);
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}
