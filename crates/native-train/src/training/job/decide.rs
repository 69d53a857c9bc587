//! What comes next: rank 0 decides, and all ranks learn it at the same point.

use super::Job;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A round.
    Round,
    /// The end: the images are seen, the steps are done, or a rank was interrupted.
    Stop,
    /// Another state, which rank 0 sends: training collapsed and was rolled back.
    Restart,
    /// The end, with this exit code: training collapsed.
    Fail(u8),
}

impl Next {
    fn number(self) -> f32 {
        match self {
            Self::Round => 0.0,
            Self::Stop => 1.0,
            Self::Restart => 2.0,
            Self::Fail(code) => 3.0 + f32::from(code),
        }
    }

    fn from_number(number: f32) -> Self {
        match number as u16 {
            0 => Self::Round,
            1 => Self::Stop,
            2 => Self::Restart,
            code => Self::Fail((code - 3) as u8),
        }
    }
}

/// The decision, the same on all ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What rank 0 said.
    pub next: Next,
    /// Whether any rank was asked to stop.
    pub interrupted: bool,
}

impl Job {
    /// Takes what comes next from rank 0 (other ranks' values are ignored), and from every rank whether it was
    /// asked to stop.
    pub fn decide(&self, next: Next, interrupted: bool) -> Decision {
        let said = [next.number(), f32::from(u8::from(interrupted))];
        let all = self.world.all_gather(&said);
        let decision = Decision {
            next: Next::from_number(all[0]),
            interrupted: all.chunks_exact(2).any(|rank| rank[1] > 0.0),
        };
        if matches!(decision.next, Next::Stop | Next::Fail(_)) {
            self.ends.set(true);
        }
        decision
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_for_what_comes_next() {
        for next in [
            Next::Round,
            Next::Stop,
            Next::Restart,
            Next::Fail(3),
            Next::Fail(255),
        ] {
            assert_eq!(Next::from_number(next.number()), next);
        }
        let alone = Job::single().decide(Next::Fail(3), true);
        assert_eq!((alone.next, alone.interrupted), (Next::Fail(3), true));
    }
}
