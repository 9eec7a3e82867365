#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A complex number for expectations: textbook formulas, made of exp and log alone, that share nothing with the code under test.
struct PlainComplex: Sendable, Equatable {
  var re: Double
  var im: Double

  init(_ re: Double, _ im: Double = 0) { (self.re, self.im) = (re, im) }

  static let i = PlainComplex(0, 1)

  var size: Double { (re * re + im * im).squareRoot() }
  var conjugate: PlainComplex { PlainComplex(re, -im) }

  static func + (a: PlainComplex, b: PlainComplex) -> PlainComplex { PlainComplex(a.re + b.re, a.im + b.im) }
  static func - (a: PlainComplex, b: PlainComplex) -> PlainComplex { PlainComplex(a.re - b.re, a.im - b.im) }
  static prefix func - (a: PlainComplex) -> PlainComplex { PlainComplex(-a.re, -a.im) }
  static func * (a: PlainComplex, b: PlainComplex) -> PlainComplex { PlainComplex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re) }
  static func * (a: PlainComplex, b: Double) -> PlainComplex { PlainComplex(a.re * b, a.im * b) }
  static func / (a: PlainComplex, b: PlainComplex) -> PlainComplex { a * b.conjugate * (1 / (b.re * b.re + b.im * b.im)) }
  static func + (a: PlainComplex, b: Double) -> PlainComplex { PlainComplex(a.re + b, a.im) }
  static func - (a: Double, b: PlainComplex) -> PlainComplex { PlainComplex(a - b.re, -b.im) }
  static func / (a: Double, b: PlainComplex) -> PlainComplex { PlainComplex(a) / b }

  var exp: PlainComplex {
    #if canImport(Glibc)
      let size = Glibc.exp(re)
    #else
      let size = Darwin.exp(re)
    #endif
    return PlainComplex(size * cos(im), size * sin(im))
  }
  var log: PlainComplex {
    #if canImport(Glibc)
      PlainComplex(Glibc.log(size), atan2(im, re))
    #else
      PlainComplex(Darwin.log(size), atan2(im, re))
    #endif
  }
  var squareRoot: PlainComplex { re == 0 && im == 0 ? self : (log * 0.5).exp }
  var sine: PlainComplex { ((PlainComplex.i * self).exp - (-(PlainComplex.i * self)).exp) / PlainComplex(0, 2) }
  var cosine: PlainComplex { ((PlainComplex.i * self).exp + (-(PlainComplex.i * self)).exp) * 0.5 }
  var hyperbolicSine: PlainComplex { (exp - (-self).exp) * 0.5 }
  var hyperbolicCosine: PlainComplex { (exp + (-self).exp) * 0.5 }
  var hyperbolicTangent: PlainComplex { hyperbolicSine / hyperbolicCosine }
  /// -i log(iz + √(1 - z²)).
  var inverseSine: PlainComplex { -(PlainComplex.i * (PlainComplex.i * self + (1 - self * self).squareRoot).log) }
  /// log(z + √(z² + 1)).
  var inverseHyperbolicSine: PlainComplex { (self + (self * self + 1).squareRoot).log }
  /// ½ log((1 + z) / (1 - z)).
  var inverseHyperbolicTangent: PlainComplex { ((self + 1) / (1 - self)).log * 0.5 }
}

extension [PlainComplex] {
  var sum: PlainComplex { reduce(PlainComplex(0), +) }
  var product: PlainComplex { reduce(PlainComplex(1), *) }
  var mean: PlainComplex { sum * (1 / Double(count)) }
  /// Σ |z - mean|².
  var squaredDeviation: Double {
    let m = mean
    return reduce(0) { (total: Double, z: PlainComplex) -> Double in total + (z - m).size * (z - m).size }
  }
}

/// How what a row expects of complex operands follows from the plain formula of its real ones. Operands with a type of their own, and
/// real ones, stay what they are.
public enum ComplexExpectation: Sendable {
  /// Affine over the reals in all complex operands together: the formula of the real parts, and of the imaginary parts less that of
  /// zeros.
  case linear
  /// Linear in each complex operand: Σ over all choices of parts. Operands listed are conjugated.
  case multilinear(conjugated: [Int] = [])
  /// A formula of its own.
  case formula(@Sendable ([PlainArray]) -> [PlainArray])

