//! Sums and likenesses of states, rows of `width` numbers.

/// The sum of the rows.
pub(super) fn sum(states: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    for state in states.chunks_exact(width) {
        sum.iter_mut().zip(state).for_each(|(sum, number)| *sum += number);
    }
    sum
}

/// The mean of the rows.
pub(super) fn mean(states: &[f32], width: usize) -> Vec<f32> {
    let count = (states.len() / width).max(1) as f32;
    let mut mean = sum(states, width);
    mean.iter_mut().for_each(|number| *number /= count);
    mean
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE)
}

pub(super) fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
