//! The square middle of a picture at another size: cropped along its long edge, then area resampling
//! (BigGAN), in which a pixel is the mean of what it covers. In integers, so that every
//! machine has the same bytes.

/// What a source pixel gives to a target pixel of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Overlap {
    source: usize,
    target: usize,
    /// In parts of a source pixel; those of a target sum to the source's length.
    weight: u32,
}

/// Overlaps of `from` pixels with `to` pixels of the same length, by source.
fn overlaps(from: usize, to: usize) -> Vec<Overlap> {
    // in units of which a source pixel has `to` and a target pixel `from`
    let mut all = Vec::with_capacity(from + to);
    let mut at = 0;
    while at < from * to {
        let (source, target) = (at / to, at / from);
        let next = ((source + 1) * to).min((target + 1) * from);
        all.push(Overlap {
            source,
            target,
            weight: (next - at) as u32,
        });
        at = next;
    }
    all
}

/// Writes the middle of an RGB picture, `[height, width, 3]`, as planes `[3, resolution, resolution]`.
///
/// # Panics
/// If a length does not fit the sizes, or the picture has no pixel.
pub fn square(rgb: &[u8], width: usize, height: usize, resolution: usize, planes: &mut [u8]) {
    assert_eq!(rgb.len(), width * height * 3, "{width}x{height}");
    assert_eq!(planes.len(), 3 * resolution * resolution, "{resolution}");
    assert!(!rgb.is_empty() && resolution > 0, "{width}x{height}");
    let side = width.min(height);
    let (top, left) = ((height - side) / 2, (width - side) / 2);
    let overlaps = overlaps(side, resolution);
    let mut sums = vec![0u64; resolution * resolution * 3];
    let mut line = vec![0u32; resolution * 3];
    for rows in overlaps.chunk_by(|a, b| a.source == b.source) {
        let from = &rgb[((top + rows[0].source) * width + left) * 3..][..side * 3];
        line.fill(0);
        for o in &overlaps {
            for channel in 0..3 {
                line[o.target * 3 + channel] += o.weight * u32::from(from[o.source * 3 + channel]);
            }
        }
        for row in rows {
            let into = &mut sums[row.target * resolution * 3..][..resolution * 3];
            for (sum, &value) in into.iter_mut().zip(&line) {
                *sum += u64::from(row.weight) * u64::from(value);
            }
        }
    }
    let area = (side * side) as u64;
    for (pixel, sum) in sums.chunks_exact(3).enumerate() {
        for channel in 0..3 {
            let mean = (sum[channel] + area / 2) / area;
            planes[channel * resolution * resolution + pixel] = mean as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(pixels: &[u8], width: usize, resolution: usize) -> Vec<u8> {
        let rgb: Vec<u8> = pixels.iter().flat_map(|&p| [p, p, p]).collect();
        let mut planes = vec![0; 3 * resolution * resolution];
        square(&rgb, width, pixels.len() / width, resolution, &mut planes);
        let (red, rest) = planes.split_at(resolution * resolution);
        assert_eq!([red, red].concat(), rest);
        red.to_vec()
    }

    #[test]
    fn a_pixel_is_the_mean_of_what_it_covers() {
        // columns 0, 30, 90: the first target covers all of 0 and half of 30
        let thirds = grey(&[0, 30, 90, 0, 30, 90, 0, 30, 90], 3, 2);
        assert_eq!(thirds, [10, 70, 10, 70]);
        assert_eq!(grey(&[10, 20, 30, 41], 2, 1), [25]); // 25.25
        assert_eq!(grey(&[7], 1, 2), [7; 4]); // enlarged
        let same: Vec<u8> = (0..16).collect();
        assert_eq!(grey(&same, 4, 4), same);
        assert_eq!(grey(&[255; 49], 7, 3), [255; 9]);
    }

    #[test]
    fn the_long_edge_is_cropped_around_the_middle() {
        assert_eq!(grey(&[9, 1, 2, 9, 9, 3, 4, 9], 4, 2), [1, 2, 3, 4]);
        assert_eq!(grey(&[9, 9, 1, 2, 3, 4, 9, 9], 2, 2), [1, 2, 3, 4]);
    }

    #[test]
    fn channels_become_planes() {
        let mut planes = [0; 3];
        square(&[1, 2, 3], 1, 1, 1, &mut planes);
        assert_eq!(planes, [1, 2, 3]);
    }
}
