//! Thinning of a line's points that does not change how it looks.

/// At most `most` points that keep every peak: the lowest and the highest of each stretch, and one gap
/// if it has any.
pub fn thin(points: &[(f64, f64)], most: usize, visible: impl Fn(f64) -> bool) -> Vec<(f64, f64)> {
    if points.len() <= most {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(most / 4);
    let mut kept = Vec::with_capacity(most);
    for (index, part) in points.chunks(stretch).enumerate() {
        let shown = || part.iter().enumerate().filter(|(_, p)| visible(p.1));
        let by_value = |a: &(usize, &(f64, f64)), b: &(usize, &(f64, f64))| a.1.1.total_cmp(&b.1.1);
        let gap = part.iter().position(|p| !visible(p.1));
        let first = (index == 0).then_some(0);
        let last =
            (part.len() < stretch || (index + 1) * stretch == points.len()).then(|| part.len() - 1);
        let mut places: Vec<usize> = [
            first,
            shown().min_by(by_value).map(|(place, _)| place),
            shown().max_by(by_value).map(|(place, _)| place),
            gap,
            last,
        ]
        .into_iter()
        .flatten()
        .collect();
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().map(|place| part[place]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinned_lines_keep_their_ends_and_peaks() {
        let mut points: Vec<(f64, f64)> = (0..54_321).map(|i| (f64::from(i), 0.0)).collect();
        points[31_415].1 = 9.0;
        points[27_182].1 = -9.0;
        points[40_000].1 = f64::NAN;
        let thinned = thin(&points, 1000, f64::is_finite);
        assert!(thinned.len() <= 1002, "{}", thinned.len());
        assert_eq!((thinned[0].0, thinned.last().unwrap().0), (0.0, 54_320.0));
        assert!(thinned.contains(&points[31_415]) && thinned.contains(&points[27_182]));
        assert!(thinned.iter().any(|p| p.0 == 40_000.0 && p.1.is_nan()));
        assert!(thinned.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(thin(&points[..1000], 1000, f64::is_finite).len(), 1000);
    }
}
