//! Guesses the next tokens by looking for what was said after the same words before.
//!
//! Answers here mostly copy words of the prompt, so this needs no second model. A wrong guess costs a slower pass, never a wrong token.

/// Tokens that must agree before a guess is made: the longest agreement wins.
const AGREEMENTS: [usize; 2] = [3, 2];

/// What followed the last earlier occurrence of the end of `tokens`, at most `limit` tokens.
pub(crate) fn propose(tokens: &[u32], limit: usize) -> &[u32] {
    for len in AGREEMENTS {
        if tokens.len() <= len {
            continue;
        }
        let (earlier, end) = (&tokens[..tokens.len() - 1], &tokens[tokens.len() - len..]);
        if let Some(at) = earlier.windows(len).rposition(|window| window == end) {
            let from = at + len;
            return &tokens[from..tokens.len().min(from + limit)];
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continues_the_last_earlier_occurrence() {
        assert_eq!(propose(&[1, 2, 9, 1, 2, 7, 8, 1, 2], 2), [7, 8]);
        assert_eq!(propose(&[1, 2, 3, 4, 9, 2, 3, 5, 1, 2, 3], 1), [4]);
    }

    #[test]
    fn stays_silent_about_what_is_new() {
        assert!(propose(&[1, 2, 3, 4], 4).is_empty());
        assert!(propose(&[], 4).is_empty());
        assert!(propose(&[1, 2, 9, 1, 2], 0).is_empty());
    }

    #[test]
    fn a_repetition_proposes_itself() {
        assert_eq!(propose(&[5, 5, 5, 5], 3), [5]);
    }
}
