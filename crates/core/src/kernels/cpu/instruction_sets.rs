//! The inner loops of [`super::simd`] compiled for each instruction set.

use super::simd::{DotArgs, Kernels, LaneSums, TileArgs, Vector, dot, tile};

/// Defines the [`Kernels`] of one instruction set: two tile heights, the vectors of a tile's width, and
/// the slab of the dot products.
macro_rules! kernels {
    ($name:ident, $vector:ty, [$tall:literal, $short:literal] x $vectors:literal, $r:literal x $c:literal $(, $feature:literal)?) => {
        pub static $name: Kernels = {
            $(#[target_feature(enable = $feature)])?
            unsafe fn tall(args: &TileArgs) {
                // SAFETY: as promised by the caller of `Tile`.
                unsafe { tile::<$vector, $tall, $vectors>(args) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn short(args: &TileArgs) {
                // SAFETY: as promised by the caller of `Tile`.
                unsafe { tile::<$vector, $short, $vectors>(args) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn dots(args: &DotArgs, out: &mut LaneSums) {
                // SAFETY: as promised by the caller of `Dot`.
                unsafe { dot::<$vector, $r, $c>(args, out) }
            }
            Kernels {
                lanes: <$vector as Vector>::LANES,
                vectors: $vectors,
                tiles: [($tall, tall), ($short, short)],
                dot: dots,
            }
        };
    };
}

#[cfg(target_arch = "x86_64")]
pub mod x86 {
    //! AVX2 with FMA (16 registers of 8 values) and AVX-512 (32 registers of 16 values).
    use super::*;
    use core::arch::x86_64::*;

    macro_rules! vector {
        ($name:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $fma:ident) => {
            impl Vector for $name {
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn splat(value: f32) -> Self {
                    // SAFETY: the caller has checked the instruction set.
                    unsafe { $splat(value) }
                }
                #[inline(always)]
                unsafe fn load(from: *const f32) -> Self {
                    // SAFETY: as above, and the caller's pointer is readable.
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut f32) {
                    // SAFETY: as above, and the caller's pointer is writable.
                    unsafe { $store(to, self) }
                }
                #[inline(always)]
                unsafe fn add_product(self, a: Self, b: Self) -> Self {
                    // SAFETY: the caller has checked the instruction set.
                    unsafe { $fma(a, b, self) }
                }
            }
        };
    }
    vector!(
        __m512,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps
    );
    vector!(
        __m256,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps
    );

    kernels!(AVX512, __m512, [8, 4] x 3, 4 x 6, "avx512f,avx512vl");
    kernels!(AVX2, __m256, [6, 3] x 2, 4 x 2, "avx2,fma");
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub mod wasm {
    //! simd128 by name, so that nothing depends on automatic vectorisation.
    use super::*;
    use core::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat, v128, v128_load, v128_store};

    impl Vector for v128 {
        const LANES: usize = 4;
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            f32x4_splat(value)
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's pointer is readable; the read needs no alignment.
            unsafe { v128_load(from.cast()) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's pointer is writable; the write needs no alignment.
            unsafe { v128_store(to.cast(), self) }
        }
        #[inline(always)]
        unsafe fn add_product(self, a: Self, b: Self) -> Self {
            f32x4_add(self, f32x4_mul(a, b))
        }
    }

    kernels!(KERNELS, v128, [4, 2] x 2, 2 x 3);
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub mod portable {
    //! Four values an operation, which compilers map to SSE2 and NEON.
    use super::*;

    #[derive(Clone, Copy)]
    #[repr(align(16))]
    struct Four([f32; 4]);

    impl Vector for Four {
        const LANES: usize = 4;
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            Self([value; 4])
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's pointer is readable; the read needs no alignment.
            Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's pointer is writable; the write needs no alignment.
            unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
        }
        #[inline(always)]
        unsafe fn add_product(self, a: Self, b: Self) -> Self {
            Self(core::array::from_fn(|i| self.0[i] + a.0[i] * b.0[i]))
        }
    }

    kernels!(KERNELS, Four, [4, 2] x 2, 2 x 3);
}

/// The inner loops for this machine.
pub fn kernels() -> &'static Kernels {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512vl")
        {
            return &x86::AVX512;
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            return &x86::AVX2;
        }
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    {
        &wasm::KERNELS
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    {
        &portable::KERNELS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that this machine can run.
    fn available() -> Vec<&'static Kernels> {
        let mut all = vec![&portable::KERNELS];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("fma")
            {
                all.push(&x86::AVX2);
            }
            all.push(kernels());
        }
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
            for (rows, tile) in kernels.tiles {
                let (image, offsets) = (integers(400), [3, 17, 100, 64, 1]);
                let weights = integers(rows * offsets.len());
                let starts: Vec<usize> = (0..kernels.vectors).map(|v| v * 37).collect();
                let pitch = kernels.vectors * kernels.lanes + 5;
                let mut out = vec![0.0; rows * pitch];
                let args = TileArgs {
                    offsets: offsets.as_ptr(),
                    taps: offsets.len(),
                    weights: weights.as_ptr(),
                    image: image.as_ptr(),
                    starts: starts.as_ptr(),
                    out: out.as_mut_ptr(),
                    pitch,
                };
                // SAFETY: the largest index read is 100 + 2 * 37 + 15.
                unsafe { tile(&args) };
                for i in 0..rows {
                    for p in 0..kernels.vectors * kernels.lanes {
                        let at = starts[p / kernels.lanes] + p % kernels.lanes;
                        let terms = offsets.iter().enumerate();
                        let sum: f32 = terms
                            .map(|(k, o)| weights[k * rows + i] * image[o + at])
                            .sum();
                        assert_eq!(
                            out[i * pitch + p],
                            sum,
                            "{} lanes, {rows} rows",
                            kernels.lanes
                        );
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
}
