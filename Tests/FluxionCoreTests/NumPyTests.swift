import FluxionCore
import FluxionTestSupport
import Testing

// Values computed with NumPy 2.4.6 and SciPy 1.17.1; each test names the expression.

/// np.arange(24.0).reshape(2, 3, 4)
private var cube: Tensor { arange(24, as: .float64).reshaped(to: [2, 3, 4]) }

@Suite struct NumPyTests {
  @Test func subscripts() {
    let x = cube
    expectClose(x[1, .range(nil, nil, by: -2), 1..<3], PlainArray([2, 2], [21, 22, 13, 14]), .exact, "x[1, ::-2, 1:3]")
    expectClose(x[.all, 1], PlainArray([2, 4], [4, 5, 6, 7, 16, 17, 18, 19]), .exact, "x[:, 1]")
    expectClose(x[.rest, -1], PlainArray([2, 3], [3, 7, 11, 15, 19, 23]), .exact, "x[..., -1]")
    expectClose(
      x[0, .all, .newAxis, .range(by: 2)], PlainArray([3, 1, 2], [0, 2, 4, 6, 8, 10]), .exact, "x[0, :, None, ::2]")
    expectClose(
      x[.all, .range(2, 0, by: -1), .range(-2)], PlainArray([2, 2, 2], [10, 11, 6, 7, 22, 23, 18, 19]), .exact, "x[:, 2:0:-1, -2:]")
    let picked: [Double] = [8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11, 20, 21, 22, 23, 12, 13, 14, 15, 20, 21, 22, 23]
    expectClose(x[.all, Tensor([Int32(2), 0, 2])], PlainArray([2, 3, 4], picked), .exact, "x[:, [2, 0, 2]]")
    expectClose(x[.all, Tensor([Int32(-1), 0, 2])], PlainArray([2, 3, 4], picked), .exact, "x[:, [-1, 0, 2]]")
    expectClose(x[1, 0...1, 2...].sum(), [19 + 18 + 15 + 14], .exact, "x[1, 0:2, 2:].sum()")
    #expect(x[0..<0].shape == [0, 3, 4])
    #expect(x[stride(from: 0, to: 2, by: 1), 0, 0].doubles() == [0, 12])
  }

  @Test func movement() {
    let places = Tensor([Int32(0), 3, 1, 2, 2, 0], shape: [2, 3, 1])
    expectClose(cube.gatheredAlong(2, places), PlainArray([2, 3, 1], [0, 7, 9, 14, 18, 20]), .exact, "np.take_along_axis(x, places, 2)")
    let x = arange(6, as: .float64).reshaped(to: [2, 3])
    expectClose(
      x.padded(low: [1, 2], high: [0, 1], with: 7),
      PlainArray([3, 6], [7, 7, 7, 7, 7, 7, 7, 7, 0, 1, 2, 7, 7, 7, 3, 4, 5, 7]), .exact, "np.pad(x, ((1, 0), (2, 1)), constant_values=7)")
    expectClose(linspace(-1, 2, 4, as: .float64), [-1, 0, 1, 2], .exact)
  }

  @Test func scatter() {
    let ones = Tensor([1.0, 2, 3, 4])
    expectClose(
      Tensor.zeros([4], as: .float64).scattered(ones, at: Tensor([Int32(1), 3, 1, 1]), mode: .add), [0, 8, 0, 2], .exact,
      "np.add.at(zeros(4), [1, 3, 1, 1], [1, 2, 3, 4])")
    let factors = arange(6, as: .float64).reshaped(to: [3, 2]) + 1
    expectClose(
      Tensor.ones([3, 2], as: .float64).scattered(factors, at: Tensor([Int32(2), 0, 2]), mode: .multiply), [3, 4, 1, 1, 5, 12], .exact,
      "np.multiply.at(ones((3, 2)), [2, 0, 2], arange(6).reshape(3, 2) + 1)")
    // Of several assignments to one place the last stands.
    expectClose(Tensor.zeros([3], as: .float64).scattered(ones, at: Tensor([Int32(1), 2, 1, 1])), [0, 4, 2], .exact)
  }

  @Test func einstein() {
    let a = arange(6, as: .float64).reshaped(to: [2, 3]) - 2
    let b = Tensor([-1.0, 0, 1, 2, 3, -1, 0, 1, 2, 3, -1, 0], shape: [3, 4])
    let c = arange(8, as: .float64).reshaped(to: [2, 4]) / 4
    expectClose(einsum("ij,jk,ik->i", a, b, c), [-4.5, 23.75], Tolerance(ulps: 4), "np.einsum('ij,jk,ik->i', a, b, c)")
    expectClose(einsum("ij,jk->kj", a, b), PlainArray([4, 3], [1, 3, 6, 0, -1, 9, -1, 0, -3, -2, 1, 0]), .exact, "np.einsum('ij,jk->kj', a, b)")
    expectClose(einsum("ij,ij->j", a, a), [5, 5, 9], .exact, "np.einsum('ij,ij->j', a, a)")
    let outer = einsum("ij,kl->ljki", a, b[0..<2])
    #expect(outer.shape == [4, 3, 2, 2])
    expectClose(
      outer.flattened()[0..<12], [2, -1, -6, 3, 1, -2, -3, 6, 0, -3, 0, 9], .exact, "np.einsum('ij,kl->ljki', a, b[:2]).ravel()[:12]")
  }

  @Test func sorting() {
    let s = Tensor([3, .nan, -.infinity, 1, .infinity, -0.0, 0.0, 1, .nan, -2])
    let sorted = s.sorted()
    expectClose(sorted, [-.infinity, -2, 0, 0, 1, 1, 3, .infinity, .nan, .nan], .exact, "np.sort(s)")
    #expect(s.argsort().doubles() == [2, 9, 5, 6, 3, 7, 0, 4, 1, 8], "np.argsort(s, kind='stable')")
    #expect(s.argsort(descending: true).doubles() == [4, 0, 3, 7, 5, 6, 9, 2, 1, 8], "np.argsort(-s, kind='stable')")
    let (values, places) = s[.range(3, 8)].topK(2)
    expectClose(values, [.infinity, 1], .exact)
    #expect(places.doubles() == [1, 0])
  }

  @Test func convolutions() {
    // (arange(20) % 7).reshape(4, 5)
    let image = (arange(20, as: .float64) % 7).reshaped(to: [1, 4, 5, 1])
    let kernel = Tensor([1.0, -2, 0.5, 3], shape: [2, 2, 1, 1])
    expectClose(
      convolution(image, kernel).squeezed(), PlainArray([3, 4], [18.5, 0, -1, 1.5, 6.5, 23, 18.5, 0, 1.5, 4, 6.5, 23]), .exact,
      "scipy.signal.correlate2d(image, kernel, mode='valid')")
    expectClose(
      convolution(image, kernel, padding: .same).squeezed(),
      PlainArray([4, 5], [18.5, 0, -1, 1.5, 5, 6.5, 23, 18.5, 0, 2, 1.5, 4, 6.5, 23, 2.5, -3, -4, -5, -6, 5]), .exact,
      "scipy.signal.correlate2d(np.pad(image, ((0, 1), (0, 1))), kernel, mode='valid')")
  }
}
