import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Foundation
import Testing

// Values computed with NumPy 2.4.6 and SciPy 1.17.1; each test names the expression.

private let x = Tensor([0.0, 1, 2.5, 3, 4.5, 6])
private let y = Tensor([1.0, -1, 0.5, 2, 2, -1])
private let t = Tensor([-0.5, 0.25, 1.75, 2.75, 4, 5.5, 6.5])
private let close = Tolerance(ulps: 8, epsilons: 64)

@Suite struct InterpolationTests {
  @Test("scipy.interpolate.CubicSpline(x, y): t, derivative, integrate(0.25, 5.5)") func notAKnot() {
    let s = CubicSpline(x, y)
    expectClose(
      s(t),
      [2.8287500000000003, 0.28835937500000003, -0.9561718750000001, 1.2762239583333332, 2.6664814814814815, -0.08310185185185243, -1.5006481481481466],
      close)
    expectClose(
      s.derivative(at: t),
      [-4.186249999999999, -2.5703125, 0.9821874999999998, 3.1455208333333333, -0.8330555555555557, -2.083472222222222, -0.418472222222217],
      Tolerance(ulps: 8, epsilons: 256))
    expectClose(s.integral(from: 0.25, to: 5.5), [3.9878611472800922], close)
    expectClose(s.integral(from: 5.5, to: 0.25), [-3.9878611472800922], close)
  }

  @Test("scipy.interpolate.CubicSpline(x, y, bc_type=…)") func boundaries() {
    expectClose(
      CubicSpline(x, y, boundary: .natural)(t),
      [2.1783060921248145, 0.38855869242199104, -1.0013930163447253, 1.2811106983655276, 2.6201089648340763, 0.09773815420174997, -2.09773815420175],
      close, "natural")
    expectClose(
      CubicSpline(x, y, boundary: .flat)(t),
      [-0.3221574344023332, 0.7722303206997086, -1.158527696793003, 1.2835276967930027, 2.750242954324587, -0.45837382572076446, -0.2500809847748622],
      close, "clamped")
    expectClose(
      CubicSpline(x, y, firstSlope: 0.5, lastSlope: -2)(t),
      [-0.8245262390670562, 0.8500592201166183, -1.198296282798834, 1.2920462827988337, 2.625040492387431, 0.04397473275024297, -1.912050534499514],
      close, "((1, 0.5), (1, -2))")
    let few = (Tensor([0.0, 1, 2.5]), Tensor([1.0, -1, 0.5]))
    expectClose(CubicSpline(few.0, few.1)(Tensor([0.5, 2])), [-0.3, -0.6], close, "three samples are a parabola")
    expectClose(CubicSpline(few.0, few.1, boundary: .natural)(Tensor([0.5, 2])), [-0.225, -0.4], close, "three samples, natural")
    expectClose(CubicSpline(few.0[0..<2], few.1[0..<2])(Tensor([0.5, 2])), [0, -3], close, "two samples are a line")
  }

  @Test("PchipInterpolator(x, y)(t), Akima1DInterpolator(x, y, extrapolate=True)(t), np.interp") func otherSlopes() {
    expectClose(
      CubicSpline.monotone(x, y)(t), [2.6, 0.2375, -0.5568181818181818, 1.3522727272727273, 2, 0.4444444444444444, -2.4444444444444446], close)
    expectClose(
      CubicSpline.akima(x, y)(t),
      [3.0125, 0.2046875, -0.6625, 1.28125, 2.433333333333333, 0.31111111111111117, -2.7111111111111112], close)
    expectClose(interpolate(t, x, y), [1, 0.5, -0.25, 1.25, 2, 0, -1], close)
    expectClose(interpolate(t, x, y, extrapolation: .constant(7)), [7, 0.5, -0.25, 1.25, 2, 0, 7], close)
    expectClose(interpolate(t, x, y, extrapolation: .continued), [2, 0.5, -0.25, 1.25, 2, 0, -2], close)
  }

  @Test("a monotone spline through a flat stretch keeps finite derivatives") func flatStretch() {
    let g = gradient(of: { (y: Tensor) in CubicSpline.monotone(x, y)(t).sum() }, at: Tensor([1.0, 1, 1, 2, 2, 3]))
    #expect(g.doubles().allSatisfy { $0.isFinite })
    let a = gradient(of: { (y: Tensor) in CubicSpline.akima(x, y)(t).sum() }, at: Tensor([1.0, 1, 1, 1, 1, 1]))
    #expect(a.doubles().allSatisfy { $0.isFinite })
  }

  @Test func splinesAreValues() throws {
    let spline = CubicSpline(x, y)
    // The gradient of a value with respect to the spline is a spline of cotangents.
    let slope = gradient(of: { (s: CubicSpline) in s(Tensor(1.75)) }, at: spline)
    expectClose(slope.values, [0, 0.5, 0.5, 0, 0, 0], close)
    expectClose(slope.slopes, [0, 0.1875, -0.1875, 0, 0, 0], close)
    let read = try JSONDecoder().decode(CubicSpline.self, from: JSONEncoder().encode(spline))
    expectClose(read(t), spline(t), .exact)
    let two = vmap({ (y: Tensor) in CubicSpline(x, y)(t) })(stacked([y, y * 2]))
    expectClose(two[1], spline(t) * 2, close)
  }

  @Test("scipy.ndimage.map_coordinates(g, c.T, order=1, mode=…), RegularGridInterpolator") func grids() {
    let g = arange(12, as: .float64).reshaped(to: [3, 4]).squared() / 10
    let c = Tensor([0.5, 1.25, 2, 3, -0.4, 1.5, 1.75, 3.6], shape: [4, 2])
    expectClose(g.sampled(at: c), [1.475, 12.1, 0.25, 10.3], close, "nearest")
    expectClose(g.sampled(at: c, extrapolation: .constant(7)), [1.475, 12.1, 2.95, 8.32], close, "grid-constant, cval=7")
    let grid = RegularGrid(axes: [Tensor([0.0, 1, 4]), Tensor([0.0, 0.5, 2, 3])], values: g)
    let p = Tensor([0.5, 0.75, 3, 2.5, -1, 1, 5, 4], shape: [4, 2])
    expectClose(
      grid(p, extrapolation: .continued), [1.4166666666666667, 8.783333333333333, -2.466666666666667, 16.866666666666667], close,
      "bounds_error=False, fill_value=None")
    expectClose(g.sampled(at: c, method: .nearest), [g[0, 1].item(), 12.1, g[0, 2].item(), g[2, 3].item()], close)
  }

  @Test func resizing() {
    let x = Tensor([0.0, 1, 2, 3])
    // The middles of two cells each: by hand from the triangle of width two.
    expectClose(x.resized(to: [2], antialias: false), [0.5, 2.5], .exact)
    let first: Double = 5 / 7
    expectClose(x.resized(to: [2]), [first, 3 - first], close, "weights 3, 3, 1 of 7")
    expectClose(x.resized(to: [8]), [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3], close)
    expectClose(x.resized(to: [4], method: .cubic), x, .exact)
    #expect(Tensor.ones([3, 2], as: .float64).resized(to: [5, 7], method: .cubic).doubles().allSatisfy { ($0 - 1).magnitude < 1e-15 })
  }

  @Test func illFormedCallsSayWhatIsWrong() {
    #expect(throws: ProgramError.self) { try trace({ (x: Tensor) in x.resized(to: [2, 3]) }, like: Tensor.zeros([4])) }
    #expect(throws: ProgramError.self) { try trace({ (x: Tensor) in x.sampled(at: Tensor.zeros([2, 3])) }, like: Tensor.zeros([4])) }
  }
}
