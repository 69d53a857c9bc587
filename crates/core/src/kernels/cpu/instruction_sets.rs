//! The inner loops of the neighbours compiled for each instruction set: on x86-64 the rest of the program is compiled for
//! SSE2.

use super::pack_rows::{PackArgs, pack_rows, pack_views};
use super::simd::{Dot, DotArgs, LaneSums, Tile, TileArgs, Vector, dot, tile};
use super::softmax::{
    Softmax, SoftmaxArgs, SoftmaxGrad, SoftmaxGradArgs, Tanh, softmax, softmax_grad,
    tanh as tanh_of,
};
use super::unpack::{UnpackArgs, unpack};
use super::winograd_tiles::{TileInputs, TileOutputs, tile_inputs, tile_outputs};

/// The inner loops for one instruction set.
pub struct Kernels {
    /// Values of a register.
    pub lanes: usize,
    /// Most registers computed by one call of a tile.
    pub vectors: usize,
    /// More rows first.
    pub tiles: [Height; 2],
    pub dot: Dot,
    pub softmax: Softmax,
    pub softmax_grad: SoftmaxGrad,
    pub tile_inputs: unsafe fn(&TileInputs),
    pub tile_outputs: unsafe fn(&TileOutputs),
    pub tanh: Tanh,
    pub pack_rows: unsafe fn(PackArgs),
    pub pack_views: unsafe fn(PackArgs),
    pub unpack: unsafe fn(UnpackArgs),
}

/// The tiles of a number of rows.
pub struct Height {
    pub rows: usize,
    /// Of one register, of two and so on.
    pub widths: &'static [Tile],
}

impl Kernels {
    /// A product for the registers that begin at `starts`, however many: the tile of `args` is as wide as they are.
    ///
    /// # Safety
    /// As for [`Tile`].
    pub unsafe fn product(&self, height: usize, starts: &[usize], args: &TileArgs) {
        for (tile, starts) in starts.chunks(self.vectors).enumerate() {
            let args = TileArgs {
                starts: starts.as_ptr(),
                // SAFETY: a part of the caller's tile.
                out: unsafe { args.out.add(tile * self.vectors * self.lanes) },
                ..*args
            };
            // SAFETY: as promised by the caller.
            unsafe { self.tiles[height].widths[starts.len() - 1](&args) };
        }
    }
}

