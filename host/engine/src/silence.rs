//! Notices that the API gives no answer at all: calls are repeated for minutes, and a person should hear of it meanwhile.

/// Failures in a row of which somebody is told; then each time that they have doubled. Of an API that has never answered the first
/// one is told: the address may be wrong.
const MANY: u32 = 3;

/// The calls in a row that got no answer.
#[derive(Debug, Default)]
pub(crate) struct Silence {
    calls: u32,
    has_answered: bool,
}

impl Silence {
    /// A call got no answer; how many that are in a row, where somebody should be told.
    pub(crate) fn unanswered(&mut self) -> Option<u32> {
        self.calls = self.calls.saturating_add(1);
        let is_first = self.calls == 1 && !self.has_answered;
        let is_more = self.calls.is_multiple_of(MANY) && (self.calls / MANY).is_power_of_two();
        (is_first || is_more).then_some(self.calls)
    }

    /// A call got an answer, be it an error; true where somebody was told that there are none.
    pub(crate) fn answered(&mut self) -> bool {
        let least = if std::mem::replace(&mut self.has_answered, true) { MANY } else { 1 };
        std::mem::take(&mut self.calls) >= least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_silence_is_told_again_and_again_but_seldom() {
        let mut silence = Silence::default();
        let told: Vec<u32> = (0..100).filter_map(|_| silence.unanswered()).collect();
        assert_eq!(told, [1, 3, 6, 12, 24, 48, 96]);
        assert!(silence.answered() && !silence.answered());
    }

    #[test]
    fn what_fails_now_and_then_is_no_silence() {
        let mut silence = Silence { has_answered: true, ..Silence::default() };
        for _ in 0..10 {
            assert_eq!((silence.unanswered(), silence.unanswered(), silence.answered()), (None, None, false));
        }
    }
}