  /// Element by element, broadcast.
  static func elementwise(_ f: @escaping @Sendable ([PlainComplex]) -> PlainComplex) -> ComplexExpectation {
    .formula { x in [PlainArray.complexElementwise(x, f)] }
  }
  /// Of one operand, element by element.
  static func each(_ f: @escaping @Sendable (PlainComplex) -> PlainComplex) -> ComplexExpectation { .elementwise { f($0[0]) } }

  /// A function of matrices that is made of sums, products, inverses and adjoints: of complex matrices it is that of the real matrices
  /// [[Re, -Im], [Im, Re]], which multiply alike, and whose transposes are the adjoints.
  ///
  /// - Parameter prepared: done to the matrices before; affine.
  static func matrices(
    after prepared: @escaping @Sendable (PlainMatrix) -> PlainMatrix = { $0 }, _ f: @escaping @Sendable ([PlainMatrix]) -> PlainMatrix
  ) -> ComplexExpectation {
    .formula { x in
      let operands = x.enumerated().map { k, a -> [PlainMatrix] in
        zip(a.real.matrices, a.imaginaryPart.matrices).map { re, im in
          if k > 0 { return PlainMatrix(re, im) }
          let none = prepared(im * 0)
          return PlainMatrix(prepared(re), prepared(im) + none * -1)
        }
      }
      let results = operands[0].indices.map { b in f(operands.map { $0[b] }) }
      // Without matrices, of identities.
      let first = results.first ?? f(x.map { a in
        let (m, n) = (a.shape[a.shape.count - 2], a.shape[a.shape.count - 1])
        let one = PlainMatrix(m, n) { $0 == $1 ? 1 : 0 }
        return PlainMatrix(one, one * 0)
      })
      let example = [first.rows / 2, first.columns / 2]
      let shape = x[0].shape.dropLast(2) + example
      func part(_ column: Int) -> [Double] {
        results.flatMap { r in
          PlainArray.indices(of: example).map { i in r[i[0] + column * example[0], i[1]] }
        }
      }
      return [PlainArray(Array(shape), part(0), imaginary: part(1))]
    }
  }

  /// What is expected of operands of which some are complex.
  func expected(_ x: [PlainArray], _ formula: ([PlainArray]) -> [PlainArray]) -> [PlainArray] {
    let places = x.indices.filter { x[$0].imaginary != nil }
    /// The operands with the real or imaginary part in place of complex ones.
    func operands(_ part: (Int) -> PlainArray) -> [PlainArray] { x.indices.map { places.contains($0) ? part($0) : x[$0] } }
    switch self {
    case let .formula(own): return own(x)
    case .linear:
      let real = formula(operands { x[$0].real })
      let imaginary = formula(operands { x[$0].imaginaryPart })
      let zero = formula(operands { PlainArray(x[$0].shape, [Double](repeating: 0, count: x[$0].values.count)) })
      return real.indices.map { r in
        PlainArray(real[r].shape, real[r].values, imaginary: zip(imaginary[r].values, zero[r].values).map { $0 - $1 })
      }
    case let .multilinear(conjugated):
      var sums: [(shape: [Int], re: [Double], im: [Double])] = []
      for choice in 0..<(1 << places.count) {
        var turns = 0
        let parts = operands { k in
          guard choice >> places.firstIndex(of: k)! & 1 == 1 else { return x[k].real }
          turns += conjugated.contains(k) ? 3 : 1
          return x[k].imaginaryPart
        }
        for (r, term) in formula(parts).enumerated() {
          if sums.count == r { sums.append((term.shape, term.values.map { _ in 0 }, term.values.map { _ in 0 })) }
          for (i, v) in term.values.enumerated() {
            switch turns % 4 {
            case 0: sums[r].re[i] += v
            case 1: sums[r].im[i] += v
            case 2: sums[r].re[i] -= v
            default: sums[r].im[i] -= v
            }
          }
        }
      }
      return sums.map { PlainArray($0.shape, $0.re, imaginary: $0.im) }
    }
  }
}

extension PlainMatrix {
  /// The real matrix that multiplies as re + i im does.
  fileprivate init(_ re: PlainMatrix, _ im: PlainMatrix) {
    self.init(2 * re.rows, 2 * re.columns) { i, j in
      let (r, c) = (i % re.rows, j % re.columns)
      let isDiagonal = (i < re.rows) == (j < re.columns)
      return isDiagonal ? re[r, c] : i < re.rows ? -im[r, c] : im[r, c]
    }
  }
}