/// Defines the [`Kernels`] of one instruction set: two tile heights, the widths of a tile in vectors, and
/// the slab of the dot products.
macro_rules! kernels {
    ($name:ident, $vector:ty, [$tall:literal, $short:literal] x [$($width:literal),+], $r:literal x $c:literal $(, $feature:literal)?) => {
        pub static $name: Kernels = {
            $(#[target_feature(enable = $feature)])?
            unsafe fn tall<const VECTORS: usize>(args: &TileArgs) {
                // SAFETY: as promised by the caller of `Tile`.
                unsafe { tile::<$vector, $tall, VECTORS>(args) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn short<const VECTORS: usize>(args: &TileArgs) {
                // SAFETY: as promised by the caller of `Tile`.
                unsafe { tile::<$vector, $short, VECTORS>(args) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn dots(args: &DotArgs, out: &mut LaneSums) {
                // SAFETY: as promised by the caller of `Dot`.
                unsafe { dot::<$vector, $r, $c>(args, out) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn weights(args: &mut SoftmaxArgs) {
                // SAFETY: as promised by the caller of `Softmax`.
                unsafe { softmax::<$vector>(args) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn weights_grad(args: &mut SoftmaxGradArgs) {
                // SAFETY: as promised by the caller of `SoftmaxGrad`.
                unsafe { softmax_grad::<$vector>(args) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn inputs(args: &TileInputs) {
                // SAFETY: as promised by the caller.
                unsafe { tile_inputs::<$vector>(args) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn outputs(args: &TileOutputs) {
                // SAFETY: as promised by the caller.
                unsafe { tile_outputs::<$vector>(args) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn tanh(values: &mut [f32]) {
                // SAFETY: as promised by the caller.
                unsafe { tanh_of::<$vector>(values) }
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn packed(args: PackArgs) {
                pack_rows(args);
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn views(args: PackArgs) {
                pack_views(args);
            }
            $(#[target_feature(enable = $feature)])?
            unsafe fn unpacked(args: UnpackArgs) {
                unpack(args);
            }
            Kernels {
                lanes: <$vector as Vector>::LANES,
                vectors: [$($width),+].len(),
                tiles: [
                    Height { rows: $tall, widths: &[$(tall::<$width>),+] },
                    Height { rows: $short, widths: &[$(short::<$width>),+] },
                ],
                dot: dots,
                softmax: weights,
                softmax_grad: weights_grad,
                tile_inputs: inputs,
                tile_outputs: outputs,
                tanh,
                pack_rows: packed,
                pack_views: views,
                unpack: unpacked,
            }
        };
    };
}

/// A register by the names of its operations; `$max` and `$min` are the second operand where one is a NaN.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! vector {
    ($name:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $fma:ident, $add:ident, $sub:ident,
     $mul:ident, $div:ident, $max:ident, $min:ident, $shift:ident, $bits:ident, $floats:ident) => {
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
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: the caller has checked the instruction set.
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                // SAFETY: the caller has checked the instruction set.
                unsafe { $sub(self, other) }
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                // SAFETY: the caller has checked the instruction set.
                unsafe { $mul(self, other) }
            }
            #[inline(always)]
            unsafe fn div(self, other: Self) -> Self {
                // SAFETY: the caller has checked the instruction set.
                unsafe { $div(self, other) }
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                // SAFETY: as above; where one is a NaN the result is the second operand.
                unsafe { $max(other, self) }
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                // SAFETY: as above; where one is a NaN the result is the second operand.
                unsafe { $min(other, self) }
            }
            #[inline(always)]
            unsafe fn low_bits_to_exponent(self) -> Self {
                // SAFETY: the caller has checked the instruction set.
                unsafe { $floats($shift::<23>($bits(self))) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
pub mod x86 {
    //! AVX2 with FMA (16 registers of 8 values) and AVX-512 (32 registers of 16 values).
    use super::*;
    use core::arch::x86_64::*;

    vector!(
        __m512,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps,
        _mm512_sub_ps,
        _mm512_mul_ps,
        _mm512_div_ps,
        _mm512_max_ps,
        _mm512_min_ps,
        _mm512_slli_epi32,
        _mm512_castps_si512,
        _mm512_castsi512_ps
    );
    vector!(
        __m256,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps,
        _mm256_sub_ps,
        _mm256_mul_ps,
        _mm256_div_ps,
        _mm256_max_ps,
        _mm256_min_ps,
        _mm256_slli_epi32,
        _mm256_castps_si256,
        _mm256_castsi256_ps
    );

    kernels!(AVX512, __m512, [8, 4] x [1, 2, 3], 4 x 6, "avx512f,avx512vl");
    kernels!(AVX2, __m256, [6, 3] x [1, 2], 4 x 2, "avx2,fma");
}

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
pub mod arm {
    //! NEON (32 registers of 4 values), which every 64-bit ARM processor has.
    use super::*;
    use core::arch::aarch64::*;

    vector!(
        float32x4_t,
        4,
        vdupq_n_f32,
        vld1q_f32,
        vst1q_f32,
        product_added,
        vaddq_f32,
        vsubq_f32,
        vmulq_f32,
        vdivq_f32,
        larger,
        smaller,
        vshlq_n_s32,
        vreinterpretq_s32_f32,
        vreinterpretq_f32_s32
    );

    /// `a b + sum`, rounded once.
    #[target_feature(enable = "neon")]
    fn product_added(a: float32x4_t, b: float32x4_t, sum: float32x4_t) -> float32x4_t {
        vfmaq_f32(sum, a, b)
    }

    /// `vmaxq_f32` is a NaN where one of the two is.
    #[target_feature(enable = "neon")]
    fn larger(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        vbslq_f32(vcltq_f32(b, a), a, b)
    }

    /// As [`larger`].
    #[target_feature(enable = "neon")]
    fn smaller(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        vbslq_f32(vcltq_f32(a, b), a, b)
    }

    kernels!(KERNELS, float32x4_t, [8, 4] x [1, 2, 3], 4 x 6, "neon");
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub mod wasm {
    //! simd128 by name, so that nothing depends on automatic vectorisation. With the feature `relaxed-simd` a product
    //! is added by one instruction, which a processor may round once or twice (relaxed SIMD in WebAssembly 3.0); a
    //! browser that lacks it refuses the whole program, so that is a build of its own.
    use super::*;
    #[cfg(feature = "relaxed-simd")]
    use core::arch::wasm32::f32x4_relaxed_madd;
    use core::arch::wasm32::{
        f32x4_add, f32x4_div, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_sub, i32x4_shl,
        v128, v128_load, v128_store,
    };

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
        #[cfg(feature = "relaxed-simd")]
        unsafe fn add_product(self, a: Self, b: Self) -> Self {
            // a browser without the instruction has refused the program
            f32x4_relaxed_madd(a, b, self)
        }
        #[inline(always)]
        #[cfg(not(feature = "relaxed-simd"))]
        unsafe fn add_product(self, a: Self, b: Self) -> Self {
            f32x4_add(self, f32x4_mul(a, b))
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            f32x4_add(self, other)
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            f32x4_sub(self, other)
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            f32x4_mul(self, other)
        }
        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            f32x4_div(self, other)
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            f32x4_pmax(self, other)
        }
        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            f32x4_pmin(self, other)
        }
        #[inline(always)]
        unsafe fn low_bits_to_exponent(self) -> Self {
            i32x4_shl(self, 23)
        }
    }

    #[cfg(feature = "relaxed-simd")]
    kernels!(KERNELS, v128, [4, 2] x [1, 2], 2 x 3, "relaxed-simd");
    #[cfg(not(feature = "relaxed-simd"))]
    kernels!(KERNELS, v128, [4, 2] x [1, 2], 2 x 3);
}

#[cfg(any(
    test,
    not(any(
        all(target_arch = "wasm32", target_feature = "simd128"),
        all(target_arch = "aarch64", target_feature = "neon")
    ))
))]
pub mod portable {
    //! Four values an operation, which compilers map to SSE2 and the like.
    use super::*;

    #[derive(Clone, Copy)]
    #[repr(align(16))]
    pub(super) struct Four([f32; 4]);

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
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(core::array::from_fn(|i| self.0[i] + other.0[i]))
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            Self(core::array::from_fn(|i| self.0[i] - other.0[i]))
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            Self(core::array::from_fn(|i| self.0[i] * other.0[i]))
        }
        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            Self(core::array::from_fn(|i| self.0[i] / other.0[i]))
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            let larger = |a, b| if a < b { b } else { a };
            Self(core::array::from_fn(|i| larger(self.0[i], other.0[i])))
        }
        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            let smaller = |a, b| if b < a { b } else { a };
            Self(core::array::from_fn(|i| smaller(self.0[i], other.0[i])))
        }
        #[inline(always)]
        unsafe fn low_bits_to_exponent(self) -> Self {
            Self(self.0.map(|value| f32::from_bits(value.to_bits() << 23)))
        }
    }

    kernels!(KERNELS, Four, [4, 2] x [1, 2], 2 x 3);
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
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    {
        &arm::KERNELS
    }
    #[cfg(not(any(
        all(target_arch = "wasm32", target_feature = "simd128"),
        all(target_arch = "aarch64", target_feature = "neon")
    )))]
    {
        &portable::KERNELS
    }
}

#[cfg(test)]
mod rate;
#[cfg(test)]
pub mod tests;
