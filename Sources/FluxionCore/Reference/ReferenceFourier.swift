#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The sums as they are defined, one axis after the other: O(n²) for each.
func referenceFourier(_ x: ReferenceArray, _ f: FourierTransform, _ type: TensorType) -> ReferenceArray {
  let n = f.lengths.count
  var shape = x.shape.dimensions
  let first = shape.count - n
  switch f.kind {
  case .forward, .inverse:
    var values = x.complexNumbers
    for axis in first..<shape.count { values = transformed(values, shape, axis, isInverse: f.kind == .inverse) }
    return ReferenceArray(type, .complex(values))
  case .realForward:
    var values = x.reals.map { ComplexNumber($0, 0) }
    values = transformed(values, shape, shape.count - 1, isInverse: false)
    let half = f.spectrum[n - 1]
    values = lines(values, shape[shape.count - 1]).flatMap { $0.prefix(half) }
    shape[shape.count - 1] = half
    for axis in first..<shape.count - 1 { values = transformed(values, shape, axis, isInverse: false) }
    return ReferenceArray(type, .complex(values))
  case .realInverse:
    var values = x.complexNumbers
    for axis in first..<shape.count - 1 { values = transformed(values, shape, axis, isInverse: true) }
    let length = f.lengths[n - 1]
    values = lines(values, shape[shape.count - 1]).flatMap { half in
      (0..<length).map { k in
        if k == 0 || 2 * k == length { return ComplexNumber(half[k].re, 0) }
        return 2 * k < length ? half[k] : half[length - k].conjugate
      }
    }
    shape[shape.count - 1] = length
    values = transformed(values, shape, shape.count - 1, isInverse: true)
    return ReferenceArray(type, .real(values.map(\.re)))
  }
}

private func lines(_ values: [ComplexNumber], _ length: Int) -> [ArraySlice<ComplexNumber>] {
  stride(from: 0, to: values.count, by: length).map { start in
    // Slices count from 0 again.
    ArraySlice(Array(values[start..<start + length]))
  }
}

/// All lines along one axis.
private func transformed(_ x: [ComplexNumber], _ shape: [Int], _ axis: Int, isInverse: Bool) -> [ComplexNumber] {
  let n = shape[axis]
  let inner = shape[(axis + 1)...].reduce(1, *)
  // e^(∓2πi k/n): the angle is reduced while it is a fraction of integers.
  let roots = (0..<n).map { k -> ComplexNumber in
    let (c, s) = cosineAndSine(of: k, in: n)
    return ComplexNumber(c, isInverse ? s : -s)
  }
  let scale = isInverse ? 1 / Double(n) : 1
  var result = x
  for start in 0..<(n == 0 ? 0 : x.count / n) {
    let offset = start / inner * n * inner + start % inner
    for k in 0..<n {
      var sum = ComplexNumber(0, 0)
      for j in 0..<n { sum = sum + x[offset + j * inner] * roots[j * k % n] }
      result[offset + k * inner] = scale * sum
    }
  }
  return result
}

/// cos and sin of the k-th of n parts of a turn, from an angle of at most an eighth of a turn.
func cosineAndSine(of k: Int, in n: Int) -> (Double, Double) {
  if 2 * k > n {
    let (c, s) = cosineAndSine(of: n - k, in: n)
    return (c, -s)
  }
  if 4 * k > n {
    let (c, s) = cosineAndSine(of: n - 2 * k, in: 2 * n)
    return (-c, s)
  }
  if 8 * k > n {
    let (c, s) = cosineAndSine(of: n - 4 * k, in: 4 * n)
    return (s, c)
  }
  let angle = 2 * Double.pi * Double(k) / Double(n)
  return (cos(angle), sin(angle))
}
