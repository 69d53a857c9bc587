//! The inner loops against their formulas.

use super::*;

/// All that this machine can run.
pub fn available() -> Vec<&'static Kernels> {
    let mut all = vec![&portable::KERNELS];
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            all.push(&x86::AVX2);
        }
    }
    all.push(kernels());
    all
}

/// Small integers, whose sums are all exact.
fn integers(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| ((i * 7 + i / 5) % 11) as f32 - 5.0)
        .collect()
}

#[test]
fn tiles_follow_their_formula() {
    for kernels in available() {
        for (height, rows) in kernels.tiles.iter().map(|tile| tile.rows).enumerate() {
            for registers in 1..=2 * kernels.vectors {
                let (image, offsets) = (integers(400), [3, 17, 100, 64, 1]);
                let weights = integers(rows * offsets.len());
                let starts: Vec<usize> = (0..registers).map(|v| v * 37).collect();
                let pitch = registers * kernels.lanes + 5;
                let mut out = vec![7.0; rows * pitch];
                let mut args = TileArgs {
                    offsets: offsets.as_ptr(),
                    taps: offsets.len(),
                    weights: weights.as_ptr(),
                    image: image.as_ptr(),
                    starts: starts.as_ptr(),
                    out: out.as_mut_ptr(),
                    pitch,
                    add: false,
                };
                // SAFETY: the largest index read is 100 + 5 * 37 + 15.
                unsafe { kernels.product(height, &starts, &args) };
                args.add = true;
                // SAFETY: as above.
                unsafe { kernels.product(height, &starts, &args) };
                for (i, row) in out.chunks_exact(pitch).enumerate() {
                    for (p, &value) in row[..pitch - 5].iter().enumerate() {
                        let at = starts[p / kernels.lanes] + p % kernels.lanes;
                        let terms = offsets.iter().enumerate();
                        let sum: f32 = terms
                            .map(|(k, o)| weights[k * rows + i] * image[o + at])
                            .sum();
                        let what = format!("{} lanes, {rows} rows", kernels.lanes);
                        assert_eq!(value, 2.0 * sum, "{what}, {registers} registers");
                    }
                    assert_eq!(row[pitch - 5..], [7.0; 5]);
                }
            }
        }
    }
}

#[test]
fn dots_follow_their_formula() {
    for kernels in available() {
        let (a, b) = (integers(300), integers(500));
        let starts: Vec<usize> = (0..5).map(|v| v * 21).collect();
        let args = DotArgs {
            starts: &starts,
            a: a.as_ptr(),
            a_offsets: [0, 7, 80, 200],
            b: b.as_ptr(),
            b_offsets: [0, 1, 2, 90, 91, 300],
        };
        let mut out = LaneSums::default();
        // SAFETY: the largest indices read are 200 + 79 and 300 + 84 + 15.
        unsafe { (kernels.dot)(&args, &mut out) };
        for (i, a_offset) in args.a_offsets.iter().enumerate() {
            for (j, b_offset) in args.b_offsets.iter().enumerate() {
                let term = |p: usize| {
                    let start = starts[p / kernels.lanes] + p % kernels.lanes;
                    a[a_offset + p] * b[b_offset + start]
                };
                let sum: f32 = (0..starts.len() * kernels.lanes).map(term).sum();
                assert_eq!(
                    out[i][j].iter().sum::<f32>(),
                    sum,
                    "{} lanes",
                    kernels.lanes
                );
            }
        }
    }
}
