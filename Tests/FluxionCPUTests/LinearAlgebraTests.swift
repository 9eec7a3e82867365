import FluxionCPU
import FluxionCore
import FluxionTestSupport
import FluxionTransforms
import Testing

/// What the rows of the operation table cannot say of factorisations: complex matrices, bad ones, ranks.
@Suite("linear algebra") struct LinearAlgebraTests {
  private static let devices = [cpu, Device.reference]

  private func matrix(_ rows: Int, _ columns: Int, _ type: ElementType, seed: UInt64) -> Tensor {
    var arrays = TestArrays(seed: seed)
    func part() -> Tensor { arrays.tensor([rows, columns], .range(-1, 1), as: type.realPart) }
    return type.isComplex ? complex(part(), part()) : part()
  }

  private func expectSame(_ a: Tensor, _ b: Tensor, _ type: ElementType, _ label: String) {
    // A few hundred roundings of the largest element.
    let bound = (type.realPart == .float32 ? 2e-5 : 2e-13) * Swift.max(1, abs(b).max().item())
    let distance = abs(a - b).max().item()
    #expect(distance < bound, "\(label): off by \(distance)")
  }

  /// Factors of a matrix times a power of two are those of the matrix, one of them times the power: squares of the elements, far outside
  /// the numbers of the type, are not formed.
  @Test(
    "factors do not depend on the matrix's scale", arguments: [ElementType.float32, .float64, .complex64, .complex128], [-1, 1])
  func scales(type: ElementType, sign: Int) {
    let power = (type.realPart == .float32 ? 90 : 600) * sign
    let scale = Tensor(Double(sign: .plus, exponent: power, significand: 1), as: type.realPart)
    // 3 and 6 go to the own kernels, 12 to LAPACK.
    for device in Self.devices {
      for n in [3, 6, 12] {
        device.active {
          let a = matrix(n, n, type, seed: 11) + eye(n, as: type) * 1.5, b = matrix(n, 2, type, seed: 12)
          let x = a * scale, name = "\(device.engine.name) \(type) \(n) 2^\(power)"
          func expect(_ label: String, _ factor: Tensor, _ plain: Tensor, isScaled: Bool = false) {
            expectSame(isScaled ? factor / scale : factor, plain, type, "\(name) \(label)")
          }
          let (f, g) = (lu(x), lu(a))
          expect("lu l", f.l, g.l)
          expect("lu u", f.u, g.u, isScaled: true)
          let (p, q) = (qr(x), qr(a))
          expect("qr q", p.q, q.q)
          expect("qr r", p.r, q.r, isScaled: true)
          let (u, v) = (svd(x), svd(a))
          expect("svd s", u.s, v.s, isScaled: true)
          expect("svd u vAdjoint", u.u.matmul(u.vAdjoint), v.u.matmul(v.vAdjoint))
          expect("eigh", eigh(x).values, eigh(a).values, isScaled: true)
          expect("eigen", eigen(x).values.sum(), eigen(a).values.sum(), isScaled: true)
          expect("schur", schur(x).t.trace(), schur(a).t.trace(), isScaled: true)
          expect("solve", solve(x, b * scale), solve(a, b))
          expect("leastSquares", leastSquares(x, b * scale), leastSquares(a, b))
          let rank = matrixRank(x).item()
          #expect(rank == Double(n), "\(name): rank \(rank)")
        }
      }
    }
  }

  /// Zeros of a pivot's column are told from small numbers, and the pivot is the one that LAPACK takes.
  @Test("pivots are the largest by the sum of their parts' moduli", arguments: [3, 12])
  func pivots(n: Int) {
    // |3 + 3i| < |4.5|, but 3 + 3 > 4.5.
    var real = [Double](repeating: 0, count: n * n), imaginary = real
    for i in 0..<n { real[i * n + i] = 1 }
    (real[0], real[n], imaginary[n]) = (4.5, 3, 3)
    let a = complex(Tensor(real, shape: [n, n]), Tensor(imaginary, shape: [n, n]))
    for device in Self.devices {
      let order = device.active { lu(a).permutation.elements(as: Int32.self) }
      #expect(order.prefix(2) == [1, 0], "\(device.engine.name): \(order)")
    }
  }

