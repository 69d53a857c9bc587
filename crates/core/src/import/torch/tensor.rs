//! A tensor as a view into the bytes of its file: read on demand, checked beforehand.

use half::{bf16, f16};

use super::value::{Element, TensorRecord};

/// A checked view: every element lies within the file.
#[derive(Debug, Clone)]
pub struct TensorView<'a> {
    /// The storage, starting at the view's first element.
    bytes: &'a [u8],
    element: Element,
    shape: Vec<usize>,
    strides: Vec<usize>,
    len: usize,
}

impl<'a> TensorView<'a> {
    /// Checks a record against the bytes of its storage.
    pub(super) fn new(
        record: TensorRecord,
        element: Element,
        storage: &'a [u8],
    ) -> Result<Self, String> {
        let TensorRecord {
            first,
            end,
            shape,
            strides,
            ..
        } = record;
        if strides.len() != shape.len() {
            return Err(format!("shape {shape:?} with strides {strides:?}"));
        }
        let len = shape
            .iter()
            .try_fold(1usize, |len, &dim| len.checked_mul(dim));
        let len = len.ok_or_else(|| format!("shape {shape:?} has too many elements"))?;
        let reach = end.saturating_sub(first);
        // distance from the first element to the last
        let last = shape
            .iter()
            .zip(&strides)
            .try_fold(0usize, |last, (&dim, &stride)| {
                last.checked_add(dim.saturating_sub(1).checked_mul(stride)?)
            });
        let fits = len == 0 || (len <= reach && last.is_some_and(|last| last < reach));
        if !fits {
            return Err(format!(
                "shape {shape:?} with strides {strides:?} from element {first} passes the end of its \
                 storage of {end} elements"
            ));
        }
        // `end` elements are known to lie in the storage
        let start = first.min(end) * element.size();
        Ok(Self {
            bytes: &storage[start..],
            element,
            shape,
            strides,
            len,
        })
    }

    /// Shape; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The values as f32, row-major.
    ///
    /// # Errors
    /// If they have a type that is not read; the message names it.
    pub fn to_f32(&self) -> Result<Vec<f32>, String> {
        Ok(match self.element {
            Element::F32 => self.values(f32::from_le_bytes),
            Element::F64 => self.values(|bytes| f64::from_le_bytes(bytes) as f32),
            Element::F16 => self.values(|bytes| f16::from_le_bytes(bytes).to_f32()),
            Element::Bf16 => self.values(|bytes| bf16::from_le_bytes(bytes).to_f32()),
            Element::I64 => self.values(|bytes| i64::from_le_bytes(bytes) as f32),
            other => {
                return Err(format!(
                    "is stored as {other:?}; F32, F64, F16, Bf16 and I64 are read"
                ));
            }
        })
    }

    fn values<const SIZE: usize>(&self, convert: impl Fn([u8; SIZE]) -> f32) -> Vec<f32> {
        let (elements, _) = self.bytes.as_chunks::<SIZE>();
        if self.is_row_major() {
            return elements[..self.len].iter().map(|&b| convert(b)).collect();
        }
        let mut index = vec![0; self.shape.len()];
        let mut at = 0;
        let mut values = Vec::with_capacity(self.len);
        for _ in 0..self.len {
            values.push(convert(elements[at]));
            for dim in (0..index.len()).rev() {
                index[dim] += 1;
                at += self.strides[dim];
                if index[dim] < self.shape[dim] {
                    break;
                }
                at -= self.strides[dim] * self.shape[dim];
                index[dim] = 0;
            }
        }
        values
    }

    fn is_row_major(&self) -> bool {
        let mut expected = 1;
        self.shape
            .iter()
            .zip(&self.strides)
            .rev()
            .all(|(&dim, &stride)| {
                let follows = dim <= 1 || stride == expected;
                expected *= dim.max(1);
                follows
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(
        first: usize,
        shape: &[usize],
        strides: &[usize],
    ) -> Result<TensorView<'static>, String> {
        let floats: Vec<u8> = (0..6u8).flat_map(|i| f32::from(i).to_le_bytes()).collect();
        let record = TensorRecord {
            storage: 0,
            first,
            end: 6,
            shape: shape.to_vec(),
            strides: strides.to_vec(),
        };
        TensorView::new(record, Element::F32, floats.leak())
    }

    #[test]
    fn views_read_by_shape_and_strides() {
        let read = |first, shape: &[usize], strides: &[usize]| {
            view(first, shape, strides).unwrap().to_f32().unwrap()
        };
        assert_eq!(read(0, &[2, 3], &[3, 1]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(read(0, &[3, 2], &[1, 3]), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(read(4, &[2], &[1]), [4.0, 5.0]);
        assert_eq!(read(5, &[], &[]), [5.0]);
        assert_eq!(read(6, &[0, 4], &[4, 1]), [0.0; 0]);
        // an expanded dimension, if it does not make the tensor larger than its storage
        assert_eq!(read(2, &[2, 1], &[0, 1]), [2.0, 2.0]);
    }

    #[test]
    fn views_that_leave_their_storage_are_refused() {
        let cases: [(usize, &[usize], &[usize]); 7] = [
            (1, &[2, 3], &[3, 1]),
            (0, &[7], &[1]),
            (0, &[2], &[6]),
            (6, &[], &[]),
            (0, &[1000, 1000], &[0, 0]),
            (0, &[usize::MAX, 2], &[1, 1]),
            (0, &[2, 2], &[usize::MAX, usize::MAX]),
        ];
        for (first, shape, strides) in cases {
            assert!(
                view(first, shape, strides).is_err(),
                "{shape:?} {strides:?}"
            );
        }
        assert!(view(0, &[2, 3], &[1]).is_err());
    }
}
