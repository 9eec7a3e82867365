import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

// Values computed with NumPy 2.4.6; each test names the expression.

private let close = Tolerance(ulps: 8, epsilons: 16)

@Suite struct StatisticsTests {
  @Test("np.quantile(a, q, method=…)") func quantiles() {
    let a = Tensor([3.5, 1, 4, 1, 5, -9, 2, 6])
    let q = Tensor([0, 0.1, 0.25, 0.5, 0.65, 1])
    let expected: [QuantileMethod: [Double]] = [
      .linear: [-9, -1.9999999999999991, 1, 2.75, 3.775, 6], .lower: [-9, -9, 1, 2, 3.5, 6], .higher: [-9, 1, 1, 3.5, 4, 6],
      .nearest: [-9, 1, 1, 3.5, 4, 6], .midpoint: [-9, -4, 1, 2.75, 3.75, 6],
    ]
    for (method, values) in expected { expectClose(a.quantile(q, method: method), values, close, "\(method)") }
    expectClose(a.percentile(65), [3.775], close)
    // NumPy's answer to infinities is NaN in the middle of them; equal ones have no distance here.
    expectClose(Tensor([.infinity, 1, .infinity, .infinity] as [Double]).quantile(Tensor([0.0, 0.5, 1])), [1, .infinity, .infinity], .exact)
    #expect(Tensor([1, .nan, 3] as [Double]).median().item().isNaN)
    #expect(Tensor.zeros([0], as: .float64).median().item().isNaN)
    #expect(Tensor([1, 2, 4] as [Int32]).median().elementType == .float32)
  }

  @Test func theGradientOfAMedianGoesToItsElements() {
    let a = Tensor([3.0, 1, 4, 2])
    expectClose(gradient(of: { (a: Tensor) in a.median() }, at: a), [0.5, 0, 0, 0.5], .exact)
    expectClose(gradient(of: { (q: Tensor) in a.quantile(q) }, at: Tensor(0.5)), [3], .exact, "the sample's slope: (n - 1)(3 - 2)")
  }

  @Test("np.nanmean, np.nanmax, np.nansum, np.nanmedian, np.nanvar, np.nanquantile(b, 0.25)") func withoutNaN() {
    let b = Tensor([1, .nan, 3, .nan, .nan, .nan] as [Double], shape: [2, 3])
    expectClose(b.nanMean(alongAxes: [1]), [2, .nan], .exact)
    expectClose(b.nanMax(alongAxes: [1]), [3, .nan], .exact)
    expectClose(b.nanSum(alongAxes: [1]), [4, 0], .exact)
    expectClose(b.nanMedian(alongAxes: [1]), [2, .nan], .exact)
    expectClose(b.nanVariance(alongAxes: [1]), [1, .nan], .exact)
    expectClose(b.nanQuantile(0.25, alongAxes: [1]), [1.5, .nan], .exact)
    expectClose(gradient(of: { (b: Tensor) in b.nanMean() }, at: b), [0.5, 0, 0.5, 0, 0, 0], .exact, "NaN neither gets nor gives a derivative")
  }

  @Test("np.cov(X), np.corrcoef(X)") func covariance() {
    let x = Tensor([1.0, 2, 4, 8, 3, 1, 0, -2, 1, 0, 1, 2], shape: [3, 4])
    expectClose(
      x.covariance(),
      [9.583333333333332, -6.166666666666666, 2, -6.166666666666666, 4.333333333333333, -1, 2, -1, 0.6666666666666666], close)
    expectClose(
      x.correlation(),
      [1, -0.9569321102069627, 0.7912565680749445, -0.9569321102069627, 1, -0.5883484054145521, 0.7912565680749444, -0.588348405414552, 1], close)
  }

  @Test("np.histogram") func histograms() {
    let a = Tensor([1, 2, 1, 4, 2.5, 5, 0, -1])
    let bounded = histogram(a, count: 4, range: 0...4)
    #expect(bounded.counts.doubles() == [1, 2, 2, 1] && bounded.edges.doubles() == [0, 1, 2, 3, 4])
    let dense = histogram(a, count: 3, density: true)
    expectClose(dense.counts, [0.125, 0.25, 0.125], close)
    expectClose(dense.edges, [-1, 1, 3, 5], close)
    expectClose(histogram(Tensor([2.0, 2]), count: 2).edges, [1.5, 2, 2.5], .exact, "a range of no width is widened")
  }