  /// The gradient of a determinant is the matrix of cofactors, of singular matrices as of others.
  @Test("determinants of singular matrices have their gradient", arguments: [ElementType.float32, .float64, .complex64, .complex128], [4, 5, 10])
  func gradientOfSingularDeterminants(type: ElementType, n: Int) {
    // Well-conditioned but for what makes it singular, so that cofactors are known to a few roundings.
    let a = matrix(n, n, type, seed: 21) * 0.2 + eye(n, as: type)
    func joined(_ rows: Tensor...) -> Tensor { concatenated(rows, alongAxis: 0) }
    // The last row is the first; two more are; a row and a column are zeros; ones; zeros; and a regular one beside them.
    let double = joined(a.sliced(0..<n - 1, alongAxis: 0), a.sliced(0..<1, alongAxis: 0))
    let triple = joined(a.sliced(0..<1, alongAxis: 0), a.sliced(0..<1, alongAxis: 0), a.sliced(0..<n - 2, alongAxis: 0))
    let hole = (arange(n) .!= 1).converted(to: type)
    let all = stacked([double, triple, a * outer(hole, hole), Tensor.ones([n, n], as: type), Tensor.zeros([n, n], as: type), a])
    func cofactors(_ x: Tensor) -> Tensor {
      stacked((0..<n).map { i in
        stacked((0..<n).map { j in
          func without(_ x: Tensor, _ k: Int, _ axis: Int) -> Tensor {
            concatenated(x.sliced(0..<k, alongAxis: axis), x.sliced(k + 1..<n, alongAxis: axis), alongAxis: axis)
          }
          return determinant(without(without(x, i, 0), j, 1)) * ((i + j) % 2 == 0 ? 1.0 : -1.0)
        })
      })
    }
    for device in Self.devices {
      device.active {
        let name = "\(device.engine.name) \(type) \(n)"
        let expected = (0..<6).map { cofactors(all[$0]).conjugate() }
        let real: @Sendable (Tensor) -> Tensor = { determinant($0).real }
        for i in 0..<6 {
          expectSame(gradient(of: real, at: all[i]), expected[i], type, "\(name) matrix \(i)")
          let slope = jvp(real, at: all[i], along: a).tangent
          expectSame(slope, (expected[i].conjugate() * a).sum().real, type.realPart, "\(name) matrix \(i) forward")
        }
        expectSame(vmap { (x: Tensor) -> Tensor in gradient(of: real, at: x) }(all), stacked(expected), type, name + " mapped")
      }
    }
  }

