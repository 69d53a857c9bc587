//! Times of several players that take turns.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use safetensors::{Dtype, SafeTensors};

use super::player::Player;

/// What a player took.
#[derive(Debug, Clone)]
pub struct Timing {
    pub name: &'static str,
    /// Milliseconds, sorted.
    pub times: Vec<f64>,
    /// Most megabytes.
    pub memory: f64,
}

impl Timing {
    /// Milliseconds.
    pub fn median(&self) -> f64 {
        self.times[self.times.len() / 2]
    }

    /// Half the distance between the quarters, as a share of the median.
    pub fn spread(&self) -> f64 {
        let quarter = self.times.len() / 4;
        let (low, high) = (
            self.times[quarter],
            self.times[self.times.len() - 1 - quarter],
        );
        (high - low) / 2.0 / self.median()
    }
}

/// Between two runs: threads of OpenMP and of ONNX Runtime keep a core busy for a while after their work.
const PAUSE: Duration = Duration::from_millis(250);

/// Each player runs `runs` times, in turn with the others; one run more comes first and is not counted.
pub fn in_turn(players: &mut [Player], runs: usize) -> Result<Vec<Timing>> {
    let mut times = vec![Vec::new(); players.len()];
    for run in 0..=runs {
        for (player, times) in players.iter_mut().zip(&mut times) {
            sleep(PAUSE);
            let time = player.go()?;
            if run > 0 {
                times.push(time);
            }
        }
    }
    let timings = players.iter_mut().zip(times).map(|(player, mut times)| {
        times.sort_by(f64::total_cmp);
        Ok(Timing {
            name: player.name,
            times,
            memory: player.memory()?,
        })
    });
    timings.collect()
}

/// What two players made, compared: largest difference of the images in two safetensors files.
pub fn difference(ours: &[u8], theirs: &[u8]) -> Option<f32> {
    let (ours, theirs) = (images(ours)?, images(theirs)?);
    let pairs = ours.iter().zip(&theirs);
    let largest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    (ours.len() == theirs.len() && ours.iter().chain(&theirs).all(|v| v.is_finite()))
        .then_some(largest)
}

fn images(file: &[u8]) -> Option<Vec<f32>> {
    let file = SafeTensors::deserialize(file).ok()?;
    let images = file.tensor("image").ok()?;
    let (values, left) = images.data().as_chunks();
    let is_whole = images.dtype() == Dtype::F32 && left.is_empty();
    is_whole.then(|| values.iter().copied().map(f32::from_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    fn file(values: &[f32]) -> Vec<u8> {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let view = TensorView::new(Dtype::F32, vec![values.len()], &bytes).unwrap();
        safetensors::serialize([("image", view)], None).unwrap()
    }

    #[test]
    fn outputs_are_compared_value_by_value() {
        let ours = file(&[1.0, -2.0]);
        assert_eq!(difference(&ours, &file(&[1.0, -2.5])), Some(0.5));
        assert_eq!(difference(&ours, &file(&[1.0])), None);
        assert_eq!(difference(&ours, &file(&[1.0, f32::NAN])), None);
        assert_eq!(difference(&ours, &[1, 2]), None);
    }

    #[test]
    fn median_and_spread_are_of_the_middle() {
        let timing = Timing {
            name: "ours",
            times: vec![1.0, 9.0, 10.0, 10.0, 10.0, 10.0, 11.0, 12.0, 90.0],
            memory: 0.0,
        };
        assert_eq!(timing.median(), 10.0);
        assert_eq!(timing.spread(), 0.05);
    }
}
