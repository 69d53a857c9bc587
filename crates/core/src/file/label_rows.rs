//! Several labels per image, for data such as JFT-300M (BigGAN sec. 5.2: 18,000 categories).

/// The labels of all images, concatenated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelRows {
    /// End of the labels of each image.
    ends: Vec<u64>,
    classes: Vec<u16>,
}

impl LabelRows {
    /// Rows that end at `ends`; `None` if the ends do not increase to the number of labels or a row
    /// is empty.
    pub fn new(ends: Vec<u64>, classes: Vec<u16>) -> Option<Self> {
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let rising = starts.zip(&ends).all(|(start, &end)| start < end);
        let whole = ends.last().copied().unwrap_or(0) == classes.len() as u64;
        (rising && whole).then_some(Self { ends, classes })
    }

    /// Appends the labels of an image.
    ///
    /// # Panics
    /// If there is none.
    pub fn push(&mut self, row: &[u16]) {
        assert!(!row.is_empty(), "an image without a label");
        self.classes.extend(row);
        self.ends.push(self.classes.len() as u64);
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Labels of an image.
    pub fn row(&self, index: usize) -> &[u16] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.classes[start as usize..self.ends[index] as usize]
    }

    /// The first label of each image.
    pub fn first(&self) -> Vec<u16> {
        (0..self.len()).map(|index| self.row(index)[0]).collect()
    }

    /// Whether an image has several labels.
    pub fn several(&self) -> bool {
        self.classes.len() > self.len()
    }

    /// The ends of the labels of each image, and the labels.
    pub fn parts(&self) -> (&[u64], &[u16]) {
        (&self.ends, &self.classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_and_broken_ends_refused() {
        let mut rows = LabelRows::default();
        rows.push(&[4, 2]);
        rows.push(&[1]);
        assert_eq!((rows.row(0), rows.row(1)), (&[4, 2][..], &[1][..]));
        assert_eq!(rows.first(), [4, 1]);
        assert!(rows.several());
        let (ends, classes) = rows.parts();
        let back = LabelRows::new(ends.to_vec(), classes.to_vec());
        assert_eq!(back, Some(rows));
        for ends in [vec![2, 2], vec![3, 2], vec![1, 2], vec![0, 3]] {
            assert_eq!(LabelRows::new(ends, vec![4, 2, 1]), None);
        }
    }
}