  @Test("np.unique(return_index, return_inverse, return_counts), np.argwhere") func distinct() {
    let a = Tensor([3, 1, 2, 3, 1, .nan, .nan] as [Double])
    let d = a.distinct()
    expectClose(d.values, [1, 2, 3, .nan], .exact)
    #expect(d.firstPlaces.doubles() == [1, 2, 0, 5] && d.inverse.doubles() == [2, 0, 1, 2, 0, 3, 3] && d.counts.doubles() == [2, 1, 2, 2])
    expectClose(a.distinct(size: 2).values, [1, 2], .exact)
    #expect(Tensor([Int32]()).distinct().values.shape == [0])
    #expect(Tensor([0, 5, 0, 1, 0, 2] as [Int32], shape: [2, 3]).nonzero().doubles() == [0, 1, 1, 0, 1, 2])
    // A closed-over tensor is known although a program is being traced.
    let g = try? trace({ (x: Tensor) in x * a.distinct().counts.sum() }, like: Tensor(1.0))
    #expect(g != nil)
  }

  @Test("a traced array has no known number of distinct elements") func tracedDistinct() async {
    await #expect(processExitsWith: .failure) { _ = gradient(of: { (x: Tensor) in x.distinct().values.sum() }, at: Tensor([1.0, 2])) }
  }

  @Test("np.searchsorted, np.lexsort") func order() {
    let table = Tensor([1, 2, 2, 3, .nan] as [Double])
    let v = Tensor([2, .nan, 0, 5] as [Double])
    #expect(searchSorted(table, v).doubles() == [1, 4, 0, 4])
    #expect(searchSorted(table, v, side: .right).doubles() == [3, 5, 0, 4])
    let keys: [Tensor] = [Tensor([1, 1, 0, 1] as [Int32]), Tensor([2, 1, 1, 0] as [Int32])]
    #expect(argsort(keys).doubles() == [2, 3, 1, 0])
    struct Particles: Codable { var mass: Tensor, position: Tensor }
    let p = Particles(mass: Tensor([3.0, 1, 2]), position: Tensor([0.0, 1, 2, 3, 4, 5], shape: [3, 2]))
    let ordered = FluxionCore.sorted(p, by: p.mass).values
    #expect(ordered.mass.doubles() == [1, 2, 3] && ordered.position.doubles() == [2, 3, 4, 5, 0, 1])
  }

  @Test func segments() {
    let ids = Tensor([2, 0, 2] as [Int32])
    let whole = Tensor([5, -3, 9] as [Int32])
    #expect(segmentMax(whole, ids: ids, count: 3).doubles() == [-3, Double(Int32.min), 9])
    #expect(segmentMin(whole, ids: ids, count: 3).doubles() == [-3, Double(Int32.max), 5])
    let same = Tensor([4.0, 1, 4])
    expectClose(gradient(of: { (v: Tensor) in segmentMax(v, ids: ids, count: 3)[2] }, at: same), [0.5, 0, 0.5], .exact, "ties share")
    let infinite = Tensor([-.infinity, 0, -.infinity] as [Double])
    expectClose(segmentLogSumExp(infinite, ids: ids, count: 3), [0, -.infinity, -.infinity], .exact)
    let g = gradient(of: { (v: Tensor) in segmentLogSumExp(v, ids: ids, count: 3)[0] }, at: infinite)
    expectClose(g, [0, 1, 0], .exact)
  }

  @Test("np.geomspace, np.logspace, np.gradient, np.trapezoid") func grids() {
    expectClose(geomspace(2, 16, 4, as: .float64), [2, 4, 8, 16], close)
    expectClose(logspace(-1, 2, 4, as: .float64), [0.1, 1, 10, 100], close)
    #expect(arange(3, -4, by: -3).doubles() == [3, 0, -3] && arange(2, 2).elementCount == 0)
    let (x, y) = (Tensor([0.0, 1, 2.5, 3, 4.5, 6]), Tensor([1.0, -1, 0.5, 2, 2, -1]))
    expectClose(y.numericalGradient(at: x), [-2, -0.8, 2.5, 2.25, -1, -2], close)
    expectClose(y.trapezoid(at: x), [4], close)
    #expect(Tensor([.infinity, .nan, 1] as [Double]).isClose(to: Tensor([.infinity, .nan, 1 + 1e-7] as [Double]), equalNaN: true).doubles() == [1, 1, 1])
    #expect(Tensor([1, -.infinity] as [Double]).isClose(to: Tensor([.infinity, .infinity] as [Double])).doubles() == [0, 0])
  }
}