  // 5 goes to the own kernels, 12 to LAPACK.
  @Test("factors of real and complex matrices give the matrix back", arguments: [ElementType.float32, .float64, .complex64, .complex128], [5, 12])
  func reconstruction(type: ElementType, n: Int) {
    for device in Self.devices {
      device.active {
        let a = matrix(n, n, type, seed: 3), wide = matrix(n, n + 2, type, seed: 4)
        let name = "\(device.engine.name) \(type) \(n)"
        let unit = eye(n, as: type)
        let positive = a.matmul(a.adjoint) + unit
        let l = cholesky(positive)
        expectSame(l.matmul(l.adjoint), positive, type, name + " cholesky")
        for x in [a, wide, wide.adjoint] {
          let f = lu(x)
          expectSame(f.l.matmul(f.u), x.gathered(f.permutation), type, name + " lu")
          for full in [false, true] {
            let (q, r) = qr(x, full: full)
            expectSame(q.matmul(r), x, type, name + " qr")
            expectSame(q.adjoint.matmul(q), eye(q.shape[1], as: type), type, name + " q")
            let (u, s, v) = svd(x, full: full)
            let k = s.count
            let product = (u.sliced(0..<k, alongAxis: 1) * s.converted(to: type)).matmul(v.sliced(0..<k, alongAxis: 0))
            expectSame(product, x, type, name + " svd")
            expectSame(u.adjoint.matmul(u), eye(u.shape[1], as: type), type, name + " u")
            expectSame(v.matmul(v.adjoint), eye(v.shape[0], as: type), type, name + " v")
          }
        }
        let (values, vectors) = eigh(positive)
        expectSame((vectors * values.converted(to: type)).matmul(vectors.adjoint), positive, type, name + " eigh")
        let (w, v) = eigen(a)
        expectSame(a.converted(to: v.elementType).matmul(v), v * w, type, name + " eigen")
        let (t, q) = schur(a)
        expectSame(q.matmul(t).matmul(q.adjoint), a.converted(to: t.elementType), type, name + " schur")
        expectSame(a.matmul(solve(a, wide)), wide, type.realPart == .float32 ? .float32 : type, name + " solve")
        let root = matrixSquareRoot(positive)
        expectSame(root.matmul(root), positive, type, name + " root")
        expectSame(matrixExponential(matrixLogarithm(unit + positive * 0.1)), unit + positive * 0.1, type, name + " logarithm")
      }
    }
  }

  @Test("a matrix without factors spoils its own results only") func isolation() {
    for device in Self.devices {
      device.active {
        let good = Tensor([4.0, 2, 2, 3], shape: [2, 2]), bad = Tensor([1.0, 2, 2, 1], shape: [2, 2])
        let l = cholesky(stacked([good, bad, good]))
        #expect(isNaN(l).any(alongAxes: [1, 2]).elements(as: Bool.self) == [false, true, false])
        #expect(l.sliced(0..<1, alongAxis: 0).doubles()[1] == 0)
        let broken = Tensor([1.0, .nan, 0, 1], shape: [2, 2])
        let s = singularValues(stacked([good, broken]))
        #expect(isNaN(s).all(alongAxes: [1]).elements(as: Bool.self) == [false, true])
      }
    }
  }

  // numpy.linalg of NumPy 2.4: matrix_rank, cond, pinv, slogdet of [[1,2],[2,4],[0,1e-20]] and [[1,2],[3,4]].
  @Test("ranks, condition numbers and determinants are NumPy's") func numbers() {
    for device in Self.devices {
      device.active {
        let deficient = Tensor([1.0, 2, 2, 4, 0, 1e-20], shape: [3, 2]), a = Tensor([1.0, 2, 3, 4], shape: [2, 2])
        #expect(matrixRank(deficient).item() == 1 && matrixRank(a).item() == 2)
        expectClose(conditionNumber(a), [14.933034373659268], Tolerance(relative: 1e-12))
        expectClose(pseudoInverse(deficient), [0.04, 0.08, 0, 0.08, 0.16, 0], Tolerance(absolute: 1e-15))
        let (sign, logarithm) = logDeterminant(a)
        #expect(sign.item() == -1)
        expectClose(logarithm, [0.6931471805599455], Tolerance(relative: 1e-14))
        #expect(logDeterminant(Tensor.zeros([2, 2], as: .float64)).logarithm.item() == -.infinity)
      }
    }
  }

  @Test("what is no matrix, or does not fit, is refused in words") func errors() {
    func message(_ body: (Tensor) -> Tensor, _ shape: Shape) -> String {
      do {
        _ = try trace(body, like: Tensor.zeros(shape))
        return "no error"
      } catch { return error.message }
    }
    #expect(message({ cholesky($0) }, [3, 4]).contains("[3, 4]"))
    #expect(message({ solve($0, Tensor.zeros([4, 1])) }, [3, 3]).contains("it needs 3 rows"))
    #expect(message({ svd($0).s }, [3]).contains("a matrix has two axes"))
  }
}
