//! Matrix products.

/// A matrix that is read from a slice, by rows or transposed.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    values: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> View<'a> {
    /// Row-major `[values / cols, cols]`.
    pub(super) fn new(values: &'a [f32], cols: usize) -> Self {
        let rows = values.len().checked_div(cols).unwrap_or(0);
        Self { values, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The same values with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    /// Whether every element lies within the slice.
    fn is_sound(&self) -> bool {
        self.rows == 0
            || self.cols == 0
            || (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride < self.values.len()
    }
}

/// Products smaller than this many multiplications stay on one thread.
const SERIAL: usize = 1 << 20;

/// `out = a b`, or `out += a b`. Shapes: `a [m, k]`, `b [k, n]`, `out [m, n]` row-major.
///
/// The order of each element's sum depends on the shapes alone, not on the threads.
#[allow(unsafe_code)]
pub(super) fn multiply(out: &mut [f32], accumulate: bool, a: View<'_>, b: View<'_>) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    assert!(
        b.rows == k && out.len() == m * n && a.is_sound() && b.is_sound(),
        "matrix product of unequal shapes"
    );
    if m == 0 || n == 0 {
        return;
    }
    let parallelism = if m * n * k < SERIAL || rayon::current_num_threads() == 1 {
        gemm::Parallelism::None
    } else {
        gemm::Parallelism::Rayon(0)
    };
    // SAFETY: the assertion above holds every address `base + row * row_stride + col * col_stride` of
    // the three matrices within its slice; `out` is borrowed mutably, so it overlaps neither `a` nor
    // `b`; its elements are initialised.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.values.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    fn product(m: usize, k: usize, n: usize, threads: usize) -> Vec<f32> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut fill = |len: usize| (0..len).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<_>>();
        let (a, b, bt) = (fill(m * k), fill(k * n), fill(n * k));
        let mut out = vec![0.0; m * n];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            multiply(&mut out, false, View::new(&a, k), View::new(&b, n));
            multiply(&mut out, true, View::new(&a, k), View::new(&bt, k).transposed());
        });
        for (i, j) in [(0, 0), (m - 1, n - 1), (m / 2, n / 3)] {
            let expected: f64 =
                (0..k).map(|l| f64::from(a[i * k + l]) * f64::from(b[l * n + j] + bt[j * k + l])).sum();
            assert!((f64::from(out[i * n + j]) - expected).abs() < 1e-3, "{m} {k} {n}");
        }
        out
    }

    #[test]
    fn products_are_right_and_do_not_depend_on_the_number_of_threads() {
        for (m, k, n) in
            [(64, 5000, 256), (320, 256, 1024), (1024, 320, 256), (7, 33, 5), (1, 64, 1), (450, 64, 192)]
        {
            let bits = |v: Vec<f32>| v.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            let one = bits(product(m, k, n, 1));
            assert_eq!(one, bits(product(m, k, n, 2)), "{m} {k} {n}");
            assert_eq!(one, bits(product(m, k, n, 5)), "{m} {k} {n}");
        }
    }
}
