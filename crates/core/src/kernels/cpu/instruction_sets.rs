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
    kernels!(AVX2, __m256, [4, 2] x 3, 4 x 2, "avx2,fma");
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
